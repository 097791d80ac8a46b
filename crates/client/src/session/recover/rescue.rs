//! The signing and sending of a recovery: the link that overrides, and the account master key made
//! anew. Must not know how the owner's keys were found, nor who is to stay.

use super::super::create::{NewSlot, make_slot, sign_link};
use super::super::slots::{Old, newest, rewrap};
use super::found::{Found, Own};
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::{SlotHold, check_anchor, open_epoch};
use crate::ledger::{Ledger, is_stale, sign};
use salus_crypto::VaultScope;
use salus_crypto::hierarchy::{Amk, EpochKey, IdentitySeeds};
use salus_crypto::hpke::PublicKey;
use salus_crypto::sign::SigningKey;
use salus_crypto::slot::{SlotSecret, wrap_amk};
use salus_protocol::KeyChain;
use salus_protocol::keychain::{Authority, KeyLink, LINKS};
use salus_protocol::ledger::{Change, EpochState, LedgerOp, SlotKind, SlotWrap};
use salus_protocol::statement;
use salus_types::api::{Head, KeyRotate, LedgerAppend, Signed};
use salus_types::{SlotId, limits};

/// The account on its way back.
pub(super) struct Rescue<'a> {
    pub(super) client: &'a Client,
    pub(super) chain: KeyChain,
    pub(super) ledger: Ledger,
    signing: SigningKey,
}

/// A wrap of a slot that goes again at once: there is nothing in it to open.
const NOTHING: [u8; 1] = [0];

/// Place of the last link that stays: that of the owner's newest keys. Nothing may discard a
/// recovery-signed link: one of an earlier, unfinished recovery stays. Where there is no place for another
/// link, since a thief who has the account master key too made as many that fit, that one is the last.
fn last_kept(chain: &KeyChain, own: u32) -> usize {
    let (_, last_recovery) = chain.pin();
    let keep = last_recovery.max(own as usize);
    if keep.saturating_add(1) < LINKS {
        keep
    } else {
        last_recovery
    }
}

impl<'a> Rescue<'a> {
    /// Makes new identity keys, authorised by the recovery key, and puts their bundle under `amk`. From then
    /// on `next` is the recovery key.
    pub(super) async fn begin(
        client: &'a Client,
        (recovery, next): (&SigningKey, [u8; 32]),
        mut chain: KeyChain,
        ledger: Ledger,
        own: &mut Own,
        amk: &Amk,
    ) -> Result<Self> {
        let account = chain.account();
        let keep = last_kept(&chain, own.index);
        let before = chain.links().get(keep).ok_or(IntegrityError::Bundle)?;
        let mut seeds = IdentitySeeds::generate()?;
        let link = KeyLink {
            vault: client.vault_bytes().to_vec(),
            account,
            index: before.link.index.saturating_add(1),
            previous: Some(before.hash),
            signing: seeds.signing.public(),
            sealing: seeds.hpke.public()?.as_bytes().to_vec(),
            recovery: next,
            by: Authority::Recovery,
            at: client.now(),
        };
        let signed = sign_link(&link, recovery, &seeds.signing);
        let hash = statement::hash_of::<KeyLink>(&signed.statement);
        seeds.link = hash;
        let signing = seeds.signing.clone();
        own.bundle.rotate(seeds);
        chain.append(&signed, client.vault_bytes())?;
        let mut rescue = Self {
            client,
            chain,
            ledger,
            signing,
        };
        let op = rescue.sign(Change::Rotate {
            link: hash,
            bundle: own.bundle.seal(amk, client.scope(account))?,
        })?;
        rescue.push(&op)?;
        let rotate = KeyRotate { link: signed, op };
        let answer: Result<Head> = client.update("key_rotate", (rotate,)).await;
        rescue.check(answer)?;
        Ok(rescue)
    }

    fn sign(&self, change: Change) -> Result<Signed> {
        let head = &self.ledger.head;
        let op = LedgerOp {
            vault: self.client.vault_bytes().to_vec(),
            account: self.chain.account(),
            seq: head.count,
            previous: (head.count > 0).then_some(head.hash),
            link: crate::people::current(&self.chain)?.hash,
            at: self.client.now(),
            change,
        };
        Ok(sign(&op, &self.signing))
    }

