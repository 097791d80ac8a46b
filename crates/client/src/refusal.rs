//! Refusing what contradicts what this device remembers: the certified heads of an account are compared
//! with those remembered whenever they are read, and an answer that does not fit is weighed against them
//! before anyone is accused. Must not know the chains themselves.

use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::evidence::{Contradiction, Proof, contradiction, file};
use crate::heads::Heads;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_protocol::certified::{CertifiedAccount, read_witness};
use salus_types::AccountId;
use std::fmt;

const HEADS: &str = "certified";
const REFUSAL: &str = "refusal";

/// Whom a refusal is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Verdict {
    /// The network itself certifies less, or something else, than it did: the vault was rolled back or
    /// forked. There is evidence.
    #[n(0)]
    Vault,
    /// What answered showed something else than what the network certifies now.
    #[n(1)]
    Answer,
    /// What answered knows less than this device, and may just be behind.
    #[n(2)]
    Behind,
}

/// What was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What did not fit.
    pub error: IntegrityError,
    /// Whose account it is about.
    pub account: AccountId,
    /// Whom it is held against.
    pub verdict: Verdict,
    /// When what this device remembers was certified, ms since 1970.
    pub remembered_at: Option<u64>,
    /// When what it is compared with was.
    pub certified_at: Option<u64>,
    /// When it was refused, by this device's clock.
    pub refused_at: u64,
    /// A file for [`crate::evidence::verify_evidence`], if the vault is proven wrong.
    pub evidence: Option<Vec<u8>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.error)?;
        f.write_str(match self.verdict {
            Verdict::Vault => {
                "the network certifies something else than it did before, so the vault was rolled back or forked"
            }
            Verdict::Answer => "what answered does not show what the network certifies",
            Verdict::Behind => {
                "what answered knows less than this device has seen, and may just be behind: try again"
            }
        })
    }
}

/// A refusal as it is kept.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Kept {
    #[n(0)]
    what: String,
    #[n(1)]
    verdict: Verdict,
    #[n(2)]
    remembered_at: Option<u64>,
    #[n(3)]
    certified_at: Option<u64>,
    #[n(4)]
    refused_at: u64,
    #[cbor(n(5), with = "minicbor::bytes")]
    evidence: Option<Vec<u8>>,
}

/// The last refusal that this device keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRefusal {
    /// In words.
    pub what: String,
    /// Whom it was held against.
    pub verdict: Verdict,
    /// When what this device remembered was certified, ms since 1970.
    pub remembered_at: Option<u64>,
    /// When what it was compared with was.
    pub certified_at: Option<u64>,
    /// When it was refused.
    pub refused_at: u64,
    /// A file for [`crate::evidence::verify_evidence`], if there is evidence.
    pub evidence: Option<Vec<u8>>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Remembered {
    #[n(0)]
    number: u64,
    #[n(1)]
    at: u64,
    #[cbor(n(2), with = "minicbor::bytes")]
    data: [u8; 32],
    #[n(3)]
    proof: Proof,
}

impl Remembered {
    fn read(&self) -> Option<CertifiedAccount> {
        read_witness(&self.proof.witness, &self.data, self.number).ok()
    }
}

impl Client {
    /// Compares certified heads with those remembered and remembers them if they are newer.
    ///
    /// # Errors
    /// [`ClientError::Refused`].
    pub(crate) async fn weigh_heads(&self, account: AccountId, fresh: &Heads) -> Result<()> {
        let key = self.memory_key(HEADS, &account);
        let known = self.remembered_heads(account).await?;
        let before = known.as_ref().and_then(Remembered::read);
        if let (Some(known), Some(before)) = (&known, &before) {
            if let Some(found) = contradiction(before, &fresh.certified) {
                return Err(self.contradicted(account, known, fresh, &found).await);
            }
            if fresh.at <= known.at || *before == fresh.certified {
                return Ok(());
            }
        }
        let remembered = Remembered {
            number: fresh.certified.number,
            at: fresh.at,
            data: fresh.data,
            proof: fresh.proof(),
        };
        let bytes = canonical::encode(&remembered);
        let enough = |known: &[u8]| {
            canonical::decode::<Remembered>(known)
                .is_ok_and(|known| known.at > fresh.at && known.read().is_some())
        };
        self.remember_more(&key, &bytes, enough).await
    }

