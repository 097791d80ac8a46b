//! Sealing with a chosen salt and a raw context.
//!
//! Hazardous: the same key, salt and context for two plaintexts repeat nonces and give both away;
//! and a raw context is not bound to any kind.

use crate::error::{OpenError, SealError};
use crate::key::Key;
use crate::seal::{Opener, SALT_LEN, Sealer};

/// A [`Sealer`] with this salt.
pub fn sealer_with_salt(key: &Key, context: &[u8], salt: [u8; SALT_LEN]) -> Sealer {
    Sealer::with_salt(key, context, salt)
}

/// Seals with this salt.
///
/// # Errors
/// [`SealError::Cipher`], which does not happen.
pub fn seal_with_salt(
    key: &Key,
    context: &[u8],
    plaintext: &[u8],
    salt: [u8; SALT_LEN],
) -> Result<Vec<u8>, SealError> {
    crate::seal::seal_whole(Sealer::with_salt(key, context, salt), plaintext)
}

/// An [`Opener`] for a raw context.
///
/// # Errors
/// As [`Opener::new`].
pub fn opener(key: &Key, context: &[u8], header: &[u8]) -> Result<Opener, OpenError> {
    Opener::raw(key, context, header)
}

/// Opens for a raw context.
///
/// # Errors
/// As [`crate::seal::open`].
pub fn open_raw(key: &Key, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    crate::seal::open_raw(key, context, sealed)
}
