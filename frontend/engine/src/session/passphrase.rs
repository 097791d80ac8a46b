//! Passphrases of this browser: words, and a key of the browser's that goes with them, so that nobody
//! who has only one of the two gets in. Must not know how they are stretched.

use super::browser_slot::{leave, named, remove_left};
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::held_keys::{BrowserKey, KeyUse};
use crate::platform::store::{Shelf, Store};
use crate::state::Engine;
use salus_client::{
    AccountId, Client, ClientError, DeviceSecret, Passphrase, PassphraseError, SecondSecret,
    SecondSecretKind, SheetKey, SlotId, SlotParameters, Unlocked, passphrase_device_message,
};
use salus_messages::{Failure, FailureKind, ProposedPassphrase, Secret};
use wasm_bindgen::JsValue;

/// Under which the session shelf keeps, each by itself, which passphrase slots this browser's key goes with.
const HERE: &str = "passphrase/";

fn here_key(account: AccountId, slot: SlotId) -> String {
    format!("{HERE}{account}/{slot}")
}

fn unusable(error: PassphraseError) -> Failure {
    from_client(error.into())
}

/// Words that nobody guesses, and a key for them.
pub(crate) fn propose() -> Outcome<ProposedPassphrase> {
    let passphrase = Passphrase::generate().map_err(|e| from_client(e.into()))?;
    let key = SheetKey::generate().map_err(|e| from_client(e.into()))?;
    Ok(ProposedPassphrase {
        passphrase: Secret(passphrase.expose().to_owned()),
        sheet_key: Secret((*key.to_text()).clone()),
    })
}

fn parse_key(key: &Secret) -> Outcome<SecondSecret> {
    let key = SheetKey::parse(&key.0).map_err(|e| from_client(e.into()))?;
    Ok(SecondSecret::Sheet(key))
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
    let noted = store.get(Shelf::Session, &here_key(account, slot)).await;
    Ok(noted.map_err(from_platform)?.is_some())
}

/// The slots of an account whose words open it in this browser.
async fn all_here(store: &Store, account: AccountId) -> Outcome<Vec<SlotId>> {
    let prefix = format!("{HERE}{account}/");
    let keys = store.keys(Shelf::Session, &prefix).await;
    let slots = keys.map_err(from_platform)?;
    Ok(slots
        .iter()
        .filter_map(|key| key.strip_prefix(&prefix)?.parse().ok())
        .collect())
}

/// Adds one. One of this browser's takes the place of the one it had: whoever chooses new words has
/// forgotten the old ones, or means them to end.
pub(crate) async fn add(
    engine: &Engine,
    unlocked: &Unlocked,
    words: &Secret,
    key: Option<&Secret>,
    label: &str,
) -> Outcome<()> {
    let store = engine.store().await?;
    let passphrase = Passphrase::choose(&words.0).map_err(unusable)?;
    let (client, account) = (unlocked.client(), unlocked.account());
    if let Some(key) = key {
        let label = label.trim().to_owned();
        let new = client
            .passphrase_slot(account, None, &passphrase, &parse_key(key)?, label)
            .map_err(from_client)?;
        return unlocked.add_slot(&new).await.map_err(from_client);
    }
    let before = all_here(&store, account).await?;
    let slot = SlotId(salus_client::random_id().map_err(|e| from_client(e.into()))?);
    let second = second(&store, client, account, slot).await?;
    let label = named(engine, label);
    let new = client
        .passphrase_slot(account, Some(slot), &passphrase, &second, label)
        .map_err(from_client)?;
    store
        .put(Shelf::Session, &here_key(account, slot), &JsValue::TRUE)
        .await
        .map_err(from_platform)?;
    unlocked.add_slot(&new).await.map_err(from_client)?;
    for old in before {
        leave(&store, (account, old)).await?;
        store
            .remove(Shelf::Session, &here_key(account, old))
            .await
            .map_err(from_platform)?;
    }
    remove_left(unlocked, &store).await.map(drop)
}

/// Unlocks with one, whichever it is of those that take such a key.
pub(super) async fn unlock(
    store: &Store,
    client: &Client,
    words: &Secret,
    key: Option<&Secret>,
) -> Outcome<Unlocked> {
    let passphrase = Passphrase::read(&words.0).map_err(|_| FailureKind::WrongSecret)?;
    let offered = client.offered_slots().await.map_err(from_client)?;
    let account = offered.account;
    for slot in offered.slots {
        let Some(SlotParameters::Passphrase(takes)) = slot.parameters else {
            continue;
        };
        let second = match (key, takes.second) {
            (Some(key), SecondSecretKind::Sheet) => parse_key(key)?,
            (None, SecondSecretKind::Device) if is_here(store, account, slot.id).await? => {
                second(store, client, account, slot.id).await?
            }
            _ => continue,
        };
        match client
            .unlock_with_passphrase(slot.id, &passphrase, &second)
            .await
        {
            Err(ClientError::WrongSecret) => {}
            other => return other.map_err(super::proof::wrong_secret),
        }
    }
    Err(FailureKind::WrongSecret.into())
}
