//! What people do on the website, step by step, by the names its page gives to things.

use crate::browser::{Browser, PATIENCE};
use crate::network::Network;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::Duration;
use thirtyfour::prelude::*;

const LOOK: Duration = Duration::from_millis(50);

/// Someone with a browser of their own.
pub struct Visitor {
    /// The browser.
    pub browser: Browser,
    name: String,
    site: String,
    phrase: Vec<String>,
}

impl Visitor {
    /// Opens the website in a fresh browser.
    ///
    /// # Errors
    /// When the page does not come up.
    pub async fn arrive(network: &Network, name: &str) -> Result<Self> {
        let browser = Browser::start().await?;
        let site = network.website_url();
        browser.page.goto(&site).await?;
        browser.see("sign-in").await?;
        Ok(Self {
            browser,
            name: name.to_owned(),
            site,
            phrase: Vec::new(),
        })
    }

    /// Goes to a place of the page, `#/…`.
    ///
    /// # Errors
    /// When the browser does not.
    pub async fn go(&self, place: &str) -> Result<()> {
        self.browser
            .page
            .goto(&format!("{}#/{place}", self.site))
            .await?;
        Ok(())
    }

    /// Signs in on the development identity page, as somebody new or somebody known.
    ///
    /// # Errors
    /// When the page does not come back signed in.
    pub async fn sign_in(&self, canister_root: bool) -> Result<()> {
        let boxes: &[&str] = if canister_root { &["canister"] } else { &[] };
        self.sign_in_ticking(boxes).await
    }

