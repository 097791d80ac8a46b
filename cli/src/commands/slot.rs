//! `salus account slots` and `salus account slot …`: the ways to open the account.

use super::passphrase::{self, PassphraseArgs};
use crate::app::App;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::text::{self, line};
use clap::Subcommand;
use salus_client::{SecondSecretKind, SlotId, SlotInfo, SlotKind, SlotParameters};
use serde::Serialize;
use std::fmt;

/// One way to open the account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add one
    #[command(subcommand)]
    Add(Add),
    /// Remove one for good: all keys it opened are sealed anew to those that stay
    Remove {
        /// Which, as `account slots` lists it
        #[arg(value_name = "SLOT")]
        slot: SlotId,
    },
}

/// Kinds that a terminal can add.
#[derive(Debug, Subcommand)]
pub(crate) enum Add {
    /// A passphrase: of seven random words, printed once, unless you give your own
    Passphrase(PassphraseArgs),
}

/// A way to open the account, as it is shown.
#[derive(Serialize)]
pub(crate) struct Slot {
    id: String,
    kind: &'static str,
    /// What a passphrase is combined with.
    with: Option<&'static str>,
    label: String,
    last_used: Option<u64>,
    in_use: bool,
}

impl Slot {
    /// Which.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl From<SlotInfo> for Slot {
    fn from(slot: SlotInfo) -> Self {
        let with = match &slot.parameters {
            Some(SlotParameters::Passphrase(parameters)) => Some(match parameters.second {
                SecondSecretKind::Sheet => "sheet",
                SecondSecretKind::Device => "device",
            }),
            _ => None,
        };
        Self {
            id: slot.id.to_string(),
            kind: match slot.kind {
                SlotKind::Recovery => "recovery",
                SlotKind::Browser => "browser",
                SlotKind::Passkey => "passkey",
                SlotKind::Passphrase => "passphrase",
                SlotKind::File => "file",
            },
            with,
            label: slot.label,
            last_used: slot.last_used,
            in_use: slot.in_use,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(with) = self.with {
            write!(f, " with {with}")?;
        }
        if !self.label.is_empty() {
            write!(f, " {}", line(&self.label))?;
        }
        if let Some(at) = self.last_used {
            write!(f, ", last used {}", text::time(at))?;
        }
        if self.in_use {
            write!(f, " (in use)")?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Slots {
    slots: Vec<Slot>,
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for slot in &self.slots {
            writeln!(f, "{}  {slot}", slot.id)?;
        }
        Ok(())
    }
}

/// Lists them.
pub(crate) async fn list(app: &App) -> Result<()> {
    let session = Session::open(app).await?;
    let slots = session.unlocked.slots()?;
    app.out.answer(&Slots {
        slots: slots.into_iter().map(Slot::from).collect(),
    })
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Add(Add::Passphrase(arguments)) => passphrase::add(app, arguments).await,
        Command::Remove { slot } => remove(app, *slot).await,
    }
}

#[derive(Serialize)]
struct Removed {
    removed: String,
    kind: &'static str,
    /// Whether this machine was opened by it, and is locked now.
    locked: bool,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The {} {} opens nothing any more.",
            self.kind, self.removed
        )?;
        if self.locked {
            writeln!(f, "It was this machine's own: this machine is locked now.")?;
        }
        write!(
            f,
            "If someone else may have had it, make all keys anew with `salus account rotate`."
        )
    }
}

async fn remove(app: &App, slot: SlotId) -> Result<()> {
    let session = Session::open(app).await?;
    let slots = session.unlocked.slots()?;
    let Some(there) = slots.into_iter().find(|s| s.id == slot) else {
        return Err(
            Error::not_found(format!("there is no way `{slot}` to open your account"))
                .hint("see `salus account slots`"),
        );
    };
    let in_use = there.in_use;
    let shown = Slot::from(there);
    session.unlocked.remove_slots(&[slot]).await?;
    if in_use {
        app.secrets(&session.folder).forget_slot()?;
    }
    app.out.answer(&Removed {
        removed: slot.to_string(),
        kind: shown.kind,
        locked: in_use,
    })
}
