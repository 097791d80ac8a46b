//! Where the built programs and canisters are. Builds what is missing with the project's own command,
//! so that a single test can be run by hand.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

static BUILDING: Mutex<()> = Mutex::new(());

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn given_or_built(variable: &str, default: &Path, part: &str) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    let _one_at_a_time = BUILDING.lock();
    if !default.exists() {
        let status = Command::new("cargo")
            .args(["xtask", "build", part])
            .current_dir(root())
            .status()
            .context("cargo xtask build")?;
        if !status.success() || !default.exists() {
            bail!("{} is not there and could not be built", default.display());
        }
    }
    Ok(default.to_path_buf())
}

fn debug_folder() -> Result<PathBuf> {
    // target/debug/deps/test-… → target/debug
    let own = std::env::current_exe()?;
    let folder = own
        .ancestors()
        .nth(2)
        .context("the test program lies in no target folder")?;
    Ok(folder.to_path_buf())
}

/// The `salus` command.
///
/// # Errors
/// When it is neither named by `SALUS_CLI` nor can be built.
pub fn salus() -> Result<PathBuf> {
    given_or_built("SALUS_CLI", &debug_folder()?.join("salus"), "cli")
}

/// The local network.
///
/// # Errors
/// When it is neither named by `SALUS_LOCALNET` nor can be built.
pub fn localnet() -> Result<PathBuf> {
    given_or_built(
        "SALUS_LOCALNET",
        &debug_folder()?.join("salus-localnet"),
        "localnet",
    )
}

/// The installer of both canisters.
///
/// # Errors
/// When it is neither named by `SALUS_DEPLOY` nor can be built.
pub fn deploy() -> Result<PathBuf> {
    given_or_built(
        "SALUS_DEPLOY",
        &debug_folder()?.join("salus-deploy"),
        "localnet",
    )
}

/// The folder with `vault.wasm.gz` and `website.wasm.gz`.
///
/// # Errors
/// When it is neither named by `SALUS_CANISTERS` nor can be built.
pub fn canisters() -> Result<PathBuf> {
    given_or_built(
        "SALUS_CANISTERS",
        &root().join("target/salus/canisters"),
        "canisters",
    )
}

/// A folder like [`canisters`], with another build of the same vault.
///
/// # Errors
/// When it is neither beside them nor can be built.
pub fn changed_canisters() -> Result<PathBuf> {
    let folder = canisters()?.join("changed");
    given_or_built("SALUS_CHANGED_CANISTERS", &folder, "changed")
}
