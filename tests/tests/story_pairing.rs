//! A second machine by help of the first: two terminals, two homes, one code, the same words on both.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::io::{BufReader, Write};
use std::process::{Child, ChildStdout, Stdio};

/// A command that answers in steps and asks in between.
struct Talk {
    child: Child,
    answers: serde_json::StreamDeserializer<
        'static,
        serde_json::de::IoRead<BufReader<ChildStdout>>,
        Value,
    >,
}

impl Talk {
    fn with(person: &Person, arguments: &[&str]) -> Result<Self> {
        let mut child = person
            .command(arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().context("stdout")?;
        let answers = serde_json::Deserializer::from_reader(BufReader::new(out)).into_iter();
        Ok(Self { child, answers })
    }

    /// The next thing it answers.
    fn hear(&mut self) -> Result<Value> {
        Ok(self.answers.next().context("it ended")??)
    }

    fn words(&mut self) -> Result<String> {
        let words = self.hear()?["words"].as_str().map(str::to_owned);
        words.context("no words")
    }

    fn say(&mut self, text: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("stdin")?;
        Ok(writeln!(stdin, "{text}")?)
    }

    /// Whether it ended well, and the word for why it did not.
    fn end(self) -> Result<(bool, String)> {
        let output = self.child.wait_with_output()?;
        let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_default();
        let reason = error["error"]["reason"].as_str().unwrap_or_default();
        Ok((output.status.success(), reason.to_owned()))
    }
}

fn slots(person: &Person) -> Result<Vec<String>> {
    let shown = person.salus(&["account", "show"])?;
    let slots = shown["slots"].as_array().context("slots")?;
    let labels = slots.iter().filter_map(|slot| slot["label"].as_str());
    Ok(labels.map(str::to_owned).collect())
}

/// As far as the words on both.
fn compared(ana: &Person, laptop: &Person) -> Result<(Talk, Talk)> {
    let mut there = Talk::with(laptop, &["account", "pair"])?;
    let begun = there.hear()?;
    let code = begun["code"].as_str().context("code")?.to_lowercase();
    let words = ana.words();
    let approve = ["account", "pair", "--approve", &code, "--recovery", &words];
    let arguments = [approve.as_slice(), &["--label", "Laptop"]].concat();
    let mut here = Talk::with(ana, &arguments)?;
    let (own, theirs) = (here.words()?, there.words()?);
    ensure!(own == theirs, "{own} here, {theirs} there");
    ensure!(own.split(' ').count() == 4, "{own}");
    let late = ana.proven_refused(&["account", "pair", "--approve", &code])?;
    ensure!(late.status == 4, "a second answer: {}", late.text);
    // What it heard last is what is typed below.
    here.say(&own)?;
    Ok((here, there))
}

#[test]
fn a_second_machine_is_let_in_by_the_first() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    let laptop = Person::new(&network, "laptop")?;
    ana.create(&["--name", "Ana"])?;
    let note = ana.home().join("note.txt");
    std::fs::write(&note, "Slept well.")?;
    ana.salus(&[
        "record".as_ref(),
        "add".as_ref(),
        "--title".as_ref(),
        "Night".as_ref(),
        note.as_os_str(),
    ])?;
    ensure!(laptop.refused(&["record", "list"])?.status == 3);

    // Codes that lead nowhere.
    let mistyped = ana.proven_refused(&["account", "pair", "--approve", "MPJT-B9D5-2"])?;
    ensure!(mistyped.status == 2, "{}", mistyped.text);
    let nobodys = ana.proven_refused(&["account", "pair", "--approve", "MPJT-B9D5-1"])?;
    ensure!(nobodys.status == 3, "{}", nobodys.text);
    // Whoever sits at an unlocked machine lets nobody in; and stdin is for the words on both.
    let code = "MPJT-B9D5-1";
    for how in [
        &["--approve", code][..],
        &["--approve", code, "--recovery", "-"],
    ] {
        let refused = ana.refused(&[&["account", "pair"][..], how].concat())?;
        ensure!(refused.status == 2, "{how:?}: {}", refused.text);
    }

    // The person at the new machine sees other words than the first one's owner typed: ended there.
    let (here, mut there) = compared(&ana, &laptop)?;
    let (approved, reason) = here.end()?;
    ensure!(approved, "{reason}");
    there.say("no")?;
    let (joined, reason) = there.end()?;
    ensure!(!joined && reason == "not_the_same_words", "{reason}");
    ensure!(laptop.refused(&["record", "list"])?.status == 3);

    let (here, mut there) = compared(&ana, &laptop)?;
    there.say("Y")?;
    let paired = there.hear()?;
    ensure!(paired["account"].is_string(), "{paired}");
    for (side, (well, reason)) in [("here", here.end()?), ("there", there.end()?)] {
        ensure!(well, "{side}: {reason}");
    }
    let listed = laptop.salus(&["record", "list"])?;
    ensure!(listed["records"][0]["title"] == "Night", "{listed}");
    ensure!(slots(&ana)?.iter().filter(|l| *l == "Laptop").count() == 2);
    let trail = ana.salus(&["audit", "show"])?;
    let told = trail["entries"].as_array().context("entries")?;
    ensure!(told.iter().any(|entry| entry["event"] == "paired"));
    let again = laptop.refused(&["account", "pair"])?;
    ensure!(again.status == 4, "{}", again.text);
    Ok(())
}
