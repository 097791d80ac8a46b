//! Feeds: followed from where this device left off, compared with what is certified, and with what a
//! list shows, so that a version withheld or an old one served is noticed. Must not open anything.

use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use minicbor::{Decode, Encode};
use salus_protocol::chain::{FeedEntry, FeedEvent, follow_feed};
use salus_protocol::{canonical, chain};
use salus_types::api::{FeedGet, FeedPage, Head};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId};
use std::collections::BTreeMap;

/// How often a replica may answer what is older than what was seen before it is said to lie: one that
/// merely lags catches up.
const LAGGING: usize = 4;

/// What a feed has told so far: newest version of each record that is there now. In the drop box
/// every waiting version stands for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct FeedView {
    #[n(0)]
    count: u64,
    #[n(1)]
    hash: Option<Hash>,
    /// Ascending by record and version.
    #[n(2)]
    there: BTreeMap<RecordId, BTreeMap<u32, Hash>>,
}

impl FeedView {
    pub(crate) fn head(&self) -> Head {
        match self.hash {
            Some(hash) => Head {
                count: self.count,
                hash,
            },
            None => chain::EMPTY,
        }
    }

    /// Takes what comes next in the feed of a compartment.
    pub(crate) fn take_all(&mut self, entries: &[FeedEntry], compartment: CompartmentId) {
        for entry in entries {
            self.take(entry, compartment == CompartmentId::DROP_BOX);
        }
    }

    fn take(&mut self, entry: &FeedEntry, drop_box: bool) {
        match entry.event {
            FeedEvent::Dropped => {
                let versions = self.there.entry(entry.record).or_default();
                versions.insert(entry.version, entry.statement);
            }
            FeedEvent::Adopted if !drop_box => self.newer(entry),
            FeedEvent::Added | FeedEvent::Amended | FeedEvent::MovedIn => self.newer(entry),
            FeedEvent::Adopted => {
                if let Some(versions) = self.there.get_mut(&entry.record) {
                    versions.remove(&entry.version);
                    if versions.is_empty() {
                        self.there.remove(&entry.record);
                    }
                }
            }
            FeedEvent::MovedOut | FeedEvent::Erased => {
                self.there.remove(&entry.record);
            }
        }
    }

    /// What is filed now, unless something newer is: an older version may be adopted late.
    fn newer(&mut self, entry: &FeedEntry) {
        let versions = self.there.entry(entry.record).or_default();
        if versions.keys().all(|known| *known <= entry.version) {
            versions.clear();
            versions.insert(entry.version, entry.statement);
        }
    }

    /// Compares what was listed with what the feed tells.
    pub(crate) fn check_list(
        &self,
        listed: &[(RecordId, u32, Hash)],
    ) -> std::result::Result<(), IntegrityError> {
        let mut missing: std::collections::BTreeSet<(RecordId, u32)> = self
            .there
            .iter()
            .flat_map(|(record, versions)| versions.keys().map(|v| (*record, *v)))
            .collect();
        for (record, version, statement) in listed {
            let told = self.there.get(record).and_then(|v| v.get(version));
            if told != Some(statement) {
                return Err(IntegrityError::NotInFeed { record: *record });
            }
            missing.remove(&(*record, *version));
        }
        match missing.first() {
            Some((record, _)) => Err(IntegrityError::Omitted { record: *record }),
            None => Ok(()),
        }
    }

    /// The newest version the feed tells of.
    pub(crate) fn newest(&self, record: &RecordId) -> Option<(u32, Hash)> {
        let (version, hash) = self.there.get(record)?.last_key_value()?;
        Some((*version, *hash))
    }
}

impl Client {
    /// Follows a feed from where this device left off.
    pub(crate) async fn feed(
        &self,
        owner: AccountId,
        grant: Option<GrantId>,
        compartment: CompartmentId,
    ) -> Result<FeedView> {
        let key = self.memory_key(&format!("feed-{compartment}"), &owner);
        let mut view = match self.memory().load(&key).await? {
            Some(bytes) => canonical::decode::<FeedView>(&bytes).unwrap_or_default(),
            None => FeedView::default(),
        };
        let chain = Chain::Feed(compartment);
        let known = view.count;
        let mut lagging = 0;
        loop {
            let get = FeedGet {
                owner,
                grant,
                compartment,
                from: view.count,
            };
            let page: FeedPage = self.query("feed_page", (get,)).await?;
            if page.head.count < view.count {
                // Another replica may be asked next, or this one may have caught up.
                lagging += 1;
                if lagging < LAGGING {
                    continue;
                }
                return Err(IntegrityError::RolledBack {
                    chain,
                    known: view.count,
                    seen: page.head.count,
                }
                .into());
            }
            let links = page.entries.iter().map(|e| e.as_slice());
            let (entries, head) = follow_feed(&view.head(), links)
                .map_err(|error| IntegrityError::Broken { chain, error })?;
            view.take_all(&entries, compartment);
            if head.count > 0 {
                view.count = head.count;
                view.hash = Some(head.hash);
            }
            if head.count >= page.head.count {
                if head != page.head {
                    return Err(IntegrityError::Forked {
                        chain,
                        at: known.min(head.count).saturating_sub(1),
                    }
                    .into());
                }
                return Ok(view);
            }
            if entries.is_empty() {
                return Err(IntegrityError::Malformed("an empty page of a feed").into());
            }
        }
    }

