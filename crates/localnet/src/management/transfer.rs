//! Reading snapshots out of this node and bringing them in. What is uploaded goes through the
//! journal like everything else: a part is there whole or not at all.

use super::chunks::check_chunk;
use super::history::source;
use super::snapshots::MAX_SNAPSHOT_READ;
use super::{Call, contract, encode, invalid, node_failed, nothing};
use crate::exec::memory::{BackingFile, PAGE};
use crate::exec::run::Global;
use crate::exec::stable::WASM_PAGE;
use crate::node::places::Places;
use crate::node::snapshot::{LowMemory, Snapshot, SnapshotPlaces, Source, snapshot_id};
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use crate::wire::value::sha256;
use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterTimer, ChunkHash, OnLowWasmMemoryHookStatus, ReadCanisterSnapshotDataArgs,
    ReadCanisterSnapshotDataResult, ReadCanisterSnapshotMetadataArgs,
    ReadCanisterSnapshotMetadataResult, SnapshotDataKind, SnapshotDataOffset,
    SnapshotMetadataGlobal, UploadCanisterSnapshotDataArgs, UploadCanisterSnapshotMetadataArgs,
    UploadCanisterSnapshotMetadataResult,
};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// What an uploaded snapshot may have at most (published limits).
const MAX_MODULE: u64 = 100 << 20;
const MAX_HEAP: u64 = 4 << 30;
const MAX_STABLE: u64 = 500 << 30;
const MAX_GLOBALS: usize = 1_000;
const MAX_CERTIFIED: usize = 32;

impl Call<'_, '_> {
    /// A canister's snapshot, its number and its files.
    fn found(
        &mut self,
        id: Principal,
        snapshot: &[u8],
    ) -> Result<(u64, Snapshot, SnapshotPlaces), Reject> {
        let number = self.own_snapshot(id, snapshot)?;
        let places = Places::new(&self.transaction.node.dir, id).snapshot(number);
        let found = self.existing(id)?.state.snapshots.get(&number).cloned();
        let found = found.ok_or_else(|| node_failed("a snapshot vanished"))?;
        Ok((number, found, places))
    }

    pub(super) fn read_snapshot_metadata(&mut self) -> CallResult {
        let (args,): (ReadCanisterSnapshotMetadataArgs,) = self.decode()?;
        self.allowed(args.canister_id)?;
        let (_, snapshot, _) = self.found(args.canister_id, &args.snapshot_id)?;
        encode((ReadCanisterSnapshotMetadataResult {
            source: Some(source(snapshot.source == Source::Uploaded)),
            taken_at_timestamp: snapshot.taken_at,
            wasm_module_size: snapshot.module_len,
            globals: snapshot.globals.iter().map(|g| Some(shown(*g))).collect(),
            wasm_memory_size: snapshot.heap_len,
            stable_memory_size: snapshot.stable_len,
            wasm_chunk_store: snapshot
                .chunks
                .keys()
                .map(|hash| ChunkHash {
                    hash: hash.to_vec(),
                })
                .collect(),
            canister_version: snapshot.version,
            certified_data: snapshot.certified_data,
            global_timer: snapshot.timer.map(|at| match at {
                0 => CanisterTimer::Inactive,
                at => CanisterTimer::Active(at),
            }),
            on_low_wasm_memory_hook_status: snapshot.low_memory.map(|low| match low {
                LowMemory::No => OnLowWasmMemoryHookStatus::ConditionNotSatisfied,
                LowMemory::Ready => OnLowWasmMemoryHookStatus::Ready,
                LowMemory::Told => OnLowWasmMemoryHookStatus::Executed,
            }),
        },))
    }

