//! Snapshots of a canister: taking, loading, listing and deleting them. A snapshot's memories are
//! copied before it is committed, and copied again when it is loaded: a load that fails, and one
//! that never ends, leave the canister as it was.

use super::history::is_uploaded;
use super::{About, Call, encode, invalid, node_failed, nothing, refuse};
use crate::exec::engine::{CanisterModule, compile};
use crate::exec::memory::BackingFile;
use crate::exec::run::Global;
use crate::exec::stable::WASM_PAGE;
use crate::node::history::Event;
use crate::node::places::{Places, module_path};
use crate::node::snapshot::{LowMemory, Snapshot, Source, copy, parse_snapshot_id, snapshot_id};
use crate::node::state::{HeapState, StableState, Task};
use crate::node::tasks::is_low;
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_management_canister_types::{
    DeleteCanisterSnapshotArgs, LoadCanisterSnapshotArgs, Snapshot as ShownSnapshot,
    TakeCanisterSnapshotArgs,
};
use std::sync::Arc;

/// Most snapshots of a canister (published limits).
const MAX_SNAPSHOTS: usize = 10;
/// Most bytes read of a snapshot at a time, as the IC's nodes have it.
pub(super) const MAX_SNAPSHOT_READ: u64 = 2_000_000;

/// A snapshot as it is listed.
fn shown(canister: Principal, number: u64, snapshot: &Snapshot) -> ShownSnapshot {
    ShownSnapshot {
        id: snapshot_id(canister, number),
        taken_at_timestamp: snapshot.taken_at,
        total_size: snapshot.size(),
    }
}

fn not_found(canister: Principal, id: &[u8]) -> Reject {
    let id = hex::encode(id);
    let message = format!("Could not find the snapshot ID {id} for canister {canister}.");
    Reject::new(3, "IC0305", message)
}

impl Call<'_, '_> {
    pub(super) fn take_snapshot(&mut self) -> CallResult {
        let (args,): (TakeCanisterSnapshotArgs,) = self.decode()?;
        let id = args.canister_id;
        let taken_at = self.now();
        let places = Places::new(&self.transaction.node.dir, id);
        let loaded = self.allowed(id)?.clone();
        let state = &loaded.state;
        let (Some(module), Some(hash)) = (&loaded.module, state.module) else {
            return Err(refuse(format!(
                "Failed to create snapshot for empty canister {id}"
            )));
        };
        let snapshot = Snapshot {
            source: Source::Taken(hash),
            taken_at,
            version: state.version,
            module_len: module.size as u64,
            heap_len: state.heap.len,
            globals: module.anatomy.list_globals(&state.heap.globals),
            stable_len: state.stable.pages * WASM_PAGE,
            certified_data: state.certified_data.clone(),
            timer: Some(state.timer),
            low_memory: Some(if state.low_wasm_memory {
                LowMemory::Told
            } else {
                LowMemory::No
            }),
            chunks: state.chunks.clone(),
        };
        let number = self.add_snapshot(id, args.replace_snapshot.as_deref(), snapshot.clone())?;
        let files = places.snapshot(number);
        let copied = || -> std::io::Result<()> {
            std::fs::create_dir_all(&files.dir)?;
            let heap = places.heap(state.heap.generation);
            copy(&heap, &files.heap(), snapshot.heap_len)?;
            let stable = places.stable(state.stable.generation);
            copy(&stable, &files.stable(), snapshot.stable_len)?;
            for (hash, len) in &snapshot.chunks {
                copy(&places.chunk(hash), &files.chunk(hash), *len)?;
            }
            Ok(())
        };
        copied().map_err(node_failed)?;
        if args.uninstall_code == Some(true) {
            self.uninstall(id, args.sender_canister_version)?;
        }
        encode((shown(id, number, &snapshot),))
    }

    /// Adds a snapshot, perhaps in place of another; its number.
    pub(super) fn add_snapshot(
        &mut self,
        id: Principal,
        replaced: Option<&[u8]>,
        snapshot: Snapshot,
    ) -> Result<u64, Reject> {
        if let Some(replaced) = replaced {
            self.remove_snapshot(id, replaced)?;
        }
        let state = &mut self.existing(id)?.state;
        if state.snapshots.len() >= MAX_SNAPSHOTS {
            return Err(refuse(format!(
                "Canister {id} has reached the maximum number of snapshots allowed: \
                 {MAX_SNAPSHOTS}."
            )));
        }
        let number = state.next_snapshot;
        state.next_snapshot += 1;
        state.snapshots.insert(number, snapshot);
        Ok(number)
    }

