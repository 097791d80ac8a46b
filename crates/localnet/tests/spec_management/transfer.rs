//! "IC method read_canister_snapshot_metadata" and the sections after it: snapshots read out of a
//! node and brought into one.

use crate::common::management::{
    Refused, about, call, counted, events, increase, load, take, with,
};
use crate::common::{COUNTER, certified_data};
use candid::Principal;
use ic_agent::Agent;
use ic_management_canister_types::{
    CanisterTimer, ChangeDetails, ReadCanisterSnapshotDataArgs, ReadCanisterSnapshotDataResult,
    ReadCanisterSnapshotMetadataArgs, ReadCanisterSnapshotMetadataResult, SnapshotDataKind,
    SnapshotDataOffset, SnapshotMetadataGlobal, SnapshotSource, StoredChunksResult,
    UploadCanisterSnapshotDataArgs, UploadCanisterSnapshotMetadataArgs,
    UploadCanisterSnapshotMetadataResult, UploadChunkArgs,
};

async fn metadata(
    agent: &Agent,
    id: Principal,
    snapshot: &[u8],
) -> Result<ReadCanisterSnapshotMetadataResult, Refused> {
    let args = ReadCanisterSnapshotMetadataArgs {
        canister_id: id,
        snapshot_id: snapshot.to_vec(),
    };
    let (result,) = call(agent, id, "read_canister_snapshot_metadata", (args,)).await?;
    Ok(result)
}

async fn read(
    agent: &Agent,
    id: Principal,
    snapshot: &[u8],
    kind: SnapshotDataKind,
) -> Result<Vec<u8>, Refused> {
    let args = ReadCanisterSnapshotDataArgs {
        canister_id: id,
        snapshot_id: snapshot.to_vec(),
        kind,
    };
    let (result,): (ReadCanisterSnapshotDataResult,) =
        call(agent, id, "read_canister_snapshot_data", (args,)).await?;
    Ok(result.chunk)
}

async fn begin(
    agent: &Agent,
    args: UploadCanisterSnapshotMetadataArgs,
) -> Result<Vec<u8>, Refused> {
    let id = args.canister_id;
    let (result,): (UploadCanisterSnapshotMetadataResult,) =
        call(agent, id, "upload_canister_snapshot_metadata", (args,)).await?;
    Ok(result.snapshot_id)
}

async fn upload(
    agent: &Agent,
    id: Principal,
    snapshot: &[u8],
    kind: SnapshotDataOffset,
    chunk: &[u8],
) -> Result<(), Refused> {
    let args = UploadCanisterSnapshotDataArgs {
        canister_id: id,
        snapshot_id: snapshot.to_vec(),
        kind,
        chunk: chunk.to_vec(),
    };
    call(agent, id, "upload_canister_snapshot_data", (args,)).await
}

/// What an upload begins with, as it was read.
fn again(
    id: Principal,
    read: &ReadCanisterSnapshotMetadataResult,
) -> UploadCanisterSnapshotMetadataArgs {
    UploadCanisterSnapshotMetadataArgs {
        canister_id: id,
        replace_snapshot: None,
        wasm_module_size: read.wasm_module_size,
        globals: read.globals.iter().flatten().cloned().collect(),
        wasm_memory_size: read.wasm_memory_size,
        stable_memory_size: read.stable_memory_size,
        certified_data: read.certified_data.clone(),
        global_timer: read.global_timer.clone(),
        on_low_wasm_memory_hook_status: read.on_low_wasm_memory_hook_status.clone(),
    }
}

/// Reads everything of one snapshot and uploads it as another canister's.
async fn carry(agent: &Agent, from: Principal, snapshot: &[u8], to: Principal) -> Vec<u8> {
    let meta = metadata(agent, from, snapshot).await.unwrap();
    let new = begin(agent, again(to, &meta)).await.unwrap();
    let (offset, size) = (0, meta.wasm_module_size);
    let kind = SnapshotDataKind::WasmModule { offset, size };
    let bytes = read(agent, from, snapshot, kind).await.unwrap();
    // In two parts, the second one first.
    let (head, tail) = bytes.split_at(bytes.len() / 3);
    for (offset, part) in [(head.len() as u64, tail), (0, head)] {
        let kind = SnapshotDataOffset::WasmModule { offset };
        upload(agent, to, &new, kind, part).await.unwrap();
    }
    let size = meta.wasm_memory_size;
    let kind = SnapshotDataKind::WasmMemory { offset, size };
    let bytes = read(agent, from, snapshot, kind).await.unwrap();
    let kind = SnapshotDataOffset::WasmMemory { offset };
    upload(agent, to, &new, kind, &bytes).await.unwrap();
    let size = meta.stable_memory_size;
    let kind = SnapshotDataKind::StableMemory { offset, size };
    let bytes = read(agent, from, snapshot, kind).await.unwrap();
    let kind = SnapshotDataOffset::StableMemory { offset };
    upload(agent, to, &new, kind, &bytes).await.unwrap();
    for chunk in meta.wasm_chunk_store {
        let kind = SnapshotDataKind::WasmChunk { hash: chunk.hash };
        let bytes = read(agent, from, snapshot, kind).await.unwrap();
        let kind = SnapshotDataOffset::WasmChunk;
        upload(agent, to, &new, kind, &bytes).await.unwrap();
    }
    new
}

