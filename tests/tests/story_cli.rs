//! The main job from two terminals, on real canisters: store, ask, grant, read, write back, upgrade in
//! between, revoke, verify; then a look at all the vault ever kept.

#![allow(clippy::expect_used, reason = "a story that cannot go on fails")]

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use salus_tests::{built, data};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const PATIENT: &str = "Tasha Q. Testperson";
const PROVIDER: &str = "Dr Ximena Ruiz";
const PURPOSE: &str = "Second opinion on the blood pressure tablets";
const NOTE: &str = "Reviewed the tablets; halve the evening dose from Monday on.";
const NOTE_TITLE: &str = "Medication review by telephone";
const COMPARTMENT: &str = "Sleep diary of the spring";

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("no `{field}` in {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field]
        .as_array()
        .with_context(|| format!("no `{field}` in {value}"))
}

/// Every string of a JSON text that says something: at least eight characters, with a space or a
/// capital and a small letter, and not a mere code or address.
fn sayings(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(s) if s.chars().count() >= 12 && s.contains(' ') => {
            out.insert(s.clone());
        }
        Value::Array(items) => items.iter().for_each(|v| sayings(v, out)),
        Value::Object(fields) => fields.values().for_each(|v| sayings(v, out)),
        _ => {}
    }
}

/// Nothing that was said lies in the memory as it was said.
fn ensure_sealed(memory: &[u8], mut said: BTreeSet<String>) -> Result<()> {
    ensure!(
        memory.len() > 1 << 20,
        "only {} bytes of stable memory",
        memory.len()
    );
    for own_words in [
        PATIENT,
        PURPOSE,
        NOTE,
        NOTE_TITLE,
        COMPARTMENT,
        "Nights in April",
        "Slept five hours, woke at three.",
        "Medications",
        "Immunizations",
    ] {
        said.insert(own_words.to_owned());
    }
    said.remove(PROVIDER);
    ensure!(
        said.len() > 200,
        "only {} strings are searched for",
        said.len()
    );
    let patterns: Vec<&str> = said.iter().map(String::as_str).collect();
    let found: BTreeSet<&str> = AhoCorasick::new(&patterns)?
        .find_iter(memory)
        .map(|found| patterns[found.pattern()])
        .collect();
    ensure!(found.is_empty(), "in the clear: {found:?}");
    // The search does find what is there: a provider publishes her name.
    ensure!(
        AhoCorasick::new([PROVIDER])?.is_match(memory),
        "the search finds nothing at all"
    );
    Ok(())
}

