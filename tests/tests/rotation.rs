//! Everything made anew by the command, and read as before.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use std::fs;

#[test]
fn all_keys_are_made_anew_and_a_provider_goes_on_reading() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "patient")?;
    let words = patient.home().join("words").to_string_lossy().into_owned();
    patient.salus(&["account", "create", "--recovery-out", &words])?;
    let provider = Person::new(&network, "provider")?;
    provider.salus(&["account", "create", "--name", "Dr Reader"])?;
    let specialty = ["--specialty", "Family medicine"];
    let register = ["provider", "register", "--name", "Dr Reader"];
    provider.salus(&[register.as_slice(), &specialty].concat())?;

    let file = patient.home().join("note.txt");
    fs::write(&file, "what was written before")?;
    let file = file.to_string_lossy().into_owned();
    let added = patient.salus(&["record", "add", "--title", "Letter", &file])?;
    let record = added["records"][0]["record"].as_str();
    let record = record.context("no record")?.to_owned();
    let give = ["grant", "give", "Dr Reader", "--scope", "all"];
    let terms = ["--rights", "read", "--purpose", "Care", "--for", "30d"];
    patient.salus(&[give.as_slice(), &terms].concat())?;

    let rotated = patient.proven(&["account", "rotate"])?;
    ensure!(rotated["began"] == true, "{rotated}");
    ensure!(rotated["generation"] == 2, "{rotated}");
    ensure!(rotated["refiled"] == 1, "{rotated}");
    for nothing in ["left_behind", "unreadable"] {
        let left = rotated[nothing].as_array().map(Vec::len);
        ensure!(left == Some(0), "{rotated}");
    }
    let trail = patient.salus(&["audit", "show"])?;
    let entries = trail["entries"].as_array().context("no entries")?;
    for event in ["rekeyed", "keys_rotated", "epochs_advanced", "refiled"] {
        ensure!(entries.iter().any(|e| e["event"] == event), "no {event}");
    }

    let me = patient.salus(&["whoami"])?;
    let me = me["principal"].as_str().context("no principal")?;
    let shown = provider.salus(&["record", "show", &record, "--patient", me])?;
    ensure!(
        shown.to_string().contains("what was written before"),
        "{shown}"
    );
    // The phrase opens the account as before.
    let again = Person::new(&network, "elsewhere")?;
    again.salus(&["account", "unlock", "--recovery", &words])?;
    let mine = again.salus(&["record", "show", &record])?;
    ensure!(
        mine.to_string().contains("what was written before"),
        "{mine}"
    );
    Ok(())
}
