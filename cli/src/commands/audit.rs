//! `salus audit …`: who saw what, and whether the trail that says so holds.

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::network::RootKey;
use crate::session::Session;
use crate::text::{line, time};
use crate::watch::Watch;
use clap::{Args, Subcommand};
use salus_client::audit::{
    AuditEntry, AuditEvent, ExportError, Trail, Verification, verify_export,
};
use salus_client::{AccountId, Hash};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show your audit trail, verified
    Show(ShowArgs),
    /// Verify an audit trail: chain, certificate, and what this machine remembers of it
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// What concerns you in this patient's trail
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The trail of this patient, who gave you a grant
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
    /// Write trail and proof to this new file, to be verified without a network
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Verify such a file, without a network
    #[arg(long, value_name = "FILE", conflicts_with_all = ["patient", "export"])]
    offline: Option<PathBuf>,
}

/// Someone in the trail.
#[derive(Clone, Serialize)]
struct Who {
    /// Their account; absent where it is not known whom the pseudonym stands for.
    account: Option<String>,
    name: Option<String>,
    pseudonym: String,
    /// Whether it is the trail's owner.
    owner: bool,
}

#[derive(Serialize)]
struct Entry {
    seq: u64,
    /// Milliseconds since 1970.
    at: u64,
    event: &'static str,
    actor: Option<Who>,
    other: Option<Who>,
    grant: Option<String>,
    request: Option<String>,
    compartment: Option<String>,
    record: Option<String>,
    version: Option<u32>,
    count: Option<u64>,
    /// The entry in plain words.
    text: String,
}

#[derive(Serialize)]
struct Verified {
    /// Entries in the chain.
    entries: u64,
    /// Entries of which only the hash is shown, because they concern others.
    hidden: u64,
    /// Names recomputed from their salts.
    names: u64,
    head: String,
    /// The time in the network's certificate, milliseconds since 1970.
    certified_at: u64,
    /// How far this machine knew the trail before.
    known_before: u64,
}

impl Verified {
    fn of(verification: &Verification) -> Self {
        Self {
            entries: verification.entries,
            hidden: verification.hidden,
            names: verification.names,
            head: verification.head.hash.to_string(),
            certified_at: verification.certified_at,
            known_before: verification.known_before,
        }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Verified: {} entries, certified by the network at {}.",
            self.entries,
            time(self.certified_at)
        )?;
        if self.hidden > 0 {
            write!(
                f,
                "\n{} of them concern others and show their hashes only.",
                self.hidden
            )?;
        }
        if self.known_before > 0 {
            write!(
                f,
                "\nThe {} entries this machine knew before are all there.",
                self.known_before
            )?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Shown {
    account: String,
    entries: Vec<Entry>,
    verified: Verified,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{:>5}  {}  {}", entry.seq, time(entry.at), entry.text)?;
        }
        write!(f, "\n{}", self.verified)
    }
}

#[derive(Serialize)]
struct Report {
    account: String,
    /// Always true: what does not verify is an error.
    valid: bool,
    #[serde(flatten)]
    verified: Verified,
    /// Digits to be compared with those of the trail's owner.
    safety_number: Option<String>,
    vault: String,
    /// Whether the root key was one this machine knows, not only the file's own.
    root_key_known: bool,
    root_key: String,
    exported_to: Option<String>,
    /// Entries in full, of an exported file.
    #[serde(skip_serializing_if = "Option::is_none")]
    trail: Option<Vec<Entry>>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(trail) = &self.trail {
            for entry in trail {
                writeln!(f, "{:>5}  {}  {}", entry.seq, time(entry.at), entry.text)?;
            }
            writeln!(f)?;
        }
        writeln!(f, "Account {} in vault {}", self.account, self.vault)?;
        write!(f, "{}", self.verified)?;
        if let Some(number) = &self.safety_number {
            write!(f, "\nIts owner's safety number: {number}")?;
        }
        if !self.root_key_known {
            write!(
                f,
                "\nThe root key is the file's own, and no network known here: trust it only if you \
                 know it:\n{}",
                self.root_key
            )?;
        }
        if let Some(file) = &self.exported_to {
            write!(f, "\nWritten to {}", line(file))?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Show(arguments) => {
            let session = Session::open(app).await?;
            let trail = trail(&session, arguments.patient.as_deref()).await?;
            let words = Words::of(&session)?;
            app.out.answer(&Shown {
                account: trail.owner.to_string(),
                entries: words.entries(&trail.entries, &trail.names, trail.owner),
                verified: Verified::of(&trail.verification),
            })
        }
        Command::Verify(VerifyArgs {
            offline: Some(file),
            ..
        }) => offline(app, file),
        Command::Verify(arguments) => {
            let session = Session::open(app).await?;
            let trail = trail(&session, arguments.patient.as_deref()).await?;
            if let Some(file) = &arguments.export {
                home::write_new(file, &trail.export(session.client()))?;
            }
            let own = trail.owner == session.unlocked.account();
            app.out.answer(&Report {
                account: trail.owner.to_string(),
                valid: true,
                verified: Verified::of(&trail.verification),
                safety_number: own.then(|| session.unlocked.safety_number()),
                vault: session.client().vault().to_text(),
                root_key_known: true,
                root_key: hex::encode(session.client().root_key()),
                exported_to: arguments.export.as_ref().map(|p| p.display().to_string()),
                trail: None,
            })
        }
    }
}