    fn remove_snapshot(&mut self, id: Principal, snapshot: &[u8]) -> Result<(), Reject> {
        let places = Places::new(&self.transaction.node.dir, id);
        let number = self.own_snapshot(id, snapshot)?;
        self.existing(id)?.state.snapshots.remove(&number);
        let dir = places.snapshot(number).dir;
        self.transaction.remove_later(dir);
        Ok(())
    }

    /// The number of a canister's own snapshot.
    pub(super) fn own_snapshot(&mut self, id: Principal, snapshot: &[u8]) -> Result<u64, Reject> {
        let (owner, number) = parse_snapshot_id(snapshot).ok_or_else(|| not_found(id, snapshot))?;
        if owner != id {
            return Err(refuse(format!(
                "The snapshot {} does not belong to canister {id}.",
                hex::encode(snapshot)
            )));
        }
        let state = &self.existing(id)?.state;
        if state.snapshots.contains_key(&number) {
            Ok(number)
        } else {
            Err(not_found(id, snapshot))
        }
    }

    pub(super) fn list_snapshots(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let state = &self.allowed(id)?.state;
        let listed: Vec<ShownSnapshot> = state
            .snapshots
            .iter()
            .map(|(number, snapshot)| shown(id, *number, snapshot))
            .collect();
        encode((listed,))
    }

    pub(super) fn delete_snapshot(&mut self) -> CallResult {
        let (args,): (DeleteCanisterSnapshotArgs,) = self.decode()?;
        self.allowed(args.canister_id)?;
        self.remove_snapshot(args.canister_id, &args.snapshot_id)?;
        Ok(nothing())
    }

    pub(super) fn load_snapshot(&mut self) -> CallResult {
        let (args,): (LoadCanisterSnapshotArgs,) = self.decode()?;
        let id = args.canister_id;
        self.allowed(id)?;
        let (owner, number) =
            parse_snapshot_id(&args.snapshot_id).ok_or_else(|| not_found(id, &args.snapshot_id))?;
        let snapshot = self.loadable(id, owner, number, &args.snapshot_id)?;
        let module = self.module_of(owner, number, &snapshot)?;
        let globals = mutable_globals(&module, &snapshot.globals)?;
        let low_memory = snapshot.low_memory.filter(|_| is_uploaded(snapshot.source));
        let is_low = is_low(&self.existing(id)?.state, snapshot.heap_len);
        if low_memory.is_some_and(|low| (low != LowMemory::No) != is_low) {
            return Err(invalid(
                "The hook status of the uploaded snapshot does not fit the canister's settings",
            ));
        }
        self.restore(id, owner, number, &snapshot, (module, globals))?;
        let event = Event::Loaded {
            from: (owner != id).then_some(owner),
            snapshot: args.snapshot_id,
            version: snapshot.version,
            taken_at: snapshot.taken_at,
            uploaded: is_uploaded(snapshot.source),
        };
        self.record(id, args.sender_canister_version, event)?;
        Ok(nothing())
    }

    /// A snapshot the caller may load: of a canister it controls.
    fn loadable(
        &mut self,
        id: Principal,
        owner: Principal,
        number: u64,
        snapshot: &[u8],
    ) -> Result<Snapshot, Reject> {
        let caller = self.caller;
        let state = match self.transaction.canister(owner) {
            Some(loaded) => &loaded.state,
            None => return Err(not_found(id, snapshot)),
        };
        let found = state.snapshots.get(&number);
        let found = found.ok_or_else(|| not_found(id, snapshot))?.clone();
        if !state.controllers.contains(&caller) {
            return Err(refuse(format!(
                "Only a controller of the canister that snapshot {} belongs to can load it on \
                 canister {id}. Sender: {caller}.",
                hex::encode(snapshot)
            )));
        }
        Ok(found)
    }

