//! Whether an operation may follow, and what it does. Must not apply anything: that is the view's
//! owner's.

use super::parameters::{ParametersError, check_parameters};
use super::{
    Change, EpochAdvance, GrantEntry, LedgerOp, NewCompartment, Pin, Slot, SlotKind, SlotWrap,
};
use crate::keychain::SEALING_KEY_BYTES;
use salus_types::api::Head;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RequestId, SlotId, limits};

/// The folded state, as far as the next check needs it.
pub trait LedgerView {
    /// Generation of the account master key; 0 before operation 0.
    fn generation(&self) -> u32;
    /// Slots, ascending.
    fn slots(&self) -> Vec<SlotId>;
    /// The kind of a slot.
    fn slot_kind(&self, slot: &SlotId) -> Option<SlotKind>;
    /// The current epoch of a compartment.
    fn epoch(&self, compartment: &CompartmentId) -> Option<u32>;
    /// Number of compartments.
    fn compartment_count(&self) -> u64;
    /// All compartments with their current epochs, ascending.
    fn compartments(&self) -> Vec<(CompartmentId, u32)>;
    /// A grant's revision, grantee, and whether it is live (not revoked).
    fn grant(&self, grant: &GrantId) -> Option<(u32, AccountId, bool)>;
    /// Number of live grants.
    fn live_grants(&self) -> u64;
    /// Whether a grant's envelope conveyed a compartment's epoch keys (to know what a revocation has
    /// to advance). A view that has not the grants' statements answers `None`.
    fn conveyed(&self, grant: &GrantId) -> Option<Vec<CompartmentId>>;
    /// The genesis fingerprint recorded of an account by [`Change::Pin`]; grants' pins do not count.
    fn pinned(&self, account: &AccountId) -> Option<Hash>;
    /// Number of accounts with such a record.
    fn pin_count(&self) -> u64;
}

/// One thing an operation does to the folded state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A slot is there.
    PutSlot(Slot),
    /// A slot's wrap is replaced.
    RewrapSlot(SlotWrap),
    /// A slot is gone.
    RemoveSlot(SlotId),
    /// Generation and sealed bundle.
    SetBundle {
        /// Generation of the account master key it is sealed under.
        generation: u32,
        /// Sealed bundle.
        bundle: Vec<u8>,
    },
    /// A compartment is there.
    PutCompartment(NewCompartment),
    /// A compartment's sealed name is replaced.
    SetName(CompartmentId, Vec<u8>),
    /// A compartment has another epoch.
    PutEpoch(EpochAdvance),
    /// A wrapped epoch key is replaced.
    RewrapEpoch(CompartmentId, u32, Vec<u8>),
    /// A wrapped epoch key stays as it is, though the account master key is another: its generation
    /// before.
    LeaveEpoch(CompartmentId, u32, u32),
    /// A grant is there, or has another revision.
    PutGrant(GrantEntry),
    /// A grant is revoked.
    RevokeGrant(GrantId),
    /// A request was approved.
    ApproveRequest(RequestId, GrantId),
    /// A request was denied.
    DenyRequest(RequestId),
    /// A counterparty's keys are pinned.
    SetPin(Pin),
    /// A checkpoint vouches for this state fingerprint.
    Checkpoint(Hash),
}

