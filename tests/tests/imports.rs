//! Importing by the command: interrupted, gone on with, nothing twice.

use anyhow::{Context, Result, ensure};
use salus_tests::data;
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use salus_tests::polling;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(120);
/// More than the calls hold that are on their way at once.
const CONDITIONS: usize = 450;

fn titles(list: &Value) -> Vec<&str> {
    let records = list["records"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    records.iter().filter_map(|r| r["title"].as_str()).collect()
}

#[test]
fn a_killed_import_goes_on_where_it_was_and_stores_nothing_twice() -> Result<()> {
    // With mainnet's latency there is time to kill it before it hears that anything arrived.
    let network = Network::start(Options { delay: true })?;
    if !network.can_be_reached_into("killing an import half-way") {
        return Ok(());
    }
    let person = Person::new(&network, "patient")?;
    let words = person.home().join("words").to_string_lossy().into_owned();
    person.salus(&["account", "create", "--recovery-out", &words])?;
    let file = person.home().join("conditions.json");
    fs::write(&file, data::conditions(CONDITIONS))?;
    let file = file.to_string_lossy().into_owned();
    let command = ["record", "add", &file];

    let mut import = person
        .command(&command)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    polling::until("the first records", PATIENCE, || {
        network.executed("versions_add").ok().filter(|n| *n > 0)
    })?;
    ensure!(
        import.try_wait()?.is_none(),
        "it was over before it could be killed"
    );
    import.kill()?;
    import.wait()?;
    let before = person.salus(&["account", "show"])?["usage"]["records"].as_u64();
    let before = before.context("no usage")?;
    ensure!(before < CONDITIONS as u64, "all of them were sent at once");

    let added = person.salus(&command)?;
    let stored_before = added["imports"][0]["stored_before"].as_u64();
    // Calls that were on their way when it was killed may have arrived since.
    ensure!(
        stored_before.is_some_and(|n| n >= before && n <= CONDITIONS as u64),
        "{before} were: {stored_before:?}"
    );
    let receipts = added["records"].as_array().context("no receipts")?;
    let ids: BTreeSet<_> = receipts
        .iter()
        .filter_map(|r| r["record"].as_str())
        .collect();
    ensure!(ids.len() == CONDITIONS + 1, "{} records", ids.len());
    let list = person.salus(&["record", "list"])?;
    let titles = titles(&list);
    let each: BTreeSet<_> = titles.iter().copied().collect();
    ensure!(titles.len() == CONDITIONS + 1, "{} listed", titles.len());
    ensure!(each.len() == titles.len(), "something is there twice");
    Ok(())
}
