//! Invitations: one-time codes by which a patient lets someone ask.

use crate::audit::Detail;
use crate::rows::InvitationRow;
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::AuditEvent;
use salus_protocol::request::{Invitation, invitation_id};
use salus_protocol::statement;
use salus_types::api::{Counterparty, InvitationOpen, InvitationReceipt, Signed};
use salus_types::{Error, Result, limits};

/// Longest one-time code, in bytes.
pub(super) const CODE_BYTES: u64 = 64;

/// Makes an invitation: whoever has its code may see the caller's key chain, and ask once.
///
/// # Errors
/// [`Error::TooMany`], [`Error::Conflict`], what is wrong with the statement.
pub fn invitation_create<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    invitation: Signed,
) -> Result<InvitationReceipt> {
    vault.admit(call)?;
    at_most(
        "statement",
        invitation.statement.len(),
        limits::STATEMENT_BYTES,
    )?;
    let (mut owner, ownership) = vault.own(call)?;
    let made: Invitation =
        statement::verify(&invitation, &vault.canister, &owner.account.signing).map_err(refused)?;
    if made.account != owner.account.id || made.link != owner.account.link {
        return Err(Error::invalid(
            "statement",
            "is about another account or key link",
        ));
    }
    let receipt = InvitationReceipt {
        invitation: made.id,
        expires: made.expires,
    };
    let key = InvitationRow::key(owner.number, &made.id);
    if let Some(known) = vault.store.get::<InvitationRow>(&key)? {
        return if known.statement == *invitation.statement {
            Ok(receipt)
        } else {
            Err(Error::Conflict {
                what: "invitation".into(),
            })
        };
    }
    not_from_the_future(made.at, call.now)?;
    if made.expires <= call.now || made.expires > call.now + limits::INVITATION_LIFE_MS {
        return Err(Error::invalid(
            "expires",
            "is over already, or too far away",
        ));
    }
    if owner.account.open_invitations >= limits::OPEN_INVITATIONS {
        drop_spent(vault, &mut owner, call.now)?;
    }
    if owner.account.open_invitations >= limits::OPEN_INVITATIONS {
        let what = "invitations".into();
        return Err(Error::TooMany {
            what,
            limit: limits::OPEN_INVITATIONS,
        });
    }
    vault.ensure_pseudonym(owner.number, owner.number)?;
    owner.account.open_invitations += 1;
    let row = InvitationRow {
        expires: made.expires,
        used: None,
        statement: invitation.statement.into_vec(),
    };
    vault.store.put(key, &row);
    let subject = Some(statement::hash_of::<Invitation>(&row.statement));
    let detail = Detail {
        subject,
        ..Detail::default()
    };
    vault.record(
        &mut owner,
        ownership.permit(AuditEvent::Invited),
        detail,
        call.now,
    )?;
    vault.save(owner)?;
    Ok(receipt)
}

/// Forgets invitations that are over or used; there are never more than the limit.
fn drop_spent<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    now: u64,
) -> Result<()> {
    let prefix = InvitationRow::prefix(owner.number);
    let mut spent = Vec::new();
    for found in vault.store.scan::<InvitationRow>(prefix, prefix) {
        let (key, row) = found?;
        if row.expires <= now {
            spent.push((key, row.used.is_none()));
        }
    }
    for (key, was_open) in spent {
        vault.store.remove::<InvitationRow>(&key);
        let open = owner.account.open_invitations;
        owner.account.open_invitations = open.saturating_sub(u64::from(was_open));
    }
    vault.put_account(owner.number, &owner.account);
    // Whole in itself, whatever becomes of the call.
    vault.settle();
    Ok(())
}

/// Shows the key chain of whoever made an invitation.
///
/// # Errors
/// [`Error::NotFound`] for an unknown patient, a wrong or used code and one that is over, alike.
pub fn invitation_open<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: InvitationOpen,
) -> Result<Counterparty> {
    vault.caller_number(call)?;
    if args.code.len() as u64 > CODE_BYTES {
        return Err(Error::NotFound);
    }
    let id = invitation_id(&args.code);
    let patient = vault
        .principal_number(&args.patient)?
        .ok_or(Error::NotFound)?;
    let row: Option<InvitationRow> = vault.store.get(&InvitationRow::key(patient, &id))?;
    match row {
        Some(row) if row.used.is_none() && row.expires > call.now => vault.counterparty(patient),
        _ => Err(Error::NotFound),
    }
}
