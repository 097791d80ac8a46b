//! What a certificate says of an account: the shape of its leaves, and reading them from a witness.
//!
//! `certified data` is the digest of `accounts/<number>/{account, audit, feed/<compartment>, keys,
//! ledger, who/<principal>}`. Numbers are 8 big-endian bytes. Must not know how the tree is stored or
//! how the IC's own certificate is verified.

use ic_certification::hash_tree::{fork, label, leaf, pruned};
use ic_certification::{HashTree, LookupResult};
use salus_types::api::Head;
use salus_types::{AccountId, CompartmentId, Hash};
use std::collections::BTreeMap;

/// Top label.
pub const ACCOUNTS: &str = "accounts";

/// What an account's leaves are made of.
#[derive(Clone, Debug)]
pub struct AccountLeaves {
    /// Which account.
    pub account: AccountId,
    /// Its genesis fingerprint.
    pub genesis: Hash,
    /// Its audit chain.
    pub audit: Head,
    /// Its feeds.
    pub feeds: Feeds,
    /// Its key chain.
    pub keys: Head,
    /// Its owner ledger.
    pub ledger: Head,
    /// Its principals, ascending; never empty.
    pub who: Vec<Vec<u8>>,
}

/// Feeds in full, or only the digest of their subtree.
#[derive(Clone, Debug)]
pub enum Feeds {
    /// Digest of [`feed_tree`].
    Digest([u8; 32]),
    /// Ascending by compartment.
    Heads(Vec<(CompartmentId, Head)>),
}

/// Which leaves a witness shows; `account` always is shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The audit head.
    pub audit: bool,
    /// These feeds' heads.
    pub feeds: FeedsShown,
    /// The key chain's head.
    pub keys: bool,
    /// The ledger's head.
    pub ledger: bool,
    /// These principals, as far as they are the account's.
    pub who: Vec<Vec<u8>>,
}

/// Which feeds a witness shows.
#[derive(Clone, Debug, Default)]
pub enum FeedsShown {
    /// None.
    #[default]
    None,
    /// These.
    Some(Vec<CompartmentId>),
    /// All.
    All,
}

fn head_leaf(head: &Head) -> HashTree {
    let mut bytes = head.count.to_be_bytes().to_vec();
    bytes.extend_from_slice(head.hash.as_bytes());
    leaf(bytes)
}

/// A binary tree over labelled subtrees in order, split at the largest power of two below their
/// number, as in RFC 6962, section 2.1.
fn over(trees: &[HashTree]) -> HashTree {
    match trees {
        [] => leaf(Vec::new()),
        [one] => one.clone(),
        many => {
            let split = many.len().next_power_of_two() / 2;
            let (left, right) = many.split_at(split);
            fork(over(left), over(right))
        }
    }
}

fn show(shown: bool, tree: HashTree) -> HashTree {
    if shown { tree } else { pruned(tree.digest()) }
}

/// The subtree of all feeds. Without any, a leaf of no bytes.
pub fn feed_tree(heads: &[(CompartmentId, Head)], shown: &FeedsShown) -> HashTree {
    let trees: Vec<HashTree> = heads
        .iter()
        .map(|(id, head)| {
            let visible = match shown {
                FeedsShown::None => false,
                FeedsShown::Some(list) => list.contains(id),
                FeedsShown::All => true,
            };
            show(visible, label(id.as_bytes(), head_leaf(head)))
        })
        .collect();
    over(&trees)
}

/// The subtree of an account, showing only some leaves. Its digest does not depend on what is shown.
pub fn account_tree(leaves: &AccountLeaves, shown: &Shown) -> HashTree {
    let mut account = leaves.account.as_bytes().to_vec();
    account.extend_from_slice(leaves.genesis.as_bytes());
    let feeds = match (&leaves.feeds, &shown.feeds) {
        (Feeds::Digest(digest), _) => label("feed", pruned(*digest)),
        (Feeds::Heads(heads), FeedsShown::None) => {
            show(false, label("feed", feed_tree(heads, &FeedsShown::None)))
        }
        (Feeds::Heads(heads), which) => label("feed", feed_tree(heads, which)),
    };
    let who: Vec<HashTree> = leaves
        .who
        .iter()
        .map(|p| show(shown.who.contains(p), label(p.clone(), leaf(Vec::new()))))
        .collect();
    over(&[
        label("account", leaf(account)),
        show(shown.audit, label("audit", head_leaf(&leaves.audit))),
        feeds,
        show(shown.keys, label("keys", head_leaf(&leaves.keys))),
        show(shown.ledger, label("ledger", head_leaf(&leaves.ledger))),
        show(!shown.who.is_empty(), label("who", over(&who))),
    ])
}

