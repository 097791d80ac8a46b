//! `bench`: what things cost, beside what they may cost, in `target/salus/bench.json`.
//!
//! The measuring program is `bench` of the `salus-tests` package: it is called with `--out FILE`
//! and writes `{"rows": [{"group", "name", "value", "unit", "budget"}]}`, `budget` being null for
//! baselines. Bundle sizes are added here. Higher is worse, except for units per second.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::build::{self, Parts};
use crate::local::write_whole;
use crate::process;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_secs(30 * 60);
const PROGRAM: &str = "bench";

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    group: String,
    name: String,
    value: f64,
    unit: String,
    budget: Option<f64>,
}

impl Row {
    /// Rates must reach their budget, costs must not exceed it.
    fn verdict(&self) -> &'static str {
        match self.budget {
            None => "",
            Some(budget) if self.unit.ends_with("/s") => verdict(self.value >= budget),
            Some(budget) => verdict(self.value <= budget),
        }
    }
}

fn verdict(within: bool) -> &'static str {
    if within { "ok" } else { "OVER" }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Report {
    rows: Vec<Row>,
}

/// Builds, measures everything or one part, prints the table and writes the file.
pub(crate) fn bench(workspace: &Workspace, only: Option<&str>) -> Result<()> {
    let parts = Parts {
        yardstick: true,
        ..Parts::ALL
    };
    build::build(workspace, parts, false)?;
    let mut report = if has_program(workspace)? {
        measure(workspace, only)?
    } else {
        eprintln!("note: salus-tests has no program `{PROGRAM}`; only sizes are measured");
        Report::default()
    };
    for (name, bytes, budget) in build::read_bundle(workspace)?.budgets() {
        report.rows.push(Row {
            group: "bundle".into(),
            name: name.into(),
            value: bytes as f64 / 1000.0,
            unit: "KB brotli".into(),
            budget: Some(budget as f64 / 1000.0),
        });
    }
    for name in build::CANISTERS {
        let path = workspace.canisters().join(format!("{name}.wasm.gz"));
        report.rows.push(Row {
            group: "canister".into(),
            name: format!("{name}.wasm.gz"),
            value: fs::metadata(path)?.len() as f64 / 1000.0,
            unit: "KB".into(),
            budget: None,
        });
    }
    print!("{}", table(&report.rows));
    let path = workspace.salus.join("bench.json");
    write_whole(&path, &serde_json::to_vec_pretty(&report)?)?;
    println!("written to {}", path.display());
    Ok(())
}

fn measure(workspace: &Workspace, only: Option<&str>) -> Result<Report> {
    // The network is measured too: as fast as it can be.
    let mut localnet = workspace.cargo("build");
    localnet.args(["--locked", "--release", "-p", "salus-localnet"]);
    if !process::bounded(&mut localnet, LIMIT, |_| {})?.success {
        bail!("the local network could not be built");
    }
    let out = workspace.salus.join("bench-measured.json");
    let mut command = workspace.cargo("run");
    let (name, flags) = workspace.wasm_flags_variable()?;
    command
        .env(name, flags)
        .args([
            "--locked",
            "--release",
            "-p",
            "salus-tests",
            "--bin",
            PROGRAM,
            "--",
        ])
        .arg("--out")
        .arg(&out)
        .args(only.map(|part| ["--only", part]).iter().flatten())
        .env("SALUS_CANISTERS", workspace.canisters())
        .env("SALUS_WEB", workspace.web())
        .env("SALUS_LOCALNET", workspace.released("salus-localnet"))
        .env("SALUS_DEPLOY", workspace.binary("salus-deploy"));
    let outcome = process::bounded(&mut command, LIMIT, |_| {})?;
    if !outcome.success {
        bail!("the measuring program failed");
    }
    let text = fs::read(&out).with_context(|| format!("could not read {}", out.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

fn has_program(workspace: &Workspace) -> Result<bool> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let mut command = workspace.cargo("metadata");
    let text = process::output(command.args(["--format-version", "1", "--no-deps"]))?;
    let metadata: Metadata = serde_json::from_str(&text)?;
    Ok(metadata
        .packages
        .iter()
        .filter(|package| package.name == "salus-tests")
        .flat_map(|package| &package.targets)
        .any(|target| target.name == PROGRAM && target.kind.iter().any(|kind| kind == "bin")))
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = &row.group;
            text.push_str(&format!("\n{group}\n"));
        }
        let budget = row
            .budget
            .map_or_else(String::new, |budget| format!("budget {}", number(budget)));
        text.push_str(&format!(
            "  {:<48} {:>14} {:<14} {:<22} {}\n",
            row.name,
            number(row.value),
            row.unit,
            budget,
            row.verdict()
        ));
    }
    text.push('\n');
    text
}

fn number(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, unit: &str, budget: Option<f64>) -> Row {
        Row {
            group: "g".into(),
            name: "n".into(),
            value,
            unit: unit.into(),
            budget,
        }
    }

    #[test]
    fn costs_stay_below_and_rates_above_their_budget() {
        assert_eq!(row(5.0, "instructions", Some(6.0)).verdict(), "ok");
        assert_eq!(row(7.0, "instructions", Some(6.0)).verdict(), "OVER");
        assert_eq!(row(95.0, "MiB/s", Some(90.0)).verdict(), "ok");
        assert_eq!(row(80.0, "MiB/s", Some(90.0)).verdict(), "OVER");
        assert_eq!(row(80.0, "instructions", None).verdict(), "");
    }

    #[test]
    fn the_table_names_every_group_once() {
        let text = table(&[row(1.0, "x", None), row(2_500_000.0, "x", Some(3e6))]);
        assert_eq!(text.matches("\ng\n").count(), 1);
        assert!(text.contains("2.50 M") && text.contains("budget 3.00 M"));
    }
}
