//! "Stay unlocked here": the slot whose secret this browser's key makes. Must not know the phrase.

use super::sign_in::stored_bytes;
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::held_keys::{BrowserKey, KeyUse};
use crate::platform::store::{Shelf, Store};
use crate::state::Engine;
use js_sys::Uint8Array;
use salus_client::{
    AccountId, NewSlot, Principal, SlotId, SlotSecret, Unlocked, browser_slot_message,
};
use salus_messages::FailureKind;

/// Where the session shelf keeps which slot this browser opens.
pub(super) const BROWSER_SLOT: &str = "browser-slot";
/// Where it keeps slots that nothing opens any more, to be removed from their accounts.
const LEFT_SLOTS: &str = "left-slots";

/// Accounts and slots as the shelf keeps them: 16 bytes each.
pub(super) async fn stored_slots(store: &Store, key: &str) -> Outcome<Vec<(AccountId, SlotId)>> {
    let bytes = stored_bytes(store, key).await?.unwrap_or_default();
    let pairs = bytes.chunks_exact(32).filter_map(|pair| {
        let (account, slot) = pair.split_first_chunk::<16>()?;
        Some((AccountId(*account), SlotId(slot.try_into().ok()?)))
    });
    Ok(pairs.collect())
}

pub(super) async fn keep_slots(
    store: &Store,
    key: &str,
    slots: &[(AccountId, SlotId)],
) -> Outcome<()> {
    let bytes: Vec<u8> = slots
        .iter()
        .flat_map(|(account, slot)| [account.0, slot.0].concat())
        .collect();
    store
        .put(Shelf::Session, key, &Uint8Array::from(bytes.as_slice()))
        .await
        .map_err(from_platform)
}

/// The account and slot this browser can open, if any.
pub(super) async fn stored_slot(store: &Store) -> Outcome<Option<(AccountId, SlotId)>> {
    Ok(stored_slots(store, BROWSER_SLOT).await?.first().copied())
}

pub(super) async fn keep_slot(store: &Store, account: AccountId, slot: SlotId) -> Outcome<()> {
    keep_slots(store, BROWSER_SLOT, &[(account, slot)]).await
}

/// Slots of an account whose key this browser has forgotten: no way to unlock any more.
pub(super) async fn left_slots(store: &Store, account: AccountId) -> Outcome<Vec<SlotId>> {
    let left = stored_slots(store, LEFT_SLOTS).await?;
    Ok(left
        .into_iter()
        .filter(|(of, _)| *of == account)
        .map(|(_, slot)| slot)
        .collect())
}

pub(super) async fn browser_secret(
    key: &BrowserKey,
    vault: Principal,
    account: AccountId,
    slot: SlotId,
) -> Outcome<SlotSecret> {
    let message = browser_slot_message(vault, account, slot);
    let tag = key.authenticate(&message).await.map_err(from_platform)?;
    Ok(SlotSecret::from_browser_hmac(tag))
}

pub(super) async fn unlock_here(engine: &Engine, store: &Store) -> Outcome<()> {
    let client = engine.client()?;
    let key = BrowserKey::find(store, KeyUse::Slot)
        .await
        .map_err(from_platform)?;
    let (Some((account, slot)), Some(key)) = (stored_slot(store).await?, key) else {
        return Err(FailureKind::Locked.into());
    };
    let secret = browser_secret(&key, client.vault(), account, slot).await?;
    let unlocked = client
        .unlock_with_slot(slot, &secret)
        .await
        .map_err(from_client)?;
    engine.unlocked.replace(Some(unlocked));
    Ok(())
}

/// What a slot of this browser is called.
pub(super) fn named(engine: &Engine, label: &str) -> String {
    match label.trim() {
        "" => engine.browser_name.borrow().clone(),
        chosen => chosen.to_owned(),
    }
}

/// The slot of this account that this browser opens.
pub(crate) async fn slot_here(engine: &Engine, unlocked: &Unlocked) -> Outcome<Option<SlotId>> {
    let store = engine.store().await?;
    let stored = stored_slot(&store).await?;
    Ok(stored
        .filter(|(of, _)| *of == unlocked.account())
        .map(|(_, slot)| slot))
}

/// Adds this browser's slot, under what the page calls the browser unless its owner says otherwise.
pub(crate) async fn stay(engine: &Engine, store: &Store, label: &str) -> Outcome<()> {
    let unlocked = engine.unlocked()?;
    if stored_slot(store)
        .await?
        .is_some_and(|s| s.0 == unlocked.account())
    {
        return Ok(());
    }
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let key = BrowserKey::find_or_make(store, KeyUse::Slot)
        .await
        .map_err(from_platform)?;
    let secret = browser_secret(&key, unlocked.client().vault(), unlocked.account(), slot).await?;
    let new = NewSlot {
        id: slot,
        secret,
        parameters: None,
        label: named(engine, label),
    };
    unlocked.add_slot(&new).await.map_err(from_client)?;
    keep_slot(store, unlocked.account(), slot).await
}

/// Removes this browser's slot, for the account and for the browser. The next visit asks; this one
/// goes on. Where it was unlocked by that very slot, the account keeps it until this browser unlocks
/// it another way: removing it now would take the keys from this visit too, and with the browser's
/// key gone nothing opens it.
pub(crate) async fn stay_no_longer(engine: &Engine, store: &Store) -> Outcome<()> {
    let unlocked = engine.unlocked()?;
    let account = unlocked.account();
    let Some((_, slot)) = stored_slot(store).await?.filter(|(of, _)| *of == account) else {
        return Ok(());
    };
    let slots = unlocked.slots().map_err(from_client)?;
    if slots.iter().any(|s| s.id == slot && s.in_use) {
        let mut left = stored_slots(store, LEFT_SLOTS).await?;
        left.push((account, slot));
        keep_slots(store, LEFT_SLOTS, &left).await?;
    } else {
        unlocked.remove_slots(&[slot]).await.map_err(from_client)?;
    }
    forget(store).await
}

async fn forget(store: &Store) -> Outcome<()> {
    store
        .remove(Shelf::Session, BROWSER_SLOT)
        .await
        .map_err(from_platform)?;
    BrowserKey::forget(store, KeyUse::Slot)
        .await
        .map_err(from_platform)
}

/// Removes from the account what this browser left there: with `all`, at the end of the visit, the
/// slot in use as well. Whether there was anything.
pub(super) async fn remove_left(unlocked: &Unlocked, store: &Store, all: bool) -> Outcome<bool> {
    let account = unlocked.account();
    let stored = stored_slot(store).await?.filter(|(of, _)| *of == account);
    let mut wanted = left_slots(store, account).await?;
    wanted.extend(stored.filter(|_| all).map(|(_, slot)| slot));
    if wanted.is_empty() {
        return Ok(false);
    }
    let slots = unlocked.slots().map_err(from_client)?;
    let there: Vec<SlotId> = slots
        .iter()
        .filter(|s| wanted.contains(&s.id) && (all || !s.in_use))
        .map(|s| s.id)
        .collect();
    if !there.is_empty() {
        unlocked.remove_slots(&there).await.map_err(from_client)?;
    }
    let mut left = stored_slots(store, LEFT_SLOTS).await?;
    let in_use = |slot: &SlotId| slots.iter().any(|s| s.id == *slot && s.in_use && !all);
    left.retain(|(of, slot)| *of != account || in_use(slot));
    keep_slots(store, LEFT_SLOTS, &left).await?;
    Ok(!there.is_empty())
}
