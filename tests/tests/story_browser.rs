//! The main job, in two browsers: a patient imports a record, a provider asks, reads, writes back, is
//! revoked, and gets nothing more; the audit trail has it all and verifies.

use anyhow::{Context, Result, ensure};
use salus_tests::browser::{self, Browser, PATIENCE};
use salus_tests::devtools::DevTools;
use salus_tests::network::{Network, Options};
use salus_tests::page::Visitor;
use salus_tests::{built, data};
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;
use tokio::sync::{Mutex, MutexGuard};

mod story_browser {
    mod contacts;
    mod following;
    mod freshness;
    mod importing;
    mod leftovers;
    mod locking;
    mod memory;
    mod other_sites;
    mod pairing;
    mod scripts;
    mod security;
    mod theft;
    mod ways_in;
}

const LOOK: Duration = Duration::from_millis(100);
const NOTE: &str = "Blood pressure is well controlled. Keep taking the tablets as before.";
/// Two browsers and a network are enough for two cores.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
const ONLY_SLOT: &str = "[data-testid='slot']:only-child";
const ENTRY: &str = "[data-testid='audit-entry']";

/// A network to sign in to and a turn with the browsers; none, and it is said, where one is missing.
async fn stage(options: Options) -> Result<Option<(MutexGuard<'static, ()>, Network)>> {
    if !browser::is_there() {
        return Ok(None);
    }
    let turn = ONE_AT_A_TIME.lock().await;
    let network = Network::start(options)?;
    let ready = network.has_sign_in_page("the stories in a browser");
    Ok(ready.then_some((turn, network)))
}

/// Keeps a picture of the page in `target/salus/screenshots`; the README's are copies of these.
async fn picture(browser: &Browser, name: &str) -> Result<()> {
    let folder: PathBuf = built::root().join("target/salus/screenshots");
    std::fs::create_dir_all(&folder)?;
    browser.gone("loading").await?;
    browser.screenshot(&folder.join(name)).await
}

