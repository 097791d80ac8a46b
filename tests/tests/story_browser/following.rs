//! One record shared, with what becomes of it.

use super::super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_shared_with_its_later_versions_shows_them() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut patient = Visitor::arrive(&network, "Ana Ferreira").await?;
    let mut provider = Visitor::arrive(&network, "Dr Ximena Ruiz").await?;
    provider.sign_in(true).await?;
    provider.create_vault(false).await?;
    provider.register("Family medicine").await?;
    patient.sign_in(false).await?;
    patient.create_vault(false).await?;
    patient.go("add").await?;
    write(&patient, "Sleep diary", "Slept five hours.").await?;
    let record = patient.browser.page.current_url().await?;

    // Shared by name, with what will be added to it.
    let browser = &patient.browser;
    browser.click("share-record").await?;
    browser.click("choose-provider").await?;
    browser.click("scope-follows").await?;
    browser.fill("terms-purpose", "Advice on sleep").await?;
    browser.click("give").await?;
    let scope = browser.see("grant-scope").await?.text().await?;
    ensure!(scope.contains("with later versions"), "{scope}");

    // The provider reads it as it is.
    let read = async |note: &str| -> Result<()> {
        provider.go("practice").await?;
        let browser = &provider.browser;
        browser.click_css("[data-testid='patient-item'] a").await?;
        // Once listed, it stays so for this visit.
        let list = "[data-testid='list-records'], [data-testid='record-item']";
        let there = browser.see_css(list).await?;
        if there.attr("data-testid").await?.as_deref() == Some("list-records") {
            there.click().await?;
        }
        open_item(browser, "Sleep diary").await?;
        browser.see_text(note).await
    };
    read("Slept five hours.").await?;

    // And as it is after it was changed: the page that changed it passes the new keys on.
    browser.page.goto(record.as_str()).await?;
    browser.click("amend").await?;
    write(&patient, "Sleep diary", "Slept seven hours.").await?;
    patient.go("activity").await?;
    let passed_on = "[data-testid='audit-entry'][data-kind='keys-passed-on']";
    patient.browser.see_css(passed_on).await?;
    read("Slept seven hours.").await?;
    let complaints = [patient.complaints().await?, provider.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
