//! A symmetric key of 256 bits. Wiped when dropped, compared in constant time, never printed.

use crate::random::{RandomError, secret32};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A key has 32 bytes, no more and no fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 32 bytes, not {0}")]
pub struct KeyLengthError(pub usize);

/// 32 secret bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A fresh random key.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        secret32().map(|bytes| Self(*bytes))
    }

    /// The key with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key with these bytes.
    ///
    /// # Errors
    /// [`KeyLengthError`] unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyLengthError> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| KeyLengthError(bytes.len()))
    }

    /// The secret bytes: for storing them sealed, and for nothing else.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key {}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}
