//! The audit trail: fetched, followed from its beginning, compared with what is certified and with
//! what this device remembers, and exported as a file that proves itself without a network.
//!
//! Must not put events into words.

mod export;

pub use export::{Export, ExportError, verify_export};

use crate::client::Client;
use crate::error::{Chain, IntegrityError, Result};
use crate::heads::Heads;
use crate::remembered::{Grown, check_growth};
use crate::session::Unlocked;
use crate::surroundings::{Progress, Stage, go_on};
use salus_protocol::chain::{self, Link, LinkError, follow_audit, pseudonym};
use salus_types::api::{AuditGet, AuditItem, AuditPage, Head, Pseudonym};
use salus_types::{AccountId, Hash};
use std::collections::BTreeMap;

pub use salus_protocol::chain::{AuditEntry, AuditEvent};

/// How often a trail that grows while it is read is read on.
const ROUNDS: usize = 5;

/// An audit trail that was verified.
#[derive(Clone, Debug)]
pub struct Trail {
    /// Whose.
    pub owner: AccountId,
    /// Entries this account may see, oldest first.
    pub entries: Vec<AuditEntry>,
    /// Whom the pseudonyms stand for, as far as known.
    pub names: BTreeMap<Hash, AccountId>,
    /// What verification found.
    pub verification: Verification,
    proof: Proof,
}

/// What verification found. That it exists says that everything fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Entries whose hashes were recomputed or taken as given, and chained.
    pub entries: u64,
    /// Of these, entries of which only the hash is shown, because they concern others.
    pub hidden: u64,
    /// Names that were recomputed from their salts.
    pub names: u64,
    /// The chain's head, which is the certified one.
    pub head: Head,
    /// The time in the network's certificate, ms since 1970.
    pub certified_at: u64,
    /// The chain was known up to here before, and contains what was known.
    pub known_before: u64,
}

#[derive(Clone, Debug)]
struct Proof {
    items: Vec<AuditItem>,
    names: Vec<Pseudonym>,
    heads: Heads,
}

impl Trail {
    /// What proves where it ends.
    pub(crate) const fn heads(&self) -> &Heads {
        &self.proof.heads
    }

    /// Entries and names as the vault showed them.
    pub(crate) fn shown(&self) -> (&[AuditItem], &[Pseudonym]) {
        (&self.proof.items, &self.proof.names)
    }
}

pub(crate) fn link(item: &AuditItem) -> Link<'_> {
    match item {
        AuditItem::Entry(bytes) => Link::Entry(bytes),
        AuditItem::Hidden(hash) => Link::Hidden(*hash),
    }
}

/// Recomputes pseudonyms.
pub(crate) fn check_names(
    names: &[Pseudonym],
) -> std::result::Result<BTreeMap<Hash, AccountId>, IntegrityError> {
    let mut out = BTreeMap::new();
    for name in names {
        let salt: &[u8; 32] = name
            .salt
            .as_slice()
            .try_into()
            .map_err(|_| IntegrityError::Pseudonym)?;
        if pseudonym(salt, &name.account) != name.pseudonym {
            return Err(IntegrityError::Pseudonym);
        }
        out.insert(name.pseudonym, name.account);
    }
    Ok(out)
}

fn broken(error: LinkError) -> IntegrityError {
    IntegrityError::Broken {
        chain: Chain::Audit,
        error,
    }
}

struct Followed {
    items: Vec<AuditItem>,
    entries: Vec<AuditEntry>,
    names: Vec<Pseudonym>,
    head: Head,
    known: Head,
    hash_at_known: Option<Hash>,
}

impl Followed {
    /// Takes a page; remembers the hash the chain has where it was known to be.
    fn take(&mut self, page: AuditPage) -> std::result::Result<(), IntegrityError> {
        let to_known = self.known.count.checked_sub(self.head.count);
        let split = to_known
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n <= page.entries.len())
            .unwrap_or(0);
        let (first, second) = page.entries.split_at(split);
        for part in [first, second] {
            let (entries, head) =
                follow_audit(&self.head, part.iter().map(link)).map_err(broken)?;
            self.entries.extend(entries);
            self.head = head;
            if self.head.count == self.known.count {
                self.hash_at_known = Some(self.head.hash);
            }
        }
        self.names.extend(page.names);
        self.items.extend(page.entries);
        Ok(())
    }
}

