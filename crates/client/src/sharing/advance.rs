//! New epochs without taking anything back, and grants made anew until each conveys the epochs it
//! must. Must not touch what is filed.

use super::build::{Kept, Plan};
use super::follow::size;
use super::given::{GivenGrant, GrantPhase, is_done};
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::Keys;
use crate::session::{Label, Unlocked};
use salus_crypto::hierarchy::EpochKey;
use salus_protocol::grant::{Conveyed, READ, Scope};
use salus_protocol::ledger::{Change, EpochAdvance};
use salus_types::{CompartmentId, GrantId, limits};
use std::collections::{BTreeMap, BTreeSet};

/// How often this is planned anew because another browser was faster.
const ROUNDS: usize = 8;

/// Epochs that compartments must have been brought to at least.
pub(crate) type Since = BTreeMap<CompartmentId, u32>;

impl Unlocked {
    /// Gives every compartment a new epoch that has had none since, as `since` tells from the keys,
    /// and makes anew as many of the grants that reach them as go into the same message.
    /// [`Self::reissue_behind`] does the rest.
    pub(crate) async fn advance_epochs(
        &self,
        since: impl Fn(&Keys) -> Option<Since>,
        kept: &Kept,
    ) -> Result<()> {
        let due = |keys: &Keys| -> BTreeSet<CompartmentId> {
            let had = since(keys).unwrap_or_default();
            let all = keys.all_epochs().keys().copied();
            all.filter(|id| !had.contains_key(id)).collect()
        };
        for _ in 0..ROUNDS {
            let plans = self.plans(&self.live_grants().await?, kept);
            // Only now: another browser may have done it while the grants were read.
            if self.with(|keys| Ok(due(keys).is_empty()))? {
                return Ok(());
            }
            let appended = self
                .try_append(|keys| {
                    let fresh = self.fresh_epochs(keys, Some(&due(keys)))?;
                    let epochs = self.advances(keys, &fresh)?;
                    let (reissues, grants) = self.reissue_all(keys, &plans, &fresh, None)?;
                    let mut bytes = 0u64;
                    let fitting = grants
                        .iter()
                        .map_while(size)
                        .take_while(|size| {
                            bytes = bytes.saturating_add(*size);
                            bytes <= limits::BATCH_BYTES
                        })
                        .count();
                    let reissues = reissues.into_iter().take(fitting).collect();
                    let grants = grants.into_iter().take(fitting).collect();
                    Ok((Change::Advance { epochs, reissues }, grants))
                })
                .await?;
            if is_done(&appended) {
                return Ok(());
            }
        }
        Err(ClientError::Conflict("the account"))
    }

    /// Makes anew every grant in force that does not convey the epochs of `since`, or later ones, of
    /// the compartments it reaches; those that could not be are named.
    pub(crate) async fn reissue_behind(
        &self,
        since: &Since,
        kept: &Kept,
    ) -> Result<(Vec<GrantId>, Vec<GrantId>)> {
        let mut outcome = super::Followed::default();
        for _ in 0..ROUNDS {
            let grants = self.live_grants().await?;
            let behind: Vec<GivenGrant> = grants
                .into_iter()
                .filter(|given| is_behind(given, since))
                .filter(|given| !outcome.left_behind.contains(&given.grant.id))
                .collect();
            let mut plans = self.plans(&behind, kept);
            for plan in &mut plans {
                plan.revision = plan.revision.saturating_add(1);
            }
            let lost = behind.iter().map(|given| given.grant.id);
            let lost = lost.filter(|id| !plans.iter().any(|plan| plan.id == *id));
            outcome.left_behind.extend(lost);
            if plans.is_empty() {
                return Ok((outcome.extended, outcome.left_behind));
            }
            if self.extend(plans, &mut outcome).await? {
                return Ok((outcome.extended, outcome.left_behind));
            }
        }
        Err(ClientError::Conflict("grant"))
    }

