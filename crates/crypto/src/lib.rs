//! Sealing, HPKE envelopes, key slots and the key hierarchy; formats in `docs/format.md`, Part I.
//!
//! What is safe to call stands at the top level; what takes raw contexts, salts or randomness from
//! its caller stands under [`hazmat`] and serves vectors. `derive_…` is deterministic,
//! `generate_…` draws from the system. No input or output but the system's randomness; must not
//! know how anything is stored, sent or certified. Public functions are not generic, so that they
//! are compiled with this crate's optimisation in the browser: for size, because what has to be fast is
//! in crates of its own.

pub mod commitment;
pub mod context;
pub mod envelope;
mod error;
pub mod hazmat;
pub mod hierarchy;
pub mod hpke;
pub mod kdf;
mod key;
pub mod local;
pub mod note;
pub mod pad;
pub mod passphrase;
pub mod phrase;
mod random;
pub mod record;
pub mod seal;
pub mod sheet;
pub mod sign;
pub mod slot;
mod wire;

pub use context::{Context, VaultScope, VersionScope};
pub use error::{OpenError, PublicKeyError, SealError};
pub use key::{Key, KeyLengthError};
pub use random::{RandomError, random_id, random_salt};
