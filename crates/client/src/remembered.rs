//! The highest heads and the pinned key chains: how a rollback, a fork or a swapped key is noticed.
//! Must not know where they are kept, nor call the vault.

use crate::client::Client;
use crate::error::{Chain, IntegrityError, Result};
use crate::memory::MemoryError;
use minicbor::{Decode, Encode};
use salus_protocol::{KeyChain, canonical};
use salus_types::api::{Head, SignedLink};
use salus_types::{AccountId, Hash};
use serde_bytes::ByteBuf;

/// How often others may have been faster: tabs of one person, not a crowd.
const RACES: usize = 8;

#[derive(Encode, Decode)]
#[cbor(map)]
struct WireHead {
    #[n(0)]
    count: u64,
    #[n(1)]
    hash: Hash,
}

#[derive(PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct WireLink {
    #[cbor(n(0), with = "minicbor::bytes")]
    statement: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    possession: Vec<u8>,
}

/// Where a head stands in a chain that was followed from its beginning or from a remembered head.
pub(crate) struct Grown<'a> {
    /// The chain's head now.
    pub(crate) head: &'a Head,
    /// The hash the chain had after so many entries, if that was passed.
    pub(crate) hash_at: Option<Hash>,
}

/// Refuses a chain that does not contain what is known of it.
pub(crate) fn check_growth(
    chain: Chain,
    known: &Head,
    grown: &Grown<'_>,
) -> std::result::Result<(), IntegrityError> {
    if grown.head.count < known.count {
        return Err(IntegrityError::RolledBack {
            chain,
            known: known.count,
            seen: grown.head.count,
        });
    }
    let there = if grown.head.count == known.count {
        Some(grown.head.hash)
    } else {
        grown.hash_at
    };
    if there == Some(known.hash) || known.count == 0 {
        Ok(())
    } else {
        Err(IntegrityError::Forked {
            chain,
            at: known.count.saturating_sub(1),
        })
    }
}

fn kind(chain: Chain) -> String {
    match chain {
        Chain::Ledger => "ledger".into(),
        Chain::Audit => "audit".into(),
        Chain::Feed(id) => format!("feed-{id}"),
        Chain::Keys(_) => "keys".into(),
    }
}

impl Client {
    pub(crate) fn memory_key(&self, kind: &str, account: &AccountId) -> String {
        format!("{}/{account}/{kind}", self.vault())
    }

    pub(crate) async fn known_head(
        &self,
        account: AccountId,
        chain: Chain,
    ) -> Result<Option<Head>> {
        let key = self.memory_key(&kind(chain), &account);
        let Some(bytes) = self.memory().load(&key).await? else {
            return Ok(None);
        };
        // What cannot be read is as good as not remembered.
        Ok(canonical::decode::<WireHead>(&bytes).ok().map(|w| Head {
            count: w.count,
            hash: w.hash,
        }))
    }

    /// Remembers something that only grows, unless what lies there now is `enough`: another tab, or another
    /// process, may have seen more in the meantime.
    pub(crate) async fn remember_more(
        &self,
        key: &str,
        value: &[u8],
        enough: impl Fn(&[u8]) -> bool,
    ) -> Result<()> {
        for _ in 0..RACES {
            let before = self.memory().load(key).await?;
            if before.as_deref().is_some_and(&enough) {
                return Ok(());
            }
            let before = before.as_deref();
            if self.memory().replace(key, before, value).await? {
                return Ok(());
            }
        }
        Err(MemoryError("others keep changing it".into()).into())
    }

    /// Remembers a head unless a higher one is remembered already.
    pub(crate) async fn remember_head(
        &self,
        account: AccountId,
        chain: Chain,
        head: &Head,
    ) -> Result<()> {
        let key = self.memory_key(&kind(chain), &account);
        let bytes = canonical::encode(&WireHead {
            count: head.count,
            hash: head.hash,
        });
        let enough = |known: &[u8]| {
            canonical::decode::<WireHead>(known).is_ok_and(|known| known.count >= head.count)
        };
        self.remember_more(&key, &bytes, enough).await
    }

