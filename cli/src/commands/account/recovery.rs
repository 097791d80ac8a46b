//! `salus account recover`: taking the account back with the recovery phrase, and what to look at then. Must
//! not know how keys are overridden.

use super::open::{Opened, keep};
use super::slot::Slot;
use crate::app::App;
use crate::brought::read_phrase;
use crate::error::{Error, Result};
use crate::text::{line, time};
use clap::Args;
use salus_client::{GrantPhase, Kept, Principal, SlotId, Unlocked};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// What `recover` is told.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
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
    /// Grants in force, newest first: the vault does not tell a thief's from one's own. Nothing where
    /// nothing was to change, or they could not be listed.
    grants: Option<Vec<InForce>>,
}

/// A grant that somebody gave.
#[derive(Serialize)]
struct InForce {
    grant: String,
    account: String,
    name: Option<String>,
    /// Milliseconds since 1970.
    not_before: u64,
    /// Milliseconds since 1970.
    expires: u64,
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
        let Some(opened) = &self.opened else {
            return write!(f, "Nothing was changed.");
        };
        writeln!(f, "{opened}")?;
        let grants = self.grants.as_deref().unwrap_or_default();
        if !grants.is_empty() {
            writeln!(
                f,
                "In force, newest first; take back what you did not give:"
            )?;
        }
        for grant in grants {
            writeln!(
                f,
                "  salus grant revoke {}  {}, {} to {}",
                grant.grant,
                line(grant.name.as_ref().unwrap_or(&grant.account)),
                time(grant.not_before),
                time(grant.expires)
            )?;
        }
        if self.grants.is_none() {
            writeln!(
                f,
                "Take back what you did not give: see `salus grant list`."
            )?;
        }
        write!(
            f,
            "Then make all other keys anew with `salus account rotate`, and look through `salus audit show`."
        )
    }
}

async fn in_force(unlocked: &Unlocked) -> Result<Vec<InForce>> {
    let mut grants = unlocked.grants().await?;
    grants.retain(|grant| matches!(grant.phase, GrantPhase::Active | GrantPhase::Upcoming));
    grants.sort_by_key(|grant| std::cmp::Reverse(grant.grant.not_before));
    let shown = grants.into_iter().map(|grant| InForce {
        grant: grant.grant.id.to_string(),
        account: grant.grantee.account.to_string(),
        name: grant
            .grantee_name
            .or_else(|| grant.grantee.name().map(str::to_owned)),
        not_before: grant.grant.not_before,
        expires: grant.grant.expires,
    });
    Ok(shown.collect())
}

/// Runs the command.
pub(crate) async fn recover(app: &App, arguments: &RecoverArgs) -> Result<()> {
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
    let mut opened = None;
    let mut grants = None;
    if !arguments.dry_run {
        let unlocked = recovery.take_back(&kept).await?;
        opened = Some(keep(app, &unlocked, joined).await?);
        // It is done, whether they can be listed or not.
        grants = in_force(&unlocked).await.ok();
    }
    app.out.answer(&Recovered {
        opened,
        ended_slots: ended_slots.into_iter().map(Slot::from).collect(),
        ended_sign_ins,
        grants,
    })
}
