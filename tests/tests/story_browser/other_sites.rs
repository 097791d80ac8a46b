//! Other sites: they cannot put the page in a frame, hold its window, or sign anybody in with a delegation
//! of their own, and nobody but the page reaches its worker.

use super::super::*;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use salus_client::agent::ic_agent::Identity as _;
use salus_client::agent::ic_agent::identity::{BasicIdentity, Delegation};
use salus_tests::devtools::{DevTools, Place};
use salus_tests::site;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A site on another origin whose page frames the website, and one of its own to compare with.
fn other_site(website: &str) -> Result<(TempDir, String)> {
    let folder = tempfile::tempdir()?;
    let page = format!(
        "<!doctype html><title>Other</title><p id='other'>Other</p>
         <iframe id='framed' src='{website}' onload='window.loaded = (window.loaded ?? 0) + 1'></iframe>
         <iframe id='own' src='/own.html' onload='window.loaded = (window.loaded ?? 0) + 1'></iframe>"
    );
    std::fs::write(folder.path().join("index.html"), page)?;
    std::fs::write(
        folder.path().join("own.html"),
        "<!doctype html><title>Own</title><link rel='icon' href='data:,'><p id='app'>Own</p>",
    )?;
    let address = site::serve(folder.path().to_owned())?;
    Ok((folder, address))
}

/// What a script of the page in this window returns.
async fn run(browser: &Browser, script: &str) -> Result<Value> {
    let answer = browser.page.execute(script, Vec::new()).await?;
    Ok(answer.json().clone())
}

async fn until(browser: &Browser, script: &str) -> Result<()> {
    let started = Instant::now();
    while run(browser, script).await? != json!(true) {
        ensure!(started.elapsed() < PATIENCE, "never: {script}");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// How many elements with the page's own root a frame of this page has.
async fn framed(browser: &Browser, frame: &str) -> Result<usize> {
    let element = browser.page.find(By::Id(frame)).await?;
    element.enter_frame().await?;
    let found = count(browser, "#app").await;
    browser.page.enter_default_frame().await?;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_40_another_site_can_neither_frame_the_page_nor_hold_its_window() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let (_folder, other) = other_site(&network.website_url())?;
    let browser = Browser::start().await?;
    let page = &browser.page;
    page.goto(&other).await?;
    until(&browser, "return window.loaded === 2").await?;
    ensure!(framed(&browser, "own").await? == 1, "no frame is seen");
    ensure!(framed(&browser, "framed").await? == 0, "the page is framed");
    let complaints = browser.complaints().await?;
    let refused = |said: &String| said.contains("frame-ancestors") || said.contains("X-Frame");
    ensure!(complaints.iter().any(refused), "{complaints:?}");

    // Opened as a window it comes up, and whoever opened it has nothing in hand.
    let own = page.window().await?;
    let open = format!("window.held = window.open('{}')", network.website_url());
    run(&browser, &open).await?;
    let windows = page.windows().await?;
    let opened = windows.into_iter().find(|window| *window != own);
    page.switch_to_window(opened.context("no window opened")?)
        .await?;
    browser.see("sign-in").await?;
    ensure!(run(&browser, "return window.opener === null").await? == json!(true));
    page.switch_to_window(own).await?;
    ensure!(run(&browser, "return window.held.closed").await? == json!(true));
    Ok(())
}

/// The browser's public key for signing in, from where the worker keeps it.
const PUBLIC_KEY: &str = r"(async () => {
    const asked = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const database = await asked(indexedDB.open('salus'));
    const keys = await asked(database.transaction('keys').objectStore('keys').getAll());
    database.close();
    const { publicKey } = keys.find((key) => key.publicKey);
    return new Uint8Array(await crypto.subtle.exportKey('spki', publicKey)).toBase64();
})()";

/// A delegation to the visitor's browser that is in order, but for being someone else's: whoever took
/// it would be signed in as them, and file records in their account.
async fn forged(tools: &mut DevTools, page: &Place, by: &BasicIdentity) -> Result<Value> {
    let key = tools.evaluate(page, PUBLIC_KEY).await?;
    let key = key.as_str().context("no key")?;
    let in_an_hour = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(3600);
    let expiration = u64::try_from(in_an_hour.as_nanos())?;
    let delegation = Delegation {
        pubkey: BASE64_STANDARD.decode(key)?,
        expiration,
        targets: None,
        permissions: None,
    };
    let signed = by
        .sign_delegation(&delegation)
        .map_err(anyhow::Error::msg)?;
    let root = by.public_key().context("no key")?;
    Ok(
        json!({ "jsonrpc": "2.0", "id": "salus-delegation", "result": {
            "publicKey": BASE64_STANDARD.encode(root),
            "signerDelegation": [{
                "delegation": { "pubkey": key, "expiration": expiration.to_string() },
                "signature": BASE64_STANDARD.encode(signed.signature.context("not signed")?),
            }],
        }}),
    )
}

