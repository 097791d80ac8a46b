//! The memory of the first release, upgraded to the vault of today: everything opens, nothing is lost.
//!
//! `golden/vault-1.stable.gz` is the vault's whole stable memory after the small story told below,
//! `golden/vault-1.words` the recovery phrase of its patient (a test's: it protects nothing).
//! `SALUS_WRITE_GOLDEN=1` tells the story and writes them where they are not there yet; they are never
//! written again.

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const TITLES: [&str; 2] = ["Vaccination booklet", "Letter from the clinic"];
const SECOND: &str = "Letter from the clinic, corrected";
const NOTE: &str = "A note from the provider";

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name)
}

fn add(who: &Person, title: &str, text: &str, more: &[&str]) -> Result<String> {
    let file = who.home().join("text.txt");
    fs::write(&file, text)?;
    let file = file.to_string_lossy().into_owned();
    let mut arguments = vec!["record", "add", "--title", title];
    arguments.extend(more);
    arguments.push(&file);
    let added = who.salus(&arguments)?;
    let record = added["records"][0]["record"].as_str();
    Ok(record.context("no record id")?.to_owned())
}

/// A patient with two records, one amended; a provider who reads both and left a note that was filed.
fn tell() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "golden-patient")?;
    let provider = Person::new(&network, "golden-provider")?;
    let words = patient.home().join("words");
    let words_text = words.to_string_lossy().into_owned();
    patient.salus(&[
        "account",
        "create",
        "--name",
        "Golden",
        "--recovery-out",
        &words_text,
    ])?;
    provider.salus(&["account", "create", "--name", "Provider"])?;
    provider.salus(&[
        "provider",
        "register",
        "--name",
        "Dr Aurum",
        "--specialty",
        "Dentistry",
    ])?;
    add(&patient, TITLES[0], "all given", &[])?;
    let letter = add(&patient, TITLES[1], "first wording", &[])?;
    let file = patient.home().join("second.txt");
    fs::write(&file, "second wording")?;
    let file = file.to_string_lossy().into_owned();
    patient.salus(&["record", "amend", &letter, "--title", SECOND, &file])?;
    let invitation = patient.salus(&["invitation", "create"])?;
    let link = invitation["link"].as_str().context("no link")?;
    provider.salus(&[
        "request",
        "send",
        link,
        "--scope",
        "all",
        "--rights",
        "read,append",
        "--purpose",
        "Care",
        "--for",
        "1y",
    ])?;
    let requests = patient.salus(&["request", "list"])?;
    let request = requests["received"][0]["request"]
        .as_str()
        .context("no request")?;
    patient.salus(&["request", "approve", request])?;
    provider.salus(&["record", "list", "--patient", link])?;
    add(&provider, NOTE, "looks well", &["--patient", link])?;
    patient.salus(&["record", "list"])?;

    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&network.stable_memory()?)?;
    fs::create_dir_all(golden(""))?;
    fs::write(golden("vault-1.stable.gz"), packed.finish()?)?;
    fs::copy(&words, golden("vault-1.words"))?;
    Ok(())
}

fn titles(list: &Value) -> Vec<&str> {
    let records = list["records"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut titles: Vec<&str> = records.iter().filter_map(|r| r["title"].as_str()).collect();
    titles.sort_unstable();
    titles
}

#[test]
fn the_first_releases_memory_is_upgraded_and_opens() -> Result<()> {
    if !golden("vault-1.stable.gz").exists() && std::env::var_os("SALUS_WRITE_GOLDEN").is_some() {
        tell()?;
    }
    let mut memory = Vec::new();
    GzDecoder::new(fs::File::open(golden("vault-1.stable.gz"))?).read_to_end(&mut memory)?;

    let mut network = Network::start(Options::default())?;
    if !network.can_be_reached_into("the upgrade of the first release's memory") {
        return Ok(());
    }
    network.set_stable_memory(&memory)?;
    network.redeploy()?;

    // The patient comes with the phrase alone, under another principal.
    let patient = Person::new(&network, "patient-again")?;
    let words = golden("vault-1.words").to_string_lossy().into_owned();
    patient.salus(&["account", "unlock", "--recovery", &words])?;
    let list = patient.salus(&["record", "list"])?;
    let mut expected = vec![TITLES[0], SECOND, NOTE];
    expected.sort_unstable();
    ensure!(titles(&list) == expected, "{list}");
    let records = list["records"].as_array().context("no records")?;
    for record in records {
        ensure!(record["author"]["verified"] == true, "{record}");
        let id = record["record"].as_str().context("no id")?;
        let shown = patient.salus(&["record", "show", id])?;
        let said = shown.to_string();
        let known = ["all given", "second wording", "looks well"];
        ensure!(known.iter().any(|text| said.contains(text)), "{said}");
    }
    let letter = records
        .iter()
        .find(|r| r["title"] == SECOND)
        .context("no letter")?;
    let id = letter["record"].as_str().context("no id")?;
    let history = patient.salus(&["record", "history", id])?;
    ensure!(
        history["versions"].as_array().map(Vec::len) == Some(2),
        "{history}"
    );
    let verified = patient.salus(&["audit", "verify"])?;
    ensure!(verified["valid"] == true, "{verified}");

    // And goes on from there.
    let grants = patient.salus(&["grant", "list"])?;
    let grant = grants["given"][0]["grant"].as_str().context("no grant")?;
    patient.salus(&["grant", "revoke", grant])?;
    add(&patient, "After the upgrade", "still writes", &[])?;
    ensure!(titles(&patient.salus(&["record", "list"])?).len() == expected.len() + 1);
    Ok(())
}
