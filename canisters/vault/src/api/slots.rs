//! When the ways to unlock were last used, as their owner's clients tell. Must not know what a slot
//! opens.

use crate::audit::Detail;
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::chain::AuditEvent;
use salus_types::{Error, Result, SlotId, limits};

/// Notes that the caller unlocked their account with a slot, in the audit trail too. Within an hour
/// of the last time it changes nothing, so that nobody fills the trail.
///
/// # Errors
/// [`Error::NotFound`] if the caller has no account, or it no such slot.
pub fn slot_used<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    slot: SlotId,
) -> Result<()> {
    vault.admit(call)?;
    let (mut owner, ownership) = vault.own(call)?;
    let slots = &mut owner.outline.slots;
    let state = slots.iter_mut().find(|state| state.id == slot);
    let state = state.ok_or(Error::NotFound)?;
    let noted = |used: u64| call.now.saturating_sub(used) < limits::SLOT_USE_MS;
    if state.used.is_some_and(noted) {
        return Ok(());
    }
    state.used = Some(call.now);
    vault.ensure_pseudonym(owner.number, owner.number)?;
    let permit = ownership.permit(AuditEvent::Unlocked);
    let detail = Detail {
        slot: Some(slot),
        ..Detail::default()
    };
    vault.record(&mut owner, permit, detail, call.now)?;
    vault.save(owner)
}
