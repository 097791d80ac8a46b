//! Grants over single records by the command: as they are, or with what becomes of them.

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

fn write(who: &Person, arguments: &[&str], content: &str) -> Result<Value> {
    let file = who.home().join("note.txt");
    fs::write(&file, content)?;
    let file = file.to_string_lossy().into_owned();
    let mut command = arguments.to_vec();
    command.push(&file);
    who.salus(&command)
}

#[test]
fn a_grant_follows_a_record_if_it_says_so_and_not_otherwise() -> Result<()> {
    let network = Network::start(Options::default())?;
    let patient = Person::new(&network, "patient")?;
    let words = patient.home().join("words").to_string_lossy().into_owned();
    patient.salus(&["account", "create", "--recovery-out", &words])?;
    let mut providers = Vec::new();
    for name in ["Dr Follow", "Dr Once"] {
        let provider = Person::new(&network, &name.replace(' ', ""))?;
        provider.salus(&["account", "create", "--name", name])?;
        let specialty = ["--specialty", "Family medicine"];
        let register = ["provider", "register", "--name", name];
        provider.salus(&[register.as_slice(), &specialty].concat())?;
        providers.push(provider);
    }
    let added = write(
        &patient,
        &["record", "add", "--title", "Letter"],
        "first wording",
    )?;
    let record = text(&added["records"][0], "record")?.to_owned();
    let scope = format!("record:{record}");
    let give = |provider: &str, more: &[&str]| {
        let terms = ["--rights", "read", "--purpose", "Care", "--for", "30d"];
        let command = ["grant", "give", provider, "--scope", &scope];
        [&command, terms.as_slice(), more]
            .concat()
            .iter()
            .map(|s| (*s).to_owned())
            .collect::<Vec<String>>()
    };
    let following = patient.salus(&give("Dr Follow", &["--follow"]))?;
    ensure!(following["follows"] == true, "{following}");
    let once = patient.salus(&give("Dr Once", &[]))?;
    ensure!(once["follows"] == false, "{once}");
    let everything = ["grant", "give", "Dr Once", "--scope", "all", "--follow"];
    let terms = ["--rights", "read", "--purpose", "Care", "--for", "30d"];
    let refused = patient.refused(&[everything.as_slice(), &terms].concat())?;
    ensure!(refused.text.contains("--follow"), "{}", refused.text);

    write(&patient, &["record", "amend", &record], "second wording")?;
    let given = patient.salus(&["grant", "list"])?;
    for grant in given["given"].as_array().context("no grants")? {
        let versions = grant["scope"]["records"].as_array().map_or(0, Vec::len);
        let expected = if grant["follows"] == true { 2 } else { 1 };
        ensure!(versions == expected, "{grant}");
    }
    let me = patient.salus(&["whoami"])?;
    let me = text(&me, "principal")?;
    for (provider, newest) in providers.iter().zip(["second wording", "first wording"]) {
        let received = provider.salus(&["grant", "list"])?;
        ensure!(
            received["received"].as_array().map(Vec::len) == Some(1),
            "{received}"
        );
        let shown = provider.salus(&["record", "show", &record, "--patient", me])?;
        ensure!(shown.to_string().contains(newest), "{shown}");
    }
    Ok(())
}
