//! Notifications: numbered, polled, free of content.

use crate::rows::{InboxRow, NoticeRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_types::api::{InboxItem, InboxPage, Notice};
use salus_types::{Error, Result, limits};

/// The caller's notifications from a number on.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn inbox_page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    from: u64,
) -> Result<InboxPage> {
    let permit = vault.may_read_own(call)?;
    let count = vault.account(permit.owner())?.inbox;
    let prefix = InboxRow::prefix(permit.owner());
    let limit = usize::try_from(limits::PAGE_ITEMS).unwrap_or(1);
    let items = vault
        .store
        .scan::<InboxRow>(prefix, InboxRow::key(permit.owner(), from))
        .take(limit)
        .map(|found| {
            let (key, row) = found?;
            let seq = key.u64_at(9).ok_or_else(|| Error::internal("inbox"))?;
            Ok(InboxItem {
                seq,
                at: row.at,
                notice: notice(row.notice),
                from: row.from,
            })
        })
        .collect::<Result<_>>()?;
    Ok(InboxPage { items, count })
}

fn notice(row: NoticeRow) -> Notice {
    match row {
        NoticeRow::RequestReceived(id) => Notice::RequestReceived(id),
        NoticeRow::RequestApproved(id) => Notice::RequestApproved(id),
        NoticeRow::RequestDenied(id) => Notice::RequestDenied(id),
        NoticeRow::GrantReceived(id) => Notice::GrantReceived(id),
        NoticeRow::GrantRevoked(id) => Notice::GrantRevoked(id),
        NoticeRow::VersionReceived(id) => Notice::VersionReceived(id),
    }
}
