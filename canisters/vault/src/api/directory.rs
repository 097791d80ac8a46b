//! The directory: providers who chose to be found.

use super::{Room, items};
use crate::rows::{DirectoryRow, SettingsRow};
use crate::runtime::{Call, Runtime};
use crate::vault::{Vault, at_most, not_from_the_future, refused};
use candid::Principal;
use ic_stable_structures::Memory;
use salus_protocol::request::DirectoryEntry;
use salus_protocol::statement;
use salus_types::api::{DirectoryItem, DirectoryPage, Signed};
use salus_types::{Error, Result, limits};

/// Publishes the caller's entry, or replaces it. A name in the directory is a claim, not a proof.
///
/// # Errors
/// What is wrong with the statement.
pub fn provider_register<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    entry: Signed,
) -> Result<()> {
    vault.admit(call)?;
    at_most("statement", entry.statement.len(), limits::STATEMENT_BYTES)?;
    let number = vault.caller_number(call)?;
    let mut account = vault.account(number)?;
    let published: DirectoryEntry =
        statement::verify(&entry, &vault.canister, &account.signing).map_err(refused)?;
    if published.account != account.id || published.link != account.link {
        return Err(Error::invalid(
            "statement",
            "is about another account or key link",
        ));
    }
    not_from_the_future(published.at, call.now)?;
    for (field, text) in [
        ("name", &published.name),
        ("specialty", &published.specialty),
    ] {
        at_most(field, text.len(), limits::PUBLISHED_NAME_BYTES)?;
        if text.chars().any(char::is_control) {
            return Err(Error::invalid(field, "has control characters"));
        }
    }
    if published.name.trim().is_empty() {
        return Err(Error::invalid("name", "is empty"));
    }
    let seq = match account.directory {
        Some(seq) => seq,
        None => {
            let seq = vault.settings.directory;
            vault.settings.directory += 1;
            let settings = vault.settings.clone();
            vault.store.put(SettingsRow::key(), &settings);
            account.directory = Some(seq);
            vault.put_account(number, &account);
            seq
        }
    };
    let row = DirectoryRow {
        number,
        statement: entry.statement.into_vec(),
        signature: entry.signature.into_vec(),
    };
    vault.store.put(DirectoryRow::key(seq), &row);
    vault.settle();
    Ok(())
}

/// A provider by one of their principals.
///
/// # Errors
/// [`Error::NotFound`] for who is not in the directory, [`Error::Anonymous`].
pub fn directory_get<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    principal: Principal,
) -> Result<DirectoryItem> {
    if call.caller == Principal::anonymous() {
        return Err(Error::Anonymous);
    }
    let number = vault.principal_number(&principal)?.ok_or(Error::NotFound)?;
    if vault.account(number)?.directory.is_none() {
        return Err(Error::NotFound);
    }
    let counterparty = vault.counterparty(number)?;
    Ok(DirectoryItem {
        principal,
        counterparty,
    })
}

/// Providers in the order they registered.
///
/// # Errors
/// [`Error::Anonymous`].
pub fn directory_page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    cursor: Option<u64>,
) -> Result<DirectoryPage> {
    if call.caller == Principal::anonymous() {
        return Err(Error::Anonymous);
    }
    let mut room = Room::new(items(None));
    let mut page = DirectoryPage {
        items: Vec::new(),
        next: None,
    };
    let from = DirectoryRow::key(cursor.unwrap_or(0));
    for found in vault
        .store
        .scan::<DirectoryRow>(DirectoryRow::prefix(), from)
    {
        let (key, row) = found?;
        let counterparty = vault.counterparty(row.number)?;
        let chain: usize = counterparty
            .chain
            .iter()
            .map(|l| l.statement.len() + 160)
            .sum();
        if !room.takes((chain + row.statement.len() + 256) as u64) {
            page.next = DirectoryRow::seq(&key);
            break;
        }
        let account = vault.account(row.number)?;
        let principal = account
            .principals
            .first()
            .map(|p| p.to_vec())
            .unwrap_or_default();
        let principal =
            Principal::try_from_slice(&principal).map_err(|_| Error::internal("principal"))?;
        page.items.push(DirectoryItem {
            principal,
            counterparty,
        });
    }
    Ok(page)
}