/// Why an operation may not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Sequence number or predecessor are not the head's.
    #[error("does not follow the head")]
    Stale,
    /// The key link it names is not the one in force.
    #[error("signed under a key link that is not in force")]
    Link,
    /// Operation 0 must be `Open`, and only it.
    #[error("an account is opened exactly once, by operation 0")]
    Open,
    /// A checkpoint is due here and only here.
    #[error(
        "a checkpoint or a rotation stands at every 256th operation, a checkpoint nowhere else"
    )]
    Checkpoint,
    /// Names something that is not there.
    #[error("{0}: unknown")]
    Unknown(&'static str),
    /// Adds something that is there already.
    #[error("{0}: already there")]
    Exists(&'static str),
    /// A number is not one more than before.
    #[error("{0}: out of sequence")]
    Sequence(&'static str),
    /// Leaves out something it must cover.
    #[error("{0}: incomplete")]
    Incomplete(&'static str),
    /// The last way of recovery would go.
    #[error("the recovery slot must stay")]
    Recovery,
    /// A field no account may have.
    #[error("{0}: malformed")]
    Malformed(&'static str),
    /// A grant names another genesis than the owner recorded of its grantee.
    #[error("other keys than those recorded of the grantee")]
    Pinned,
    /// More than allowed.
    #[error("{0}: too many")]
    TooMany(&'static str),
    /// A slot's parameters are not what its kind needs, too weak or too costly.
    #[error(transparent)]
    Parameters(#[from] ParametersError),
}

/// Checks that `op` may follow `head` in the state `view`, under the key link in force, and returns
/// what it does. Signature, vault, account and size are checked before.
///
/// # Errors
/// The first [`LedgerError`] that applies.
pub fn check(
    view: &impl LedgerView,
    head: &Head,
    link: &Hash,
    op: &LedgerOp,
) -> Result<Vec<Effect>, LedgerError> {
    let previous = (head.count > 0).then_some(head.hash);
    if op.seq != head.count || op.previous != previous {
        return Err(LedgerError::Stale);
    }
    if op.link != *link {
        return Err(LedgerError::Link);
    }
    if (op.seq == 0) != matches!(op.change, Change::Open { .. }) {
        return Err(LedgerError::Open);
    }
    let due = op.seq > 0 && op.seq.is_multiple_of(limits::CHECKPOINT_EVERY);
    // A rotation may stand there too: whoever stole the identity key could otherwise bring the
    // ledger to that point, refuse the checkpoint, and so keep the recovery key out.
    let fits = match op.change {
        Change::Checkpoint { .. } => due,
        Change::Rotate { .. } => true,
        _ => !due,
    };
    if !fits {
        return Err(LedgerError::Checkpoint);
    }
    match &op.change {
        Change::Open {
            slots,
            bundle,
            compartments,
        } => open(slots, bundle, compartments),
        Change::AddSlot { slot } => add_slot(view, slot),
        Change::Rekey { .. } => rekey(view, &op.change),
        Change::AddCompartment {
            compartment,
            reissues,
        } => {
            check_compartment(compartment)?;
            if view.epoch(&compartment.id).is_some() {
                return Err(LedgerError::Exists("compartment"));
            }
            if view.compartment_count() >= limits::COMPARTMENTS {
                return Err(LedgerError::TooMany("compartments"));
            }
            let mut effects = vec![Effect::PutCompartment(compartment.clone())];
            reissue(view, reissues, None, &mut effects)?;
            Ok(effects)
        }
        Change::RenameCompartment { compartment, name } => {
            view.epoch(compartment)
                .ok_or(LedgerError::Unknown("compartment"))?;
            note("name", name)?;
            Ok(vec![Effect::SetName(*compartment, name.clone())])
        }
        Change::Grant {
            grant,
            request,
            pin,
        } => {
            if view.grant(&grant.id).is_some() {
                return Err(LedgerError::Exists("grant"));
            }
            if grant.revision != 1 {
                return Err(LedgerError::Sequence("revision"));
            }
            if pin.account != grant.grantee || pin.by.is_some() {
                return Err(LedgerError::Malformed("pin"));
            }
            if view
                .pinned(&pin.account)
                .is_some_and(|known| known != pin.genesis)
            {
                return Err(LedgerError::Pinned);
            }
            if view.live_grants() >= limits::LIVE_GRANTS {
                return Err(LedgerError::TooMany("grants"));
            }
            let mut effects = vec![Effect::PutGrant(grant.clone()), Effect::SetPin(pin.clone())];
            if let Some(request) = request {
                effects.push(Effect::ApproveRequest(*request, grant.id));
            }
            Ok(effects)
        }
        Change::Reissue { reissues } => {
            let mut effects = Vec::new();
            reissue(view, reissues, None, &mut effects)?;
            Ok(effects)
        }
        Change::Revoke {
            grant,
            epochs,
            reissues,
        } => revoke(view, grant, epochs, reissues),
        Change::Deny { request } => Ok(vec![Effect::DenyRequest(*request)]),
        Change::Rotate {
            link: named,
            bundle,
        } => {
            if named != link {
                return Err(LedgerError::Link);
            }
            sealed("bundle", bundle)?;
            Ok(vec![Effect::SetBundle {
                generation: view.generation(),
                bundle: bundle.clone(),
            }])
        }
        Change::Checkpoint { state } => Ok(vec![Effect::Checkpoint(*state)]),
        Change::Advance { epochs, reissues } => {
            if epochs.is_empty() {
                return Err(LedgerError::Incomplete("epochs"));
            }
            let mut effects = Vec::new();
            advance(view, epochs, &mut effects)?;
            reissue(view, reissues, None, &mut effects)?;
            Ok(effects)
        }
        Change::Pin { pin } => {
            if pin.by.is_none() || pin.account == op.account {
                return Err(LedgerError::Malformed("pin"));
            }
            if view.pinned(&pin.account).is_none() && view.pin_count() >= limits::PINS {
                return Err(LedgerError::TooMany("pins"));
            }
            Ok(vec![Effect::SetPin(pin.clone())])
        }
    }
}

fn note(field: &'static str, bytes: &[u8]) -> Result<(), LedgerError> {
    if bytes.len() as u64 <= limits::NOTE_BYTES {
        Ok(())
    } else {
        Err(LedgerError::TooMany(field))
    }
}

fn sealed(field: &'static str, bytes: &[u8]) -> Result<(), LedgerError> {
    if bytes.is_empty() || bytes.len() as u64 > limits::LEDGER_OP_BYTES {
        Err(LedgerError::Malformed(field))
    } else {
        Ok(())
    }
}

fn check_slot(slot: &Slot) -> Result<(), LedgerError> {
    let key_ok = slot.sealing.len() == SEALING_KEY_BYTES
        && slot
            .sealing
            .last_chunk::<32>()
            .is_some_and(|x25519| x25519.iter().any(|b| *b != 0));
    if !key_ok {
        return Err(LedgerError::Malformed("slot key"));
    }
    sealed("slot wrap", &slot.wrap)?;
    sealed("slot anchor", &slot.anchor)?;
    note("slot wrap", &slot.wrap)?;
    note("slot anchor", &slot.anchor)?;
    note("slot label", &slot.label)?;
    check_parameters(slot.kind, slot.parameters.as_ref())?;
    Ok(())
}

fn check_compartment(compartment: &NewCompartment) -> Result<(), LedgerError> {
    if compartment.id == CompartmentId::DROP_BOX {
        return Err(LedgerError::Malformed("compartment"));
    }
    note("name", &compartment.name)?;
    sealed("epoch key", &compartment.wrap)?;
    note("epoch key", &compartment.wrap)
}

fn open(
    slots: &[Slot],
    bundle: &[u8],
    compartments: &[NewCompartment],
) -> Result<Vec<Effect>, LedgerError> {
    if slots.len() as u64 > limits::SLOTS {
        return Err(LedgerError::TooMany("slots"));
    }
    if compartments.len() as u64 > limits::COMPARTMENTS {
        return Err(LedgerError::TooMany("compartments"));
    }
    if !slots.iter().any(|s| s.kind == SlotKind::Recovery) {
        return Err(LedgerError::Recovery);
    }
    sealed("bundle", bundle)?;
    let mut effects = vec![Effect::SetBundle {
        generation: 1,
        bundle: bundle.to_vec(),
    }];
    for (i, slot) in slots.iter().enumerate() {
        check_slot(slot)?;
        if slots.iter().take(i).any(|s| s.id == slot.id) {
            return Err(LedgerError::Exists("slot"));
        }
        effects.push(Effect::PutSlot(slot.clone()));
    }
    for (i, compartment) in compartments.iter().enumerate() {
        check_compartment(compartment)?;
        if compartments.iter().take(i).any(|c| c.id == compartment.id) {
            return Err(LedgerError::Exists("compartment"));
        }
        effects.push(Effect::PutCompartment(compartment.clone()));
    }
    Ok(effects)
}

fn add_slot(view: &impl LedgerView, slot: &Slot) -> Result<Vec<Effect>, LedgerError> {
    check_slot(slot)?;
    if view.slot_kind(&slot.id).is_some() {
        return Err(LedgerError::Exists("slot"));
    }
    if view.slots().len() as u64 >= limits::SLOTS {
        return Err(LedgerError::TooMany("slots"));
    }
    Ok(vec![Effect::PutSlot(slot.clone())])
}

fn rekey(view: &impl LedgerView, change: &Change) -> Result<Vec<Effect>, LedgerError> {
    let Change::Rekey {
        generation,
        removed,
        slots,
        bundle,
        compartments,
    } = change
    else {
        return Err(LedgerError::Malformed("change"));
    };
    if view.generation().checked_add(1) != Some(*generation) {
        return Err(LedgerError::Sequence("generation"));
    }
    let present = view.slots();
    for (i, id) in removed.iter().enumerate() {
        if !present.contains(id) || removed.iter().take(i).any(|r| r == id) {
            return Err(LedgerError::Unknown("slot"));
        }
    }
    let mut staying: Vec<SlotId> = present
        .into_iter()
        .filter(|id| !removed.contains(id))
        .collect();
    let mut given: Vec<SlotId> = slots.iter().map(|s| s.slot).collect();
    staying.sort_unstable();
    given.sort_unstable();
    if staying != given {
        return Err(LedgerError::Incomplete("slots"));
    }
    if !staying
        .iter()
        .any(|id| view.slot_kind(id) == Some(SlotKind::Recovery))
    {
        return Err(LedgerError::Recovery);
    }
    sealed("bundle", bundle)?;
    let mut effects = vec![Effect::SetBundle {
        generation: *generation,
        bundle: bundle.clone(),
    }];
    effects.extend(removed.iter().map(|id| Effect::RemoveSlot(*id)));
    for wrap in slots {
        sealed("slot wrap", &wrap.wrap)?;
        note("slot wrap", &wrap.wrap)?;
        effects.push(Effect::RewrapSlot(wrap.clone()));
    }
    let expected = view.compartments();
    if expected.len() != compartments.len() {
        return Err(LedgerError::Incomplete("compartments"));
    }
    for ((id, epoch), rewrap) in expected.iter().zip(compartments) {
        if rewrap.compartment != *id || rewrap.wraps.len() as u64 != u64::from(*epoch) {
            return Err(LedgerError::Incomplete("compartments"));
        }
        note("name", &rewrap.name)?;
        effects.push(Effect::SetName(*id, rewrap.name.clone()));
        for (epoch, wrap) in (1u32..).zip(&rewrap.wraps) {
            note("epoch key", &wrap.0)?;
            effects.push(if wrap.0.is_empty() {
                Effect::LeaveEpoch(*id, epoch, view.generation())
            } else {
                Effect::RewrapEpoch(*id, epoch, wrap.0.clone())
            });
        }
    }
    Ok(effects)
}

fn reissue(
    view: &impl LedgerView,
    reissues: &[GrantEntry],
    revoked: Option<&GrantId>,
    effects: &mut Vec<Effect>,
) -> Result<(), LedgerError> {
    for (i, entry) in reissues.iter().enumerate() {
        let Some((revision, grantee, true)) = view.grant(&entry.id) else {
            return Err(LedgerError::Unknown("grant"));
        };
        if revoked == Some(&entry.id) || grantee != entry.grantee {
            return Err(LedgerError::Malformed("grant"));
        }
        if reissues.iter().take(i).any(|g| g.id == entry.id) {
            return Err(LedgerError::Exists("grant"));
        }
        if revision.checked_add(1) != Some(entry.revision) {
            return Err(LedgerError::Sequence("revision"));
        }
        effects.push(Effect::PutGrant(entry.clone()));
    }
    Ok(())
}

fn revoke(
    view: &impl LedgerView,
    grant: &GrantId,
    epochs: &[EpochAdvance],
    reissues: &[GrantEntry],
) -> Result<Vec<Effect>, LedgerError> {
    let Some((_, _, true)) = view.grant(grant) else {
        return Err(LedgerError::Unknown("grant"));
    };
    let mut effects = vec![Effect::RevokeGrant(*grant)];
    advance(view, epochs, &mut effects)?;
    if let Some(conveyed) = view.conveyed(grant)
        && !conveyed
            .iter()
            .all(|c| epochs.iter().any(|e| e.compartment == *c))
    {
        return Err(LedgerError::Incomplete("epochs"));
    }
    reissue(view, reissues, Some(grant), &mut effects)?;
    Ok(effects)
}

fn advance(
    view: &impl LedgerView,
    epochs: &[EpochAdvance],
    effects: &mut Vec<Effect>,
) -> Result<(), LedgerError> {
    for (i, advance) in epochs.iter().enumerate() {
        let current = view
            .epoch(&advance.compartment)
            .ok_or(LedgerError::Unknown("compartment"))?;
        if current.checked_add(1) != Some(advance.epoch) {
            return Err(LedgerError::Sequence("epoch"));
        }
        if epochs
            .iter()
            .take(i)
            .any(|e| e.compartment == advance.compartment)
        {
            return Err(LedgerError::Exists("epoch"));
        }
        sealed("epoch key", &advance.wrap)?;
        note("epoch key", &advance.wrap)?;
        effects.push(Effect::PutEpoch(advance.clone()));
    }
    Ok(())
}
