//! Showing that one is the owner, for what decides about keys. Must not know what that is.
//!
//! An unlocked screen that somebody else sits down at shows records, and no more: whoever wants to add
//! or remove ways to unlock has to bring one that does not lie in this browser.

use super::{passkey, passphrase};
use crate::dispatch::Task;
use crate::failure::{Outcome, from_client};
use crate::moment::Moment;
use crate::platform::clock::{Clock, steady_ms};
use crate::platform::store::Store;
use crate::state::Engine;
use crate::views;
use salus_client::{ClientError, Environment as _, IntegrityError, Kept, RecoveryPhrase, Unlocked};
use salus_messages::{Failure, FailureKind, Proof, Secret};

fn now() -> Moment {
    Moment {
        // Exact below 2^53.
        wall: Clock.now_ms() as f64,
        steady: steady_ms(),
    }
}

/// The owner has just shown it, by unlocking with something that does not lie in this browser.
pub(super) fn shown(engine: &Engine) {
    engine.proved_at.set(Some(now()));
}

/// Refuses unless it was shown a moment ago.
pub(crate) fn needed(engine: &Engine) -> Outcome<()> {
    let shown = engine.proved_at.get();
    if shown.is_some_and(|at| at.is_fresh(now())) {
        Ok(())
    } else {
        Err(FailureKind::ProofNeeded.into())
    }
}

/// Unlocks with what was brought.
pub(super) async fn unlock(task: &Task, store: &Store, with: Proof) -> Outcome<Unlocked> {
    let client = task.engine.client()?;
    match with {
        Proof::Phrase(words) => {
            let phrase = parse(&words)?;
            let unlocked = client.unlock_with_phrase(&phrase).await;
            unlocked.map_err(from_client)
        }
        Proof::Passkey { slot } => {
            let slot = views::parse("slot", &slot.0)?;
            let secret = passkey::secret_of(task, &client, slot).await?;
            let unlocked = client.unlock_with_slot(slot, &secret).await;
            unlocked.map_err(wrong_secret)
        }
        Proof::Passphrase {
            passphrase,
            sheet_key,
        } => passphrase::unlock(store, &client, &passphrase, sheet_key.as_ref()).await,
    }
}

/// Takes the account back with its words, and unlocks it. Nothing tells a sign-in or a way to unlock of
/// the owner's from one that somebody else added: all end but the words and whoever is here.
pub(super) async fn recover(engine: &Engine, words: &Secret) -> Outcome<Unlocked> {
    let phrase = parse(words)?;
    let recovery = engine.client()?.recovery(&phrase).await;
    let recovery = recovery.map_err(|error| match error {
        // Nothing that was ever signed opens with them: to try again would not help.
        ClientError::Integrity(IntegrityError::Bundle) => {
            Failure::new(FailureKind::Integrity, error.to_string())
        }
        other => from_client(other),
    })?;
    let unlocked = recovery.take_back(&Kept::default()).await;
    unlocked.map_err(from_client)
}

/// The failure where somebody brought a passphrase or a passkey.
pub(super) fn wrong_secret(error: ClientError) -> Failure {
    match error {
        ClientError::WrongSecret | ClientError::NoSuchSlot => FailureKind::WrongSecret.into(),
        other => from_client(other),
    }
}

/// Compares what was brought with the account's slots. The session goes on as it is.
pub(super) async fn prove(task: &Task, store: &Store, with: Proof) -> Outcome<()> {
    let unlocked = task.engine.unlocked()?;
    match with {
        Proof::Phrase(words) => return prove_by_phrase(&task.engine, &words).await.map(drop),
        // Opens the account a second time, and lets go of it.
        other => {
            let again = unlock(task, store, other).await?;
            again.lock();
            if again.account() != unlocked.account() {
                return Err(FailureKind::WrongSecret.into());
            }
        }
    }
    shown(&task.engine);
    Ok(())
}

fn parse(words: &Secret) -> Outcome<RecoveryPhrase> {
    RecoveryPhrase::parse(&words.0)
        .map_err(|e| Failure::new(FailureKind::WrongPhrase, e.to_string()))
}

/// The account's recovery phrase, if these are its words.
pub(crate) async fn prove_by_phrase(engine: &Engine, words: &Secret) -> Outcome<RecoveryPhrase> {
    let phrase = parse(words)?;
    let opens = engine.unlocked()?.is_opened_by(&phrase.slot_secret()).await;
    if !opens.map_err(from_client)? {
        return Err(FailureKind::WrongPhrase.into());
    }
    shown(engine);
    Ok(phrase)
}
