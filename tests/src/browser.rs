//! A real browser with a profile of its own, driven over WebDriver.

use crate::polling;
use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, Key, WebDriver};

/// Longer than anything the interface does, `--delay` included.
pub const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

/// A browser and its driver. Ends when dropped.
pub struct Browser {
    /// The driver's session.
    pub page: WebDriver,
    driver: Child,
    profile: TempDir,
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether browser tests can run here; says so when they cannot.
pub fn is_there() -> bool {
    let wanted = std::env::var("SALUS_BROWSER").map_or(true, |v| v != "0");
    let there = wanted && found("chromium").is_some() && found("chromedriver").is_some();
    if !there {
        println!("skipped: no chromium and chromedriver (Debian: chromium, chromium-driver)");
    }
    there
}

impl Browser {
    /// Starts a browser with a fresh profile.
    ///
    /// # Errors
    /// When browser or driver do not start.
    pub async fn start() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut driver = Command::new(found("chromedriver").context("chromedriver")?)
            .arg(format!("--port={port}"))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let url = format!("http://127.0.0.1:{port}");
        polling::until("chromedriver", PATIENCE, || {
            polling::get(&url, "/status").ok()
        })?;
        let mut options = DesiredCapabilities::chrome();
        if let Some(binary) = found("chromium").and_then(|p| p.to_str().map(str::to_owned)) {
            options.set_binary(&binary)?;
        }
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        for flag in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            &profile_flag,
        ] {
            options.add_arg(flag)?;
        }
        options.set("goog:loggingPrefs", serde_json::json!({"browser": "ALL"}))?;
        match WebDriver::new(&url, options).await {
            Ok(page) => Ok(Self {
                page,
                driver,
                profile,
            }),
            Err(error) => {
                let _ = driver.kill();
                let _ = driver.wait();
                Err(error.into())
            }
        }
    }

    /// Where the browser's DevTools listen: a WebSocket of this machine.
    ///
    /// # Errors
    /// When the browser did not write it down.
    pub fn devtools(&self) -> Result<String> {
        let file = self.profile.path().join("DevToolsActivePort");
        let text = std::fs::read_to_string(file)?;
        let mut lines = text.lines();
        let (port, path) = (lines.next(), lines.next());
        match (port, path) {
            (Some(port), Some(path)) => Ok(format!("ws://127.0.0.1:{port}{path}")),
            _ => bail!("the browser says of its DevTools: {text}"),
        }
    }

    /// The visible element with this `data-testid`, waited for.
    ///
    /// # Errors
    /// When it does not appear in time; says what the page shows instead.
    pub async fn see(&self, id: &str) -> Result<WebElement> {
        self.see_css(&format!("[data-testid='{id}']")).await
    }

    /// The visible element that a selector finds, waited for.
    ///
    /// # Errors
    /// When it does not appear in time; says what the page shows instead.
    pub async fn see_css(&self, id: &str) -> Result<WebElement> {
        let found = self
            .page
            .query(By::Css(id))
            .wait(PATIENCE, LOOK)
            .and_displayed()
            .first()
            .await;
        match found {
            Ok(element) => Ok(element),
            Err(_) => bail!(
                "`{id}` did not appear; the page shows: {}",
                self.text().await
            ),
        }
    }

    /// Waits until nothing with this `data-testid` is on the page any more.
    ///
    /// # Errors
    /// When it stays.
    pub async fn gone(&self, id: &str) -> Result<()> {
        let css = format!("[data-testid='{id}']");
        let gone = self.page.query(By::Css(&*css)).wait(PATIENCE, LOOK);
        if gone.not_exists().await? {
            return Ok(());
        }
        bail!("`{id}` stays; the page shows: {}", self.text().await)
    }

    /// Clicks the element with this `data-testid` once it can be clicked.
    ///
    /// # Errors
    /// When it does not appear, or cannot be clicked.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.click_css(&format!("[data-testid='{id}']")).await
    }

    /// Clicks the element that a selector finds, once it can be clicked.
    ///
    /// # Errors
    /// When it does not appear, or cannot be clicked.
    pub async fn click_css(&self, id: &str) -> Result<()> {
        let element = self.see_css(id).await?;
        element.wait_until().wait(PATIENCE, LOOK).enabled().await?;
        element.scroll_into_view().await?;
        element.click().await.with_context(|| id.to_owned())?;
        Ok(())
    }

    /// Types into the field with this `data-testid`, replacing what is there.
    ///
    /// # Errors
    /// When it does not appear.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        let element = self.see(id).await?;
        let kind = element.prop("type").await?.unwrap_or_default();
        if kind.starts_with("date") {
            element.clear().await?;
            element.send_keys(text).await?;
            return Ok(());
        }
        // As a person does: the driver's own clearing says nothing to the page, which may then draw
        // the old text again under what is typed.
        element
            .send_keys(Key::Control + "a")
            .await
            .context("select all")?;
        element.send_keys(Key::Delete + text).await?;
        Ok(())
    }

    /// Waits until the page shows a text somewhere.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn see_text(&self, text: &str) -> Result<()> {
        let started = std::time::Instant::now();
        loop {
            let shown = self.text().await;
            if shown.contains(text) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!("`{text}` did not appear; the page shows: {shown}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// All the page shows.
    pub async fn text(&self) -> String {
        match self.page.find(By::Tag("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// What the browser's console holds at level SEVERE: script errors, refused loads, policy reports.
    ///
    /// # Errors
    /// When the driver has no log.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let log = self.page.handle().get_log("browser").await?;
        Ok(log
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            .collect())
    }

    /// Saves what the page looks like.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn screenshot(&self, path: &std::path::Path) -> Result<()> {
        self.page.screenshot(path).await?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session ends with its processes: asking a driver that is gone to end it waits two minutes.
        let _ = self.page.clone().leak();
        // The driver would leave its browser behind: both end as one group of processes.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{}", self.driver.id())])
            .status();
        let _ = self.driver.wait();
    }
}
