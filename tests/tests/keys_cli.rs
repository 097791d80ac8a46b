//! What an owner decides about keys, from terminals: who may call for the account, what was lost and is locked
//! out, other machines that are signed out, and this one that forgets. What only this machine has does
//! not do for it.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::{Person, Refusal};
use salus_tests::polling;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("no `{field}` in {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> Result<&'a Vec<Value>> {
    value[field]
        .as_array()
        .with_context(|| format!("no `{field}` in {value}"))
}

/// Refused with that status, for that reason.
fn ensure_refused(refused: Refusal, status: i32, reason: &str) -> Result<()> {
    ensure!(
        (refused.status, refused.reason.as_str()) == (status, reason),
        "not {status} {reason}: {} {}",
        refused.status,
        refused.text
    );
    Ok(())
}

/// A machine of the same owner, with an identity of its own, opened by the phrase. Its way in, and who it
/// calls as.
fn machine(network: &Network, owner: &Person, name: &str) -> Result<(Person, String, String)> {
    let machine = Person::new(network, name)?;
    fs::copy(owner.words(), machine.words())?;
    let opened = machine.proven(&["account", "unlock"])?;
    ensure!(opened["joined"] == true && opened["slot_added"] == true);
    let slots = machine.salus(&["account", "slots"])?;
    let own = list(&slots, "slots")?.iter().find(|s| s["in_use"] == true);
    let slot = text(own.context("none in use")?, "id")?.to_owned();
    Ok((machine, slot, text(&opened, "principal")?.to_owned()))
}

fn slot_count(person: &Person) -> Result<usize> {
    Ok(list(&person.salus(&["account", "slots"])?, "slots")?.len())
}

#[test]
fn a_second_key_calls_for_the_account_until_it_is_removed() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    let created = ana.create(&["--name", "Ana"])?;
    let own = text(&created, "principal")?;
    ensure!(created["only_the_words"] == true, "{created}");
    // The way in that was made goes by the machine's name.
    if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let slots = ana.salus(&["account", "slots"])?.to_string();
        ensure!(slots.contains(host.trim()), "{slots}");
    }
    ana.salus(&["identity", "new", "second"])?;
    let second = ana.calling_as("second");
    ensure_refused(second.refused(&["account", "show"])?, 3, "no_account")?;

    let add = ["account", "sign-in", "add", "second"];
    ensure_refused(ana.refused(&add)?, 2, "proof_needed")?;
    let added = ana.proven(&add)?;
    let principal = text(&added, "principal")?.to_owned();
    ensure_refused(ana.proven_refused(&add)?, 4, "exists")?;
    let listed = ana.salus(&["account", "sign-ins"])?;
    let mut seen: Vec<_> = list(&listed, "sign_ins")?
        .iter()
        .map(|one| {
            (
                one["identity"].as_str(),
                one["principal"].as_str(),
                one["in_use"] == true,
            )
        })
        .collect();
    seen.sort_unstable();
    let expected = [
        (Some("ana"), Some(own), true),
        (Some("second"), Some(principal.as_str()), false),
    ];
    ensure!(seen == expected, "{listed}");
    // It opens the records on this machine.
    ensure!(text(&second.salus(&["account", "show"])?, "name")? == "Ana");

    // Whose key is not here, and who has another account, is not added; the one in use stays.
    let somebody = ["account", "sign-in", "add", "2vxsx-fae"];
    ensure_refused(ana.proven_refused(&somebody)?, 2, "no_key_here")?;
    let bo = Person::new(&network, "bo")?;
    bo.create(&[])?;
    let pem = Path::new("identities").join("bo.pem");
    fs::copy(bo.home().join(&pem), ana.home().join(&pem))?;
    let other = ana.proven_refused(&["account", "sign-in", "add", "bo"])?;
    ensure!(other.status == 4, "{}", other.text);
    let remove = ["account", "sign-in", "remove"];
    for own in ["ana", own] {
        let refused = ana.proven_refused(&[&remove[..], &[own]].concat())?;
        ensure_refused(refused, 2, "in_use")?;
    }
    let nobodys = ana.proven_refused(&[&remove[..], &["2vxsx-fae"]].concat())?;
    ensure_refused(nobodys, 3, "not_found")?;

    // The second takes the first off, and only with proof.
    let first_off = [&remove[..], &["ana"]].concat();
    ensure_refused(second.refused(&first_off)?, 2, "proof_needed")?;
    ensure!(text(&second.proven(&first_off)?, "principal")? == own);
    ensure_refused(ana.refused(&["account", "show"])?, 3, "no_account")?;
    second.salus(&["account", "show"])?;
    let trail = second.salus(&["audit", "show"])?;
    let events: Vec<_> = list(&trail, "entries")?
        .iter()
        .filter_map(|e| e["event"].as_str())
        .collect();
    ensure!(events.contains(&"principal_added") && events.contains(&"principal_removed"));
    Ok(())
}

