//! Whether it is really them: compared in two browsers, changed by a recovery, accepted.

use super::super::*;
use salus_tests::person::Person;

async fn shown(browser: &Browser, testid: &str) -> Result<String> {
    let element = browser.see(testid).await?;
    let value = element.prop("value").await?;
    match value.filter(|value| !value.is_empty()) {
        Some(value) => Ok(value),
        None => Ok(element.text().await?),
    }
}

/// Opens what two people compare, on the page that is there.
async fn compare(browser: &Browser) -> Result<(String, String)> {
    browser.click("safety-open").await?;
    let digits = shown(browser, "safety-together").await?;
    Ok((digits, shown(browser, "safety-code").await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_compare_and_changed_keys_wait_to_be_accepted() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut patient = Visitor::arrive(&network, "Ana Ferreira").await?;
    let mut provider = Visitor::arrive(&network, "Dr Ximena Ruiz").await?;
    provider.sign_in(true).await?;
    provider.create_vault(false).await?;
    provider.register("Family medicine").await?;
    patient.sign_in(false).await?;
    patient.create_vault(true).await?;
    let link = patient.invite().await?;
    provider.ask(&link, "Second opinion").await?;

    // Before answering, the patient can see what to compare.
    patient.review().await?;
    let browser = &patient.browser;
    let (digits, own_code) = compare(browser).await?;
    picture(browser, "safety.png").await?;
    browser.fill("safety-shown", &own_code).await?;
    browser.click("safety-compare").await?;
    browser
        .see_css("[data-testid='problem'][data-kind='invalid']")
        .await?;
    browser.fill("safety-shown", "00000 11111 22222").await?;
    browser.click("safety-compare").await?;
    browser
        .see_css("[data-testid='problem'][data-kind='not-the-same']")
        .await?;
    patient.approve().await?;

    // The provider sees the same digits, and her code confirms.
    provider.go("practice").await?;
    provider
        .browser
        .click_css("[data-testid='patient-item'] a")
        .await?;
    let (hers, code) = compare(&provider.browser).await?;
    ensure!(hers == digits, "`{hers}` and `{digits}`");
    patient.go("sharing").await?;
    compare(browser).await?;
    browser.fill("safety-shown", &code).await?;
    browser.click("safety-compare").await?;
    browser.see("safety-verified").await?;
    let verified = "[data-testid='grant-item'] [data-trust='verified']";
    browser.see_css(verified).await?;
    // It is remembered with the account, not by the page.
    patient.go("").await?;
    browser.page.refresh().await?;
    browser.see("greeting").await?;
    patient.go("sharing").await?;
    browser.see_css(verified).await?;

    // She takes her account back with her words, at a terminal.
    let terminal = Person::new(&network, "terminal")?;
    let words = terminal.home().join("words");
    std::fs::write(&words, provider.phrase())?;
    let words = words.to_string_lossy().into_owned();
    terminal.salus(&["account", "unlock", "--recovery", &words])?;
    terminal.salus(&["account", "recover", "--recovery", &words])?;
    patient.go("").await?;
    patient.go("sharing").await?;
    browser
        .see_css("[data-testid='keys-changed'][data-change='recovered']")
        .await?;
    picture(browser, "keys-changed.png").await?;
    // Nothing can be given until it is accepted.
    patient.go("sharing/give").await?;
    browser.click("choose-provider").await?;
    browser.see("keys-changed").await?;
    browser.click("scope-everything").await?;
    browser.fill("terms-purpose", "More advice").await?;
    let give = browser.see("give").await?;
    ensure!(!give.is_enabled().await?, "giving is possible");
    // Nor by whoever sits down at a screen that opened by itself.
    browser.click("keys-accept").await?;
    browser.fill("prove-phrase", &patient.phrase()).await?;
    browser.click("prove-send").await?;
    browser.gone("keys-changed").await?;
    browser.click("give").await?;
    browser.see("grant-item").await?;
    browser.gone("keys-changed").await?;
    browser
        .see_css("[data-testid='grant-item'] [data-trust='pinned']")
        .await?;
    patient.go("activity").await?;
    browser
        .see_css("[data-testid='audit-entry'][data-kind='keys-pinned']")
        .await?;
    let complaints = patient.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
