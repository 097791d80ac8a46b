//! How long a person waits in a real browser: until a new account greets them, and until an account
//! is unlocked, in each way. Must not know how the page does any of it.
//!
//! The page's own clock counts, from the event that began something until what it led to is there:
//! what drives the browser looks too seldom.

use crate::browser::worker_page;
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use salus_tests::browser::{self, Browser};
use salus_tests::devtools::{DevTools, Place};
use salus_tests::network::{Network, Options};
use salus_tests::page::Visitor;
use serde_json::json;

const OPENING: &str = "unlocking, in a browser";
const BEGINNING: &str = "a new account, in a browser";
/// As often as each way is gone; the middle one counts.
const TIMES: usize = 7;
/// Milliseconds an unlock may take beyond Argon2id.
const BUDGET: f64 = 400.0;
const GREETING: &str = "[data-testid='greeting']";

/// Defines `took(event, from, to)`: the milliseconds from the last event at what `from` selects
/// (anywhere, without it), or since the page was asked for, until `to` selects something.
const TOOK: &str = r"window.took = (event, from, to) => new Promise((done) => {
    let began = event ? undefined : 0;
    const look = () => {
        if (began === undefined || !document.querySelector(to)) return;
        observer.disconnect();
        done(performance.now() - began);
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
    if (event) addEventListener(event, ({ target }) => {
        if (!from || target.closest?.(from)) began = performance.now();
    }, true);
});";

/// Counts what a person does: buttons, links and boxes clicked, fields typed into.
const COUNTED: &str = r"window.clicked = 0; window.typed = new Set();
addEventListener('click', ({ target, isTrusted }) => {
    if (isTrusted && target.closest('button, a, input[type=checkbox]')) window.clicked += 1;
}, true);
addEventListener('input', ({ target }) => {
    if (target.type !== 'checkbox') window.typed.add(target);
}, true);";

/// A browser and a way to look into its page.
struct Watched {
    visitor: Visitor,
    tools: DevTools,
    page: Place,
}

impl Watched {
    async fn begin(network: &Network, name: &str) -> Result<Self> {
        let visitor = Visitor::arrive(network, name).await?;
        let mut tools = DevTools::connect(&visitor.browser).await?;
        let window = visitor.browser.page.window().await?.to_string();
        let page = tools.page(&window).await?;
        Ok(Self {
            visitor,
            tools,
            page,
        })
    }

    const fn browser(&self) -> &Browser {
        &self.visitor.browser
    }

    /// Begins to watch for what an event at `from` leads to.
    async fn watch(&mut self, event: &str, from: &str, to: &str) -> Result<()> {
        let arguments = json!([event, from, to]);
        let script = format!("{TOOK} window.waited = took(...{arguments}); undefined");
        self.tools.evaluate(&self.page, &script).await.map(drop)
    }

    /// The milliseconds it took.
    async fn took(&mut self) -> Result<f64> {
        let took = self.tools.evaluate(&self.page, "window.waited").await?;
        took.as_f64().context("no time was taken")
    }

    /// Has an authenticator say yes to everything.
    async fn authenticator(&mut self) -> Result<()> {
        let options = json!({ "options": {
            "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal",
            "hasResidentKey": true, "hasUserVerification": true, "hasPrf": true,
            "automaticPresenceSimulation": true, "isUserVerified": true,
        }});
        for (method, params) in [
            ("WebAuthn.enable", json!({})),
            ("WebAuthn.addVirtualAuthenticator", options),
        ] {
            self.tools.call(Some(&self.page), method, params).await?;
        }
        Ok(())
    }

    /// From a click on this, after the account was locked, until it is shown. A field is filled before.
    async fn unlock(&mut self, button: &str, field: Option<(&str, &str)>) -> Result<f64> {
        self.browser().click("lock").await?;
        self.browser().see("unlock").await?;
        if let Some((field, text)) = field {
            self.browser().fill(field, text).await?;
        }
        let from = format!("[data-testid='{button}']");
        self.watch("click", &from, GREETING).await?;
        self.browser().click(button).await?;
        self.took().await
    }

    /// From asking for the page anew until the account is shown.
    async fn reload(&mut self) -> Result<f64> {
        self.browser().page.refresh().await?;
        self.browser().see("greeting").await?;
        self.took().await
    }
}

/// Measures in a browser, if there is one.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    if !browser::is_there() {
        return Ok(());
    }
    let network = Network::start(Options::default())?;
    beginning(report, &network).await?;
    opening(report, &network).await
}

fn middle(mut times: Vec<f64>) -> Result<f64> {
    times.sort_by(f64::total_cmp);
    let middle = times.get(times.len() / 2).copied();
    middle.context("nothing measured")
}

