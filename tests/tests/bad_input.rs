//! Bad input by the command: a clear, typed error, a status other than 0, and nothing changed.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::fs;
use std::time::Duration;

const UNKNOWN: &str = "00112233445566778899aabbccddeeff";
/// Twenty-four words with a valid checksum that nobody's account belongs to.
const STRANGER: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
    abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
    abandon abandon art";

/// What must not change: everything the owner can see but the time of the certificate.
fn state(person: &Person) -> Result<Value> {
    let mut trail = person.salus(&["audit", "show"])?;
    trail["verified"] = Value::Null;
    Ok(serde_json::json!([
        person.salus(&["record", "list"])?["records"],
        person.salus(&["grant", "list"])?,
        person.salus(&["compartment", "list"])?,
        trail,
    ]))
}

#[test]
fn nothing_wrong_passes_and_nothing_wrong_changes_anything() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "patient")?;
    let words = patient.home().join("words").to_string_lossy().into_owned();
    patient.salus(&["account", "create", "--recovery-out", &words])?;
    let file = patient.home().join("a.txt");
    fs::write(&file, "text")?;
    let file = file.to_string_lossy().into_owned();
    patient.salus(&["record", "add", "--title", "One", &file])?;

    let stranger = patient.home().join("stranger");
    fs::write(&stranger, STRANGER)?;
    let stranger = stranger.to_string_lossy().into_owned();
    let misspelt = patient.home().join("misspelt");
    fs::write(&misspelt, STRANGER.replace("art", "arrt"))?;
    let misspelt = misspelt.to_string_lossy().into_owned();
    let huge = patient.home().join("huge.bin");
    fs::File::create(&huge)?.set_len((256 << 20) + 1)?;
    let huge = huge.to_string_lossy().into_owned();
    let missing = patient
        .home()
        .join("missing")
        .to_string_lossy()
        .into_owned();

    let before = state(&patient)?;
    let cases: Vec<(&str, Vec<&str>)> = vec![
        (
            "a second account",
            vec!["account", "create", "--recovery-out", &missing],
        ),
        (
            "another's phrase",
            vec!["account", "unlock", "--recovery", &stranger],
        ),
        (
            "a misspelt phrase",
            vec!["account", "unlock", "--recovery", &misspelt],
        ),
        (
            "no such phrase file",
            vec!["account", "unlock", "--recovery", &missing],
        ),
        ("an unknown record", vec!["record", "show", UNKNOWN]),
        ("no id at all", vec!["record", "show", "twelve"]),
        (
            "amending an unknown record",
            vec!["record", "amend", UNKNOWN, &file],
        ),
        ("no such file", vec!["record", "add", &missing]),
        (
            "too large a file",
            vec!["record", "add", "--title", "Huge", &huge],
        ),
        (
            "an unknown compartment",
            vec!["record", "add", "--compartment", "Nowhere", &file],
        ),
        ("an unknown request", vec!["request", "approve", UNKNOWN]),
        (
            "denying an unknown request",
            vec!["request", "deny", UNKNOWN],
        ),
        (
            "revoking an unknown grant",
            vec!["grant", "revoke", UNKNOWN],
        ),
        (
            "a provider nobody knows",
            vec![
                "grant",
                "give",
                "Dr Nobody",
                "--scope",
                "all",
                "--rights",
                "read",
                "--purpose",
                "x",
                "--for",
                "1d",
            ],
        ),
        (
            "a link that is none",
            vec![
                "request",
                "send",
                "salus:ask/AAAA",
                "--scope",
                "all",
                "--rights",
                "read",
                "--purpose",
                "x",
                "--for",
                "1d",
            ],
        ),
        (
            "a record of a stranger",
            vec!["record", "list", "--patient", "aaaaa-aa"],
        ),
    ];
    for (what, command) in cases {
        let refusal = patient.refused(&command).context(what)?;
        ensure!(refusal.status > 0, "{what}: killed? {}", refusal.text);
        ensure!(
            !refusal.kind.is_empty() || refusal.status == 2,
            "{what}: no typed error: {}",
            refusal.text
        );
        ensure!(
            !refusal.text.contains("panicked"),
            "{what}: {}",
            refusal.text
        );
    }
    ensure!(state(&patient)? == before, "something changed");
    Ok(())
}

#[test]
fn a_grant_ends_at_its_time() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "patient")?;
    let provider = Person::new(&network, "provider")?;
    for person in [&patient, &provider] {
        let words = person.home().join("words").to_string_lossy().into_owned();
        person.salus(&["account", "create", "--recovery-out", &words])?;
    }
    provider.salus(&[
        "provider",
        "register",
        "--name",
        "Dr Brief",
        "--specialty",
        "Any",
    ])?;
    let file = patient.home().join("a.txt");
    fs::write(&file, "text")?;
    let added = patient.salus(&["record", "add", "--title", "One", &file.to_string_lossy()])?;
    let record = added["records"][0]["record"]
        .as_str()
        .context("no record")?;
    let who = provider.salus(&["whoami"])?;
    let who = who["principal"].as_str().context("no principal")?;
    patient.salus(&[
        "grant",
        "give",
        who,
        "--scope",
        "all",
        "--rights",
        "read,append",
        "--purpose",
        "x",
        "--for",
        "12h",
    ])?;
    let me = patient.salus(&["whoami"])?;
    let me = me["principal"].as_str().context("no principal")?.to_owned();
    let received = provider.salus(&["grant", "list"])?;
    let patient_account = received["received"][0]["account"]
        .as_str()
        .context("nothing received")?
        .to_owned();
    let reach = [me, patient_account];
    let works = |address: &str| {
        provider
            .salus(&["record", "list", "--patient", address])
            .is_ok()
    };
    let address = reach
        .iter()
        .find(|a| works(a))
        .context("the grant does not work at all")?;

    if !network.can_be_reached_into("the end of the grant") {
        return Ok(());
    }
    network.advance_time(Duration::from_secs(12 * 3600))?;
    // The network's clock has passed the end; the provider's own has not, so it is the vault that
    // says no.
    for command in [
        vec!["record", "list", "--patient", address],
        vec!["record", "show", record, "--patient", address],
    ] {
        let refusal = provider.refused(&command)?;
        ensure!(refusal.status > 0, "{}", refusal.text);
    }
    Ok(())
}
