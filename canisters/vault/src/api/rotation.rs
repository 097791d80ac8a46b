//! Rotating the identity keys: a key chain link and the ledger operation that goes with it.

use super::accounts::{check_link_size, link_row, refused_link};
use crate::ledger::RECOVERY_BYTES;
use crate::rows::{LinkRow, RecoveryRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::KeyChain;
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{Change, LedgerOp};
use salus_protocol::statement;
use salus_types::api::{Head, KeyRotate};
use salus_types::{Error, Result};

/// Appends a link, or one signed by the recovery key that overrides later ones, and the operation
/// that goes with it. The same call again answers the same.
///
/// # Errors
/// What is wrong with link or operation; [`Error::StaleHead`].
pub fn key_rotate<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: KeyRotate,
) -> Result<Head> {
    vault.admit(call)?;
    check_link_size(&args.link)?;
    let (mut owner, ownership) = vault.own(call)?;
    if vault.has_op(&owner, &args.op)? {
        return Ok(owner.account.ledger.head());
    }
    let op = statement::decode_for::<LedgerOp>(&args.op.statement, &vault.canister);
    if !matches!(
        op.map_err(crate::vault::refused)?.change,
        Change::Rotate { .. }
    ) {
        return Err(Error::invalid("op", "does not rotate the keys"));
    }
    let stored = vault.links(owner.number)?;
    let mut chain = KeyChain::verify(&stored, &vault.canister).map_err(refused_link)?;
    let place = chain
        .append(&args.link, &vault.canister)
        .map_err(refused_link)?;
    let current = chain
        .current()
        .ok_or_else(|| Error::internal("key chain"))?;
    if current.link.by == Authority::Identity {
        let caller = call.caller.as_slice();
        owner.account.check_held(caller, call.now)?;
    } else {
        owner.account.recovery_room = Some(owner.account.bytes.saturating_add(RECOVERY_BYTES));
        if let Some(claims) = &mut owner.account.claims {
            claims.release();
        }
    }
    let recovery_was = owner.account.recovery;
    if owner.account.signing != current.link.signing
        && let Some(claims) = &mut owner.account.claims
    {
        claims.renew();
    }
    owner.account.link = current.hash;
    owner.account.signing = current.link.signing;
    owner.account.recovery = current.link.recovery;
    let recovery_is = owner.account.recovery;
    let holder = vault.recovery_number(&recovery_is)?;
    if holder.is_some_and(|number| number != owner.number) {
        return Err(Error::Conflict {
            what: "recovery".into(),
        });
    }
    let before = owner.account.links;
    let place = u32::try_from(place).map_err(|_| Error::internal("key chain"))?;
    owner.account.links = place + 1;
    let checked = vault.check_op(&owner, &args.op, Vec::new(), call.now)?;

    if recovery_was != recovery_is {
        let old = RecoveryRow::key(&recovery_was);
        vault.store.remove::<RecoveryRow>(&old);
        let new = RecoveryRow::key(&recovery_is);
        vault.store.put(new, &RecoveryRow(owner.number));
    }
    for discarded in place..before {
        vault
            .store
            .remove::<LinkRow>(&LinkRow::key(owner.number, discarded));
    }
    vault
        .store
        .put(LinkRow::key(owner.number, place), &link_row(args.link));
    let head = vault.apply_op(&mut owner, &ownership, checked, &args.op, call.now)?;
    vault.save(owner)?;
    Ok(head)
}
