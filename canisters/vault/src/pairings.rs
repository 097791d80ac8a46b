//! Pairings the vault keeps: their rows, who is a party to one, and when they are forgotten. Must not
//! know what the parties say to each other.

use crate::rows::{PairingBegunRow, PairingExpiryRow, PairingRow, SettingsRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use candid::Principal;
use ic_stable_structures::Memory;
use salus_protocol::pairing::PairingCode;
use salus_types::api::{PairingAnswered, PairingOffer, PairingView, Signed};
use salus_types::{Error, Result};
use serde_bytes::ByteBuf;

/// Expired pairings dropped by one round of housekeeping, or before a new one is begun.
const DROPPED_PER_ROUND: usize = 16;

/// What is told of a pairing that is over.
pub(crate) fn over(at: u64) -> Error {
    Error::Expired {
        what: "pairing".into(),
        at,
    }
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// A pairing that is neither over nor ended.
    pub(crate) fn pairing(&self, call: &Call, code: PairingCode) -> Result<PairingRow> {
        let row: Option<PairingRow> = self.store.get(&PairingRow::key(code))?;
        let row = row.ok_or(Error::NotFound)?;
        match row.ended {
            Some(at) => Err(over(at)),
            None if row.expires <= call.now => Err(over(row.expires)),
            None => Ok(row),
        }
    }

    /// The number of the caller's account, if it is the one that answered.
    pub(crate) fn answerer(&self, call: &Call, row: &PairingRow) -> Result<Option<u64>> {
        let number = self.principal_number(&call.caller)?;
        Ok(number.filter(|number| row.answer.is_some_and(|answer| answer.owner == *number)))
    }

    /// Writes a step of a pairing.
    pub(crate) fn put_pairing(&mut self, code: PairingCode, row: &PairingRow) {
        self.store.put(PairingRow::key(code), row);
    }

    /// A pairing as its parties see it.
    pub(crate) fn pairing_view(&self, code: PairingCode, row: PairingRow) -> Result<PairingView> {
        let answer = match row.answer {
            None => None,
            Some(answer) => {
                let account = self.account(answer.owner)?;
                Some(PairingAnswered {
                    account: account.id,
                    genesis: account.genesis,
                    commitment: answer.commitment,
                })
            }
        };
        let finished = row.finish.is_some();
        let claim = row.finish.and_then(|finish| finish.claim);
        Ok(PairingView {
            expires: row.expires,
            ended: row.ended.is_some(),
            principal: Principal::try_from_slice(&row.beginner)
                .map_err(|_| Error::internal("pairing"))?,
            answer,
            offer: row.offer.map(|offer| PairingOffer {
                code: code.number(),
                slot: offer.slot,
                kind: offer.kind,
                sealing: ByteBuf::from(offer.sealing),
                anchor: ByteBuf::from(offer.anchor),
                nonce: ByteBuf::from(offer.nonce.to_vec()),
            }),
            nonce: row.nonce.map(|nonce| ByteBuf::from(nonce.to_vec())),
            finished,
            claim: claim.map(|claim| Signed {
                statement: ByteBuf::from(claim.statement),
                signature: ByteBuf::from(claim.signature),
            }),
        })
    }

    /// Begins to keep one.
    pub(crate) fn keep_pairing(&mut self, code: PairingCode, beginner: &[u8], expires: u64) {
        let row = PairingRow {
            beginner: beginner.to_vec(),
            expires,
            answer: None,
            offer: None,
            nonce: None,
            finish: None,
            ended: None,
        };
        self.put_pairing(code, &row);
        let begun = PairingBegunRow::key(beginner, code);
        self.store.put(begun, &PairingBegunRow);
        let expiry = PairingExpiryRow::key(expires, code);
        self.store.put(expiry, &PairingExpiryRow);
        let kept = self.settings.pairings.unwrap_or(0);
        self.count_pairings(kept.saturating_add(1));
    }

    /// Notes how many are kept.
    fn count_pairings(&mut self, count: u64) {
        self.settings.pairings = Some(count);
        let settings = self.settings.clone();
        self.store.put(SettingsRow::key(), &settings);
    }

    /// Forgets some of the pairings that are over; whether there may be more.
    pub(crate) fn drop_pairings(&mut self, now: u64) -> Result<bool> {
        let prefix = PairingExpiryRow::prefix();
        let expired: Vec<_> = self
            .store
            .keys::<PairingExpiryRow>(prefix, prefix)
            .map_while(|key| PairingExpiryRow::parse(&key).filter(|(expires, _)| *expires <= now))
            .take(DROPPED_PER_ROUND)
            .collect();
        if expired.is_empty() {
            return Ok(false);
        }
        for (expires, code) in &expired {
            let key = PairingRow::key(*code);
            if let Some(row) = self.store.get::<PairingRow>(&key)? {
                let begun = PairingBegunRow::key(&row.beginner, *code);
                self.store.remove::<PairingBegunRow>(&begun);
                self.store.remove::<PairingRow>(&key);
            }
            let expiry = PairingExpiryRow::key(*expires, *code);
            self.store.remove::<PairingExpiryRow>(&expiry);
        }
        let kept = self.settings.pairings.unwrap_or(0);
        self.count_pairings(kept.saturating_sub(expired.len() as u64));
        Ok(expired.len() == DROPPED_PER_ROUND)
    }
}