    async fn remembered_heads(&self, account: AccountId) -> Result<Option<Remembered>> {
        let key = self.memory_key(HEADS, &account);
        let bytes = self.memory().load(&key).await?;
        // What cannot be read is as good as not remembered.
        Ok(bytes.and_then(|bytes| canonical::decode(&bytes).ok()))
    }

    async fn contradicted(
        &self,
        account: AccountId,
        known: &Remembered,
        fresh: &Heads,
        found: &Contradiction,
    ) -> ClientError {
        // What was certified earlier may well be less.
        let proven = fresh.at > known.at;
        let evidence = proven.then(|| {
            let proofs = (known.proof.clone(), fresh.proof());
            let number = fresh.certified.number;
            file(self.vault_bytes(), account, number, proofs, self.root_key())
        });
        self.refuse(Refusal {
            error: found.error(),
            account,
            verdict: if proven {
                Verdict::Vault
            } else {
                Verdict::Behind
            },
            remembered_at: Some(known.at),
            certified_at: Some(fresh.at),
            refused_at: self.now(),
            evidence,
        })
        .await
    }

    /// What a failure about an account's chains means: before anyone is accused, the network is asked
    /// what it certifies. Other failures stay as they are.
    pub(crate) async fn explained<T>(&self, account: AccountId, result: Result<T>) -> Result<T> {
        let Err(ClientError::Integrity(error)) = &result else {
            return result;
        };
        if !error.is_about_growth() {
            return result;
        }
        let error = *error;
        let certified_at = match self.heads(account).await {
            Ok(heads) => Some(heads.at),
            Err(refused @ ClientError::Refused(_)) => return Err(refused),
            // Whether the network certifies it is not known.
            Err(_) => None,
        };
        let remembered = self.remembered_heads(account).await?;
        Err(self
            .refuse(Refusal {
                error,
                account,
                verdict: Verdict::Answer,
                remembered_at: remembered.map(|known| known.at),
                certified_at,
                refused_at: self.now(),
                evidence: None,
            })
            .await)
    }

    /// Keeps a refusal for [`Self::last_refusal`], unless it accuses nobody or there is evidence of an
    /// earlier one and none of this.
    async fn refuse(&self, refusal: Refusal) -> ClientError {
        let key = self.memory_key(REFUSAL, &refusal.account);
        let kept = Kept {
            what: refusal.to_string(),
            verdict: refusal.verdict,
            remembered_at: refusal.remembered_at,
            certified_at: refusal.certified_at,
            refused_at: refusal.refused_at,
            evidence: refusal.evidence.clone(),
        };
        let before = self.last_refusal(refusal.account).await;
        let better = matches!(before, Ok(Some(before)) if before.evidence.is_some());
        if refusal.verdict != Verdict::Behind && (refusal.evidence.is_some() || !better) {
            // Not to be able to keep it must not hide it.
            let _ = self.memory().save(&key, &canonical::encode(&kept)).await;
        }
        ClientError::Refused(Box::new(refusal))
    }

    /// What this device refused last of each account of this vault, and has kept.
    ///
    /// # Errors
    /// [`ClientError::Memory`].
    pub async fn refusals(&self) -> Result<Vec<(AccountId, KeptRefusal)>> {
        let prefix = format!("{}/", self.vault());
        let mut out = Vec::new();
        for key in self.memory().keys(&prefix).await? {
            let account = key.strip_prefix(&prefix).and_then(|rest| {
                let (account, kind) = rest.split_once('/')?;
                (kind == REFUSAL).then_some(account)?.parse().ok()
            });
            if let Some(account) = account
                && let Some(kept) = self.last_refusal(account).await?
            {
                out.push((account, kept));
            }
        }
        Ok(out)
    }

    /// What this device refused last of an account, and has kept.
    ///
    /// # Errors
    /// [`ClientError::Memory`].
    pub async fn last_refusal(&self, account: AccountId) -> Result<Option<KeptRefusal>> {
        let key = self.memory_key(REFUSAL, &account);
        let bytes = self.memory().load(&key).await?;
        let kept: Option<Kept> = bytes.and_then(|bytes| canonical::decode(&bytes).ok());
        Ok(kept.map(|kept| KeptRefusal {
            what: kept.what,
            verdict: kept.verdict,
            remembered_at: kept.remembered_at,
            certified_at: kept.certified_at,
            refused_at: kept.refused_at,
            evidence: kept.evidence,
        }))
    }
}