/// §read_canister_snapshot_*, §upload_canister_snapshot_*: what is read and uploaded again is the
/// same canister.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_carried_over_is_the_same_canister() {
    let (net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 6).await;
    let args = UploadChunkArgs {
        canister_id: id,
        chunk: b"a chunk".to_vec(),
    };
    let (_,): (ic_management_canister_types::ChunkHash,) =
        call(&agent, id, "upload_chunk", (args,)).await.unwrap();
    let snapshot = take(&agent, id).await.unwrap();
    let meta = metadata(&agent, id, &snapshot.id).await.unwrap();
    assert!(matches!(
        meta.source,
        Some(SnapshotSource::TakenFromCanister(_))
    ));
    assert_eq!(meta.taken_at_timestamp, snapshot.taken_at_timestamp);
    assert_eq!(meta.wasm_memory_size, 65_536);
    assert_eq!(meta.stable_memory_size, 65_536);
    assert_eq!(meta.certified_data, 6_u32.to_le_bytes());
    // Either exported or mutable.
    assert!(matches!(
        meta.globals[..],
        [
            Some(SnapshotMetadataGlobal::I32(4096)),
            Some(SnapshotMetadataGlobal::I32(6))
        ]
    ));
    assert!(matches!(meta.global_timer, Some(CanisterTimer::Inactive)));
    assert_eq!(meta.wasm_chunk_store.len(), 1);

    let other = net.create(&agent).await;
    let carried = carry(&agent, id, &snapshot.id, other).await;
    let new = metadata(&agent, other, &carried).await.unwrap();
    assert!(matches!(
        new.source,
        Some(SnapshotSource::MetadataUpload(_))
    ));
    load(&agent, other, &carried).await.unwrap();
    assert_eq!(counted(&agent, other).await, counted(&agent, id).await);
    let hash = async |id| agent.read_state_canister_info(id, "module_hash").await;
    assert_eq!(hash(other).await.unwrap(), hash(id).await.unwrap());
    assert_eq!(
        certified_data(&agent, other).await,
        certified_data(&agent, id).await
    );
    let (chunks,): (StoredChunksResult,) = about(&agent, other, "stored_chunks").await.unwrap();
    assert_eq!(chunks, meta.wasm_chunk_store);
    increase(&agent, other, 1).await;
    assert_eq!(counted(&agent, other).await, [7, 7, 7, 1, 1]);
    let past = events(&agent, other).await;
    let Some(ChangeDetails::LoadSnapshot(loaded)) = past.last() else {
        panic!("{past:?}");
    };
    assert!(matches!(loaded.source, SnapshotSource::MetadataUpload(_)));
}

