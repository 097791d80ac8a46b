//! The new device's half: begins, offers its slot, shows the words, and unlocks with the slot once it
//! was added. Must not know where its slot's secret comes from.

use super::{PairingError, Words};
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::session::{Unlocked, ledger_kind};
use salus_crypto::slot::SlotSecret;
use salus_crypto::{random_id, random_salt};
use salus_protocol::pairing::{Answer, Offer, PairingCode, Transcript, kind_number};
use salus_types::api::{PairingAnswered, PairingOffer};
use salus_types::{AccountId, SlotId};
use serde_bytes::ByteBuf;

/// Codes tried before giving up: one of 2^40 is hardly ever in use.
const CODES: usize = 4;

/// A device that is being added to an account.
pub struct Joining {
    client: Client,
    code: PairingCode,
    expires: u64,
    answered: Option<PairingAnswered>,
    offered: Option<(Offer, SlotSecret)>,
    words: Option<Words>,
}

impl Client {
    /// Begins to add this device to an account by help of a device that is unlocked. The caller may
    /// be one the account does not know yet.
    ///
    /// # Errors
    /// The vault's: [`salus_types::Error::TooMany`] or [`salus_types::Error::Temporary`] if too many are under way.
    pub async fn pairing_begin(&self) -> Result<Joining> {
        let mut tried = 1;
        loop {
            let code = random_code()?;
            let begun = self.pairing_step("pairing_begin", code.number()).await;
            match begun {
                Err(ClientError::Pairing(PairingError::Used)) if tried < CODES => tried += 1,
                other => {
                    return Ok(Joining {
                        client: self.clone(),
                        code,
                        expires: self.pairing_ends(other?),
                        answered: None,
                        offered: None,
                        words: None,
                    });
                }
            }
        }
    }
}

fn random_code() -> Result<PairingCode> {
    loop {
        let [a, b, c, d, e, ..] = random_id()?;
        if let Some(code) = PairingCode::new(u64::from_be_bytes([0, 0, 0, a, b, c, d, e])) {
            return Ok(code);
        }
    }
}

impl Joining {
    /// What is typed, or scanned, on the device that is unlocked.
    pub const fn code(&self) -> PairingCode {
        self.code
    }

    /// Until when it has to be done, ms since 1970.
    pub const fn expires(&self) -> u64 {
        self.expires
    }

    /// The account of the device that answered, once one has; a browser's secret depends on it. The
    /// first answer counts.
    ///
    /// # Errors
    /// [`PairingError::Over`]; [`PairingError::OtherAccount`] if the caller has one already.
    pub async fn answered(&mut self) -> Result<Option<AccountId>> {
        if let Some(answered) = &self.answered {
            return Ok(Some(answered.account));
        }
        let view = self.client.pairing_view(self.code, self.expires).await?;
        let Some(answer) = view.and_then(|view| view.answer) else {
            return Ok(None);
        };
        let account = answer.account;
        match self.client.account().await? {
            Some(info) if info.account != account => {
                return Err(PairingError::OtherAccount.into());
            }
            _ => {}
        }
        self.answered = Some(answer);
        Ok(Some(account))
    }

    /// Offers the slot that this device will open. To be made once: what was offered stays offered.
    ///
    /// # Errors
    /// [`PairingError::TooEarly`] before an answer, [`PairingError::Used`] the second time,
    /// [`PairingError::Offer`] for a secret that is no device's, [`PairingError::Over`].
    pub async fn offer(&mut self, slot: SlotId, secret: SlotSecret) -> Result<()> {
        let Some(answered) = &self.answered else {
            return Err(PairingError::TooEarly.into());
        };
        if self.offered.is_some() {
            return Err(PairingError::Used.into());
        }
        let kind = ledger_kind(secret.kind());
        let number = kind_number(kind).ok_or(PairingError::Offer)?;
        let scope = self.client.scope(answered.account);
        let keys = secret.derive_keys(scope, slot)?;
        let offer = Offer {
            principal: self.client.caller().as_slice().to_vec(),
            slot,
            kind,
            sealing: keys.public().as_bytes().to_vec(),
            anchor: keys.seal_anchor(scope, slot, answered.genesis)?,
            nonce: random_salt()?,
        };
        let args = PairingOffer {
            code: self.code.number(),
            slot,
            kind: number,
            sealing: ByteBuf::from(offer.sealing.clone()),
            anchor: ByteBuf::from(offer.anchor.clone()),
            nonce: ByteBuf::from(offer.nonce.to_vec()),
        };
        self.offered = Some((offer, secret));
        self.client.pairing_step("pairing_offer", args).await
    }

