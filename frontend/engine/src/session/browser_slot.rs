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
/// Under which the session shelf keeps, each by itself, slots that this browser made or had and does not
/// open any more, to be removed from their accounts. One that is being added counts as such until it is
/// there.
const LEFT: &str = "left/";

/// An account and a slot as the shelf keeps them: 16 bytes each.
fn pair(of: (AccountId, SlotId)) -> Uint8Array {
    Uint8Array::from([of.0.0, of.1.0].concat().as_slice())
}

fn parse(bytes: &[u8]) -> Option<(AccountId, SlotId)> {
    let (account, slot) = bytes.split_first_chunk::<16>()?;
    Some((AccountId(*account), SlotId(slot.try_into().ok()?)))
}

/// The account and slot this browser can open, if any.
pub(super) async fn stored_slot(store: &Store) -> Outcome<Option<(AccountId, SlotId)>> {
    let bytes = stored_bytes(store, BROWSER_SLOT).await?;
    Ok(bytes.and_then(|bytes| parse(&bytes)))
}

/// Notes that this browser opens it. Before it is added: a slot that nobody knows the way to would be
/// worse than a note of one that is not there.
pub(super) async fn keep_slot(store: &Store, account: AccountId, slot: SlotId) -> Outcome<()> {
    store
        .put(Shelf::Session, BROWSER_SLOT, &pair((account, slot)))
        .await
        .map_err(from_platform)
}

fn left_key((account, slot): (AccountId, SlotId)) -> String {
    format!("{LEFT}{account}/{slot}")
}

/// Notes that a slot is to be removed.
pub(super) async fn leave(store: &Store, of: (AccountId, SlotId)) -> Outcome<()> {
    store
        .put(Shelf::Session, &left_key(of), &pair(of))
        .await
        .map_err(from_platform)
}

/// Takes that back: it is opened here after all, or is gone.
pub(super) async fn unleave(store: &Store, of: (AccountId, SlotId)) -> Outcome<()> {
    store
        .remove(Shelf::Session, &left_key(of))
        .await
        .map_err(from_platform)
}

/// Slots of an account whose key this browser has forgotten: no way to unlock any more.
pub(super) async fn left_slots(store: &Store, account: AccountId) -> Outcome<Vec<SlotId>> {
    let prefix = format!("{LEFT}{account}/");
    let keys = store.keys(Shelf::Session, &prefix).await;
    let slots = keys.map_err(from_platform)?;
    Ok(slots
        .iter()
        .filter_map(|key| key.strip_prefix(&prefix)?.parse().ok())
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
    let account = unlocked.account();
    let key = BrowserKey::find_or_make(store, KeyUse::Slot)
        .await
        .map_err(from_platform)?;
    if let Some(before) = stored_slot(store).await? {
        let slots = unlocked.slots().map_err(from_client)?;
        if before.0 == account && slots.iter().any(|slot| slot.id == before.1) {
            let secret = browser_secret(&key, unlocked.client().vault(), account, before.1).await?;
            let opens = unlocked.is_opened_by(&secret).await;
            if opens.map_err(from_client)? {
                return Ok(());
            }
        }
        leave(store, before).await?;
    }
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let secret = browser_secret(&key, unlocked.client().vault(), account, slot).await?;
    let new = NewSlot {
        id: slot,
        secret,
        parameters: None,
        label: named(engine, label),
    };
    keep_slot(store, account, slot).await?;
    unlocked.add_slot(&new).await.map_err(from_client)
}

/// Removes this browser's slot, for the browser and for the account. The next visit asks; this one
/// goes on.
pub(crate) async fn stay_no_longer(engine: &Engine, store: &Store) -> Outcome<()> {
    let unlocked = engine.unlocked()?;
    forget(store).await?;
    remove_left(&unlocked, store).await.map(drop)
}

/// Forgets what this browser opens by itself. From here on nothing does, whatever the vault says.
pub(super) async fn forget(store: &Store) -> Outcome<()> {
    if let Some(here) = stored_slot(store).await? {
        leave(store, here).await?;
    }
    store
        .remove(Shelf::Session, BROWSER_SLOT)
        .await
        .map_err(from_platform)?;
    BrowserKey::forget(store, KeyUse::Slot)
        .await
        .map_err(from_platform)
}

/// Removes from the account what this browser left there. Whether there was anything.
pub(super) async fn remove_left(unlocked: &Unlocked, store: &Store) -> Outcome<bool> {
    let account = unlocked.account();
    let left = left_slots(store, account).await?;
    if left.is_empty() {
        return Ok(false);
    }
    unlocked.refresh().await.map_err(from_client)?;
    let slots = unlocked.slots().map_err(from_client)?;
    let there: Vec<SlotId> = slots
        .iter()
        .map(|slot| slot.id)
        .filter(|slot| left.contains(slot))
        .collect();
    if !there.is_empty() {
        unlocked.remove_slots(&there).await.map_err(from_client)?;
    }
    for slot in left {
        unleave(store, (account, slot)).await?;
    }
    Ok(!there.is_empty())
}
