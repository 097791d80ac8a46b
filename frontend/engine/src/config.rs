//! `/config.json`: where this website's vault and network are. Must not know who is signed in.

use salus_client::Principal;
use salus_messages::Environment;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    node: Option<String>,
    root_key: Option<String>,
    vault: Option<String>,
    identity_provider: String,
    derivation_origin: Option<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Not the expected JSON.
    #[error("config.json cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The vault's id is missing or none.
    #[error("config.json names no vault")]
    Vault,
    /// The root key is not hexadecimal.
    #[error("config.json has a malformed root key")]
    RootKey,
}

/// The configuration.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What the page may know.
    pub(crate) environment: Environment,
    /// The node's address.
    pub(crate) node: String,
    /// The network's root key, DER; mainnet's when absent.
    pub(crate) root_key: Option<Vec<u8>>,
    /// The vault.
    pub(crate) vault: Principal,
}

impl Config {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = serde_json::from_str(text)?;
        let vault = file.vault.ok_or(ConfigError::Vault)?;
        let vault_id = Principal::from_text(&vault).map_err(|_| ConfigError::Vault)?;
        let root_key = file
            .root_key
            .map(|key| hex::decode(key).map_err(|_| ConfigError::RootKey))
            .transpose()?;
        Ok(Self {
            environment: Environment {
                // Only the public network needs no root key of its own.
                network: if root_key.is_some() { "local" } else { "ic" }.into(),
                identity_provider: file.identity_provider,
                derivation_origin: file.derivation_origin,
                vault,
            },
            node: file.node.unwrap_or_else(|| "https://icp-api.io".into()),
            root_key,
            vault: vault_id,
        })
    }
}
