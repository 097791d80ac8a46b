//! The certified state tree and the node's keys. Knows paths and bytes, not what they mean.

pub(crate) mod keys;
pub(crate) mod layout;

use crate::wire::value::leb128;
use ic_certification::{AsHashTree as _, HashTree, NestedTree, merge_hash_trees};
use keys::Keys;
use serde::Serialize;

/// A path of labels.
pub(crate) type Path = Vec<Vec<u8>>;

/// The state tree, without its time: that is put in when it is certified.
#[derive(Default)]
pub(crate) struct StateTree {
    tree: NestedTree<Vec<u8>, Vec<u8>>,
    version: u64,
}

/// A path made of anything that is bytes.
macro_rules! labels {
    ($($label:expr),+ $(,)?) => {
        vec![$(AsRef::<[u8]>::as_ref(&$label).to_vec()),+]
    };
}
pub(crate) use labels;

impl StateTree {
    /// Puts a value at a path.
    pub(crate) fn set(&mut self, path: &Path, value: &[u8]) {
        if self.tree.get(path).is_none_or(|old| old != value) {
            self.tree.insert(path, value.to_vec());
            self.version += 1;
        }
    }

    /// Removes what is at and below a path.
    pub(crate) fn remove(&mut self, path: &Path) {
        if self.tree.contains_path(path) {
            self.tree.delete(path);
            self.version += 1;
        }
    }

    /// Changes whenever the tree does.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The tree at `time` (ns), pruned to what the paths ask for and the time.
    pub(crate) fn witness(&mut self, paths: &[Path], time: u64) -> HashTree {
        let at = labels!["time"];
        self.tree.insert(&at, leb128(time.into()));
        let mut witness = self.tree.witness(&at);
        for path in paths {
            witness = merge_hash_trees(witness, self.tree.witness(path));
        }
        debug_assert_eq!(witness.digest(), self.tree.root_hash());
        witness
    }
}

/// Signs a witness as a certificate, CBOR.
pub(crate) fn certify(keys: &Keys, tree: &HashTree) -> Vec<u8> {
    #[derive(Serialize)]
    struct Certificate<'a> {
        tree: &'a HashTree,
        #[serde(with = "serde_bytes")]
        signature: &'a [u8],
    }
    let message = [b"\x0Dic-state-root".as_slice(), &tree.digest()].concat();
    let signature = keys.sign_root(&message);
    let mut out = vec![0xd9, 0xd9, 0xf7];
    // Serialising to memory cannot fail: the tree is made of bytes.
    let body = serde_cbor::to_vec(&Certificate {
        tree,
        signature: &signature,
    });
    out.extend(body.unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_certification::LookupResult;

    #[test]
    fn what_is_not_there_is_provably_absent_and_what_is_hidden_is_unknown() {
        let mut tree = StateTree::default();
        for i in 0..20_u8 {
            tree.set(&labels!["request_status", [i * 2], "status"], b"replied");
            tree.set(&labels!["canister", [i], "certified_data"], b"x");
        }
        let witness = tree.witness(
            &[
                labels!["request_status", [8]],
                labels!["request_status", [9]],
            ],
            5,
        );
        let status = |i: u8| {
            let path = labels!["request_status", [i], "status"];
            match witness.lookup_path(&path) {
                LookupResult::Found(_) => "found",
                LookupResult::Absent => "absent",
                LookupResult::Unknown => "unknown",
                LookupResult::Error => "error",
            }
        };
        assert_eq!(status(8), "found");
        assert_eq!(status(9), "absent");
        assert_eq!(status(30), "unknown");
        let hidden = labels!["canister", [3_u8], "certified_data"];
        assert!(matches!(
            witness.lookup_path(&hidden),
            LookupResult::Unknown
        ));
    }
}
