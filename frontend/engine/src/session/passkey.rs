//! Passkeys: what a new one is made with, and the secret of one that answered. Must not know WebAuthn:
//! the page holds that conversation and hands over a key that neither can read.

use crate::dispatch::Task;
use crate::failure::{Outcome, from_client, from_platform, invalid};
use salus_client::{
    AccountId, Client, NewSlot, PasskeyParameters, SlotId, SlotParameters, SlotSecret, Unlocked,
    passkey_slot_message,
};
use salus_messages::{FailureKind, PasskeyRequest, PasskeyWanted};

/// What a new passkey is to be made with.
pub(crate) fn wanted(unlocked: &Unlocked) -> Outcome<PasskeyWanted> {
    let random = |e: salus_client::ClientError| from_client(e);
    let slot = SlotId(salus_client::random_id().map_err(|e| random(e.into()))?);
    let salt = salus_client::random_salt().map_err(|e| random(e.into()))?;
    let slots = unlocked.slots().map_err(from_client)?;
    let known = slots.into_iter().filter_map(|s| match s.parameters {
        Some(SlotParameters::Passkey(of)) => Some(of.credential),
        _ => None,
    });
    Ok(PasskeyWanted {
        slot: salus_messages::SlotId(slot.to_string()),
        salt: salt.to_vec(),
        known: known.collect(),
    })
}

async fn secret(
    task: &Task,
    client: &Client,
    account: AccountId,
    slot: SlotId,
    parameters: &PasskeyParameters,
) -> Outcome<SlotSecret> {
    let key = task.key.as_ref().ok_or_else(|| invalid("key"))?;
    let info = passkey_slot_message(client.vault(), account, slot, parameters);
    let bytes = key.derive(&info).await.map_err(from_platform)?;
    Ok(SlotSecret::from_passkey_hkdf(bytes))
}

/// Adds the passkey that was made.
pub(crate) async fn add(
    task: &Task,
    unlocked: &Unlocked,
    slot: SlotId,
    passkey: PasskeyRequest,
    label: &str,
) -> Outcome<()> {
    let parameters = PasskeyParameters {
        credential: passkey.credential,
        salt: passkey.salt.try_into().map_err(|_| invalid("salt"))?,
    };
    let account = unlocked.account();
    let secret = secret(task, unlocked.client(), account, slot, &parameters).await?;
    let new = NewSlot::passkey(slot, secret, parameters, label.trim());
    unlocked.add_slot(&new).await.map_err(from_client)
}

/// The secret of a passkey slot there is.
pub(super) async fn secret_of(task: &Task, client: &Client, slot: SlotId) -> Outcome<SlotSecret> {
    let offered = client.offered_slots().await.map_err(from_client)?;
    let found = offered.slots.into_iter().find(|s| s.id == slot);
    match found.and_then(|s| s.parameters) {
        Some(SlotParameters::Passkey(parameters)) => {
            secret(task, client, offered.account, slot, &parameters).await
        }
        _ => Err(FailureKind::WrongSecret.into()),
    }
}
