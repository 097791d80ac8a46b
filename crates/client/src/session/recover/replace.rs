//! Another recovery phrase in place of one that somebody may have read: whoever read it would own the
//! account for good. Must not make phrases: they are written down before they come here.
//!
//! The new phrase gets its slot first, then a link that the old one signs makes its key the recovery key,
//! and then a new account master key ends the old one's slot. Until the link is there the old phrase takes
//! the account back, and from then on the new one does.

use super::super::Unlocked;
use super::super::create::NewSlot;
use super::super::unlock::slot_of;
use super::{Kept, Recovery};
use crate::client::Client;
use crate::error::{ClientError, Result};
use crate::keys::SlotHold;
use salus_crypto::VaultScope;
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::slot::SlotSecret;
use salus_protocol::ledger::{LedgerState, SlotKind};

/// The slot of a phrase, be it yet to be added.
pub(super) fn hold_of(
    scope: VaultScope<'_>,
    secret: &SlotSecret,
    state: &LedgerState,
) -> Result<SlotHold> {
    if let Some(hold) = slot_of(scope, secret, state)? {
        return Ok(hold);
    }
    let slot = NewSlot::new(secret.clone(), "")?.id;
    let keys = secret.derive_keys(scope, slot)?;
    Ok(SlotHold { slot, keys })
}

impl Client {
    /// Puts another recovery phrase in force and ends the one before: it finds the account no more, opens
    /// nothing that is sealed from now on, and signs nothing that is believed. The caller has made sure
    /// that the new one is written down. All other ways to unlock and sign-ins stay; whoever fears that the
    /// old words were used takes the account back with the new ones next, by [`Client::recovery`]. Those
    /// who deal with this account are asked to accept its new keys.
    ///
    /// What was stopped half-way is taken to its end by the same call. Until then one of the two phrases
    /// takes the account back.
    ///
    /// # Errors
    /// [`ClientError::WrongPhrase`] if neither is the account's. [`ClientError::Invalid`] if they are the same,
    /// [`ClientError::Conflict`] if the new one is another account's, both before anything is done; then
    /// whatever adding a way to unlock and taking back may give.
    pub async fn replace_phrase(
        &self,
        old: &RecoveryPhrase,
        new: &RecoveryPhrase,
    ) -> Result<Unlocked> {
        let vault = self.vault_bytes();
        let next = new.derive_signing_key(vault).public();
        if next == old.derive_signing_key(vault).public() {
            return Err(ClientError::Invalid {
                field: "phrase",
                reason: "is the one in force",
            });
        }
        let unlocked = match self.unlock_with_phrase(old).await {
            Err(ClientError::WrongPhrase) => {
                let recovery = self.recovery(new).await?;
                let kept = recovery.all_but_phrases();
                return recovery.take_back(&kept).await;
            }
            unlocked => unlocked?,
        };
        if self.find(next).await?.is_some() {
            return Err(ClientError::Conflict("the new recovery phrase"));
        }
        unlocked.add_phrase(new).await?;
        unlocked.lock();
        let recovery = self.recovery(old).await?;
        let kept = recovery.all_but_phrases();
        recovery.overrule(&kept, Some(new)).await
    }
}

impl Recovery {
    /// All that may be kept, but phrases.
    fn all_but_phrases(&self) -> Kept {
        let slots = self.ledger.state.slots.values();
        let slots = slots.filter(|s| s.kind != SlotKind::Recovery && self.own.vouches_for(s));
        Kept {
            slots: slots.map(|slot| slot.id).collect(),
            principals: self.info.principals.clone(),
        }
    }
}

impl Unlocked {
    /// Adds the slot of another phrase, unless it is there.
    async fn add_phrase(&self, phrase: &RecoveryPhrase) -> Result<()> {
        let secret = phrase.slot_secret();
        let there = self.with(|keys| slot_of(self.scope(), &secret, &keys.ledger.state))?;
        match there {
            Some(_) => Ok(()),
            None => self.add_slot(&NewSlot::new(secret, "")?).await,
        }
    }
}
