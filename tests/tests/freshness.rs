//! The whole vault is rolled back to a snapshot, by who controls it: the terminal that was here before
//! refuses, and writes a proof that verifies without a network.

use anyhow::{Context, Result, ensure};
use salus_tests::controller::Controller;
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use std::fs;

#[test]
fn a_vault_rolled_back_to_a_snapshot_is_refused_and_proven_wrong() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let network = Network::start(Options::default())?;
    if !network.can_be_reached_into("rolling the vault back") {
        return Ok(());
    }
    let controller = runtime.block_on(Controller::of(&network))?;
    let patient = Person::new(&network, "patient")?;
    let file = |name: &str| patient.home().join(name).to_string_lossy().into_owned();
    patient.salus(&["account", "create", "--recovery-out", &file("words")])?;
    let write = |title: &str| -> Result<()> {
        fs::write(file("note.txt"), title)?;
        patient.salus(&["record", "add", "--title", title, &file("note.txt")])?;
        Ok(())
    };
    write("kept")?;
    let nothing = patient.refused(&["audit", "evidence"])?;
    ensure!(nothing.status == 3, "{}", nothing.text);
    let earlier = runtime.block_on(controller.snapshot())?;
    write("gone")?;
    runtime.block_on(controller.roll_back(earlier))?;

    // Whoever was here before refuses, whatever is asked.
    for asked in [["record", "list"], ["audit", "show"]] {
        let refused = patient.refused(&asked)?;
        ensure!(refused.status == 5, "{}", refused.text);
        ensure!(refused.text.contains("rolled_back"), "{}", refused.text);
    }
    let proof = file("proof");
    let written = patient.salus(&["audit", "evidence", "--out", &proof])?;
    ensure!(
        (&written["against"], &written["proven"]) == (&"vault".into(), &true.into()),
        "{written}"
    );
    // Anyone else can check it, and damage shows.
    let stranger = Person::new(&network, "stranger")?;
    let verified = stranger.salus(&["audit", "verify", "--evidence", &proof])?;
    ensure!(verified["valid"] == true, "{verified}");
    ensure!(verified["account"] == written["account"], "{verified}");
    let entries = |when: &str| verified[when]["entries"].as_u64().context("no entries");
    ensure!(entries("before")? > entries("after")?, "{verified}");
    let mut bytes = fs::read(&proof)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(file("damaged"), bytes)?;
    let refused = stranger.refused(&["audit", "verify", "--evidence", &file("damaged")])?;
    ensure!(refused.status == 5, "{}", refused.text);

    // Who remembers nothing cannot notice: what is left verifies.
    let elsewhere = Person::new(&network, "elsewhere")?;
    elsewhere.salus(&["account", "unlock", "--recovery", &file("words")])?;
    let left = elsewhere.salus(&["record", "list"])?;
    ensure!(left.to_string().contains("kept"), "{left}");
    ensure!(!left.to_string().contains("gone"), "{left}");
    Ok(())
}
