//! What the phrase opens in a ledger that a thief may have signed on: the newest keys that were the
//! owner's own. Must not decide what is done with them.

use crate::keys::{SlotHold, earlier_fit, open_epoch, open_slot, seeds_fit};
use crate::ledger::Ledger;
use salus_crypto::VaultScope;
use salus_crypto::hierarchy::{Amk, EpochKey, IdentityBundle};
use salus_crypto::note;
use salus_crypto::slot::SlotSecret;
use salus_protocol::KeyChain;
use salus_protocol::ledger::{Slot, SlotKind};
use salus_types::{CompartmentId, SlotId};
use std::collections::BTreeMap;

/// A bundle with which an account can be taken back: half of what the vault takes, so that there is room
/// for keys to come.
const BUNDLE_BYTES: usize = 128 << 10;

/// The newest keys that were the owner's own, and everything they opened on the way.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) hold: SlotHold,
    pub(super) amk: Amk,
    pub(super) bundle: IdentityBundle,
    /// Place in the key chain of the link the bundle fits.
    pub(super) index: u32,
    /// Public keys of the slots there were then.
    slots: BTreeMap<SlotId, Vec<u8>>,
}

impl Own {
    /// Whether a slot was there under these keys, and is the same still.
    pub(super) fn vouches_for(&self, slot: &Slot) -> bool {
        self.slots.get(&slot.id) == Some(&slot.sealing)
    }

    /// A slot's label, if these keys or earlier ones open it.
    pub(super) fn label(&self, scope: VaultScope<'_>, slot: &Slot) -> String {
        std::iter::once(&self.amk)
            .chain(self.bundle.earlier_amks.iter().rev())
            .find_map(|amk| note::open_slot_label(amk, scope, slot.id, &slot.label).ok())
            .unwrap_or_default()
    }
}

#[derive(Default)]
pub(super) struct Found {
    pub(super) own: Option<Own>,
    pub(super) epochs: BTreeMap<(CompartmentId, u32), EpochKey>,
    pub(super) names: BTreeMap<CompartmentId, String>,
}

impl Found {
    /// What the phrase opens in this state.
    pub(super) fn look(
        &mut self,
        scope: VaultScope<'_>,
        secret: &SlotSecret,
        chain: &KeyChain,
        ledger: &Ledger,
    ) {
        let state = &ledger.state;
        let Some((hold, amk)) = self.open(scope, secret, chain, ledger) else {
            return;
        };
        // Whoever has the account master key can make one that leaves no room for anything else.
        let bundle = IdentityBundle::open(&amk, scope, &state.bundle).ok();
        let bundle = bundle.filter(|_| state.bundle.len() <= BUNDLE_BYTES);
        let earlier = bundle.iter().flat_map(|bundle| &bundle.earlier_amks);
        for (id, compartment) in &state.compartments {
            if let Ok(name) = note::open_compartment_name(&amk, scope, *id, &compartment.name) {
                self.names.insert(*id, name);
            }
            for (epoch, sealed) in (1u32..).zip(&compartment.epochs) {
                if self.epochs.contains_key(&(*id, epoch)) {
                    continue;
                }
                let amks = std::iter::once(&amk).chain(earlier.clone());
                let key = open_epoch(scope, amks, state.generation, (*id, epoch), sealed);
                self.epochs.extend(key.map(|key| ((*id, epoch), key)));
            }
        }
        if let Some(bundle) = bundle
            && let Some(link) = chain.link(&bundle.current.link)
            && seeds_fit(&bundle.current, link)
            && earlier_fit(&bundle, chain)
        {
            let index = link.link.index;
            let slots = state.slots.values().map(|s| (s.id, s.sealing.clone()));
            self.own = Some(Own {
                hold,
                amk,
                bundle,
                index,
                slots: slots.collect(),
            });
        }
    }

    /// The account master key in force, if the phrase opens it. Tries what opened before first:
    /// deriving a slot's keys takes a moment, and the ledger may be long.
    fn open(
        &self,
        scope: VaultScope<'_>,
        secret: &SlotSecret,
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
