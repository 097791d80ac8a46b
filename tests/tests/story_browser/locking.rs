//! Locking in the browser: by oneself, by being away, by another tab; and being asked again for what
//! decides about keys.

use super::super::*;
use salus_tests::devtools::{DevTools, Place};

const MINUTE: i64 = 60_000;

/// The worker of a page, seen through the DevTools.
struct Inside {
    tools: DevTools,
    worker: Place,
}

impl Inside {
    async fn of(visitor: &Visitor) -> Result<Self> {
        let page = &visitor.browser.page;
        let mut tools = DevTools::connect(&visitor.browser).await?;
        let page = tools.page(&page.window().await?.to_string()).await?;
        let worker = tools.worker(&page).await?;
        Ok(Self { tools, worker })
    }

    /// The worker finds itself later than it is, as after sleeping.
    async fn later(&mut self, ms: i64) -> Result<()> {
        self.tools.set_ahead(&self.worker, ms).await
    }

    /// So long goes by, and its clock is then set to so much behind.
    async fn set_back(&mut self, behind: i64, gone_by: i64) -> Result<()> {
        self.tools.set_ahead(&self.worker, -behind).await?;
        self.tools.set_steady_ahead(&self.worker, gone_by).await
    }
}

/// Waits until this is how long nobody need be there.
async fn chosen(visitor: &Visitor, minutes: u32) -> Result<()> {
    let css = format!("[data-testid='idle-minutes'] option[value='{minutes}']:checked");
    visitor.browser.see_css(&css).await.map(drop)
}

