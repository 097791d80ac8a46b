//! Notifications in plain view models, and which of them were seen. Must not verify what they tell of:
//! that happens where it is looked at.

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, from_platform};
use crate::people::People;
use crate::platform::store::{Shelf, Store};
use crate::views;
use futures::join;
use js_sys::Uint8Array;
use salus_client::{InboxItem, Notice, Unlocked};
use salus_messages::{Cursor, Event, Intent, Notification, NotificationKind, Page, Reply};
use wasm_bindgen::JsCast;

/// Notifications of a page.
const PAGE: usize = 50;

/// Carries out the intents about notifications.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    crate::session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    let store = task.engine.store().await?;
    match intent {
        Intent::Inbox { cursor } => page(&store, &unlocked, cursor).await,
        Intent::MarkSeen { up_to } => {
            let seen = seen(&store, &unlocked).await?.max(up_to.saturating_add(1));
            remember(&store, &unlocked, seen).await?;
            let unread = unread(&store, &unlocked).await?;
            task.engine.tell(Event::Unread(unread));
            Ok(Reply::Done.into())
        }
        _ => Err(misplaced()),
    }
}

fn seen_key(unlocked: &Unlocked) -> String {
    format!("seen/{}", unlocked.account())
}

/// How many notifications were seen, from the first on.
async fn seen(store: &Store, unlocked: &Unlocked) -> Outcome<u64> {
    let value = store
        .get(Shelf::Remembered, &seen_key(unlocked))
        .await
        .map_err(from_platform)?;
    let bytes = value.and_then(|v| v.dyn_into::<Uint8Array>().ok());
    Ok(bytes
        .and_then(|b| <[u8; 8]>::try_from(b.to_vec()).ok())
        .map_or(0, u64::from_be_bytes))
}

async fn remember(store: &Store, unlocked: &Unlocked, seen: u64) -> Outcome<()> {
    let bytes = Uint8Array::from(seen.to_be_bytes().as_slice());
    store
        .put(Shelf::Remembered, &seen_key(unlocked), &bytes)
        .await
        .map_err(from_platform)
}

/// Notifications not yet seen, of as many as there were when the account was last looked at.
pub(crate) async fn unread(store: &Store, unlocked: &Unlocked) -> Outcome<u32> {
    unread_of(store, unlocked, unlocked.inbox_count()).await
}

/// Notifications not yet seen, of `count`.
pub(crate) async fn unread_of(store: &Store, unlocked: &Unlocked, count: u64) -> Outcome<u32> {
    let seen = seen(store, unlocked).await?;
    Ok(u32::try_from(count.saturating_sub(seen)).unwrap_or(u32::MAX))
}

async fn page(store: &Store, unlocked: &Unlocked, cursor: Option<Cursor>) -> Outcome<Answer> {
    let from: usize = match cursor {
        Some(cursor) => views::parse("cursor", &cursor.0)?,
        None => 0,
    };
    let seen = seen(store, unlocked).await?;
    let (inbox, people) = join!(unlocked.inbox(0), People::of(unlocked));
    let inbox = inbox.map_err(from_client)?;
    let total = inbox.items.len();
    let items: Vec<_> = inbox
        .items
        .iter()
        .rev()
        .skip(from)
        .take(PAGE)
        .map(|item| notification(item, &people, seen))
        .collect();
    let end = from.saturating_add(items.len());
    Ok(Reply::Inbox(Page {
        items,
        next: (end < total).then(|| Cursor(end.to_string())),
        total: u32::try_from(total).ok(),
    })
    .into())
}

fn notification(item: &InboxItem, people: &People, seen: u64) -> Notification {
    let (kind, request, record) = match &item.notice {
        Notice::RequestReceived(id) => (NotificationKind::RequestReceived, Some(*id), None),
        Notice::RequestApproved(_) => (NotificationKind::RequestApproved, None, None),
        Notice::RequestDenied(id) => (NotificationKind::RequestDenied, Some(*id), None),
        Notice::GrantReceived(_) => (NotificationKind::GrantReceived, None, None),
        Notice::GrantRevoked(_) => (NotificationKind::GrantRevoked, None, None),
        Notice::VersionReceived(id) => (NotificationKind::RecordReceived, None, Some(*id)),
    };
    Notification {
        number: item.seq,
        at: item.at,
        kind,
        other: Some(people.find(item.from)),
        request: request.map(views::request),
        record: record.map(views::record),
        unread: item.seq >= seen,
    }
}
