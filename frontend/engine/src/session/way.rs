//! The way to the vault whose identity is renewed while calls go on. Must not know how identities are
//! made.

use async_trait::async_trait;
use salus_client::agent::AgentTransport;
use salus_client::certificate::CertificateError;
use salus_client::{CertifiedData, Principal, Transport, TransportError};
use std::cell::RefCell;

/// A way to the vault. A call goes on with the identity it began with.
pub(crate) struct Way(RefCell<AgentTransport>);

impl Way {
    /// Begins.
    pub(crate) const fn new(transport: AgentTransport) -> Self {
        Self(RefCell::new(transport))
    }

    /// Goes on with another identity of the same caller.
    pub(crate) fn renew(&self, transport: AgentTransport) {
        self.0.replace(transport);
    }

    fn now(&self) -> AgentTransport {
        self.0.borrow().clone()
    }
}

#[async_trait(?Send)]
impl Transport for Way {
    fn vault(&self) -> Principal {
        self.0.borrow().vault()
    }

    fn caller(&self) -> Principal {
        self.0.borrow().caller()
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.now().query(method, arg).await
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.now().update(method, arg).await
    }

    fn verify_certificate(&self, certificate: &[u8]) -> Result<CertifiedData, CertificateError> {
        self.0.borrow().verify_certificate(certificate)
    }

    fn root_key(&self) -> Vec<u8> {
        self.0.borrow().root_key()
    }
}
