//! Other ways in than the words: passkeys with and without PRF, a passphrase, and what to do when it is
//! forgotten.

use super::super::*;
use salus_tests::devtools::{DevTools, Place};
use serde_json::json;

/// An authenticator of the browser's own, which says yes to everything.
pub(super) async fn authenticator(
    browser: &Browser,
    has_prf: bool,
) -> Result<(DevTools, Place, String)> {
    let mut tools = DevTools::connect(browser).await?;
    let page = tools
        .page(&browser.page.window().await?.to_string())
        .await?;
    tools
        .call(Some(&page), "WebAuthn.enable", json!({}))
        .await?;
    let options = json!({ "options": {
        "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal",
        "hasResidentKey": true, "hasUserVerification": true, "hasPrf": has_prf,
        "automaticPresenceSimulation": true, "isUserVerified": true,
    }});
    let made = tools
        .call(Some(&page), "WebAuthn.addVirtualAuthenticator", options)
        .await?;
    let id = made["authenticatorId"].as_str().context("no id")?;
    Ok((tools, page, id.to_owned()))
}

/// The words that are proposed for a passphrase, once they are there.
pub(super) async fn proposed(browser: &Browser) -> Result<String> {
    let field = browser.see("passphrase-new").await?;
    let started = Instant::now();
    loop {
        let value = field.prop("value").await?.unwrap_or_default();
        if value.split_whitespace().count() == 7 {
            return Ok(value);
        }
        ensure!(started.elapsed() < PATIENCE, "proposed: `{value}`");
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_unlocks_and_shows_who_one_is() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let browser = &visitor.browser;
    browser.see("second-way").await?;
    picture(browser, "second-way.png").await?;
    let (_tools, ..) = authenticator(browser, true).await?;
    slots(&visitor, 1).await?;
    browser.click("passkey-add").await?;
    picture(browser, "passkey.png").await?;
    browser.click("passkey-make").await?;
    browser.gone("passkey-dialog").await?;
    slots(&visitor, 2).await?;
    visitor.go("").await?;
    browser.see("greeting").await?;
    browser.gone("second-way").await?;

    // It opens what was locked, in the place where one was.
    browser.click("lock").await?;
    browser.see("unlock").await?;
    picture(browser, "unlock-passkey.png").await?;
    browser.click("by-passkey").await?;
    browser.see("greeting").await?;

    // The vault made it anew with the others when another went.
    browser.click("nav-account").await?;
    browser.click("security").await?;
    browser.click("stay-unlocked").await?;
    browser.click("stay-confirm").await?;
    browser.gone("stay-dialog").await?;
    browser.page.refresh().await?;
    browser.see("slot").await?;
    // This browser's key shows nobody's face: the passkey does.
    browser.click("renew").await?;
    browser.see("prove").await?;
    browser.click("by-passkey").await?;
    browser.gone("prove").await?;
    browser.see("renewed").await?;
    browser.click("lock").await?;
    browser.click("by-passkey").await?;
    browser.see("slot").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_that_keeps_no_key_is_not_kept_and_it_is_said_why() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let browser = &visitor.browser;
    let (mut tools, page, made) = authenticator(browser, false).await?;
    visitor.go("security").await?;
    browser.click("passkey-add").await?;
    browser.click("passkey-make").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("unsupported"));
    let words = problem.text().await?;
    ensure!(words.contains("was not added"), "{words}");
    // Nor does the authenticator go on offering it.
    let started = Instant::now();
    loop {
        let of = json!({ "authenticatorId": made });
        let kept = tools
            .call(Some(&page), "WebAuthn.getCredentials", of)
            .await?;
        let kept = kept["credentials"].as_array().context("no list")?.len();
        if kept == 0 {
            break;
        }
        ensure!(started.elapsed() < PATIENCE, "{kept} passkeys are kept");
        tokio::time::sleep(LOOK).await;
    }
    browser.click("passkey-cancel").await?;
    slots(&visitor, 1).await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_unlocks_here_and_forgotten_the_words_do() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let browser = &visitor.browser;
    visitor.go("security").await?;
    browser.click("passphrase-add").await?;
    let proposed = proposed(browser).await?;
    picture(browser, "passphrase.png").await?;
    browser.click("passphrase-keep").await?;
    browser.gone("passphrase-dialog").await?;
    slots(&visitor, 2).await?;

    // A slip of the pen does not open it, the words do.
    browser.click("lock").await?;
    browser
        .fill("passphrase", "some other words entirely")
        .await?;
    browser.click("by-passphrase").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("wrong-secret"));
    browser.fill("passphrase", &proposed).await?;
    browser.click("by-passphrase").await?;
    browser.see("slot").await?;

    // Forgotten, and in another browser, the 24 words do.
    let mut other = Visitor::arrive(&network, "Ana Ferreira").await?;
    other.sign_in(false).await?;
    other.remember_phrase(&visitor.phrase());
    other.browser.see("unlock").await?;
    ensure!(count(&other.browser, "[data-testid='passphrase']").await? == 0);
    other.unlock().await?;
    browser.click("lock").await?;
    browser.see("passphrase").await?;
    browser.fill("recovery-phrase", &visitor.phrase()).await?;
    browser.click("unlock-with-phrase").await?;
    browser
        .click_css("[data-testid='slot'] [data-testid='slot-remove']")
        .await?;
    browser.click("remove-confirm").await?;
    browser.see_css(ONLY_SLOT).await?;
    browser.click("lock").await?;
    browser.see("recovery-phrase").await?;
    ensure!(count(browser, "[data-testid='passphrase']").await? == 0);
    let complaints = [visitor.complaints().await?, other.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_and_a_key_on_paper_unlock_on_another_device_and_alone_neither_does()
-> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let browser = &visitor.browser;
    visitor.go("security").await?;
    browser.click("passphrase-add").await?;
    browser.click("passphrase-anywhere").await?;
    let key = browser.see("sheet-key-new").await?.text().await?;
    picture(browser, "passphrase-anywhere.png").await?;
    let words = "some words of my own choice";
    browser.fill("passphrase-new", words).await?;
    browser.click("passphrase-keep").await?;
    browser.gone("passphrase-dialog").await?;
    slots(&visitor, 2).await?;

    let other = Visitor::arrive(&network, "Ana Ferreira").await?;
    other.sign_in(false).await?;
    let there = &other.browser;
    there.fill("passphrase", words).await?;
    there.click("by-passphrase").await?;
    let wrong = "[data-testid='problem'][data-kind='wrong-secret']";
    there.see_css(wrong).await?;
    let last = if key.ends_with('0') { "1" } else { "0" };
    let slip = format!("{}{last}", &key[..key.len() - 1]);
    there.fill("sheet-key", &slip).await?;
    there.click("by-passphrase").await?;
    there
        .see_css("[data-testid='problem'][data-kind='invalid']")
        .await?;
    picture(there, "unlock-sheet-key.png").await?;
    there.fill("sheet-key", &key.to_lowercase()).await?;
    there.click("by-passphrase").await?;
    there.see("greeting").await?;
    let complaints = [visitor.complaints().await?, other.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
