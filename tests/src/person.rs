//! Someone with a terminal: an identity, a home folder, and the real `salus` command.

use crate::{built, network::Network};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

/// One person's command line.
pub struct Person {
    name: String,
    home: Rc<TempDir>,
    local: PathBuf,
}

/// A command that did not succeed.
#[derive(Debug)]
pub struct Refusal {
    /// Exit status.
    pub status: i32,
    /// `error.kind` of the JSON on standard error, or empty.
    pub kind: String,
    /// `error.reason` of it, or empty.
    pub reason: String,
    /// All of standard error.
    pub text: String,
}

impl Person {
    /// A person with a new identity on a network.
    ///
    /// # Errors
    /// When the identity cannot be made.
    pub fn new(network: &Network, name: &str) -> Result<Self> {
        let person = Self {
            name: name.to_owned(),
            home: Rc::new(tempfile::tempdir()?),
            local: network.local_file(),
        };
        person.salus(&["identity", "new", name])?;
        Ok(person)
    }

    /// The same person at the same machine, with another identity that is there or will be.
    pub fn calling_as(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            home: Rc::clone(&self.home),
            local: self.local.clone(),
        }
    }

    /// The folder only this person has.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where [`Person::create`] has the recovery phrase written.
    pub fn words(&self) -> String {
        self.home.path().join("words").display().to_string()
    }

    /// Opens an account; its phrase lies in [`Person::words`].
    ///
    /// # Errors
    /// As [`Person::salus`].
    pub fn create(&self, arguments: &[&str]) -> Result<Value> {
        let words = self.words();
        let create = ["account", "create", "--recovery-out", words.as_str()];
        self.salus(&[create.as_slice(), arguments].concat())
    }

    /// Runs a command that decides about keys, and shows by the phrase who decides.
    ///
    /// # Errors
    /// As [`Person::salus`].
    pub fn proven(&self, arguments: &[&str]) -> Result<Value> {
        let words = self.words();
        self.salus(&[arguments, &["--recovery", words.as_str()]].concat())
    }

    /// As [`Person::proven`], for what must fail.
    ///
    /// # Errors
    /// As [`Person::refused`].
    pub fn proven_refused(&self, arguments: &[&str]) -> Result<Refusal> {
        let words = self.words();
        self.refused(&[arguments, &["--recovery", words.as_str()]].concat())
    }

    /// The command, not yet started.
    ///
    /// # Errors
    /// When it cannot be found or built.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Command> {
        let mut command = Command::new(built::salus()?);
        command
            .env("SALUS_HOME", self.home.path())
            // Whoever runs the tests has a keyring of their own.
            .env("SALUS_SECRETS", "file")
            .env("SALUS_LOCAL", &self.local)
            .args(["--network", "local", "--json", "--identity", &self.name])
            .args(arguments)
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs the command, which must succeed, and reads its JSON.
    ///
    /// # Errors
    /// When it does not succeed or answers no JSON.
    pub fn salus<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Value> {
        let output = self.command(arguments)?.output().context("salus")?;
        let shown: Vec<_> = arguments
            .iter()
            .map(|a| a.as_ref().to_string_lossy())
            .collect();
        if !output.status.success() {
            bail!(
                "{}: salus {}: {}",
                self.name,
                shown.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("salus {} answered no JSON", shown.join(" ")))
    }

    /// Runs the command, which must fail, print nothing on standard output, and say why in JSON.
    ///
    /// # Errors
    /// When it succeeds or cannot be run.
    pub fn refused<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Refusal> {
        let output = self.command(arguments)?.output().context("salus")?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            bail!("succeeded: {}", String::from_utf8_lossy(&output.stdout));
        }
        let error = text
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok())
            .unwrap_or_default();
        let word = |field: &str| {
            error["error"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        Ok(Refusal {
            status: output.status.code().unwrap_or(-1),
            kind: word("kind"),
            reason: word("reason"),
            text,
        })
    }
}
