//! The unlocked device's half: answers a code, shows the words, and adds the other device's slot once
//! a person has compared them. Must not know how the person was asked.

use super::{PairingError, Words};
use crate::error::{ClientError, Result};
use crate::session::Unlocked;
use candid::Principal;
use salus_crypto::hpke::PublicKey;
use salus_crypto::slot::wrap_amk;
use salus_crypto::{note, random_salt};
use salus_protocol::ledger::{Change, Slot};
use salus_protocol::pairing::{Answer, Offer, PairingCode, Transcript, offered_kind};
use salus_types::SlotId;
use salus_types::api::{PairingAnswer, PairingFinish, PairingOffer, PairingReveal, PairingView};
use serde_bytes::ByteBuf;

/// A new device that is being let in.
pub struct Approving {
    own: Unlocked,
    code: PairingCode,
    expires: u64,
    answer: Answer,
    /// The first offer that was seen: no other counts.
    offer: Option<Offer>,
    words: Option<Words>,
    joins: bool,
}

impl Unlocked {
    /// Answers the code that a new device shows.
    ///
    /// # Errors
    /// [`PairingError::NoSuchCode`], [`PairingError::Used`], [`PairingError::Over`],
    /// [`PairingError::OtherAccount`]; the vault's [`salus_types::Error::TooMany`] if the account has
    /// no room for another device.
    pub async fn pairing_answer(&self, code: PairingCode) -> Result<Approving> {
        if !self.is_unlocked() {
            return Err(ClientError::Locked);
        }
        let answer = Answer {
            vault: self.vault(),
            code: code.number(),
            account: self.account(),
            genesis: self.genesis(),
            nonce: random_salt()?,
        };
        let args = PairingAnswer {
            code: code.number(),
            commitment: answer.commitment(),
        };
        let client = self.client();
        let expires: u64 = client.pairing_step("pairing_answer", args).await?;
        Ok(Approving {
            own: self.clone(),
            code,
            expires: client.pairing_ends(expires),
            answer,
            offer: None,
            words: None,
            joins: true,
        })
    }
}

impl Approving {
    /// Which code was answered.
    pub const fn code(&self) -> PairingCode {
        self.code
    }

    /// Until when it has to be done, ms since 1970.
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The principal that the new device calls with, once there are words.
    pub fn principal(&self) -> Option<Principal> {
        let offer = self.offer.as_ref().filter(|_| self.words.is_some())?;
        Principal::try_from_slice(&offer.principal).ok()
    }

    /// Whether that principal is new to the account, and will be able to call for it.
    pub const fn joins(&self) -> bool {
        self.joins
    }

    /// The words to compare, once the new device has offered its slot.
    ///
    /// # Errors
    /// [`PairingError::Offer`] for what can be no slot of a device, [`PairingError::Over`].
    pub async fn words(&mut self) -> Result<Option<Words>> {
        if let Some(words) = self.words {
            return Ok(Some(words));
        }
        let client = self.own.client();
        if self.offer.is_none() {
            let view = client.pairing_view(self.code, self.expires).await?;
            let Some((view, offer)) = view.and_then(offered) else {
                return Ok(None);
            };
            let offer = checked(&view, offer)?;
            let known = client.account().await?.ok_or(ClientError::NoAccount)?;
            let principal = offer.principal.as_slice();
            self.joins = !known.principals.iter().any(|p| p.as_slice() == principal);
            // Nothing but this offer counts from here on: only now may the answer be opened.
            self.offer = Some(offer);
        }
        let Some(offer) = self.offer.clone() else {
            return Ok(None);
        };
        let reveal = PairingReveal {
            code: self.code.number(),
            nonce: ByteBuf::from(self.answer.nonce.to_vec()),
        };
        let () = client.pairing_step("pairing_reveal", reveal).await?;
        let words = Words::of(&Transcript {
            answer: self.answer.clone(),
            offer,
        });
        self.words = Some(words);
        Ok(Some(words))
    }

    /// Adds the new device's slot under a label for the owner, and lets its principal call for the
    /// account. Only to be called after a person has seen the same words on both devices. Calling it
    /// again after it failed goes on where it stopped.
    ///
    /// # Errors
    /// [`PairingError::TooEarly`] before there are words; whatever an append may give. After
    /// [`PairingError::Over`] the slot may have been added, which the list of slots tells.
    pub async fn approve(&self, label: &str) -> Result<()> {
        let (Some(offer), Some(_)) = (&self.offer, self.words) else {
            return Err(PairingError::TooEarly.into());
        };
        // Not for a device that has given up.
        let client = self.own.client();
        client.pairing_view(self.code, self.expires).await?;
        if !self.is_added(offer)? {
            let result = self.own.append(|keys| {
                let (scope, amk) = (self.own.scope(), &keys.amk);
                let public = PublicKey::from_bytes(&offer.sealing)?;
                let slot = Slot {
                    id: offer.slot,
                    kind: offer.kind,
                    sealing: offer.sealing.clone(),
                    anchor: offer.anchor.clone(),
                    wrap: wrap_amk(&public, scope, offer.slot, amk)?,
                    label: sealed_label(amk, scope, offer.slot, label)?,
                    parameters: None,
                };
                Ok((Change::AddSlot { slot }, Vec::new()))
            });
            result.await?;
        }
        let claim = match self.principal().filter(|_| self.joins) {
            Some(principal) => Some(self.own.authorise(principal)?),
            None => None,
        };
        let finish = PairingFinish {
            code: self.code.number(),
            claim,
        };
        client.pairing_step("pairing_finish", finish).await
    }

    fn is_added(&self, offer: &Offer) -> Result<bool> {
        self.own.with(|keys| {
            let known = keys.ledger.state.slots.get(&offer.slot);
            Ok(known.is_some_and(|slot| slot.sealing == offer.sealing))
        })
    }

    /// Ends it: the words differ, or the person gave up. The account's trail says so.
    ///
    /// # Errors
    /// The vault's, and none of them matters: it ends by itself.
    pub async fn refuse(self) -> Result<()> {
        let client = self.own.client();
        let ended = client.pairing_step("pairing_end", self.code.number());
        match ended.await {
            Err(ClientError::Pairing(PairingError::NoSuchCode | PairingError::Over)) => Ok(()),
            other => other,
        }
    }
}

fn offered(mut view: PairingView) -> Option<(PairingView, PairingOffer)> {
    let offer = view.offer.take()?;
    Some((view, offer))
}

/// What the vault shows as the new device's offer, if it can be one.
fn checked(view: &PairingView, offer: PairingOffer) -> Result<Offer> {
    let kind = offered_kind(offer.kind).ok_or(PairingError::Offer)?;
    PublicKey::from_bytes(&offer.sealing).map_err(|_| PairingError::Offer)?;
    let nonce: &[u8] = &offer.nonce;
    Ok(Offer {
        principal: view.principal.as_slice().to_vec(),
        slot: offer.slot,
        kind,
        nonce: nonce.try_into().map_err(|_| PairingError::Offer)?,
        sealing: offer.sealing.into_vec(),
        anchor: offer.anchor.into_vec(),
    })
}

fn sealed_label(
    amk: &salus_crypto::hierarchy::Amk,
    scope: salus_crypto::VaultScope<'_>,
    slot: SlotId,
    label: &str,
) -> Result<Vec<u8>> {
    if label.is_empty() {
        return Ok(Vec::new());
    }
    Ok(note::seal_slot_label(amk, scope, slot, label)?)
}

impl std::fmt::Debug for Approving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Approving({})", self.code)
    }
}