/// The ordinary case: somebody new signs in, gives a name, writes the words down.
async fn beginning(report: &mut Report, network: &Network) -> Result<()> {
    let mut waits = Vec::new();
    let mut counts = None;
    for n in 0..TIMES {
        let mut watched = Watched::begin(network, &format!("Person {n}")).await?;
        watched.tools.evaluate(&watched.page, COUNTED).await?;
        let mut wait = 0.0;
        let create = "[data-testid='create']";
        watched.watch("message", "", create).await?;
        watched.visitor.sign_in(true).await?;
        wait += watched.took().await?;
        let phrase = "[data-testid='phrase']";
        watched.watch("submit", "", phrase).await?;
        watched.visitor.read_phrase(false).await?;
        wait += watched.took().await?;
        let made = "[data-testid='create-vault']";
        watched.watch("click", made, GREETING).await?;
        watched.visitor.confirm_phrase().await?;
        wait += watched.took().await?;
        waits.push(wait);
        let count = "[window.clicked, window.typed.size]";
        counts = Some(watched.tools.evaluate(&watched.page, count).await?);
    }
    let counts = counts.context("nobody began")?;
    let of = |at: usize| counts[at].as_f64().context("not counted");
    report.known(BEGINNING, "clicks on the page", of(0)?, "clicks");
    report.known(BEGINNING, "fields typed into", of(1)?, "fields");
    let name = "waiting, from signed in to greeted";
    report.known(BEGINNING, name, middle(waits)?, "ms");
    Ok(())
}

async fn opening(report: &mut Report, network: &Network) -> Result<()> {
    let mut watched = Watched::begin(network, "Ana Ferreira").await?;
    watched.visitor.sign_in(true).await?;
    watched.visitor.create_vault(true).await?;
    watched.authenticator().await?;
    let passphrase = add_ways(&watched).await?;
    let words = watched.visitor.phrase();
    let ways = [
        (
            "by the words",
            "unlock-with-phrase",
            Some(("recovery-phrase", &*words)),
        ),
        ("by this browser's key", "unlock-here", None),
        ("by a passkey", "by-passkey", None),
        (
            "by a passphrase",
            "by-passphrase",
            Some(("passphrase", &*passphrase)),
        ),
    ];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..TIMES {
        for ((_, button, field), times) in ways.iter().zip(&mut times) {
            times.push(watched.unlock(button, *field).await?);
        }
    }
    let [.., with_passphrase] = &times;
    let with_passphrase = middle(with_passphrase.clone())?;
    for ((name, ..), times) in ways.iter().take(3).zip(times) {
        report.budgeted(OPENING, name, middle(times)?, "ms", BUDGET);
    }
    let stretched = stretching().await?;
    report.known(OPENING, "by a passphrase", with_passphrase, "ms");
    let name = "Argon2id at 64 MiB and 3 passes";
    report.known(OPENING, name, stretched, "ms");
    let beyond = with_passphrase - stretched;
    report.budgeted(
        OPENING,
        "by a passphrase, beyond Argon2id",
        beyond,
        "ms",
        BUDGET,
    );

    let script = format!("{TOOK} window.waited = took('', '', \"{GREETING}\");");
    let params = json!({ "source": script });
    let method = "Page.addScriptToEvaluateOnNewDocument";
    watched
        .tools
        .call(Some(&watched.page), "Page.enable", json!({}))
        .await?;
    watched
        .tools
        .call(Some(&watched.page), method, params)
        .await?;
    let mut times = Vec::new();
    for _ in 0..TIMES {
        times.push(watched.reload().await?);
    }
    let name = "staying unlocked, from loading the page anew";
    report.known(OPENING, name, middle(times)?, "ms");
    let complaints = watched.visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}

/// A passkey and a passphrase besides; the passphrase.
async fn add_ways(watched: &Watched) -> Result<String> {
    let browser = watched.browser();
    watched.visitor.go("security").await?;
    browser.click("passkey-add").await?;
    browser.click("passkey-make").await?;
    browser.gone("passkey-dialog").await?;
    browser.click("passphrase-add").await?;
    let passphrase = "seventeen parakeets were asked about zinc";
    browser.fill("passphrase-new", passphrase).await?;
    browser.click("passphrase-keep").await?;
    browser.gone("passphrase-dialog").await?;
    watched.visitor.go("").await?;
    browser.see("greeting").await?;
    Ok(passphrase.to_owned())
}

/// Argon2id as the engine has it, in a worker that is as fresh as the engine's after a lock.
async fn stretching() -> Result<f64> {
    let address = worker_page()?;
    let browser = Browser::start().await?;
    let mut times = Vec::new();
    for n in 0..TIMES {
        let page = format!("{address}?{n}#stretch");
        browser.page.goto(&page).await?;
        let text = browser.see("measured").await?.text().await?;
        times.push(text.parse().with_context(|| text.clone())?);
    }
    middle(times)
}
