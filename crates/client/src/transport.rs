//! The way to the vault, as bytes. Must not know what they mean.

use crate::certificate::CertificateError;
use async_trait::async_trait;
use candid::Principal;

/// A way to one vault, for one caller.
#[async_trait(?Send)]
pub trait Transport {
    /// The vault canister.
    fn vault(&self) -> Principal;

    /// Who calls.
    fn caller(&self) -> Principal;

    /// Calls a query with Candid bytes; gives Candid bytes.
    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Calls an update with Candid bytes and waits for its answer.
    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// Verifies a certificate that the vault handed out: the IC's signature over the vault's
    /// certified data. How old it may be is the caller's to judge.
    ///
    /// # Errors
    /// [`CertificateError`].
    fn verify_certificate(&self, certificate: &[u8]) -> Result<CertifiedData, CertificateError>;

    /// The root key under which certificates are verified, DER.
    fn root_key(&self) -> Vec<u8>;
}

/// What a certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedData {
    /// The vault's certified data.
    pub data: [u8; 32],
    /// When, ms since 1970 (UTC).
    pub at: u64,
}

/// Why no answer came, or none that may be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, or it broke. An update may have been carried out.
    #[error("the vault could not be reached: {0}")]
    Unreachable(String),
    /// No answer in time. An update may have been carried out.
    #[error("the vault did not answer in time")]
    TimedOut,
    /// The platform refused the call, or the vault stopped in the middle of it, changing nothing.
    #[error("the call was rejected ({code}): {message}")]
    Rejected {
        /// The IC's reject code.
        code: u32,
        /// What it said.
        message: String,
    },
    /// The answer's signature or certificate is not valid.
    #[error("the answer could not be verified: {0}")]
    Unverified(String),
    /// The session's delegation has run out, or the identity cannot sign.
    #[error("not signed in: {0}")]
    NotSignedIn(String),
    /// The answer is not what the method promises.
    #[error("the answer to {method} could not be read")]
    Undecodable {
        /// Which method.
        method: String,
    },
}

impl TransportError {
    /// Whether an update that failed so may have been carried out nevertheless.
    pub const fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::TimedOut | Self::Unverified(_) | Self::Undecodable { .. }
        )
    }
}
