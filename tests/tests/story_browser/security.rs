//! Losing things: a browser, a sign-in, the words' sheet; and making every key anew.

use super::super::*;
use salus_tests::devtools::DevTools;
use serde_json::json;

/// The way to unlock that is another browser's.
const ELSEWHERE: &str = "[data-testid='slot'][data-here='false']:has([data-testid='slot-remove'])";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_browser_is_locked_out_and_every_key_it_had_is_new() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut owner = Visitor::arrive(&network, "Ana Ferreira").await?;
    owner.sign_in(false).await?;
    owner.create_vault(true).await?;
    let mut lost = Visitor::arrive(&network, "Ana Ferreira").await?;
    lost.sign_in(false).await?;
    lost.remember_phrase(&owner.phrase());
    lost.browser.see("unlock").await?;
    lost.browser.click("stay-unlocked").await?;
    lost.unlock().await?;
    slots(&lost, 3).await?;

    // Its owner finds it in the list by a name, and locks it out.
    slots(&owner, 3).await?;
    let browser = &owner.browser;
    let name = browser.see_css(ELSEWHERE).await?.text().await?;
    ensure!(name.contains("Chromium on Linux"), "called `{name}`");
    pictures(browser, "security").await?;
    let id = browser.see_css(ELSEWHERE).await?.attr("data-slot").await?;
    browser.click("lost").await?;
    browser
        .click(&format!("lost-{}", id.context("no id")?))
        .await?;
    pictures(browser, "lost").await?;
    browser.click("lost-confirm").await?;
    browser.see("renewed").await?;
    browser.click("lost-done").await?;
    slots(&owner, 2).await?;
    let kinds = trail(&owner).await?;
    for kind in ["slot-removed", "identity-rotated"] {
        ensure!(kinds.iter().any(|k| k == kind), "no {kind} in {kinds:?}");
    }

    // What the lost one opened by itself it opens no more, and the words still do.
    lost.browser.see("recovery-phrase").await?;
    lost.go("").await?;
    lost.unlock().await?;

    // Signed out everywhere else, only this browser and the words are left.
    lost.go("security").await?;
    lost.browser.click("stay-unlocked").await?;
    lost.browser.fill("stay-label", "The laptop").await?;
    lost.browser.click("stay-confirm").await?;
    lost.browser.gone("stay-dialog").await?;
    lost.browser.see_text("The laptop").await?;
    slots(&owner, 3).await?;
    browser.see_text("The laptop").await?;
    browser.click("sign-out-everywhere").await?;
    browser.click("remove-confirm").await?;
    browser.gone("remove-dialog").await?;
    browser.gone("sign-out-everywhere").await?;
    slots(&owner, 2).await?;
    // Open there, it locks by itself.
    lost.browser.see("unlock").await?;

    // Everything anew once more, stopped and gone on with or not: it ends well.
    browser.click("renew").await?;
    browser.see("renewed").await?;
    let complaints = [owner.complaints().await?, lost.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_sign_in_is_removed_by_the_one_that_took_its_place() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut before = Visitor::arrive(&network, "Ana Ferreira").await?;
    before.sign_in(false).await?;
    before.create_vault(false).await?;
    before.go("security").await?;
    before.browser.click("sign-in-add").await?;
    let site = before.browser.see("site").await?.text().await?;
    ensure!(
        network.website_url().starts_with(&site),
        "sent to `{site}`, which is not this site"
    );

    // The person comes by another sign-in, with the words, and ends the one that is lost.
    let mut after = Visitor::arrive(&network, "Ana F.").await?;
    after.sign_in(true).await?;
    after.remember_phrase(&before.phrase());
    after.join().await?;
    after.go("security").await?;
    let browser = &after.browser;
    browser
        .see_css("[data-testid='sign-in-item']:nth-child(2)")
        .await?;
    browser.click("sign-in-remove").await?;
    browser.click("sign-in-remove-confirm").await?;
    browser.gone("remove-sign-in-dialog").await?;
    browser
        .see_css("[data-testid='sign-in-item'][data-here='true']:only-child")
        .await?;

    // Whoever has the old one is a stranger to the vault.
    before.browser.page.refresh().await?;
    before.browser.see("create").await?;
    after.browser.page.refresh().await?;
    after.browser.see("unlock").await?;
    let complaints = [before.complaints().await?, after.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_somebody_read_are_replaced_and_open_nothing_from_then_on() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut owner = Visitor::arrive(&network, "Ana Ferreira").await?;
    owner.sign_in(false).await?;
    owner.create_vault(true).await?;
    owner.go("add").await?;
    write(&owner, "Sleep diary", "Slept five hours.").await?;
    let old = owner.phrase();
    owner.go("security").await?;
    let browser = &owner.browser;
    browser.click("words-replace").await?;
    let stranger = [["abandon"; 23].join(" "), "art".into()].join(" ");
    browser.fill("replace-old", &stranger).await?;
    browser.click("replace-begin").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("wrong-phrase"));
    browser.fill("replace-old", &old).await?;
    browser.click("replace-begin").await?;
    owner.read_words().await?;
    ensure!(owner.phrase() != old, "the words are the same");
    pictures(&owner.browser, "replace-words").await?;
    owner.confirm_words("replace-finish").await?;
    slots(&owner, 2).await?;

    // This visit goes on, and what opened by itself still does.
    let browser = &owner.browser;
    owner.go("records").await?;
    browser.see("record-item").await?;
    browser.page.refresh().await?;
    browser.see("record-item").await?;

    // In another browser the old words open nothing, and the new ones do.
    let mut other = Visitor::arrive(&network, "Ana Ferreira").await?;
    other.sign_in(false).await?;
    let there = &other.browser;
    there.fill("recovery-phrase", &old).await?;
    there.click("unlock-with-phrase").await?;
    there
        .see_css("[data-testid='problem'][data-kind='wrong-phrase']")
        .await?;
    other.remember_phrase(&owner.phrase());
    other.unlock().await?;
    let complaints = [owner.complaints().await?, other.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn making_all_keys_new_is_stopped_shown_as_unfinished_and_gone_on_with() -> Result<()> {
    // With the latency of mainnet, so that there is something to stop.
    let Some((_turn, network)) = stage(Options { delay: true }).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    visitor.go("add").await?;
    write(&visitor, "Sleep diary", "Slept five hours.").await?;
    visitor.go("security").await?;
    let browser = &visitor.browser;
    browser.click("renew").await?;
    // The keys are new, and the records are on their way to lie under them.
    browser.see_text("Locking it on this device").await?;
    browser.click("cancel-operation").await?;
    browser.see("renew-unfinished").await?;
    picture(browser, "renew-unfinished.png").await?;

    // The next visit is told of it without looking for it.
    visitor.go("").await?;
    browser.page.refresh().await?;
    visitor.unlock().await?;
    browser.click("renewal-left").await?;
    browser.see("renew-unfinished").await?;
    browser.click("renew").await?;
    browser.see("renewed").await?;
    visitor.go("").await?;
    browser.see("greeting").await?;
    browser.gone("renewal-left").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

/// What the page would print, as text.
async fn on_paper(tools: &mut DevTools, browser: &Browser) -> Result<String> {
    let page = tools
        .page(&browser.page.window().await?.to_string())
        .await?;
    let media = |media: &str| json!({ "media": media });
    let print = media("print");
    tools
        .call(Some(&page), "Emulation.setEmulatedMedia", print)
        .await?;
    let text = browser.see("sheet-paper").await?.text().await?;
    tools
        .call(Some(&page), "Emulation.setEmulatedMedia", media(""))
        .await?;
    Ok(text)
}

/// How many pages the browser would print.
async fn pages(tools: &mut DevTools, browser: &Browser, name: &str) -> Result<usize> {
    let page = tools
        .page(&browser.page.window().await?.to_string())
        .await?;
    let params = json!({ "preferCSSPageSize": true, "paperWidth": 8.27, "paperHeight": 11.69 });
    let answer = tools.call(Some(&page), "Page.printToPDF", params).await?;
    let pdf = answer["data"].as_str().context("no data")?;
    let expression = format!(
        "Array.from(Uint8Array.fromBase64('{pdf}'), (b) => String.fromCharCode(b)).join('')"
    );
    let text = tools.evaluate(&page, &expression).await?;
    let text = text.as_str().context("no text")?;
    let folder = built::root().join("target/salus/screenshots");
    std::fs::create_dir_all(&folder)?;
    let bytes: Vec<u8> = text
        .chars()
        .filter_map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    std::fs::write(folder.join(format!("{name}.pdf")), bytes)?;
    let all = text.matches("/Type /Page").count();
    Ok(all - text.matches("/Type /Pages").count())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recovery_sheet_is_one_page_and_asks_for_the_words() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    let mut tools = DevTools::connect(&visitor.browser).await?;

    // When the words are new.
    visitor.read_phrase(false).await?;
    let browser = &visitor.browser;
    ensure!(pages(&mut tools, browser, "sheet-new").await? == 1);
    visitor.confirm_phrase().await?;

    // And later, for whoever can type them.
    let browser = &visitor.browser;
    visitor.go("security").await?;
    browser.click("sheet").await?;
    let stranger = [["abandon"; 23].join(" "), "art".into()].join(" ");
    browser.fill("sheet-phrase", &stranger).await?;
    browser.click("sheet-make").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("wrong-phrase"));
    browser.fill("sheet-phrase", &visitor.phrase()).await?;
    browser.click("sheet-make").await?;
    browser.see("sheet-paper").await?;
    let mut words = Vec::new();
    for word in browser
        .page
        .find_all(By::Css("[data-testid='phrase-word']"))
        .await?
    {
        words.push(word.text().await?.trim().to_owned());
    }
    ensure!(words.join(" ") == visitor.phrase());
    ensure!(pages(&mut tools, browser, "sheet").await? == 1);
    let paper = on_paper(&mut tools, browser).await?;
    ensure!(paper.contains("only inside Salus"), "{paper}");
    // The code is offered to be scanned where the browser reads codes.
    let reads = browser
        .page
        .execute("return 'BarcodeDetector' in window", Vec::new())
        .await?
        .convert::<bool>()?;
    if !reads {
        println!("NOT RUN: scanning the sheet, because this browser reads no codes");
    }
    browser.click("sheet-done").await?;
    browser.see("slot").await?;
    browser.click("lock").await?;
    browser.see("unlock").await?;
    let scanners = count(browser, "[data-testid='recovery-phrase-scan']").await?;
    ensure!((scanners == 1) == reads, "{scanners} places to scan");
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
