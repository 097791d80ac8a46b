//! "Stay unlocked here": the slot whose secret this browser's key makes. Must not know the phrase.

use super::sign_in::stored_bytes;
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::held_keys::BrowserKey;
use crate::platform::store::{Shelf, Store};
use crate::state::Engine;
use js_sys::Uint8Array;
use salus_client::{AccountId, NewSlot, Principal, SlotId, SlotSecret, browser_slot_message};
use salus_messages::FailureKind;

/// Where the session shelf keeps which slot this browser opens.
pub(super) const BROWSER_SLOT: &str = "browser-slot";

/// The account and slot this browser can open, if any: 16 bytes each.
pub(super) async fn stored_slot(store: &Store) -> Outcome<Option<(AccountId, SlotId)>> {
    let bytes = stored_bytes(store, BROWSER_SLOT).await?.unwrap_or_default();
    let parts = bytes.split_first_chunk::<16>();
    Ok(
        parts
            .and_then(|(account, slot)| Some((AccountId(*account), SlotId(slot.try_into().ok()?)))),
    )
}

pub(super) async fn keep_slot(store: &Store, account: AccountId, slot: SlotId) -> Outcome<()> {
    let bytes = [account.0, slot.0].concat();
    store
        .put(
            Shelf::Session,
            BROWSER_SLOT,
            &Uint8Array::from(bytes.as_slice()),
        )
        .await
        .map_err(from_platform)
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
    let key = BrowserKey::find(store).await.map_err(from_platform)?;
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

/// Adds this browser's slot.
pub(super) async fn stay(engine: &Engine, store: &Store) -> Outcome<()> {
    let unlocked = engine.unlocked()?;
    if stored_slot(store)
        .await?
        .is_some_and(|s| s.0 == unlocked.account())
    {
        return Ok(());
    }
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let key = BrowserKey::find_or_make(store)
        .await
        .map_err(from_platform)?;
    let secret = browser_secret(&key, unlocked.client().vault(), unlocked.account(), slot).await?;
    let new = NewSlot {
        id: slot,
        secret,
        label: String::new(),
    };
    unlocked.add_slot(&new).await.map_err(from_client)?;
    keep_slot(store, unlocked.account(), slot).await
}

/// Removes this browser's slot, for the account and for the browser.
pub(super) async fn leave(engine: &Engine, store: &Store) -> Outcome<()> {
    let unlocked = engine.unlocked()?;
    if let Some((account, slot)) = stored_slot(store).await?
        && account == unlocked.account()
    {
        unlocked.remove_slots(&[slot]).await.map_err(from_client)?;
        store
            .remove(Shelf::Session, BROWSER_SLOT)
            .await
            .map_err(from_platform)?;
        BrowserKey::forget(store).await.map_err(from_platform)?;
    }
    Ok(())
}
