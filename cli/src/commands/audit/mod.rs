//! `salus audit …`: who saw what, and whether the trail that says so holds.

mod evidence;
mod words;

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::network::RootKey;
use crate::session::Session;
use crate::text::{line, time};
use crate::watch::Watch;
use clap::{Args, Subcommand};
use salus_client::audit::{ExportError, Trail, Verification, verify_export};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use words::{Entry, Words};

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show your audit trail, verified
    Show(ShowArgs),
    /// Verify an audit trail: chain, certificate, and what this machine remembers of it
    Verify(VerifyArgs),
    /// Show what this machine refused last, and write the proof that the vault was rolled back
    Evidence {
        /// Write it to this new file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
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
    /// Verify a file of `salus audit evidence`, without a network
    #[arg(long, value_name = "FILE", conflicts_with_all = ["patient", "export", "offline"])]
    evidence: Option<PathBuf>,
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
        Command::Verify(VerifyArgs {
            evidence: Some(file),
            ..
        }) => evidence::verify(app, file),
        Command::Evidence { out } => evidence::last(app, out.as_deref()).await,
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
