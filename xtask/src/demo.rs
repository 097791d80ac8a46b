//! Demonstration people and records, loaded through the `salus` command as people would.
//!
//! Everything in it is invented. It knows the command line and where synthetic records come from,
//! not canisters or keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use salus_health::demo::{Person, bundle};
use serde_json::{Value, json};

use crate::local::Local;
use crate::process;
use crate::workspace::Workspace;

/// Providers: identity, published name, specialty.
const PROVIDERS: [(&str, &str, &str); 2] = [
    ("novak", "Dr. Irena Novak", "Family medicine"),
    ("okafor", "Dr. Chidi Okafor", "Pulmonology"),
];

/// Loads the demonstration into a freshly installed vault; returns the people for `local.json`:
/// `{name, role, identity, principal, account, recovery, link}`. `recovery` is the file with the
/// words that open the account in a browser, `link` a patient's invitation.
///
/// Ana has given Dr. Novak access to everything; Dr. Okafor has asked Tomás and waits.
pub(crate) fn load(workspace: &Workspace, _local: &Local) -> Result<Vec<Value>> {
    let home = workspace.salus.join("demo");
    // An earlier attempt that broke off left identities behind; its accounts belong to nobody.
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    let salus = Salus {
        program: workspace.binary("salus"),
        local: Local::path(workspace),
        home,
    };
    println!("loading demonstration people (all invented)");

    let mut people = Vec::new();
    for (identity, name, specialty) in PROVIDERS {
        let mut provider = salus.open_account(identity, name, "provider")?;
        let register = [
            "provider",
            "register",
            "--name",
            name,
            "--specialty",
            specialty,
        ];
        salus.call(identity, &register)?;
        provider["specialty"] = json!(specialty);
        people.push(provider);
    }
    for person in Person::ALL {
        let identity = identity_of(person);
        let mut patient = salus.open_account(identity, person.name(), "patient")?;
        let file = salus.home.join(format!("{identity}.fhir.json"));
        fs::write(&file, serde_json::to_vec(&bundle(person))?)?;
        salus.call(identity, &["record", "add", &file.to_string_lossy()])?;
        let invitation = salus.call(identity, &["invitation", "create", "--for", "30d"])?;
        patient["link"] = text(&invitation, "link")?.into();
        people.push(patient);
    }

    let of = |identity: &str, field: &str| {
        people
            .iter()
            .find(|person| person["identity"] == identity)
            .with_context(|| format!("there is no {identity}"))
            .and_then(|person| text(person, field))
    };
    let novak = of("novak", "principal")?;
    let give = [
        "grant",
        "give",
        &novak,
        "--scope",
        "all",
        "--rights",
        "read,append",
    ];
    let terms = ["--purpose", "Your family doctor", "--for", "365d"];
    salus.call(
        identity_of(Person::AnaFerreira),
        &[&give[..], &terms].concat(),
    )?;

    let tomas = of(identity_of(Person::TomasLindqvist), "link")?;
    let ask = [
        "request", "send", &tomas, "--scope", "all", "--rights", "read",
    ];
    let terms = [
        "--purpose",
        "Before your visit on lung function",
        "--for",
        "90d",
    ];
    salus.call("okafor", &[&ask[..], &terms].concat())?;
    Ok(people)
}

fn identity_of(person: Person) -> &'static str {
    match person {
        Person::AnaFerreira => "ana",
        Person::TomasLindqvist => "tomas",
    }
}

/// The command with the local network's settings and a home of its own.
struct Salus {
    program: PathBuf,
    local: PathBuf,
    home: PathBuf,
}

impl Salus {
    fn open_account(&self, identity: &str, name: &str, role: &str) -> Result<Value> {
        self.call(identity, &["identity", "new", identity])?;
        let recovery = self.home.join(format!("{identity}.recovery.txt"));
        let words = recovery.to_string_lossy();
        let create = [
            "account",
            "create",
            "--name",
            name,
            "--recovery-out",
            &words,
        ];
        let created = self.call(identity, &create)?;
        Ok(json!({
            "name": name,
            "role": role,
            "identity": identity,
            "principal": text(&created, "principal")?,
            "account": text(&created, "account")?,
            "recovery": recovery,
        }))
    }

    fn call(&self, identity: &str, arguments: &[&str]) -> Result<Value> {
        let what = || format!("`salus {}` as {identity}", arguments.join(" "));
        let answer = process::output(&mut self.command(identity, arguments)).with_context(what)?;
        serde_json::from_str(&answer).with_context(|| format!("{} answered no JSON", what()))
    }

    fn command(&self, identity: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(&self.program));
        for variable in [
            "SALUS_VAULT",
            "SALUS_ROOT_KEY",
            "SALUS_NETWORK",
            "SALUS_IDENTITY",
        ] {
            command.env_remove(variable);
        }
        command
            .env("SALUS_HOME", &self.home)
            .env("SALUS_SECRETS", "file")
            .env("SALUS_LOCAL", &self.local)
            .args(["--network", "local", "--json", "--identity", identity])
            .args(arguments);
        command
    }
}

fn text(value: &Value, field: &str) -> Result<String> {
    value
        .get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("the answer has no {field}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demonstration_person_has_an_identity_of_their_own() {
        let mut identities: Vec<&str> = Person::ALL.into_iter().map(identity_of).collect();
        identities.extend(PROVIDERS.map(|(identity, _, _)| identity));
        let count = identities.len();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), count);
    }
}
