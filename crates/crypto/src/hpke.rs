//! Envelopes to a public key: HPKE base mode, single-shot, with X-Wing, HKDF-SHA-256 and
//! ChaCha20-Poly1305.
//!
//! `suite id (u16 big-endian) ‖ encapsulated key 1120 ‖ ciphertext and tag`; info = context, no
//! associated data. An envelope authenticates nobody: who made it is known from the statement that
//! signs its hash.

use crate::context::Context;
use crate::error::{OpenError, PublicKeyError, SealError};
use crate::hazmat::hpke as raw;
use crate::random::{self, RandomError, secret32};
use curve25519_dalek::MontgomeryPoint;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The one suite there is.
pub const SUITE: u16 = 0x0001;
/// Bytes of a public key: ML-KEM-768 (1184), then X25519 (32).
pub const PUBLIC_KEY_LEN: usize = 1216;
/// What an envelope adds to its plaintext.
pub const OVERHEAD: usize = 2 + raw::ENC_LEN + 16;
const ML_KEM_LEN: usize = 1184;

/// A public key that passed validation.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Decodes and validates.
    ///
    /// # Errors
    /// [`PublicKeyError`]: wrong length, weak X25519 half, malformed ML-KEM half.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        if bytes.len() != PUBLIC_KEY_LEN {
            return Err(PublicKeyError::Length(bytes.len()));
        }
        let x25519: [u8; 32] = bytes[ML_KEM_LEN..]
            .try_into()
            .map_err(|_| PublicKeyError::Length(bytes.len()))?;
        // A point of small order, zero among them, gives zero with every clamped scalar.
        if MontgomeryPoint(x25519).mul_clamped([1; 32]).0 == [0; 32] {
            return Err(PublicKeyError::WeakX25519);
        }
        if !raw::is_public_key(bytes) {
            return Err(PublicKeyError::MlKem);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// Its 1,216 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hpke::PublicKey(")?;
        self.0[..8].iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        f.write_str("…)")
    }
}

/// An X-Wing seed: the secret key. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretSeed([u8; 32]);

impl SecretSeed {
    /// A fresh random seed.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        secret32().map(|seed| Self(*seed))
    }

    /// The seed with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes: for storing them sealed, and for nothing else.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key.
    ///
    /// # Errors
    /// [`PublicKeyError`] if the seed gives a key that would be refused, which does not happen.
    pub fn public(&self) -> Result<PublicKey, PublicKeyError> {
        let bytes = raw::public_key(&self.0).ok_or(PublicKeyError::MlKem)?;
        PublicKey::from_bytes(&bytes)
    }
}

impl PartialEq for SecretSeed {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretSeed {}

impl std::fmt::Debug for SecretSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretSeed(secret)")
    }
}

/// Seals to a public key.
///
/// # Errors
/// [`SealError::Random`]; [`SealError::Cipher`], which does not happen.
pub fn seal_to(
    public: &PublicKey,
    context: &Context,
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let mut randomness = Zeroizing::new([0; raw::ENCAP_RANDOMNESS_LEN]);
    random::fill(randomness.as_mut())?;
    let body = raw::seal(
        public.as_bytes(),
        context.as_bytes(),
        plaintext,
        &randomness,
    )
    .ok_or(SealError::Cipher)?;
    let mut out = Vec::with_capacity(2 + body.len());
    out.extend_from_slice(&SUITE.to_be_bytes());
    out.extend_from_slice(&body);
    Ok(out)
}

/// Opens an envelope.
///
/// # Errors
/// [`OpenError::TooShort`], [`OpenError::UnknownSuite`], [`OpenError::Envelope`].
pub fn open_with(
    seed: &SecretSeed,
    context: &Context,
    envelope: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (suite, body) = envelope
        .split_first_chunk::<2>()
        .ok_or(OpenError::TooShort)?;
    let suite = u16::from_be_bytes(*suite);
    if suite != SUITE {
        return Err(OpenError::UnknownSuite(suite));
    }
    if envelope.len() < OVERHEAD {
        return Err(OpenError::TooShort);
    }
    raw::open(&seed.0, context.as_bytes(), body).ok_or(OpenError::Envelope)
}
