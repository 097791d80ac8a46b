//! Which network and vault a command talks to: `local`, `ic` or an address. Owns the reading of
//! `local.json`. Must not know how calls are made.

use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Where mainnet's boundary nodes answer.
const MAINNET: &str = "https://icp-api.io";

/// What the command line says about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// `local`, `ic` or an address.
    pub(crate) network: String,
    /// The vault canister.
    pub(crate) vault: Option<String>,
    /// The root key, hexadecimal DER.
    pub(crate) root_key: Option<String>,
    /// Whether to believe the node about the root key.
    pub(crate) fetch_root_key: bool,
}

/// How certificates are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootKey {
    /// Mainnet's, which is built in.
    Mainnet,
    /// This one, DER.
    Given(Vec<u8>),
    /// What the node says: only for development.
    Fetch,
}

/// A network and a vault on it.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// As the command line called it.
    pub(crate) name: String,
    /// Where its API is.
    pub(crate) url: String,
    /// How its certificates are checked.
    pub(crate) root_key: RootKey,
    /// The vault canister; checked when it is used.
    pub(crate) vault: Option<String>,
    /// The website, for links.
    pub(crate) website_url: Option<String>,
}

/// What `local.json` says that matters here.
#[derive(Deserialize)]
struct Local {
    url: String,
    vault: String,
    root_key: String,
    website_url: Option<String>,
}

impl Network {
    /// The network of the command line.
    ///
    /// # Errors
    /// A name that means nothing, or a `local.json` that is missing or unreadable.
    pub(crate) fn find(wanted: &Wanted) -> Result<Self> {
        let given = wanted
            .root_key
            .as_deref()
            .map(|text| parse_root_key(text).map(RootKey::Given))
            .transpose()?;
        if given.is_some() && wanted.fetch_root_key {
            return Err(Error::usage(
                "--root-key and --fetch-root-key contradict each other",
            ));
        }
        match wanted.network.as_str() {
            "local" => {
                let local = read_local(&local_file())?;
                let root_key = match given {
                    Some(key) => key,
                    None => RootKey::Given(parse_root_key(&local.root_key)?),
                };
                Ok(Self {
                    name: "local".to_owned(),
                    url: local.url,
                    root_key,
                    vault: Some(wanted.vault.clone().unwrap_or(local.vault)),
                    website_url: local.website_url,
                })
            }
            "ic" if given.is_some() || wanted.fetch_root_key => {
                Err(Error::usage("the root key of ic is built in"))
            }
            "ic" => Ok(Self {
                name: "ic".to_owned(),
                url: MAINNET.to_owned(),
                root_key: RootKey::Mainnet,
                vault: wanted.vault.clone(),
                website_url: None,
            }),
            url if url.starts_with("http://") || url.starts_with("https://") => Ok(Self {
                name: url.to_owned(),
                url: url.trim_end_matches('/').to_owned(),
                root_key: match given {
                    Some(key) => key,
                    None if wanted.fetch_root_key => RootKey::Fetch,
                    None => RootKey::Mainnet,
                },
                vault: wanted.vault.clone(),
                website_url: None,
            }),
            other => Err(Error::usage(format!(
                "`{other}` is not a network: write local, ic or an address that starts with https://"
            ))),
        }
    }

    /// The vault's id as written.
    ///
    /// # Errors
    /// [`Kind::Usage`] when none was named.
    pub(crate) fn vault(&self) -> Result<&str> {
        self.vault.as_deref().ok_or_else(|| {
            Error::usage(format!("name the vault on {}: --vault ID", self.name))
                .hint("or set SALUS_VAULT")
        })
    }
}

/// A folder's name for a network: two networks with different root keys never share memory.
pub(crate) fn folder_name(root_key: &[u8]) -> String {
    let hash = Sha256::digest(root_key);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn local_file() -> PathBuf {
    std::env::var_os("SALUS_LOCAL")
        .filter(|value| !value.is_empty())
        .map_or_else(|| PathBuf::from("target/salus/local.json"), PathBuf::from)
}

fn read_local(path: &Path) -> Result<Local> {
    let bytes = crate::home::read(path)?.ok_or_else(|| {
        Error::new(
            Kind::Usage,
            "no_local_network",
            format!(
                "there is no {}: no local network is known here",
                path.display()
            ),
        )
        .hint("start one with `cargo xtask run`, run this in that folder, or set SALUS_LOCAL")
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::usage(format!("{} is not readable: {error}", path.display())))
}

fn parse_root_key(text: &str) -> Result<Vec<u8>> {
    let wrong = || Error::usage("the root key is not hexadecimal DER");
    let key = hex::decode(text.trim()).map_err(|_| wrong())?;
    // A BLS12-381 key in DER: 37 bytes of header and 96 of key.
    if key.len() == 133 && key.first() == Some(&0x30) {
        Ok(key)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        let mut bytes = vec![0u8; 133];
        bytes[0] = 0x30;
        hex::encode(bytes)
    }

    fn wanted(network: &str) -> Wanted {
        Wanted {
            network: network.into(),
            ..Wanted::default()
        }
    }

    #[test]
    fn an_address_believes_no_node_unless_told_to() {
        let plain = Network::find(&wanted("https://node.example/")).unwrap();
        assert_eq!(plain.root_key, RootKey::Mainnet);
        assert_eq!(plain.url, "https://node.example");
        assert!(plain.vault().is_err());
        let fetch = Network::find(&Wanted {
            fetch_root_key: true,
            ..wanted("http://localhost:1")
        })
        .unwrap();
        assert_eq!(fetch.root_key, RootKey::Fetch);
        let given = Network::find(&Wanted {
            root_key: Some(key()),
            vault: Some("aaaaa-aa".into()),
            ..wanted("http://localhost:1")
        })
        .unwrap();
        assert!(matches!(given.root_key, RootKey::Given(_)));
        assert_eq!(given.vault().unwrap(), "aaaaa-aa");
    }

    #[test]
    fn mainnet_takes_no_other_key() {
        assert!(Network::find(&wanted("ic")).is_ok());
        for wrong in [
            Wanted {
                fetch_root_key: true,
                ..wanted("ic")
            },
            Wanted {
                root_key: Some(key()),
                ..wanted("ic")
            },
            Wanted {
                root_key: Some("00".into()),
                ..wanted("http://localhost:1")
            },
            Wanted {
                root_key: Some(key()),
                fetch_root_key: true,
                ..wanted("http://localhost:1")
            },
            wanted("mainnet"),
            wanted("ftp://x"),
        ] {
            assert!(Network::find(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_local_file_is_read_and_its_absence_explained() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("local.json");
        let Err(error) = read_local(&path) else {
            panic!("there is no file")
        };
        assert_eq!(error.reason, "no_local_network");
        let text = format!(
            r#"{{"url":"http://localhost:9","vault":"v","website":"w","root_key":"{}","more":1}}"#,
            key()
        );
        std::fs::write(&path, text).unwrap();
        let local = read_local(&path).unwrap();
        assert_eq!(
            (local.url.as_str(), local.vault.as_str()),
            ("http://localhost:9", "v")
        );
    }

    #[test]
    fn folders_differ_with_the_root_key() {
        assert_ne!(folder_name(&[1]), folder_name(&[2]));
        assert_eq!(folder_name(&[1]).len(), 16);
    }
}
