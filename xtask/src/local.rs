//! `target/salus/local.json`: where the local network and its parts are.
//!
//! Owns that file. The command line, the tests and people read it; only `run` writes it, and
//! never half of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::workspace::Workspace;

/// Everything one needs to reach what runs here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Local {
    /// The node's API, `http://localhost:PORT`.
    pub(crate) url: String,
    /// The vault canister.
    pub(crate) vault: String,
    /// The website canister.
    pub(crate) website: String,
    /// The network's root key, hexadecimal DER.
    pub(crate) root_key: String,
    /// The folder of the network's state.
    pub(crate) state: PathBuf,
    /// The development sign-in page.
    pub(crate) identity_provider: String,
    /// Where a browser finds the site.
    pub(crate) website_url: String,
    /// The process that serves all this.
    pub(crate) pid: u32,
    /// Demonstration people, as the demonstration describes them.
    #[serde(default)]
    pub(crate) people: Vec<Value>,
}

impl Local {
    /// What the last `run` wrote, if it did.
    pub(crate) fn read(workspace: &Workspace) -> Result<Option<Self>> {
        let path = Self::path(workspace);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read(&path)?;
        let local = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not readable; remove it", path.display()))?;
        Ok(Some(local))
    }

    /// Replaces the file as a whole.
    pub(crate) fn write(&self, workspace: &Workspace) -> Result<()> {
        write_whole(&Self::path(workspace), &serde_json::to_vec_pretty(self)?)
    }

    /// The port in [`Self::url`].
    pub(crate) fn port(&self) -> Option<u16> {
        self.url
            .rsplit(':')
            .next()?
            .trim_end_matches('/')
            .parse()
            .ok()
    }

    /// The file's place.
    pub(crate) fn path(workspace: &Workspace) -> PathBuf {
        workspace.salus.join("local.json")
    }
}

/// Writes beside and renames, so that readers see the old file or the new one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_people_is_read_and_tells_its_port() {
        let text = r#"{"url":"http://localhost:4943","vault":"a","website":"b","root_key":"00",
            "state":"/s","identity_provider":"i","website_url":"w","pid":7}"#;
        let local: Local = serde_json::from_str(text).expect("well formed");
        assert_eq!(local.port(), Some(4943));
        assert!(local.people.is_empty());
    }
}
