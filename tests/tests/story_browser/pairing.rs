//! A second browser by help of the first: a code, the same words in both, and a yes in both.

use super::super::*;

async fn words(browser: &Browser) -> Result<Vec<String>> {
    browser.see("pair-words").await?;
    let mut words = Vec::new();
    for word in browser
        .page
        .find_all(By::Css("[data-testid='pair-word']"))
        .await?
    {
        words.push(word.text().await?);
    }
    Ok(words)
}

/// As far as the words, which are the same in both.
async fn compared(first: &Visitor, second: &Visitor, label: &str) -> Result<()> {
    second.browser.click("pair-from-other").await?;
    let code = second.browser.see("pair-code").await?.text().await?;
    second.browser.see("qr").await?;
    first.go("account").await?;
    first.browser.click("pair-let-in").await?;
    first
        .browser
        .fill("pair-code-input", &code.to_lowercase())
        .await?;
    first.browser.fill("pair-label", label).await?;
    first.browser.click("pair-answer").await?;
    let (own, theirs) = (words(&first.browser).await?, words(&second.browser).await?);
    ensure!(own == theirs && own.len() == 4, "{own:?} and {theirs:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_browser_is_let_in_by_the_first() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut first = Visitor::arrive(&network, "Ana Ferreira").await?;
    first.sign_in(false).await?;
    first.create_vault(false).await?;
    let second = Visitor::arrive(&network, "Ana Ferreira").await?;
    second.sign_in(false).await?;
    second.browser.see("unlock").await?;

    // A code that nobody shows, and one with a slip of the finger.
    first.go("pair").await?;
    for (code, kind) in [("MPJT-B9D5-1", "not-found"), ("MPJT-B9D5-2", "invalid")] {
        first.browser.fill("pair-code-input", code).await?;
        first.browser.click("pair-answer").await?;
        let refused = format!("[data-testid='problem'][data-kind='{kind}']");
        first.browser.see_css(&refused).await?;
    }

    compared(&first, &second, "The laptop").await?;
    picture(&second.browser, "pairing.png").await?;
    second.browser.click("pair-same").await?;
    first.browser.click("pair-same").await?;
    second.browser.see("greeting").await?;
    first.browser.see_text("The laptop").await?;
    first.go("activity").await?;
    let paired = "[data-testid='audit-entry'][data-kind='device-paired']";
    first.browser.see_css(paired).await?;

    // The next visit finds the records open.
    second.browser.page.refresh().await?;
    second.browser.see("greeting").await?;
    let complaints = [first.complaints().await?, second.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sign_in_is_let_in_but_not_with_other_words() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut first = Visitor::arrive(&network, "Ana Ferreira").await?;
    first.sign_in(false).await?;
    first.create_vault(false).await?;
    let second = Visitor::arrive(&network, "Ana F.").await?;
    second.sign_in(true).await?;
    second.browser.click("have-phrase").await?;

    // The person at the new browser sees other words: nothing comes of it on either side.
    compared(&first, &second, "").await?;
    first.browser.see("pair-joins").await?;
    second.browser.click("pair-differ").await?;
    second.browser.see("pair-ended").await?;
    first.browser.click("pair-same").await?;
    let over = "[data-testid='problem'][data-kind='expired']";
    first.browser.see_css(over).await?;
    first.go("security").await?;
    first.browser.see_css(ONLY_SLOT).await?;

    second.browser.click("pair-back").await?;
    second.browser.click("have-phrase").await?;
    compared(&first, &second, "").await?;
    first.browser.click("pair-same").await?;
    second.browser.click("pair-same").await?;
    let greeting = second.browser.see("greeting").await?.text().await?;
    ensure!(greeting.contains("Ana Ferreira"), "greeted as `{greeting}`");
    let complaints = [first.complaints().await?, second.complaints().await?].concat();
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
