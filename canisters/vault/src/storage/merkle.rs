//! The certified tree: a dense Merkle tree over account numbers in stable memory.
//!
//! Its shape is that of RFC 6962 (a tree over n > 1 leaves splits at the largest power of two
//! below n), its hashes are those of a standard IC hash tree of forks over labelled subtrees, the
//! label of account i being i as 8 big-endian bytes. Complete subtrees are stored in a flat
//! in-order array; the incomplete right edge is computed when asked for. Appending, updating and
//! proving are O(log n), and an upgrade rebuilds nothing. Must not know what an account's subtree
//! contains.
//!
//! ```text
//! byte 0   magic "SMT" ‖ version 1
//! byte 8   number of leaves, u64 big-endian
//! byte 64  hashes of 32 bytes; the node of level l and index i is at position i·2^(l+1) + 2^l − 1
//! ```

use super::StorageError;
use ic_certification::{HashTree, fork, label, pruned};
use ic_stable_structures::Memory;
use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Digest32 = [u8; 32];

const MAGIC: [u8; 4] = *b"SMT\x01";
const COUNT_AT: u64 = 8;
const NODES_AT: u64 = 64;
const HASH_LEN: u64 = 32;
const PAGE: u64 = 65_536;

/// Digest of a fork of an IC hash tree.
pub fn fork_digest(left: &Digest32, right: &Digest32) -> Digest32 {
    let mut hasher = Sha256::new();
    hasher.update(b"\x10ic-hashtree-fork");
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Digest of a labelled subtree of an IC hash tree.
pub fn labeled_digest(name: &[u8], subtree: &Digest32) -> Digest32 {
    let mut hasher = Sha256::new();
    hasher.update(b"\x13ic-hashtree-labeled");
    hasher.update(name);
    hasher.update(subtree);
    hasher.finalize().into()
}

/// Digest of a leaf of an IC hash tree.
pub fn leaf_digest(content: &[u8]) -> Digest32 {
    let mut hasher = Sha256::new();
    hasher.update(b"\x10ic-hashtree-leaf");
    hasher.update(content);
    hasher.finalize().into()
}

/// The label of an account in the tree.
pub fn account_label(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

fn position(level: u32, index: u64) -> u64 {
    (index << (level + 1)) + (1 << level) - 1
}

/// The largest power of two below `n`, for n > 1.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The tree.
pub struct MerkleTree<M: Memory> {
    memory: M,
    count: u64,
}

impl<M: Memory> MerkleTree<M> {
    /// Opens the tree that is there, or makes an empty one in empty memory.
    pub fn init(memory: M) -> Result<Self, StorageError> {
        if memory.size() == 0 {
            if memory.grow(1) < 0 {
                return Err(StorageError::Full);
            }
            memory.write(0, &MAGIC);
            return Ok(Self { memory, count: 0 });
        }
        let mut magic = [0; 4];
        memory.read(0, &mut magic);
        if magic != MAGIC {
            return Err(StorageError::Foreign("merkle"));
        }
        let mut count = [0; 8];
        memory.read(COUNT_AT, &mut count);
        Ok(Self {
            memory,
            count: u64::from_be_bytes(count),
        })
    }

    /// Number of leaves.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn read(&self, level: u32, index: u64) -> Digest32 {
        let mut hash = [0; 32];
        self.memory
            .read(NODES_AT + position(level, index) * HASH_LEN, &mut hash);
        hash
    }

    fn write(&mut self, level: u32, index: u64, hash: &Digest32) -> Result<(), StorageError> {
        let at = NODES_AT + position(level, index) * HASH_LEN;
        let pages = (at + HASH_LEN).div_ceil(PAGE);
        let have = self.memory.size();
        if pages > have && self.memory.grow(pages - have) < 0 {
            return Err(StorageError::Full);
        }
        self.memory.write(at, hash);
        Ok(())
    }

    /// Appends the next account; its number.
    pub fn push(&mut self, subtree: &Digest32) -> Result<u64, StorageError> {
        let number = self.count;
        let count = number + 1;
        // The widest node that becomes complete lies left of the leaf, so if the leaf fits, all do.
        self.write(0, number, &labeled_digest(&account_label(number), subtree))?;
        self.count = count;
        self.memory.write(COUNT_AT, &count.to_be_bytes());
        self.rehash_above(number)?;
        Ok(number)
    }

    /// Replaces an account's subtree.
    pub fn update(&mut self, number: u64, subtree: &Digest32) -> Result<(), StorageError> {
        if number >= self.count {
            return Err(StorageError::NoSuchLeaf);
        }
        self.write(0, number, &labeled_digest(&account_label(number), subtree))?;
        self.rehash_above(number)
    }

    fn rehash_above(&mut self, number: u64) -> Result<(), StorageError> {
        let mut level = 1;
        while level < 64 && ((number >> level) + 1) << level <= self.count {
            let index = number >> level;
            let left = self.read(level - 1, index * 2);
            let right = self.read(level - 1, index * 2 + 1);
            self.write(level, index, &fork_digest(&left, &right))?;
            level += 1;
        }
        Ok(())
    }

    /// Digest of the subtree over `n` leaves from `start` on; `start` is a multiple of the
    /// smallest power of two that holds `n`.
    fn digest_of(&self, start: u64, n: u64) -> Digest32 {
        if n.is_power_of_two() {
            let level = n.trailing_zeros();
            return self.read(level, start >> level);
        }
        let left = split(n);
        fork_digest(
            &self.digest_of(start, left),
            &self.digest_of(start + left, n - left),
        )
    }

    /// The root; `None` while there is no account.
    pub fn root(&self) -> Option<Digest32> {
        (self.count > 0).then(|| self.digest_of(0, self.count))
    }

    /// A hash tree with the same root in which only the account's subtree, supplied by the
    /// caller, is visible.
    pub fn witness(&self, number: u64, subtree: HashTree) -> Result<HashTree, StorageError> {
        if number >= self.count {
            return Err(StorageError::NoSuchLeaf);
        }
        Ok(self.witness_in(0, self.count, number, subtree))
    }

    fn witness_in(&self, start: u64, n: u64, number: u64, subtree: HashTree) -> HashTree {
        if n == 1 {
            return label(account_label(number), subtree);
        }
        let left = split(n);
        if number < start + left {
            fork(
                self.witness_in(start, left, number, subtree),
                pruned(self.digest_of(start + left, n - left)),
            )
        } else {
            fork(
                pruned(self.digest_of(start, left)),
                self.witness_in(start + left, n - left, number, subtree),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_certification::{LookupResult, leaf};
    use ic_stable_structures::VectorMemory;

    fn subtree(number: u64, round: u64) -> HashTree {
        label(
            "who",
            leaf([number.to_le_bytes(), round.to_le_bytes()].concat()),
        )
    }

    /// The same tree built from the library's own nodes.
    fn standard(start: u64, n: u64, round: u64) -> HashTree {
        if n == 1 {
            return label(start.to_be_bytes(), subtree(start, round));
        }
        let left = split(n);
        fork(
            standard(start, left, round),
            standard(start + left, n - left, round),
        )
    }

    #[test]
    fn root_equals_that_of_a_standard_tree_for_every_size() {
        let mut tree = MerkleTree::init(VectorMemory::default()).unwrap();
        assert_eq!(tree.root(), None);
        for n in 1..200 {
            let number = tree.push(&subtree(n - 1, 0).digest()).unwrap();
            assert_eq!(number, n - 1);
            assert_eq!(tree.root(), Some(standard(0, n, 0).digest()), "n = {n}");
        }
    }

    #[test]
    fn every_account_is_found_in_its_witness_and_no_other_is_absent() {
        let mut tree = MerkleTree::init(VectorMemory::default()).unwrap();
        for n in 1..200u64 {
            tree.push(&subtree(n - 1, 0).digest()).unwrap();
            let root = tree.root().unwrap();
            for number in 0..n {
                let witness = tree.witness(number, subtree(number, 0)).unwrap();
                assert_eq!(witness.digest(), root, "n = {n}, number = {number}");
                for other in 0..n {
                    let found = witness.lookup_path([&other.to_be_bytes()[..], b"who"]);
                    if other == number {
                        assert!(matches!(found, LookupResult::Found(_)), "{number} of {n}");
                    } else {
                        assert_eq!(
                            found,
                            LookupResult::Unknown,
                            "{other} beside {number} of {n}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn updates_change_the_root_as_a_rebuild_would() {
        let mut tree = MerkleTree::init(VectorMemory::default()).unwrap();
        for number in 0..77 {
            tree.push(&subtree(number, 0).digest()).unwrap();
        }
        for number in (0..77).rev() {
            tree.update(number, &subtree(number, 9).digest()).unwrap();
        }
        assert_eq!(tree.root(), Some(standard(0, 77, 9).digest()));
    }

    #[test]
    fn a_reopened_tree_goes_on_where_it_was() {
        let memory = VectorMemory::default();
        let mut tree = MerkleTree::init(memory.clone()).unwrap();
        for number in 0..5 {
            tree.push(&subtree(number, 0).digest()).unwrap();
        }
        drop(tree);
        let mut tree = MerkleTree::init(memory).unwrap();
        assert_eq!(tree.push(&subtree(5, 0).digest()).unwrap(), 5);
        assert_eq!(tree.root(), Some(standard(0, 6, 0).digest()));
    }

    #[test]
    fn an_unknown_number_is_refused_and_changes_nothing() {
        let mut tree = MerkleTree::init(VectorMemory::default()).unwrap();
        tree.push(&subtree(0, 0).digest()).unwrap();
        let root = tree.root();
        assert!(matches!(
            tree.update(1, &[0; 32]),
            Err(StorageError::NoSuchLeaf)
        ));
        assert!(matches!(
            tree.witness(1, subtree(1, 0)),
            Err(StorageError::NoSuchLeaf)
        ));
        assert_eq!(tree.root(), root);
    }

    #[test]
    fn foreign_memory_is_refused() {
        let memory = VectorMemory::default();
        memory.grow(1);
        memory.write(0, b"BTR\x02");
        assert!(matches!(
            MerkleTree::init(memory),
            Err(StorageError::Foreign("merkle"))
        ));
    }
}
