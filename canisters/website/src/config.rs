//! Where a deployment's parts are, given when the canister is installed or upgraded.
//!
//! Owns the Candid record, its checks and the `config.json` the front end reads. Every text that
//! ends up in a header or a script's reach passes a check here first.

use candid::{CandidType, Deserialize, Principal};
use serde_json::json;
use thiserror::Error;

/// The identity provider of the public network.
pub const INTERNET_IDENTITY: &str = "https://id.ai/authorize";

/// The public network's API endpoint, where the engine sends its calls unless told otherwise.
pub const MAINNET_NODE: &str = "https://icp-api.io";

/// Alternative derivation origins Internet Identity accepts at most.
pub const MAX_ALTERNATIVE_ORIGINS: usize = 10;

/// Install argument: `(opt Config)`; absent fields mean the public network.
#[derive(CandidType, Deserialize, Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The vault canister the front end talks to.
    pub vault: Option<Principal>,
    /// Origin of the node's API, such as `http://localhost:4943`.
    pub node: Option<String>,
    /// DER of the network's root key; only for networks other than the public one.
    pub root_key: Option<Vec<u8>>,
    /// Address of the sign-in page.
    pub identity_provider: Option<String>,
    /// The origin principals are derived from when the site is reached under another one.
    pub derivation_origin: Option<String>,
    /// Origins that may derive the principals of this one.
    pub alternative_origins: Vec<String>,
}

/// A configuration that must not be served.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Not `scheme://host` or `scheme://host:port`.
    #[error("{field} is not an origin such as https://example.org: {value:?}")]
    Origin {
        /// The record's field.
        field: &'static str,
        /// What it held.
        value: String,
    },
    /// Not an address below an origin.
    #[error("{field} is not an http(s) address: {value:?}")]
    Address {
        /// The record's field.
        field: &'static str,
        /// What it held.
        value: String,
    },
    /// More than [`MAX_ALTERNATIVE_ORIGINS`].
    #[error("at most {MAX_ALTERNATIVE_ORIGINS} alternative origins, not {0}")]
    TooManyOrigins(usize),
    /// Plain http to another machine would put keys and records in reach of anyone on the way.
    #[error("{field} must use https unless it is this computer: {value:?}")]
    Insecure {
        /// The record's field.
        field: &'static str,
        /// What it held.
        value: String,
    },
}

impl Config {
    /// Refuses text that could widen a header or send the engine somewhere unencrypted.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("node", &self.node),
            ("derivation_origin", &self.derivation_origin),
        ] {
            if let Some(value) = value {
                check_origin(field, value)?;
            }
        }
        if let Some(value) = &self.identity_provider {
            let origin_end = value
                .find("://")
                .and_then(|at| value.get(at + 3..).map(|rest| (at + 3, rest)))
                .map(|(start, rest)| start + rest.find('/').unwrap_or(rest.len()));
            let field = "identity_provider";
            let address = || ConfigError::Address {
                field,
                value: value.clone(),
            };
            let (origin, path) = origin_end
                .and_then(|end| value.split_at_checked(end))
                .ok_or_else(address)?;
            check_origin(field, origin)?;
            if !path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/_-.~".contains(&byte))
            {
                return Err(address());
            }
        }
        if self.alternative_origins.len() > MAX_ALTERNATIVE_ORIGINS {
            return Err(ConfigError::TooManyOrigins(self.alternative_origins.len()));
        }
        for origin in &self.alternative_origins {
            check_origin("alternative_origins", origin)?;
        }
        Ok(())
    }

    /// The node the engine may reach.
    pub fn node_origin(&self) -> &str {
        self.node.as_deref().unwrap_or(MAINNET_NODE)
    }

    /// `/config.json`: what the front end knows about its deployment. Nothing in it is secret.
    ///
    /// Fields: `version`, `vault` and `node` (text), `root_key` (hexadecimal DER or null for the
    /// public network's), `identity_provider`, `derivation_origin` (text or null).
    pub fn to_json(&self) -> Vec<u8> {
        let value = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "vault": self.vault.map(|id| id.to_text()),
            "node": self.node_origin(),
            "root_key": self.root_key.as_ref().map(hex::encode),
            "identity_provider":
                self.identity_provider.as_deref().unwrap_or(INTERNET_IDENTITY),
            "derivation_origin": self.derivation_origin,
        });
        value.to_string().into_bytes()
    }

    /// `/.well-known/ii-alternative-origins`, which Internet Identity accepts only certified.
    pub fn alternative_origins_json(&self) -> Vec<u8> {
        json!({ "alternativeOrigins": self.alternative_origins })
            .to_string()
            .into_bytes()
    }
}

fn check_origin(field: &'static str, value: &str) -> Result<(), ConfigError> {
    let malformed = || ConfigError::Origin {
        field,
        value: value.to_owned(),
    };
    let (scheme, authority) = value.split_once("://").ok_or_else(malformed)?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host_is_plain = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    let port_is_number = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    if !host_is_plain || !port_is_number {
        return Err(malformed());
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_this_computer(host) => Ok(()),
        "http" => Err(ConfigError::Insecure {
            field,
            value: value.to_owned(),
        }),
        _ => Err(malformed()),
    }
}

fn is_this_computer(host: &str) -> bool {
    host == "localhost" || host == "127.0.0.1" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_node(node: &str) -> Config {
        Config {
            node: Some(node.to_owned()),
            ..Config::default()
        }
    }

    #[test]
    fn origins_pass_and_nothing_else_does() {
        for good in [
            "http://localhost:4943",
            "http://127.0.0.1:8000",
            "https://icp-api.io",
        ] {
            assert_eq!(with_node(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "localhost",
            "https://",
            "https://a b",
            "https://a;script-src *",
            "https://a/",
            "https://a:0",
            "https://a:http",
            "https://*",
            "ftp://a",
            "https://user@a",
        ] {
            assert!(
                matches!(with_node(bad).check(), Err(ConfigError::Origin { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn plain_http_stays_on_this_computer() {
        assert!(matches!(
            with_node("http://example.org").check(),
            Err(ConfigError::Insecure { .. })
        ));
    }

    #[test]
    fn the_sign_in_page_is_an_address_without_a_query() {
        let with = |value: &str| Config {
            identity_provider: Some(value.to_owned()),
            ..Config::default()
        };
        assert_eq!(with("https://id.ai/authorize").check(), Ok(()));
        assert_eq!(
            with("http://localhost:4943/_/identity/authorize").check(),
            Ok(())
        );
        for bad in [
            "id.ai",
            "https://id.ai/a?b=c",
            "javascript:alert(1)",
            "https://id.ai/\"",
        ] {
            assert!(with(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_is_the_public_network() {
        let text = String::from_utf8(Config::default().to_json()).expect("JSON is UTF-8");
        assert!(text.contains(INTERNET_IDENTITY) && text.contains(MAINNET_NODE));
        assert!(text.contains("\"root_key\":null"));
    }
}
