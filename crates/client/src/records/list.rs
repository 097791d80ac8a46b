//! Lists of one's own records, complete: compared with the certified feeds. Must not open contents.

use super::feed::retriable;
use super::read::Authors;
use super::{FeedView, RecordItem, check_view};
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::session::Unlocked;
use futures::future::try_join_all;
use salus_types::api::{Filed, RecordGet, RecordList, RecordPage, VersionView};
use salus_types::{CompartmentId, RecordId};

/// How often a list is read again because something was added meanwhile.
const ROUNDS: usize = 4;

impl Unlocked {
    /// The newest version of every record in a compartment, in the order they were filed.
    ///
    /// # Errors
    /// [`IntegrityError`] when one is withheld, older than the feed tells, or not what its author
    /// signed.
    pub async fn records(&self, compartment: CompartmentId) -> Result<Vec<RecordItem>> {
        self.with(|keys| keys.epochs(&compartment).map(drop))?;
        let lists = self.lists(vec![compartment]).await?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// What waits in the drop box.
    ///
    /// # Errors
    /// As [`Self::records`].
    pub async fn drop_box(&self) -> Result<Vec<RecordItem>> {
        let lists = self.lists(vec![CompartmentId::DROP_BOX]).await?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// The newest version of every record in every compartment, and what waits in the drop box, with
    /// one certificate for all.
    ///
    /// # Errors
    /// As [`Self::records`].
    pub async fn all_records(&self) -> Result<Vec<RecordItem>> {
        let mut wanted: Vec<CompartmentId> =
            self.with(|keys| Ok(keys.ledger.state.compartments.keys().copied().collect()))?;
        wanted.push(CompartmentId::DROP_BOX);
        let lists = self.lists(wanted).await?;
        Ok(lists.into_iter().flatten().collect())
    }

    async fn lists(&self, wanted: Vec<CompartmentId>) -> Result<Vec<Vec<RecordItem>>> {
        self.certified(wanted, |compartment| async move {
            let (views, feed) = self.complete(compartment).await?;
            let mut authors = Authors::default();
            let mut items = Vec::with_capacity(views.len());
            for view in &views {
                let (item, _, _) = match self.own_item(&mut authors, view).await {
                    // Filed under an epoch another browser made: follow, and look again.
                    Err(ClientError::Integrity(IntegrityError::EpochKey { .. })) => {
                        self.refresh().await?;
                        self.own_item(&mut authors, view).await?
                    }
                    other => other?,
                };
                items.push(item);
            }
            Ok((items, feed))
        })
        .await
    }

    /// What `read` makes of each compartment, once all their feeds are the certified ones.
    pub(super) async fn certified<T, F>(
        &self,
        wanted: Vec<CompartmentId>,
        read: impl Fn(CompartmentId) -> F,
    ) -> Result<Vec<T>>
    where
        F: Future<Output = Result<(T, FeedView)>>,
    {
        let lists = self.certified_once(wanted, read).await;
        self.client().explained(self.account(), lists).await
    }

    async fn certified_once<T, F>(
        &self,
        wanted: Vec<CompartmentId>,
        read: impl Fn(CompartmentId) -> F,
    ) -> Result<Vec<T>>
    where
        F: Future<Output = Result<(T, FeedView)>>,
    {
        let mut out = Vec::new();
        let mut open = wanted;
        for _ in 0..ROUNDS {
            let lists = open.iter().map(|compartment| {
                let list = read(*compartment);
                async move {
                    let (list, feed) = list.await?;
                    Ok::<_, ClientError>((*compartment, list, feed))
                }
            });
            let mut feeds = Vec::new();
            // Side by side: on the public network every answer takes a while.
            for (compartment, list, feed) in try_join_all(lists).await? {
                feeds.push((compartment, feed));
                out.retain(|(id, _)| *id != compartment);
                out.push((compartment, list));
            }
            open = self
                .client()
                .certify_feeds(self.account(), self.genesis(), &feeds)
                .await?;
            if open.is_empty() {
                return Ok(out.into_iter().map(|(_, list)| list).collect());
            }
        }
        Err(match open.first() {
            Some(id) => IntegrityError::NotCertified {
                chain: Chain::Feed(*id),
            }
            .into(),
            None => ClientError::Conflict("records"),
        })
    }

    /// The newest version of every record in a compartment, exactly as its feed tells.
    pub(super) async fn complete(
        &self,
        compartment: CompartmentId,
    ) -> Result<(Vec<VersionView>, FeedView)> {
        let mut rounds = ROUNDS;
        loop {
            let views = self.views(compartment).await?;
            let feed = self
                .client()
                .feed(self.account(), None, compartment)
                .await?;
            let mut listed = Vec::with_capacity(views.len());
            for view in &views {
                check_place(view, compartment)?;
                let shown = check_view(view, self.client().vault_bytes(), self.account())?;
                listed.push((view.record, view.version, shown.statement));
            }
            match feed.check_list(&listed) {
                Ok(()) => return Ok((views, feed)),
                Err(error) => {
                    let error = ClientError::from(error);
                    rounds -= 1;
                    if rounds == 0 || !retriable(&error) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// What the vault shows of a compartment or the drop box.
    pub(crate) async fn views(&self, compartment: CompartmentId) -> Result<Vec<VersionView>> {
        let mut views: Vec<VersionView> = Vec::new();
        let mut cursor = None;
        loop {
            let list = RecordList {
                compartment,
                cursor,
                limit: None,
            };
            let page: RecordPage = self.client().query("record_list", (list,)).await?;
            let empty = page.items.is_empty();
            views.extend(page.items);
            if page.next.is_none() {
                return Ok(views);
            }
            if empty || page.next == cursor {
                return Err(IntegrityError::Malformed("a page that leads nowhere").into());
            }
            cursor = page.next;
        }
    }

    /// All versions of a record of one's own, newest first, each following the one before.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; as [`Self::records`].
    pub async fn history(&self, record: RecordId) -> Result<Vec<RecordItem>> {
        let mut rounds = ROUNDS;
        let history = loop {
            rounds -= 1;
            match self.history_once(record).await {
                Err(error) if rounds > 0 && retriable(&error) => {}
                other => break other,
            }
        };
        self.client().explained(self.account(), history).await
    }

    async fn history_once(&self, record: RecordId) -> Result<Vec<RecordItem>> {
        let views = self.all_views(record).await?;
        let mut authors = Authors::default();
        let mut out: Vec<RecordItem> = Vec::with_capacity(views.len());
        let mut expected = None;
        for view in &views {
            let (item, shown, _) = self.own_item(&mut authors, view).await?;
            if expected.is_some_and(|(version, hash)| {
                (item.version, Some(shown.statement)) != (version, hash)
            }) {
                return Err(IntegrityError::Version {
                    record,
                    what: "the order of versions",
                }
                .into());
            }
            expected = Some((item.version.saturating_sub(1), shown.version.previous));
            out.push(item);
        }
        match (out.first(), expected) {
            (Some(newest), Some((0, None))) => {
                self.check_newest(newest).await?;
                Ok(out)
            }
            _ => Err(IntegrityError::Omitted { record }.into()),
        }
    }

    /// Refuses a newest version that is older than the certified feed tells of.
    async fn check_newest(&self, newest: &RecordItem) -> Result<()> {
        let compartment = newest.compartment.unwrap_or(CompartmentId::DROP_BOX);
        let read = |compartment| async move {
            let feed = self.client().feed(self.account(), None, compartment);
            let feed = feed.await?;
            Ok((feed.newest(&newest.record), feed))
        };
        let told = self.certified_once(vec![compartment], read).await?;
        match told.into_iter().next().flatten() {
            Some((version, hash)) if (version, hash) == (newest.version, newest.statement) => {
                Ok(())
            }
            Some((version, _)) if version < newest.version => Ok(()),
            _ => Err(IntegrityError::NotInFeed {
                record: newest.record,
            }
            .into()),
        }
    }

    /// All versions of a record as the vault shows them, newest first.
    pub(crate) async fn all_views(&self, record: RecordId) -> Result<Vec<VersionView>> {
        let mut views = self.record_views(record, None).await?;
        // A long history does not fit one page.
        while let Some(oldest) = views.last().map(|v| v.version).filter(|v| *v > 1) {
            views.extend(self.record_views(record, Some(oldest - 1)).await?);
        }
        Ok(views)
    }

    pub(crate) async fn record_views(
        &self,
        record: RecordId,
        version: Option<u32>,
    ) -> Result<Vec<VersionView>> {
        let get = RecordGet { record, version };
        let views: Vec<VersionView> = match self.client().query("record_get", (get,)).await {
            Err(ClientError::Vault(salus_types::Error::NotFound)) => Vec::new(),
            other => other?,
        };
        if views.is_empty() {
            return Err(ClientError::NotFound("record"));
        }
        let fits = views
            .iter()
            .all(|v| v.record == record && version.is_none_or(|n| v.version == n));
        if fits {
            Ok(views)
        } else {
            Err(IntegrityError::Malformed("another record than was asked for").into())
        }
    }
}

fn check_place(view: &VersionView, compartment: CompartmentId) -> Result<()> {
    let place = match &view.filed {
        Filed::Compartment(filing) => filing.compartment,
        Filed::DropBox { .. } => CompartmentId::DROP_BOX,
    };
    if place == compartment {
        Ok(())
    } else {
        Err(IntegrityError::Version {
            record: view.record,
            what: "the compartment",
        }
        .into())
    }
}
