//! The root key and the node key: made once per state folder, then read from it.

use crate::wire::der;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The secrets as they are stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    #[serde(with = "serde_bytes")]
    root: Vec<u8>,
    #[serde(with = "serde_bytes")]
    node: Vec<u8>,
    /// What master keys of vetKD are made of; folders made before there were any lack it.
    #[serde(with = "serde_bytes", default)]
    vetkd: Vec<u8>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// No randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// What is stored is not a key.
    #[error("the stored {0} key is not a key")]
    Stored(&'static str),
}

impl Secrets {
    /// Fresh secrets.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        loop {
            let mut root = [0; 32];
            let mut node = [0; 32];
            getrandom::fill(&mut root)?;
            getrandom::fill(&mut node)?;
            // A random number is above the group's order more often than not: try again.
            if ic_verify_bls_signature::PrivateKey::deserialize(&root).is_ok() {
                return Ok(Self {
                    root: root.to_vec(),
                    node: node.to_vec(),
                    vetkd: Vec::new(),
                });
            }
        }
    }

    /// Makes what is missing; whether anything was.
    pub(crate) fn complete(&mut self) -> Result<bool, KeyError> {
        let missing = self.vetkd.is_empty();
        if missing {
            let mut vetkd = [0; 32];
            getrandom::fill(&mut vetkd)?;
            self.vetkd = vetkd.to_vec();
        }
        Ok(missing)
    }
}

/// The keys and the ids that follow from them.
pub(crate) struct Keys {
    root: ic_verify_bls_signature::PrivateKey,
    node: ic_ed25519::PrivateKey,
    /// The root public key, raw (96 bytes).
    pub(crate) root_raw: Vec<u8>,
    /// The root public key, DER.
    pub(crate) root_der: Arc<[u8]>,
    /// The one subnet: without a delegation its id must follow from the root key.
    pub(crate) subnet: Principal,
    /// The node's public key, DER (44 bytes).
    pub(crate) node_der: Vec<u8>,
    /// The node's id.
    pub(crate) node_id: Principal,
    /// What master keys of vetKD are made of.
    pub(crate) vetkd: Vec<u8>,
}

impl Keys {
    /// The keys of some secrets.
    pub(crate) fn new(secrets: &Secrets) -> Result<Self, KeyError> {
        let root = ic_verify_bls_signature::PrivateKey::deserialize(&secrets.root)
            .map_err(|_| KeyError::Stored("root"))?;
        let node = ic_ed25519::PrivateKey::deserialize_raw(&secrets.node)
            .map_err(|_| KeyError::Stored("node"))?;
        let root_raw = root.public_key().serialize().to_vec();
        let root_der = der::bls_public_key(&root_raw);
        let node_der = node.public_key().serialize_rfc8410_der();
        Ok(Self {
            subnet: Principal::self_authenticating(&root_der),
            node_id: Principal::self_authenticating(&node_der),
            root_raw,
            root_der: root_der.into(),
            vetkd: secrets.vetkd.clone(),
            node_der,
            root,
            node,
        })
    }

    /// Signs with the root key.
    pub(crate) fn sign_root(&self, message: &[u8]) -> [u8; 48] {
        self.root.sign(message).serialize()
    }

    /// Signs with the node key.
    pub(crate) fn sign_node(&self, message: &[u8]) -> [u8; 64] {
        self.node.sign_message(message)
    }
}
