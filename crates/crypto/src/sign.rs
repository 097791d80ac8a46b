//! Ed25519 signing keys. What is signed, and how it is verified, is `salus-protocol`'s.

use crate::random::{RandomError, secret32};
use ed25519_dalek::Signer;
use zeroize::Zeroizing;

/// An Ed25519 key. Wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh random key.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        secret32().map(|seed| Self::from_seed(&seed))
    }

    /// The key with this seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed: for storing it sealed, and for nothing else.
    pub fn expose_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs a message: the label, a zero byte and the statement, as
    /// `salus_protocol::statement::signing_bytes` gives them.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SigningKey {}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}