    /// Whether a grant in force is behind, which can be made anew.
    pub(crate) async fn has_grants_behind(&self, since: &Since, kept: &Kept) -> Result<bool> {
        let grants = self.live_grants().await?;
        let behind: Vec<GivenGrant> = grants
            .into_iter()
            .filter(|given| is_behind(given, since))
            .collect();
        Ok(!self.plans(&behind, kept).is_empty())
    }

    /// Grants in force or to come; those that verify, if the list as a whole does not.
    async fn live_grants(&self) -> Result<Vec<GivenGrant>> {
        if !self.has_live_grants()? {
            return Ok(Vec::new());
        }
        let mut grants = match self.grants().await {
            Err(ClientError::Integrity(_)) => self.readable_grants().await?,
            other => other?,
        };
        grants.retain(|g| matches!(g.phase, GrantPhase::Active | GrantPhase::Upcoming));
        Ok(grants)
    }

    #[expect(clippy::unused_self, reason = "one of the steps")]
    fn plans(&self, grants: &[GivenGrant], kept: &Kept) -> Vec<Plan> {
        let plans = grants.iter().filter_map(Self::plan_again);
        plans
            .map(|plan| Plan {
                kept: Some(kept.clone()),
                ..plan
            })
            .collect()
    }

    /// Fresh epoch keys for these compartments, or for all, with the texts of their names.
    pub(super) fn fresh_epochs(
        &self,
        keys: &Keys,
        due: Option<&BTreeSet<CompartmentId>>,
    ) -> Result<Vec<(EpochKey, String)>> {
        let mut fresh = Vec::new();
        for (id, epochs) in keys.all_epochs() {
            if due.is_some_and(|set| !set.contains(id)) {
                continue;
            }
            let next = u32::try_from(epochs.len()).unwrap_or(u32::MAX);
            let label = self.label(keys, id).unwrap_or_else(|_| Label::named(""));
            let key = EpochKey::generate(*id, next.saturating_add(1))?;
            fresh.push((key, label.to_text()));
        }
        Ok(fresh)
    }

    /// As the ledger names fresh epoch keys.
    pub(super) fn advances(
        &self,
        keys: &Keys,
        fresh: &[(EpochKey, String)],
    ) -> Result<Vec<EpochAdvance>> {
        let advance = |(key, _): &(EpochKey, String)| {
            Ok(EpochAdvance {
                compartment: key.compartment,
                epoch: key.epoch,
                kid: key.kid(self.scope()),
                wrap: key.wrap(&keys.amk, self.scope())?,
            })
        };
        fresh.iter().map(advance).collect()
    }

    /// Those grants that still verify when the list as a whole does not.
    pub(super) async fn readable_grants(&self) -> Result<Vec<GivenGrant>> {
        let mut out = Vec::new();
        for view in self.grant_views("grant_list").await? {
            match self.read_given(&view).await {
                Ok(grant) => out.push(grant),
                Err(ClientError::Integrity(
                    IntegrityError::Grant(_)
                    | IntegrityError::KeyChanged { .. }
                    | IntegrityError::KeyChain(_)
                    | IntegrityError::Statement(_)
                    | IntegrityError::RolledBack { .. }
                    | IntegrityError::OtherAccount,
                )) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(out)
    }
}

/// Whether a grant reaches a compartment whose epoch of `since`, or a later one, it does not convey.
fn is_behind(given: &GivenGrant, since: &Since) -> bool {
    let reaches = |id: &CompartmentId| match &given.grant.scope {
        Scope::Everything => true,
        Scope::Compartments(list) => list.contains(id),
        Scope::Records(_) => false,
    };
    let conveys = |id: &CompartmentId, wanted: u32| {
        given.grant.conveys.iter().any(|conveyed| match conveyed {
            Conveyed::Epoch {
                compartment, epoch, ..
            } => compartment == id && *epoch >= wanted,
            Conveyed::Version { .. } => false,
        })
    };
    given.grant.rights & READ != 0
        && since
            .iter()
            .any(|(id, epoch)| reaches(id) && !conveys(id, *epoch))
}
