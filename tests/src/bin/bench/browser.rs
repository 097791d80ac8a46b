//! What a real browser takes: sealing and opening in a worker, and the first paint of the site.
//!
//! Builds the small program that the worker runs, with the profile and the packer of the front end.

use crate::report::Report;
use anyhow::{Context as _, Result, bail, ensure};
use salus_tests::browser::{self, Browser};
use salus_tests::built;
use salus_tests::network::{Network, Options};
use salus_tests::site;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const PACKAGE: &str = "salus-bench-web";
const WASM: &str = "wasm32-unknown-unknown";
/// As often as a cold start is measured.
const STARTS: usize = 3;
const PAINT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Measured(Rates),
    Failed { failed: String },
}

/// MiB/s, for envelopes per second.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rates {
    seal: f64,
    open: f64,
    seal_part: f64,
    open_part: f64,
    seal_envelope: f64,
    open_envelope: f64,
}

/// Measures in a browser, if there is one.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    if !browser::is_there() {
        return Ok(());
    }
    sealing(report).await?;
    first_paint(report).await
}

async fn sealing(report: &mut Report) -> Result<()> {
    let address = worker_page()?;
    let browser = Browser::start().await?;
    browser.page.goto(&address).await?;
    let text = browser.see("measured").await?.text().await?;
    let rates = match serde_json::from_str(&text)? {
        Answer::Failed { failed } => bail!("measuring in a worker: {failed}"),
        Answer::Measured(rates) => rates,
    };
    let group = "in a browser's worker";
    report.budgeted(group, "seal", rates.seal, "MiB/s", 90.0);
    report.budgeted(group, "open", rates.open, "MiB/s", 90.0);
    for (name, rate, unit) in [
        ("seal a part, hashed and padded", rates.seal_part, "MiB/s"),
        ("open a part, hashed and padded", rates.open_part, "MiB/s"),
        ("seal to a key (X-Wing)", rates.seal_envelope, "envelopes/s"),
        (
            "open with a key (X-Wing)",
            rates.open_envelope,
            "envelopes/s",
        ),
    ] {
        report.known(group, name, rate, unit);
    }
    Ok(())
}

async fn first_paint(report: &mut Report) -> Result<()> {
    let network = Network::start(Options::default())?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let browser = Browser::start().await?;
        browser.page.goto(&network.website_url()).await?;
        let began = std::time::Instant::now();
        let painted = loop {
            let script = "const [e] = performance.getEntriesByName('first-contentful-paint');\
                          return e ? e.startTime : null;";
            let answer = browser.page.execute(script, Vec::new()).await?;
            if let Some(ms) = answer.json().as_f64() {
                break ms;
            }
            ensure!(began.elapsed() < PAINT, "the site paints nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        times.push(painted);
    }
    times.sort_by(f64::total_cmp);
    let middle = *times.get(STARTS / 2).context("no start")?;
    report.budgeted(
        "site",
        "first contentful paint, cold",
        middle / 1000.0,
        "s",
        0.3,
    );
    Ok(())
}

/// Builds, packs and serves the worker's program; the address of its page.
pub(crate) fn worker_page() -> Result<String> {
    site::serve(build()?)
}

/// Builds and packs the worker's program; the folder it is served from.
fn build() -> Result<PathBuf> {
    let root = built::root();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let cargo = || {
        let mut command = Command::new("cargo");
        command.current_dir(&root);
        command
    };
    run(cargo()
        .args(["build", "--locked", "--profile", "web", "--lib"])
        .args(["--target", WASM, "-p", PACKAGE]))?;
    let wasm = target.join(WASM).join("web/salus_bench_web.wasm");
    let out = target.join("salus/bench-web");
    run(cargo()
        .args([
            "run",
            "--locked",
            "--quiet",
            "-p",
            "xtask-web",
            "--",
            "--quick",
        ])
        // The packer wants a page's program too; here the page is a script.
        .arg("--ui")
        .arg(&wasm)
        .arg("--engine")
        .arg(&wasm)
        .arg("--static")
        .arg(root.join("tests/web/static"))
        .arg("--out")
        .arg(&out)
        .arg("--sizes")
        .arg(out.with_extension("json")))?;
    Ok(out)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("cargo")?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}