#[test]
fn what_was_lost_is_locked_out_at_once_and_everything_is_made_anew() -> Result<()> {
    let mut network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    ana.create(&["--name", "Ana"])?;
    let note = ana.home().join("note.txt").display().to_string();
    fs::write(&note, "Slept well.")?;
    for title in ["One", "Two", "Three"] {
        ana.salus(&["record", "add", "--title", title, &note])?;
    }
    let (laptop, laptops, laptop_calls) = machine(&network, &ana, "laptop")?;
    let (phone, phones, phone_calls) = machine(&network, &ana, "phone")?;
    let lost = ["account", "lost", "--slot", &laptops, "--slot", &phones];
    let sign_ins = ["--sign-in", &laptop_calls, "--sign-in", &phone_calls];
    let lost = [&lost[..], &sign_ins[..]].concat();

    // Nothing named, something that never was, this machine's own, the words: nothing is locked out.
    let before = slot_count(&ana)?;
    ensure_refused(ana.refused(&lost)?, 2, "proof_needed")?;
    ensure_refused(ana.proven_refused(&["account", "lost"])?, 2, "usage")?;
    let slots = ana.salus(&["account", "slots"])?;
    let id = |kind: &str, in_use: bool| -> Result<String> {
        let mut all = list(&slots, "slots")?.iter();
        let found = all.find(|s| s["kind"] == kind && s["in_use"] == in_use);
        Ok(text(found.context("none")?, "id")?.to_owned())
    };
    let (own, words) = (id("file", true)?, id("recovery", false)?);
    for (slot, status, reason) in [
        ("00112233445566778899aabbccddeeff", 3, "not_found"),
        (own.as_str(), 2, "in_use"),
        (words.as_str(), 2, "recovery_phrase"),
    ] {
        let refused = ana.proven_refused(&[&lost[..], &["--slot", slot]].concat())?;
        ensure_refused(refused, status, reason)?;
    }
    for (who, status, reason) in [("2vxsx-fae", 3, "not_found"), ("ana", 2, "in_use")] {
        let refused = ana.proven_refused(&[&lost[..], &["--sign-in", who]].concat())?;
        ensure_refused(refused, status, reason)?;
    }
    ensure!(slot_count(&ana)? == before, "something was locked out");
    phone.salus(&["account", "show"])?;

    // Stopped in the middle, it says what is left; again, it goes on without being told what.
    let done = if network.can_be_reached_into("the crash while something is locked out") {
        let left = stopped(&mut network, &ana, &lost)?;
        ensure!(
            left.last().is_some_and(|l| l == "make all keys anew"),
            "{left:?}"
        );
        let shown = ana.salus(&["account", "show"])?;
        ensure!(shown["unfinished"] == "account lost", "{shown}");
        ana.proven(&["account", "lost"])?
    } else {
        ana.proven(&lost)?
    };
    for (field, gone) in [
        ("slots", [&laptops, &phones]),
        ("sign_ins", [&laptop_calls, &phone_calls]),
    ] {
        ensure!(list(&done, field)?.iter().eq(gone), "{done}");
    }
    // One generation that began it, one for what was removed, and perhaps one for having been stopped.
    let generation = done["rotated"]["generation"].as_u64();
    ensure!(generation.is_some_and(|g| g >= 3), "{done}");
    ensure!(noted(&ana)?.is_none(), "still noted");
    for gone in [&laptop, &phone] {
        ensure_refused(gone.refused(&["account", "show"])?, 3, "no_account")?;
    }
    ensure!(slot_count(&ana)? == before - 2);
    let listed = ana.salus(&["account", "sign-ins"])?;
    ensure!(list(&listed, "sign_ins")?.len() == 1, "{listed}");
    let records = ana.salus(&["record", "list"])?;
    ensure!(list(&records, "records")?.len() == 3, "{records}");
    let trail = ana.salus(&["audit", "show"])?;
    for event in ["rekeyed", "principal_removed", "keys_rotated", "refiled"] {
        let mut entries = list(&trail, "entries")?.iter();
        ensure!(entries.any(|e| e["event"] == event), "no {event}");
    }
    // There is nothing left to go on with.
    ensure_refused(ana.proven_refused(&["account", "lost"])?, 2, "usage")
}