    /// The words to compare, once the other device has opened its answer.
    ///
    /// # Errors
    /// [`PairingError::TooEarly`] before an offer; [`PairingError::Commitment`] if what opens the
    /// answer is not what the other device was bound by; [`PairingError::Over`].
    pub async fn words(&mut self) -> Result<Option<Words>> {
        if let Some(words) = self.words {
            return Ok(Some(words));
        }
        let (Some(answered), Some((offer, _))) = (&self.answered, &self.offered) else {
            return Err(PairingError::TooEarly.into());
        };
        let view = self.client.pairing_view(self.code, self.expires).await?;
        let Some(nonce) = view.and_then(|view| view.nonce) else {
            return Ok(None);
        };
        let nonce: &[u8] = &nonce;
        let answer = Answer {
            vault: self.client.vault_bytes().to_vec(),
            code: self.code.number(),
            account: answered.account,
            genesis: answered.genesis,
            nonce: nonce.try_into().map_err(|_| PairingError::Commitment)?,
        };
        if answer.commitment() != answered.commitment {
            return Err(PairingError::Commitment.into());
        }
        let words = Words::of(&Transcript {
            answer,
            offer: offer.clone(),
        });
        self.words = Some(words);
        Ok(Some(words))
    }

    /// Unlocks with the new slot, once the other device has added it; joins the caller to the account
    /// if need be. Only to be called after a person has seen the same words on both devices: before
    /// that, the account may be anybody's.
    ///
    /// # Errors
    /// [`PairingError::TooEarly`] before there are words, [`PairingError::Over`]; [`IntegrityError`]
    /// when what the vault shows is not the account that was agreed on.
    pub async fn unlocked(&mut self) -> Result<Option<Unlocked>> {
        let (Some(answered), Some((offer, secret)), Some(_)) =
            (&self.answered, &self.offered, self.words)
        else {
            return Err(PairingError::TooEarly.into());
        };
        let Some(view) = self.client.pairing_view(self.code, self.expires).await? else {
            return Ok(None);
        };
        if !view.finished {
            return Ok(None);
        }
        let (account, genesis) = (answered.account, answered.genesis);
        let known = match (self.client.account().await?, view.claim) {
            (None, Some(claim)) => self.client.claim(claim).await?,
            (None, None) => return Err(ClientError::NoAccount),
            (Some(info), _) => info,
        };
        if known.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let unlocked = self.client.unlock_with_slot(offer.slot, secret).await?;
        if unlocked.account() == account && unlocked.genesis() == genesis {
            Ok(Some(unlocked))
        } else {
            unlocked.lock();
            Err(IntegrityError::KeyChanged { account }.into())
        }
    }

    /// Ends it: the words differ, or the person gave up. What is over is ended already.
    ///
    /// # Errors
    /// The vault's, and none of them matters: it ends by itself.
    pub async fn end(self) -> Result<()> {
        let ended = self.client.pairing_step("pairing_end", self.code.number());
        match ended.await {
            Err(ClientError::Pairing(PairingError::NoSuchCode | PairingError::Over)) => Ok(()),
            other => other,
        }
    }
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Joining({})", self.code)
    }
}
