//! The keys of an unlocked account and what they are checked against. Everything secret here wipes
//! itself when dropped. Must not call the vault.

use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::Ledger;
use crate::people::current;
use salus_crypto::hierarchy::{Amk, EpochKey, IdentityBundle, IdentitySeeds};
use salus_crypto::slot::SlotKeys;
use salus_crypto::{OpenError, VaultScope};
use salus_protocol::KeyChain;
use salus_protocol::keychain::VerifiedLink;
use salus_protocol::ledger::{EpochState, LedgerState, Slot};
use salus_types::{AccountId, CompartmentId, Hash, SlotId};
use std::collections::BTreeMap;

/// The secret with which an account was unlocked.
#[derive(Clone)]
pub(crate) struct SlotHold {
    pub(crate) slot: SlotId,
    pub(crate) keys: SlotKeys,
}

/// Everything an unlocked account has in memory.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) account: AccountId,
    pub(crate) chain: KeyChain,
    pub(crate) ledger: Ledger,
    pub(crate) hold: SlotHold,
    pub(crate) amk: Amk,
    pub(crate) bundle: IdentityBundle,
    epochs: BTreeMap<CompartmentId, Vec<Option<EpochKey>>>,
}

/// Checks a slot against its secret's keys and opens the account master key.
pub(crate) fn open_slot(
    scope: VaultScope<'_>,
    hold: &SlotHold,
    genesis: Hash,
    state: &LedgerState,
) -> Result<Amk> {
    let slot = state.slots.get(&hold.slot).ok_or(ClientError::NoSuchSlot)?;
    let swapped = IntegrityError::Slot { slot: hold.slot };
    check_anchor(scope, hold, slot, genesis)?;
    hold.keys
        .unwrap_amk(scope, hold.slot, state.generation, &slot.wrap)
        .map_err(|_| swapped.into())
}

pub(crate) fn check_anchor(
    scope: VaultScope<'_>,
    hold: &SlotHold,
    slot: &Slot,
    genesis: Hash,
) -> Result<()> {
    let swapped = IntegrityError::Slot { slot: hold.slot };
    if hold.keys.public().as_bytes() != slot.sealing {
        return Err(swapped.into());
    }
    let anchor = hold
        .keys
        .open_anchor(scope, hold.slot, &slot.anchor)
        .map_err(|_| swapped)?;
    if anchor == genesis {
        Ok(())
    } else {
        Err(IntegrityError::KeyChanged {
            account: scope.account,
        }
        .into())
    }
}

/// Opens the key of an epoch with the account master key that the ledger names, if that is among these
/// and it is the key that the ledger names. `generation` is the one in force.
pub(crate) fn open_epoch<'a>(
    scope: VaultScope<'_>,
    amks: impl Iterator<Item = &'a Amk>,
    generation: u32,
    (compartment, epoch): (CompartmentId, u32),
    state: &EpochState,
) -> Option<EpochKey> {
    let generation = state.generation.unwrap_or(generation);
    let mut amks = amks.filter(|amk| amk.generation() == generation);
    amks.find_map(|amk| {
        let key = EpochKey::unwrap(amk, scope, compartment, epoch, &state.wrap).ok()?;
        (key.kid(scope) == state.kid).then_some(key)
    })
}

/// Whether seeds are those a link names.
pub(crate) fn seeds_fit(seeds: &IdentitySeeds, link: &VerifiedLink) -> bool {
    seeds.link == link.hash
        && seeds.signing.public() == link.link.signing
        && seeds
            .hpke
            .public()
            .is_ok_and(|p| p.as_bytes() == link.link.sealing)
}

/// Opens the identity bundle and compares its public keys with the key chain.
pub(crate) fn open_bundle(
    scope: VaultScope<'_>,
    amk: &Amk,
    chain: &KeyChain,
    sealed: &[u8],
) -> Result<IdentityBundle> {
    let bundle = IdentityBundle::open(amk, scope, sealed).map_err(|_| IntegrityError::Bundle)?;
    if seeds_fit(&bundle.current, current(chain)?) && earlier_fit(&bundle, chain) {
        Ok(bundle)
    } else {
        Err(IntegrityError::Bundle.into())
    }
}

/// Whether a bundle's earlier seeds are those that the chain names, as far as it does.
pub(crate) fn earlier_fit(bundle: &IdentityBundle, chain: &KeyChain) -> bool {
    bundle.earlier.iter().all(|seeds| {
        chain
            .link(&seeds.link)
            .is_none_or(|link| seeds_fit(seeds, link))
    })
}

