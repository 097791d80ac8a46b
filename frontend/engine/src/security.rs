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
        Intent::ReplacePhrase { phrase } => {
            let unlocked = session::replace_phrase(engine, &phrase).await?;
            return Ok(Reply::Security(view(engine, &unlocked).await?).into());
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
            let slots = slots.iter().map(|slot| views::parse("slot", &slot.0));
            let slots: Vec<SlotId> = slots.collect::<Outcome<_>>()?;
            let sign_ins = sign_ins.iter().map(|text| principal(text));
            let sign_ins: Vec<Principal> = sign_ins.collect::<Outcome<_>>()?;
            let watch = Watch::new(task);
            let rotated = unlocked.lock_out(&slots, &sign_ins, &watch).await;
            return Ok(Some(renewed(rotated.map_err(from_client)?)));
        }
        _ => return Err(misplaced()),
    }
    Ok(None)
}

fn principal(text: &str) -> Outcome<Principal> {
    Principal::from_text(text).map_err(|_| invalid("principal"))
}

async fn remove_sign_in(unlocked: &Unlocked, text: &str) -> Outcome<()> {
    let principal = principal(text)?;
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
    let rotated = unlocked.rotate_everything(&Watch::new(task)).await;
    Ok(renewed(rotated.map_err(from_client)?))
}

fn renewed(rotated: Rotated) -> Answer {
    let Rotated {
        refiled,
        reissued,
        left_behind,
        unreadable,
        ..
    } = rotated;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Reply::Renewed(Renewed {
        versions: refiled,
        grants: count(reissued.len()),
        left_behind: count(left_behind.len()),
        unreadable: count(unreadable.len()),
    })
    .into()
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
