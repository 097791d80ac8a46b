//! Script in whatever people can write, and others are shown: it appears as it was written, and nothing
//! of it runs or becomes part of the page.

use super::super::*;

/// Runs, if the page takes it for markup.
fn script(n: u32) -> String {
    format!("<img src=x onerror=ran.push({n})>")
}

const NOTES: &str = "<script>ran.push(50)</script> <a href=javascript:ran.push(51)>here</a>";
const LINK: &str = "javascript:ran.push(52)";

/// What became of it: what ran, and what is in the page that only markup could have put there.
const BECAME: &str = "return [window.ran, ...document.querySelectorAll(
    'img[src=x], script:not([src]), [onerror], [href^=javascript], iframe, object, embed'
)].map(String)";

/// The page shows these as they were written, and made nothing of them.
async fn shows(visitor: &Visitor, texts: &[&str]) -> Result<()> {
    for text in texts {
        visitor.browser.see_text(text).await?;
    }
    let became = visitor.browser.page.execute(BECAME, Vec::new()).await?;
    ensure!(*became.json() == json!([""]), "became {}", became.json());
    Ok(())
}

async fn arrive(network: &Network, name: &str) -> Result<Visitor> {
    let mut visitor = Visitor::arrive(network, name).await?;
    let page = &visitor.browser.page;
    page.execute("window.ran = []", Vec::new()).await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(false).await?;
    visitor.browser.see("greeting").await?;
    shows(&visitor, &[name]).await?;
    Ok(visitor)
}

/// A bundle as another program might have written it.
fn bundle() -> String {
    let name = script(30);
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": script(31) }] } },
        { "resource": {
            "resourceType": "Condition", "id": "c", "subject": { "reference": "Patient/p" },
            "text": { "status": "generated",
                      "div": "<div xmlns='http://www.w3.org/1999/xhtml'><script>ran.push(32)</script></div>" },
            "code": { "text": name, "coding": [{ "system": LINK, "display": script(33) }] },
            "note": [{ "text": script(34) }],
        } },
    ]})
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_37_script_in_what_people_write_is_shown_and_does_nothing() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let [name, doctor, specialty] = [1, 2, 3].map(script);
    let patient = arrive(&network, &name).await?;
    let browser = &patient.browser;

    // A category, a record with a file in it, a way to unlock.
    let [category, title, label] = [4, 5, 6].map(script);
    patient.go("records").await?;
    browser.click("add-compartment").await?;
    browser.fill("compartment-name", &category).await?;
    browser.click("compartment-save").await?;
    shows(&patient, &[&category]).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join(format!("{}.bin", script(7)));
    std::fs::write(&file, [0, 1, 2, 3])?;
    patient.choose_file(&file).await?;
    // Among what will be asked for.
    let conditions = "//select[@data-testid='record-compartment']/option[.='Conditions']";
    let choice = browser.page.query(By::XPath(conditions));
    choice.wait(PATIENCE, LOOK).first().await?.click().await?;
    browser.fill("record-title-input", &title).await?;
    browser.fill("record-note-input", NOTES).await?;
    browser.click("save-record").await?;
    browser.see("record").await?;
    shows(&patient, &[&title, NOTES, &script(7)]).await?;
    browser.click("history").await?;
    browser.see("version-item").await?;
    shows(&patient, &[&title]).await?;
    patient.go("security").await?;
    browser.click("stay-unlocked").await?;
    browser.fill("stay-label", &label).await?;
    browser.click("stay-confirm").await?;
    browser.gone("stay-dialog").await?;
    shows(&patient, &[&label]).await?;

    // What another program wrote.
    let file = folder.path().join("bundle.json");
    std::fs::write(&file, bundle())?;
    patient.import(&file).await?;
    patient.go("records").await?;
    shows(&patient, &[&script(30), &title, &category]).await?;
    open_item(browser, &script(30)).await?;
    shows(&patient, &[&script(30)]).await?;

    // A provider: name and specialty, why they ask, and what they write back.
    let provider = arrive(&network, &doctor).await?;
    provider.register(&specialty).await?;
    provider.go("account").await?;
    shows(&provider, &[&doctor]).await?;
    let link = patient.invite().await?;
    let purpose = script(8);
    provider.ask(&link, &purpose).await?;
    patient.go("").await?;
    browser.see("waiting-request").await?;
    shows(&patient, &[&doctor, &category]).await?;
    patient.review().await?;
    shows(&patient, &[&doctor, &purpose]).await?;
    patient.approve().await?;
    shows(&patient, &[&doctor]).await?;
    patient.go("sharing/give").await?;
    browser.see("directory-item").await?;
    shows(&patient, &[&doctor, &specialty]).await?;

    provider.go("practice").await?;
    let theirs = &provider.browser;
    theirs.click_css("[data-testid='patient-item'] a").await?;
    theirs.click("list-records").await?;
    theirs.see("record-item").await?;
    shows(&provider, &[&title, &script(30)]).await?;
    open_item(theirs, &title).await?;
    shows(&provider, &[&title, NOTES, &script(7)]).await?;
    provider.go("practice").await?;
    theirs.click_css("[data-testid='patient-item'] a").await?;
    theirs.click("write-note").await?;
    let answer = script(9);
    theirs.fill("record-title-input", &answer).await?;
    theirs.fill("record-note-input", NOTES).await?;
    theirs.click("save-record").await?;
    theirs.see("said").await?;
    patient.go("records").await?;
    open_item(browser, &answer).await?;
    shows(&patient, &[&answer, NOTES, &doctor]).await?;
    for place in ["activity", "inbox"] {
        patient.go(place).await?;
        shows(&patient, &[&doctor]).await?;
    }

    // The browser was asked to run nothing, so no policy had to refuse it; one would have.
    for visitor in [&patient, &provider] {
        let complaints = visitor.complaints().await?;
        ensure!(complaints.is_empty(), "{complaints:?}");
    }
    let markup = "try { document.body.innerHTML = '<b>markup</b>' } catch (e) { return e.name }";
    let refused = browser.page.execute(markup, Vec::new()).await?;
    ensure!(*refused.json() == json!("TypeError"), "markup is taken");
    Ok(())
}
