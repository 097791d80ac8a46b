//! Ways to open an account, from terminals: a passphrase is added and opens it on a machine that has
//! nothing else; it is removed and opens nothing; the phrase cannot be removed; and secrets lie in a
//! keyring where there is one.

use anyhow::{Context, Result, ensure};
use salus_tests::network::{Network, Options};
use salus_tests::person::Person;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("no `{field}` in {value}"))
}

/// Ways to open the account: kind, what it is combined with, and id.
fn slots(person: &Person) -> Result<Vec<(String, String, String)>> {
    let listed = person.salus(&["account", "slots"])?;
    let slots = listed["slots"].as_array().context("no slots")?;
    slots
        .iter()
        .map(|slot| {
            Ok((
                text(slot, "kind")?.to_owned(),
                slot["with"].as_str().unwrap_or_default().to_owned(),
                text(slot, "id")?.to_owned(),
            ))
        })
        .collect()
}

fn id_of(person: &Person, kind: &str, with: &str) -> Result<String> {
    let slots = slots(person)?;
    let found = slots.into_iter().find(|s| s.0 == kind && s.1 == with);
    Ok(found.with_context(|| format!("no {kind}"))?.2)
}

/// The same person at a machine that has their identity and nothing else.
fn elsewhere(network: &Network, person: &Person) -> Result<Person> {
    let other = Person::new(network, "ana")?;
    let pem = Path::new("identities").join("ana.pem");
    fs::copy(person.home().join(&pem), other.home().join(&pem))?;
    Ok(other)
}

fn write(person: &Person, name: &str, text: &str) -> Result<String> {
    let path = person.home().join(name);
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

#[test]
fn a_passphrase_opens_the_account_elsewhere_until_it_is_removed() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    let created = ana.create(&["--name", "Ana"])?;
    let account = text(&created, "account")?.to_owned();

    // Whoever only has the machine adds nothing, nor does whoever brings other words.
    let add = ["account", "slot", "add", "passphrase"];
    let unproven = ana.refused(&add)?;
    ensure!(
        (unproven.status, unproven.reason.as_str()) == (2, "proof_needed"),
        "{}",
        unproven.text
    );
    let strangers = Person::new(&network, "stranger")?;
    strangers.create(&[])?;
    let strangers = ana.refused(&[&add[..], &["--recovery", &strangers.words()]].concat())?;
    ensure!(
        (strangers.status, strangers.reason.as_str()) == (3, "wrong_phrase"),
        "{}",
        strangers.text
    );
    ensure!(slots(&ana)?.len() == 2, "added nevertheless");

    // Seven words and the sheet's key, printed once.
    let added = ana.proven(&["account", "slot", "add", "passphrase", "--label", "at home"])?;
    let words = text(&added, "passphrase")?;
    let key = text(&added, "sheet_key")?;
    ensure!(words.split(' ').count() == 7, "{words}");
    ensure!(key.len() == 35 && key.split('-').count() == 6, "{key}");
    // Who opened it last, and when, is listed, and stands in the audit trail once.
    let listed = ana.salus(&["account", "slots"])?;
    let slots = listed["slots"].as_array().context("no slots")?;
    let used: Vec<_> = slots.iter().filter(|s| s["last_used"].is_u64()).collect();
    ensure!(used.len() == 1 && used[0]["in_use"] == true, "{listed}");
    let trail = ana.salus(&["audit", "show"])?;
    let entries = trail["entries"].as_array().context("no entries")?;
    let unlocked = entries.iter().filter(|e| e["event"] == "unlocked");
    ensure!(unlocked.count() == 1, "{trail}");
    let shown = ana.salus(&["account", "slots"])?.to_string();
    ensure!(shown.contains("at home"), "{shown}");
    ensure!(
        !shown.contains(words) && !shown.contains(key),
        "shown again"
    );

    let laptop = elsewhere(&network, &ana)?;
    ensure!(laptop.refused(&["account", "show"])?.status == 3);
    let words_file = write(&laptop, "words", &format!("  {words}\n"))?;
    let key_file = write(&laptop, "key", &key.to_lowercase().replace('-', " "))?;
    // One without the other, and each mistyped.
    let alone = laptop.refused(&["account", "unlock", "--passphrase-in", &words_file])?;
    ensure!(alone.status == 3, "{}", alone.text);
    let swapped = if key.starts_with('0') { "1" } else { "0" };
    let mistyped = write(&laptop, "mistyped", &format!("{swapped}{}", &key[1..]))?;
    let unlock = |words: &str, key: &str| {
        laptop.refused(&[
            "account",
            "unlock",
            "--passphrase-in",
            words,
            "--sheet-key-in",
            key,
        ])
    };
    let typo = unlock(&words_file, &mistyped)?;
    ensure!(typo.kind == "usage" && typo.text.contains("not_a_sheet_key"));
    let wrong = write(
        &laptop,
        "wrong",
        "abandon ability able about above absent absorb",
    )?;
    let wrong = unlock(&wrong, &key_file)?;
    ensure!(
        wrong.status == 3 && wrong.text.contains("wrong_secret"),
        "{}",
        wrong.text
    );

    let opened = laptop.salus(&[
        "account",
        "unlock",
        "--passphrase-in",
        &words_file,
        "--sheet-key-in",
        &key_file,
    ])?;
    ensure!(text(&opened, "account")? == account);
    ensure!(opened["slot_added"] == true);
    ensure!(text(&laptop.salus(&["account", "show"])?, "name")? == "Ana");

    // Removed, it opens nothing, from anywhere; what was opened before goes on.
    let id = id_of(&ana, "passphrase", "sheet")?;
    let unproven = ana.refused(&["account", "slot", "remove", &id])?;
    ensure!(unproven.reason == "proof_needed", "{}", unproven.text);
    let removed = ana.proven(&["account", "slot", "remove", &id])?;
    ensure!(text(&removed, "kind")? == "passphrase");
    let phone = elsewhere(&network, &ana)?;
    let gone = phone.refused(&[
        "account",
        "unlock",
        "--passphrase-in",
        &words_file,
        "--sheet-key-in",
        &key_file,
    ])?;
    ensure!(gone.status == 3, "{}", gone.text);
    laptop.salus(&["account", "show"])?;
    let again = ana.proven_refused(&["account", "slot", "remove", &id])?;
    ensure!(again.kind == "not_found", "{}", again.text);

    // The phrase stays, whoever asks.
    let recovery = id_of(&ana, "recovery", "")?;
    let refused = ana.proven_refused(&["account", "slot", "remove", &recovery])?;
    ensure!(refused.kind == "usage", "{}", refused.text);
    Ok(())
}

