//! The ledger's folded state in memory, as a client keeps it. Must not know storage or secrets.

use super::check::{Effect, LedgerError, LedgerView, check};
use super::{Change, GrantEntry, LedgerOp, Pin, Slot, SlotKind};
use crate::canonical;
use crate::statement::{self, labelled_hash};
use minicbor::{Decode, Encode};
use salus_types::api::Head;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RequestId, SlotId};
use std::collections::BTreeMap;

/// A compartment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CompartmentState {
    /// Sealed name.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub name: Vec<u8>,
    /// Epochs, the first one first.
    #[n(1)]
    pub epochs: Vec<EpochState>,
}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochState {
    /// kid of its key.
    #[n(0)]
    pub kid: Hash,
    /// Its key, sealed under the account master key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
    /// The generation of that, where it is an earlier one.
    #[n(2)]
    pub generation: Option<u32>,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantState {
    /// Its newest entry.
    #[n(0)]
    pub entry: GrantEntry,
    /// Whether it was revoked.
    #[n(1)]
    pub revoked: bool,
}

/// The key links between which an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    /// The one in force before it.
    pub before: Hash,
    /// The one in force from it on: another where it rotates.
    pub in_force: Hash,
}

/// What applying an operation led to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Folded {
    /// The head after it.
    pub head: Head,
    /// It is a checkpoint that vouches for another state than this ledger folds to. Whoever stole the
    /// identity key can sign one, and the vault, which has no such state, cannot tell: it changes
    /// nothing, and nobody may go by the ledger until the recovery key has overruled whoever did.
    pub false_checkpoint: bool,
}

/// The state a ledger folds to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LedgerState {
    /// Generation of the account master key.
    #[n(0)]
    pub generation: u32,
    /// Identity bundle, sealed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bundle: Vec<u8>,
    /// Ways to unlock.
    #[n(2)]
    pub slots: BTreeMap<SlotId, Slot>,
    /// Compartments.
    #[n(3)]
    pub compartments: BTreeMap<CompartmentId, CompartmentState>,
    /// Grants, the revoked ones included.
    #[n(4)]
    pub grants: BTreeMap<GrantId, GrantState>,
    /// Counterparties' keys.
    #[n(5)]
    pub pins: BTreeMap<AccountId, Pin>,
    /// Requests decided: the grant given, or none if denied.
    #[n(6)]
    pub decisions: BTreeMap<RequestId, Option<GrantId>>,
}

impl LedgerView for LedgerState {
    fn generation(&self) -> u32 {
        self.generation
    }
    fn slots(&self) -> Vec<SlotId> {
        self.slots.keys().copied().collect()
    }
    fn slot_kind(&self, slot: &SlotId) -> Option<SlotKind> {
        self.slots.get(slot).map(|s| s.kind)
    }
    fn epoch(&self, compartment: &CompartmentId) -> Option<u32> {
        let epochs = &self.compartments.get(compartment)?.epochs;
        u32::try_from(epochs.len()).ok()
    }
    fn compartment_count(&self) -> u64 {
        self.compartments.len() as u64
    }
    fn compartments(&self) -> Vec<(CompartmentId, u32)> {
        self.compartments
            .keys()
            .filter_map(|c| Some((*c, self.epoch(c)?)))
            .collect()
    }
    fn grant(&self, grant: &GrantId) -> Option<(u32, AccountId, bool)> {
        let state = self.grants.get(grant)?;
        Some((state.entry.revision, state.entry.grantee, !state.revoked))
    }
    fn live_grants(&self) -> u64 {
        self.grants.values().filter(|g| !g.revoked).count() as u64
    }
    fn conveyed(&self, _: &GrantId) -> Option<Vec<CompartmentId>> {
        None
    }
    fn pinned(&self, account: &AccountId) -> Option<Hash> {
        let pin = self.pins.get(account)?;
        pin.by.map(|_| pin.genesis)
    }
    fn pin_count(&self) -> u64 {
        self.pins.values().filter(|pin| pin.by.is_some()).count() as u64
    }
}

