//! Importing in the browser: stopped half-way, gone on with.

use super::super::*;
use salus_tests::data;

/// More than the calls hold that are on their way at once.
const CONDITIONS: usize = 700;

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_import_says_what_is_stored_and_goes_on_from_there() -> Result<()> {
    // With mainnet's latency there is time to stop it.
    let Some((_turn, network)) = stage(Options { delay: true }).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Made-Up").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    let file = tempfile::Builder::new().suffix(".json").tempfile()?;
    std::fs::write(file.path(), data::conditions(CONDITIONS))?;

    visitor.begin_import(file.path()).await?;
    let browser = &visitor.browser;
    let begun = "progress[value]:not([value='0'])";
    browser.see_css(begun).await?;
    browser.click("cancel-operation").await?;
    let problem = browser.see("problem").await?;
    ensure!(problem.attr("data-kind").await?.as_deref() == Some("cancelled"));
    let words = problem.text().await?;
    ensure!(!words.contains("Nothing was changed"), "{words}");
    let total = CONDITIONS + 1;
    let numbers: Vec<usize> = words
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    let [stored, of] = numbers.as_slice() else {
        anyhow::bail!("how many are stored is not said: {words}");
    };
    ensure!(*of == total && (1..total).contains(stored), "{words}");

    // The same file again goes on from there.
    browser.click("import-bundle").await?;
    let rest = visitor.imported().await?;
    ensure!(rest as usize == total - stored, "{rest} more, {words}");
    visitor.go("").await?;
    visitor.browser.see("compartment-card").await?;
    visitor
        .browser
        .see_text(&format!("{CONDITIONS} records"))
        .await?;
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
