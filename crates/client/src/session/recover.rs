//! Taking an account back with the recovery phrase after someone stole its identity keys. Must not
//! trust anything that was signed after the theft.
//!
//! The ledger only grows, so what the owner sealed before is still in it, whatever a thief signed
//! since. From it come the keys; the recovery key overrides the thief's link; and if the thief put
//! other wraps in place, the account master key is made anew for the phrase alone.

use super::Unlocked;
use super::create::{NewSlot, make_slot, sign_link};
use super::slots::rewrap;
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::{SlotHold, open_slot, seeds_fit};
use crate::ledger::{Ledger, sign};
use salus_crypto::VaultScope;
use salus_crypto::hierarchy::{Amk, EpochKey, IdentityBundle, IdentitySeeds};
use salus_crypto::note;
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::sign::SigningKey;
use salus_crypto::slot::wrap_amk;
use salus_protocol::KeyChain;
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::ledger::{Change, LedgerOp, SlotKind, SlotWrap};
use salus_protocol::statement;
use salus_types::api::{Head, KeyRotate, LedgerAppend, Signed};
use salus_types::{CompartmentId, SlotId, limits};
use std::collections::BTreeMap;

/// The newest keys that were the owner's own, and everything they opened on the way.
struct Own {
    hold: SlotHold,
    amk: Amk,
    bundle: IdentityBundle,
    /// Place in the key chain of the link the bundle fits.
    index: u32,
}

#[derive(Default)]
struct Found {
    own: Option<Own>,
    epochs: BTreeMap<(CompartmentId, u32), EpochKey>,
    names: BTreeMap<CompartmentId, String>,
}

/// The account on its way back.
struct Rescue<'a> {
    client: &'a Client,
    chain: KeyChain,
    ledger: Ledger,
    signing: SigningKey,
}

impl Client {
    /// Makes new identity keys authorised by the recovery phrase, which override whatever was
    /// appended to the key chain after the last keys this phrase can open. Also joins the caller to
    /// the account if need be. Where someone replaced the account master key, it is made anew, and
    /// the phrase is the only way to unlock left. Grants a thief gave are listed like any other:
    /// revoke them next.
    ///
    /// # Errors
    /// [`ClientError::WrongPhrase`]; [`IntegrityError`] when the vault shows another account.
    pub async fn recover(&self, phrase: &RecoveryPhrase) -> Result<Unlocked> {
        let (info, chain) = self.account_of_phrase(phrase).await?;
        let scope = self.scope(info.account);
        let mut ledger = Ledger::empty(&chain);
        let mut found = Found::default();
        self.follow_ledger(info.account, &chain, &mut ledger, |_, after| {
            found.look(scope, phrase, &chain, after);
        })
        .await?;
        let Some(mut own) = found.own.take() else {
            return Err(IntegrityError::Bundle.into());
        };
        let intact = own.amk.generation() == ledger.state.generation
            && ledger.state.slots.contains_key(&own.hold.slot)
            && open_slot(scope, &own.hold, chain.genesis_fingerprint(), &ledger.state).is_ok();
        let amk = if intact {
            own.amk.clone()
        } else {
            own.bundle.retire_amk(own.amk.clone());
            Amk::generate(ledger.state.generation)?
        };
        let mut rescue = self
            .override_keys(phrase, chain, ledger, &mut own, &amk)
            .await?;
        if !intact {
            rescue.rekey(phrase, &mut own, &amk, &found).await?;
        }
        let info = self.account().await?.ok_or(ClientError::NoAccount)?;
        let chain = self.accept_chain(info.account, &info.chain).await?;
        if chain != rescue.chain {
            return Err(IntegrityError::KeyChanged {
                account: info.account,
            }
            .into());
        }
        // Folded again from operation 0, as every client will from now on.
        let ledger = self.load_ledger(&chain).await?;
        Unlocked::open(self, info, chain, ledger, own.hold).await
    }

    async fn override_keys(
        &self,
        phrase: &RecoveryPhrase,
        mut chain: KeyChain,
        ledger: Ledger,
        own: &mut Own,
        amk: &Amk,
    ) -> Result<Rescue<'_>> {
        let account = chain.account();
        // Nothing may discard a recovery-signed link: one of an earlier, unfinished recovery stays.
        let (_, last_recovery) = chain.pin();
        let keep = last_recovery.max(own.index as usize);
        let before = chain.links().get(keep).ok_or(IntegrityError::Bundle)?;
        let recovery = phrase.derive_signing_key(self.vault_bytes());
        let mut seeds = IdentitySeeds::generate()?;
        let link = KeyLink {
            vault: self.vault_bytes().to_vec(),
            account,
            index: before.link.index.saturating_add(1),
            previous: Some(before.hash),
            signing: seeds.signing.public(),
            sealing: seeds.hpke.public()?.as_bytes().to_vec(),
            recovery: recovery.public(),
            by: Authority::Recovery,
            at: self.now(),
        };
        let signed = sign_link(&link, &recovery, &seeds.signing);
        let hash = statement::hash_of::<KeyLink>(&signed.statement);
        seeds.link = hash;
        let signing = seeds.signing.clone();
        own.bundle.rotate(seeds);
        chain.append(&signed, self.vault_bytes())?;
        let mut rescue = Rescue {
            client: self,
            chain,
            ledger,
            signing,
        };
        let op = rescue.sign(Change::Rotate {
            link: hash,
            bundle: own.bundle.seal(amk, self.scope(account))?,
        })?;
        rescue.push(&op)?;
        let rotate = KeyRotate { link: signed, op };
        let head: Head = self.update("key_rotate", (rotate,)).await?;
        rescue.check(&head)?;
        Ok(rescue)
    }
}

