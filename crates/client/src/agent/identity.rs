//! Identities from PEM files as `dfx`, `icp` and `salus` write them. Must not know where files are.

use candid::Principal;
use ic_agent::Identity;
use ic_agent::identity::{BasicIdentity, Prime256v1Identity, Secp256k1Identity};
use std::sync::Arc;

/// Why a PEM text gives no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// Not a private key at all.
    #[error("this is not a private key in PEM")]
    NotAKey,
    /// Protected by a passphrase.
    #[error("this key is protected by a passphrase; export it without one")]
    Encrypted,
    /// Neither Ed25519 nor secp256k1 nor P-256, or damaged.
    #[error("this key is damaged, or neither Ed25519 nor secp256k1 nor P-256")]
    Unknown,
}

/// A key that signs calls.
#[derive(Clone)]
pub struct PemIdentity(Arc<dyn Identity>);

impl PemIdentity {
    /// Reads an Ed25519 key (PKCS#8), or a secp256k1 or P-256 key (SEC1 or PKCS#8).
    ///
    /// # Errors
    /// [`PemError`].
    pub fn parse(pem: &[u8]) -> Result<Self, PemError> {
        let text = std::str::from_utf8(pem).map_err(|_| PemError::NotAKey)?;
        if text.contains("ENCRYPTED") {
            return Err(PemError::Encrypted);
        }
        if !text.contains("PRIVATE KEY-----") {
            return Err(PemError::NotAKey);
        }
        // The shortest key is an Ed25519 one: 48 bytes of DER in 64 characters. ic-agent cuts into
        // what is longer without looking, so what lies just above is refused here.
        let characters: usize = text
            .lines()
            .filter(|line| !line.starts_with('-'))
            .map(|line| line.trim().len())
            .sum();
        if characters < 64 || (65..=72).contains(&characters) {
            return Err(PemError::Unknown);
        }
        let identity: Arc<dyn Identity> = if let Ok(key) = BasicIdentity::from_pem(pem) {
            Arc::new(key)
        } else if let Ok(key) = Secp256k1Identity::from_pem(pem) {
            Arc::new(key)
        } else if let Ok(key) = Prime256v1Identity::from_pem(pem) {
            Arc::new(key)
        } else {
            return Err(PemError::Unknown);
        };
        Ok(Self(identity))
    }

    /// Who calls with it.
    ///
    /// # Errors
    /// [`PemError::Unknown`], which does not happen.
    pub fn principal(&self) -> Result<Principal, PemError> {
        self.0.sender().map_err(|_| PemError::Unknown)
    }

    /// The key for an agent.
    pub fn identity(&self) -> Arc<dyn Identity> {
        self.0.clone()
    }
}

impl std::fmt::Debug for PemIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PemIdentity(secret)")
    }
}