#[test]
fn a_passphrase_of_ones_own_is_bound_to_a_machine_or_to_a_sheet_in_a_file() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    ana.create(&[])?;
    let short = write(&ana, "short", "hunter2\n")?;
    let add = ["account", "slot", "add", "passphrase", "--own-in"];
    let refused = ana.proven_refused(&[&add[..], &[&short]].concat())?;
    ensure!(refused.kind == "usage" && refused.text.contains("12 characters"));

    let own = write(&ana, "own", "My own passphrase is this.\n")?;
    let device = ana.proven(&[&add[..], &[&own, "--with", "device"]].concat())?;
    ensure!(device["passphrase"].is_null() && device["sheet_key"].is_null());

    // This machine's slot is not removed from here, but from elsewhere; then the passphrase alone opens
    // the account here, and only here.
    let file = id_of(&ana, "file", "")?;
    let refused = ana.proven_refused(&["account", "slot", "remove", &file])?;
    ensure!(
        (refused.status, refused.reason.as_str()) == (2, "in_use"),
        "{}",
        refused.text
    );
    let elsewhere = elsewhere(&network, &ana)?;
    fs::copy(ana.words(), elsewhere.words())?;
    elsewhere.proven(&["account", "unlock"])?;
    elsewhere.proven(&["account", "slot", "remove", &file])?;
    let locked = ana.refused(&["account", "show"])?;
    ensure!(locked.reason == "slot_removed", "{}", locked.text);
    let unlock = ["account", "unlock", "--passphrase-in"];
    ensure!(elsewhere.refused(&[&unlock[..], &[&own]].concat())?.status == 3);
    ana.salus(&[&unlock[..], &[&own]].concat())?;
    ana.salus(&["account", "show"])?;

    // It shows who decides too, here; another does not.
    let rotate = ["account", "rotate", "--passphrase-in"];
    ana.salus(&[&rotate[..], &[&own]].concat())?;
    let wrong = write(&ana, "wrong", "My own passphrase was that.\n")?;
    let refused = ana.refused(&[&rotate[..], &[&wrong]].concat())?;
    ensure!(refused.reason == "wrong_secret", "{}", refused.text);

    // A sheet in a file is never printed, never overwritten, and opens as it is.
    let sheet = ana.home().join("sheet.txt");
    let sheet = sheet.display().to_string();
    let out = [
        "account",
        "slot",
        "add",
        "passphrase",
        "--sheet-out",
        &sheet,
    ];
    let added = ana.proven(&out)?;
    ensure!(added["passphrase"].is_null() && added["sheet_key"].is_null());
    let before = slots(&ana)?.len();
    ensure!(ana.proven_refused(&out)?.status == 4);
    ensure!(slots(&ana)?.len() == before, "added nevertheless");
    let phone = self::elsewhere(&network, &ana)?;
    let opened = phone.salus(&[&unlock[..], &[&sheet, "--sheet-key-in", &sheet]].concat())?;
    ensure!(opened["only_the_words"] == false, "{opened}");
    phone.salus(&["account", "show"])?;
    Ok(())
}

