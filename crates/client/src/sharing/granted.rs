//! Reading under a grant: listing and opening are audited releases, complete as far as the certified
//! feeds tell. Must not know one's own records.

use super::received::ReceivedGrant;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::records::{
    Authors, FeedView, OpenVersion, RecordItem, Shown, check_kids, check_view, item,
};
use crate::session::Unlocked;
use salus_crypto::Key;
use salus_protocol::grant::{Access, Scope};
use salus_types::api::{Filed, RecordGet, RecordPage, ReleaseList, ReleaseOpen, VersionView};
use salus_types::{CompartmentId, RecordId, limits};
use std::collections::BTreeSet;

/// How often a list is read again because something was added meanwhile. Every time is one more
/// audited release.
const ROUNDS: usize = 3;

enum Which {
    Descriptor,
    Content,
}

impl Unlocked {
    /// The newest version of every record of a granted compartment. An audited release.
    ///
    /// # Errors
    /// [`ClientError::NotCovered`]; the vault's [`salus_types::Error::NotFound`] once revoked;
    /// [`IntegrityError`] when one is withheld or not what its author signed.
    pub async fn granted_records(
        &self,
        grant: &ReceivedGrant,
        compartment: CompartmentId,
    ) -> Result<Vec<RecordItem>> {
        let items = self.granted_once(grant, compartment).await;
        self.client().explained(grant.grant.owner, items).await
    }

    async fn granted_once(
        &self,
        grant: &ReceivedGrant,
        compartment: CompartmentId,
    ) -> Result<Vec<RecordItem>> {
        let access = Access::ListCompartment(compartment);
        grant.grant.covers(access, self.client().now())?;
        let mut error = ClientError::Conflict("records");
        for _ in 0..ROUNDS {
            let items = self.release(grant, Some(compartment)).await?;
            let feed = self
                .client()
                .feed(grant.grant.owner, Some(grant.grant.id), compartment)
                .await?;
            let listed: Vec<_> = items
                .iter()
                .map(|i| (i.record, i.version, i.statement))
                .collect();
            match feed.check_list(&listed) {
                Err(defect) => error = defect.into(),
                Ok(()) => {
                    let feeds: [(CompartmentId, FeedView); 1] = [(compartment, feed)];
                    let moved = self
                        .client()
                        .certify_feeds(grant.grant.owner, grant.owner.genesis(), &feeds)
                        .await?;
                    if moved.is_empty() {
                        return Ok(items);
                    }
                    error = IntegrityError::NotCertified {
                        chain: Chain::Feed(compartment),
                    }
                    .into();
                }
            }
        }
        Err(error)
    }

    /// The versions a grant over single records names. An audited release.
    ///
    /// # Errors
    /// As [`Self::granted_records`].
    pub async fn granted_versions(&self, grant: &ReceivedGrant) -> Result<Vec<RecordItem>> {
        grant
            .grant
            .covers(Access::ListRecords, self.client().now())?;
        let items = self.release(grant, None).await?;
        for at in grant.versions() {
            let there = |i: &RecordItem| (i.record, i.version) == (at.record, at.version);
            if !items.iter().any(there) {
                return Err(IntegrityError::Omitted { record: at.record }.into());
            }
        }
        Ok(items)
    }

    /// Everything a grant lets one list: every compartment, or every single version.
    ///
    /// # Errors
    /// As [`Self::granted_records`].
    pub async fn granted_all(&self, grant: &ReceivedGrant) -> Result<Vec<RecordItem>> {
        if matches!(grant.grant.scope, Scope::Records(_)) {
            return self.granted_versions(grant).await;
        }
        let mut out = Vec::new();
        for (compartment, _) in grant.compartments() {
            out.extend(self.granted_records(grant, compartment).await?);
        }
        Ok(out)
    }

