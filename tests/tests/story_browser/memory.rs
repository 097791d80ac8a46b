//! After locking nothing secret is left: not in the memory of the page or its worker, nor in anything
//! the browser stores. Everything is looked for before as well, where it has to be found, or looking
//! would show nothing.

use super::super::*;
use aho_corasick::AhoCorasick;
use salus_client::agent::AgentTransport;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_client::memory::Volatile;
use salus_client::{Client, Principal, RecoveryPhrase, SystemClock, Transport as _};
use salus_crypto::hierarchy::IdentityBundle;
use salus_crypto::hpke::{self, SecretSeed};
use salus_crypto::kdf::derive_key;
use salus_crypto::{Key, VaultScope, context};
use salus_protocol::ledger::{Change, LedgerOp};
use salus_protocol::statement;
use salus_tests::devtools::{DevTools, Place};
use salus_types::Error;
use salus_types::api::LedgerPage;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

const TITLE: &str = "Quixotic zinc levels";
const NOTE: &str = "Seventeen parakeets were asked.";

/// Something that must not be left, by a name, and how it may lie in memory.
pub(super) struct Secret {
    name: &'static str,
    bytes: Vec<u8>,
}

pub(super) fn secret(name: &'static str, bytes: impl AsRef<[u8]>) -> Secret {
    let bytes = bytes.as_ref().to_vec();
    Secret { name, bytes }
}

/// The names of those that lie in `hay`: as they are, in hexadecimal, and as text of two bytes a
/// character.
pub(super) fn found(secrets: &[Secret], hay: &[u8]) -> Result<BTreeSet<&'static str>> {
    let patterns: Vec<(&'static str, Vec<u8>)> = secrets
        .iter()
        .flat_map(|secret| {
            let wide = secret.bytes.iter().flat_map(|byte| [*byte, 0]).collect();
            let hex = hex::encode(&secret.bytes).into_bytes();
            [secret.bytes.clone(), hex, wide].map(|bytes| (secret.name, bytes))
        })
        .collect();
    let search = AhoCorasick::new(patterns.iter().map(|(_, bytes)| bytes))?;
    Ok(search
        .find_overlapping_iter(hay)
        .filter_map(|m| patterns.get(m.pattern().as_usize()))
        .map(|(name, _)| *name)
        .collect())
}

/// The keys of an account, found from nothing but the words, by code that is not the browser's.
async fn keys_of(network: &Network, phrase: &RecoveryPhrase) -> Result<[Secret; 4]> {
    let vault = Principal::from_text(network.vault())?;
    let identity = BasicIdentity::from_raw_key(&[7; 32]);
    let root_key = Some(network.root_key()?);
    let transport = AgentTransport::connect(network.url(), vault, Arc::new(identity), root_key)?;
    let memory = Rc::new(Volatile::default());
    let client = Client::new(Rc::new(transport.clone()), memory, Rc::new(SystemClock));
    let account = client.unlock_with_phrase(phrase).await?.account();
    let answer = transport
        .query("ledger_page", &candid::encode_one(0u64)?)
        .await?;
    let page: Result<LedgerPage, Error> = candid::decode_one(&answer)?;
    let first = page.map_err(|e| anyhow::anyhow!("{e}"))?.ops;
    let first = &first.first().context("an empty ledger")?.statement;
    let op: LedgerOp = statement::decode_for(first, vault.as_slice())?;
    let Change::Open { slots, bundle, .. } = op.change else {
        anyhow::bail!("a ledger that does not begin with an account");
    };
    let scope = VaultScope {
        vault: vault.as_slice(),
        account,
    };
    let entropy = phrase.slot_secret();
    for slot in slots {
        let info = context::slot_seed(scope, slot.id, b"recovery");
        let seed = derive_key(&Key::from_bytes(*entropy.expose()), &info);
        let seed = SecretSeed::from_bytes(*seed.expose());
        if seed.public()?.as_bytes() != slot.sealing {
            continue;
        }
        let master = context::slot_wrap(scope, slot.id, 1);
        let master = hpke::open_with(&seed, &master, &slot.wrap)?;
        let amk = entropy
            .derive_keys(scope, slot.id)?
            .unwrap_amk(scope, slot.id, 1, &slot.wrap)?;
        let bundle = IdentityBundle::open(&amk, scope, &bundle)?;
        return Ok([
            secret("entropy", entropy.expose()),
            secret("slot key", seed.expose()),
            secret("master key", &master[..]),
            secret(
                "signing key",
                bundle.current.signing.expose_seed().as_slice(),
            ),
        ]);
    }
    anyhow::bail!("no slot opens")
}

/// Everything this browser stores for the site, as text: bytes in hexadecimal, keys by what may be
/// known of them.
pub(super) const STORED: &str = r#"(async () => {
    const show = (value) => {
        if (value instanceof CryptoKey)
            return { key: value.type, extractable: value.extractable, uses: value.usages };
        if (value instanceof ArrayBuffer) return new Uint8Array(value).toHex();
        if (ArrayBuffer.isView(value))
            return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toHex();
        if (value instanceof Blob) return `blob of ${value.size}`;
        if (value && typeof value === "object")
            return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, show(v)]));
        return String(value);
    };
    const asked = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const databases = {};
    for (const { name } of await indexedDB.databases()) {
        const database = await asked(indexedDB.open(name));
        for (const store of database.objectStoreNames) {
            const shelf = database.transaction(store).objectStore(store);
            const [keys, values] = [await asked(shelf.getAllKeys()), await asked(shelf.getAll())];
            databases[`${name}/${store}`] = keys.map((key, i) => [show(key), show(values[i])]);
        }
        database.close();
    }
    const caches_ = {};
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys())
            caches_[request.url] = await (await cache.match(request)).text();
    }
    const files = [];
    for await (const [name] of (await navigator.storage.getDirectory()).entries()) files.push(name);
    return JSON.stringify({
        local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie,
        address: location.href, name: window.name, history: history.state, databases,
        caches: caches_, files,
        workers: (await navigator.serviceWorker.getRegistrations()).length,
    });
})()"#;

