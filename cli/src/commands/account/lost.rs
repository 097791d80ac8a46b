//! `salus account lost`: what is lost is locked out, and everything that it could open is made anew.
//! `salus account sign-out-others`: every other machine and browser has to be let in again. Must not know
//! how any of it is sealed.
//!
//! What was named lies in the account's folder until all of it is done, so that the same command goes on
//! where it was stopped: the account does not tell what is gone from what never was.

use super::rotation::Rotated;
use super::sign_in;
use super::slot::{Slot, removable};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::home;
use crate::proof::ProofArgs;
use crate::session::Session;
use crate::watch::Watch;
use clap::Args;
use salus_client::{Principal, SlotId, SlotKind};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The file of what was named, in an account's folder.
const FILE: &str = "lost.json";

/// What was lost.
#[derive(Args, Debug)]
pub(crate) struct LostArgs {
    /// A way to open your account that is lost, as `account slots` lists it; may be given again
    #[arg(long, value_name = "SLOT")]
    slot: Vec<SlotId>,
    /// A sign-in that is lost, as `account sign-ins` lists it; may be given again
    #[arg(long, value_name = "PRINCIPAL|NAME")]
    sign_in: Vec<String>,
    #[command(flatten)]
    proof: ProofArgs,
}

/// What is being locked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lost {
    slots: Vec<SlotId>,
    sign_ins: Vec<Principal>,
    /// Whether keys were being made anew before any of it was locked out: those of that time do not do.
    older: bool,
}

/// The same as it is noted.
#[derive(Serialize, Deserialize)]
struct Noted {
    slots: Vec<String>,
    sign_ins: Vec<String>,
    older: bool,
}

/// What `lost` answers.
#[derive(Serialize)]
struct LockedOut {
    slots: Vec<String>,
    sign_ins: Vec<String>,
    rotated: Rotated,
}

impl fmt::Display for LockedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for slot in &self.slots {
            writeln!(f, "Locked out     {slot}")?;
        }
        for sign_in in &self.sign_ins {
            writeln!(f, "Locked out     {sign_in}")?;
        }
        write!(f, "{}", self.rotated)
    }
}

/// A stage that was reached, for saying what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    slots: bool,
    sign_ins: usize,
}

impl Lost {
    fn path(session: &Session<'_>) -> PathBuf {
        session.folder.join(FILE)
    }

