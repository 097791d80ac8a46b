//! Ways to unlock: adding one, and removing some for good. Must not know where secrets come from.

use super::Unlocked;
use super::create::{NewSlot, make_slot};
use crate::error::{ClientError, Result};
use crate::keys::{Keys, open_epoch};
use salus_crypto::hierarchy::{Amk, EpochKey};
use salus_crypto::hpke::PublicKey;
use salus_crypto::slot::wrap_amk;
use salus_crypto::{VaultScope, note};
use salus_protocol::ledger::{
    Change, CompartmentRewrap, CompartmentState, EpochState, LedgerState, SlotKind, SlotParameters,
    SlotWrap, Wrap,
};
use salus_types::api::SlotUse;
use salus_types::{CompartmentId, SlotId, limits};

/// A way to unlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// Which.
    pub id: SlotId,
    /// How it is opened.
    pub kind: SlotKind,
    /// Its label; empty if it has none.
    pub label: String,
    /// What its secret is made with: a passkey's credential, how a passphrase is stretched and what
    /// it is combined with.
    pub parameters: Option<SlotParameters>,
    /// When it was last used, ms since 1970, within an hour, as the vault told at the last refresh.
    /// `None` if no client noted it. Nothing proves it; the audit trail has an entry for each time.
    pub last_used: Option<u64>,
    /// Whether it is the one this was unlocked with.
    pub in_use: bool,
}

impl Unlocked {
    /// Ways to unlock this account.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn slots(&self) -> Result<Vec<SlotInfo>> {
        self.with(|keys| {
            let slots = keys.ledger.state.slots.values().map(|slot| SlotInfo {
                id: slot.id,
                kind: slot.kind,
                label: keys
                    .open_note(|amk| note::open_slot_label(amk, self.scope(), slot.id, &slot.label))
                    .unwrap_or_default(),
                parameters: slot.parameters.clone(),
                last_used: self.last_used(slot.id),
                in_use: slot.id == keys.hold.slot,
            });
            Ok(slots.collect())
        })
    }

    fn last_used(&self, slot: SlotId) -> Option<u64> {
        let used = self.core.used.borrow();
        used.iter().find(|used| used.slot == slot).map(|u| u.at)
    }

    /// Notes in the account, and in its audit trail, that the slot in use opened it. At most once in an
    /// hour for each slot: before that nothing is called. Worth doing after every unlock, in the
    /// background: it is an update, and nothing depends on it.
    ///
    /// # Errors
    /// [`ClientError::Locked`] and the vault's.
    pub async fn note_use(&self) -> Result<()> {
        let slot = self.with(|keys| {
            let slot = keys.hold.slot;
            Ok(keys.ledger.state.slots.contains_key(&slot).then_some(slot))
        })?;
        // Removed, while one goes on with it.
        let Some(slot) = slot else {
            return Ok(());
        };
        let now = self.client.now();
        let recent = |at: u64| now.saturating_sub(at) < limits::SLOT_USE_MS;
        if self.last_used(slot).is_some_and(recent) {
            return Ok(());
        }
        let () = self.client.update("slot_used", (slot,)).await?;
        let mut used = self.core.used.borrow_mut();
        used.retain(|used| used.slot != slot);
        used.push(SlotUse { slot, at: now });
        Ok(())
    }

    /// Adds a way to unlock.
    ///
    /// # Errors
    /// [`ClientError::Locked`] and whatever an append may give.
    pub async fn add_slot(&self, new: &NewSlot) -> Result<()> {
        self.append(|keys| {
            let (slot, _) = make_slot(self.scope(), new, self.genesis(), &keys.amk)?;
            Ok((Change::AddSlot { slot }, Vec::new()))
        })
        .await
    }

    /// Removes ways to unlock by making a new account master key and sealing it to those that stay.
    /// What was lost with a device opens nothing that is sealed from now on. Whoever has its secret
    /// may know the identity keys: see [`Self::rotate_identity`]. If the slot in use is among them,
    /// one goes on until this locks, or another client makes the keys anew.
    ///
    /// # Errors
    /// [`ClientError::NoSuchSlot`]; [`ClientError::Invalid`] if no recovery phrase would stay; and
    /// whatever an append may give.
    pub async fn remove_slots(&self, removed: &[SlotId]) -> Result<()> {
        self.append(|keys| Ok((self.rekey(keys, removed)?, Vec::new())))
            .await?;
        self.reseal_profile().await
    }

    /// The operation that makes a new account master key for all slots but those.
    pub(crate) fn rekey(&self, keys: &Keys, removed: &[SlotId]) -> Result<Change> {
        let amk = Amk::generate(keys.amk.generation().saturating_add(1))?;
        let change = rekey(self.scope(), keys, &amk, removed)?;
        self.core.coming.replace(Some(amk));
        Ok(change)
    }
}

