//! `salus account slot add passphrase`. Must not know how passphrases are stretched.

use crate::app::App;
use crate::brought::{PASSPHRASE, SHEET_KEY, is_stdin, read_sheet_key};
use crate::error::{Error, Kind, Result};
use crate::home::{self, read_secret};
use crate::proof::ProofArgs;
use crate::session::Session;
use crate::text::line;
use clap::{Args, ValueEnum};
use salus_client::{ClientError, DeviceKey, Passphrase, SecondSecret, SheetKey, SlotId, random_id};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What a passphrase is combined with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum With {
    /// A key printed on your recovery sheet: opens on any device
    Sheet,
    /// A key this machine keeps: opens on this machine alone
    Device,
}

/// How a passphrase is added.
#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// What it is combined with
    #[arg(long, value_enum, default_value = "sheet")]
    with: With,
    /// File with a passphrase of your own; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    own_in: Option<PathBuf>,
    /// Write passphrase and sheet key to this new file instead of printing them
    #[arg(long, value_name = "FILE")]
    sheet_out: Option<PathBuf>,
    /// File with the key of a sheet you have already, to be used again
    #[arg(long, value_name = "FILE")]
    own_sheet_key_in: Option<PathBuf>,
    /// What to call it
    #[arg(long, default_value = "")]
    label: String,
    #[command(flatten)]
    proof: ProofArgs,
}

#[derive(Serialize)]
struct Added {
    id: String,
    with: &'static str,
    /// The words, unless they were one's own or written to a file.
    passphrase: Option<String>,
    /// The sheet's key, unless it was known or written to a file.
    sheet_key: Option<String>,
    sheet_file: Option<String>,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(words) = &self.passphrase {
            writeln!(f, "Your passphrase, shown only now:\n\n    {words}\n")?;
        }
        if let Some(key) = &self.sheet_key {
            writeln!(
                f,
                "The key for your recovery sheet, shown only now:\n\n    {key}\n"
            )?;
        }
        if let Some(file) = &self.sheet_file {
            writeln!(f, "What to print is in {}.", line(file))?;
        }
        match self.with {
            "device" => write!(
                f,
                "The passphrase opens your account on this machine alone."
            ),
            _ => write!(
                f,
                "Passphrase and key open your account together, on any device; neither does alone."
            ),
        }
    }
}

/// Adds a passphrase.
pub(crate) async fn add(app: &App, arguments: &PassphraseArgs) -> Result<()> {
    let (own, sheet_in) = (&arguments.own_in, &arguments.own_sheet_key_in);
    if arguments.with == With::Device && sheet_in.is_some() {
        return Err(Error::usage(
            "a passphrase is bound to the sheet or to this machine",
        ));
    }
    let from_stdin = [own, sheet_in].map(|path| is_stdin(path.as_deref()));
    let from_stdin = from_stdin.iter().filter(|stdin| **stdin).count();
    if from_stdin + usize::from(arguments.proof.reads_stdin()) > 1 {
        return Err(Error::usage("stdin holds one thing only"));
    }
    let passphrase = match own {
        Some(path) => Passphrase::choose(&read_secret(path)?).map_err(ClientError::from)?,
        None => Passphrase::generate().map_err(ClientError::from)?,
    };
    let session = arguments.proof.session(app).await?;
    let unlocked = &session.unlocked;
    let slot = SlotId(random_id().map_err(ClientError::from)?);
    let mut sheet_key = None;
    let second = match arguments.with {
        With::Device => device(&session, slot)?,
        With::Sheet => {
            let key = match sheet_in {
                Some(path) => read_sheet_key(path)?,
                None => SheetKey::generate().map_err(ClientError::from)?,
            };
            sheet_key = sheet_in.is_none().then(|| key.to_text());
            SecondSecret::Sheet(key)
        }
    };
    let label: String = line(&arguments.label).chars().take(100).collect();
    let client = session.client();
    let new =
        client.passphrase_slot(unlocked.account(), Some(slot), &passphrase, &second, label)?;
    let words = own.is_none().then(|| passphrase.expose().to_owned());
    // Before the slot: whoever has it must not be without them.
    if let Some(out) = &arguments.sheet_out {
        let mut text = Zeroizing::new(String::new());
        if let Some(words) = &words {
            text.push_str(&format!("{PASSPHRASE} {words}\n"));
        }
        if let Some(key) = &sheet_key {
            text.push_str(&format!("{SHEET_KEY} {}\n", key.as_str()));
        }
        home::write_new(out, text.as_bytes())?;
    }
    if let Err(error) = unlocked.add_slot(&new).await {
        let error = Error::from(error);
        // Unless nobody knows whether it was done, it was not: leave nothing behind.
        if let Some(out) = &arguments.sheet_out
            && error.kind != Kind::Network
            && error.kind != Kind::Integrity
        {
            let _ = std::fs::remove_file(out);
        }
        return Err(error);
    }
    let shown = arguments.sheet_out.is_none();
    app.out.answer(&Added {
        id: slot.to_string(),
        with: match arguments.with {
            With::Sheet => "sheet",
            With::Device => "device",
        },
        passphrase: words.filter(|_| shown),
        sheet_key: sheet_key.filter(|_| shown).map(|key| key.to_string()),
        sheet_file: arguments
            .sheet_out
            .as_ref()
            .map(|path| path.display().to_string()),
    })
}

/// This machine's answer for a slot, by a key that is made on first use.
fn device(session: &Session<'_>, slot: SlotId) -> Result<SecondSecret> {
    let secrets = session.app.secrets(&session.folder);
    let key = match secrets.device_key()? {
        Some(key) => key,
        None => {
            let key = DeviceKey::generate().map_err(ClientError::from)?;
            secrets.keep_device_key(&key)?;
            key
        }
    };
    let answer = session
        .client()
        .device_secret(session.unlocked.account(), slot, &key);
    Ok(SecondSecret::Device(answer))
}