    fn push(&mut self, op: &Signed) -> Result<()> {
        let account = self.chain.account();
        self.ledger
            .push(op, self.client.vault_bytes(), account, &self.chain)?;
        Ok(())
    }

    fn check(&self, answer: Result<Head>) -> Result<()> {
        match answer {
            Ok(head) if head == self.ledger.head => Ok(()),
            Ok(_) => Err(IntegrityError::LedgerKeys.into()),
            Err(error) if is_stale(&error) => Err(ClientError::Conflict("the account")),
            Err(error) => Err(error),
        }
    }

    async fn append(&mut self, change: Change) -> Result<()> {
        let count = self.ledger.head.count;
        let due = count.is_multiple_of(limits::CHECKPOINT_EVERY);
        if due && !matches!(change, Change::Checkpoint { .. }) {
            let state = self.ledger.state.fingerprint();
            Box::pin(self.append(Change::Checkpoint { state })).await?;
        }
        let op = self.sign(change)?;
        self.push(&op)?;
        let append = LedgerAppend {
            op,
            grants: Vec::new(),
        };
        let answer = self.client.update("ledger_append", (append,)).await;
        self.check(answer)
    }

    /// Makes a new account master key for the phrase and the slots that are kept; all others end.
    /// `interim` is the one the bundle was just sealed under, which nobody else has.
    pub(super) async fn rekey(
        &mut self,
        secret: &SlotSecret,
        own: &mut Own,
        interim: &Amk,
        found: &Found,
        kept: &[SlotId],
    ) -> Result<()> {
        let scope = self.client.scope(self.chain.account());
        let mut before = interim.clone();
        if !self.has_slot(scope, &own.hold) {
            if self.ledger.state.slots.len() as u64 >= limits::SLOTS {
                before = self.make_room(scope, own, &before, found, kept).await?;
            }
            let new = NewSlot::new(secret.clone(), "")?;
            let genesis = self.chain.genesis_fingerprint();
            let (slot, keys) = make_slot(scope, &new, genesis, &before)?;
            let id = slot.id;
            self.append(Change::AddSlot { slot }).await?;
            own.hold = SlotHold { slot: id, keys };
        }
        let next = Amk::generate(before.generation().saturating_add(1))?;
        let mut wraps = vec![SlotWrap {
            slot: own.hold.slot,
            wrap: wrap_amk(own.hold.keys.public(), scope, own.hold.slot, &next)?,
        }];
        for id in kept.iter().filter(|id| **id != own.hold.slot) {
            let slot = self.ledger.state.slots.get(id);
            let slot = slot.ok_or(ClientError::NoSuchSlot)?;
            let public = PublicKey::from_bytes(&slot.sealing)?;
            wraps.push(SlotWrap {
                slot: *id,
                wrap: wrap_amk(&public, scope, *id, &next)?,
            });
        }
        let change = self.rekeyed(scope, own, &next, found, wraps)?;
        self.append(change).await
    }

    /// Whether the phrase's own slot stands as its owner made it.
    fn has_slot(&self, scope: VaultScope<'_>, hold: &SlotHold) -> bool {
        let slot = self.ledger.state.slots.get(&hold.slot);
        slot.is_some_and(|slot| {
            let genesis = self.chain.genesis_fingerprint();
            slot.kind == SlotKind::Recovery && check_anchor(scope, hold, slot, genesis).is_ok()
        })
    }

