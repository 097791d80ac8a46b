//! Large attachments: sent in pieces, killed half-way, gone on with, fetched, identical.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use salus_tests::polling;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

const SIZE: usize = 25 << 20;
/// Enough that several pieces have arrived, and far from all.
const HALF_WAY: u64 = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes that do not repeat, from a generator with a fixed seed (xorshift64*).
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        out.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    out.truncate(len);
    out
}

fn stored_bytes(person: &Person) -> Option<u64> {
    person.salus(&["account", "show"]).ok()?["usage"]["bytes"].as_u64()
}

#[test]
fn a_killed_upload_goes_on_where_it_was() -> Result<()> {
    let network = Network::start(Options::default())?;
    let person = Person::new(&network, "patient")?;
    let words = person.home().join("words").to_string_lossy().into_owned();
    person.salus(&["account", "create", "--recovery-out", &words])?;
    let file = person.home().join("scan.bin");
    let content = noise(SIZE);
    fs::write(&file, &content)?;
    let file = file.to_string_lossy().into_owned();
    let command = ["record", "add", "--title", "Scan", &file];

    let mut upload = person
        .command(&command)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    polling::until("half of the upload", PATIENCE, || {
        stored_bytes(&person).filter(|bytes| *bytes >= HALF_WAY)
    })?;
    ensure!(
        upload.try_wait()?.is_none(),
        "it was over before it could be killed"
    );
    upload.kill()?;
    upload.wait()?;
    let list = person.salus(&["record", "list"])?;
    ensure!(
        list["records"].as_array().is_some_and(Vec::is_empty),
        "half a record: {list}"
    );

    let added = person.salus(&command)?;
    ensure!(added["records"][0]["resumed"] == true, "{added}");
    let list = person.salus(&["record", "list"])?;
    ensure!(
        list["records"].as_array().map(Vec::len) == Some(1),
        "{list}"
    );

    let id = list["records"][0]["record"].as_str().context("no id")?;
    let out = person.home().join("out");
    let folder = out.to_string_lossy().into_owned();
    let shown = person.salus(&["record", "show", id, "--out", &folder])?;
    let written = shown["written"][0]["file"].as_str().context("no file")?;
    ensure!(
        fs::read(written)? == content,
        "what came back is not what was sent"
    );
    Ok(())
}

#[test]
fn a_file_that_changed_in_between_is_not_mixed_with_what_was_sent() -> Result<()> {
    let network = Network::start(Options::default())?;
    let person = Person::new(&network, "patient")?;
    let words = person.home().join("words").to_string_lossy().into_owned();
    person.salus(&["account", "create", "--recovery-out", &words])?;
    let path = person.home().join("scan.bin");
    let mut content = noise(SIZE);
    fs::write(&path, &content)?;
    let file = path.to_string_lossy().into_owned();
    let command = ["record", "add", "--title", "Scan", &file];
    let mut upload = person
        .command(&command)?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    polling::until("half of the upload", PATIENCE, || {
        stored_bytes(&person).filter(|bytes| *bytes >= HALF_WAY)
    })?;
    upload.kill()?;
    upload.wait()?;

    content[3] ^= 1;
    fs::write(&path, &content)?;
    // Refused, or sent anew under other keys: never the old ones.
    if let Ok(added) = person.salus(&command) {
        ensure!(added["records"][0]["resumed"] == false, "{added}");
        let id = added["records"][0]["record"].as_str().context("no id")?;
        let folder = person.home().join("out").to_string_lossy().into_owned();
        let shown = person.salus(&["record", "show", id, "--out", &folder])?;
        let written = shown["written"][0]["file"].as_str().context("no file")?;
        ensure!(
            fs::read(written)? == content,
            "what came back is not what was sent"
        );
    }
    Ok(())
}
