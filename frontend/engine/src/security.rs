//! What an owner decides about keys: ways to unlock, sign-ins, making everything anew, the sheet. Must
//! not know how any of it is sealed or signed.

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, invalid};
use crate::qr::qr;
use crate::session;
use crate::state::Engine;
use crate::views;
use crate::watch::Watch;
use salus_client::{Principal, RecoveryPhrase, Rotated, SlotId, Unlocked};
use salus_messages::{Intent, RecoverySheet, Renewed, Reply, Secret, SecurityView, SignInView};

/// Carries out the intents about keys.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    let engine = &task.engine;
    session::touch(engine);
    let unlocked = engine.unlocked()?;
    match intent {
        // Another browser may have changed what opens the account.
        Intent::Security => unlocked.refresh().await.map_err(from_client)?,
        // Giving up this browser's own way in asks for nothing, as signing out does not.
        Intent::SetStayUnlocked { label: None } => {
            session::stay_no_longer(engine, &*engine.store().await?).await?;
        }
        Intent::UnfinishedRenewal => {
            let unfinished = unlocked
                .has_unfinished_rotation(&Watch::silent(task))
                .await
                .map_err(from_client)?;
            return Ok(Reply::Unfinished(unfinished).into());
        }
        Intent::ProposePassphrase => {
            return Ok(Reply::Passphrase(session::passphrase::propose()?).into());
        }
        Intent::Sheet { phrase } => {
            let phrase = session::prove_by_phrase(engine, &phrase).await?;
            return Ok(Reply::Sheet(sheet(&phrase)?).into());
        }
        decides => {
            session::proof_needed(engine)?;
            if let Some(answer) = decide(task, &unlocked, decides).await? {
                return Ok(answer);
            }
        }
    }
    Ok(Reply::Security(view(engine, &unlocked).await?).into())
}

/// What only the owner may do. Without an answer of its own, what is left is shown.
async fn decide(task: &Task, unlocked: &Unlocked, intent: Intent) -> Outcome<Option<Answer>> {
    let engine = &task.engine;
    match intent {
        Intent::SetStayUnlocked { label: Some(label) } => {
            session::stay(engine, &*engine.store().await?, &label).await?;
        }
        Intent::PreparePasskey => {
            let wanted = session::passkey::wanted(unlocked)?;
            return Ok(Some(Reply::PasskeyWanted(wanted).into()));
        }
        Intent::AddPasskey {
            slot,
            passkey,
            label,
        } => {
            let slot = views::parse("slot", &slot.0)?;
            session::passkey::add(task, unlocked, slot, passkey, &label).await?;
        }
        Intent::AddPassphrase {
            passphrase,
            sheet_key,
            label,
        } => {
            let key = sheet_key.as_ref();
            session::passphrase::add(engine, unlocked, &passphrase, key, &label).await?;
        }
        Intent::RemoveSlot { slot } => {
            let slot = views::parse("slot", &slot.0)?;
            if session::slot_here(engine, unlocked).await? == Some(slot) {
                return Err(invalid("slot"));
            }
            unlocked.remove_slots(&[slot]).await.map_err(from_client)?;
        }
        Intent::SignOutEverywhere => {
            let here = session::slot_here(engine, unlocked).await?;
            let ended = unlocked.sign_out_elsewhere(here).await;
            ended.map_err(from_client)?;
        }
        Intent::RemoveSignIn { principal } => remove_sign_in(unlocked, &principal).await?,
        Intent::RenewKeys => return renew(task, unlocked).await.map(Some),
        Intent::LostDevice { slots, sign_ins } => {
            remove_slots(unlocked, &slots).await?;
            for principal in &sign_ins {
                remove_sign_in(unlocked, principal).await?;
            }
            return renew(task, unlocked).await.map(Some);
        }
        _ => return Err(misplaced()),
    }
    Ok(None)
}

/// Removes those of the slots that are there: it may be begun again after it was stopped.
async fn remove_slots(unlocked: &Unlocked, slots: &[salus_messages::SlotId]) -> Outcome<()> {
    unlocked.refresh().await.map_err(from_client)?;
    let known = unlocked.slots().map_err(from_client)?;
    let mut there = Vec::new();
    for slot in slots {
        let slot: SlotId = views::parse("slot", &slot.0)?;
        if known.iter().any(|s| s.id == slot) {
            there.push(slot);
        }
    }
    if there.is_empty() {
        return Ok(());
    }
    unlocked.remove_slots(&there).await.map_err(from_client)
}

async fn remove_sign_in(unlocked: &Unlocked, principal: &str) -> Outcome<()> {
    let principal = Principal::from_text(principal).map_err(|_| invalid("principal"))?;
    if principal == unlocked.client().caller() {
        return Err(invalid("principal"));
    }
    let known = unlocked.principals().await.map_err(from_client)?;
    if known.contains(&principal) {
        unlocked
            .remove_principal(principal)
            .await
            .map_err(from_client)?;
    }
    Ok(())
}

async fn renew(task: &Task, unlocked: &Unlocked) -> Outcome<Answer> {
    let Rotated {
        refiled,
        reissued,
        left_behind,
        unreadable,
        ..
    } = unlocked
        .rotate_everything(&Watch::new(task))
        .await
        .map_err(from_client)?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Reply::Renewed(Renewed {
        versions: refiled,
        grants: count(reissued.len()),
        left_behind: count(left_behind.len()),
        unreadable: count(unreadable.len()),
    })
    .into())
}

/// Every way into the account.
pub(crate) async fn view(engine: &Engine, unlocked: &Unlocked) -> Outcome<SecurityView> {
    let here = unlocked.client().caller();
    let principals = unlocked.principals().await.map_err(from_client)?;
    Ok(SecurityView {
        slots: session::slots(engine, unlocked).await?,
        sign_ins: principals
            .into_iter()
            .map(|principal| SignInView {
                principal: principal.to_text(),
                here: principal == here,
            })
            .collect(),
    })
}

/// The sheet for a phrase. Its code holds the words in capitals, which take less room.
pub(crate) fn sheet(phrase: &RecoveryPhrase) -> Outcome<RecoverySheet> {
    let words = phrase.to_words();
    Ok(RecoverySheet {
        qr: qr(&words.to_uppercase())?,
        words: words
            .split_whitespace()
            .map(|w| Secret(w.to_owned()))
            .collect(),
        site: views::origin()?,
    })
}
