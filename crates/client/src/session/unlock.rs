//! Unlocking: by the phrase, a slot's secret or a passphrase. Must not know where secrets come from.

use super::Unlocked;
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::SlotHold;
use crate::ledger::Ledger;
use crate::people::current;
use salus_crypto::VaultScope;
use salus_crypto::passphrase::{Passphrase, SecondSecret};
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::slot::SlotSecret;
use salus_protocol::KeyChain;
use salus_protocol::ledger::{LedgerState, SlotKind, SlotParameters};
use salus_types::api::AccountInfo;
use salus_types::{AccountId, Error, SlotId};
use serde_bytes::ByteBuf;

/// The slot of a phrase, if the ledger has it.
pub(super) fn slot_of(
    scope: VaultScope<'_>,
    secret: &SlotSecret,
    state: &LedgerState,
) -> Result<Option<SlotHold>> {
    let phrases = state.slots.values();
    for slot in phrases.filter(|slot| slot.kind == SlotKind::Recovery) {
        let keys = secret.derive_keys(scope, slot.id)?;
        if keys.public().as_bytes() == slot.sealing {
            let slot = slot.id;
            return Ok(Some(SlotHold { slot, keys }));
        }
    }
    Ok(None)
}

impl Client {
    /// Unlocks with the recovery phrase. A caller whom the account does not know yet (a new Internet
    /// Identity) joins it.
    ///
    /// # Errors
    /// [`ClientError::WrongPhrase`]; [`IntegrityError`] when the vault shows anything else than the
    /// account this phrase belongs to.
    pub async fn unlock_with_phrase(&self, phrase: &RecoveryPhrase) -> Result<Unlocked> {
        let (info, chain) = self.account_of_phrase(phrase).await?;
        let account = info.account;
        let opening = async {
            let ledger = self.load_ledger(&chain).await?;
            let hold = self.phrase_slot(phrase, &chain, &ledger)?;
            Unlocked::open(self, info, chain, ledger, hold).await
        };
        let opened = opening.await;
        self.explained(account, opened).await
    }

    /// Unlocks with the secret of a slot. What parameters it was made with are those of
    /// [`Self::offered_slots`].
    ///
    /// # Errors
    /// [`ClientError::NoAccount`], [`ClientError::NoSuchSlot`], [`ClientError::WrongSecret`];
    /// [`IntegrityError`] when the vault shows anything else than the account of this secret.
    pub async fn unlock_with_slot(&self, slot: SlotId, secret: &SlotSecret) -> Result<Unlocked> {
        let (info, chain, ledger) = self.shown().await?;
        self.open_slot(info, chain, ledger, slot, secret).await
    }

    /// Unlocks with a passphrase and the second secret its slot takes. Stretching blocks for as long
    /// as Argon2 takes.
    ///
    /// # Errors
    /// As [`Self::unlock_with_slot`]; [`ClientError::WrongSecret`] says no more than that passphrase
    /// and second secret do not open the slot together. [`ClientError::Passphrase`] if the slot takes
    /// another kind of second secret, or there is no memory. Parameters below the floor or above the
    /// ceiling are [`IntegrityError::Ledger`], before anything is computed.
    pub async fn unlock_with_passphrase(
        &self,
        slot: SlotId,
        passphrase: &Passphrase,
        second: &SecondSecret,
    ) -> Result<Unlocked> {
        let (info, chain, ledger) = self.shown().await?;
        let stored = ledger.state.slots.get(&slot);
        let stored = stored.ok_or(ClientError::NoSuchSlot)?;
        let Some(SlotParameters::Passphrase(parameters)) = &stored.parameters else {
            return Err(ClientError::Invalid {
                field: "slot",
                reason: "takes no passphrase",
            });
        };
        let scope = self.scope(info.account);
        let secret = passphrase.derive_secret(scope, slot, parameters, second)?;
        self.open_slot(info, chain, ledger, slot, &secret).await
    }

    /// The caller's account as far as it can be checked without a secret: its key chain, and the
    /// ledger folded under it. A slot's anchor says whether it is the right one.
    pub(super) async fn shown(&self) -> Result<(AccountInfo, KeyChain, Ledger)> {
        let info = self.account().await?.ok_or(ClientError::NoAccount)?;
        let chain = self.accept_chain(info.account, &info.chain).await?;
        let ledger = self.load_ledger(&chain).await;
        let ledger = self.explained(info.account, ledger).await?;
        Ok((info, chain, ledger))
    }

    async fn open_slot(
        &self,
        info: AccountInfo,
        chain: KeyChain,
        ledger: Ledger,
        slot: SlotId,
        secret: &SlotSecret,
    ) -> Result<Unlocked> {
        let keys = secret.derive_keys(self.scope(info.account), slot)?;
        let stored = ledger.state.slots.get(&slot);
        let stored = stored.ok_or(ClientError::NoSuchSlot)?;
        if stored.sealing != keys.public().as_bytes() {
            return Err(ClientError::WrongSecret);
        }
        let account = info.account;
        let opened = Unlocked::open(self, info, chain, ledger, SlotHold { slot, keys }).await;
        self.explained(account, opened).await
    }

    /// The account whose recovery key this is.
    pub(super) async fn find(&self, recovery: [u8; 32]) -> Result<Option<AccountId>> {
        let public = ByteBuf::from(recovery.to_vec());
        match self.query("account_find", (public,)).await {
            Err(ClientError::Vault(Error::NotFound)) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The account a phrase belongs to; the caller joins it if need be.
    pub(super) async fn account_of_phrase(
        &self,
        phrase: &RecoveryPhrase,
    ) -> Result<(AccountInfo, KeyChain)> {
        let recovery = phrase.derive_signing_key(self.vault_bytes());
        let info = match self.account().await? {
            Some(info) => info,
            None => {
                let found = self.find(recovery.public()).await?;
                let account = found.ok_or(ClientError::WrongPhrase)?;
                let info = self.join(account, &recovery).await?;
                if info.account != account {
                    return Err(IntegrityError::OtherAccount.into());
                }
                info
            }
        };
        let chain = self.accept_chain(info.account, &info.chain).await?;
        if current(&chain)?.link.recovery == recovery.public() {
            Ok((info, chain))
        } else {
            Err(ClientError::WrongPhrase)
        }
    }

    pub(super) async fn load_ledger(&self, chain: &KeyChain) -> Result<Ledger> {
        let mut ledger = Ledger::empty(chain);
        self.follow_ledger(chain.account(), chain, &mut ledger, |_, _| {})
            .await?;
        Ok(ledger)
    }

    fn phrase_slot(
        &self,
        phrase: &RecoveryPhrase,
        chain: &KeyChain,
        ledger: &Ledger,
    ) -> Result<SlotHold> {
        let scope = self.scope(chain.account());
        if let Some(hold) = slot_of(scope, &phrase.slot_secret(), &ledger.state)? {
            return Ok(hold);
        }
        // The chain names this phrase's recovery key, so its slot should be there.
        let mut slots = ledger.state.slots.values();
        let other = slots.rfind(|slot| slot.kind == SlotKind::Recovery);
        Err(match other {
            Some(slot) => IntegrityError::Slot { slot: slot.id }.into(),
            None => ClientError::WrongPhrase,
        })
    }
}