    /// The newest version of a record under a grant, as certified feeds tell, or as the grant names
    /// it: nothing is released. `None` if the grant does not cover the record.
    ///
    /// # Errors
    /// The vault's [`salus_types::Error::NotFound`] once revoked; [`IntegrityError`].
    pub async fn newest_granted(
        &self,
        grant: &ReceivedGrant,
        record: RecordId,
    ) -> Result<Option<u32>> {
        if matches!(grant.grant.scope, Scope::Records(_)) {
            let versions = grant.versions().into_iter();
            let of_record = versions.filter(|at| at.record == record);
            return Ok(of_record.map(|at| at.version).max());
        }
        let owner = grant.grant.owner;
        let mut moved = CompartmentId::DROP_BOX;
        for _ in 0..ROUNDS {
            let mut feeds = Vec::new();
            let mut newest = None;
            for (compartment, _) in grant.compartments() {
                let feed = self
                    .client()
                    .feed(owner, Some(grant.grant.id), compartment)
                    .await?;
                if let Some((version, _)) = feed.newest(&record) {
                    newest = newest.max(Some(version));
                    feeds.push((compartment, feed));
                }
            }
            let certified = self
                .client()
                .certify_feeds(owner, grant.owner.genesis(), &feeds)
                .await?;
            match certified.first() {
                None => return Ok(newest),
                Some(compartment) => moved = *compartment,
            }
        }
        Err(IntegrityError::NotCertified {
            chain: Chain::Feed(moved),
        }
        .into())
    }

    async fn release(
        &self,
        grant: &ReceivedGrant,
        compartment: Option<CompartmentId>,
    ) -> Result<Vec<RecordItem>> {
        let mut authors = self.known_authors(grant);
        let mut out = Vec::new();
        let mut cursor = None;
        loop {
            let list = ReleaseList {
                owner: grant.grant.owner,
                grant: grant.grant.id,
                compartment,
                cursor,
                limit: None,
            };
            let page: RecordPage = self.client().update("release_list", (list,)).await?;
            let empty = page.items.is_empty();
            for view in &page.items {
                let place = place_of(view);
                if compartment.is_some() && place != compartment {
                    return Err(defect(view.record, "the compartment"));
                }
                let (item, _, _) = self.granted_item(grant, view, &mut authors, false).await?;
                out.push(item);
            }
            if page.next.is_none() {
                return Ok(out);
            }
            if empty || page.next == cursor {
                return Err(IntegrityError::Malformed("a page that leads nowhere").into());
            }
            cursor = page.next;
        }
    }

    #[expect(clippy::unused_self, reason = "one of the steps of a release")]
    fn known_authors(&self, grant: &ReceivedGrant) -> Authors {
        let mut authors = Authors::default();
        authors.know(&grant.owner);
        authors
    }

    /// Opens versions: their keys are released, and the audit trail says so before they are.
    /// `wanted`: at most [`limits::RELEASE_RECORDS`]; a record without a version means all of them,
    /// newest first.
    ///
    /// # Errors
    /// As [`Self::granted_records`].
    pub async fn open_granted(
        &self,
        grant: &ReceivedGrant,
        wanted: &[(RecordId, Option<u32>)],
    ) -> Result<Vec<OpenVersion>> {
        if wanted.len() as u64 > limits::RELEASE_RECORDS {
            return Err(salus_types::Error::TooMany {
                what: "records".into(),
                limit: limits::RELEASE_RECORDS,
            }
            .into());
        }
        let views = self.release_keys(grant, wanted).await?;
        let mut authors = self.known_authors(grant);
        let mut out = Vec::with_capacity(views.len());
        let mut came = BTreeSet::new();
        for view in &views {
            let asked = wanted.iter().any(|(record, version)| {
                *record == view.record && version.is_none_or(|wanted| wanted == view.version)
            });
            if !asked {
                return Err(IntegrityError::Malformed("a version not asked for").into());
            }
            if !came.insert((view.record, view.version)) {
                return Err(IntegrityError::Malformed("a version twice").into());
            }
            let (item, shown, content) = self.granted_item(grant, view, &mut authors, true).await?;
            let content = content.ok_or_else(|| defect(view.record, "its key"))?;
            out.push(OpenVersion {
                item,
                shown,
                content,
            });
        }
        Ok(out)
    }