/// Keys that were made anew before the loss are known to what was lost.
#[test]
fn a_rotation_that_was_stopped_before_a_loss_does_not_do_for_it() -> Result<()> {
    let network = Network::start(Options::default())?;
    if !network.can_be_reached_into("a rotation that was stopped before a loss") {
        return Ok(());
    }
    let ana = Person::new(&network, "ana")?;
    ana.create(&[])?;
    let note = ana.home().join("note.txt").display().to_string();
    fs::write(&note, "Slept well.")?;
    ana.salus(&["record", "add", "--title", "Night", &note])?;
    let (_, laptops, _) = machine(&network, &ana, "laptop")?;

    let renewed = |person: &Person| -> Result<usize> {
        let trail = person.salus(&["audit", "show"])?;
        let entries = list(&trail, "entries")?.iter();
        Ok(entries.filter(|e| e["event"] == "keys_rotated").count())
    };
    let before = network.executed("key_rotate")?;
    let words = ana.words();
    let mut rotating = ana
        .command(&["account", "rotate", "--recovery", &words])?
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // The identity keys are new, and nothing after them is.
    let limit = Duration::from_secs(120);
    polling::until("the identity keys to be new", limit, || {
        (network.executed("key_rotate").ok()? > before).then_some(())
    })?;
    rotating.kill()?;
    rotating.wait()?;
    ensure!(renewed(&ana)? == 1);
    let shown = ana.salus(&["account", "show"])?;
    ensure!(shown["unfinished"] == "account rotate", "{shown}");

    ana.proven(&["account", "lost", "--slot", &laptops])?;
    ensure!(
        renewed(&ana)? == 2,
        "the keys of before the loss stay in force"
    );
    ensure!(ana.salus(&["account", "show"])?["unfinished"].is_null());
    Ok(())
}

/// The note of what is being locked out.
fn noted(person: &Person) -> Result<Option<PathBuf>> {
    let mut folders = vec![person.home().join("networks")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.file_name().is_some_and(|name| name == "lost.json") {
                return Ok(Some(entry));
            }
        }
    }
    Ok(None)
}

/// Begins, takes the network away as soon as something is done, and gives what is said to be left.
fn stopped(network: &mut Network, person: &Person, lost: &[&str]) -> Result<Vec<String>> {
    let words = person.words();
    let lost = [lost, &["--recovery", &words]].concat();
    let child = person
        .command(&lost)?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    polling::until("what is lost to be noted", Duration::from_secs(120), || {
        noted(person).ok().flatten()
    })?;
    network.crash_and_restart()?;
    let output = child.wait_with_output()?;
    let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_default();
    ensure!(output.status.code() == Some(6), "{error}");
    let left = list(&error["error"], "left")?;
    Ok(left
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect())
}

