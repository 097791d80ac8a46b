//! The owner ledger: appending operations and reading them back.

use super::{Room, signed};
use crate::rows::OpRow;
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_types::api::{Head, LedgerAppend, LedgerPage};
use salus_types::{Error, Result, limits};

/// Appends an operation and carries it out. The same operation again answers the same. A rotation comes
/// with its key link, by [`super::key_rotate`].
///
/// # Errors
/// [`salus_types::Error::StaleHead`] if the ledger has moved on; what is wrong with operation or
/// grants.
pub fn ledger_append<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: LedgerAppend,
) -> Result<Head> {
    vault.admit(call)?;
    let (mut owner, ownership) = vault.own(call)?;
    if vault.has_op(&owner, &args.op)? {
        return Ok(owner.account.ledger.head());
    }
    owner.account.check_held(call.caller.as_slice(), call.now)?;
    let checked = vault.check_op(&owner, &args.op, args.grants, call.now)?;
    if checked.rotates() {
        return Err(Error::invalid("op", "needs a key link to rotate to"));
    }
    let head = vault.apply_op(&mut owner, &ownership, checked, &args.op, call.now)?;
    vault.save(owner)?;
    Ok(head)
}

/// The caller's own operations from a number on.
///
/// # Errors
/// [`salus_types::Error::NotFound`] if the caller has no account.
pub fn ledger_page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    from: u64,
) -> Result<LedgerPage> {
    let permit = vault.may_read_own(call)?;
    let head = vault.account(permit.owner())?.ledger.head();
    let mut room = Room::new(usize::try_from(limits::PAGE_ITEMS).unwrap_or(1));
    let mut ops = Vec::new();
    let prefix = OpRow::prefix(permit.owner());
    for found in vault
        .store
        .scan::<OpRow>(prefix, OpRow::key(permit.owner(), from))
    {
        let (_, row) = found?;
        if !room.takes(row.len + 128) {
            break;
        }
        ops.push(signed(
            vault.store.large_load(&row.statement)?,
            row.signature,
        ));
    }
    Ok(LedgerPage { ops, head })
}