/// §load_canister_snapshot: a snapshot whose globals or module do not fit is refused, and the
/// canister is what it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_changes_nothing() {
    let (_net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 2).await;
    let snapshot = take(&agent, id).await.unwrap();
    let meta = metadata(&agent, id, &snapshot.id).await.unwrap();
    increase(&agent, id, 3).await;
    let before = (
        counted(&agent, id).await,
        events(&agent, id).await,
        crate::common::management::status(&agent, id).await.unwrap(),
    );
    // Zeroes instead of a module.
    let empty = begin(&agent, again(id, &meta)).await.unwrap();
    let error = load(&agent, id, &empty).await.unwrap_err();
    error.is(5, "IC0505", "Wasm module");
    // A module whose global has another type, and one whose constant has another value.
    let mut args = again(id, &meta);
    args.globals[1] = SnapshotMetadataGlobal::I64(1);
    let crooked = begin(&agent, args).await.unwrap();
    let mut args = again(id, &meta);
    args.globals[0] = SnapshotMetadataGlobal::I32(1);
    let inconstant = begin(&agent, args).await.unwrap();
    let (offset, size) = (0, meta.wasm_module_size);
    let kind = SnapshotDataKind::WasmModule { offset, size };
    let module = read(&agent, id, &snapshot.id, kind).await.unwrap();
    for wrong in [&crooked, &inconstant] {
        let kind = SnapshotDataOffset::WasmModule { offset };
        upload(&agent, id, wrong, kind, &module).await.unwrap();
        let error = load(&agent, id, wrong).await.unwrap_err();
        error.is(4, "IC0408", "globals");
    }

    for snapshot in [&empty, &crooked, &inconstant] {
        let args = ic_management_canister_types::DeleteCanisterSnapshotArgs {
            canister_id: id,
            snapshot_id: snapshot.clone(),
        };
        call::<()>(&agent, id, "delete_canister_snapshot", (args,))
            .await
            .unwrap();
    }
    let after = (
        counted(&agent, id).await,
        events(&agent, id).await,
        crate::common::management::status(&agent, id).await.unwrap(),
    );
    assert_eq!(before.0, after.0);
    assert_eq!(before.1, after.1);
    assert_eq!(before.2.version, after.2.version);
    assert_eq!(
        before.2.memory_metrics.snapshots_size,
        after.2.memory_metrics.snapshots_size
    );
    increase(&agent, id, 1).await;
    assert_eq!(counted(&agent, id).await, [6, 6, 6, 1, 1]);
}

/// §upload_canister_snapshot_data: snapshots that were taken cannot be changed, and nothing is
/// written beyond what the metadata says.
#[tokio::test(flavor = "multi_thread")]
async fn taken_snapshots_are_fixed_and_uploads_keep_to_their_sizes() {
    let (net, agent, id) = with(COUNTER).await;
    let stranger = net.agent().await;
    let snapshot = take(&agent, id).await.unwrap();
    let heap = |offset| SnapshotDataOffset::WasmMemory { offset };
    let error = upload(&agent, id, &snapshot.id, heap(0), b"x")
        .await
        .unwrap_err();
    error.is(4, "IC0409", "metadata upload");
    let meta = metadata(&agent, id, &snapshot.id).await.unwrap();
    let new = begin(&agent, again(id, &meta)).await.unwrap();
    upload(&agent, id, &new, heap(65_535), b"x").await.unwrap();
    for offset in [65_536, u64::MAX] {
        let error = upload(&agent, id, &new, heap(offset), b"x")
            .await
            .unwrap_err();
        error.is(4, "IC0408", "Invalid subslice");
    }
    let error = upload(&stranger, id, &new, heap(0), b"x")
        .await
        .unwrap_err();
    error.is(5, "IC0512", "Only controllers");
    let reading = |offset, size| SnapshotDataKind::StableMemory { offset, size };
    let error = read(&agent, id, &new, reading(1, 65_536))
        .await
        .unwrap_err();
    error.is(4, "IC0408", "Invalid subslice");
    let error = read(&agent, id, &new, reading(0, 2_000_001))
        .await
        .unwrap_err();
    error.is(4, "IC0408", "too large");
    let kind = SnapshotDataKind::WasmChunk { hash: vec![1; 32] };
    let error = read(&agent, id, &new, kind).await.unwrap_err();
    error.is(5, "IC0504", "not found");
    let error = read(&stranger, id, &new, reading(0, 1)).await.unwrap_err();
    error.is(5, "IC0512", "Only controllers");
}

/// §upload_canister_snapshot_metadata: sizes that cannot be are refused.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_cannot_be_is_refused() {
    let (_net, agent, id) = with(COUNTER).await;
    let snapshot = take(&agent, id).await.unwrap();
    let meta = metadata(&agent, id, &snapshot.id).await.unwrap();
    let fine = again(id, &meta);
    let mut bad = vec![fine.clone(); 7];
    bad[0].wasm_module_size = 0;
    bad[1].wasm_module_size = (100 << 20) + 1;
    bad[2].wasm_memory_size = 65_535;
    bad[3].wasm_memory_size = (4 << 30) + 65_536;
    bad[4].stable_memory_size = (500 << 30) + 65_536;
    bad[5].certified_data = vec![0; 33];
    bad[6].globals = vec![SnapshotMetadataGlobal::I32(0); 1001];
    for args in bad {
        let error = begin(&agent, args).await.unwrap_err();
        error.is(5, "IC0504", "Could not validate the settings");
    }
    begin(&agent, fine).await.unwrap();
}
