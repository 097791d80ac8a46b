//! An exported account opens without us: `tests/independent/` has a reader in another language,
//! written from docs/format.md alone on published libraries. Where there is no Python or no registry,
//! the test says so in one line and is passed over.

use anyhow::{Context, Result, ensure};
use salus_protocol::statement::sha256;
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// More than two pieces, so that order matters.
const LARGE: usize = 2_500_000;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("independent")
}

fn passed_over(why: &str) -> Result<Option<PathBuf>> {
    println!("SKIPPED: the independent reader, because {why}");
    Ok(None)
}

/// A Python with the reader's libraries, if there can be one.
fn python() -> Result<Option<PathBuf>> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("independent-venv");
    let python = place.join("bin/python");
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&place)
        .output();
    match made {
        Ok(made) if made.status.success() => {}
        Ok(_) => return passed_over("python3 makes no venv"),
        Err(_) => return passed_over("there is no python3"),
    }
    let installed = Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "-r"])
        .arg(here().join("requirements.txt"))
        .output()?;
    if installed.status.success() {
        return Ok(Some(python));
    }
    let said = String::from_utf8_lossy(&installed.stderr).into_owned();
    let unreachable = ["NewConnectionError", "name resolution", "Timeout"];
    if unreachable.iter().any(|sign| said.contains(sign)) {
        return passed_over("there is no registry");
    }
    anyhow::bail!("installing the reader's libraries: {said}")
}

struct Reader {
    python: PathBuf,
}

impl Reader {
    fn run(&self, file: &Path, words: &Path) -> Result<Output> {
        Ok(Command::new(&self.python)
            .arg(here().join("read_export.py"))
            .args([file, words])
            .output()?)
    }

    fn read(&self, file: &Path, words: &Path) -> Result<Value> {
        let output = self.run(file, words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the reader: {said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// What the reader says of a file it must not take.
    fn refusal(&self, file: &Path, words: &Path) -> Result<String> {
        let output = self.run(file, words)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success(), "was read");
        ensure!(said.starts_with("refused: "), "not a refusal: {said}");
        Ok(said)
    }
}

struct Story {
    network: Network,
    patient: Person,
    words: PathBuf,
}

impl Story {
    fn write(&self, name: &str, bytes: &[u8]) -> Result<String> {
        let path = self.patient.home().join(name);
        fs::write(&path, bytes)?;
        Ok(path.to_string_lossy().into_owned())
    }

    /// A record in two versions, a large one, a note filed and one that waits, a revocation.
    fn tell() -> Result<Self> {
        let network = Network::start(Options::default())?;
        let patient = Person::new(&network, "exporter")?;
        let words = patient.home().join("words");
        let story = Self {
            network,
            patient,
            words,
        };
        let patient = &story.patient;
        let words = story.words.to_string_lossy().into_owned();
        patient.salus(&[
            "account",
            "create",
            "--name",
            "Eve",
            "--recovery-out",
            &words,
        ])?;
        let first = story.write("first.txt", b"first wording")?;
        let added = patient.salus(&["record", "add", "--title", "Letter", &first])?;
        let record = added["records"][0]["record"].as_str().context("record")?;
        let second = story.write("second.txt", b"second wording")?;
        patient.salus(&[
            "record",
            "amend",
            record,
            "--title",
            "Letter, corrected",
            &second,
        ])?;
        let large = story.write("large.bin", &large())?;
        patient.salus(&["record", "add", "--title", "Scan", &large])?;

        let provider = Person::new(&story.network, "writer")?;
        provider.salus(&["account", "create", "--name", "Writer"])?;
        provider.salus(&[
            "provider",
            "register",
            "--name",
            "Dr Writer",
            "--specialty",
            "Care",
        ])?;
        let invitation = patient.salus(&["invitation", "create"])?;
        let link = invitation["link"].as_str().context("link")?;
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
            "30d",
        ])?;
        let requests = patient.salus(&["request", "list"])?;
        let request = requests["received"][0]["request"].as_str();
        let approved = patient.salus(&["request", "approve", request.context("request")?])?;
        let note = story.write("note.txt", b"a note")?;
        provider.salus(&["record", "add", "--patient", link, "--title", "Note", &note])?;
        // Files what waits.
        patient.salus(&["record", "list"])?;
        provider.salus(&["record", "add", "--patient", link, "--title", "Late", &note])?;
        let grant = approved["grant"].as_str().context("grant")?;
        patient.salus(&["grant", "revoke", grant])?;
        let after = story.write("after.txt", b"after")?;
        patient.salus(&["record", "add", "--title", "After", &after])?;
        Ok(story)
    }
}