    /// The links of the key chain known of an account.
    pub(crate) async fn known_links(&self, account: AccountId) -> Result<Option<Vec<SignedLink>>> {
        let key = self.memory_key("keys", &account);
        let Some(bytes) = self.memory().load(&key).await? else {
            return Ok(None);
        };
        // What cannot be read is as good as not remembered.
        let links = canonical::decode::<Vec<WireLink>>(&bytes).ok();
        let signed = |l: WireLink| SignedLink {
            statement: ByteBuf::from(l.statement),
            signature: ByteBuf::from(l.signature),
            possession: ByteBuf::from(l.possession),
        };
        Ok(links.map(|links| links.into_iter().map(signed).collect()))
    }

    /// The key chain known of an account, verified again.
    pub(crate) async fn known_chain(&self, account: AccountId) -> Result<Option<KeyChain>> {
        let links = self.known_links(account).await?;
        Ok(links.and_then(|links| KeyChain::verify(&links, self.vault_bytes()).ok()))
    }

    /// Verifies the caller's own key chain against the one remembered and remembers it. What its
    /// recovery key overrides is overridden; other people's are for their contacts to judge.
    pub(crate) async fn accept_chain(
        &self,
        account: AccountId,
        links: &[SignedLink],
    ) -> Result<KeyChain> {
        let chain = KeyChain::verify(links, self.vault_bytes())?;
        if chain.account() != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let known = self.known_chain(account).await?;
        if let Some(known) = &known {
            let (pinned, recovery) = known.pin();
            if chain.check_pinned(&pinned, recovery).is_err() {
                let error = if chain.genesis_fingerprint() == known.genesis_fingerprint()
                    && chain.links().len() < pinned.len()
                {
                    IntegrityError::RolledBack {
                        chain: Chain::Keys(account),
                        known: pinned.len() as u64,
                        seen: chain.links().len() as u64,
                    }
                } else {
                    IntegrityError::KeyChanged { account }
                };
                return Err(error.into());
            }
        }
        if known.as_ref() != Some(&chain) {
            self.remember_links(account, links).await?;
        }
        Ok(chain)
    }

    /// Remembers a key chain in place of what was remembered, unless that goes on where this ends.
    pub(crate) async fn remember_links(
        &self,
        account: AccountId,
        links: &[SignedLink],
    ) -> Result<()> {
        let wire: Vec<WireLink> = links
            .iter()
            .map(|l| WireLink {
                statement: l.statement.to_vec(),
                signature: l.signature.to_vec(),
                possession: l.possession.to_vec(),
            })
            .collect();
        let key = self.memory_key("keys", &account);
        let enough = |known: &[u8]| {
            canonical::decode::<Vec<WireLink>>(known).is_ok_and(|known| known.starts_with(&wire))
        };
        self.remember_more(&key, &canonical::encode(&wire), enough)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(count: u64, byte: u8) -> Head {
        Head {
            count,
            hash: Hash([byte; 32]),
        }
    }

    #[test]
    fn a_shorter_chain_is_a_rollback_and_another_one_a_fork() {
        let grown = |head: &Head, at: Option<u8>| {
            check_growth(
                Chain::Audit,
                &self::head(3, 7),
                &Grown {
                    head,
                    hash_at: at.map(|b| Hash([b; 32])),
                },
            )
        };
        assert_eq!(grown(&head(3, 7), None), Ok(()));
        assert_eq!(grown(&head(5, 9), Some(7)), Ok(()));
        assert!(matches!(
            grown(&head(2, 7), None),
            Err(IntegrityError::RolledBack {
                known: 3,
                seen: 2,
                ..
            })
        ));
        assert!(matches!(
            grown(&head(3, 8), None),
            Err(IntegrityError::Forked { at: 2, .. })
        ));
        assert!(matches!(
            grown(&head(5, 9), Some(8)),
            Err(IntegrityError::Forked { .. })
        ));
        assert!(matches!(
            grown(&head(5, 9), None),
            Err(IntegrityError::Forked { .. })
        ));
    }
}
