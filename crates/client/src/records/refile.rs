//! Which versions of one's own lie under which epoch, filing them anew under the newest, and moving
//! records between compartments. Must not know why.

use super::adopt::Order;
use super::read::Authors;
use super::{RecordItem, check_view};
use crate::error::{ClientError, IntegrityError, Result};
use crate::session::Unlocked;
use crate::surroundings::{Progress, Stage, go_on};
use salus_crypto::hierarchy::VersionKeys;
use salus_protocol::grant::VersionRef;
use salus_types::api::{Filed, VersionView};
use salus_types::{CompartmentId, Hash, RecordId, limits};
use std::collections::{BTreeMap, BTreeSet};

/// A filed version and the epoch that its keys are wrapped under.
struct Lying {
    at: VersionRef,
    statement: Hash,
    /// Where its keys lie.
    compartment: CompartmentId,
    epoch: u32,
    /// Where its record lies. A move that was broken off leaves older versions behind.
    home: CompartmentId,
    keys: VersionKeys,
}

/// Every filed version of an account, as far as the certified feeds and the histories tell.
#[derive(Default)]
pub(crate) struct Survey {
    versions: Vec<Lying>,
    unreadable: BTreeMap<VersionRef, (CompartmentId, u32)>,
}

impl Survey {
    /// Epochs that some version needs.
    pub(crate) fn in_use(&self) -> BTreeMap<CompartmentId, BTreeSet<u32>> {
        let mut out: BTreeMap<CompartmentId, BTreeSet<u32>> = BTreeMap::new();
        let lying = self.versions.iter().map(|v| (v.compartment, v.epoch));
        for (compartment, epoch) in lying.chain(self.unreadable.values().copied()) {
            out.entry(compartment).or_default().insert(epoch);
        }
        out
    }

    /// Whether a version lies under an older epoch than `since` names for its compartment.
    pub(crate) fn is_behind(&self, since: &BTreeMap<CompartmentId, u32>) -> bool {
        let late = |v: &Lying| since.get(&v.compartment).is_none_or(|e| v.epoch < *e);
        self.versions.iter().any(late)
    }

    /// Versions whose keys do not open, so that nobody can file them anew.
    pub(crate) fn unreadable(&self) -> Vec<VersionRef> {
        self.unreadable.keys().copied().collect()
    }

    fn take(&mut self, unlocked: &Unlocked, view: &VersionView, home: CompartmentId) -> Result<()> {
        let Filed::Compartment(filing) = &view.filed else {
            return Ok(());
        };
        let at = VersionRef {
            record: view.record,
            version: view.version,
        };
        let shown = check_view(view, unlocked.client().vault_bytes(), unlocked.account())?;
        match unlocked.own_keys(view, &shown) {
            Ok(keys) => self.versions.push(Lying {
                at,
                statement: shown.statement,
                compartment: filing.compartment,
                epoch: filing.epoch,
                home,
                keys,
            }),
            Err(ClientError::Integrity(_) | ClientError::Open(_)) => {
                let place = (filing.compartment, filing.epoch);
                self.unreadable.insert(at, place);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Unlocked {
    /// Looks where every filed version lies. The newest of each record are exactly those that the
    /// certified feeds tell of; older ones are those that the newer ones name.
    pub(crate) async fn survey(&self, progress: &dyn Progress) -> Result<Survey> {
        self.refresh().await?;
        let all = self.with(|keys| Ok(keys.all_epochs().keys().copied().collect()))?;
        let lists = self.certified(all, |compartment| async move {
            go_on(progress)?;
            let (views, feed) = self.complete(compartment).await?;
            let mut found = Survey::default();
            for view in &views {
                if view.version > 1 {
                    for view in self.whole_history(view).await? {
                        found.take(self, &view, compartment)?;
                    }
                } else {
                    found.take(self, view, compartment)?;
                }
            }
            Ok((found, feed))
        });
        let mut survey = Survey::default();
        for found in lists.await? {
            survey.versions.extend(found.versions);
            survey.unreadable.extend(found.unreadable);
        }
        Ok(survey)
    }

    /// All versions of a record up to one that is known, none left out.
    async fn whole_history(&self, newest: &VersionView) -> Result<Vec<VersionView>> {
        let mut views = self.all_views(newest.record).await?;
        views.retain(|view| view.version <= newest.version);
        let mut expected = None;
        for view in &views {
            let shown = check_view(view, self.client().vault_bytes(), self.account())?;
            let here = (view.version, Some(shown.statement));
            if expected.is_some_and(|expected| expected != here) {
                return Err(IntegrityError::Omitted {
                    record: newest.record,
                }
                .into());
            }
            expected = Some((view.version.saturating_sub(1), shown.version.previous));
        }
        match (views.first(), expected) {
            (Some(first), Some((0, None))) if first.version == newest.version => Ok(views),
            _ => Err(IntegrityError::Omitted {
                record: newest.record,
            }
            .into()),
        }
    }

    /// Files anew what does not lie under the newest epoch of its record's compartment: a bounded
    /// batch in each call. How many were.
    pub(crate) async fn refile(&self, survey: &Survey, progress: &dyn Progress) -> Result<u64> {
        let mut late = Vec::new();
        for lying in &survey.versions {
            let newest = self.with(|keys| Ok(keys.newest_epoch(&lying.home)?.epoch));
            // A compartment whose key does not open takes nothing.
            let Ok(newest) = newest else { continue };
            if (lying.compartment, lying.epoch) != (lying.home, newest) {
                late.push(Order {
                    record: lying.at.record,
                    version: lying.at.version,
                    statement: lying.statement,
                    compartment: lying.home,
                    keys: lying.keys.clone(),
                });
            }
        }
        let (mut done, total) = (0, late.len() as u64);
        let most = usize::try_from(limits::BATCH_VERSIONS).unwrap_or(1);
        for batch in late.chunks(most) {
            go_on(progress)?;
            progress.report(Stage::Refiling, done, total);
            let orders: Vec<&Order> = batch.iter().collect();
            for answer in self.file_all(&orders).await? {
                match answer {
                    Ok(_) => done += 1,
                    // Another browser was faster: what is left is looked for again.
                    Err(ClientError::Vault(
                        salus_types::Error::NotFound
                        | salus_types::Error::Conflict { .. }
                        | salus_types::Error::StaleHead { .. },
                    )) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    /// Moves a record with all its filed versions to another compartment: who has access there sees
    /// it from now on, and who has access only where it was does not. What was broken off is gone on
    /// with by calling it again.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; the first refusal of the vault; [`IntegrityError`].
    pub async fn move_record(&self, record: RecordId, to: CompartmentId) -> Result<()> {
        self.with(|keys| keys.newest_epoch(&to).map(drop))?;
        let mut authors = Authors::default();
        let mut orders = Vec::new();
        for view in self.all_views(record).await? {
            let (item, shown, keys): (RecordItem, _, _) =
                self.own_item(&mut authors, &view).await?;
            if item.compartment.is_some_and(|place| place != to) {
                orders.push(Order {
                    record,
                    version: item.version,
                    statement: shown.statement,
                    compartment: to,
                    keys,
                });
            }
        }
        // Newest first: it leads, the others follow.
        let orders: Vec<&Order> = orders.iter().collect();
        self.file_all(&orders)
            .await?
            .into_iter()
            .try_for_each(|answer| answer.map(drop))
    }
}