#[test]
fn store_ask_grant_read_revoke_verify() -> Result<()> {
    let Some(bundle) = data::shared("fhir/Tasha_Miller.json") else {
        return Ok(());
    };
    let mut network = Network::start(Options::default())?;
    let patient = Person::new(&network, "tasha")?;
    let provider = Person::new(&network, "ruiz")?;
    let words = patient.home().join("words.txt");

    // Two people open accounts; one publishes who she is.
    let created = patient.salus(&[
        "account".as_ref(),
        "create".as_ref(),
        "--name".as_ref(),
        PATIENT.as_ref(),
        "--recovery-out".as_ref(),
        words.as_os_str(),
    ])?;
    ensure!(
        created["recovery_phrase"].is_null(),
        "the phrase is printed beside the file"
    );
    let phrase = fs::read_to_string(&words)?;
    ensure!(phrase.split_whitespace().count() >= 24, "{phrase}");
    provider.salus(&["account", "create", "--name", PROVIDER])?;
    provider.salus(&[
        "provider",
        "register",
        "--name",
        PROVIDER,
        "--specialty",
        "Cardiology",
    ])?;

    // The patient imports a bundle, adds a compartment and a file of her own.
    let added = patient.salus(&["record".as_ref(), "add".as_ref(), bundle.as_os_str()])?;
    let imported = list(&added, "records")?.len();
    ensure!(imported > 100, "{imported} records");
    patient.salus(&["compartment", "add", COMPARTMENT])?;
    let diary = patient.home().join("diary.txt");
    fs::write(&diary, "Slept five hours, woke at three.")?;
    patient.salus(&[
        "record".as_ref(),
        "add".as_ref(),
        "--compartment".as_ref(),
        COMPARTMENT.as_ref(),
        "--title".as_ref(),
        "Nights in April".as_ref(),
        diary.as_os_str(),
    ])?;

    // The provider asks by the patient's link for medications; the patient approves.
    let link = patient.salus(&["invitation", "create"])?;
    let link = text(&link, "link")?;
    provider.salus(&[
        "request",
        "send",
        link,
        "--scope",
        "compartment:Medications",
        "--rights",
        "read,append",
        "--purpose",
        PURPOSE,
        "--for",
        "30d",
    ])?;
    let requests = patient.salus(&["request", "list"])?;
    let request = &list(&requests, "received")?[0];
    ensure!(text(request, "purpose")? == PURPOSE);
    ensure!(text(request, "name")? == PROVIDER);
    let approved = patient.salus(&["request", "approve", text(request, "request")?])?;
    let grant = text(&approved, "grant")?.to_owned();

    // An upgrade to the same build in the middle of it.
    network.deploy(&built::canisters()?)?;

    // The provider reads the medication list, and one of them.
    let listed = provider.salus(&["record", "list", "--patient", link])?;
    ensure!(listed["recorded"] == true, "{listed}");
    let records = list(&listed, "records")?;
    ensure!(!records.is_empty(), "no medications");
    for record in records {
        ensure!(
            record["category"] == "medications",
            "outside what was granted: {record}"
        );
    }
    let medication = text(&records[0], "record")?.to_owned();
    let shown = provider.salus(&["record", "show", &medication, "--patient", link])?;
    ensure!(shown["view"].is_object(), "{shown}");

    // And writes a note back, which waits to be filed.
    let note = provider.home().join("note.txt");
    fs::write(&note, NOTE)?;
    let left = provider.salus(&[
        "record".as_ref(),
        "add".as_ref(),
        "--patient".as_ref(),
        link.as_ref(),
        "--title".as_ref(),
        NOTE_TITLE.as_ref(),
        note.as_os_str(),
    ])?;
    ensure!(list(&left, "records")?[0]["unfiled"] == true, "{left}");
    let note_id = text(&list(&left, "records")?[0], "record")?.to_owned();

    // An upgrade to a changed build, and a crash, in the middle of it.
    network.deploy(&built::changed_canisters()?)?;
    if network.can_be_reached_into("the crash in the middle of the story") {
        network.crash_and_restart()?;
    }

    // The patient's client files it; the author is verified.
    let own = patient.salus(&["record", "list"])?;
    let found = list(&own, "records")?
        .iter()
        .find(|r| r["record"] == note_id.as_str())
        .context("the note did not arrive")?;
    ensure!(found["title"] == NOTE_TITLE, "{found}");
    ensure!(found["author"]["verified"] == true, "{found}");
    ensure!(found["author"]["own"] == false, "{found}");
    ensure!(found["author"]["name"] == PROVIDER, "{found}");
    let shown = patient.salus(&["record", "show", &note_id])?;
    ensure!(shown.to_string().contains(NOTE), "{shown}");
    ensure!(
        list(&own, "records")?.len() == imported + 2,
        "records were lost"
    );

    // The patient revokes; from then on nothing.
    patient.salus(&["grant", "revoke", &grant])?;
    for command in [
        vec!["record", "list", "--patient", link],
        vec!["record", "show", &medication, "--patient", link],
        vec!["record", "history", &medication, "--patient", link],
    ] {
        let refusal = provider.refused(&command)?;
        ensure!(
            refusal.status == 3,
            "{command:?}: {} {}",
            refusal.status,
            refusal.text
        );
    }
    let refusal = provider.refused(&[
        "record".as_ref(),
        "add".as_ref(),
        "--patient".as_ref(),
        link.as_ref(),
        note.as_os_str(),
    ])?;
    ensure!(
        refusal.status == 3,
        "append after revocation: {}",
        refusal.text
    );

    // The trail has every step in order, verifies, and verifies from a file without a network.
    let trail = patient.salus(&["audit", "show"])?;
    let events: Vec<&str> = list(&trail, "entries")?
        .iter()
        .map(|e| e["event"].as_str().unwrap_or_default())
        .collect();
    let mut missing = [
        "account_opened",
        "written",
        "invited",
        "requested",
        "granted",
        "upgraded",
        "listed",
        "opened",
        "appended",
        "upgraded",
        "adopted",
        "revoked",
    ]
    .as_slice();
    for event in &events {
        if missing.first() == Some(event) {
            missing = &missing[1..];
        }
    }
    ensure!(
        missing.is_empty(),
        "missing from {missing:?} on in {events:?}"
    );
    let export = patient.home().join("trail.json");
    let verified = patient.salus(&[
        "audit".as_ref(),
        "verify".as_ref(),
        "--export".as_ref(),
        export.as_os_str(),
    ])?;
    ensure!(verified["valid"] == true, "{verified}");

    // What the vault keeps says nothing of what went in.
    if network.can_be_reached_into("the look at all the vault keeps") {
        let mut said = BTreeSet::new();
        sayings(&serde_json::from_slice(&fs::read(&bundle)?)?, &mut said);
        sayings(&own, &mut said);
        said.insert(phrase.trim().to_owned());
        ensure_sealed(&network.stable_memory()?, said)?;
    }

    // Offline: no network any more.
    drop(network);
    let offline = patient.salus(&[
        "audit".as_ref(),
        "verify".as_ref(),
        "--offline".as_ref(),
        export.as_os_str(),
    ])?;
    ensure!(offline["valid"] == true, "{offline}");
    let honest = fs::read(&export)?;
    let mut altered: Vec<(String, Vec<u8>)> = vec![
        ("cut short".into(), honest[..honest.len() - 1].to_vec()),
        ("longer".into(), [honest.as_slice(), &[0]].concat()),
    ];
    for part in 0..24 {
        let at = honest.len() * part / 24;
        let mut flipped = honest.clone();
        flipped[at] ^= 1;
        altered.push((format!("byte {at} altered"), flipped));
    }
    for (what, bytes) in altered {
        fs::write(&export, bytes)?;
        patient
            .refused(&[
                "audit".as_ref(),
                "verify".as_ref(),
                "--offline".as_ref(),
                export.as_os_str(),
            ])
            .context(what)?;
    }
    Ok(())
}
