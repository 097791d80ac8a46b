//! What plain operations cost, for benchmarks to stand beside: a raw write to stable memory, a
//! B-tree insert of the same bytes, their SHA-256, one Ed25519 verification.
//!
//! Never deployed for people. Must not know the vault. Every method answers the instructions that
//! its operation alone took, by `performance_counter(0)` before and after.

use ed25519_dalek::{Signature, VerifyingKey};
use ic_cdk::api::performance_counter;
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager, VirtualMemory};
use ic_stable_structures::{DefaultMemoryImpl, Memory, StableBTreeMap};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use std::cell::RefCell;

type Region = VirtualMemory<DefaultMemoryImpl>;

const RAW: MemoryId = MemoryId::new(0);
const TREE: MemoryId = MemoryId::new(1);
/// Stable memory pages are 64 KiB.
const PAGE: u64 = 65_536;

struct State {
    raw: Region,
    written: u64,
    tree: StableBTreeMap<u64, Vec<u8>, Region>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new({
        let regions = MemoryManager::init(DefaultMemoryImpl::default());
        State {
            raw: regions.get(RAW),
            written: 0,
            tree: StableBTreeMap::init(regions.get(TREE)),
        }
    });
}

fn measured(operation: impl FnOnce()) -> u64 {
    let before = performance_counter(0);
    operation();
    performance_counter(0).saturating_sub(before)
}

/// Appends the bytes to stable memory, with no structure at all.
#[ic_cdk::update]
fn raw_write(bytes: ByteBuf) -> u64 {
    STATE.with_borrow_mut(|state| {
        let end = state.written.saturating_add(bytes.len() as u64);
        let missing = end.div_ceil(PAGE).saturating_sub(state.raw.size());
        if missing > 0 && state.raw.grow(missing) < 0 {
            return 0;
        }
        let at = state.written;
        state.written = end;
        measured(|| state.raw.write(at, &bytes))
    })
}

/// Inserts the bytes under the next key of a `StableBTreeMap`.
#[ic_cdk::update]
fn tree_insert(bytes: ByteBuf) -> u64 {
    STATE.with_borrow_mut(|state| {
        let key = state.tree.len();
        let bytes = bytes.into_vec();
        measured(|| {
            state.tree.insert(key, bytes);
        })
    })
}

/// Hashes the bytes.
#[ic_cdk::update]
fn sha256(bytes: ByteBuf) -> u64 {
    let mut hash = [0u8; 32];
    let cost = measured(|| hash = Sha256::digest(&bytes).into());
    // The hash is used, so that computing it cannot be left out.
    cost.saturating_add(u64::from(hash == [0; 32]))
}

/// Verifies a signature, parsing the key included; answers 0 when it is not valid.
#[ic_cdk::update]
fn verify(key: ByteBuf, message: ByteBuf, signature: ByteBuf) -> u64 {
    let mut valid = false;
    let cost = measured(|| {
        let key = <[u8; 32]>::try_from(key.as_slice())
            .ok()
            .and_then(|k| VerifyingKey::from_bytes(&k).ok());
        let signature = Signature::from_slice(&signature).ok();
        if let (Some(key), Some(signature)) = (key, signature) {
            valid = key.verify_strict(&message, &signature).is_ok();
        }
    });
    if valid { cost } else { 0 }
}