/// Waits until so many ways to unlock are listed: other browsers' are heard of in the next round.
async fn slots(visitor: &Visitor, wanted: usize) -> Result<()> {
    visitor.go("security").await?;
    let started = Instant::now();
    loop {
        let there = count(&visitor.browser, "[data-testid='slot']").await?;
        if there == wanted {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "{there} ways, not {wanted}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Fills in the editor that is open and waits for the record.
async fn write(visitor: &Visitor, title: &str, note: &str) -> Result<()> {
    let browser = &visitor.browser;
    browser.see("editor").await?;
    browser.fill("record-title-input", title).await?;
    browser.fill("record-note-input", note).await?;
    browser.click("save-record").await?;
    browser.see("record").await?;
    browser.see_text(note).await
}

/// The same in every width and both colour schemes that people have, for whoever looks at them.
async fn pictures(browser: &Browser, name: &str) -> Result<()> {
    let mut tools = DevTools::connect(browser).await?;
    let page = tools
        .page(&browser.page.window().await?.to_string())
        .await?;
    for scheme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        let media = json!({ "features": [feature] });
        tools
            .call(Some(&page), "Emulation.setEmulatedMedia", media)
            .await?;
        for width in [360, 768, 1280] {
            let size = json!({
                "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false
            });
            tools
                .call(Some(&page), "Emulation.setDeviceMetricsOverride", size)
                .await?;
            picture(browser, &format!("{name}-{width}-{scheme}.png")).await?;
        }
    }
    Ok(())
}

async fn count(browser: &Browser, css: &str) -> Result<usize> {
    Ok(browser.page.find_all(By::Css(css)).await?.len())
}

/// The kinds of all entries of one's activity, oldest first.
async fn trail(visitor: &Visitor) -> Result<Vec<String>> {
    let browser = &visitor.browser;
    visitor.go("activity").await?;
    browser.see("audit-entry").await?;
    // The list may be loaded anew while it is read, when something happens: so until its oldest
    // entry is there.
    let started = Instant::now();
    let oldest = By::Css("[data-testid='audit-entry'][data-sequence='0']");
    while browser.page.find(oldest.clone()).await.is_err() {
        ensure!(started.elapsed() < PATIENCE, "the list does not end");
        // Gone between being found and being clicked is as good as clicked.
        if let Ok(more) = browser
            .page
            .find(By::Css("[data-testid='show-more']"))
            .await
            && more.scroll_into_view().await.is_ok()
        {
            let _ = more.click().await;
        }
        tokio::time::sleep(LOOK).await;
    }
    let mut kinds = Vec::new();
    for entry in browser.page.find_all(By::Css(ENTRY)).await? {
        kinds.push(entry.attr("data-kind").await?.unwrap_or_default());
    }
    kinds.reverse();
    Ok(kinds)
}

async fn open_item(browser: &Browser, containing: &str) -> Result<()> {
    let item = browser
        .page
        .query(By::XPath(format!(
            "//*[@data-testid='record-item'][contains(., '{containing}')]//a"
        )))
        .wait(PATIENCE, LOOK)
        .first()
        .await;
    let Ok(item) = item else {
        anyhow::bail!(
            "no record `{containing}`; the page shows: {}",
            browser.text().await
        );
    };
    item.scroll_into_view().await?;
    item.click().await?;
    browser.see("record").await?;
    Ok(())
}

async fn tell(options: Options) -> Result<()> {
    let Some(bundle) = data::shared("fhir/Tasha_Miller.json") else {
        return Ok(());
    };
    let Some((_turn, network)) = stage(options).await? else {
        return Ok(());
    };
    let mut patient = Visitor::arrive(&network, "Tasha Miller").await?;
    let mut provider = Visitor::arrive(&network, "Dr Ximena Ruiz").await?;

    // The patient signs in, writes the phrase down, and imports a bundle.
    patient.sign_in(false).await.context("patient signs in")?;
    patient.create_vault(false).await?;
    let records = patient.import(&bundle).await?;
    ensure!(records > 100, "{records} records");

    // The provider signs in the way Internet Identity does, and registers.
    provider.sign_in(true).await.context("provider signs in")?;
    provider.create_vault(true).await?;
    provider.register("Family medicine").await?;

    // The patient hands over a link; the provider asks; the patient approves.
    let link = patient.invite().await?;
    provider.ask(&link, "To review your medication").await?;
    patient.go("").await?;
    patient.browser.see("waiting-request").await?;
    patient.browser.see("compartment-card").await?;
    picture(&patient.browser, "home.png").await?;
    patient.review().await?;
    picture(&patient.browser, "review.png").await?;
    patient.approve().await?;

    // The provider lists what was granted, and opens a medication.
    provider.go("practice").await?;
    provider
        .browser
        .click_css("[data-testid='patient-item'] a")
        .await?;
    provider.browser.click("list-records").await?;
    provider.browser.see("record-item").await?;
    let patient_place = provider.browser.page.current_url().await?;
    open_item(&provider.browser, " MG").await?;
    provider.browser.see("record-section").await?;
    let record_place = provider.browser.page.current_url().await?;

    // And writes a note back.
    provider.browser.page.goto(patient_place.as_str()).await?;
    provider.browser.click("write-note").await?;
    provider
        .browser
        .fill("record-title-input", "Medication review")
        .await?;
    provider.browser.fill("record-note-input", NOTE).await?;
    provider.browser.click("save-record").await?;
    provider.browser.see("said").await?;

    // The patient finds it, its author verified.
    patient.go("records").await?;
    open_item(&patient.browser, "Medication review").await?;
    patient.browser.see_text(NOTE).await?;
    let author = patient.browser.see("author").await?;
    ensure!(
        author.attr("data-verified").await?.as_deref() == Some("true"),
        "the author is not verified"
    );
    let named = author.text().await?;
    ensure!(named.contains("Ruiz"), "the author is `{named}`");
    picture(&patient.browser, "record.png").await?;

    // The patient revokes; the provider gets nothing more.
    patient.go("sharing").await?;
    patient.browser.click("revoke").await?;
    patient.browser.click("revoke-confirm").await?;
    patient.browser.see("past-grants").await?;
    provider.browser.page.goto(record_place.as_str()).await?;
    provider.browser.page.refresh().await?;
    provider.browser.see("problem").await?;
    ensure!(
        count(&provider.browser, "[data-testid='record-section']").await? == 0,
        "a revoked provider still sees the record"
    );

    // Every step is in the trail, in order, and the trail verifies.
    let kinds = trail(&patient).await?;
    let mut missing = [
        "account-created",
        "record-added",
        "invited",
        "access-asked",
        "grant-given",
        "records-listed",
        "record-opened",
        "record-added",
        "grant-revoked",
    ]
    .as_slice();
    for kind in &kinds {
        if let Some((next, rest)) = missing.split_first()
            && next == kind
        {
            missing = rest;
        }
    }
    ensure!(missing.is_empty(), "{missing:?} are missing in {kinds:?}");
    patient.browser.click("verify").await?;
    let verification = patient.browser.see("verification").await?;
    ensure!(
        verification.attr("data-outcome").await?.as_deref() == Some("ok"),
        "{}",
        verification.text().await?
    );
    picture(&patient.browser, "activity.png").await?;
    for (who, visitor) in [("patient", &patient), ("provider", &provider)] {
        let complaints = visitor.complaints().await?;
        ensure!(complaints.is_empty(), "{who}'s console: {complaints:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_shares_and_revokes_in_two_browsers() -> Result<()> {
    tell(Options::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_the_latency_of_mainnet() -> Result<()> {
    tell(Options { delay: true }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_browser_unlocks_with_the_phrase_and_a_wrong_one_is_refused() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut first = Visitor::arrive(&network, "Ana Ferreira").await?;
    first.sign_in(false).await?;
    first.create_vault(false).await?;

    let mut second = Visitor::arrive(&network, "Ana Ferreira").await?;
    second.sign_in(false).await?;
    second.browser.see("unlock").await?;
    // A real phrase, but nobody's.
    let stranger = [["abandon"; 23].join(" "), "art".into()].join(" ");
    second.browser.fill("recovery-phrase", &stranger).await?;
    second.browser.click("unlock-with-phrase").await?;
    second.browser.see("problem").await?;
    second.remember_phrase(&first.phrase());
    second.unlock().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn staying_unlocked_no_longer_lets_this_visit_go_on_and_asks_the_next() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(true).await?;
    visitor.go("security").await?;
    visitor.browser.see("slot").await?;
    let slots = count(&visitor.browser, "[data-testid='slot']").await?;
    ensure!(
        slots == 2,
        "{slots} ways to unlock: the words and this browser"
    );

    // The next visit finds the records open, by this browser's key, and gives that up.
    visitor.browser.page.refresh().await?;
    visitor.browser.click("slot-remove").await?;
    visitor.browser.click("remove-confirm").await?;
    visitor.browser.see_css(ONLY_SLOT).await?;
    visitor.go("").await?;
    visitor.browser.see("greeting").await?;
    visitor.browser.see("compartment-card").await?;

    // The one after that asks for the words, and in the trail it stands that it is gone.
    visitor.browser.page.refresh().await?;
    visitor.unlock().await?;
    visitor.go("activity").await?;
    let removed = "[data-testid='audit-entry'][data-kind='slot-removed']";
    visitor.browser.see_css(removed).await?;
    visitor.go("security").await?;
    visitor.browser.see_css(ONLY_SLOT).await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sign_in_is_replaced_by_another_with_the_phrase() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut before = Visitor::arrive(&network, "Ana Ferreira").await?;
    before.sign_in(false).await?;
    before.create_vault(false).await?;

    // The same person, whom the identity provider does not know any more: somebody new to it.
    let mut after = Visitor::arrive(&network, "Ana F.").await?;
    after.sign_in(true).await?;
    after.browser.see("create").await?;
    after.remember_phrase(&before.phrase());
    after.join().await?;
    let greeting = after.browser.see("greeting").await?.text().await?;
    ensure!(greeting.contains("Ana Ferreira"), "greeted as `{greeting}`");

    // A second visit of the new sign-in finds the records at once.
    after.browser.page.refresh().await?;
    after.unlock().await?;
    let complaints = after.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
