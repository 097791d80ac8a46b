//! A new account: its recovery phrase, proof that it was written down, and the account itself. Must not
//! know accounts that are there already.

use super::browser_slot::{browser_secret, keep_slot, named};
use super::prove_by_phrase;
use crate::dispatch::Answer;
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::held_keys::{BrowserKey, KeyUse};
use crate::platform::store::Store;
use crate::security;
use crate::state::{Engine, Proposed};
use salus_client::{
    AccountId, Label, NewAccount, NewSlot, Profile, RecoveryPhrase, SlotId, Unlocked,
};
use salus_messages::{Reply, Secret};

/// Words of the phrase a person is asked to type again.
const ASKED: usize = 3;
const WORDS: u8 = 24;

pub(super) fn propose(engine: &Engine) -> Outcome<Answer> {
    let phrase = RecoveryPhrase::generate().map_err(|e| from_client(e.into()))?;
    let random = salus_client::random_id().map_err(|e| from_client(e.into()))?;
    let mut ask: Vec<u8> = Vec::with_capacity(ASKED);
    for byte in random {
        let position = byte % WORDS;
        if ask.len() < ASKED && !ask.contains(&position) {
            ask.push(position);
        }
    }
    ask.sort_unstable();
    let sheet = security::sheet(&phrase)?;
    engine.proposed.replace(Some(Proposed {
        phrase,
        ask: ask.clone(),
        checked: false,
    }));
    Ok(Reply::Phrase { ask, sheet }.into())
}

pub(super) fn check(engine: &Engine, words: &[Secret]) -> Outcome<Answer> {
    let mut place = engine.proposed.borrow_mut();
    let proposed = place.as_mut().ok_or_else(|| invalid("phrase"))?;
    let text = proposed.phrase.to_words();
    let all: Vec<&str> = text.split_whitespace().collect();
    let right: Vec<bool> = proposed
        .ask
        .iter()
        .enumerate()
        .map(|(i, position)| {
            let given = words.get(i).map(|w| w.0.trim().to_lowercase());
            given.as_deref() == all.get(usize::from(*position)).copied()
        })
        .collect();
    proposed.checked = right.iter().all(|r| *r);
    Ok(Reply::PhraseChecked { right }.into())
}

/// What was proposed, if it was written down.
fn checked(engine: &Engine) -> Outcome<RecoveryPhrase> {
    match engine.proposed.borrow().as_ref() {
        Some(proposed) if proposed.checked => Ok(proposed.phrase.clone()),
        _ => Err(invalid("phrase")),
    }
}

/// Puts what was proposed in the place of the account's phrase. This visit goes on by the new one.
pub(crate) async fn replace_phrase(engine: &Engine, old: &Secret) -> Outcome<Unlocked> {
    let new = checked(engine)?;
    let old = prove_by_phrase(engine, old).await?;
    let replaced = engine.client()?.replace_phrase(&old, &new).await;
    let unlocked = replaced.map_err(from_client)?;
    engine.unlocked.replace(Some(unlocked.clone()));
    engine.proposed.take();
    Ok(unlocked)
}

pub(super) async fn create(
    engine: &Engine,
    store: &Store,
    display_name: String,
    compartments: Vec<Label>,
    stay_unlocked: bool,
) -> Outcome<()> {
    let client = engine.client()?;
    let phrase = checked(engine)?;
    let random = || salus_client::random_id().map_err(|e| from_client(e.into()));
    let account = AccountId(random()?);
    let slot = SlotId(random()?);
    let mut slots = Vec::new();
    if stay_unlocked {
        let key = BrowserKey::find_or_make(store, KeyUse::Slot)
            .await
            .map_err(from_platform)?;
        slots.push(NewSlot {
            id: slot,
            secret: browser_secret(&key, client.vault(), account, slot).await?,
            parameters: None,
            label: named(engine, ""),
        });
        keep_slot(store, account, slot).await?;
    }
    let profile = Profile {
        display_name,
        ..Profile::default()
    };
    let unlocked = client
        .create_account(NewAccount {
            account: Some(account),
            phrase: &phrase,
            profile,
            compartments,
            slots,
        })
        .await
        .map_err(from_client)?;
    engine.unlocked.replace(Some(unlocked));
    engine.proposed.take();
    Ok(())
}
