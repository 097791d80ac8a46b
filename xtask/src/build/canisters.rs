//! Canisters: one Wasm each, with its Candid interface inside, compressed the same way everywhere.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};

use super::{kilobytes, metadata, size_of};
use crate::process;
use crate::workspace::{WASM, Workspace};

/// The canisters by the name they are deployed under.
pub(crate) const NAMES: [&str; 2] = ["vault", "website"];

/// Bytes of one ingress message (2 MiB) less its envelope: what is larger is installed in chunks.
const ONE_MESSAGE: u64 = 2 * 1024 * 1024 - 64 * 1024;

/// Never deployed: benchmarks compare the vault's costs with its plain operations.
const YARDSTICK: &str = "yardstick";

pub(super) fn build_deployed(workspace: &Workspace) -> Result<()> {
    build(workspace, &NAMES, &workspace.canisters(), None)
}

pub(super) fn build_yardstick(workspace: &Workspace) -> Result<()> {
    build(workspace, &[YARDSTICK], &workspace.canisters(), None)
}

/// Another build of the vault, in `changed/` with the same website beside it: what tests upgrade to.
pub(super) fn build_changed(workspace: &Workspace) -> Result<()> {
    let out = workspace.canisters().join("changed");
    build(workspace, &["vault"], &out, Some("changed-build"))?;
    let website = "website.wasm.gz";
    fs::copy(workspace.canisters().join(website), out.join(website))
        .context("the canisters are built before the changed one")?;
    Ok(())
}

fn build(workspace: &Workspace, names: &[&str], out: &Path, feature: Option<&str>) -> Result<()> {
    fs::create_dir_all(out)?;
    for &name in names {
        let package = format!("salus-{name}");
        let mut command = workspace.cargo("build");
        command
            // Each alone, so that one's features can never change the other's bytes.
            .args(["--locked", "--profile", "canister", "--lib"])
            .args(["--target", WASM, "--package", &package])
            .args(workspace.wasm_flags()?);
        if let Some(feature) = feature {
            command.args(["--features", feature]);
        }
        if name == "website" {
            if workspace.web().join("index.html").exists() {
                command.env("SALUS_WEB_DIR", workspace.web());
            } else {
                eprintln!("note: no front end in target/salus/web; the website will be empty");
            }
        }
        process::step(&mut command)?;

        let built = workspace
            .target
            .join(WASM)
            .join("canister")
            .join(format!("salus_{name}.wasm"));
        let mut wasm =
            fs::read(&built).with_context(|| format!("could not read {}", built.display()))?;
        let interface = workspace.root.join("candid").join(format!("{name}.did"));
        if interface.exists() {
            let text = fs::read(&interface)?;
            metadata::append_public(&mut wasm, "candid:service", &text);
            fs::write(out.join(format!("{name}.did")), text)?;
        }
        let plain = out.join(format!("{name}.wasm"));
        let packed = out.join(format!("{name}.wasm.gz"));
        fs::write(&plain, &wasm)?;
        fs::write(&packed, gzip(&wasm)?)?;
        let size = size_of(&packed)?;
        println!(
            "{name:>8}  {:>10}  gzip {:>10}  {}",
            kilobytes(size_of(&plain)?),
            kilobytes(size),
            if size > ONE_MESSAGE {
                "installed in chunks"
            } else {
                "fits one message"
            },
        );
    }
    Ok(())
}

/// No time, no name, no system in the header: the same input gives the same bytes everywhere.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_headers_tell_neither_time_nor_system() {
        let packed = gzip(b"canister").expect("memory is enough");
        assert_eq!(packed.get(4..8), Some(&[0, 0, 0, 0][..]));
        assert_eq!(packed.get(9), Some(&255));
        assert_eq!(packed, gzip(b"canister").expect("memory is enough"));
    }
}