#[test]
fn other_machines_are_signed_out_and_this_one_forgets() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    ana.create(&[])?;
    let (laptop, ..) = machine(&network, &ana, "laptop")?;
    let (phone, ..) = machine(&network, &ana, "phone")?;

    let others = ["account", "sign-out-others"];
    ensure_refused(ana.refused(&others)?, 2, "proof_needed")?;
    let out = ana.proven(&others)?;
    ensure!(list(&out, "removed")?.len() == 2, "{out}");
    for other in [&laptop, &phone] {
        ensure_refused(other.refused(&["account", "show"])?, 3, "slot_removed")?;
    }
    ana.salus(&["account", "show"])?;
    ensure!(list(&ana.proven(&others)?, "removed")?.is_empty());

    // What was signed out forgets what is left there; so does what was let in again.
    let forget = ["account", "forget"];
    let forgotten = phone.salus(&forget)?;
    ensure!(forgotten["slot_removed"].is_null(), "{forgotten}");
    laptop.proven(&["account", "unlock"])?;
    let forgotten = laptop.salus(&forget)?;
    ensure!(forgotten["slot_removed"].is_string(), "{forgotten}");
    for other in [&laptop, &phone] {
        ensure_refused(other.refused(&["account", "show"])?, 3, "locked")?;
        let left = files_of(other, text(&forgotten, "account")?)?;
        ensure!(left.is_empty(), "{left:?}");
    }
    ensure!(slot_count(&ana)? == 2);

    // The last machine is asked whether the words are at hand; a passphrase on the sheet would do.
    ensure_refused(ana.refused(&forget)?, 2, "only_the_words")?;
    ana.salus(&["account", "show"])?;
    let own = ana.home().join("own").display().to_string();
    fs::write(&own, "A passphrase of this machine.")?;
    let add = ["account", "slot", "add", "passphrase"];
    let bound = ana.proven(&[&add[..], &["--own-in", &own, "--with", "device"]].concat())?;
    ensure_refused(ana.refused(&forget)?, 2, "only_the_words")?;
    let sheet = ana.home().join("sheet").display().to_string();
    ana.proven(&[&add[..], &["--sheet-out", &sheet]].concat())?;
    let forgotten = ana.salus(&forget)?;
    ensure!(list(&forgotten, "bound")?.as_slice() == [bound["id"].clone()]);
    ensure_refused(ana.refused(&["account", "show"])?, 3, "locked")?;
    let unlock = ["account", "unlock", "--passphrase-in"];
    let refused = ana.refused(&[&unlock[..], &[&own]].concat())?;
    ensure_refused(refused, 3, "not_found")?;
    ana.salus(&[&unlock[..], &[&sheet, "--sheet-key-in", &sheet]].concat())?;
    ana.salus(&["account", "show"])?;
    let forgotten = ana.salus(&[&forget[..], &["--yes"]].concat())?;
    ensure!(forgotten["slot_removed"].is_string(), "{forgotten}");

    // Whose sign-in was removed elsewhere clears what is left here, and only what it names.
    ana.proven(&["account", "unlock"])?;
    laptop.proven(&["account", "unlock"])?;
    let calls = laptop.salus(&["whoami"])?;
    ana.proven(&["account", "sign-in", "remove", text(&calls, "principal")?])?;
    let refused = laptop.refused(&forget)?;
    let account = text(&forgotten, "account")?;
    ensure!(refused.text.contains(account), "{}", refused.text);
    ensure_refused(refused, 3, "no_account")?;
    let named = [&forget[..], &["--account", account]].concat();
    ensure_refused(laptop.refused(&named)?, 2, "only_the_words")?;
    laptop.salus(&[&named[..], &["--yes"]].concat())?;
    ensure!(files_of(&laptop, account)?.is_empty());
    ensure_refused(laptop.refused(&named)?, 3, "not_found")
}

