//! Taking access back: the grant ends, every compartment it reached gets a new epoch key, and those
//! who still have access get it. Must not touch what was sealed before.

use super::given::{GivenGrant, GrantPhase, is_done};
use crate::error::{ClientError, Result};
use crate::keys::Keys;
use crate::session::Unlocked;
use salus_protocol::grant::Conveyed;
use salus_protocol::ledger::Change;
use salus_types::{CompartmentId, GrantId};
use std::collections::BTreeSet;

/// How often a revocation is planned anew because another browser was faster.
const ROUNDS: usize = 8;

/// What a revocation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Compartments with a new epoch.
    pub advanced: Vec<CompartmentId>,
    /// Grants that remain and got the new keys.
    pub reissued: Vec<GrantId>,
    /// Grants that remain but could not be made anew, because the vault withheld or altered them:
    /// their grantees will not read what is added from now on until they are given again.
    pub left_behind: Vec<GrantId>,
}

impl Unlocked {
    /// Takes a grant back. Its grantee gets nothing more from the vault, and no key for anything
    /// filed from now on. What they have seen they have seen.
    ///
    /// A vault that withholds or alters grants cannot keep this from happening: then every
    /// compartment gets a new epoch.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::Conflict`] if it is over already; whatever an append
    /// may give.
    pub async fn revoke(&self, id: GrantId) -> Result<Revoked> {
        for _ in 0..ROUNDS {
            self.check_revocable(id)?;
            let (grants, whole) = match self.grants().await {
                Ok(grants) => (grants, true),
                Err(ClientError::Integrity(_)) => (self.readable_grants().await?, false),
                Err(error) => return Err(error),
            };
            let reached = grants
                .iter()
                .find(|g| g.grant.id == id)
                .filter(|_| whole)
                .map(reached);
            let mut outcome = Revoked::default();
            let plans: Vec<_> = grants
                .iter()
                .filter(|g| g.grant.id != id)
                .filter(|g| matches!(g.phase, GrantPhase::Active | GrantPhase::Upcoming))
                .filter_map(Self::plan_again)
                .collect();
            let cell = std::cell::RefCell::new(&mut outcome);
            let appended = self
                .try_append(|keys| {
                    self.check_revocable_in(keys, id)?;
                    // Of those that it reached, or of all where that is not known.
                    let fresh = self.fresh_epochs(keys, reached.as_ref())?;
                    let epochs = self.advances(keys, &fresh)?;
                    let (reissues, grants) = self.reissue_all(keys, &plans, &fresh, Some(id))?;
                    let mut outcome = cell.borrow_mut();
                    outcome.advanced = epochs.iter().map(|e| e.compartment).collect();
                    outcome.reissued = reissues.iter().map(|g| g.id).collect();
                    outcome.left_behind = self.left_behind(keys, id, &plans);
                    let change = Change::Revoke {
                        grant: id,
                        epochs,
                        reissues,
                    };
                    Ok((change, grants))
                })
                .await?;
            if is_done(&appended) {
                return Ok(outcome);
            }
        }
        Err(ClientError::Conflict("grant"))
    }

    fn check_revocable(&self, id: GrantId) -> Result<()> {
        self.with(|keys| self.check_revocable_in(keys, id))
    }

    #[expect(clippy::unused_self, reason = "reads as the other steps do")]
    fn check_revocable_in(&self, keys: &Keys, id: GrantId) -> Result<()> {
        match keys.ledger.state.grants.get(&id) {
            None => Err(ClientError::NotFound("grant")),
            Some(state) if state.revoked => Err(ClientError::Conflict("grant")),
            Some(_) => Ok(()),
        }
    }

    fn left_behind(&self, keys: &Keys, id: GrantId, plans: &[super::build::Plan]) -> Vec<GrantId> {
        let now = self.client().now();
        let grants = keys.ledger.state.grants.values();
        grants
            .filter(|g| !g.revoked && g.entry.expires > now && g.entry.id != id)
            .filter(|g| !plans.iter().any(|p| p.id == g.entry.id))
            .map(|g| g.entry.id)
            .collect()
    }
}

/// Compartments whose epoch keys a grant conveyed.
fn reached(given: &GivenGrant) -> BTreeSet<CompartmentId> {
    given
        .grant
        .conveys
        .iter()
        .filter_map(|c| match c {
            Conveyed::Epoch { compartment, .. } => Some(*compartment),
            Conveyed::Version { .. } => None,
        })
        .collect()
}