impl Keys {
    /// Key chain → ledger → slot → account master key → bundle and epoch keys, each checked against
    /// the one before. `chain` and `ledger` were verified.
    pub(crate) fn open(
        scope: VaultScope<'_>,
        chain: KeyChain,
        ledger: Ledger,
        hold: SlotHold,
    ) -> Result<Self> {
        let amk = open_slot(scope, &hold, chain.genesis_fingerprint(), &ledger.state)?;
        let bundle = open_bundle(scope, &amk, &chain, &ledger.state.bundle)?;
        let mut keys = Self {
            account: scope.account,
            chain,
            ledger,
            hold,
            amk,
            bundle,
            epochs: BTreeMap::new(),
        };
        keys.open_epochs(scope);
        Ok(keys)
    }

    /// Opens the epoch keys that are not open yet. One that does not open, or is not the one the
    /// ledger names, stays shut and is refused where it is needed: whoever stole the identity key
    /// can sign such an operation, and must not keep the owner out of everything else.
    fn open_epochs(&mut self, scope: VaultScope<'_>) {
        let generation = self.ledger.state.generation;
        let mut epochs = BTreeMap::new();
        for (id, compartment) in &self.ledger.state.compartments {
            let known = self.epochs.remove(id).unwrap_or_default();
            let mut list: Vec<Option<EpochKey>> = Vec::with_capacity(compartment.epochs.len());
            for (epoch, state) in (1u32..).zip(&compartment.epochs) {
                let kept = known.get(list.len()).cloned().flatten();
                let fits = |key: &EpochKey| key.kid(scope) == state.kid;
                list.push(kept.filter(fits).or_else(|| {
                    let amks = std::iter::once(&self.amk).chain(&self.bundle.earlier_amks);
                    open_epoch(scope, amks, generation, (*id, epoch), state)
                }));
            }
            epochs.insert(*id, list);
        }
        self.epochs = epochs;
    }

    /// The same account after its chain or ledger moved on. `coming` is the account master key that
    /// this client was about to put in force: with it one goes on even where one's own slot was removed.
    pub(crate) fn advance(
        self,
        scope: VaultScope<'_>,
        chain: KeyChain,
        ledger: Ledger,
        coming: Option<&Amk>,
    ) -> Result<Self> {
        let state = &ledger.state;
        let amk = if state.generation == self.amk.generation() {
            self.amk
        } else if state.slots.contains_key(&self.hold.slot) {
            open_slot(scope, &self.hold, chain.genesis_fingerprint(), state)?
        } else {
            // Another's of the same generation opens nothing with it.
            coming
                .filter(|amk| amk.generation() == state.generation)
                .filter(|amk| IdentityBundle::open(amk, scope, &state.bundle).is_ok())
                .cloned()
                .ok_or(ClientError::NoSuchSlot)?
        };
        let bundle = if ledger.state.bundle == self.ledger.state.bundle && chain == self.chain {
            self.bundle
        } else {
            open_bundle(scope, &amk, &chain, &ledger.state.bundle)?
        };
        let mut keys = Self {
            account: self.account,
            chain,
            ledger,
            hold: self.hold,
            amk,
            bundle,
            epochs: self.epochs,
        };
        keys.open_epochs(scope);
        Ok(keys)
    }

    /// The link in force.
    pub(crate) fn link(&self) -> Result<&VerifiedLink> {
        current(&self.chain)
    }

    /// All epoch keys of a compartment, epoch 1 first; `None` for one that was replaced.
    pub(crate) fn epochs(&self, compartment: &CompartmentId) -> Result<&[Option<EpochKey>]> {
        self.epochs
            .get(compartment)
            .map(Vec::as_slice)
            .ok_or(ClientError::NotFound("compartment"))
    }

    /// Epoch keys of all compartments.
    pub(crate) const fn all_epochs(&self) -> &BTreeMap<CompartmentId, Vec<Option<EpochKey>>> {
        &self.epochs
    }

    /// The key of one epoch.
    pub(crate) fn epoch(&self, compartment: &CompartmentId, epoch: u32) -> Result<&EpochKey> {
        (epoch as usize)
            .checked_sub(1)
            .and_then(|i| self.epochs.get(compartment)?.get(i)?.as_ref())
            .ok_or_else(|| {
                IntegrityError::EpochKey {
                    compartment: *compartment,
                    epoch,
                }
                .into()
            })
    }

    /// The key new versions are filed under.
    pub(crate) fn newest_epoch(&self, compartment: &CompartmentId) -> Result<&EpochKey> {
        let count = self.epochs(compartment)?.len();
        self.epoch(compartment, u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Opens a note with the account master key it was sealed under, newest first.
    pub(crate) fn open_note<T>(
        &self,
        open: impl Fn(&Amk) -> std::result::Result<T, OpenError>,
    ) -> std::result::Result<T, OpenError> {
        let first = open(&self.amk);
        if first.is_ok() {
            return first;
        }
        self.bundle
            .earlier_amks
            .iter()
            .rev()
            .find_map(|amk| open(amk).ok())
            .map_or(first, Ok)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({}, secret)", self.account)
    }
}
