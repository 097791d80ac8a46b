//! The one error type of the vault's interface.
//!
//! Three families: the request is wrong ([`Error::Invalid`] and its kin: sending it again changes
//! nothing), the moment is wrong ([`Error::Temporary`] and kin: try again), and the vault is wrong
//! ([`Error::Internal`]). What is missing and what is forbidden answer alike: [`Error::NotFound`].

use crate::ids::Hash;
use candid::CandidType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Result of a vault call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call changed nothing.
#[derive(CandidType, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum Error {
    /// The anonymous principal may not call this.
    Anonymous,
    /// There is no such thing, or it is not the caller's to see.
    NotFound,
    /// A field has a value that can never be accepted.
    Invalid {
        /// Which field, by its name in the interface.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are not the one canonical encoding of a statement this vault knows.
    NotCanonical {
        /// Which statement.
        statement: String,
    },
    /// A signature does not verify under the key that should have made it.
    BadSignature {
        /// Which statement.
        statement: String,
    },
    /// The operation does not follow the ledger's head: fetch, rebase, sign again.
    StaleHead {
        /// Operations the ledger has.
        count: u64,
        /// Hash of the last one.
        head: Hash,
    },
    /// The same id was used before with other content.
    Conflict {
        /// Which id.
        what: String,
    },
    /// The grant, invitation, request or upload is over.
    Expired {
        /// What is over.
        what: String,
        /// Since when, in milliseconds since 1970 (UTC).
        at: u64,
    },
    /// More bytes than allowed.
    TooLarge {
        /// Which field.
        field: String,
        /// The most it may have, in bytes.
        limit: u64,
    },
    /// More things than allowed.
    TooMany {
        /// Of what.
        what: String,
        /// The most there may be.
        limit: u64,
    },
    /// The account's storage is used up.
    QuotaExceeded {
        /// Bytes in use.
        used: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Too many calls.
    RateLimited {
        /// Seconds after which to try again.
        retry_after_s: u64,
    },
    /// New accounts are not open to this caller.
    SignUpClosed,
    /// Nothing is wrong with the request: try again.
    Temporary {
        /// What is not ready.
        reason: String,
    },
    /// The vault found its own state inconsistent; nothing was changed.
    Internal {
        /// Where.
        place: String,
    },
}

impl Error {
    /// An [`Error::Invalid`].
    pub fn invalid(field: &str, reason: &str) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// An [`Error::Internal`].
    pub fn internal(place: &str) -> Self {
        Self::Internal {
            place: place.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => write!(f, "sign in first: the anonymous principal may not do this"),
            Self::NotFound => write!(f, "not found, or not yours to see"),
            Self::Invalid { field, reason } => write!(f, "{field}: {reason}"),
            Self::NotCanonical { statement } => {
                write!(
                    f,
                    "{statement}: not the canonical encoding of a known statement"
                )
            }
            Self::BadSignature { statement } => {
                write!(f, "{statement}: the signature is not valid")
            }
            Self::StaleHead { count, .. } => {
                write!(
                    f,
                    "the ledger has moved on to {count} operations; fetch and try again"
                )
            }
            Self::Conflict { what } => write!(f, "{what}: used before with other content"),
            Self::Expired { what, at } => write!(f, "{what}: over since {at}"),
            Self::TooLarge { field, limit } => write!(f, "{field}: more than {limit} bytes"),
            Self::TooMany { what, limit } => write!(f, "{what}: more than {limit}"),
            Self::QuotaExceeded { used, limit } => {
                write!(f, "storage is used up: {used} of {limit} bytes")
            }
            Self::RateLimited { retry_after_s } => {
                write!(f, "too many calls; try again in {retry_after_s} s")
            }
            Self::SignUpClosed => write!(f, "this vault does not accept new accounts from you"),
            Self::Temporary { reason } => write!(f, "not ready: {reason}; try again"),
            Self::Internal { place } => write!(f, "internal inconsistency in {place}"),
        }
    }
}

impl std::error::Error for Error {}
