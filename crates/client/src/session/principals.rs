//! Who may call for an account: principals that join it and that go. Must not know what opens it.

use super::Unlocked;
use crate::client::Client;
use crate::error::{ClientError, Result};
use crate::ledger::sign;
use candid::Principal;
use salus_crypto::sign::SigningKey;
use salus_protocol::keychain::Authority;
use salus_protocol::request::{Claim, Disclaim};
use salus_types::api::{AccountInfo, Signed};
use salus_types::{AccountId, Error, limits};

impl Client {
    /// Joins an account with a claim made for the caller by [`Unlocked::authorise`].
    ///
    /// # Errors
    /// The vault's.
    pub async fn claim(&self, claim: Signed) -> Result<AccountInfo> {
        self.update("principal_claim", (claim,)).await
    }

    /// Joins the caller to an account on the word of its recovery key.
    pub(super) async fn join(
        &self,
        account: AccountId,
        recovery: &SigningKey,
    ) -> Result<AccountInfo> {
        let sign = |at| {
            let claim = Claim {
                vault: self.vault_bytes().to_vec(),
                account,
                principal: self.caller().as_slice().to_vec(),
                by: Authority::Recovery,
                at,
            };
            sign(&claim, recovery)
        };
        self.later("principal_claim", sign).await
    }

    /// Ends a principal's right to call for an account, on the word of one of its keys.
    pub(super) async fn disclaim(
        &self,
        account: AccountId,
        principal: Principal,
        by: Authority,
        key: &SigningKey,
    ) -> Result<AccountInfo> {
        let sign = |at| {
            let disclaim = Disclaim {
                vault: self.vault_bytes().to_vec(),
                account,
                principal: principal.as_slice().to_vec(),
                by,
                at,
            };
            sign(&disclaim, key)
        };
        self.later("principal_remove", sign).await
    }

    /// Sends what is signed now; or, where it has to be later than something that was signed by a clock
    /// that is ahead, or in the same millisecond, what is signed for the moment after that.
    async fn later(
        &self,
        method: &'static str,
        sign: impl Fn(u64) -> Signed,
    ) -> Result<AccountInfo> {
        let now = self.now();
        let info: Result<AccountInfo> = self.update(method, (sign(now),)).await;
        match info {
            Err(ClientError::Vault(Error::Expired { at, .. }))
                if at >= now && at - now < limits::CLOCK_SKEW_MS =>
            {
                self.update(method, (sign(at.saturating_add(1)),)).await
            }
            other => other,
        }
    }
}

impl Unlocked {
    /// A claim with which `principal` may join this account by [`Client::claim`], once, within five
    /// minutes, and unless a principal is removed before.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn authorise(&self, principal: Principal) -> Result<Signed> {
        self.with(|keys| {
            let claim = Claim {
                vault: self.vault(),
                account: self.account(),
                principal: principal.as_slice().to_vec(),
                by: Authority::Identity,
                at: self.client.now(),
            };
            Ok(sign(&claim, &keys.bundle.current.signing))
        })
    }

    /// Ends a principal's right to call for this account, for instance a lost Internet Identity's.
    ///
    /// # Errors
    /// [`ClientError::Locked`] and the vault's.
    pub async fn remove_principal(&self, principal: Principal) -> Result<()> {
        let key = self.with(|keys| Ok(keys.bundle.current.signing.clone()))?;
        let (account, by) = (self.account(), Authority::Identity);
        let gone = self.client.disclaim(account, principal, by, &key).await;
        gone.map(drop)
    }

    /// Principals that may call for this account, as the vault tells.
    ///
    /// # Errors
    /// The vault's.
    pub async fn principals(&self) -> Result<Vec<Principal>> {
        let info = self.client.account().await?;
        Ok(info.ok_or(ClientError::NoAccount)?.principals)
    }
}
