//! What other ways in than the words leave behind when it is locked because nobody was there: a passphrase,
//! what a passkey answered, the recovery sheet; in memory and in storage. As with the words
//! (`memory.rs`), everything is looked for before as well, where it has to be found.

use super::super::*;
use super::memory::{STORED, Secret, everywhere, found, secret};
use super::ways_in::{authenticator, proposed};
use salus_tests::devtools::{DevTools, Place};

/// Longer than a patient's browser waits, in milliseconds.
const AWAY: i64 = 16 * 60_000;

/// Remembers what a passkey is asked, and nothing of what it answers.
const LISTEN: &str = r"{
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => { globalThis.asked = options; return get(options); };
}";

/// Asks the passkey the same again, and keeps the answer as text.
const ASK_AGAIN: &str = r"(async () => {
    const answer = await navigator.credentials.get(globalThis.asked);
    const first = answer.getClientExtensionResults().prf.results.first;
    globalThis.kept = new Uint8Array(first).toHex();
    return globalThis.kept;
})()";

/// Nobody is there for so long that it locks. Fresh page and worker must have nothing.
async fn away(
    tools: &mut DevTools,
    browser: &Browser,
    page: &Place,
    secrets: &[Secret],
) -> Result<()> {
    let worker = tools.worker(page).await?;
    tools.set_ahead(&worker, AWAY).await?;
    browser.see("unlock").await?;
    let fresh = tools.worker(page).await?;
    ensure!(fresh != worker, "the worker is still the same");
    for (name, place) in [("page", page), ("worker", &fresh)] {
        let memory = everywhere(tools, place).await?;
        ensure!(memory.len() > 1 << 20, "no memory of the {name}");
        let left = found(secrets, &memory)?;
        ensure!(left.is_empty(), "locked, the {name} still has {left:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_lock_leaves_nothing_of_passphrase_passkey_and_sheet() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let browser = &visitor.browser;
    let (mut tools, page, _) = authenticator(browser, true).await?;

    // Both ways in, and the words as a sheet.
    visitor.go("security").await?;
    browser.click("passkey-add").await?;
    browser.click("passkey-make").await?;
    browser.gone("passkey-dialog").await?;
    browser.click("passphrase-add").await?;
    let passphrase = proposed(browser).await?;
    browser.click("passphrase-keep").await?;
    browser.gone("passphrase-dialog").await?;
    // What is clicked next must not move away underneath.
    browser.see_css("[data-testid='slot']:nth-child(3)").await?;
    browser.click("sheet").await?;
    browser.fill("sheet-phrase", &visitor.phrase()).await?;
    browser.click("sheet-make").await?;
    browser.see("sheet-paper").await?;
    let drawn = browser.page.find(By::Css(".sheet .qr-dark")).await?;
    let drawn = drawn.attr("d").await?.context("no code")?;
    let drawn: String = drawn.chars().skip(200).take(200).collect();
    let words: Vec<String> = visitor
        .phrase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let words = words.get(9..12).context("no words")?.join(" ");
    let mut secrets = vec![
        secret("sheet's code", &drawn),
        secret("sheet's text", words.to_uppercase()),
        secret("words", words),
        secret("passphrase", &passphrase),
    ];
    let shown = found(&secrets, &everywhere(&mut tools, &page).await?)?;
    ensure!(
        shown.contains("sheet's code") && shown.contains("words"),
        "looking into the page finds only {shown:?}"
    );
    browser.click("sheet-done").await?;

    away(&mut tools, browser, &page, &secrets).await?;

    // The page has the passphrase while it is typed.
    browser.fill("passphrase", &passphrase).await?;
    let typed = found(&secrets, &everywhere(&mut tools, &page).await?)?;
    ensure!(typed.contains("passphrase"), "typed, it is not found");
    browser.click("by-passphrase").await?;
    browser.see("slot").await?;
    away(&mut tools, browser, &page, &secrets).await?;

    // What a passkey answers is not kept even while it is open.
    tools.evaluate(&page, LISTEN).await?;
    browser.click("by-passkey").await?;
    browser.see("slot").await?;
    let open = everywhere(&mut tools, &page).await?;
    let worker = tools.worker(&page).await?;
    let held = everywhere(&mut tools, &worker).await?;
    let answer = tools.evaluate(&page, ASK_AGAIN).await?;
    let answer = hex::decode(answer.as_str().context("no answer")?)?;
    secrets.push(secret("passkey's answer", answer));
    for (name, memory) in [("page", open), ("worker", held)] {
        let kept = found(&secrets, &memory)?;
        ensure!(!kept.contains("passkey's answer"), "the {name} keeps it");
    }
    let asked = found(&secrets, &everywhere(&mut tools, &page).await?)?;
    ensure!(asked.contains("passkey's answer"), "kept, it is not found");
    away(&mut tools, browser, &page, &secrets).await?;

    let source = browser.page.source().await?;
    let stored = tools.evaluate(&page, STORED).await?;
    let stored = stored.as_str().context("no text")?.to_owned();
    ensure!(stored.contains("passphrase/"), "not read: {stored}");
    let log = browser.page.handle().get_log("browser").await?;
    let log: String = log.into_iter().map(|entry| entry.message).collect();
    for (what, text) in [("screen", source), ("storage", stored), ("console", log)] {
        let left = found(&secrets, text.as_bytes())?;
        ensure!(left.is_empty(), "locked, {left:?} is in the {what}");
    }
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
