//! The vault over ic-agent: the only place that knows it. Query signatures and certificates are
//! always verified; there is no switch to turn that off.

pub mod delegation;
#[cfg(feature = "pem")]
mod identity;

use crate::certificate::{self, CertificateError};
use crate::transport::{CertifiedData, Transport, TransportError};
use async_trait::async_trait;
use candid::Principal;
use ic_agent::agent::agent_error::TransportError as AgentTransportError;
use ic_agent::agent::route_provider::RoundRobinRouteProvider;
use ic_agent::{Agent, AgentError, Identity};
use std::sync::Arc;

pub use ic_agent;
#[cfg(feature = "pem")]
pub use identity::{PemError, PemIdentity};

/// A vault over ic-agent.
#[derive(Clone)]
pub struct AgentTransport {
    agent: Agent,
    vault: Principal,
    caller: Principal,
}

impl AgentTransport {
    /// To the vault at `url` as `identity`. `root_key` (DER) is that of a network other than the
    /// Internet Computer; without it the Internet Computer's own is used. It is never fetched: what
    /// hands out the key could hand out any.
    ///
    /// # Errors
    /// [`TransportError::Unreachable`] for an address that is none; [`TransportError::NotSignedIn`]
    /// for an identity without principal.
    pub fn connect(
        url: &str,
        vault: Principal,
        identity: Arc<dyn Identity>,
        root_key: Option<Vec<u8>>,
    ) -> Result<Self, TransportError> {
        let unreachable = |e: AgentError| TransportError::Unreachable(e.to_string());
        // `with_url` panics at what is no address.
        let route = RoundRobinRouteProvider::new(vec![url]).map_err(unreachable)?;
        let agent = Agent::builder()
            .with_route_provider(route)
            .with_arc_identity(identity)
            .with_verify_query_signatures(true)
            .build()
            .map_err(unreachable)?;
        if let Some(key) = root_key {
            agent.set_root_key(key);
        }
        Self::over(agent, vault)
    }

    /// Over an agent that is configured already.
    ///
    /// # Errors
    /// [`TransportError::NotSignedIn`] for an identity without principal.
    pub fn over(agent: Agent, vault: Principal) -> Result<Self, TransportError> {
        let caller = agent.get_principal().map_err(TransportError::NotSignedIn)?;
        Ok(Self {
            agent,
            vault,
            caller,
        })
    }

    /// The agent underneath.
    pub const fn agent(&self) -> &Agent {
        &self.agent
    }
}

#[async_trait(?Send)]
impl Transport for AgentTransport {
    fn vault(&self) -> Principal {
        self.vault
    }

    fn caller(&self) -> Principal {
        self.caller
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.agent
            .query(&self.vault, method)
            .with_arg(arg)
            .call()
            .await
            .map_err(translate)
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.agent
            .update(&self.vault, method)
            .with_arg(arg)
            .call_and_wait()
            .await
            .map_err(translate)
    }

    fn verify_certificate(&self, certificate: &[u8]) -> Result<CertifiedData, CertificateError> {
        certificate::verify(certificate, &self.agent.read_root_key(), self.vault)
    }

    fn root_key(&self) -> Vec<u8> {
        self.agent.read_root_key()
    }
}

/// The root key of the Internet Computer, DER; empty if the agent cannot be built.
pub fn mainnet_root_key() -> Vec<u8> {
    let agent = Agent::builder().with_url("https://icp-api.io").build();
    agent.map(|a| a.read_root_key()).unwrap_or_default()
}

fn translate(error: AgentError) -> TransportError {
    use AgentError as E;
    match error {
        E::CertifiedReject { reject, .. } | E::UncertifiedReject { reject, .. } => {
            TransportError::Rejected {
                code: reject.reject_code as u32,
                message: reject.reject_message,
            }
        }
        E::TimeoutWaitingForResponse() => TransportError::TimedOut,
        E::SigningError(message) => TransportError::NotSignedIn(message),
        E::HttpError(http) => {
            let text = String::from_utf8_lossy(&http.content).into_owned();
            let refused = matches!(http.status, 400 | 401 | 403);
            if refused && (text.contains("elegation") || text.contains("sender")) {
                TransportError::NotSignedIn(text)
            } else {
                TransportError::Unreachable(format!("HTTP {}: {text}", http.status))
            }
        }
        E::TransportError(AgentTransportError::Reqwest(e)) if e.is_timeout() => {
            TransportError::TimedOut
        }
        E::CertificateVerificationFailed()
        | E::QuerySignatureVerificationFailed
        | E::CertificateNotAuthorized()
        | E::CertificateOutdated(_)
        | E::CertificateHasTooManyDelegations
        | E::MissingSignature
        | E::MalformedSignature
        | E::MalformedPublicKey
        | E::TooManySignatures { .. }
        | E::DerKeyLengthMismatch { .. }
        | E::DerPrefixMismatch { .. }
        | E::LookupPathAbsent(_)
        | E::LookupPathUnknown(_)
        | E::LookupPathError(_) => TransportError::Unverified(error.to_string()),
        other => TransportError::Unreachable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_agent::identity::AnonymousIdentity;

    #[test]
    fn what_is_no_address_is_refused() {
        let vault = Principal::from_slice(&[1]);
        let connect = |url| AgentTransport::connect(url, vault, Arc::new(AnonymousIdentity), None);
        assert!(connect("http://localhost:8000").is_ok());
        assert!(connect("https://xn--bcher-kva.example").is_ok());
        for url in [
            "https://",
            "https://b\u{fc}cher.example",
            "https://a b",
            "nowhere",
        ] {
            let refused = connect(url).err();
            assert!(
                matches!(refused, Some(TransportError::Unreachable(_))),
                "{url}"
            );
        }
    }
}