    /// What an earlier command was stopped at.
    fn stopped(session: &Session<'_>) -> Result<Self> {
        let path = Self::path(session);
        let Some(bytes) = home::read(&path)? else {
            return Ok(Self::default());
        };
        Self::read(&bytes).ok_or_else(|| {
            let text = format!("{} is damaged", path.display());
            Error::new(Kind::Other, "file", text).hint("remove it, and name again what is lost")
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let noted: Noted = serde_json::from_slice(bytes).ok()?;
        let slots = noted.slots.iter().map(|slot| slot.parse().ok());
        let sign_ins = noted
            .sign_ins
            .iter()
            .map(|who| Principal::from_text(who).ok());
        Some(Self {
            slots: slots.collect::<Option<_>>()?,
            sign_ins: sign_ins.collect::<Option<_>>()?,
            older: noted.older,
        })
    }

    fn write(&self) -> Result<Vec<u8>> {
        let noted = Noted {
            slots: self.slots.iter().map(ToString::to_string).collect(),
            sign_ins: self.sign_ins.iter().map(Principal::to_text).collect(),
            older: self.older,
        };
        serde_json::to_vec(&noted)
            .map_err(|error| Error::new(Kind::Other, "file", error.to_string()))
    }

    fn note(&self, session: &Session<'_>) -> Result<()> {
        home::write_whole(&Self::path(session), &self.write()?)
    }

    /// Adds what the command line names, each of which has to be there, or to have been.
    async fn add(&mut self, session: &Session<'_>, arguments: &LostArgs) -> Result<()> {
        let slots = session.unlocked.slots()?;
        for slot in &arguments.slot {
            if self.slots.contains(slot) {
                continue;
            }
            let there = removable(slots.iter().find(|s| s.id == *slot).cloned(), *slot)?;
            if there.kind == SlotKind::Recovery {
                return Err(Error::new(
                    Kind::Usage,
                    "recovery_phrase",
                    "the 24 words stay: nothing replaces them",
                )
                .hint("if someone has them, move what you keep to a new account"));
            }
            self.slots.push(*slot);
        }
        let known = session.unlocked.principals().await?;
        for who in &arguments.sign_in {
            let principal = sign_in::principal_of(session.app, who)?;
            if self.sign_ins.contains(&principal) {
                continue;
            }
            sign_in::removable(session, &known, principal)?;
            self.sign_ins.push(principal);
        }
        Ok(())
    }

    /// What is still to be done, in words.
    fn left(&self, done: Done) -> Vec<String> {
        let slots = self.slots.iter().filter(|_| !done.slots);
        let sign_ins = self.sign_ins.iter().skip(done.sign_ins);
        slots
            .map(|slot| format!("lock out {slot}"))
            .chain(sign_ins.map(|principal| format!("lock out {principal}")))
            .chain(std::iter::once("make all keys anew".to_owned()))
            .collect()
    }
}

/// Whether it was stopped, and is to be gone on with.
pub(super) fn is_stopped(session: &Session<'_>) -> bool {
    Lost::path(session).exists()
}

/// Runs `lost`.
pub(super) async fn lost(app: &App, arguments: &LostArgs) -> Result<()> {
    let session = arguments.proof.session(app).await?;
    let mut lost = Lost::stopped(&session)?;
    let before = lost.clone();
    lost.add(&session, arguments).await?;
    if lost == Lost::default() {
        return Err(Error::usage(
            "say what is lost, by --slot or --sign-in: nothing was stopped that could be gone on with",
        ));
    }
    let mut done = Done::default();
    match lock_out(&session, &mut lost, &before, &mut done).await {
        Ok(rotated) => {
            let _ = std::fs::remove_file(Lost::path(&session));
            app.out.answer(&LockedOut {
                slots: lost.slots.iter().map(ToString::to_string).collect(),
                sign_ins: lost.sign_ins.iter().map(Principal::to_text).collect(),
                rotated,
            })
        }
        Err(error) => Err(error
            .left(lost.left(done))
            .hint("run `salus account lost` again, and it goes on")),
    }
}

async fn lock_out(
    session: &Session<'_>,
    lost: &mut Lost,
    before: &Lost,
    done: &mut Done,
) -> Result<Rotated> {
    let unlocked = &session.unlocked;
    let watch = Watch::new(session.app.out, "versions");
    if lost != before {
        lost.older |= unlocked.has_unfinished_rotation(&watch).await?;
        lost.note(session)?;
    }
    let there: Vec<SlotId> = unlocked.slots()?.into_iter().map(|slot| slot.id).collect();
    let slots = lost.slots.iter().filter(|slot| there.contains(slot));
    let slots: Vec<SlotId> = slots.copied().collect();
    if !slots.is_empty() {
        unlocked.remove_slots(&slots).await?;
    }
    done.slots = true;
    let known = unlocked.principals().await?;
    for principal in &lost.sign_ins {
        if known.contains(principal) {
            unlocked.remove_principal(*principal).await?;
        }
        done.sign_ins += 1;
    }
    if lost.older {
        unlocked.rotate_everything(&watch).await?;
        lost.older = false;
        lost.note(session)?;
    }
    let rotated = unlocked.rotate_everything(&watch).await?;
    Ok(Rotated::of(unlocked.account(), rotated))
}

/// What `sign-out-others` answers.
#[derive(Serialize)]
struct SignedOut {
    removed: Vec<Slot>,
}

impl fmt::Display for SignedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for slot in &self.removed {
            writeln!(f, "Signed out     {slot}")?;
        }
        if self.removed.is_empty() {
            writeln!(f, "No other machine or browser was kept unlocked.")?;
        }
        write!(
            f,
            "What is open elsewhere locks when it looks at the vault next. Passkeys, passphrases and your 24 \
             words open your account as before. If someone else may \
             have had one of these machines: `salus account lost`."
        )
    }
}

/// Runs `sign-out-others`.
pub(super) async fn sign_out_others(app: &App, proof: &ProofArgs) -> Result<()> {
    let session = proof.session(app).await?;
    let before = session.unlocked.slots()?;
    session.unlocked.sign_out_elsewhere(None).await?;
    let after = session.unlocked.slots()?;
    let gone = before
        .into_iter()
        .filter(|slot| after.iter().all(|stays| stays.id != slot.id));
    app.out.answer(&SignedOut {
        removed: gone.map(Slot::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_shrinks_and_ends_with_the_keys() {
        let lost = Lost {
            slots: vec![SlotId([1; 16]), SlotId([2; 16])],
            sign_ins: vec![Principal::anonymous(), Principal::management_canister()],
            older: false,
        };
        let left = |slots, sign_ins| lost.left(Done { slots, sign_ins }).len();
        assert_eq!(left(false, 0), 5);
        assert_eq!(left(true, 0), 3);
        assert_eq!(left(true, 1), 2);
        assert_eq!(
            lost.left(Done {
                slots: true,
                sign_ins: 2
            }),
            ["make all keys anew"]
        );
        let noted = lost.write().unwrap();
        assert_eq!(Lost::read(&noted).unwrap(), lost);
        assert!(Lost::read(&noted[1..]).is_none());
    }
}
