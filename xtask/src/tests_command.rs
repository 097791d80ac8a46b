//! `test`: every test there is, the browser's included, without a question and within a time.
//!
//! Knows which programs tests need, not what they assert.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::build::{self, Parts};
use crate::process;
use crate::workspace::Workspace;

/// Longer than any honest run on two cores, shorter than anyone's patience.
const LIMIT: Duration = Duration::from_secs(45 * 60);
const INSTALL_LIMIT: Duration = Duration::from_secs(8 * 60);

const DEBIAN_PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// Runs everything. Without a browser its tests are skipped, and the last line says so.
pub(crate) fn test(workspace: &Workspace, want_browser: bool) -> Result<()> {
    let started = Instant::now();
    let browser = want_browser && ensure_browser();
    let parts = Parts {
        changed: true,
        ..Parts::ALL
    };
    build::build(workspace, parts, false)?;

    let mut command = workspace.cargo("test");
    command
        .args(["--workspace", "--locked", "--no-fail-fast"])
        .env("SALUS_CANISTERS", workspace.canisters())
        .env("SALUS_WEB", workspace.web())
        .env("SALUS_LOCALNET", workspace.binary("salus-localnet"))
        .env("SALUS_DEPLOY", workspace.binary("salus-deploy"))
        .env("SALUS_CLI", workspace.binary("salus"))
        .env("SALUS_BROWSER", if browser { "1" } else { "0" });
    let mut tally = Tally::default();
    let outcome = process::bounded(&mut command, LIMIT, |line| tally.read(line))?;
    let minutes = started.elapsed().as_secs_f64() / 60.0;

    if want_browser && !browser {
        println!(
            "Browser tests were skipped: install chromium and chromedriver \
             (Debian: apt-get install {}).",
            DEBIAN_PACKAGES.join(" ")
        );
    }
    if outcome.timed_out {
        bail!(
            "the tests did not end within {} minutes",
            LIMIT.as_secs() / 60
        );
    }
    if !outcome.success {
        bail!(
            "{} of {} tests failed after {minutes:.1} minutes",
            tally.failed,
            tally.passed + tally.failed
        );
    }
    println!(
        "All {} tests passed in {minutes:.1} minutes{}.",
        tally.passed,
        if browser {
            ", browser included"
        } else {
            ", browser not included"
        }
    );
    Ok(())
}

/// What the lines of the test programs add up to.
#[derive(Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    fn read(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        let counts = counts.split_once(". ").map_or(counts, |(_, rest)| rest);
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<u64>().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => self.passed += number,
                (Some(number), Some("failed")) => self.failed += number,
                _ => {}
            }
        }
    }
}

/// Whether a browser and its driver are there, installing Debian's when this may.
fn ensure_browser() -> bool {
    if has_browser() {
        return true;
    }
    if is_root() && found("apt-get") {
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive");
            process::bounded(&mut command, INSTALL_LIMIT, |_| {})
                .is_ok_and(|outcome| outcome.success)
        };
        let install = ["install", "-y", "--no-install-recommends"];
        let arguments: Vec<&str> = install.into_iter().chain(DEBIAN_PACKAGES).collect();
        if apt(&["update"]) && apt(&arguments) && has_browser() {
            return true;
        }
    }
    false
}

fn has_browser() -> bool {
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    browsers.into_iter().any(found) && found("chromedriver")
}

fn found(program: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| is_file(&dir.join(program))))
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up_over_test_programs() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured",
        ] {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed), (4, 2));
    }
}
