//! What a browser that has not unlocked anything yet has to know and do: which ways there are, with
//! which parameters, and what its keys are applied to; and how new passkey and passphrase slots are
//! made. Must not know where secrets come from.
//!
//! ```text
//! browser     secret = HMAC-SHA-256(browser's key, browser_slot_message)      → SlotSecret::from_browser_hmac
//! passkey     secret = HKDF-SHA-256(PRF output at parameters.salt, salt empty,
//!                                   info passkey_slot_message, 32 bytes)      → SlotSecret::from_passkey_hkdf
//! passphrase  second = HMAC-SHA-256(browser's key, passphrase_device_message) → DeviceSecret::from_hmac
//!             or the key from the recovery sheet                              → SheetKey::parse
//! ```

use super::create::NewSlot;
use crate::client::Client;
use crate::error::Result;
use candid::Principal;
use salus_crypto::passphrase::{
    DeviceKey, DeviceSecret, Passphrase, SecondSecret, generate_parameters,
};
use salus_crypto::{VaultScope, context, random_id};
use salus_protocol::ledger::{PasskeyParameters, SlotKind, SlotParameters};
use salus_types::{AccountId, SlotId};

/// A way to unlock, as far as one may know before anything is unlocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedSlot {
    /// Which.
    pub id: SlotId,
    /// How it is opened.
    pub kind: SlotKind,
    /// What its secret is made with: a passkey's credential and salt, how a passphrase is stretched
    /// and what second secret it takes.
    pub parameters: Option<SlotParameters>,
    /// When it was last used, ms since 1970, within an hour, as the vault tells; `None` if no client
    /// noted it.
    pub last_used: Option<u64>,
}

/// The caller's account, locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Which account.
    pub account: AccountId,
    /// Ways to unlock it, by id.
    pub slots: Vec<OfferedSlot>,
}

fn message(context: &context::Context) -> Vec<u8> {
    context.as_bytes().to_vec()
}

const fn scope(vault: &Principal, account: AccountId) -> VaultScope<'_> {
    let vault = vault.as_slice();
    VaultScope { vault, account }
}

/// What a browser's HMAC-SHA-256 key is applied to, to give the secret of a browser slot: see
/// `SlotSecret::from_browser_hmac`.
pub fn browser_slot_message(vault: Principal, account: AccountId, slot: SlotId) -> Vec<u8> {
    message(&context::browser_slot(scope(&vault, account), slot))
}

/// The info with which HKDF-SHA-256 (empty salt, 32 bytes) makes the secret of a passkey slot of the
/// PRF output: see `SlotSecret::from_passkey_hkdf`.
pub fn passkey_slot_message(
    vault: Principal,
    account: AccountId,
    slot: SlotId,
    parameters: &PasskeyParameters,
) -> Vec<u8> {
    message(&context::passkey_slot(
        scope(&vault, account),
        slot,
        parameters,
    ))
}

/// What a browser's HMAC-SHA-256 key is applied to, to give the second secret of a passphrase that is
/// bound to that browser: see `DeviceSecret::from_hmac`.
pub fn passphrase_device_message(vault: Principal, account: AccountId, slot: SlotId) -> Vec<u8> {
    message(&context::passphrase_device(scope(&vault, account), slot))
}

impl Client {
    /// Ways to unlock the caller's account, before anything is unlocked. They are as the account's
    /// owner signed them, if the vault shows the right account: whether it does, only opening one
    /// tells, by its anchor. Parameters that are weaker or costlier than allowed are refused here.
    ///
    /// # Errors
    /// [`crate::ClientError::NoAccount`]; [`crate::IntegrityError`] when the vault shows a ledger
    /// that does not hold.
    pub async fn offered_slots(&self) -> Result<Offered> {
        let (info, _, ledger) = self.shown().await?;
        let used = |id| info.slots.iter().find(|used| used.slot == id);
        let slots = ledger.state.slots.into_values().map(|slot| OfferedSlot {
            id: slot.id,
            kind: slot.kind,
            parameters: slot.parameters,
            last_used: used(slot.id).map(|used| used.at),
        });
        Ok(Offered {
            account: info.account,
            slots: slots.collect(),
        })
    }

    /// The second secret of a passphrase that is bound to a machine which keeps `key` itself, where there
    /// is no Web Crypto to keep one.
    pub fn device_secret(&self, account: AccountId, slot: SlotId, key: &DeviceKey) -> DeviceSecret {
        key.authenticate(self.scope(account), slot)
    }

    /// A passphrase slot to be added, with fresh parameters. Give `slot` where the second secret was
    /// made for it by a device; else it is random. Stretching blocks for as long as Argon2 takes.
    ///
    /// # Errors
    /// [`crate::ClientError::Passphrase`] if there is no memory; no randomness.
    pub fn passphrase_slot(
        &self,
        account: AccountId,
        slot: Option<SlotId>,
        passphrase: &Passphrase,
        second: &SecondSecret,
        label: impl Into<String>,
    ) -> Result<NewSlot> {
        let slot = match slot {
            Some(slot) => slot,
            None => SlotId(random_id()?),
        };
        let parameters = generate_parameters(second.kind())?;
        let scope = self.scope(account);
        Ok(NewSlot {
            id: slot,
            secret: passphrase.derive_secret(scope, slot, &parameters, second)?,
            parameters: Some(SlotParameters::Passphrase(parameters)),
            label: label.into(),
        })
    }
}
