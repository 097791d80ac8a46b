//! Two people compare what the command shows them; one takes her account back with the recovery
//! phrase; nothing is sealed to her until the other accepts that, and a fresh terminal knows it all.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::fs;

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("no `{field}` in {value}"))
}

fn give(to: &str) -> Vec<&str> {
    let terms = ["--rights", "read", "--purpose", "Care", "--for", "30d"];
    [["grant", "give", to, "--scope", "all"].as_slice(), &terms].concat()
}

#[test]
fn compared_keys_are_known_everywhere_and_changed_ones_wait_to_be_accepted() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "patient")?;
    let words = |who: &Person| who.home().join("words").to_string_lossy().into_owned();
    let (patients, doctor) = (words(&patient), Person::new(&network, "doctor")?);
    patient.salus(&["account", "create", "--recovery-out", &patients])?;
    let doctors = words(&doctor);
    doctor.salus(&["account", "create", "--recovery-out", &doctors])?;
    let specialty = ["--specialty", "Family medicine"];
    let register = ["provider", "register", "--name", "Dr Known"];
    doctor.salus(&[register.as_slice(), &specialty].concat())?;
    let file = patient.home().join("note.txt");
    fs::write(&file, "a note")?;
    let file = file.to_string_lossy().into_owned();
    let added = patient.salus(&["record", "add", "--title", "Letter", &file])?;
    let record = text(&added["records"][0], "record")?.to_owned();
    patient.salus(&give("Dr Known"))?;
    let me = patient.salus(&["whoami"])?;
    let me = text(&me, "principal")?;

    // Both see the same; the digits read out by the one confirm the other's.
    let hers = doctor.salus(&["contact", "safety", me])?;
    let his = patient.salus(&["contact", "safety", "Dr Known"])?;
    ensure!(text(&hers, "safety_number")? == text(&his, "safety_number")?);
    ensure!(his["trust"] == "pinned", "{his}");
    let wrong = ["contact", "verify", "Dr Known", "--number", "00000 11111"];
    let refused = patient.refused(&wrong)?;
    ensure!((refused.status, refused.kind.as_str()) == (5, "integrity"));
    let own = text(&his, "code")?;
    let refused = patient.refused(&["contact", "verify", "Dr Known", "--code", own])?;
    ensure!(refused.status == 5, "{}", refused.text);
    let code = text(&hers, "code")?;
    let verified = patient.salus(&["contact", "verify", "Dr Known", "--code", code])?;
    ensure!(verified["trust"] == "verified", "{verified}");
    let number = text(&his, "safety_number")?;
    let back = doctor.salus(&["contact", "verify", me, "--number", number])?;
    ensure!(back["trust"] == "verified", "{back}");

    // Rotating is nothing to ask about.
    doctor.proven(&["account", "rotate"])?;
    let seen = patient.salus(&["contact", "safety", "Dr Known"])?;
    ensure!(seen["trust"] == "verified", "{seen}");
    let elsewhere = Person::new(&network, "elsewhere")?;
    elsewhere.salus(&["account", "unlock", "--recovery", &patients])?;
    let listed = elsewhere.salus(&["contact", "list"])?;
    ensure!(listed["contacts"][0]["trust"] == "verified", "{listed}");

    // Taking the account back is.
    let taken_back = doctor.salus(&["account", "recover", "--recovery", &doctors])?;
    ensure!(
        taken_back["grants"] == serde_json::json!([]),
        "{taken_back}"
    );
    let seen = patient.salus(&["contact", "list"])?;
    let seen = &seen["contacts"][0];
    ensure!(
        (&seen["trust"], &seen["change"]) == (&"changed".into(), &"recovered".into()),
        "{seen}"
    );
    let refused = patient.refused(&give("Dr Known"))?;
    ensure!(refused.text.contains("keys_changed"), "{}", refused.text);
    let accepted = patient.salus(&["contact", "accept", "Dr Known"])?;
    ensure!(accepted["trust"] == "pinned", "{accepted}");
    patient.salus(&give("Dr Known"))?;
    let shown = doctor.salus(&["record", "show", &record, "--patient", me])?;
    ensure!(shown.to_string().contains("a note"), "{shown}");
    let listed = elsewhere.salus(&["contact", "list"])?;
    ensure!(listed["contacts"][0]["trust"] == "pinned", "{listed}");

    // Who takes an account back is shown what is in force.
    let taken_back = patient.salus(&["account", "recover", "--recovery", &patients])?;
    let grants = taken_back["grants"].as_array().context("no grants")?;
    ensure!(grants.len() == 2, "{taken_back}");
    ensure!(
        grants.iter().all(|grant| grant["name"] == "Dr Known"),
        "{taken_back}"
    );

    let trail = patient.salus(&["audit", "show"])?;
    let entries = trail["entries"].as_array().context("no entries")?;
    let pinned = entries.iter().filter(|e| e["event"] == "pinned").count();
    ensure!(pinned == 2, "{trail}");
    patient.salus(&["audit", "verify"])?;
    Ok(())
}