async fn trail(session: &Session<'_>, patient: Option<&str>) -> Result<Trail> {
    let watch = Watch::new(session.app.out, "the audit trail");
    match patient {
        None => Ok(session.unlocked.audit_trail(&watch).await?),
        Some(text) => {
            // One may verify what concerns oneself after the grant is over, too.
            let owner = session.patient_of_any_grant(text).await?;
            Ok(session
                .client()
                .audit(owner.account, owner.genesis(), &watch)
                .await?)
        }
    }
}

fn offline(app: &App, path: &Path) -> Result<()> {
    let bytes = home::read(path)?
        .ok_or_else(|| Error::usage(format!("there is no file {}", path.display())))?;
    let trusted = trusted_key(app)?;
    let export = verify_export(&bytes, trusted.as_deref()).map_err(|error| match error {
        ExportError::Format => Error::new(
            Kind::Other,
            "newer_format",
            format!("{}: {error}", path.display()),
        ),
        ExportError::Malformed => Error::new(
            Kind::Integrity,
            "malformed",
            format!("{} is {error}, or damaged", path.display()),
        ),
        ExportError::OtherNetwork => Error::new(
            Kind::Integrity,
            "other_network",
            format!("{}: {error}", path.display()),
        )
        .hint("name the network it is from by --network or --root-key"),
        ExportError::Certificate(_) | ExportError::Integrity(_) => Error::new(
            Kind::Integrity,
            "integrity",
            format!("{} does not verify: {error}", path.display()),
        ),
    })?;
    let words = Words::default();
    app.out.answer(&Report {
        account: export.account.to_string(),
        valid: true,
        verified: Verified::of(&export.verification),
        safety_number: Some(salus_client::safety_number(&export.genesis)),
        vault: export.vault.to_text(),
        root_key_known: trusted.is_some(),
        root_key: hex::encode(&export.root_key),
        exported_to: None,
        trail: Some(words.entries(&export.entries, &export.names, export.account)),
    })
}

/// The root key of the network the command line names; nothing if that is the local one and there
/// is none, or if only the node could tell.
fn trusted_key(app: &App) -> Result<Option<Vec<u8>>> {
    match app.network() {
        Ok(network) => Ok(match network.root_key {
            RootKey::Given(key) => Some(key),
            RootKey::Mainnet => Some(salus_client::agent::mainnet_root_key()),
            RootKey::Fetch => None,
        }),
        Err(error) if error.reason == "no_local_network" => Ok(None),
        Err(error) => Err(error),
    }
}

/// Entries in words.
#[derive(Default)]
struct Words {
    own: Option<AccountId>,
    names: BTreeMap<String, String>,
    compartments: BTreeMap<String, String>,
}

impl Words {
    fn of(session: &Session<'_>) -> Result<Self> {
        Ok(Self {
            own: Some(session.unlocked.account()),
            names: session.contacts.borrow().names(),
            compartments: session
                .unlocked
                .compartments()?
                .into_iter()
                .map(|c| (c.id.to_string(), c.label.name))
                .collect(),
        })
    }

    fn entries(
        &self,
        entries: &[AuditEntry],
        names: &BTreeMap<Hash, AccountId>,
        owner: AccountId,
    ) -> Vec<Entry> {
        let who = |pseudonym: &Hash| {
            let account = names.get(pseudonym).copied();
            Who {
                account: account.map(|a| a.to_string()),
                name: account.and_then(|a| self.names.get(&a.to_string()).cloned()),
                pseudonym: pseudonym.to_string(),
                owner: account == Some(owner),
            }
        };
        entries
            .iter()
            .map(|entry| {
                let actor = entry.actor.as_ref().map(who);
                let other = entry.other.as_ref().map(who);
                Entry {
                    seq: entry.seq,
                    at: entry.at,
                    event: name(entry.event),
                    text: self.text(entry, actor.as_ref(), other.as_ref()),
                    actor,
                    other,
                    grant: entry.grant.map(|id| id.to_string()),
                    request: entry.request.map(|id| id.to_string()),
                    compartment: entry.compartment.map(|id| id.to_string()),
                    record: entry.record.map(|id| id.to_string()),
                    version: entry.version,
                    count: entry.count,
                }
            })
            .collect()
    }

