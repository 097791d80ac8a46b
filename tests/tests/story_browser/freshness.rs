//! The whole vault is rolled back by who controls it: a browser that was here before refuses, says in
//! figures what it remembers and what it was shown, and saves a proof that the command verifies.

use super::super::*;
use salus_tests::controller::Controller;
use salus_tests::person::Person;
use std::path::Path;

async fn write(visitor: &Visitor, title: &str) -> Result<()> {
    let browser = &visitor.browser;
    visitor.go("add").await?;
    browser.see("editor").await?;
    browser.fill("record-title-input", title).await?;
    browser.fill("record-note-input", NOTE).await?;
    browser.click("save-record").await?;
    browser.see("record").await?;
    Ok(())
}

/// Saves the proof that the page offers.
async fn proof(browser: &Browser, folder: &Path) -> Result<Vec<u8>> {
    let mut tools = DevTools::connect(browser).await?;
    let path = folder.to_string_lossy();
    let params = json!({ "behavior": "allow", "downloadPath": path });
    tools
        .call(None, "Browser.setDownloadBehavior", params)
        .await?;
    browser.click("save-proof").await?;
    let file = folder.join("salus-proof.cbor");
    let started = Instant::now();
    loop {
        // It appears under this name once it is whole.
        if let Ok(bytes) = std::fs::read(&file) {
            std::fs::remove_file(&file)?;
            return Ok(bytes);
        }
        ensure!(started.elapsed() < PATIENCE, "nothing was saved");
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_rolled_back_is_refused_in_words_and_the_proof_is_saved() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    if !network.can_be_reached_into("rolling the vault back") {
        return Ok(());
    }
    let controller = Controller::of(&network).await?;
    let mut owner = Visitor::arrive(&network, "Ana Ferreira").await?;
    owner.sign_in(false).await?;
    owner.create_vault(false).await?;
    write(&owner, "Kept").await?;
    let earlier = controller.snapshot().await?;
    write(&owner, "Gone").await?;
    owner.go("activity").await?;
    let browser = &owner.browser;
    browser.see("audit-entry").await?;
    controller.roll_back(earlier).await?;

    // The open page shows nothing of it; whoever verifies, and whoever unlocks, is told the same.
    browser.click("verify").await?;
    let told = "[data-testid='problem'][data-kind='contradicted']";
    let words = browser.see_css(told).await?.text().await?;
    ensure!(words.contains("This device remembers"), "{words}");
    ensure!(words.contains("entries, confirmed on"), "{words}");
    pictures(browser, "went-back").await?;
    let folder = tempfile::tempdir()?;
    let first = proof(browser, folder.path()).await?;
    browser.click("lock").await?;
    browser.see("unlock").await?;
    browser.fill("recovery-phrase", &owner.phrase()).await?;
    browser.click("unlock-with-phrase").await?;
    browser.see_css(told).await?;
    let second = proof(browser, folder.path()).await?;

    // Anyone can check what was saved, with another program.
    let stranger = Person::new(&network, "stranger")?;
    for (name, bytes) in [("first", first), ("second", second)] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes)?;
        let file = file.to_string_lossy();
        let verified = stranger.salus(&["audit", "verify", "--evidence", &file])?;
        ensure!(verified["valid"] == true, "{verified}");
        let entries = |when: &str| verified[when]["entries"].as_u64().context("no entries");
        ensure!(entries("before")? > entries("after")?, "{verified}");
    }

    // Who remembers nothing cannot notice.
    let mut other = Visitor::arrive(&network, "Ana Ferreira").await?;
    other.sign_in(false).await?;
    other.remember_phrase(&owner.phrase());
    other.unlock().await?;
    other.go("records").await?;
    open_item(&other.browser, "Kept").await?;
    let complaints = [owner.complaints().await?, other.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
