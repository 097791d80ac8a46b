//! Showing that one is the owner, for what decides about keys. Must not know what that is.
//!
//! An unlocked screen that somebody else sits down at shows records, and no more: whoever wants to add
//! or remove ways to unlock has to bring one that does not lie in this browser.

use crate::failure::{Outcome, from_client};
use crate::platform::clock::Clock;
use crate::state::Engine;
use salus_client::{Environment as _, RecoveryPhrase};
use salus_messages::{Failure, FailureKind, Proof, Secret};

/// How long a proof is good for: 5 minutes.
const GOOD_FOR_MS: u64 = 5 * 60_000;

/// The owner has just shown it, by unlocking with something that does not lie in this browser.
pub(super) fn shown(engine: &Engine) {
    engine.proved_at.set(Some(Clock.now_ms()));
}

/// Refuses unless it was shown a moment ago.
pub(crate) fn needed(engine: &Engine) -> Outcome<()> {
    let fresh = engine
        .proved_at
        .get()
        .is_some_and(|at| Clock.now_ms().abs_diff(at) <= GOOD_FOR_MS);
    if fresh {
        Ok(())
    } else {
        Err(FailureKind::ProofNeeded.into())
    }
}

/// Compares what was brought with the account's slots. The session goes on as it is.
pub(super) async fn prove(engine: &Engine, proof: Proof) -> Outcome<()> {
    let Proof::Phrase(words) = proof;
    prove_by_phrase(engine, &words).await.map(drop)
}

/// The account's recovery phrase, if these are its words.
pub(crate) async fn prove_by_phrase(engine: &Engine, words: &Secret) -> Outcome<RecoveryPhrase> {
    let wrong = |detail: String| Failure::new(FailureKind::WrongPhrase, detail);
    let phrase = RecoveryPhrase::parse(&words.0).map_err(|e| wrong(e.to_string()))?;
    let opens = engine.unlocked()?.is_opened_by(&phrase.slot_secret()).await;
    if !opens.map_err(from_client)? {
        return Err(wrong(String::new()));
    }
    shown(engine);
    Ok(phrase)
}