fn rekey(scope: VaultScope<'_>, keys: &Keys, amk: &Amk, removed: &[SlotId]) -> Result<Change> {
    let state = &keys.ledger.state;
    if removed.iter().any(|id| !state.slots.contains_key(id)) {
        return Err(ClientError::NoSuchSlot);
    }
    let staying = || state.slots.values().filter(|s| !removed.contains(&s.id));
    if !staying().any(|s| s.kind == SlotKind::Recovery) {
        return Err(ClientError::Invalid {
            field: "slots",
            reason: "a recovery phrase must stay",
        });
    }
    let mut slots = Vec::new();
    for slot in staying() {
        let public = PublicKey::from_bytes(&slot.sealing)?;
        slots.push(SlotWrap {
            slot: slot.id,
            wrap: wrap_amk(&public, scope, slot.id, amk)?,
        });
    }
    let mut bundle = keys.bundle.clone();
    bundle.retire_amk(keys.amk.clone());
    let mut compartments = Vec::new();
    for (id, compartment) in &state.compartments {
        let name = keys
            .open_note(|old| note::open_compartment_name(old, scope, *id, &compartment.name))
            .ok();
        let opens = |epoch, sealed: &EpochState| {
            let amks = bundle.earlier_amks.iter();
            open_epoch(scope, amks, state.generation, (*id, epoch), sealed).is_some()
        };
        let old = Old {
            state: compartment,
            name: name.as_deref(),
            keys: keys.epochs(id)?,
            newest: newest(state),
            opens: &opens,
        };
        compartments.push(rewrap(scope, amk, *id, &old)?);
    }
    Ok(Change::Rekey {
        generation: amk.generation(),
        removed: removed.to_vec(),
        slots,
        bundle: bundle.seal(amk, scope)?,
        compartments,
    })
}

/// How many epochs' keys a new account master key is put on, of all compartments together; keys of earlier
/// epochs stay under the one they are under, which the bundle keeps. So a new one always fits into an
/// operation, however many epochs there are.
const EPOCHS_SEALED: usize = 1024;

/// How many that is of each compartment.
pub(super) fn newest(state: &LedgerState) -> usize {
    (EPOCHS_SEALED / state.compartments.len().max(1)).max(1)
}

/// A compartment as it is under the account master key before.
pub(super) struct Old<'a> {
    pub(super) state: &'a CompartmentState,
    /// Its name, if it opens.
    pub(super) name: Option<&'a str>,
    /// Keys of its epochs, as far as they are known.
    pub(super) keys: &'a [Option<EpochKey>],
    /// How many of the newest are sealed anew.
    pub(super) newest: usize,
    /// Whether an epoch's key opens as it is, with what the new bundle keeps.
    pub(super) opens: &'a dyn Fn(u32, &EpochState) -> bool,
}

/// A compartment's name and keys under another account master key. Of what does not open nothing is
/// taken along: whoever made it could make it as large as the operation may be.
pub(super) fn rewrap(
    scope: VaultScope<'_>,
    amk: &Amk,
    id: CompartmentId,
    old: &Old<'_>,
) -> Result<CompartmentRewrap> {
    let count = old.state.epochs.len();
    let mut wraps = Vec::with_capacity(count);
    for (place, (epoch, state)) in (1u32..).zip(&old.state.epochs).enumerate() {
        let stays = count - place > old.newest && (old.opens)(epoch, state);
        wraps.push(Wrap(match old.keys.get(place) {
            Some(Some(key)) if !stays => key.wrap(amk, scope)?,
            _ => Vec::new(),
        }));
    }
    Ok(CompartmentRewrap {
        compartment: id,
        name: match old.name {
            Some(name) => note::seal_compartment_name(amk, scope, id, name)?,
            None => Vec::new(),
        },
        wraps,
    })
}