/// Pairs of keys have no fields that can be listed.
const PAIRS: &str = r"(async () => {
    const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open('salus');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const all = await new Promise((resolve, reject) => {
        const request = database.transaction('keys').objectStore('keys').getAll();
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    database.close();
    return all.map((k) => (k.privateKey ?? k).extractable);
})()";

pub(super) async fn everywhere(tools: &mut DevTools, place: &Place) -> Result<Vec<u8>> {
    let mut bytes = tools.heap(place).await?.into_bytes();
    bytes.extend(tools.memory(place).await?);
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_locking_nothing_secret_is_left_in_memory_or_storage() -> Result<()> {
    let Some((_turn, network)) = stage(Options::default()).await? else {
        return Ok(());
    };
    let mut visitor = Visitor::arrive(&network, "Ana Ferreira").await?;
    visitor.sign_in(false).await?;
    visitor.create_vault(true).await?;
    let phrase = RecoveryPhrase::parse(&visitor.phrase())?;
    let keys = keys_of(&network, &phrase).await?;

    let browser = &visitor.browser;
    let words: Vec<String> = visitor
        .phrase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut secrets = vec![
        secret("words", words[9..12].join(" ")),
        secret("title", TITLE),
        secret("note", NOTE),
        secret("name", "Ana Ferreira"),
    ];
    secrets.extend(keys);
    let mut tools = DevTools::connect(browser).await?;
    let page = tools
        .page(&browser.page.window().await?.to_string())
        .await?;

    // Unlocked with the words, which the page has while they are typed.
    browser.click("lock").await?;
    browser.see("unlock").await?;
    browser.fill("recovery-phrase", &visitor.phrase()).await?;
    let typed = found(&secrets, &everywhere(&mut tools, &page).await?)?;
    ensure!(
        typed == BTreeSet::from(["words"]),
        "looking into the page finds {typed:?}"
    );
    browser.click("unlock-with-phrase").await?;
    browser.see("greeting").await?;

    // With a record on the screen, which the page has, and the keys in the worker.
    visitor.go("add").await?;
    browser.see("editor").await?;
    browser.fill("record-title-input", TITLE).await?;
    browser.fill("record-note-input", NOTE).await?;
    browser.click("save-record").await?;
    browser.see("record").await?;
    browser.see_text(NOTE).await?;

    let worker = tools.worker(&page).await?;
    let shown = everywhere(&mut tools, &page).await?;
    let shown = found(&secrets, &shown)?;
    ensure!(
        ["title", "note", "name"].iter().all(|s| shown.contains(s)),
        "looking into the page finds only {shown:?}"
    );
    let keys = ["entropy", "slot key", "master key", "signing key"];
    ensure!(
        keys.iter().all(|key| !shown.contains(key)),
        "the page has keys: {shown:?}"
    );
    let held = everywhere(&mut tools, &worker).await?;
    let held = found(&secrets, &held)?;
    ensure!(
        ["slot key", "master key", "signing key", "title"]
            .iter()
            .all(|s| held.contains(s)),
        "looking into the worker finds only {held:?}"
    );
    println!("unlocked: the page has {shown:?}, the worker {held:?}");

    browser.click("lock").await?;
    browser.see("unlock").await?;
    let fresh = tools.worker(&page).await?;
    ensure!(fresh != worker, "the worker is still the same");
    for (name, place) in [("page", &page), ("worker", &fresh)] {
        let memory = everywhere(&mut tools, place).await?;
        ensure!(
            memory.len() > 1 << 20,
            "{} bytes are no memory of the {name}",
            memory.len()
        );
        let left = found(&secrets, &memory)?;
        ensure!(left.is_empty(), "locked, the {name} still has {left:?}");
    }

    // What is on the screen, in the browser's storage, and in its console.
    let source = browser.page.source().await?;
    let stored = tools.evaluate(&page, STORED).await?;
    let stored = stored.as_str().context("no text")?.to_owned();
    ensure!(
        stored.contains("active-at") && stored.contains("browser-slot"),
        "the storage was not read: {stored}"
    );
    let private = tools.evaluate(&page, PAIRS).await?;
    ensure!(
        private == serde_json::json!([false, false]),
        "keys that can be read out: {private}"
    );
    let log = browser.page.handle().get_log("browser").await?;
    let log: String = log.into_iter().map(|entry| entry.message).collect();
    for (what, text) in [("screen", source), ("storage", stored), ("console", log)] {
        let left = found(&secrets, text.as_bytes())?;
        ensure!(left.is_empty(), "locked, {left:?} is in the {what}");
    }

    // And what whoever sits down there could paste: nothing, though pasting works.
    let field = browser.see("recovery-phrase").await?;
    field.click().await?;
    field.send_keys(thirtyfour::Key::Control + "v").await?;
    let pasted = field.prop("value").await?.unwrap_or_default();
    let left = found(&secrets, pasted.as_bytes())?;
    ensure!(left.is_empty(), "locked, {left:?} is in the clipboard");
    browser.fill("recovery-phrase", "a control").await?;
    for key in ["a", "x", "v"] {
        field.send_keys(thirtyfour::Key::Control + key).await?;
    }
    let pasted = field.prop("value").await?.unwrap_or_default();
    ensure!(pasted == "a control", "pasted `{pasted}`");
    let complaints = visitor.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