    /// Ends slots that took all the places there are. A recovery slot has to stay meanwhile, whoever
    /// made it: nothing is sealed to it.
    async fn make_room(
        &mut self,
        scope: VaultScope<'_>,
        own: &Own,
        interim: &Amk,
        found: &Found,
        kept: &[SlotId],
    ) -> Result<Amk> {
        let slots = self.ledger.state.slots.values();
        let mut recovery = slots.filter(|s| s.kind == SlotKind::Recovery);
        let meanwhile = recovery.next().map(|s| s.id);
        let staying = meanwhile.into_iter().chain(kept.iter().copied());
        let mut staying: Vec<SlotId> = staying.collect();
        staying.sort_unstable();
        staying.dedup();
        let wraps = staying.into_iter().map(|slot| SlotWrap {
            slot,
            wrap: NOTHING.to_vec(),
        });
        let next = Amk::generate(interim.generation().saturating_add(1))?;
        let change = self.rekeyed(scope, own, &next, found, wraps.collect())?;
        self.append(change).await?;
        Ok(next)
    }

    fn rekeyed(
        &self,
        scope: VaultScope<'_>,
        own: &Own,
        amk: &Amk,
        found: &Found,
        staying: Vec<SlotWrap>,
    ) -> Result<Change> {
        let state = &self.ledger.state;
        let generation = state.generation;
        let mut compartments = Vec::new();
        for (id, compartment) in &state.compartments {
            let keys: Vec<Option<EpochKey>> = (1u32..)
                .zip(&compartment.epochs)
                .map(|(epoch, state)| {
                    let key = found.epochs.get(&(*id, epoch))?;
                    (key.kid(scope) == state.kid).then(|| key.clone())
                })
                .collect();
            let name = found.names.get(id).map(String::as_str);
            let opens = |epoch, sealed: &EpochState| {
                let amks = own.bundle.earlier_amks.iter();
                open_epoch(scope, amks, generation, (*id, epoch), sealed).is_some()
            };
            let old = Old {
                state: compartment,
                name,
                keys: &keys,
                newest: newest(state),
                opens: &opens,
            };
            compartments.push(rewrap(scope, amk, *id, &old)?);
        }
        let stays = |id: &SlotId| staying.iter().any(|wrap| wrap.slot == *id);
        Ok(Change::Rekey {
            generation: amk.generation(),
            removed: state
                .slots
                .keys()
                .filter(|id| !stays(id))
                .copied()
                .collect(),
            slots: staying,
            bundle: own.bundle.seal(amk, scope)?,
            compartments,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_protocol::keychain::SEALING_KEY_BYTES;
    use salus_types::{AccountId, Hash};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    /// The next link after a place; the recovery key's if it is by that.
    fn link(chain: &KeyChain, before: usize, by: Authority) -> salus_types::api::SignedLink {
        let authority = key(if by == Authority::Recovery { 0 } else { 1 });
        let link = KeyLink {
            index: u32::try_from(before).unwrap() + 1,
            previous: Some(chain.links()[before].hash),
            by,
            ..chain.links()[0].link.clone()
        };
        sign_link(&link, &authority, &key(1))
    }

    #[test]
    fn a_chain_without_room_is_cut_at_the_last_recovery() {
        let genesis = KeyLink {
            vault: vec![7],
            account: AccountId([1; 16]),
            index: 0,
            previous: None::<Hash>,
            signing: key(1).public(),
            sealing: vec![9; SEALING_KEY_BYTES],
            recovery: key(0).public(),
            by: Authority::Recovery,
            at: 0,
        };
        let genesis = sign_link(&genesis, &key(0), &key(1));
        let mut chain = KeyChain::genesis(&genesis, &[7]).unwrap();
        for by in [Authority::Identity, Authority::Recovery] {
            let next = link(&chain, chain.links().len() - 1, by);
            chain.append(&next, &[7]).unwrap();
        }
        while chain.links().len() < LINKS {
            let own = chain.links().len() - 1;
            assert_eq!(last_kept(&chain, u32::try_from(own).unwrap()), own);
            assert_eq!(last_kept(&chain, 1), 2);
            let next = link(&chain, own, Authority::Identity);
            chain.append(&next, &[7]).unwrap();
        }
        let keep = last_kept(&chain, u32::try_from(LINKS - 1).unwrap());
        let next = link(&chain, keep, Authority::Recovery);
        assert_eq!(chain.append(&next, &[7]), Ok(3));
    }
}