impl Rescue<'_> {
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

    fn check(&self, head: &Head) -> Result<()> {
        if *head == self.ledger.head {
            Ok(())
        } else {
            Err(IntegrityError::LedgerKeys.into())
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
        let head: Head = self.client.update("ledger_append", (append,)).await?;
        self.check(&head)
    }

    /// Makes a new account master key for the phrase alone. `interim` is the one the bundle was just
    /// sealed under, which nobody else has.
    async fn rekey(
        &mut self,
        phrase: &RecoveryPhrase,
        own: &mut Own,
        interim: &Amk,
        found: &Found,
    ) -> Result<()> {
        let scope = self.client.scope(self.chain.account());
        let genesis = self.chain.genesis_fingerprint();
        let new = NewSlot::new(phrase.slot_secret(), "")?;
        let (slot, keys) = make_slot(scope, &new, genesis, interim)?;
        let id = slot.id;
        self.append(Change::AddSlot { slot }).await?;
        own.hold = SlotHold { slot: id, keys };
        let next = Amk::generate(interim.generation().saturating_add(1))?;
        let change = self.rekeyed(scope, own, &next, found, id)?;
        self.append(change).await
    }

    fn rekeyed(
        &self,
        scope: VaultScope<'_>,
        own: &Own,
        amk: &Amk,
        found: &Found,
        staying: SlotId,
    ) -> Result<Change> {
        let state = &self.ledger.state;
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
            compartments.push(rewrap(scope, amk, *id, compartment, name, &keys)?);
        }
        Ok(Change::Rekey {
            generation: amk.generation(),
            removed: state
                .slots
                .keys()
                .filter(|id| **id != staying)
                .copied()
                .collect(),
            slots: vec![SlotWrap {
                slot: staying,
                wrap: wrap_amk(own.hold.keys.public(), scope, staying, amk)?,
            }],
            bundle: own.bundle.seal(amk, scope)?,
            compartments,
        })
    }
}

impl Found {
    /// What the phrase opens in this state.
    fn look(
        &mut self,
        scope: VaultScope<'_>,
        phrase: &RecoveryPhrase,
        chain: &KeyChain,
        ledger: &Ledger,
    ) {
        let state = &ledger.state;
        let Some((hold, amk)) = self.open(scope, phrase, chain, ledger) else {
            return;
        };
        for (id, compartment) in &state.compartments {
            if let Ok(name) = note::open_compartment_name(&amk, scope, *id, &compartment.name) {
                self.names.insert(*id, name);
            }
            for (epoch, sealed) in (1u32..).zip(&compartment.epochs) {
                if self.epochs.contains_key(&(*id, epoch)) {
                    continue;
                }
                if let Ok(key) = EpochKey::unwrap(&amk, scope, *id, epoch, &sealed.wrap)
                    && key.kid(scope) == sealed.kid
                {
                    self.epochs.insert((*id, epoch), key);
                }
            }
        }
        if let Ok(bundle) = IdentityBundle::open(&amk, scope, &state.bundle)
            && let Some(link) = chain.link(&bundle.current.link)
            && seeds_fit(&bundle.current, link)
        {
            let index = link.link.index;
            self.own = Some(Own {
                hold,
                amk,
                bundle,
                index,
            });
        }
    }

    /// The account master key in force, if the phrase opens it. Tries what opened before first:
    /// deriving a slot's keys takes a moment, and the ledger may be long.
    fn open(
        &self,
        scope: VaultScope<'_>,
        phrase: &RecoveryPhrase,
        chain: &KeyChain,
        ledger: &Ledger,
    ) -> Option<(SlotHold, Amk)> {
        let state = &ledger.state;
        let genesis = chain.genesis_fingerprint();
        if let Some(own) = &self.own
            && state.slots.contains_key(&own.hold.slot)
        {
            let amk = open_slot(scope, &own.hold, genesis, state).ok()?;
            return Some((own.hold.clone(), amk));
        }
        let secret = phrase.slot_secret();
        let recovery = state
            .slots
            .values()
            .filter(|s| s.kind == SlotKind::Recovery);
        recovery.into_iter().find_map(|slot| {
            let hold = SlotHold {
                slot: slot.id,
                keys: secret.derive_keys(scope, slot.id).ok()?,
            };
            let amk = open_slot(scope, &hold, genesis, state).ok()?;
            Some((hold, amk))
        })
    }
}
