//! What is certified of an account, and the witness that shows it. The shape is the protocol's;
//! here it is computed from cached digests. Must not know who may see what.

use crate::rows::{AccountRow, Chain, OutlineRow};
use crate::runtime::Runtime;
use crate::storage::merkle::{Digest32, fork_digest, labeled_digest, leaf_digest};
use crate::vault::{Owner, Vault};
use ic_certification::{HashTree, label};
use ic_stable_structures::Memory;
use salus_protocol::certified::{ACCOUNTS, AccountLeaves, Feeds, Shown, account_tree};
use salus_types::{CompartmentId, Error, Result};

/// Digest of a feed's labelled leaf.
pub(crate) fn feed_node(compartment: &CompartmentId, feed: &Chain) -> Digest32 {
    let mut content = [0; 40];
    let (count, hash) = content.split_at_mut(8);
    count.copy_from_slice(&feed.count.to_be_bytes());
    hash.copy_from_slice(feed.hash.as_bytes());
    labeled_digest(compartment.as_bytes(), &leaf_digest(&content))
}

fn feeds_digest(nodes: &[Digest32]) -> Digest32 {
    match nodes {
        [] => leaf_digest(&[]),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            fork_digest(&feeds_digest(left), &feeds_digest(right))
        }
    }
}

fn leaves(account: &AccountRow, feeds: Feeds) -> AccountLeaves {
    AccountLeaves {
        account: account.id,
        genesis: account.genesis,
        audit: account.audit.head(),
        feeds,
        keys: Chain {
            count: u64::from(account.links),
            hash: account.link,
        }
        .head(),
        ledger: account.ledger.head(),
        who: account.principals.iter().map(|p| p.to_vec()).collect(),
    }
}

/// Digest of an account's certified subtree.
pub(crate) fn account_digest(account: &AccountRow, outline: &OutlineRow) -> Digest32 {
    let nodes: Vec<Digest32> = outline.feeds.iter().map(|f| f.node).collect();
    let feeds = Feeds::Digest(feeds_digest(&nodes));
    account_tree(&leaves(account, feeds), &Shown::default()).digest()
}

/// An account's certified subtree, showing some leaves.
pub(crate) fn shown_tree(owner: &Owner, shown: &Shown) -> HashTree {
    let heads = owner
        .outline
        .feeds
        .iter()
        .map(|f| (f.compartment, f.feed.head()))
        .collect::<Vec<_>>();
    account_tree(&leaves(&owner.account, Feeds::Heads(heads)), shown)
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// The 32 bytes to certify.
    pub(crate) fn root(&self) -> Digest32 {
        let accounts = self.store.merkle.root().unwrap_or_else(|| leaf_digest(&[]));
        labeled_digest(ACCOUNTS.as_bytes(), &accounts)
    }

    /// Hands the root to the platform.
    pub(crate) fn certify(&mut self) {
        let root = self.root();
        self.runtime.certify(&root);
    }

    /// A hash tree from the certified data down to what is shown of one account.
    pub(crate) fn witness(&self, owner: &Owner, shown: &Shown) -> Result<HashTree> {
        let accounts = self
            .store
            .merkle
            .witness(owner.number, shown_tree(owner, shown));
        Ok(label(ACCOUNTS, accounts.map_err(Error::from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_protocol::certified::{FeedsShown, feed_tree};
    use salus_types::Hash;
    use salus_types::api::Head;

    #[test]
    fn cached_feed_digests_agree_with_the_protocol() {
        let mut heads = Vec::new();
        for n in 0..64u8 {
            let id = CompartmentId([n; 16]);
            heads.push((
                id,
                Head {
                    count: u64::from(n) * 1000,
                    hash: Hash([n ^ 0x55; 32]),
                },
            ));
            let nodes: Vec<_> = heads
                .iter()
                .map(|(id, head)| feed_node(id, &Chain::from(head.clone())))
                .collect();
            let expected = feed_tree(&heads, &FeedsShown::None).digest();
            assert_eq!(feeds_digest(&nodes), expected, "{n}");
        }
        assert_eq!(feeds_digest(&[]), feed_tree(&[], &FeedsShown::All).digest());
    }
}
