//! Notifications. Must not remember which were seen: that is a preference of the person's.

use crate::error::{IntegrityError, Result};
use crate::session::Unlocked;
use salus_types::api::{InboxItem, InboxPage};

/// Notifications in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// From the number asked for on.
    pub items: Vec<InboxItem>,
    /// How many there are in all.
    pub count: u64,
}

impl Unlocked {
    /// Notifications from number `from` on. The vault's word: what they tell of is verified where it
    /// is looked at.
    ///
    /// # Errors
    /// [`IntegrityError::Malformed`] when numbers are missing.
    pub async fn inbox(&self, from: u64) -> Result<Inbox> {
        let mut items: Vec<InboxItem> = Vec::new();
        let mut next = from;
        loop {
            let page: InboxPage = self.client().query("inbox_page", (next,)).await?;
            let empty = page.items.is_empty();
            for item in page.items {
                if item.seq != next {
                    return Err(IntegrityError::Malformed("a notification is missing").into());
                }
                next = next.saturating_add(1);
                items.push(item);
            }
            if next >= page.count || empty {
                return Ok(Inbox {
                    items,
                    count: page.count,
                });
            }
        }
    }
}
