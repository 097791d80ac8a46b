//! The key hierarchy below a slot: account master key → identity bundle and compartment epoch keys
//! → each version's descriptor key and content key.
//!
//! Must not know which keys exist or are current: the ledger says that.

mod amk;
mod bundle;
mod epoch;
mod version;

pub use amk::Amk;
pub use bundle::{IdentityBundle, IdentitySeeds};
pub use epoch::EpochKey;
pub use version::{DROP_BOX_LEN, VersionKeys, WrappedVersionKeys};

use crate::seal::sealed_len;

/// Bytes of a key sealed under another.
pub const WRAPPED_KEY_LEN: u64 = sealed_len(32);
