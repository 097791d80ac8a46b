//! `salus account …`: opening an account, unlocking it on this machine, what it is.

use super::passphrase;
use super::recovery::{self, Recover};
use super::slot::{self, Slot};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::session::{Session, note_use};
use crate::text::{self, line};
use clap::Subcommand;
use salus_client::{
    AccountId, Label, NewAccount, NewSlot, Profile, RecoveryPhrase, SlotSecret, Unlocked,
};
use salus_health::Category;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Your account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open an account; prints the recovery phrase once
    Create {
        /// What you want to be called by those you give access to
        #[arg(long)]
        name: Option<String>,
        /// Write the recovery phrase to this new file instead of printing it
        #[arg(long, value_name = "FILE")]
        recovery_out: Option<PathBuf>,
    },
    /// Let this machine open your account from now on; joins this identity to it if need be
    Unlock {
        /// File with the recovery phrase; - reads it from stdin
        #[arg(long, value_name = "FILE", required_unless_present = "passphrase_in")]
        recovery: Option<PathBuf>,
        /// File with a passphrase; - reads it from stdin
        #[arg(long, value_name = "FILE", conflicts_with = "recovery")]
        passphrase_in: Option<PathBuf>,
        /// File with the key on your recovery sheet; without it the passphrase is one that is bound to
        /// this machine
        #[arg(long, value_name = "FILE", requires = "passphrase_in")]
        sheet_key_in: Option<PathBuf>,
    },
    /// Let a new machine open your account by help of one that does: run it there without a code, and
    /// here with the code it shows
    Pair {
        /// The code that the new machine, or the browser, shows
        #[arg(long, value_name = "CODE")]
        approve: Option<String>,
        /// What the new device is called in the list of what opens your account
        #[arg(long, requires = "approve", value_name = "TEXT")]
        label: Option<String>,
    },
    /// Take your account back after someone stole its keys: makes new ones, and ends every other way to
    /// open it and every other sign-in, but for those you keep
    Recover(Recover),
    /// Make all keys anew: master key, identity keys, and those of everything stored. Run it again
    /// if it was stopped
    Rotate,
    /// Show your account
    Show,
    /// List the ways to open your account
    Slots,
    /// Add or remove a way to open your account
    #[command(subcommand)]
    Slot(slot::Command),
}

/// What `create` answers.
#[derive(Serialize)]
struct Created {
    account: String,
    principal: String,
    safety_number: String,
    compartments: Vec<String>,
    /// The 24 words, unless they were written to a file.
    recovery_phrase: Option<String>,
    recovery_file: Option<String>,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Your account: {}", self.account)?;
        writeln!(f, "Safety number: {}", self.safety_number)?;
        match (&self.recovery_phrase, &self.recovery_file) {
            (Some(phrase), _) => {
                writeln!(f, "\nYour recovery phrase, shown only now:\n")?;
                let words: Vec<&str> = phrase.split(' ').collect();
                for row in words.chunks(6) {
                    writeln!(f, "    {}", row.join(" "))?;
                }
                write!(
                    f,
                    "\nWrite it down and keep it where only you can find it: it opens your records, and \
                     nothing replaces it."
                )
            }
            (None, Some(file)) => write!(
                f,
                "Your recovery phrase is in {}. Keep it where only you can find it.",
                line(file)
            ),
            (None, None) => Ok(()),
        }
    }
}

/// What `unlock` answers, and `recover` among other things.
#[derive(Serialize)]
pub(super) struct Opened {
    account: String,
    principal: String,
    /// Whether this identity was new to the account.
    joined: bool,
    /// Whether this machine could not open it before.
    slot_added: bool,
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.joined {
            writeln!(f, "{} now belongs to your account.", self.principal)?;
        }
        let how = if self.slot_added {
            "now opens"
        } else {
            "opens"
        };
        write!(f, "This machine {how} your account {}.", self.account)
    }
}

#[derive(Serialize)]
struct Usage {
    bytes: u64,
    quota: u64,
    records: u64,
}

/// What `show` answers.
#[derive(Serialize)]
struct Shown {
    account: String,
    name: String,
    safety_number: String,
    genesis: String,
    principals: Vec<String>,
    slots: Vec<Slot>,
    usage: Usage,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Account        {}", self.account)?;
        if !self.name.is_empty() {
            writeln!(f, "Name           {}", line(&self.name))?;
        }
        writeln!(f, "Safety number  {}", self.safety_number)?;
        for principal in &self.principals {
            writeln!(f, "Principal      {principal}")?;
        }
        for slot in &self.slots {
            writeln!(f, "Opened by      {slot}")?;
        }
        write!(
            f,
            "Storage        {} of {}, {}",
            text::size(self.usage.bytes),
            text::size(self.usage.quota),
            text::count(
                usize::try_from(self.usage.records).unwrap_or(usize::MAX),
                "record"
            )
        )
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Create { name, recovery_out } => {
            create(app, name.as_deref(), recovery_out.as_deref()).await
        }
        Command::Unlock {
            recovery: Some(recovery),
            ..
        } => {
            let phrase = read_phrase(recovery)?;
            let client = app.client().await?;
            let joined = client.account().await?.is_none();
            let unlocked = client.unlock_with_phrase(&phrase).await?;
            app.out.answer(&keep(app, &unlocked, joined).await?)
        }
        Command::Unlock {
            passphrase_in,
            sheet_key_in,
            ..
        } => {
            let unlocked =
                passphrase::unlock(app, passphrase_in.as_deref(), sheet_key_in.as_deref()).await?;
            app.out.answer(&keep(app, &unlocked, false).await?)
        }
        Command::Recover(arguments) => recovery::recover(app, arguments).await,
        Command::Pair {
            approve: None,
            label: _,
        } => super::pairing::join(app).await,
        Command::Pair {
            approve: Some(code),
            label,
        } => super::pairing::approve(app, code, label.as_deref()).await,
        Command::Rotate => super::rotation::rotate(app).await,
        Command::Show => show(app).await,
        Command::Slots => slot::list(app).await,
        Command::Slot(command) => slot::run(app, command).await,
    }
}

