//! `build`: the canisters, the front end, and the programs the other commands start.
//!
//! Owns what is built from which crate, into which file, and in which order: the website canister
//! embeds the front end, so that comes first.

mod canisters;
mod frontend;
mod metadata;

use std::path::Path;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

pub(crate) use canisters::NAMES as CANISTERS;
pub(crate) use frontend::read_bundle;

/// What to build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// `target/salus/canisters/*.wasm{,.gz}` and their `.did`.
    pub(crate) canisters: bool,
    /// `target/salus/web`.
    pub(crate) frontend: bool,
    /// The `salus-localnet` program and `salus-deploy`, which installs on it.
    pub(crate) localnet: bool,
    /// The `salus` command.
    pub(crate) cli: bool,
    /// The canister benchmarks measure against; not part of everything.
    pub(crate) yardstick: bool,
    /// Another build of the vault, which tests upgrade to; not part of everything.
    pub(crate) changed: bool,
}

impl Parts {
    /// Everything that people use.
    pub(crate) const ALL: Self = Self {
        canisters: true,
        frontend: true,
        localnet: true,
        cli: true,
        yardstick: false,
        changed: false,
    };
}

/// Builds `parts`. With `dev` the front end is compiled quickly and stays large.
pub(crate) fn build(workspace: &Workspace, parts: Parts, dev: bool) -> Result<()> {
    if parts.frontend || parts.canisters || parts.yardstick || parts.changed {
        workspace.ensure_wasm_target()?;
    }
    if parts.frontend {
        frontend::build(workspace, dev)?;
    }
    if parts.canisters {
        canisters::build_deployed(workspace)?;
    }
    if parts.yardstick {
        canisters::build_yardstick(workspace)?;
    }
    if parts.changed {
        canisters::build_changed(workspace)?;
    }
    let mut programs = Vec::new();
    if parts.localnet {
        programs.extend(["-p", "salus-localnet", "-p", "xtask-deploy"]);
    }
    if parts.cli {
        programs.extend(["-p", "salus-cli"]);
    }
    if !programs.is_empty() {
        let mut command = workspace.cargo("build");
        process::step(command.args(["--locked", "--bins"]).args(programs))?;
    }
    Ok(())
}

/// Whole kilobytes of 1,000 bytes, as the budgets count.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{:.1} KB", bytes as f64 / 1000.0)
}

fn size_of(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}
