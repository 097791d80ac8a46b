//! Somebody who has an account's keys puts others in their place, and its owner takes it back with the
//! words, in a browser.

use super::super::*;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::memory::Volatile;
use salus_client::{
    Client, Environment as _, Principal, RecoveryPhrase, SystemClock, Transport as _,
};
use salus_protocol::ledger::Change;
use salus_tests::world::Thief;
use salus_types::api::{AccountInfo, LedgerAppend};
use salus_types::{Error, Result as Answer};
use std::rc::Rc;
use std::sync::Arc;

const TITLE: &str = "What is mine";

/// Somebody with a sign-in of their own in that account, and its keys.
async fn thief(network: &Network, phrase: &RecoveryPhrase) -> Result<(Thief, AgentTransport)> {
    let vault = Principal::from_text(network.vault())?;
    let identity = BasicIdentity::from_raw_key(&[9; 32]);
    let root_key = Some(network.root_key()?);
    let session = AgentTransport::connect(network.url(), vault, Arc::new(identity), root_key)?;
    let memory = Rc::new(Volatile::default());
    let client = Client::new(Rc::new(session.clone()), memory, Rc::new(SystemClock));
    let account = client.unlock_with_phrase(phrase).await?.account();
    let now = SystemClock.now_ms();
    let thief = Thief::in_session(Rc::new(session.clone()), account, phrase, now).await;
    Ok((thief, session))
}

async fn problem_kind(browser: &Browser) -> Result<String> {
    let problem = browser.see("problem").await?;
    Ok(problem.attr("data-kind").await?.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_take_back_what_somebody_else_took_over() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut owner = Visitor::arrive(&network, "Ana Ferreira").await?;
    owner.sign_in(false).await?;
    owner.create_vault(true).await?;
    let browser = &owner.browser;
    owner.go("add").await?;
    browser.see("editor").await?;
    browser.fill("record-title-input", TITLE).await?;
    browser.fill("record-note-input", NOTE).await?;
    browser.click("save-record").await?;
    browser.see("record").await?;

    let phrase = RecoveryPhrase::parse(&owner.phrase())?;
    let (mut thief, session) = thief(&network, &phrase).await?;
    let folder = *thief.compartments().await.first().context("no folder")?;
    let rename = || Change::RenameCompartment {
        compartment: folder,
        name: vec![7; 100],
    };

    // Whoever has the page open is told when they decide something, and is locked out when their ways in
    // are gone.
    thief.rotate().await;
    owner.go("records").await?;
    browser.click("add-compartment").await?;
    browser.fill("compartment-name", "New").await?;
    browser.click("compartment-save").await?;
    let kind = problem_kind(browser).await?;
    ensure!(kind == "taken-over", "the open page says {kind}");
    thief.rekey().await;
    let signed = thief.append(rename()).await;
    ensure!(signed.is_ok(), "the other's key signs: {signed:?}");
    let signs = thief.op(rename()).await;
    browser.see("unlock").await?;

    // So is whoever unlocks, with the right words, and these take it back.
    ensure!(count(browser, "[data-testid='take-back']").await? == 0);
    browser.fill("recovery-phrase", &owner.phrase()).await?;
    browser.click("unlock-with-phrase").await?;
    let kind = problem_kind(browser).await?;
    ensure!(kind == "taken-over", "the right words say {kind}");
    picture(browser, "taken-over.png").await?;
    browser.click("take-back").await?;

    // One page has all that is to be looked through. What the other has opens and decides nothing any
    // more, and their sign-in is nobody's.
    browser.see("taken-back").await?;
    browser.see("taken-nobody").await?;
    browser
        .see_css("[data-testid='sign-in-item'][data-here='true']:only-child")
        .await?;
    browser.see_css(ONLY_SLOT).await?;
    pictures(browser, "taken-back").await?;
    let nothing = candid::encode_args(())?;
    let shown: Answer<AccountInfo> = thief.query("account_show", nothing).await;
    ensure!(shown.err() == Some(Error::NotFound), "the session reads");
    let append = LedgerAppend {
        op: thief.sign(&signs),
        grants: Vec::new(),
    };
    let append = candid::encode_one(append)?;
    let signed = session.update("ledger_append", &append);
    ensure!(signed.await.is_err(), "the session and the old key sign");
    browser.click("renew").await?;
    browser.see("renewed").await?;
    browser.click("taken-done").await?;
    browser.see("greeting").await?;
    owner.go("records").await?;
    open_item(browser, TITLE).await?;
    browser.see_text(NOTE).await?;

    // A browser that saw nothing of all this opens the same records with the same words.
    let mut other = Visitor::arrive(&network, "Ana Ferreira").await?;
    other.sign_in(false).await?;
    other.remember_phrase(&owner.phrase());
    other.unlock().await?;
    other.go("records").await?;
    open_item(&other.browser, TITLE).await?;
    let complaints = [owner.complaints().await?, other.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