/// Nobody is signed in, and the window is still waited for.
async fn still_waiting(browser: &Browser) -> Result<()> {
    let there = browser.page.windows().await?.len();
    ensure!(there == 2, "{there} windows are open");
    let waiting = count(browser, "[data-testid='sign-in-waiting']").await?;
    ensure!(waiting == 1, "the page shows: {}", browser.text().await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_40_a_delegation_from_anyone_but_the_sign_in_window_signs_nobody_in() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let (_folder, other) = other_site(&network.website_url())?;
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    let browser = &visitor.browser;
    let page = &browser.page;
    let own = page.window().await?;
    let mut tools = DevTools::connect(browser).await?;
    let place = tools.page(&own.to_string()).await?;
    let hearing = "window.heard = 0; addEventListener('message', ({ data }) => {
        if (data.id === 'salus-delegation') window.heard += 1; else window.ready = true;
    }); null";
    tools.evaluate(&place, hearing).await?;
    browser.click("sign-in").await?;
    until(browser, "return window.ready === true").await?;
    let windows = page.windows().await?;
    let popup = windows.into_iter().find(|window| *window != own);
    let popup = popup.context("no window opened")?;
    let thief = BasicIdentity::from_raw_key(&[66; 32]);
    let forged = forged(&mut tools, &place, &thief).await?;

    // From the page's own window, and from another that is where the one that was opened is.
    run(browser, &format!("window.postMessage({forged}, '*')")).await?;
    until(browser, "return window.heard === 1").await?;
    still_waiting(browser).await?;
    page.switch_to_window(popup.clone()).await?;
    let there = page.current_url().await?;
    page.switch_to_window(own.clone()).await?;
    run(browser, &format!("window.open('{there}', 'another')")).await?;
    let windows = page.windows().await?;
    let another = windows.into_iter().find(|w| *w != own && *w != popup);
    page.switch_to_window(another.context("no window opened")?)
        .await?;
    until(browser, &format!("return location.href === '{there}'")).await?;
    run(
        browser,
        &format!("window.opener.postMessage({forged}, '*')"),
    )
    .await?;
    page.close_window().await?;
    page.switch_to_window(own.clone()).await?;
    until(browser, "return window.heard === 2").await?;
    still_waiting(browser).await?;

    // From that very window, which is on another site now.
    page.switch_to_window(popup).await?;
    run(browser, &format!("location.href = '{other}own.html'")).await?;
    until(browser, "return document.title === 'Own'").await?;
    let ready = json!({ "jsonrpc": "2.0", "id": "salus-status", "result": "ready" });
    for message in [&ready, &forged] {
        run(
            browser,
            &format!("window.opener.postMessage({message}, '*')"),
        )
        .await?;
    }
    page.switch_to_window(own.clone()).await?;
    until(browser, "return window.heard === 3").await?;
    still_waiting(browser).await?;

    // Who signs in afterwards is who they are.
    browser.click("sign-in-cancel").await?;
    visitor.sign_in(true).await?;
    visitor.create_vault(false).await?;
    visitor.go("account").await?;
    let browser = &visitor.browser;
    let principal = browser.see("principal").await?.text().await?;
    let thiefs = thief.sender().map_err(anyhow::Error::msg)?.to_text();
    ensure!(!principal.contains(&thiefs), "signed in as the thief");

    // The worker is in nobody's hands but the page's own: no name of the page leads to it, and what is
    // sent to the page is not handed on to it.
    let reached = "return Object.getOwnPropertyNames(window).filter((name) => {
        try { return window[name] instanceof Worker } catch { return false }
    })";
    ensure!(run(browser, reached).await? == json!([]));
    run(
        browser,
        "window.postMessage({ bytes: new Uint8Array(9), files: [] }, '*')",
    )
    .await?;
    visitor.go("").await?;
    browser.see("greeting").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
