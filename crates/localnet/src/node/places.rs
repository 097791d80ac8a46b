//! Where a canister's files are in the state folder: names only, nothing is opened.

use crate::node::snapshot::SnapshotPlaces;
use crate::wire::value::Hash;
use candid::Principal;
use std::path::{Path, PathBuf};

/// Where a canister's files are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The canister's folder.
    pub(crate) dir: PathBuf,
}

impl Places {
    /// The places of a canister in a state folder.
    pub(crate) fn new(state: &Path, id: Principal) -> Self {
        Self {
            dir: state.join("canisters").join(id.to_text()),
        }
    }

    /// A heap.
    pub(crate) fn heap(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("heap-{generation}"))
    }

    /// A stable memory.
    pub(crate) fn stable(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("stable-{generation}"))
    }

    /// An uploaded chunk.
    pub(crate) fn chunk(&self, hash: &Hash) -> PathBuf {
        self.dir.join(format!("chunk-{}", hex::encode(hash)))
    }

    /// Folders of snapshots.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.dir.join("snapshots")
    }

    /// A snapshot.
    pub(crate) fn snapshot(&self, number: u64) -> SnapshotPlaces {
        SnapshotPlaces {
            dir: self.snapshots().join(number.to_string()),
        }
    }
}

/// Where an installed module is.
pub(crate) fn module_path(state: &Path, hash: &Hash) -> PathBuf {
    state
        .join("modules")
        .join(format!("{}.wasm", hex::encode(hash)))
}