    /// Asks until everything wanted came: an answer holds as many as fit a page.
    async fn release_keys(
        &self,
        grant: &ReceivedGrant,
        wanted: &[(RecordId, Option<u32>)],
    ) -> Result<Vec<VersionView>> {
        let mut views: Vec<VersionView> = Vec::new();
        let mut open: Vec<_> = wanted.to_vec();
        while let Some((first, _)) = open.first().copied() {
            let ask = ReleaseOpen {
                owner: grant.grant.owner,
                grant: grant.grant.id,
                records: open
                    .iter()
                    .map(|(record, version)| RecordGet {
                        record: *record,
                        version: *version,
                    })
                    .collect(),
            };
            let page: Vec<VersionView> = self.client().update("release_open", (ask,)).await?;
            let before = open.len();
            open.retain(|(record, version)| {
                let there = |v: &VersionView| {
                    v.record == *record && version.is_none_or(|wanted| wanted == v.version)
                };
                !page.iter().any(there)
            });
            views.extend(page);
            if open.len() == before {
                return Err(IntegrityError::Omitted { record: first }.into());
            }
        }
        Ok(views)
    }

    async fn granted_item(
        &self,
        grant: &ReceivedGrant,
        view: &VersionView,
        authors: &mut Authors,
        open: bool,
    ) -> Result<(RecordItem, Shown, Option<Key>)> {
        let owner = grant.grant.owner;
        let scope = self.client().scope(owner);
        let shown = check_view(view, self.client().vault_bytes(), owner)?;
        let descriptor = self.granted_key(grant, view, &Which::Descriptor)?;
        let content = if open {
            Some(self.granted_key(grant, view, &Which::Content)?)
        } else {
            None
        };
        check_kids(scope, &shown, Some(&descriptor), content.as_ref())?;
        let author = self.author(authors, view, &shown).await?;
        let item = item(
            scope,
            view,
            &shown,
            &descriptor,
            author,
            Some(grant.grant.id),
        )?;
        Ok((item, shown, content))
    }

    /// A version's key, as the grant's envelope or the epoch key in it gives it.
    fn granted_key(&self, grant: &ReceivedGrant, view: &VersionView, which: &Which) -> Result<Key> {
        let contents = grant
            .contents
            .as_ref()
            .ok_or(ClientError::NotFound("grant"))?;
        let single = contents
            .records
            .iter()
            .find(|r| (r.record, r.version) == (view.record, view.version));
        if let Some(record) = single {
            return Ok(match which {
                Which::Descriptor => record.descriptor.clone(),
                Which::Content => record.content.clone(),
            });
        }
        let Filed::Compartment(filing) = &view.filed else {
            return Err(defect(view.record, "its place"));
        };
        let scope = self.client().scope(grant.grant.owner);
        let epoch = contents
            .compartments
            .iter()
            .find(|c| c.compartment == filing.compartment)
            .and_then(|c| c.epoch_key(filing.epoch))
            // Filed under a key made after this grant was read: read it again.
            .ok_or(ClientError::Conflict("grant"))?;
        Ok(match which {
            Which::Descriptor => epoch.unwrap_descriptor_key(
                scope,
                view.record,
                view.version,
                &filing.wrap_descriptor,
            )?,
            Which::Content => {
                epoch.unwrap_content_key(scope, view.record, view.version, &filing.wrap_content)?
            }
        })
    }
}

fn place_of(view: &VersionView) -> Option<CompartmentId> {
    match &view.filed {
        Filed::Compartment(filing) => Some(filing.compartment),
        Filed::DropBox { .. } => None,
    }
}

fn defect(record: RecordId, what: &'static str) -> ClientError {
    IntegrityError::Version { record, what }.into()
}
