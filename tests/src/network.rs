//! A network with both canisters installed: of a test's own, unless `SALUS_TEST_URL` names another,
//! where the test gets canisters of its own.

use crate::{built, endpoint, polling};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longer than a cold start on a busy machine takes.
const START: Duration = Duration::from_secs(60);
/// The network ends by itself after this, whatever happens to the test.
const LIFE_SECONDS: &str = "1800";

#[derive(Clone, Debug, Deserialize)]
struct Ready {
    url: String,
    root_key: String,
}

/// How to start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Add mainnet's latency.
    pub delay: bool,
}

/// A running network. Ends when dropped, if it was started here.
pub struct Network {
    folder: TempDir,
    process: Option<Child>,
    /// Whether it was started here.
    own: bool,
    ready: Ready,
    options: Options,
    vault: String,
    website: String,
}

impl Network {
    /// Starts a network and installs the built canisters.
    ///
    /// # Errors
    /// When anything of that fails.
    pub fn start(options: Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (process, ready) = match endpoint::named() {
            None => {
                let (process, ready) = launch(folder.path(), options)?;
                (Some(process), ready)
            }
            Some(url) => {
                let root_key = hex::encode(endpoint::root_key(&url)?);
                (None, Ready { url, root_key })
            }
        };
        let own = process.is_some();
        let mut network = Self {
            folder,
            process,
            own,
            ready,
            options,
            vault: String::new(),
            website: String::new(),
        };
        network.deploy(&built::canisters()?)?;
        Ok(network)
    }

    /// Installs or upgrades both canisters from a folder with their Wasm.
    ///
    /// # Errors
    /// When the installer fails.
    pub fn deploy(&mut self, canisters: &Path) -> Result<()> {
        let mut command = Command::new(built::deploy()?);
        command
            .args(["--url", &self.ready.url, "--root-key", &self.ready.root_key])
            .arg("--identity-provider")
            .arg(self.identity_provider())
            .arg("--key")
            .arg(self.admin_key())
            .arg("--canisters")
            .arg(canisters);
        if !self.vault.is_empty() {
            command.args(["--vault", &self.vault, "--website", &self.website]);
        }
        let output = command.output().context("the installer")?;
        if !output.status.success() {
            bail!("installing: {}", String::from_utf8_lossy(&output.stderr));
        }
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let id = |name: &str| answer[name].as_str().map(str::to_owned);
        self.vault = id("vault").context("no vault id")?;
        self.website = id("website").context("no website id")?;
        fs::write(
            self.local_file(),
            serde_json::to_vec_pretty(&json!({
                "url": self.ready.url,
                "vault": self.vault,
                "website": self.website,
                "root_key": self.ready.root_key,
                "state": self.state(),
                "identity_provider": self.identity_provider(),
                "website_url": self.website_url(),
                "pid": self.process.as_ref().map_or(0, Child::id),
                "people": [],
            }))?,
        )?;
        Ok(())
    }

    /// Upgrades both canisters to the build that is installed already.
    ///
    /// # Errors
    /// When the installer fails.
    pub fn redeploy(&mut self) -> Result<()> {
        self.deploy(&built::canisters()?)
    }

    /// Whether a test may reach into the network: look into memories, move its clock, kill it.
    /// When it may not, says that `what` is left out.
    pub fn can_be_reached_into(&self, what: &str) -> bool {
        if !self.own {
            println!(
                "SKIPPED: {what}, because {} names a network that is not ours",
                endpoint::VARIABLE
            );
        }
        self.own
    }

    fn reach_into(&self) -> Result<()> {
        if !self.own {
            bail!("{} is not a network of the test's own", self.ready.url);
        }
        Ok(())
    }

    /// Whether the network has the sign-in page of our own local network. When it has not, says
    /// that `what` is left out.
    pub fn has_sign_in_page(&self, what: &str) -> bool {
        let there = self.own || polling::get(&self.ready.url, "/_/identity/authorize").is_ok();
        if !there {
            println!(
                "SKIPPED: {what}, because {} has no sign-in page",
                self.url()
            );
        }
        there
    }