/// What a witness says of an account. What it does not show is absent, and absence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedAccount {
    /// Its dense number.
    pub number: u64,
    /// Which account.
    pub account: AccountId,
    /// Its genesis fingerprint.
    pub genesis: Hash,
    /// Its audit chain.
    pub audit: Option<Head>,
    /// Its feeds.
    pub feeds: BTreeMap<CompartmentId, Head>,
    /// Its key chain.
    pub keys: Option<Head>,
    /// Its owner ledger.
    pub ledger: Option<Head>,
    /// Principals of it that the witness shows.
    pub who: Vec<Vec<u8>>,
}

/// Why a witness is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// Not a hash tree, or one too deep or with empty nodes.
    #[error("malformed witness")]
    Malformed,
    /// Its digest is not the certified data.
    #[error("the witness does not belong to the certificate")]
    Digest,
    /// It does not show the account.
    #[error("the witness does not show the account")]
    Missing,
}

fn parse_head(bytes: &[u8]) -> Option<Head> {
    let (count, hash) = bytes.split_first_chunk::<8>()?;
    Some(Head {
        count: u64::from_be_bytes(*count),
        hash: Hash(hash.try_into().ok()?),
    })
}

fn head_at(tree: &HashTree, path: &[&[u8]]) -> Result<Option<Head>, WitnessError> {
    match tree.lookup_path(path) {
        LookupResult::Found(bytes) => parse_head(bytes).map(Some).ok_or(WitnessError::Malformed),
        _ => Ok(None),
    }
}

/// Reads what a witness shows of account `number`, after checking it against the certified data.
///
/// # Errors
/// Any [`WitnessError`].
pub fn read_witness(
    witness: &[u8],
    certified_data: &[u8; 32],
    number: u64,
) -> Result<CertifiedAccount, WitnessError> {
    let tree = crate::hash_tree::decode(witness).map_err(|_| WitnessError::Malformed)?;
    if tree.digest() != *certified_data {
        return Err(WitnessError::Digest);
    }
    let key = number.to_be_bytes();
    let base: [&[u8]; 2] = [ACCOUNTS.as_bytes(), &key];
    let at = |name: &'static str| [base[0], base[1], name.as_bytes()];
    let LookupResult::Found(account) = tree.lookup_path(at("account")) else {
        return Err(WitnessError::Missing);
    };
    let (id, genesis) = account
        .split_first_chunk::<16>()
        .ok_or(WitnessError::Malformed)?;
    let genesis = Hash(genesis.try_into().map_err(|_| WitnessError::Malformed)?);
    let mut feeds = BTreeMap::new();
    let mut who = Vec::new();
    for path in tree.list_paths() {
        let labels: Vec<&[u8]> = path.iter().map(|l| l.as_bytes()).collect();
        match labels.as_slice() {
            [a, n, kind, last] if *a == base[0] && *n == base[1] => match *kind {
                b"feed" => {
                    let id: [u8; 16] = (*last).try_into().map_err(|_| WitnessError::Malformed)?;
                    if let Some(head) = head_at(&tree, &[base[0], base[1], b"feed", last])? {
                        feeds.insert(CompartmentId(id), head);
                    }
                }
                b"who" => who.push(last.to_vec()),
                _ => {}
            },
            _ => {}
        }
    }
    Ok(CertifiedAccount {
        number,
        account: AccountId(*id),
        genesis,
        audit: head_at(&tree, &at("audit"))?,
        feeds,
        keys: head_at(&tree, &at("keys"))?,
        ledger: head_at(&tree, &at("ledger"))?,
        who,
    })
}