    /// A snapshot's module, ready to run.
    fn module_of(
        &self,
        owner: Principal,
        number: u64,
        snapshot: &Snapshot,
    ) -> Result<Arc<CanisterModule>, Reject> {
        let dir = &self.transaction.node.dir;
        let path = match snapshot.source {
            Source::Taken(hash) => module_path(dir, &hash),
            Source::Uploaded => Places::new(dir, owner).snapshot(number).module(),
        };
        let wasm = std::fs::read(path).map_err(node_failed)?;
        let wasm = wasm.get(..usize::try_from(snapshot.module_len).unwrap_or(usize::MAX));
        let wasm = wasm.ok_or_else(|| node_failed("a snapshot's module is cut"))?;
        let module = compile(wasm).map_err(|e| Reject::new(5, "IC0505", e.to_string()))?;
        let kept = module_path(dir, &module.hash);
        if !kept.exists() {
            persist::replace(&kept, wasm).map_err(node_failed)?;
        }
        Ok(module)
    }

    /// Makes a canister what a snapshot says.
    fn restore(
        &mut self,
        id: Principal,
        owner: Principal,
        number: u64,
        snapshot: &Snapshot,
        (module, globals): (Arc<CanisterModule>, Vec<Global>),
    ) -> Result<(), Reject> {
        let dir = &self.transaction.node.dir;
        let places = Places::new(dir, id);
        let files = Places::new(dir, owner).snapshot(number);
        let loaded = self.existing(id)?;
        let before = loaded.state.clone();
        let heap = HeapState {
            generation: before.heap.generation + 1,
            len: snapshot.heap_len,
            globals,
        };
        let stable = StableState {
            generation: before.stable.generation + 1,
            pages: snapshot.stable_len / WASM_PAGE,
        };
        let (heap_path, stable_path) = (
            places.heap(heap.generation),
            places.stable(stable.generation),
        );
        let copied = || -> std::io::Result<(Arc<BackingFile>, Arc<BackingFile>)> {
            copy(&files.heap(), &heap_path, snapshot.heap_len)?;
            copy(&files.stable(), &stable_path, snapshot.stable_len)?;
            for (hash, len) in &snapshot.chunks {
                // One that is stored already is the same, and must not be touched before the commit.
                if !before.chunks.contains_key(hash) {
                    copy(&files.chunk(hash), &places.chunk(hash), *len)?;
                }
            }
            Ok((
                BackingFile::open(&heap_path, snapshot.heap_len)?,
                BackingFile::open(&stable_path, snapshot.stable_len)?,
            ))
        };
        let (heap_file, stable_file) = copied().map_err(node_failed)?;
        loaded.heap = Some(heap_file);
        loaded.stable = stable_file;
        let state = &mut loaded.state;
        state.module = Some(module.hash);
        loaded.module = Some(module);
        state.heap = heap;
        state.stable = stable;
        state.certified_data.clone_from(&snapshot.certified_data);
        state.chunks.clone_from(&snapshot.chunks);
        if is_uploaded(snapshot.source)
            && let Some(timer) = snapshot.timer
        {
            state.timer = timer;
        }
        if is_uploaded(snapshot.source)
            && let Some(low) = snapshot.low_memory
        {
            state.low_wasm_memory = low != LowMemory::No;
            if low == LowMemory::Ready {
                self.transaction.tasks.push(Task::LowWasmMemory { to: id });
            }
        }
        let state = &mut self.existing(id)?.state;
        state.version += 1;
        for hash in before.chunks.keys() {
            if !snapshot.chunks.contains_key(hash) {
                self.transaction.remove_later(places.chunk(hash));
            }
        }
        if before.module.is_some() {
            self.transaction
                .remove_later(places.heap(before.heap.generation));
        }
        self.transaction
            .remove_later(places.stable(before.stable.generation));
        Ok(())
    }
}

/// The values of a module's mutable globals, if a snapshot's globals are the module's.
fn mutable_globals(module: &CanisterModule, listed: &[Global]) -> Result<Vec<Global>, Reject> {
    module.anatomy.mutable_globals(listed).ok_or_else(|| {
        invalid("Wasm exported globals of canister snapshot do not match those of its Wasm module")
    })
}