    pub(super) fn read_snapshot_data(&mut self) -> CallResult {
        let (args,): (ReadCanisterSnapshotDataArgs,) = self.decode()?;
        self.allowed(args.canister_id)?;
        let (_, snapshot, files) = self.found(args.canister_id, &args.snapshot_id)?;
        let chunk = match args.kind {
            SnapshotDataKind::WasmModule { offset, size } => {
                let path = match snapshot.source {
                    Source::Uploaded => files.module(),
                    Source::Taken(hash) => {
                        crate::node::places::module_path(&self.transaction.node.dir, &hash)
                    }
                };
                read(path, offset, size, snapshot.module_len)?
            }
            SnapshotDataKind::WasmMemory { offset, size } => {
                read(files.heap(), offset, size, snapshot.heap_len)?
            }
            SnapshotDataKind::StableMemory { offset, size } => {
                read(files.stable(), offset, size, snapshot.stable_len)?
            }
            SnapshotDataKind::WasmChunk { hash } => {
                let known = snapshot
                    .chunks
                    .keys()
                    .find(|known| known.as_slice() == hash.as_slice())
                    .ok_or_else(|| {
                        let hash = hex::encode(&hash);
                        super::chunks::chunk_store_error(&format!(
                            "Chunk hash {hash} was not found"
                        ))
                    })?;
                std::fs::read(files.chunk(known)).map_err(node_failed)?
            }
        };
        encode((ReadCanisterSnapshotDataResult { chunk },))
    }

    pub(super) fn upload_snapshot_metadata(&mut self) -> CallResult {
        let (args,): (UploadCanisterSnapshotMetadataArgs,) = self.decode()?;
        let id = args.canister_id;
        let taken_at = self.now();
        let version = self.allowed(id)?.state.version;
        check_metadata(&args)?;
        let snapshot = Snapshot {
            source: Source::Uploaded,
            taken_at,
            version,
            module_len: args.wasm_module_size,
            heap_len: args.wasm_memory_size,
            globals: args
                .globals
                .iter()
                .map(kept)
                .collect::<Result<_, Reject>>()?,
            stable_len: args.stable_memory_size,
            certified_data: args.certified_data,
            timer: args.global_timer.map(|timer| match timer {
                CanisterTimer::Inactive => 0,
                CanisterTimer::Active(at) => at,
            }),
            low_memory: args.on_low_wasm_memory_hook_status.map(|low| match low {
                OnLowWasmMemoryHookStatus::ConditionNotSatisfied => LowMemory::No,
                OnLowWasmMemoryHookStatus::Ready => LowMemory::Ready,
                OnLowWasmMemoryHookStatus::Executed => LowMemory::Told,
            }),
            chunks: Default::default(),
        };
        let sizes = [snapshot.module_len, snapshot.heap_len, snapshot.stable_len];
        let number = self.add_snapshot(id, args.replace_snapshot.as_deref(), snapshot)?;
        let files = Places::new(&self.transaction.node.dir, id).snapshot(number);
        let made = || -> std::io::Result<()> {
            std::fs::create_dir_all(&files.dir)?;
            let paths = [files.module(), files.heap(), files.stable()];
            for (path, len) in paths.iter().zip(sizes) {
                File::create(path)?.set_len(len)?;
            }
            Ok(())
        };
        made().map_err(node_failed)?;
        encode((UploadCanisterSnapshotMetadataResult {
            snapshot_id: snapshot_id(id, number),
        },))
    }

    pub(super) fn upload_snapshot_data(&mut self) -> CallResult {
        let (args,): (UploadCanisterSnapshotDataArgs,) = self.decode()?;
        let id = args.canister_id;
        self.allowed(id)?;
        let (number, snapshot, files) = self.found(id, &args.snapshot_id)?;
        if snapshot.source != Source::Uploaded {
            let message = "Only canister snapshots created by metadata upload can be mutated.";
            return Err(Reject::new(4, "IC0409", message));
        }
        let (path, offset, len) = match args.kind {
            SnapshotDataOffset::WasmModule { offset } => {
                (files.module(), offset, snapshot.module_len)
            }
            SnapshotDataOffset::WasmMemory { offset } => (files.heap(), offset, snapshot.heap_len),
            SnapshotDataOffset::StableMemory { offset } => {
                (files.stable(), offset, snapshot.stable_len)
            }
            SnapshotDataOffset::WasmChunk => {
                let hash = sha256(&args.chunk);
                check_chunk(&args.chunk, &hash, snapshot.chunks.keys())?;
                persist::replace(&files.chunk(&hash), &args.chunk).map_err(node_failed)?;
                if let Some(snapshot) = self.existing(id)?.state.snapshots.get_mut(&number) {
                    snapshot.chunks.insert(hash, args.chunk.len() as u64);
                }
                return Ok(nothing());
            }
        };
        let size = args.chunk.len() as u64;
        check_slice(offset, size, len)?;
        let file = BackingFile::open(&path, len).map_err(node_failed)?;
        // In steps, so that one part of a large upload is not one large copy.
        let runs = args
            .chunk
            .chunks(256 * PAGE)
            .scan(offset, |at, part| {
                let here = *at;
                *at += part.len() as u64;
                Some((here, part.to_vec()))
            })
            .collect();
        self.transaction.write(id, &file, runs);
        Ok(nothing())
    }
}