    /// Signs in for ten minutes.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub async fn sign_in_briefly(&self) -> Result<()> {
        self.sign_in_ticking(&["brief"]).await
    }

    async fn sign_in_ticking(&self, boxes: &[&str]) -> Result<()> {
        let page = &self.browser.page;
        let own = page.window().await?;
        self.browser.click("sign-in").await?;
        let mut other = None;
        for _ in 0..200 {
            other = page.windows().await?.into_iter().find(|w| *w != own);
            if other.is_some() {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        page.switch_to_window(other.context("no sign-in window opened")?)
            .await?;
        for id in boxes {
            let choice = page
                .query(By::Id(*id))
                .wait(PATIENCE, LOOK)
                .and_displayed()
                .first()
                .await?;
            choice.click().await?;
        }
        let known = By::Css(format!("[data-person='{}']", self.name));
        page.query(By::Id("name"))
            .wait(PATIENCE, LOOK)
            .and_displayed()
            .first()
            .await?;
        if let Ok(person) = page.find(known).await {
            person.click().await?;
        } else {
            page.find(By::Id("name"))
                .await?
                .send_keys(&self.name)
                .await?;
            page.find(By::Id("add")).await?.click().await?;
        }
        page.switch_to_window(own).await?;
        Ok(())
    }

    /// Makes the vault: reads the phrase, confirms the words asked for.
    ///
    /// # Errors
    /// When a step does not come.
    pub async fn create_vault(&mut self, stay_unlocked: bool) -> Result<()> {
        self.read_phrase(stay_unlocked).await?;
        self.confirm_phrase().await
    }

    /// The first half of it: up to where the words are shown.
    ///
    /// # Errors
    /// When a step does not come.
    pub async fn read_phrase(&mut self, stay_unlocked: bool) -> Result<()> {
        let browser = &self.browser;
        browser.see("create").await?;
        browser.fill("display-name", &self.name).await?;
        let stay = browser.see("stay-unlocked").await?;
        if stay.is_selected().await? != stay_unlocked {
            stay.click().await?;
        }
        browser.click("create-begin").await?;
        self.read_words().await
    }

    /// Reads the words that are shown, and has them from now on.
    ///
    /// # Errors
    /// When there are none, or not 24.
    pub async fn read_words(&mut self) -> Result<()> {
        let browser = &self.browser;
        browser.see("phrase").await?;
        let words = browser
            .page
            .find_all(By::Css("[data-testid='phrase-word']"))
            .await?;
        self.phrase.clear();
        for word in words {
            self.phrase.push(word.text().await?.trim().to_owned());
        }
        if self.phrase.len() != 24 {
            bail!("{} words are shown", self.phrase.len());
        }
        Ok(())
    }

    /// The second half: types the words asked for.
    ///
    /// # Errors
    /// When a step does not come.
    pub async fn confirm_phrase(&self) -> Result<()> {
        self.confirm_words("create-vault").await?;
        self.browser.see("greeting").await?;
        Ok(())
    }

    /// Types the words asked for and goes on by that button.
    ///
    /// # Errors
    /// When a step does not come.
    pub async fn confirm_words(&self, finish: &str) -> Result<()> {
        let browser = &self.browser;
        browser.click("phrase-written").await?;
        for (position, word) in (1..).zip(&self.phrase) {
            let field = By::Css(format!("[data-testid='check-word-{position}']"));
            if position == 1 {
                browser.see(finish).await?;
            }
            if let Ok(field) = browser.page.find(field).await {
                field.send_keys(word).await?;
            }
        }
        browser.click(finish).await
    }

    /// The words this person wrote down.
    pub fn phrase(&self) -> String {
        self.phrase.join(" ")
    }

    /// Takes over the words someone wrote down.
    pub fn remember_phrase(&mut self, phrase: &str) {
        self.phrase = phrase.split_whitespace().map(str::to_owned).collect();
    }

    /// Unlocks with the words written down.
    ///
    /// # Errors
    /// When the page does not unlock.
    pub async fn unlock(&self) -> Result<()> {
        self.browser.see("unlock").await?;
        self.browser.fill("recovery-phrase", &self.phrase()).await?;
        self.browser.click("unlock-with-phrase").await?;
        self.browser.see("greeting").await?;
        Ok(())
    }

    /// Signed in as someone whom no records belong to yet, brings the words of records that are there.
    ///
    /// # Errors
    /// When the page does not offer it, or does not unlock.
    pub async fn join(&self) -> Result<()> {
        self.browser.click("have-phrase").await?;
        self.browser.see("join").await?;
        self.browser.fill("recovery-phrase", &self.phrase()).await?;
        self.browser.click("unlock-with-phrase").await?;
        self.browser.see("greeting").await?;
        Ok(())
    }

    /// Imports a FHIR bundle and says how many records came of it.
    ///
    /// # Errors
    /// When the page does not offer it, or does not end.
    pub async fn import(&self, file: &Path) -> Result<u32> {
        self.begin_import(file).await?;
        self.imported().await
    }

    /// Waits for the end of an import and says how many records came of it.
    ///
    /// # Errors
    /// When it does not end well.
    pub async fn imported(&self) -> Result<u32> {
        self.browser.see("import-summary").await?;
        let count = self.browser.see("import-count").await?.text().await?;
        let digits: String = count.chars().filter(char::is_ascii_digit).collect();
        digits.parse().with_context(|| count.clone())
    }

    /// Begins to import a FHIR bundle.
    ///
    /// # Errors
    /// When the page does not offer it.
    pub async fn begin_import(&self, file: &Path) -> Result<()> {
        self.choose_file(file).await?;
        self.browser.click("import-bundle").await
    }

    /// Begins a record with a file.
    ///
    /// # Errors
    /// When the page does not offer it.
    pub async fn choose_file(&self, file: &Path) -> Result<()> {
        self.go("add").await?;
        let browser = &self.browser;
        browser.see("editor").await?;
        let input = browser
            .page
            .query(By::Css("[data-testid='record-files']"))
            .wait(PATIENCE, LOOK)
            .first()
            .await?;
        let path = file.canonicalize()?;
        input.send_keys(path.to_string_lossy().as_ref()).await?;
        Ok(())
    }

    /// Makes an invitation and reads its link.
    ///
    /// # Errors
    /// When no link is shown.
    pub async fn invite(&self) -> Result<String> {
        self.go("sharing").await?;
        self.browser.click("invite").await?;
        self.browser.click("invite-make").await?;
        let link = self.browser.see("invite-link").await?;
        let text = link.prop("value").await?;
        link.send_keys(Key::Escape + "").await?;
        text.filter(|t| t.contains("#/ask/"))
            .context("the invitation shows no link")
    }

    /// Registers in the directory.
    ///
    /// # Errors
    /// When the page does not say that it was done.
    pub async fn register(&self, specialty: &str) -> Result<()> {
        self.go("practice").await?;
        self.browser.fill("provider-name", &self.name).await?;
        self.browser.fill("provider-specialty", specialty).await?;
        self.browser.click("register-provider").await?;
        self.browser.see("nav-ask").await?;
        Ok(())
    }

    /// Asks by a patient's link, with what the form proposes.
    ///
    /// # Errors
    /// When the request is not sent.
    pub async fn ask(&self, link: &str, purpose: &str) -> Result<()> {
        let (_, place) = link.split_once("#/").context("not a link")?;
        self.go(place).await?;
        self.browser.see("ask-form").await?;
        for right in ["ask-read", "ask-append"] {
            let right = self.browser.see(right).await?;
            if !right.is_selected().await? {
                right.click().await?;
            }
        }
        self.browser.fill("ask-purpose", purpose).await?;
        self.browser.click("send-request").await?;
        self.browser.see("asked").await?;
        Ok(())
    }

    /// Looks at the request that waits.
    ///
    /// # Errors
    /// When there is none.
    pub async fn review(&self) -> Result<()> {
        self.go("sharing").await?;
        self.browser.click("review-request").await?;
        self.browser.see("request").await?;
        Ok(())
    }

    /// Approves the request that is looked at, as it stands.
    ///
    /// # Errors
    /// When approving does not end.
    pub async fn approve(&self) -> Result<()> {
        self.browser.click("approve").await?;
        self.browser
            .see_css("[data-testid='grant-item'][data-status='active']")
            .await?;
        Ok(())
    }

    /// Whatever the page logged as an error, the sign-in window included.
    ///
    /// # Errors
    /// When the browser keeps no log.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        self.browser.complaints().await
    }
}
