//! Certified heads: what the IC vouches for of an account, now. Must not know the chains themselves.

use crate::client::Client;
use crate::error::{IntegrityError, Result};
use crate::evidence::Proof;
use salus_protocol::certified::{CertifiedAccount, read_witness};
use salus_types::AccountId;
use salus_types::api::CertifiedHeads;

/// How old a certificate may be for what is true now: as long as the IC lets an ingress message
/// live, which is also what agents accept.
pub(crate) const CERTIFICATE_AGE_MS: u64 = 5 * 60_000;

/// Verified heads with what proves them.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    /// What is certified.
    pub(crate) certified: CertifiedAccount,
    /// When, ms since 1970.
    pub(crate) at: u64,
    /// The certified data that the witness leads to.
    pub(crate) data: [u8; 32],
    /// The proof, as it came.
    pub(crate) proof: CertifiedHeads,
}

impl Heads {
    /// The proof, to be kept.
    pub(crate) fn proof(&self) -> Proof {
        Proof {
            certificate: self.proof.certificate.to_vec(),
            witness: self.proof.witness.to_vec(),
        }
    }
}

impl Client {
    /// The certified heads of an account, verified, fresh, of this account, and not less than this
    /// device has seen certified before.
    pub(crate) async fn heads(&self, account: AccountId) -> Result<Heads> {
        let proof: CertifiedHeads = self.query("heads", (account,)).await?;
        let certified = self.transport().verify_certificate(&proof.certificate)?;
        let age_ms = self.now().saturating_sub(certified.at);
        if age_ms > CERTIFICATE_AGE_MS {
            return Err(IntegrityError::StaleCertificate { age_ms }.into());
        }
        let seen = read_witness(&proof.witness, &certified.data, proof.number)?;
        if seen.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let heads = Heads {
            certified: seen,
            at: certified.at,
            data: certified.data,
            proof,
        };
        self.weigh_heads(account, &heads).await?;
        Ok(heads)
    }
}