async fn create(app: &App, name: Option<&str>, out: Option<&Path>) -> Result<()> {
    let client = app.client().await?;
    if client.account().await?.is_some() {
        return Err(salus_client::ClientError::HasAccount.into());
    }
    let phrase = RecoveryPhrase::generate().map_err(no_randomness)?;
    let words = phrase.to_words();
    let account = AccountId(random()?);
    let slot = file_slot()?;
    let folder = app.folder(&client, account);
    // Both before the account: whoever has it must not be without them.
    if let Some(out) = out {
        home::write_new(out, format!("{}\n", words.as_str()).as_bytes())?;
    }
    let made = async {
        app.secrets(&folder).keep_slot(slot.id, &slot.secret)?;
        let new = NewAccount {
            account: Some(account),
            phrase: &phrase,
            profile: Profile {
                display_name: name.map(line).unwrap_or_default(),
                ..Profile::default()
            },
            compartments: Category::ALL
                .iter()
                .map(|category| Label::tagged(category.name(), category.id()))
                .collect(),
            slots: vec![slot],
        };
        Ok(client.create_account(new).await?)
    };
    let made: Result<Unlocked> = made.await;
    let unlocked = match made {
        Ok(unlocked) => unlocked,
        Err(error) => {
            // Unless nobody knows whether it was done, it was not: leave nothing behind.
            if error.kind != Kind::Network && error.kind != Kind::Integrity {
                let _ = app.secrets(&folder).forget_slot();
                let _ = std::fs::remove_dir_all(&folder);
                if let Some(out) = out {
                    let _ = std::fs::remove_file(out);
                }
            }
            return Err(error);
        }
    };
    app.out.answer(&Created {
        account: account.to_string(),
        principal: client.caller().to_text(),
        safety_number: unlocked.safety_number(),
        compartments: unlocked
            .compartments()?
            .into_iter()
            .map(|c| c.label.name)
            .collect(),
        recovery_phrase: out.is_none().then(|| words.to_string()),
        recovery_file: out.map(|path| path.display().to_string()),
    })
}

/// Makes sure that this machine opens the account from now on.
pub(super) async fn keep(app: &App, unlocked: &Unlocked, joined: bool) -> Result<Opened> {
    note_use(app, unlocked).await;
    let secrets = app.secrets(&app.folder(unlocked.client(), unlocked.account()));
    let slots = unlocked.slots()?;
    let there = match secrets.slot() {
        Ok(Some((slot, _))) => slots.iter().any(|s| s.id == slot),
        _ => false,
    };
    if !there {
        let slot = file_slot()?;
        secrets.keep_slot(slot.id, &slot.secret)?;
        unlocked.add_slot(&slot).await?;
    }
    Ok(Opened {
        account: unlocked.account().to_string(),
        principal: unlocked.client().caller().to_text(),
        joined,
        slot_added: !there,
    })
}

async fn show(app: &App) -> Result<()> {
    let session = Session::open(app).await?;
    let unlocked = &session.unlocked;
    let usage = unlocked.usage();
    let shown = Shown {
        account: unlocked.account().to_string(),
        name: unlocked.profile()?.display_name,
        safety_number: unlocked.safety_number(),
        genesis: unlocked.genesis().to_string(),
        principals: unlocked
            .principals()
            .await?
            .into_iter()
            .map(|p| p.to_text())
            .collect(),
        slots: unlocked.slots()?.into_iter().map(Slot::from).collect(),
        usage: Usage {
            bytes: usage.bytes,
            quota: usage.quota,
            records: usage.records,
        },
    };
    app.out.answer(&shown)
}

pub(super) fn read_phrase(path: &Path) -> Result<RecoveryPhrase> {
    let text = home::read_secret(path)?;
    RecoveryPhrase::parse(&text).map_err(|error| salus_client::ClientError::from(error).into())
}

pub(super) fn file_slot() -> Result<NewSlot> {
    let secret = SlotSecret::generate_for_file().map_err(no_randomness)?;
    let host = ["HOSTNAME", "COMPUTERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let label = line(&format!("command line {host}"));
    Ok(NewSlot::new(
        secret,
        label.chars().take(100).collect::<String>(),
    )?)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(no_randomness)?;
    Ok(bytes)
}

fn no_randomness(error: impl fmt::Display) -> Error {
    Error::new(
        Kind::Other,
        "random",
        format!("the system gave no randomness: {error}"),
    )
}
