//! The front end: two Wasm programs and static files, packed into `target/salus/web`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::kilobytes;
use crate::process;
use crate::workspace::{WASM, Workspace};

/// Brotli bytes that may be loaded before the first paint, and in all.
const BEFORE_PAINT: u64 = 150_000;
const IN_ALL: u64 = 650_000;

/// One file of the site.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WebFile {
    /// Path below the site's root.
    pub(crate) path: String,
    /// Bytes as transferred at best.
    pub(crate) brotli: u64,
}

/// The whole site's sizes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Bundle {
    /// Every file.
    pub(crate) files: Vec<WebFile>,
}

impl Bundle {
    /// Brotli bytes of everything needed for the first paint: all but the engine's files.
    pub(crate) fn before_paint(&self) -> u64 {
        self.sum(|path| !is_engine(path))
    }

    /// Brotli bytes of the whole site.
    pub(crate) fn in_all(&self) -> u64 {
        self.sum(|_| true)
    }

    fn sum(&self, wanted: impl Fn(&str) -> bool) -> u64 {
        let files = self.files.iter().filter(|file| wanted(&file.path));
        files.map(|file| file.brotli).sum()
    }

    /// What is measured, bytes, budget.
    pub(crate) fn budgets(&self) -> [(&'static str, u64, u64); 2] {
        [
            ("first load before paint", self.before_paint(), BEFORE_PAINT),
            ("first load in all", self.in_all(), IN_ALL),
        ]
    }
}

fn is_engine(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("engine") || name.starts_with("worker")
}

pub(super) fn build(workspace: &Workspace, dev: bool) -> Result<()> {
    let profile = if dev { "dev" } else { "web" };
    process::step(
        workspace
            .cargo("build")
            .args(["--locked", "--profile", profile, "--lib"])
            .args(["--target", WASM, "-p", "salus-ui", "-p", "salus-engine"])
            .args(workspace.wasm_flags()?),
    )?;
    let folder = if dev { "debug" } else { "web" };
    let built = workspace.target.join(WASM).join(folder);

    process::step(
        workspace
            .cargo("run")
            .args(["--locked", "--quiet", "-p", "xtask-web", "--"])
            .arg("--ui")
            .arg(built.join("salus_ui.wasm"))
            .arg("--engine")
            .arg(built.join("salus_engine.wasm"))
            .arg("--static")
            .arg(workspace.root.join("frontend/ui/static"))
            .arg("--out")
            .arg(workspace.web())
            .arg("--sizes")
            .arg(sizes_file(workspace))
            .args(dev.then_some("--quick")),
    )?;
    let bundle = read_bundle(workspace)?;
    for file in &bundle.files {
        println!("{:>12}  {}", kilobytes(file.brotli), file.path);
    }
    for (what, bytes, budget) in bundle.budgets() {
        let verdict = match (dev, bytes <= budget) {
            (true, _) => "quick build, not compared",
            (false, true) => "within budget",
            (false, false) => "OVER BUDGET",
        };
        println!(
            "{:>12}  {what} (brotli), budget {}: {verdict}",
            kilobytes(bytes),
            kilobytes(budget)
        );
    }
    Ok(())
}

fn sizes_file(workspace: &Workspace) -> std::path::PathBuf {
    workspace.salus.join("web-sizes.json")
}

/// The sizes of the last front end built.
pub(crate) fn read_bundle(workspace: &Workspace) -> Result<Bundle> {
    read(&sizes_file(workspace))
}

fn read(path: &Path) -> Result<Bundle> {
    let text = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_not_needed_for_the_first_paint() {
        let text = r#"{"files":[
            {"path":"index.html","brotli":1},
            {"path":"ui-0123456789abcdef.js","brotli":10},
            {"path":"worker.js","brotli":100},
            {"path":"engine_bg.wasm","brotli":1000}]}"#;
        let bundle: Bundle = serde_json::from_str(text).expect("well formed");
        assert_eq!((bundle.before_paint(), bundle.in_all()), (11, 1111));
    }
}