impl LedgerState {
    /// SHA-256 over the canonical encoding of the state, labelled: what a checkpoint vouches for.
    pub fn fingerprint(&self) -> Hash {
        labelled_hash("salus/v1/ledger-state", &canonical::encode(self))
    }

    /// Checks the next operation and applies it. `bytes` is its canonical encoding, whose signature
    /// was verified under the link in force. A rotation to the link that was in force already is no
    /// rotation, though ledgers may hold one: it changes nothing.
    ///
    /// # Errors
    /// Any [`LedgerError`]; the state is then unchanged.
    pub fn apply(
        &mut self,
        head: &Head,
        links: &Links,
        op: &LedgerOp,
        bytes: &[u8],
    ) -> Result<Folded, LedgerError> {
        let effects = check(self, head, &links.in_force, op)?;
        let false_checkpoint = matches!(
            effects.as_slice(),
            [Effect::Checkpoint(state)] if *state != self.fingerprint()
        );
        let rotates = matches!(op.change, Change::Rotate { .. });
        if !rotates || links.before != links.in_force {
            for effect in effects {
                self.apply_effect(effect);
            }
        }
        let head = Head {
            count: head.count.saturating_add(1),
            hash: statement::hash_of::<LedgerOp>(bytes),
        };
        Ok(Folded {
            head,
            false_checkpoint,
        })
    }

    fn epoch_mut(&mut self, id: &CompartmentId, epoch: u32) -> Option<&mut EpochState> {
        let index = (epoch as usize).checked_sub(1)?;
        self.compartments.get_mut(id)?.epochs.get_mut(index)
    }

    fn apply_effect(&mut self, effect: Effect) {
        match effect {
            Effect::PutSlot(slot) => {
                self.slots.insert(slot.id, slot);
            }
            Effect::RewrapSlot(new) => {
                if let Some(slot) = self.slots.get_mut(&new.slot) {
                    slot.wrap = new.wrap;
                }
            }
            Effect::RemoveSlot(id) => {
                self.slots.remove(&id);
            }
            Effect::SetBundle { generation, bundle } => {
                self.generation = generation;
                self.bundle = bundle;
            }
            Effect::PutCompartment(new) => {
                let first = EpochState {
                    kid: new.kid,
                    wrap: new.wrap,
                    generation: None,
                };
                self.compartments.insert(
                    new.id,
                    CompartmentState {
                        name: new.name,
                        epochs: vec![first],
                    },
                );
            }
            Effect::SetName(id, name) => {
                if let Some(compartment) = self.compartments.get_mut(&id) {
                    compartment.name = name;
                }
            }
            Effect::PutEpoch(advance) => {
                if let Some(compartment) = self.compartments.get_mut(&advance.compartment) {
                    compartment.epochs.push(EpochState {
                        kid: advance.kid,
                        wrap: advance.wrap,
                        generation: None,
                    });
                }
            }
            Effect::RewrapEpoch(id, epoch, wrap) => {
                if let Some(state) = self.epoch_mut(&id, epoch) {
                    state.wrap = wrap;
                    state.generation = None;
                }
            }
            Effect::LeaveEpoch(id, epoch, before) => {
                if let Some(state) = self.epoch_mut(&id, epoch) {
                    state.generation.get_or_insert(before);
                }
            }
            Effect::PutGrant(entry) => {
                let state = GrantState {
                    entry,
                    revoked: false,
                };
                self.grants.insert(state.entry.id, state);
            }
            Effect::RevokeGrant(id) => {
                if let Some(grant) = self.grants.get_mut(&id) {
                    grant.revoked = true;
                }
            }
            Effect::ApproveRequest(request, grant) => {
                self.decisions.insert(request, Some(grant));
            }
            Effect::DenyRequest(request) => {
                self.decisions.insert(request, None);
            }
            Effect::SetPin(mut pin) => {
                // A grant does not undo that the two compared.
                pin.by = pin.by.or_else(|| self.pins.get(&pin.account)?.by);
                self.pins.insert(pin.account, pin);
            }
            Effect::Checkpoint(_) => {}
        }
    }
}
