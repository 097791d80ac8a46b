//! Grants sealed to keys that their grantee has replaced, made anew for the keys in force. Must not
//! decide whether those may be sealed to.

use super::given::GrantPhase;
use crate::error::{ClientError, Result};
use crate::people::Contact;
use crate::session::Unlocked;

/// How often this is planned anew because another browser was faster.
const ROUNDS: usize = 8;

impl Unlocked {
    /// Makes anew every grant in force to someone that was sealed to keys before their current ones.
    pub(crate) async fn renew_grants_of(&self, contact: &Contact) -> Result<()> {
        for _ in 0..ROUNDS {
            if !self.has_live_grants()? {
                return Ok(());
            }
            let link = contact.current()?.hash;
            let mut plans = Vec::new();
            for given in self.grants().await? {
                let live = matches!(given.phase, GrantPhase::Active | GrantPhase::Upcoming);
                let theirs = given.grant.grantee == contact.account;
                if !live || !theirs || given.grant.grantee_link == link {
                    continue;
                }
                if let Some(mut plan) = Self::plan_again(&given) {
                    plan.revision = plan.revision.saturating_add(1);
                    plan.versions = self.version_keys(&plan.scope).await?;
                    plans.push(plan);
                }
            }
            if self.extend(plans, &mut super::Followed::default()).await? {
                return Ok(());
            }
        }
        Err(ClientError::Conflict("grant"))
    }
}
