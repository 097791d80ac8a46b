//! Grants as either side lists them.

use super::{Room, items, signed};
use crate::rows::{GrantGivenRow, GrantReceivedRow, GrantRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_types::api::{GrantPage, GrantStatus, GrantView};
use salus_types::{Error, GrantId, Result};
use serde_bytes::ByteBuf;

/// Grants that the caller gave, newest first.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn grant_list<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    cursor: Option<u64>,
) -> Result<GrantPage> {
    let permit = vault.may_read_own(call)?;
    let count = vault.account(permit.owner())?.grants_given;
    page(vault, count, cursor, true, call.now, |seq| {
        let key = GrantGivenRow::key(permit.owner(), seq);
        let row: Option<GrantGivenRow> = vault.store.get(&key)?;
        let row = row.ok_or_else(|| Error::internal("grants given"))?;
        Ok((permit.owner(), row.0))
    })
}

/// Grants that the caller received, newest first. Envelopes of those that are over are not shown.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn grant_received<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    cursor: Option<u64>,
) -> Result<GrantPage> {
    let permit = vault.may_read_own(call)?;
    let count = vault.account(permit.owner())?.grants_received;
    page(vault, count, cursor, false, call.now, |seq| {
        let key = GrantReceivedRow::key(permit.owner(), seq);
        let row: Option<GrantReceivedRow> = vault.store.get(&key)?;
        let row = row.ok_or_else(|| Error::internal("grants received"))?;
        Ok((row.owner, row.grant))
    })
}

fn page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    count: u64,
    cursor: Option<u64>,
    for_owner: bool,
    now: u64,
    at: impl Fn(u64) -> Result<(u64, GrantId)>,
) -> Result<GrantPage> {
    let mut room = Room::new(items(None));
    let mut page = GrantPage {
        items: Vec::new(),
        next: None,
    };
    for seq in (0..cursor.unwrap_or(count).min(count)).rev() {
        let (owner, id) = at(seq)?;
        let view = view(vault, owner, &id, for_owner, now)?;
        let chain: usize = view
            .counterparty
            .chain
            .iter()
            .map(|l| l.statement.len())
            .sum();
        let own = view.statement.statement.len() + view.envelope.len() + view.note.len();
        if !room.takes((own + chain + 512) as u64) {
            page.next = Some(seq + 1);
            break;
        }
        page.items.push(view);
    }
    Ok(page)
}

fn view<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: u64,
    id: &GrantId,
    for_owner: bool,
    now: u64,
) -> Result<GrantView> {
    let found: Option<(GrantRow, _)> = vault.grant(owner, id)?;
    let (row, grant) = found.ok_or_else(|| Error::internal("grant"))?;
    let live = row.revoked.is_none() && now < grant.expires;
    let (envelope, note) = if for_owner {
        (Vec::new(), vault.store.large_load(&row.note)?)
    } else if live {
        (vault.store.large_load(&row.envelope)?, Vec::new())
    } else {
        (Vec::new(), Vec::new())
    };
    let other = if for_owner { row.grantee } else { owner };
    Ok(GrantView {
        grant: *id,
        statement: signed(row.statement, row.signature),
        envelope: ByteBuf::from(envelope),
        note: ByteBuf::from(note),
        counterparty: vault.counterparty(other)?,
        status: match row.revoked {
            Some(at) => GrantStatus::Revoked(at),
            None => GrantStatus::Live,
        },
    })
}
