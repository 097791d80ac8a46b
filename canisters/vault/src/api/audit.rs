//! Reading an audit chain: in full for its owner, one's own entries for anyone who is in it.

use super::Room;
use crate::rows::{AuditRow, PseudonymRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEntry, entry_hash};
use salus_types::api::{AuditGet, AuditItem, AuditPage, Pseudonym};
use salus_types::{Error, Hash, Result, limits};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// Audit entries from a number on. Who is in the chain without owning it gets the entries that
/// concern them, and of the others the hashes, with which the chain still verifies.
///
/// # Errors
/// [`Error::NotFound`] for an unknown account and for who is not in its chain, alike.
pub fn audit_page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: AuditGet,
) -> Result<AuditPage> {
    let caller = vault.caller_number(call)?;
    let owner = vault.account_number(&args.owner)?.ok_or(Error::NotFound)?;
    let mine = vault
        .known_pseudonym(owner, caller)?
        .ok_or(Error::NotFound)?
        .pseudonym;
    let head = vault.account(owner)?.audit.head();
    let mut room = Room::new(usize::try_from(limits::PAGE_ITEMS).unwrap_or(1));
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    let from = AuditRow::key(owner, args.from);
    for found in vault.store.scan::<AuditRow>(AuditRow::prefix(owner), from) {
        let (_, AuditRow(bytes)) = found?;
        // Each entry may bring two names of about 100 bytes.
        if !room.takes(bytes.len() as u64 + 256) {
            break;
        }
        let entry: AuditEntry =
            minicbor::decode(&bytes).map_err(|_| Error::internal("audit entry"))?;
        let concerned = [entry.actor, entry.other];
        if caller == owner || concerned.contains(&Some(mine)) {
            let shown = concerned.into_iter().flatten();
            seen.extend(shown.filter(|name| caller == owner || *name == mine));
            entries.push(AuditItem::Entry(ByteBuf::from(bytes)));
        } else {
            entries.push(AuditItem::Hidden(entry_hash(&bytes)));
        }
    }
    let names = seen
        .into_iter()
        .map(|name| named(vault, owner, name))
        .collect::<Result<_>>()?;
    Ok(AuditPage {
        entries,
        names,
        head,
    })
}

fn named<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: u64,
    pseudonym: Hash,
) -> Result<Pseudonym> {
    let row: Option<PseudonymRow> = vault.store.get(&PseudonymRow::key(owner, &pseudonym))?;
    let row = row.ok_or_else(|| Error::internal("pseudonym"))?;
    let salt = vault.known_pseudonym(owner, row.number)?;
    let salt = salt.ok_or_else(|| Error::internal("salt"))?.salt;
    Ok(Pseudonym {
        pseudonym,
        account: row.account,
        salt: ByteBuf::from(salt.to_vec()),
    })
}