#[test]
fn taken_back_with_the_phrase_an_account_is_opened_by_nothing_but_what_its_owner_keeps()
-> Result<()> {
    let network = Network::start(Options::default())?;
    let (ana, other) = (
        Person::new(&network, "ana")?,
        Person::new(&network, "other")?,
    );
    let words = ana.home().join("words").display().to_string();
    ana.salus(&["account", "create", "--recovery-out", &words])?;
    let joined = other.salus(&["account", "unlock", "--recovery", &words])?;
    let sign_in = text(&joined, "principal")?;
    let listed = other.salus(&["account", "slots"])?;
    let own = listed["slots"].as_array().context("no slots")?.iter();
    let own = own.into_iter().find(|slot| slot["in_use"] == true);
    let slot = text(own.context("none in use")?, "id")?;

    let recover = ["account", "recover", "--recovery", &words];
    let keep = ["--keep-slot", slot, "--keep-sign-in", sign_in];
    let shown = ana.salus(&[&recover[..], &["--dry-run"]].concat())?;
    let ended = |answer: &Value| {
        let count = |field: &str| answer[field].as_array().map_or(0, Vec::len);
        (count("ended_slots"), count("ended_sign_ins"))
    };
    ensure!(
        ended(&shown) == (2, 1) && shown["account"].is_null(),
        "{shown}"
    );
    let kept = ana.salus(&[&recover[..], &keep].concat())?;
    ensure!(
        ended(&kept) == (1, 0) && kept["slot_added"] == true,
        "{kept}"
    );
    ana.salus(&["account", "show"])?;
    other.salus(&["account", "show"])?;

    let unknown = ["--keep-slot", "00000000000000000000000000000000"];
    let refused = ana.refused(&[&recover[..], &unknown].concat())?;
    ensure!(refused.kind == "not_found", "{}", refused.text);
    let alone = ana.salus(&recover)?;
    ensure!(ended(&alone) == (2, 1), "{alone}");
    ensure!(slots(&ana)?.len() == 2);
    let gone = other.refused(&["account", "show"])?;
    ensure!(gone.text.contains("no_account"), "{}", gone.text);
    // What it began is gone on with.
    ensure!(ana.proven(&["account", "rotate"])?["began"] == false);
    ana.salus(&["account", "show"])?;
    Ok(())
}

/// A keyring for this test: the command that desktops have, over a folder.
#[cfg(unix)]
fn keyring(person: &Person) -> Result<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = person.home().join("tool");
    fs::create_dir(&folder)?;
    let tool = folder.join("secret-tool");
    // `store --label TEXT service salus entry ENTRY`, `lookup service salus entry ENTRY`.
    let script = format!(
        "#!/bin/sh\nfor entry; do :; done\ncase \"$1\" in\n\
         store) cat > '{0}/'\"$entry\";;\nlookup) cat '{0}/'\"$entry\";;\n\
         clear) rm -f '{0}/'\"$entry\";;\nesac\n",
        folder.display()
    );
    fs::write(&tool, script)?;
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

#[cfg(unix)]
#[test]
fn what_opens_the_account_lies_in_the_keyring_where_there_is_one() -> Result<()> {
    let network = Network::start(Options::default())?;
    let ana = Person::new(&network, "ana")?;
    let tool = keyring(&ana)?;
    let path = format!("{}:{}", tool.display(), std::env::var("PATH")?);
    let with = |secrets: &str, arguments: &[&str]| -> Result<std::process::Output> {
        let mut command = ana.command(arguments)?;
        command.env("SALUS_SECRETS", secrets).env("PATH", &path);
        Ok(command.output()?)
    };
    let entries = || -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for file in fs::read_dir(&tool)? {
            let file = file?;
            if file.file_name() != "secret-tool" {
                texts.push(fs::read_to_string(file.path())?);
            }
        }
        Ok(texts)
    };
    // Without a keyring, and one is asked for: nothing is done.
    let mut none = ana.command(&["account", "create"])?;
    none.env("SALUS_SECRETS", "keyring").env("PATH", "");
    ensure!(!none.output()?.status.success());

    let created = with("auto", &["account", "create"])?;
    ensure!(
        created.status.success(),
        "{}",
        String::from_utf8_lossy(&created.stderr)
    );
    let kept = entries()?;
    ensure!(kept.len() == 1 && kept[0].len() == 64, "{kept:?}");
    // Nothing on disk but the keyring has it.
    let mut looked_at = 0;
    let mut folders = vec![ana.home().join("networks")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                looked_at += 1;
                let text = fs::read(&entry)?;
                let text = String::from_utf8_lossy(&text);
                ensure!(!text.contains(&kept[0]), "in {}", entry.display());
            }
        }
    }
    ensure!(looked_at > 0);
    ensure!(with("auto", &["account", "show"])?.status.success());
    ensure!(with("file", &["account", "show"])?.status.success());

    // Without the keyring this machine is locked, and says why.
    let locked = ana.refused(&["account", "show"])?;
    ensure!(
        locked.status == 3 && locked.text.contains("keyring"),
        "{}",
        locked.text
    );

    // Forgotten here, the keyring has forgotten the secret.
    ensure!(
        with("auto", &["account", "forget", "--yes"])?
            .status
            .success()
    );
    ensure!(entries()?.is_empty(), "not forgotten");
    Ok(())
}