impl Client {
    async fn follow_trail(
        &self,
        owner: AccountId,
        followed: &mut Followed,
        progress: &dyn Progress,
    ) -> Result<()> {
        loop {
            go_on(progress)?;
            let get = AuditGet {
                owner,
                from: followed.head.count,
            };
            let page: AuditPage = self.query("audit_page", (get,)).await?;
            let (shown, empty) = (page.head.clone(), page.entries.is_empty());
            followed.take(page)?;
            progress.report(Stage::Checking, followed.head.count, shown.count);
            if followed.head.count >= shown.count {
                if followed.head.count == shown.count && followed.head != shown {
                    return Err(broken(LinkError::WrongHead(shown.count)).into());
                }
                return Ok(());
            }
            if empty {
                return Err(IntegrityError::Malformed("an empty page of the audit trail").into());
            }
        }
    }

    /// Fetches and verifies an audit trail: one's own in full, or what concerns oneself in that of
    /// someone who gave one a grant; the chain verifies either way. Remembers its head.
    ///
    /// # Errors
    /// [`IntegrityError`]: broken, rolled back, forked, not certified, a name that does not fit.
    pub async fn audit(
        &self,
        owner: AccountId,
        genesis: Hash,
        progress: &dyn Progress,
    ) -> Result<Trail> {
        let read = self.audit_once(owner, genesis, progress).await;
        self.explained(owner, read).await
    }

    async fn audit_once(
        &self,
        owner: AccountId,
        genesis: Hash,
        progress: &dyn Progress,
    ) -> Result<Trail> {
        let known = self.known_head(owner, Chain::Audit).await?;
        let known = known.unwrap_or(chain::EMPTY);
        let mut followed = Followed {
            items: Vec::new(),
            entries: Vec::new(),
            names: Vec::new(),
            head: chain::EMPTY,
            known,
            hash_at_known: None,
        };
        for _ in 0..ROUNDS {
            self.follow_trail(owner, &mut followed, progress).await?;
            let grown = Grown {
                head: &followed.head,
                hash_at: followed.hash_at_known,
            };
            check_growth(Chain::Audit, &followed.known, &grown)?;
            let heads = self.heads(owner).await?;
            if heads.certified.genesis != genesis {
                return Err(IntegrityError::KeyChanged { account: owner }.into());
            }
            if heads.certified.audit.as_ref() == Some(&followed.head) {
                self.remember_head(owner, Chain::Audit, &followed.head)
                    .await?;
                return finish(owner, followed, heads).map_err(Into::into);
            }
        }
        Err(IntegrityError::NotCertified {
            chain: Chain::Audit,
        }
        .into())
    }
}

fn finish(
    owner: AccountId,
    followed: Followed,
    heads: Heads,
) -> std::result::Result<Trail, IntegrityError> {
    let mut pseudonyms = followed.names;
    pseudonyms.sort_by_key(|n| n.pseudonym);
    pseudonyms.dedup();
    let names = check_names(&pseudonyms)?;
    let entries = followed.items.len() as u64;
    Ok(Trail {
        owner,
        verification: Verification {
            entries,
            hidden: entries.saturating_sub(followed.entries.len() as u64),
            names: names.len() as u64,
            head: followed.head,
            certified_at: heads.at,
            known_before: followed.known.count,
        },
        names,
        entries: followed.entries,
        proof: Proof {
            items: followed.items,
            names: pseudonyms,
            heads,
        },
    })
}

impl Unlocked {
    /// One's own audit trail, verified.
    ///
    /// # Errors
    /// As [`Client::audit`].
    pub async fn audit_trail(&self, progress: &dyn Progress) -> Result<Trail> {
        self.client()
            .audit(self.account(), self.genesis(), progress)
            .await
    }
}
