//! Names of things and small shared shapes. Must not know what an id is made of.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = u64;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

ids! {
    /// An account of the vault: opaque text of the worker's making, safe in a URL fragment.
    AccountId;
    /// One of an owner's compartments.
    CompartmentId;
    /// A record; together with its owner it is a [`crate::RecordAddress`].
    RecordId;
    /// A request for access.
    RequestId;
    /// A grant.
    GrantId;
    /// A way to unlock.
    SlotId;
    /// Where the next page begins; only the worker reads it.
    Cursor;
}

/// A recovery phrase, or words of one. Prints nothing of itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// In the order in which they are to be shown.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
    /// How many there are in all, where that is known.
    pub total: Option<u32>,
}
