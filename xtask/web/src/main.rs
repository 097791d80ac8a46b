//! Packs the front end: bindings for two Wasm programs, static files, names made from content,
//! Brotli and gzip beside every file.
//!
//! Knows files and names; not cargo, not canisters. The output is the same for the same input.

mod names;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, GzBuilder};
use lexopt::{Arg, Parser, ValueExt as _};
use serde_json::json;
use wasm_bindgen_cli_support::Bindgen;

/// Compressed forms are kept when they save at least this share of the file.
const WORTHWHILE: f64 = 0.95;

struct Options {
    ui: PathBuf,
    engine: PathBuf,
    statics: PathBuf,
    out: PathBuf,
    sizes: PathBuf,
    quick: bool,
}

fn main() -> Result<()> {
    let options = arguments()?;
    let staging = options.out.with_extension("new");
    remove(&staging)?;
    fs::create_dir_all(&staging)?;

    bind(&options.ui, "ui", &staging, options.quick)?;
    bind(&options.engine, "engine", &staging, options.quick)?;
    if options.statics.is_dir() {
        copy(&options.statics, &staging)?;
    }
    names::address_by_content(&staging)?;

    let mut files = Vec::new();
    list(&staging, &mut files)?;
    files.sort();
    let mut sizes = Vec::new();
    for path in &files {
        let bytes = fs::read(path)?;
        let brotli = brotli(&bytes, options.quick)?;
        let gzip = gzip(&bytes, options.quick)?;
        let relative = path.strip_prefix(&staging)?.to_string_lossy();
        sizes.push(json!({
            "path": relative,
            "bytes": bytes.len(),
            "brotli": brotli.len().min(bytes.len()),
            "gzip": gzip.len().min(bytes.len()),
        }));
        for (suffix, packed) in [("br", brotli), ("gz", gzip)] {
            if (packed.len() as f64) < bytes.len() as f64 * WORTHWHILE {
                let name = format!("{}.{suffix}", path.display());
                fs::write(name, packed)?;
            }
        }
    }
    fs::write(
        &options.sizes,
        serde_json::to_vec_pretty(&json!({ "files": sizes }))?,
    )?;
    remove(&options.out)?;
    fs::rename(&staging, &options.out)?;
    Ok(())
}

fn arguments() -> Result<Options> {
    let (mut ui, mut engine, mut statics, mut out, mut sizes) = (None, None, None, None, None);
    let mut quick = false;
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        let slot = match argument {
            Arg::Long("ui") => &mut ui,
            Arg::Long("engine") => &mut engine,
            Arg::Long("static") => &mut statics,
            Arg::Long("out") => &mut out,
            Arg::Long("sizes") => &mut sizes,
            Arg::Long("quick") => {
                quick = true;
                continue;
            }
            other => return Err(other.unexpected().into()),
        };
        *slot = Some(PathBuf::from(parser.value()?.string()?));
    }
    Ok(Options {
        ui: ui.context("--ui is missing")?,
        engine: engine.context("--engine is missing")?,
        statics: statics.context("--static is missing")?,
        out: out.context("--out is missing")?,
        sizes: sizes.context("--sizes is missing")?,
        quick,
    })
}

/// `NAME.js` and `NAME_bg.wasm` for a module loaded with an explicit address.
fn bind(wasm: &Path, name: &str, out: &Path, quick: bool) -> Result<()> {
    ensure!(wasm.is_file(), "{} was not built", wasm.display());
    Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(!quick)
        .remove_producers_section(true)
        .out_name(name)
        .generate(out)
        .with_context(|| format!("no bindings for {}", wasm.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn brotli(bytes: &[u8], quick: bool) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: if quick { 5 } else { 11 },
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters)?;
    Ok(packed)
}

fn gzip(bytes: &[u8], quick: bool) -> Result<Vec<u8>> {
    let level = if quick {
        Compression::fast()
    } else {
        Compression::best()
    };
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