fn large() -> Vec<u8> {
    (0..LARGE).map(|i| (i * i % 251) as u8).collect()
}

fn parts_of<'a>(read: &'a Value, title: &str) -> Vec<&'a str> {
    let records = read["records"].as_array().map(Vec::as_slice);
    let mut found = records.unwrap_or_default().iter();
    let record = found.find(|r| r["title"] == title);
    let parts = record.and_then(|r| r["parts"].as_array());
    let hashes = parts
        .into_iter()
        .flatten()
        .filter_map(|p| p["sha256"].as_str());
    hashes.collect()
}

#[test]
fn an_exported_account_opens_without_us() -> Result<()> {
    let Some(python) = python()? else {
        return Ok(());
    };
    let reader = Reader { python };
    let story = Story::tell()?;
    let file = story.patient.home().join("mine.salus");
    let path = file.to_string_lossy().into_owned();
    let exported = story.patient.salus(&["export", &path])?;
    ensure!(exported["versions"] == 6, "{exported}");
    let again = story.patient.refused(&["export", &path])?;
    ensure!(again.kind == "conflict", "{}", again.text);

    let read = reader.read(&file, &story.words)?;
    for (title, bytes) in [
        ("Letter", b"first wording".to_vec()),
        ("Letter, corrected", b"second wording".to_vec()),
        ("Scan", large()),
        ("Note", b"a note".to_vec()),
        ("Late", b"a note".to_vec()),
        ("After", b"after".to_vec()),
    ] {
        let hash = sha256(&bytes).to_string();
        ensure!(parts_of(&read, title) == [hash], "{title}: {read}");
    }
    ensure!(read["operations"] == exported["operations"], "{read}");
    ensure!(read["entries"] == exported["entries"], "{read}");
    let records = read["records"].as_array().context("records")?;
    ensure!(records.iter().all(|r| r["author"] == "verified"), "{read}");
    let waiting = records.iter().filter(|r| r["filed"] == false);
    let waiting: Vec<_> = waiting.map(|r| &r["title"]).collect();
    ensure!(waiting == ["Late"], "{read}");

    let whole = fs::read(&file)?;
    let altered = story.patient.home().join("altered.salus");
    let text = String::from_utf8_lossy(&whole);
    for secret in ["Letter", "wording", "a note", "Eve", "Care"] {
        ensure!(!text.contains(secret), "{secret} stands in the file");
    }
    // One bit anywhere: certificate, chains, versions, and in the middle of the scan.
    let step = whole.len() / 24;
    for at in (step / 2..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&altered, bytes)?;
        let output = reader.run(&altered, &story.words)?;
        ensure!(!output.status.success(), "a flipped bit at {at} was read");
    }
    fs::write(&altered, &whole[..whole.len() - 4])?;
    ensure!(
        !reader.run(&altered, &story.words)?.status.success(),
        "half a file was read"
    );
    let other = Person::new(&story.network, "other")?;
    let words = other.home().join("words");
    let text = words.to_string_lossy().into_owned();
    other.salus(&["account", "create", "--recovery-out", &text])?;
    let said = reader.refusal(&file, &words)?;
    ensure!(said.contains("the wrong phrase"), "{said}");
    Ok(())
}
