//! What both sides must agree on: statements and their signatures, chains, the owner ledger's fold,
//! grants and the access they give, and what a certificate says of an account.
//!
//! Pure: no clock, no randomness, no storage, no platform. Must not know how anything is encrypted.

pub mod canonical;
pub mod certified;
pub mod chain;
pub mod grant;
pub mod hash_tree;
pub mod keychain;
pub mod ledger;
pub mod pairing;
pub mod request;
pub mod safety;
pub mod statement;
pub mod version;

pub use canonical::NotCanonical;
pub use keychain::KeyChain;
pub use ledger::{Change, LedgerOp, LedgerState};
pub use statement::Statement;
