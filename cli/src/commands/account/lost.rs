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
}

/// The same as it is noted.
#[derive(Serialize, Deserialize)]
struct Noted {
    slots: Vec<String>,
    sign_ins: Vec<String>,
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
        })
    }

    fn write(&self) -> Result<Vec<u8>> {
        let noted = Noted {
            slots: self.slots.iter().map(ToString::to_string).collect(),
            sign_ins: self.sign_ins.iter().map(Principal::to_text).collect(),
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
                    "the 24 words end when others take their place",
                )
                .hint("if someone has them: `salus account replace-words`"));
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

    /// What is still to be done, in words, if the account has `slots` and `known` may call for it.
    fn left(&self, slots: &[SlotId], known: &[Principal]) -> Vec<String> {
        let slots = self.slots.iter().filter(|slot| slots.contains(slot));
        let sign_ins = self.sign_ins.iter().filter(|who| known.contains(who));
        slots
            .map(|slot| format!("lock out {slot}"))
            .chain(sign_ins.map(|principal| format!("lock out {principal}")))
            .chain(std::iter::once("make all keys anew".to_owned()))
            .collect()
    }

    /// The same, as far as it is known here: what cannot be asked for is still to be done.
    async fn left_of(&self, session: &Session<'_>) -> Vec<String> {
        let slots = session.unlocked.slots();
        let slots = slots.map(|all| all.into_iter().map(|slot| slot.id).collect());
        let slots = slots.unwrap_or_else(|_| self.slots.clone());
        let known = session.unlocked.principals().await;
        let known = known.unwrap_or_else(|_| self.sign_ins.clone());
        self.left(&slots, &known)
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
    if lost != before {
        lost.note(&session)?;
    }
    let rotated = {
        let watch = Watch::new(app.out, "versions");
        let unlocked = &session.unlocked;
        unlocked.lock_out(&lost.slots, &lost.sign_ins, &watch).await
    };
    match rotated {
        Ok(rotated) => {
            // What is not removed is gone on with, and found to be done.
            let _ = std::fs::remove_file(Lost::path(&session));
            app.out.answer(&LockedOut {
                slots: lost.slots.iter().map(ToString::to_string).collect(),
                sign_ins: lost.sign_ins.iter().map(Principal::to_text).collect(),
                rotated: Rotated::of(session.unlocked.account(), rotated),
            })
        }
        Err(error) => Err(Error::from(error)
            .left(lost.left_of(&session).await)
            .hint("run `salus account lost` again, and it goes on")),
    }
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
        };
        let all = lost.left(&lost.slots, &lost.sign_ins);
        assert_eq!(all.len(), 5);
        assert_eq!(lost.left(&lost.slots[1..], &lost.sign_ins), all[1..]);
        assert_eq!(lost.left(&[], &lost.sign_ins[1..]), all[3..]);
        assert_eq!(lost.left(&[], &[]), ["make all keys anew"]);
        let noted = lost.write().unwrap();
        assert_eq!(Lost::read(&noted).unwrap(), lost);
        assert!(Lost::read(&noted[1..]).is_none());
    }
}