    /// Ends the process without warning and starts another on the same state.
    ///
    /// # Errors
    /// When it does not come back.
    pub fn crash_and_restart(&mut self) -> Result<()> {
        self.reach_into()?;
        self.kill();
        let port = self.ready.url.rsplit(':').next().map(str::to_owned);
        let (process, ready) = launch_on(self.folder.path(), self.options, port.as_deref())?;
        self.process = Some(process);
        self.ready = ready;
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Where it listens, `http://localhost:PORT`.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The root key, DER.
    ///
    /// # Errors
    /// When the network wrote something else.
    pub fn root_key(&self) -> Result<Vec<u8>> {
        Ok(hex::decode(&self.ready.root_key)?)
    }

    /// The vault's id.
    pub fn vault(&self) -> &str {
        &self.vault
    }

    /// The site's id.
    pub fn website(&self) -> &str {
        &self.website
    }

    /// Where a browser finds the site.
    pub fn website_url(&self) -> String {
        let port = self.ready.url.rsplit(':').next().unwrap_or_default();
        format!("http://{}.localhost:{port}/", self.website)
    }

    /// The development sign-in page.
    pub fn identity_provider(&self) -> String {
        format!("{}/_/identity/authorize", self.ready.url)
    }

    /// What the command reads by `SALUS_LOCAL`.
    pub fn local_file(&self) -> PathBuf {
        self.folder.path().join("local.json")
    }

    /// The folder of the network's state.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The file with the key of who controls both canisters.
    pub fn admin_key(&self) -> PathBuf {
        self.folder.path().join("admin.key")
    }

    /// The vault's whole stable memory.
    ///
    /// # Errors
    /// When the network does not answer with it.
    pub fn stable_memory(&self) -> Result<Vec<u8>> {
        self.reach_into()?;
        polling::get(&self.ready.url, &self.stable_path())
    }

    /// Replaces the vault's whole stable memory, as an upgrade would find it.
    ///
    /// # Errors
    /// When the network does not take it.
    pub fn set_stable_memory(&self, memory: &[u8]) -> Result<()> {
        self.reach_into()?;
        polling::put(&self.ready.url, &self.stable_path(), memory)
    }

    /// How often the vault has executed an update.
    ///
    /// # Errors
    /// When the network does not tell.
    pub fn executed(&self, update: &str) -> Result<usize> {
        self.reach_into()?;
        let path = format!("/_/canister/{}/costs", self.vault);
        let costs: Vec<serde_json::Value> =
            serde_json::from_slice(&polling::get(&self.ready.url, &path)?)?;
        let of_these =
            |cost: &&serde_json::Value| cost["kind"] == "update" && cost["method"] == update;
        Ok(costs.iter().filter(of_these).count())
    }

    /// Moves the canisters' clock on.
    ///
    /// # Errors
    /// When the network does not.
    pub fn advance_time(&self, by: Duration) -> Result<()> {
        self.reach_into()?;
        let body = json!({ "advance_ns": u64::try_from(by.as_nanos())? });
        polling::post(&self.ready.url, "/_/time", body.to_string().as_bytes())
    }

    fn stable_path(&self) -> String {
        format!("/_/canister/{}/stable", self.vault)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(folder: &Path, options: Options) -> Result<(Child, Ready)> {
    launch_on(folder, options, None)
}

fn launch_on(folder: &Path, options: Options, port: Option<&str>) -> Result<(Child, Ready)> {
    let ready = folder.join("ready.json");
    let _ = fs::remove_file(&ready);
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("localnet.log"))?;
    let mut command = Command::new(built::localnet()?);
    command
        .arg("--state")
        .arg(folder.join("state"))
        .arg("--ready")
        .arg(&ready)
        .args(["--port", port.unwrap_or("0")])
        .args(["--admin", "--stop-after", LIFE_SECONDS])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if options.delay {
        command.arg("--delay");
    }
    let mut process = command.spawn().context("the local network")?;
    let answer = polling::until("the network to be ready", START, || {
        if let Ok(Some(status)) = process.try_wait() {
            return Some(Err(status));
        }
        let text = fs::read(&ready).ok()?;
        serde_json::from_slice(&text).ok().map(Ok)
    })?;
    match answer {
        Ok(ready) => Ok((process, ready)),
        Err(status) => bail!(
            "the network ended with {status}: {}",
            fs::read_to_string(folder.join("localnet.log")).unwrap_or_default()
        ),
    }
}
