//! What can go wrong when something is sealed or opened. Must not carry secrets or plaintext.

use crate::random::RandomError;

/// Why something could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The system gave no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Longer than its format allows.
    #[error("{size} bytes are too many: at most {limit}")]
    TooLarge {
        /// Bytes given.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// A part turned out longer or shorter than was announced.
    #[error("the part does not have the announced length")]
    WrongLength,
    /// A part's bytes are not those whose hash was announced.
    #[error("the part changed while it was being sealed")]
    Changed,
    /// The cipher refused its input; cannot happen within the formats' sizes.
    #[error("the cipher refused its input")]
    Cipher,
}

/// Why something did not open. Nothing it held is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short to be a sealed text at all.
    #[error("too short to be sealed")]
    TooShort,
    /// Sealed under another key or for another context.
    #[error("sealed under another key or for another purpose")]
    WrongKeyOrContext,
    /// A chunk was altered, cut, moved or left out.
    #[error("chunk {chunk} is damaged")]
    Damaged {
        /// Which, from 0.
        chunk: u64,
    },
    /// Authentic, but the padding is not what its length calls for.
    #[error("the padding is wrong")]
    Padding,
    /// Authentic, but not the one encoding of what was expected.
    #[error("the content is malformed")]
    Malformed,
    /// An envelope of a suite this version does not know.
    #[error("unknown suite {0:#06x}")]
    UnknownSuite(u16),
    /// An envelope for another key or context, or altered.
    #[error("the envelope is for someone else, for another purpose, or damaged")]
    Envelope,
}

/// Why bytes are not an HPKE public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not 1,216 bytes.
    #[error("a public key has 1216 bytes, not {0}")]
    Length(usize),
    /// The X25519 half is zero or of small order: every agreement with it gives the same secret.
    #[error("the X25519 half of the public key is weak")]
    WeakX25519,
    /// The ML-KEM half has coefficients out of range.
    #[error("the ML-KEM half of the public key is malformed")]
    MlKem,
}
