//! What is kept of a snapshot. Its memories are files in a folder of its own, copied when it is
//! taken and never written to again by the canister's messages.

use crate::exec::run::Global;
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Bytes compared and copied at a time: runs of zeroes of this length stay holes.
const STEP: usize = 1 << 16;

/// How a snapshot came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// Taken from a canister; its module has this hash.
    Taken(Hash),
    /// Uploaded; its module is a file beside its memories.
    Uploaded,
}

/// How far a canister was told that its heap has little room left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LowMemory {
    /// There is room.
    No,
    /// It is to be told.
    Ready,
    /// It was told.
    Told,
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// How it came about.
    pub(crate) source: Source,
    /// When, ns.
    pub(crate) taken_at: u64,
    /// Its canister's version then.
    pub(crate) version: u64,
    /// Bytes of the module as it was uploaded.
    pub(crate) module_len: u64,
    /// Bytes of the heap.
    pub(crate) heap_len: u64,
    /// Globals that are either exported or mutable, in the module's order.
    pub(crate) globals: Vec<Global>,
    /// Bytes of stable memory.
    pub(crate) stable_len: u64,
    /// Certified data.
    #[serde(with = "serde_bytes")]
    pub(crate) certified_data: Vec<u8>,
    /// The global timer, ns, zero for none; nothing when an upload did not say.
    pub(crate) timer: Option<u64>,
    /// Whether the heap had little room left; nothing when an upload did not say.
    pub(crate) low_memory: Option<LowMemory>,
    /// The chunk store: hash and length.
    pub(crate) chunks: BTreeMap<Hash, u64>,
}

impl Snapshot {
    /// Bytes counted for it.
    pub(crate) fn size(&self) -> u64 {
        let globals = 8 * self.globals.len() as u64;
        let data = self.certified_data.len() as u64;
        let chunks: u64 = self.chunks.values().sum();
        self.module_len + self.heap_len + self.stable_len + globals + data + chunks
    }
}

/// Where a snapshot's files are.
pub(crate) struct SnapshotPlaces {
    /// Its folder.
    pub(crate) dir: PathBuf,
}

impl SnapshotPlaces {
    /// The heap.
    pub(crate) fn heap(&self) -> PathBuf {
        self.dir.join("heap")
    }

    /// The stable memory.
    pub(crate) fn stable(&self) -> PathBuf {
        self.dir.join("stable")
    }

    /// The module of an uploaded snapshot.
    pub(crate) fn module(&self) -> PathBuf {
        self.dir.join("module")
    }

    /// A chunk.
    pub(crate) fn chunk(&self, hash: &Hash) -> PathBuf {
        self.dir.join(format!("chunk-{}", hex::encode(hash)))
    }
}

/// A snapshot's id: its number and its canister.
pub(crate) fn snapshot_id(canister: Principal, number: u64) -> Vec<u8> {
    [&number.to_be_bytes(), canister.as_slice()].concat()
}

/// The canister and the number of a snapshot's id.
pub(crate) fn parse_snapshot_id(id: &[u8]) -> Option<(Principal, u64)> {
    let (number, canister) = id.split_first_chunk::<8>()?;
    let canister = Principal::try_from_slice(canister).ok()?;
    Some((canister, u64::from_be_bytes(*number)))
}

/// Copies the first `len` bytes of a file to another, which becomes exactly that long. What is
/// missing in the first reads as zero.
pub(crate) fn copy(from: &Path, to: &Path, len: u64) -> io::Result<()> {
    let mut source = File::open(from)?.take(len);
    let target = File::create(to)?;
    target.set_len(len)?;
    let mut buffer = vec![0; STEP];
    let mut at = 0;
    loop {
        let count = source.read(&mut buffer)?;
        let part = buffer.get(..count).unwrap_or_default();
        if part.is_empty() {
            return Ok(());
        }
        if part.iter().any(|byte| *byte != 0) {
            target.write_all_at(part, at)?;
        }
        at += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_as_long_as_asked_for_and_equal() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        let mut bytes = vec![0; 3 * STEP];
        bytes[STEP + 7] = 1;
        bytes[3 * STEP - 1] = 2;
        std::fs::write(&from, &bytes).unwrap();
        std::fs::write(&to, vec![9; 5 * STEP]).unwrap();
        copy(&from, &to, 2 * STEP as u64).unwrap();
        assert_eq!(std::fs::read(&to).unwrap(), bytes[..2 * STEP]);
        copy(&from, &to, 4 * STEP as u64).unwrap();
        bytes.resize(4 * STEP, 0);
        assert_eq!(std::fs::read(&to).unwrap(), bytes);
    }

    #[test]
    fn an_id_names_its_canister() {
        let canister = Principal::from_slice(&[1; 10]);
        let id = snapshot_id(canister, 7);
        assert_eq!(parse_snapshot_id(&id), Some((canister, 7)));
        assert_eq!(parse_snapshot_id(b"short"), None);
        assert_eq!(parse_snapshot_id(&[1; 60]), None);
    }
}