    async fn remember_feed(
        &self,
        owner: AccountId,
        compartment: CompartmentId,
        view: &FeedView,
    ) -> Result<()> {
        let key = self.memory_key(&format!("feed-{compartment}"), &owner);
        let enough = |known: &[u8]| {
            canonical::decode::<FeedView>(known).is_ok_and(|known| known.count > view.count)
        };
        self.remember_more(&key, &canonical::encode(view), enough)
            .await
    }

    /// Compares feeds with what is certified and remembers them. Says which have moved on since they
    /// were read.
    pub(crate) async fn certify_feeds(
        &self,
        owner: AccountId,
        genesis: Hash,
        feeds: &[(CompartmentId, FeedView)],
    ) -> Result<Vec<CompartmentId>> {
        let heads = self.heads(owner).await?;
        if heads.certified.genesis != genesis {
            return Err(IntegrityError::KeyChanged { account: owner }.into());
        }
        let mut moved = Vec::new();
        for (compartment, view) in feeds {
            let certified = heads
                .certified
                .feeds
                .get(compartment)
                .cloned()
                .unwrap_or(chain::EMPTY);
            if certified == view.head() {
                self.remember_feed(owner, *compartment, view).await?;
            } else {
                moved.push(*compartment);
            }
        }
        Ok(moved)
    }
}

/// What a list that does not fit its feed leads to: once more, since something may have been added
/// in between; then the defect.
pub(super) fn retriable(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Integrity(IntegrityError::Omitted { .. } | IntegrityError::NotInFeed { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, event: FeedEvent, record: u8, version: u32) -> FeedEntry {
        FeedEntry {
            seq,
            at: 0,
            event,
            record: RecordId([record; 16]),
            version,
            statement: Hash([version as u8; 32]),
        }
    }

    fn listed(record: u8, version: u32) -> (RecordId, u32, Hash) {
        (RecordId([record; 16]), version, Hash([version as u8; 32]))
    }

    #[test]
    fn a_list_must_be_exactly_what_the_feed_tells() {
        let mut view = FeedView::default();
        for e in [
            entry(0, FeedEvent::Added, 1, 1),
            entry(1, FeedEvent::Added, 2, 1),
            entry(2, FeedEvent::Amended, 1, 2),
            entry(3, FeedEvent::Added, 3, 1),
            entry(4, FeedEvent::Erased, 3, 1),
            entry(5, FeedEvent::Adopted, 1, 1),
        ] {
            view.take(&e, false);
        }
        let whole = [listed(1, 2), listed(2, 1)];
        assert_eq!(view.check_list(&whole), Ok(()));
        assert!(matches!(
            view.check_list(&whole[..1]),
            Err(IntegrityError::Omitted { record }) if record == RecordId([2; 16])
        ));
        assert!(matches!(
            view.check_list(&[listed(1, 1), listed(2, 1)]),
            Err(IntegrityError::NotInFeed { .. })
        ));
        assert!(matches!(
            view.check_list(&[listed(1, 2), listed(2, 1), listed(3, 1)]),
            Err(IntegrityError::NotInFeed { .. })
        ));
    }

    #[test]
    fn the_drop_box_tells_of_every_waiting_version() {
        let mut view = FeedView::default();
        view.take(&entry(0, FeedEvent::Dropped, 1, 1), true);
        view.take(&entry(1, FeedEvent::Dropped, 1, 2), true);
        assert_eq!(view.check_list(&[listed(1, 1), listed(1, 2)]), Ok(()));
        view.take(&entry(2, FeedEvent::Adopted, 1, 1), true);
        assert_eq!(view.check_list(&[listed(1, 2)]), Ok(()));
        view.take(&entry(3, FeedEvent::Adopted, 1, 2), true);
        assert_eq!(view.check_list(&[]), Ok(()));
    }
}
