//! The ledger's folded state in memory, as a client keeps it. Must not know storage or secrets.

use super::check::{Effect, LedgerError, LedgerView, check};
use super::{GrantEntry, LedgerOp, Pin, Slot, SlotKind};
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
    /// was verified under `link`. Returns the head after it.
    ///
    /// # Errors
    /// Any [`LedgerError`]; the state is then unchanged. A checkpoint whose fingerprint is not this
    /// state's is [`LedgerError::Checkpoint`].
    pub fn apply(
        &mut self,
        head: &Head,
        link: &Hash,
        op: &LedgerOp,
        bytes: &[u8],
    ) -> Result<Head, LedgerError> {
        let effects = check(self, head, link, op)?;
        if let [Effect::Checkpoint(state)] = effects.as_slice()
            && *state != self.fingerprint()
        {
            return Err(LedgerError::Checkpoint);
        }
        for effect in effects {
            self.apply_effect(effect);
        }
        Ok(Head {
            count: head.count.saturating_add(1),
            hash: statement::hash_of::<LedgerOp>(bytes),
        })
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
                    });
                }
            }
            Effect::RewrapEpoch(id, epoch, wrap) => {
                let index = (epoch as usize).checked_sub(1);
                if let Some(compartment) = self.compartments.get_mut(&id)
                    && let Some(state) = index.and_then(|i| compartment.epochs.get_mut(i))
                {
                    state.wrap = wrap;
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
