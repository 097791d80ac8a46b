//! `bench`: measures what the project's budgets are about and writes it as rows.
//!
//! `bench --out FILE [--large|--quick] [--only PART]`: how fast the local network answers;
//! instructions of the vault's calls on it beside plain operations of the same size, and of whatever
//! people do with their keys; what they wait for in a browser; verification of audit chains and sealing, natively; sealing in a
//! browser's worker and the site's first paint. `cargo xtask bench` builds what is measured, calls
//! this, and adds sizes. With `--large` the vault holds a million records, with `--quick` two
//! thousand; `--only` measures one part.
//!
//! Owns what is measured. Must not build anything but the program that a browser's worker runs.

mod accounts;
mod baselines;
mod browser;
mod calls;
mod chains;
mod filling;
mod installing;
mod keys;
mod localnet;
mod meter;
mod report;
mod sealing;
mod unlocking;
mod vault;
mod ways_in;

use anyhow::{Context as _, Result, bail};
use report::Report;
use std::path::PathBuf;
use vault::Size;

const PARTS: [&str; 5] = ["localnet", "vault", "keys", "native", "browser"];

struct Options {
    out: PathBuf,
    large: Size,
    only: Option<String>,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn options() -> Result<Options> {
    let (mut out, mut large, mut only) = (None, Size::LARGE, None);
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--out") => out = Some(arguments.next().context("--out names no file")?.into()),
            Some("--large") => large = Size::MILLION,
            Some("--quick") => large = Size::QUICK,
            Some("--only") => {
                let part = arguments.next().context("--only names no part")?;
                only = Some(part.to_string_lossy().into_owned());
            }
            _ => bail!(
                "usage: bench --out FILE [--large|--quick] [--only {}]",
                PARTS.join("|")
            ),
        }
    }
    Ok(Options {
        out: out.context("--out FILE is missing")?,
        large,
        only,
    })
}

fn main() -> Result<()> {
    let options = options()?;
    let mut report = Report::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if options.wants("localnet") {
        runtime.block_on(localnet::measure(&mut report))?;
    }
    if options.wants("vault") {
        runtime.block_on(vault::measure(&mut report, options.large))?;
    }
    if options.wants("keys") {
        runtime.block_on(keys::measure(&mut report))?;
        runtime.block_on(ways_in::measure(&mut report))?;
    }
    if options.wants("native") {
        chains::measure(&mut report)?;
        sealing::measure(&mut report)?;
        runtime.block_on(unlocking::measure(&mut report))?;
    }
    if options.wants("browser") {
        runtime.block_on(browser::measure(&mut report))?;
    }
    report.write(&options.out)
}