    fn called(&self, who: Option<&Who>) -> String {
        let Some(who) = who else {
            return "the vault".to_owned();
        };
        match (&who.account, &who.name) {
            (Some(account), _) if self.own.is_some_and(|own| own.to_string() == *account) => {
                "you".to_owned()
            }
            (_, Some(name)) => line(name),
            _ if who.owner => "the owner".to_owned(),
            (Some(account), None) => format!("account {account}"),
            (None, None) => {
                let short: String = who.pseudonym.chars().take(8).collect();
                format!("someone ({short})")
            }
        }
    }

    fn text(&self, entry: &AuditEntry, actor: Option<&Who>, other: Option<&Who>) -> String {
        let (who, whom) = (self.called(actor), self.called(other));
        let named = entry.compartment.map_or_else(String::new, |id| {
            let id = id.to_string();
            format!(" {}", line(self.compartments.get(&id).unwrap_or(&id)))
        });
        let place = if named.is_empty() {
            String::new()
        } else {
            format!(" in{named}")
        };
        let record = entry.record.map_or_else(String::new, |id| {
            let version = entry
                .version
                .map_or_else(String::new, |version| format!(" version {version}"));
            format!(" record {id}{version}")
        });
        let count = entry.count.unwrap_or(0);
        match entry.event {
            AuditEvent::AccountOpened => format!("{who} opened the account"),
            AuditEvent::PrincipalAdded => format!("{who} added a principal"),
            AuditEvent::PrincipalRemoved => format!("{who} removed a principal"),
            AuditEvent::KeysRotated => format!("{who} renewed the identity keys"),
            AuditEvent::SlotAdded => format!("{who} added a way to unlock"),
            AuditEvent::Rekeyed => format!("{who} removed ways to unlock"),
            AuditEvent::CompartmentAdded => format!("{who} added the compartment{named}"),
            AuditEvent::CompartmentRenamed => format!("{who} renamed the compartment{named}"),
            AuditEvent::Requested => format!("{who} asked for access"),
            AuditEvent::Denied => format!("{who} denied a request of {whom}"),
            AuditEvent::Granted => format!("{who} gave access to {whom}"),
            AuditEvent::Reissued => format!("{who} passed new keys to {whom}"),
            AuditEvent::Revoked => format!("{who} took access back from {whom}"),
            AuditEvent::Listed => format!("{who} listed {count} records{place}"),
            AuditEvent::Opened => format!("{who} opened{record}{place}"),
            AuditEvent::Written => format!("{who} wrote{record}{place}"),
            AuditEvent::Appended => format!("{who} left{record} in the drop box"),
            AuditEvent::Adopted => format!("{who} filed{record}{place}"),
            AuditEvent::Refused => format!("{who} was refused{record}{place}"),
            AuditEvent::StrangersRefused => format!("{count} attempts by strangers were refused"),
            AuditEvent::Invited => format!("{who} made an invitation"),
            AuditEvent::Upgraded => "the vault was upgraded".to_owned(),
            AuditEvent::Checkpoint => format!("{who} signed a checkpoint"),
        }
    }
}

/// An event's stable name.
const fn name(event: AuditEvent) -> &'static str {
    match event {
        AuditEvent::AccountOpened => "account_opened",
        AuditEvent::PrincipalAdded => "principal_added",
        AuditEvent::PrincipalRemoved => "principal_removed",
        AuditEvent::KeysRotated => "keys_rotated",
        AuditEvent::SlotAdded => "slot_added",
        AuditEvent::Rekeyed => "rekeyed",
        AuditEvent::CompartmentAdded => "compartment_added",
        AuditEvent::CompartmentRenamed => "compartment_renamed",
        AuditEvent::Requested => "requested",
        AuditEvent::Denied => "denied",
        AuditEvent::Granted => "granted",
        AuditEvent::Reissued => "reissued",
        AuditEvent::Revoked => "revoked",
        AuditEvent::Listed => "listed",
        AuditEvent::Opened => "opened",
        AuditEvent::Written => "written",
        AuditEvent::Appended => "appended",
        AuditEvent::Adopted => "adopted",
        AuditEvent::Refused => "refused",
        AuditEvent::StrangersRefused => "strangers_refused",
        AuditEvent::Invited => "invited",
        AuditEvent::Upgraded => "upgraded",
        AuditEvent::Checkpoint => "checkpoint",
    }
}
