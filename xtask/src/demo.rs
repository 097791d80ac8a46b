//! Demonstration people and records, loaded through the `salus` command as a person would.
//!
//! Everything in it is invented. It knows the command line, not canisters or keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::local::Local;
use crate::process;
use crate::workspace::Workspace;

/// Loads the demonstration into a freshly installed vault; returns the people for `local.json`.
///
/// A person is `{name, role, identity, principal, recovery}`; `recovery` is the file with the
/// words that open the demonstration account.
pub(crate) fn load(workspace: &Workspace, _local: &Local) -> Result<Vec<Value>> {
    let home = workspace.salus.join("demo");
    fs::create_dir_all(&home)?;
    let salus = Salus {
        program: workspace.binary("salus"),
        home,
        root: workspace.root.clone(),
    };
    if !salus.speaks_json() {
        return Ok(Vec::new());
    }
    Ok(Vec::new())
}

/// The command with the local network's settings.
struct Salus {
    program: PathBuf,
    home: PathBuf,
    root: PathBuf,
}

impl Salus {
    fn command(&self, identity: Option<&str>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.root)
            .env("SALUS_HOME", &self.home)
            .args(["--network", "local", "--json"]);
        if let Some(identity) = identity {
            command.args(["--identity", identity]);
        }
        command
    }

    fn speaks_json(&self) -> bool {
        Path::new(&self.program).exists()
            && self
                .call(None, &["identity", "list"])
                .is_ok_and(|answer| !answer.is_null())
    }

    fn call(&self, identity: Option<&str>, arguments: &[&str]) -> Result<Value> {
        let text = process::output(self.command(identity).args(arguments))?;
        if text.trim().is_empty() {
            bail!("`salus {}` answered nothing", arguments.join(" "));
        }
        serde_json::from_str(&text)
            .with_context(|| format!("`salus {}` answered no JSON", arguments.join(" ")))
    }
}
