//! Passphrases of this browser: words, and a key of the browser's that goes with them, so that nobody
//! who has only one of the two gets in. Must not know how they are stretched.

use super::browser_slot::{keep_slots, named, stored_slots};
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::held_keys::{BrowserKey, KeyUse};
use crate::platform::store::Store;
use crate::state::Engine;
use salus_client::{
    AccountId, Client, DeviceSecret, Passphrase, PassphraseError, SecondSecret, SlotId, Unlocked,
    passphrase_device_message,
};
use salus_messages::{Failure, FailureKind, Secret};

/// Where the session shelf keeps which passphrase slots this browser's key goes with.
const PASSPHRASES: &str = "passphrases";

fn unusable(error: PassphraseError) -> Failure {
    from_client(error.into())
}

/// Words that nobody guesses.
pub(crate) fn propose() -> Outcome<Secret> {
    let passphrase = Passphrase::generate().map_err(|e| from_client(e.into()))?;
    Ok(Secret(passphrase.expose().to_owned()))
}

async fn second(
    store: &Store,
    client: &Client,
    account: AccountId,
    slot: SlotId,
) -> Outcome<SecondSecret> {
    let key = BrowserKey::find_or_make(store, KeyUse::Passphrase)
        .await
        .map_err(from_platform)?;
    let message = passphrase_device_message(client.vault(), account, slot);
    let answer = key.authenticate(&message).await.map_err(from_platform)?;
    Ok(SecondSecret::Device(DeviceSecret::from_hmac(answer)))
}

/// Whether this browser has what goes with that slot's words.
pub(super) async fn is_here(store: &Store, account: AccountId, slot: SlotId) -> Outcome<bool> {
    let here = stored_slots(store, PASSPHRASES).await?;
    Ok(here.contains(&(account, slot)))
}

/// Adds one.
pub(crate) async fn add(
    engine: &Engine,
    unlocked: &Unlocked,
    words: &Secret,
    label: &str,
) -> Outcome<()> {
    let store = engine.store().await?;
    let passphrase = Passphrase::choose(&words.0).map_err(unusable)?;
    let (client, account) = (unlocked.client(), unlocked.account());
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let second = second(&store, client, account, slot).await?;
    let label = named(engine, label);
    let new = client
        .passphrase_slot(account, Some(slot), &passphrase, &second, label)
        .map_err(from_client)?;
    unlocked.add_slot(&new).await.map_err(from_client)?;
    let mut here = stored_slots(&store, PASSPHRASES).await?;
    here.push((account, slot));
    keep_slots(&store, PASSPHRASES, &here).await
}

/// Unlocks with one.
pub(super) async fn unlock(
    store: &Store,
    client: &Client,
    slot: SlotId,
    words: &Secret,
) -> Outcome<Unlocked> {
    let passphrase = Passphrase::read(&words.0).map_err(|_| FailureKind::WrongSecret)?;
    let account = client.account().await.map_err(from_client)?;
    let account = account.ok_or(FailureKind::NotFound)?.account;
    let second = second(store, client, account, slot).await?;
    client
        .unlock_with_passphrase(slot, &passphrase, &second)
        .await
        .map_err(super::proof::wrong_secret)
}