async fn arrive(network: &Network, name: &str, stay: bool) -> Result<Visitor> {
    let mut visitor = Visitor::arrive(network, name).await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(stay).await?;
    Ok(visitor)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_away_is_warned_and_then_locked_out() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let visitor = arrive(&network, "Ana Ferreira", true).await?;
    let browser = &visitor.browser;
    visitor.go("account").await?;
    chosen(&visitor, 15).await?;
    let name = browser.see_text("Ana Ferreira").await;
    name.context("the name is shown while it is unlocked")?;

    // A minute before the time people are warned, and any sign of life is enough.
    let mut inside = Inside::of(&visitor).await?;
    inside.later(14 * MINUTE + MINUTE / 2).await?;
    browser.see("locking").await?;
    picture(browser, "locking.png").await?;
    browser.click("locking-stay").await?;
    browser.gone("locking").await?;

    // From then on the time counts anew, and at its end the screen is empty of everything.
    inside.later(28 * MINUTE).await?;
    visitor.go("sharing").await?;
    browser.see("invite").await?;
    inside.later(30 * MINUTE).await?;
    browser.see("unlock").await?;
    let page = browser.page.source().await?;
    ensure!(!page.contains("Ferreira"), "the name is still in the page");
    let place = browser.page.current_url().await?;
    ensure!(place.fragment() == Some("/sharing"), "{place}");

    // A browser that stays unlocked waits for its owner's click, even when it is loaded anew.
    browser.page.refresh().await?;
    browser.click("unlock-here").await?;
    browser.see("invite").await?;

    // Whoever treats others has shorter to be away, unless they choose.
    visitor.register("Family medicine").await?;
    visitor.go("account").await?;
    chosen(&visitor, 5).await?;
    browser
        .click_css("[data-testid='idle-minutes'] option[value='1']")
        .await?;
    browser.page.refresh().await?;
    chosen(&visitor, 1).await?;
    let mut inside = Inside::of(&visitor).await?;
    inside.later(2 * MINUTE).await?;
    browser.see("unlock").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_stay_open_for_one_another_and_lock_together() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let visitor = arrive(&network, "Ana Ferreira", true).await?;
    let browser = &visitor.browser;
    let first = browser.page.window().await?;
    let mut here = Inside::of(&visitor).await?;
    let second = browser.page.new_tab().await?;
    browser.page.switch_to_window(second.clone()).await?;
    visitor.go("").await?;
    browser.see("greeting").await?;
    let mut there = Inside::of(&visitor).await?;

    // Somebody is in the second tab; the first, where nobody was for longer than it waits, stays.
    for inside in [&mut here, &mut there] {
        inside.later(14 * MINUTE + MINUTE / 2).await?;
    }
    browser.click("locking-stay").await?;
    browser.gone("locking").await?;
    for inside in [&mut here, &mut there] {
        inside.later(20 * MINUTE).await?;
    }
    browser.page.switch_to_window(first.clone()).await?;
    visitor.go("records").await?;
    browser.see("add-record").await?;

    // It is locked in one of them, and the other is too.
    browser.click("lock").await?;
    browser.see("unlock").await?;
    browser.page.switch_to_window(second.clone()).await?;
    browser.see("unlock").await?;

    // The same when nobody is in either.
    for tab in [&first, &second] {
        browser.page.switch_to_window(tab.clone()).await?;
        browser.click("unlock-here").await?;
        browser.see("lock").await?;
    }
    let mut there = Inside::of(&visitor).await?;
    there.later(16 * MINUTE).await?;
    browser.see("unlock").await?;
    browser.page.switch_to_window(first.clone()).await?;
    browser.see("unlock").await?;

    // And signing out in one signs the other out.
    browser.click("sign-out").await?;
    browser.click("sign-out-confirm").await?;
    browser.see("welcome").await?;
    browser.page.switch_to_window(second).await?;
    browser.page.refresh().await?;
    browser.see("welcome").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_decides_about_keys_asks_whoever_sits_there_to_show_who_they_are() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let visitor = arrive(&network, "Ana Ferreira", false).await?;
    let browser = &visitor.browser;

    // Some minutes after the words were typed, they are asked for again.
    visitor.go("security").await?;
    browser.click("stay-unlocked").await?;
    let mut inside = Inside::of(&visitor).await?;
    inside.later(6 * MINUTE).await?;
    browser.click("stay-confirm").await?;
    browser.see("prove").await?;
    // On time again, so that what the network certifies is believed.
    inside.later(0).await?;
    let stranger = [["abandon"; 23].join(" "), "art".into()].join(" ");
    browser.fill("prove-phrase", &stranger).await?;
    browser.click("prove-send").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("wrong-phrase"));
    ensure!(count(browser, "[data-testid='slot']").await? == 1);
    pictures(browser, "prove").await?;

    // With them it goes on by itself.
    browser.fill("prove-phrase", &visitor.phrase()).await?;
    browser.click("prove-send").await?;
    browser.gone("prove").await?;
    browser.see_css("[data-testid='slot']:nth-child(2)").await?;

    // A clock that is set back makes no proof newer, and one from the future is none.
    for (behind, gone_by) in [(3 * MINUTE, 6 * MINUTE), (3 * MINUTE, 0)] {
        inside.set_back(behind, gone_by).await?;
        browser.click("passkey-add").await?;
        browser.see("prove").await?;
        browser.click("prove-cancel").await?;
        browser.click("passkey-cancel").await?;
        browser.gone("passkey-dialog").await?;
    }
    inside.set_back(0, 0).await?;
    browser.click("passkey-add").await?;
    browser
        .see_css("[data-testid='passkey-make']:enabled")
        .await?;
    browser.click("passkey-cancel").await?;

    // That this browser opens by itself shows nothing about who sits in front of it.
    browser.page.refresh().await?;
    browser.see("slot").await?;
    for (button, confirm) in [
        ("slot-remove", "remove-confirm"),
        ("stay-unlocked", "stay-confirm"),
    ] {
        browser.click(button).await?;
        browser.click(confirm).await?;
    }
    browser.see("prove").await?;
    browser.click("prove-cancel").await?;
    browser.gone("prove").await?;
    browser.click("stay-cancel").await?;
    browser.gone("stay-dialog").await?;
    ensure!(count(browser, "[data-testid='slot']").await? == 1);
    browser.click("renew").await?;
    browser.see("prove").await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ends_takes_no_way_in_with_it_and_signing_out_asks_first() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in_briefly().await?;
    visitor.create_vault(true).await?;
    let mut inside = Inside::of(&visitor).await?;
    inside.later(11 * MINUTE).await?;
    let browser = &visitor.browser;
    visitor.go("sharing").await?;
    browser.see("welcome").await?;

    // The same person signs in again, and the browser opens the records by itself as before.
    visitor.sign_in(false).await?;
    browser.see("invite").await?;
    visitor.go("security").await?;
    browser.see_css("[data-testid='slot']:nth-child(2)").await?;

    // Signing out would take that; it is said what is left, and one can think again.
    visitor.go("account").await?;
    browser.click("sign-out").await?;
    browser.see("sign-out-only").await?;
    pictures(browser, "sign-out").await?;
    browser.click("sign-out-cancel").await?;
    browser.gone("sign-out-dialog").await?;
    browser.click("sign-out").await?;
    browser.click("sign-out-confirm").await?;
    browser.see("welcome").await?;
    visitor.sign_in(false).await?;
    browser.see("unlock").await?;
    visitor.go("").await?;
    visitor.unlock().await?;
    visitor.go("security").await?;
    browser.see_css(ONLY_SLOT).await?;
    Ok(())
}