fn check_metadata(args: &UploadCanisterSnapshotMetadataArgs) -> Result<(), Reject> {
    let problem = if args.wasm_module_size == 0 {
        "the Wasm module is empty"
    } else if args.wasm_module_size > MAX_MODULE {
        "the Wasm module is too large"
    } else if !args.wasm_memory_size.is_multiple_of(WASM_PAGE) {
        "the Wasm memory is not made of whole pages"
    } else if args.wasm_memory_size > MAX_HEAP {
        "the Wasm memory is too large"
    } else if !args.stable_memory_size.is_multiple_of(WASM_PAGE) {
        "the stable memory is not made of whole pages"
    } else if args.stable_memory_size > MAX_STABLE {
        "the stable memory is too large"
    } else if args.globals.len() > MAX_GLOBALS {
        "there are too many globals"
    } else if args.certified_data.len() > MAX_CERTIFIED {
        "the certified data is too long"
    } else {
        return Ok(());
    };
    Err(contract(format!(
        "Could not validate the settings: {problem}"
    )))
}

fn check_slice(offset: u64, size: u64, len: u64) -> Result<(), Reject> {
    match offset.checked_add(size) {
        Some(end) if end <= len => Ok(()),
        _ => Err(invalid(format!(
            "Invalid subslice into wasm module / main memory / stable memory: offset: {offset}, \
             size: {size}"
        ))),
    }
}

fn read(path: PathBuf, offset: u64, size: u64, len: u64) -> Result<Vec<u8>, Reject> {
    if size > MAX_SNAPSHOT_READ {
        return Err(invalid(format!(
            "Requested slice too large: {size} > {MAX_SNAPSHOT_READ}"
        )));
    }
    check_slice(offset, size, len)?;
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let file = File::open(path).map_err(node_failed)?;
    file.read_exact_at(&mut bytes, offset)
        .map_err(node_failed)?;
    Ok(bytes)
}

fn shown(global: Global) -> SnapshotMetadataGlobal {
    match global {
        Global::I32(value) => SnapshotMetadataGlobal::I32(value),
        Global::I64(value) => SnapshotMetadataGlobal::I64(value),
        Global::F32(bits) => SnapshotMetadataGlobal::F32(f32::from_bits(bits)),
        Global::F64(bits) => SnapshotMetadataGlobal::F64(f64::from_bits(bits)),
        Global::V128(value) => SnapshotMetadataGlobal::V128(value.into()),
    }
}

fn kept(global: &SnapshotMetadataGlobal) -> Result<Global, Reject> {
    Ok(match global {
        SnapshotMetadataGlobal::I32(value) => Global::I32(*value),
        SnapshotMetadataGlobal::I64(value) => Global::I64(*value),
        SnapshotMetadataGlobal::F32(value) => Global::F32(value.to_bits()),
        SnapshotMetadataGlobal::F64(value) => Global::F64(value.to_bits()),
        SnapshotMetadataGlobal::V128(value) => Global::V128(wide(value)?),
    })
}

fn wide(value: &Nat) -> Result<u128, Reject> {
    u128::try_from(value.0.clone()).map_err(|_| invalid("a global of 128 bits has more"))
}
