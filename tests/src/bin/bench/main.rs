//! `bench`: measures what the project's budgets are about and writes it as rows.
//!
//! `bench --out FILE [--large|--quick]`: instructions of the vault's calls on a real network beside plain
//! operations of the same size, verification of audit chains, sealing, the first paint. `cargo xtask bench` builds
//! what is measured, calls this, and adds sizes. With `--large` the vault holds a million records,
//! with `--quick` two thousand.
//!
//! Owns what is measured. Must not build anything but the program that a browser's worker runs.

mod accounts;
mod baselines;
mod browser;
mod calls;
mod chains;
mod filling;
mod meter;
mod report;
mod sealing;
mod vault;

use anyhow::{Context as _, Result, bail};
use report::Report;
use std::path::PathBuf;
use vault::Size;

struct Options {
    out: PathBuf,
    large: Size,
}

fn options() -> Result<Options> {
    let (mut out, mut large) = (None, Size::LARGE);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--out") => out = Some(arguments.next().context("--out names no file")?.into()),
            Some("--large") => large = Size::MILLION,
            Some("--quick") => large = Size::QUICK,
            _ => bail!("usage: bench --out FILE [--large|--quick]"),
        }
    }
    Ok(Options {
        out: out.context("--out FILE is missing")?,
        large,
    })
}

fn main() -> Result<()> {
    let options = options()?;
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(vault::measure(&mut report, options.large))?;
    chains::measure(&mut report)?;
    sealing::measure(&mut report)?;
    runtime.block_on(browser::measure(&mut report))?;
    report.write(&options.out)
}