#[test]
fn the_sheet_has_what_it_takes_and_only_for_who_brings_the_words() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    ana.create(&[])?;
    let words = fs::read_to_string(ana.words())?;
    let words: Vec<&str> = words.split_whitespace().collect();
    let sheet = ["account", "sheet"];
    ensure_refused(ana.refused(&sheet)?, 2, "proof_needed")?;
    let bo = Person::new(&network, "bo")?;
    bo.create(&[])?;
    let strangers = ["account", "sheet", "--recovery", &bo.words()];
    ensure_refused(ana.refused(&strangers)?, 3, "wrong_phrase")?;

    let shown = ana.proven(&sheet)?;
    ensure!(text(&shown, "recovery_phrase")? == words.join(" "));
    ensure!(text(&shown, "address")? == network.website_url());
    let code = text(&shown, "qr")?;
    ensure!(code.lines().count() > 20 && code.contains('█'), "{code}");

    let out = ana.home().join("sheet.txt").display().to_string();
    let written = ana.proven(&[&sheet[..], &["--out", &out]].concat())?;
    ensure!(written["recovery_phrase"].is_null() && written["qr"].is_null());
    let page = fs::read_to_string(&out)?;
    ensure!(page.contains(code.trim_end_matches('\n')), "{page}");
    ensure!(page.contains(&network.website_url()), "{page}");
    for (place, word) in words.iter().enumerate() {
        ensure!(
            page.contains(&format!("{:>2} {word} ", place + 1)),
            "{word}"
        );
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&out)?.permissions().mode();
        ensure!(mode & 0o777 == 0o600, "{mode:o}");
    }
    ensure_refused(
        ana.proven_refused(&[&sheet[..], &["--out", &out]].concat())?,
        4,
        "file",
    )?;

    // Two people's code for a camera, beside its text.
    let specialty = ["--specialty", "Family medicine"];
    let register = ["provider", "register", "--name", "Dr Ana"];
    ana.salus(&[register.as_slice(), &specialty].concat())?;
    let safety = ["contact", "safety", "Dr Ana"];
    ensure!(bo.salus(&safety)?["qr"].is_null());
    let shown = bo.salus(&[&safety[..], &["--qr"]].concat())?;
    ensure!(text(&shown, "qr")?.contains('█') && text(&shown, "code")?.starts_with("salus:"));
    Ok(())
}

/// What lies below an account's folders.
fn files_of(person: &Person, account: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![person.home().join("networks")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?.path();
            let whose = entry.components().any(|part| part.as_os_str() == account);
            if entry.is_dir() {
                folders.push(entry);
            } else if whose {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

#[test]
fn words_that_somebody_read_are_replaced_by_others() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    ana.create(&["--name", "Ana"])?;
    let new = ana.home().join("new-words");
    let new = new.to_string_lossy().into_owned();
    let replace = |old: &str, new: &str| {
        let arguments = [
            "account",
            "replace-words",
            "--recovery",
            old,
            "--new-recovery",
            new,
        ];
        arguments.map(str::to_owned)
    };
    // Words of nobody's put nothing in force.
    let stranger = ana.home().join("stranger");
    fs::write(
        &stranger,
        [["abandon"; 23].join(" "), "art".into()].join(" "),
    )?;
    let stranger = stranger.to_string_lossy().into_owned();
    ensure!(ana.refused(&replace(&stranger, &new))?.status != 0);
    ana.salus(&replace(&ana.words(), &new))?;
    // Again, as after it was stopped: it is done already.
    ana.salus(&replace(&ana.words(), &new))?;
    ana.salus(&["account", "show"])?;
    ensure!(slot_count(&ana)? == 2, "this machine and the new words");

    let laptop = Person::new(&network, "laptop")?;
    let unlock = |words: &str| ["account", "unlock", "--recovery", words].map(str::to_owned);
    ensure!(laptop.refused(&unlock(&ana.words()))?.reason == "wrong_phrase");
    laptop.salus(&unlock(&new))?;
    Ok(())
}
