//! Where things are, and how cargo is called here.
//!
//! Owns paths and the build flags; knows nothing of what is built.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// The target of canisters and of everything a browser loads.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Paths of this checkout.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The folder with the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// What our own commands write: `target/salus`, wherever cargo's target folder is.
    pub(crate) salus: PathBuf,
}

impl Workspace {
    /// The workspace this program was built from.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => env::current_dir()?.join(dir),
            None => root.join("target"),
        };
        let salus = root.join("target").join("salus");
        fs::create_dir_all(&salus)?;
        Ok(Self {
            root,
            target,
            salus,
        })
    }

    /// Built and compressed canisters with their Candid files.
    pub(crate) fn canisters(&self) -> PathBuf {
        self.salus.join("canisters")
    }

    /// The site as it is embedded in the website canister.
    pub(crate) fn web(&self) -> PathBuf {
        self.salus.join("web")
    }

    /// A debug binary of this workspace.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target
            .join("debug")
            .join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A release binary of this workspace.
    pub(crate) fn released(&self, name: &str) -> PathBuf {
        self.target
            .join("release")
            .join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Cargo on this workspace. Flags from the surroundings are dropped: they would make builds
    /// differ from machine to machine and throw away everything compiled with ours.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .arg(subcommand)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_RUSTFLAGS")
            .env_remove("SALUS_WEB_DIR");
        command
    }

    /// The one set of flags for every Wasm build, so that none undoes another's cache: paths of
    /// this machine are renamed, because a canister's hash must not depend on who built it.
    pub(crate) fn wasm_flags(&self) -> Result<[String; 2]> {
        let list = serde_json::to_string(&self.renames()?)?;
        Ok([
            "--config".to_owned(),
            format!("target.{WASM}.rustflags={list}"),
        ])
    }

    /// The same flags for a program that calls cargo itself: `Command::env`'s two arguments.
    pub(crate) fn wasm_flags_variable(&self) -> Result<(&'static str, String)> {
        // Cargo splits this one at spaces; a path with one only costs the shared cache.
        let flags = self.renames()?;
        let whole = flags.iter().all(|flag| !flag.contains(' '));
        let value = if whole {
            flags.join(" ")
        } else {
            String::new()
        };
        Ok(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", value))
    }

    fn renames(&self) -> Result<Vec<String>> {
        let mut renames = Vec::new();
        let cargo_home = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        if let Some(home) = cargo_home {
            // The folder below carries the registry's own hash, which mirrors change.
            for registry in subfolders(&home.join("registry").join("src")) {
                renames.push((registry, "/registry".to_owned()));
            }
        }
        let sysroot = process::output(
            Command::new("rustc")
                .args(["--print", "sysroot"])
                .current_dir(&self.root),
        )?;
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        renames.push((sources, "/rust".to_owned()));
        renames.push((self.target.clone(), "/salus/target".to_owned()));
        renames.push((self.root.clone(), "/salus".to_owned()));

        // rustc lets the last match win: from the widest to the narrowest.
        renames.sort_by_key(|(from, _)| from.as_os_str().len());
        Ok(renames
            .iter()
            .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
            .collect())
    }

    /// Adds the Wasm target to the toolchain when it is missing.
    pub(crate) fn ensure_wasm_target(&self) -> Result<()> {
        let libdir = process::output(
            Command::new("rustc")
                .args(["--print", "target-libdir", "--target", WASM])
                .current_dir(&self.root),
        )?;
        if subfiles(Path::new(libdir.trim())) {
            return Ok(());
        }
        process::step(
            Command::new("rustup")
                .args(["target", "add", WASM])
                .current_dir(&self.root),
        )
        .with_context(|| format!("the Rust target {WASM} is missing and rustup could not add it"))
    }
}

fn subfolders(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn subfiles(dir: &Path) -> bool {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.path().extension() == Some(OsStr::new("rlib")))
}
