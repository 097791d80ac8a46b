//! Witnesses: what they show resolves, what they hide does not, and no other data passes.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::*;
use ic_certification::HashTree;
use ic_certification::hash_tree::{empty, fork, label, leaf, pruned};
use salus_protocol::certified::*;
use salus_protocol::hash_tree;
use salus_types::api::Head;
use salus_types::{CompartmentId, Hash};

fn head(n: u8) -> Head {
    Head {
        count: u64::from(n),
        hash: Hash([n; 32]),
    }
}

fn leaves(feeds: u8, principals: u8) -> AccountLeaves {
    AccountLeaves {
        account: account(1),
        genesis: Hash([2; 32]),
        audit: head(3),
        feeds: Feeds::Heads(
            (0..feeds)
                .map(|n| (CompartmentId([n; 16]), head(n)))
                .collect(),
        ),
        keys: head(4),
        ledger: head(5),
        who: (1..=principals).map(|n| vec![n; 10]).collect(),
    }
}

fn whole(account: HashTree, number: u64) -> HashTree {
    let neighbour = pruned([7; 32]);
    let own = label(number.to_be_bytes(), account);
    label(ACCOUNTS, fork(neighbour, own))
}

#[test]
fn every_leaf_resolves_for_any_number_of_feeds_and_principals() {
    for feeds in 0..65 {
        let leaves = leaves(feeds, 1 + feeds % 8);
        let shown = Shown {
            audit: true,
            feeds: FeedsShown::All,
            keys: true,
            ledger: true,
            who: leaves.who.clone(),
        };
        let tree = whole(account_tree(&leaves, &shown), 12);
        let read = read_witness(&hash_tree::encode(&tree), &tree.digest(), 12).expect("reads");
        assert_eq!(read.account, account(1));
        assert_eq!(read.feeds.len(), usize::from(feeds));
        assert_eq!(read.who, leaves.who);
        assert_eq!(
            (read.audit, read.keys, read.ledger),
            (Some(head(3)), Some(head(4)), Some(head(5)))
        );
    }
}

#[test]
fn pruning_changes_what_is_seen_and_not_the_digest() {
    let leaves = leaves(9, 3);
    let full = account_tree(
        &leaves,
        &Shown {
            feeds: FeedsShown::All,
            ..Shown::default()
        },
    );
    let some = Shown {
        audit: true,
        feeds: FeedsShown::Some(vec![CompartmentId([4; 16])]),
        who: vec![vec![2; 10], vec![99]],
        ..Shown::default()
    };
    let pruned = account_tree(&leaves, &some);
    assert_eq!(full.digest(), pruned.digest());
    let tree = whole(pruned, 3);
    let read = read_witness(&hash_tree::encode(&tree), &tree.digest(), 3).expect("reads");
    assert_eq!(
        read.feeds.keys().copied().collect::<Vec<_>>(),
        vec![CompartmentId([4; 16])]
    );
    assert_eq!(read.who, vec![vec![2; 10]]);
    assert_eq!(
        (read.audit, read.keys, read.ledger),
        (Some(head(3)), None, None)
    );
    let cached = AccountLeaves {
        feeds: Feeds::Digest(
            feed_tree(
                &(0..9)
                    .map(|n| (CompartmentId([n; 16]), head(n)))
                    .collect::<Vec<_>>(),
                &FeedsShown::None,
            )
            .digest(),
        ),
        ..leaves
    };
    assert_eq!(
        account_tree(&cached, &Shown::default()).digest(),
        full.digest()
    );
}

#[test]
fn another_accounts_witness_or_other_certified_data_is_refused() {
    let tree = whole(account_tree(&leaves(2, 1), &Shown::default()), 3);
    let bytes = hash_tree::encode(&tree);
    assert_eq!(
        read_witness(&bytes, &tree.digest(), 4),
        Err(WitnessError::Missing)
    );
    assert_eq!(read_witness(&bytes, &[0; 32], 3), Err(WitnessError::Digest));
    for end in 0..bytes.len() {
        assert!(read_witness(&bytes[..end], &tree.digest(), 3).is_err());
    }
}

#[test]
fn empty_nodes_and_endless_depth_are_refused() {
    let padded: HashTree = fork(label("a", leaf(vec![1])), empty());
    assert!(hash_tree::decode(&hash_tree::encode(&padded)).is_err());
    let mut deep: HashTree = leaf(vec![1]);
    for _ in 0..200 {
        deep = fork(deep, pruned([0; 32]));
    }
    assert!(hash_tree::decode(&hash_tree::encode(&deep)).is_err());
    // Announces a label of 4 GiB.
    assert!(hash_tree::decode(&[0x83, 2, 0x5a, 0xff, 0xff, 0xff, 0xff, 1]).is_err());
}
