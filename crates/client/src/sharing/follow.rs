//! Grants that follow single records: what was added to a record since is named and conveyed by a
//! re-issue. Must not decide what is followed: the grant says so.

use super::build::Plan;
use super::given::{GivenGrant, GrantPhase, is_done};
use crate::error::{ClientError, Result};
use crate::records::Authorship;
use crate::session::Unlocked;
use salus_protocol::grant::{Scope, VersionRef};
use salus_protocol::ledger::{Change, GrantEntry};
use salus_types::api::GrantPayload;
use salus_types::{GrantId, RecordId, limits};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// How often this is planned anew because another browser was faster.
const ROUNDS: usize = 8;

/// Versions of records that are filed, as far as their histories hold.
type Filed = BTreeMap<RecordId, Option<Vec<u32>>>;

/// What became of grants that follow records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Grants whose grantees may read newer versions now.
    pub extended: Vec<GrantId>,
    /// Grants that could not be extended: they name as many versions as a grant can, the owner's note
    /// on them does not open, or a record's history does not hold. Their grantees keep what they
    /// have.
    pub left_behind: Vec<GrantId>,
}

impl Unlocked {
    /// Extends every grant in force that follows records to the versions filed since. To be called
    /// after a version was added or filed, and on each visit: what was interrupted is made up for.
    ///
    /// # Errors
    /// As [`Self::grants`] and [`Self::history`]; whatever an append may give.
    pub async fn follow_records(&self) -> Result<Followed> {
        for _ in 0..ROUNDS {
            if !self.has_live_grants()? {
                return Ok(Followed::default());
            }
            let grants = self.grants().await?;
            let following = grants.iter().filter(|g| {
                g.grant.follows() && matches!(g.phase, GrantPhase::Active | GrantPhase::Upcoming)
            });
            let mut filed = BTreeMap::new();
            let mut plans = Vec::new();
            let mut followed = Followed::default();
            for given in following {
                match self.grown(given, &mut filed).await? {
                    Some(scope) if scope == given.grant.scope => {}
                    Some(scope) => match Self::plan_again(given) {
                        Some(plan) => plans.push(Plan {
                            revision: plan.revision.saturating_add(1),
                            versions: self.version_keys(&scope).await?,
                            scope,
                            ..plan
                        }),
                        None => followed.left_behind.push(given.grant.id),
                    },
                    None => followed.left_behind.push(given.grant.id),
                }
            }
            if self.extend(plans, &mut followed).await? {
                return Ok(followed);
            }
        }
        Err(ClientError::Conflict("grant"))
    }

    pub(super) fn has_live_grants(&self) -> Result<bool> {
        let now = self.client().now();
        self.with(|keys| {
            let mut grants = keys.ledger.state.grants.values();
            Ok(grants.any(|g| !g.revoked && g.entry.expires > now))
        })
    }

    /// The scope of a grant with the versions filed after the first that it names of each record.
    /// `None` if the vault does not show one of them as it was signed.
    async fn grown(&self, given: &GivenGrant, filed: &mut Filed) -> Result<Option<Scope>> {
        let Scope::Records(named) = &given.grant.scope else {
            return Ok(None);
        };
        let mut first: BTreeMap<RecordId, u32> = BTreeMap::new();
        for at in named {
            let since = first.entry(at.record).or_insert(at.version);
            *since = at.version.min(*since);
        }
        let mut all: BTreeSet<VersionRef> = named.iter().copied().collect();
        for (record, since) in first {
            let versions = match filed.entry(record) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.filed_versions(record).await?),
            };
            let Some(versions) = versions else {
                return Ok(None);
            };
            let later = versions.iter().filter(|version| **version > since);
            all.extend(later.map(|version| VersionRef {
                record,
                version: *version,
            }));
        }
        Ok(Some(Scope::Records(all.into_iter().collect())))
    }

    /// Versions of a record that are filed and whose authors are known; `None` if its history does
    /// not hold: whoever may append can leave something that does not open, and must not keep the
    /// other grants from growing.
    async fn filed_versions(&self, record: RecordId) -> Result<Option<Vec<u32>>> {
        let history = match self.history(record).await {
            Ok(history) => history,
            Err(ClientError::NotFound(_) | ClientError::Integrity(_) | ClientError::Open(_)) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let known = history.iter().filter(|item| {
            item.compartment.is_some() && item.author.authorship != Authorship::Unknown
        });
        Ok(Some(known.map(|item| item.version).collect()))
    }

    /// Makes grants anew, as many by one operation as go into a message. Whether it is done; if not,
    /// plan again.
    pub(super) async fn extend(&self, plans: Vec<Plan>, followed: &mut Followed) -> Result<bool> {
        let (mut batches, mut bytes): (Vec<Vec<Plan>>, u64) = (Vec::new(), 0);
        for plan in plans {
            // What is signed and sealed has the same length whenever it is done.
            let (_, payload) = self.with(|keys| self.build(keys, &plan, &[]))?;
            let Some(size) = size(&payload) else {
                followed.left_behind.push(plan.id);
                continue;
            };
            bytes = bytes.saturating_add(size);
            match batches.last_mut().filter(|_| bytes <= limits::BATCH_BYTES) {
                Some(batch) => batch.push(plan),
                None => {
                    bytes = size;
                    batches.push(vec![plan]);
                }
            }
        }
        for batch in batches {
            let appended = self
                .try_append(|keys| {
                    let built = batch.iter().map(|plan| self.build(keys, plan, &[]));
                    let (reissues, grants): (Vec<GrantEntry>, Vec<GrantPayload>) =
                        built.collect::<Result<Vec<_>>>()?.into_iter().unzip();
                    Ok((Change::Reissue { reissues }, grants))
                })
                .await?;
            if !is_done(&appended) {
                return Ok(false);
            }
            followed.extended.extend(batch.iter().map(|plan| plan.id));
        }
        Ok(true)
    }
}

/// Bytes of a grant in a message, if the vault takes it.
pub(super) fn size(payload: &GrantPayload) -> Option<u64> {
    let statement = payload.statement.statement.len() as u64;
    let envelope = payload.envelope.len() as u64;
    let fits = statement <= limits::STATEMENT_BYTES && envelope <= limits::GRANT_ENVELOPE_BYTES;
    fits.then_some(statement + envelope + limits::NOTE_BYTES)
}
