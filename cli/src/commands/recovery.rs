//! `salus account recover`: taking the account back with the recovery phrase.

use super::account::{Opened, keep, read_phrase};
use super::slot::Slot;
use crate::app::App;
use crate::error::{Error, Result};
use clap::Args;
use salus_client::{Kept, Principal, SlotId};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// What `recover` is told.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// File with the recovery phrase; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    recovery: PathBuf,
    /// A way to open the account that stays, if you are sure that it is yours; may be repeated
    #[arg(long, value_name = "SLOT")]
    keep_slot: Vec<SlotId>,
    /// A sign-in that stays, if you are sure that it is yours; may be repeated
    #[arg(long, value_name = "PRINCIPAL")]
    keep_sign_in: Vec<Principal>,
    /// Show what would end and change nothing, but for joining this identity to the account
    #[arg(long)]
    dry_run: bool,
}

/// What `recover` answers.
#[derive(Serialize)]
struct Recovered {
    /// Nothing where nothing was to change.
    #[serde(flatten)]
    opened: Option<Opened>,
    /// Ways to open the account that ended, or would.
    ended_slots: Vec<Slot>,
    /// Sign-ins that ended, or would.
    ended_sign_ins: Vec<String>,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = if self.opened.is_some() {
            "Ended"
        } else {
            "Would end"
        };
        for slot in &self.ended_slots {
            writeln!(f, "{ends}  {}  {slot}", slot.id())?;
        }
        for principal in &self.ended_sign_ins {
            writeln!(f, "{ends}  sign-in {principal}")?;
        }
        match &self.opened {
            Some(opened) => write!(
                f,
                "{opened}\nRevoke what you did not give (`salus grant list`), then make all other keys \
                 anew with `salus account rotate`."
            ),
            None => write!(f, "Nothing was changed."),
        }
    }
}

/// Runs the command.
pub(crate) async fn recover(app: &App, arguments: &Recover) -> Result<()> {
    let phrase = read_phrase(&arguments.recovery)?;
    let client = app.client().await?;
    let joined = client.account().await?.is_none();
    let recovery = client.recovery(&phrase).await?;
    let kept = Kept {
        slots: arguments.keep_slot.clone(),
        principals: arguments.keep_sign_in.clone(),
    };
    for slot in &kept.slots {
        if !recovery.may_keep(slot) {
            return Err(Error::not_found(format!(
                "there is no way `{slot}` to open your account that could stay"
            ))
            .hint("see `salus account recover --dry-run`; what was added under other keys always ends"));
        }
    }
    let mut ended_slots = recovery.slots();
    ended_slots.retain(|slot| !slot.in_use && !kept.slots.contains(&slot.id));
    let ended = |principal: &&Principal| {
        **principal != client.caller() && !kept.principals.contains(principal)
    };
    let ended_sign_ins = recovery.principals().iter().filter(ended);
    let ended_sign_ins = ended_sign_ins.map(ToString::to_string).collect();
    let opened = if arguments.dry_run {
        None
    } else {
        let unlocked = recovery.take_back(&kept).await?;
        Some(keep(app, &unlocked, joined).await?)
    };
    app.out.answer(&Recovered {
        opened,
        ended_slots: ended_slots.into_iter().map(Slot::from).collect(),
        ended_sign_ins,
    })
}
