//! "IC method install_code", "IC method install_chunked_code" and the chunk store: modes, limits,
//! and that an installation happens whole or not at all.

use crate::common::management::{
    PROXY, Refused, about, call, counted, events, forward, increase, install_as, set, status, with,
};
use crate::common::{COUNTER, Net, certified_data};
use candid::Principal;
use ic_agent::Agent;
use ic_management_canister_types::{
    CanisterInstallMode, CanisterSettings, ChunkHash, InstallChunkedCodeArgs, StoredChunksResult,
    UpgradeFlags, UploadChunkArgs, WasmMemoryPersistence,
};
use sha2::Digest as _;

/// Says that its heap may be kept.
const KEEPING: &str = r#"(@custom "icp:private enhanced-orthogonal-persistence" "")"#;

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// The counter, saying that its heap may be kept.
fn keeping() -> String {
    COUNTER.replacen("(module", &format!("(module {KEEPING}"), 1)
}

fn upgrade(
    skip_pre_upgrade: Option<bool>,
    wasm_memory_persistence: Option<WasmMemoryPersistence>,
) -> CanisterInstallMode {
    CanisterInstallMode::Upgrade(Some(UpgradeFlags {
        skip_pre_upgrade,
        wasm_memory_persistence,
    }))
}

async fn upload(agent: &Agent, id: Principal, chunk: &[u8]) -> Result<ChunkHash, Refused> {
    let args = UploadChunkArgs {
        canister_id: id,
        chunk: chunk.to_vec(),
    };
    let (hash,) = call(agent, id, "upload_chunk", (args,)).await?;
    Ok(hash)
}

/// §install_code, "This is atomic": a hook that traps leaves memories, certified data, module,
/// history and version as they were.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_fails_changes_nothing() {
    let (_net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 3).await;
    let before = (
        counted(&agent, id).await,
        events(&agent, id).await,
        status(&agent, id).await.unwrap(),
    );
    let data = certified_data(&agent, id).await;
    // It writes stable memory, heap, certified data, and then traps.
    let spoil = "(i32.store (i32.const 4) (i32.const 77))
        (call $write (i64.const 0) (i64.const 4) (i64.const 4))
        (call $certify (i32.const 0) (i32.const 4)) unreachable";
    let bad_post = COUNTER.replace("(; post_upgrade ;)", spoil);
    let bad_init = COUNTER.replace(
        "(drop (call $grow (i64.const 1))))",
        &format!("(drop (call $grow (i64.const 1))) {spoil})"),
    );
    for (mode, text) in [
        (CanisterInstallMode::Upgrade(None), &bad_post),
        (CanisterInstallMode::Reinstall, &bad_init),
    ] {
        let error = install_as(&agent, id, mode, &wasm(text)).await.unwrap_err();
        error.is(5, "IC0502", "unreachable");
    }
    let after = (
        counted(&agent, id).await,
        events(&agent, id).await,
        status(&agent, id).await.unwrap(),
    );
    assert_eq!(before.0, after.0);
    assert_eq!(before.1, after.1);
    assert_eq!(before.2.module_hash, after.2.module_hash);
    assert_eq!(before.2.version, after.2.version);
    assert_eq!(certified_data(&agent, id).await, data);
    increase(&agent, id, 1).await;
    assert_eq!(counted(&agent, id).await, [4, 4, 4, 1, 1]);
}

/// §install_code: each mode has its condition.
#[tokio::test(flavor = "multi_thread")]
async fn modes_have_conditions() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let module = wasm(COUNTER);
    let error = install_as(&agent, id, CanisterInstallMode::Upgrade(None), &module)
        .await
        .unwrap_err();
    error.is(5, "IC0537", "no Wasm module");
    install_as(&agent, id, CanisterInstallMode::Reinstall, &module)
        .await
        .unwrap();
    let error = install_as(&agent, id, CanisterInstallMode::Install, &module)
        .await
        .unwrap_err();
    error.is(5, "IC0514", "not empty");
}

/// §install_code, `skip_pre_upgrade`: a pre-upgrade hook that traps stands in the way, unless it is
/// skipped.
#[tokio::test(flavor = "multi_thread")]
async fn a_pre_upgrade_hook_that_traps_can_be_skipped() {
    let text = COUNTER.replace(
        "(func (export \"canister_init\")",
        "(func (export \"canister_pre_upgrade\") (call $add) (call $fail))
         (func (export \"canister_init\")",
    );
    let (_net, agent, id) = with(&text).await;
    increase(&agent, id, 2).await;
    let module = wasm(COUNTER);
    for mode in [
        CanisterInstallMode::Upgrade(None),
        upgrade(Some(false), None),
    ] {
        let error = install_as(&agent, id, mode, &module).await.unwrap_err();
        error.is(5, "IC0503", "went wrong");
    }
    assert_eq!(counted(&agent, id).await, [2, 2, 2, 1, 1]);
    install_as(&agent, id, upgrade(Some(true), None), &module)
        .await
        .unwrap();
    assert_eq!(counted(&agent, id).await, [0, 0, 2, 1, 1]);
}

/// §install_code, `wasm_memory_persistence`: the heap is kept when the new module says that it can
/// be, and what the old module's hook did to it; globals begin anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_heap_is_kept_when_both_sides_agree() {
    let text = keeping().replace(
        "(func (export \"canister_init\")",
        "(func (export \"canister_pre_upgrade\") (call $add))
         (func (export \"canister_init\")",
    );
    let (_net, agent, id) = with(&text).await;
    increase(&agent, id, 4).await;
    let module = wasm(&keeping());
    let error = install_as(&agent, id, CanisterInstallMode::Upgrade(None), &module)
        .await
        .unwrap_err();
    error.is(5, "IC0504", "Missing upgrade option");
    let keep = upgrade(None, Some(WasmMemoryPersistence::Keep));
    let error = install_as(&agent, id, keep, &wasm(COUNTER))
        .await
        .unwrap_err();
    error.is(5, "IC0504", "Invalid upgrade option");
    assert_eq!(counted(&agent, id).await, [4, 4, 4, 1, 1]);
    install_as(&agent, id, keep, &module).await.unwrap();
    assert_eq!(counted(&agent, id).await, [5, 0, 5, 1, 1]);
    increase(&agent, id, 1).await;
    assert_eq!(counted(&agent, id).await, [6, 1, 6, 1, 1]);
    let replace = upgrade(None, Some(WasmMemoryPersistence::Replace));
    install_as(&agent, id, replace, &module).await.unwrap();
    assert_eq!(counted(&agent, id).await, [0, 0, 6, 1, 1]);
    // A public section of that name says nothing.
    let public = keeping().replace("icp:private", "icp:public");
    let error = install_as(&agent, id, keep, &wasm(&public))
        .await
        .unwrap_err();
    error.is(5, "IC0504", "Invalid upgrade option");
}

/// §upload_chunk, §stored_chunks, §clear_chunk_store: the canister itself may use its store, a
/// chunk has at most 1 MiB, a store at most 100 chunks.
#[tokio::test(flavor = "multi_thread")]
async fn the_chunk_store_has_limits_and_owners() {
    let (net, agent, proxy) = with(PROXY).await;
    let stranger = net.agent().await;
    upload(&agent, proxy, &vec![1; 1 << 20]).await.unwrap();
    let error = upload(&agent, proxy, &vec![1; (1 << 20) + 1])
        .await
        .unwrap_err();
    error.is(5, "IC0504", "chunk size");
    let error = upload(&stranger, proxy, b"x").await.unwrap_err();
    error.is(5, "IC0512", "Only controllers");
    // The canister itself, in nobody's name but its own.
    set(&agent, proxy, CanisterSettings::default())
        .await
        .unwrap();
    for i in 0..99_u8 {
        let args = UploadChunkArgs {
            canister_id: proxy,
            chunk: vec![i],
        };
        let (answer, _) = forward::<(ChunkHash,)>(&agent, proxy, "upload_chunk", (args,), 0).await;
        assert_eq!(answer.unwrap().0.hash, sha2::Sha256::digest([i]).to_vec());
    }
    let error = upload(&agent, proxy, b"one more").await.unwrap_err();
    error.is(5, "IC0504", "maximum capacity");
    // What is stored already may come again.
    upload(&agent, proxy, &[7]).await.unwrap();
    let (list,): (StoredChunksResult,) = about(&agent, proxy, "stored_chunks").await.unwrap();
    assert_eq!(list.len(), 100);
    let size = status(&agent, proxy).await.unwrap().memory_metrics;
    assert_eq!(size.wasm_chunk_store_size, candid::Nat::from(100_u64 << 20));
    about::<()>(&agent, proxy, "clear_chunk_store")
        .await
        .unwrap();
    let (list,): (StoredChunksResult,) = about(&agent, proxy, "stored_chunks").await.unwrap();
    assert!(list.is_empty());
}

/// §install_chunked_code: chunks of another canister's store, if the caller controls it; every
/// hash must be right, and nothing is installed otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_may_come_from_another_canisters_store() {
    let (net, agent, target) = with(COUNTER).await;
    let other = net.agent().await;
    let store = net.create(&other).await;
    let module = wasm(&COUNTER.replace("went wrong", "went right"));
    let mut list = Vec::new();
    for part in module.chunks(200) {
        list.push(upload(&other, store, part).await.unwrap());
    }
    let args = || InstallChunkedCodeArgs {
        mode: CanisterInstallMode::Reinstall,
        target_canister: target,
        store_canister: Some(store),
        chunk_hashes_list: list.clone(),
        wasm_module_hash: sha2::Sha256::digest(&module).to_vec(),
        arg: Vec::new(),
        sender_canister_version: None,
    };
    let install = async |args| call::<()>(&agent, target, "install_chunked_code", (args,)).await;
    let before = status(&agent, target).await.unwrap().module_hash;
    let error = install(args()).await.unwrap_err();
    error.is(5, "IC0512", "Only controllers");
    let shared = CanisterSettings {
        controllers: Some(vec![
            agent.get_principal().unwrap(),
            other.get_principal().unwrap(),
        ]),
        ..CanisterSettings::default()
    };
    set(&other, store, shared).await.unwrap();
    let mut wrong = args();
    wrong.wasm_module_hash = vec![0; 32];
    let error = install(wrong).await.unwrap_err();
    error.is(5, "IC0504", "does not match");
    let mut wrong = args();
    wrong.chunk_hashes_list[0].hash = vec![0; 32];
    let error = install(wrong).await.unwrap_err();
    error.is(5, "IC0504", "was not found");
    let mut wrong = args();
    wrong.chunk_hashes_list = vec![list[0].clone(); 101];
    let error = install(wrong).await.unwrap_err();
    error.is(5, "IC0504", "at most 100 chunks");
    assert_eq!(status(&agent, target).await.unwrap().module_hash, before);
    install(args()).await.unwrap();
    assert_eq!(
        status(&agent, target).await.unwrap().module_hash,
        Some(sha2::Sha256::digest(&module).to_vec())
    );
}

/// "Canister module format": limits of modules, and names that are not theirs to export.
#[tokio::test(flavor = "multi_thread")]
async fn modules_beyond_the_limits_are_refused() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let repeated =
        |count: usize, text: &dyn Fn(usize) -> String| -> String { (0..count).map(text).collect() };
    let sections = |count, bytes: usize| {
        repeated(count, &|i| {
            format!("(@custom \"icp:public {i}\" \"{}\")", "x".repeat(bytes))
        })
    };
    let function = |name: &str| format!("(func (export \"{name}\"))");
    for (body, part) in [
        (repeated(50_001, &|_| "(func)".into()), "50001 functions"),
        (
            repeated(1_001, &|_| "(global i32 (i32.const 0))".into()),
            "1001 globals",
        ),
        (
            format!("(func {})", "(drop (i32.const 0))".repeat(500_000)),
            "function",
        ),
        (sections(17, 1), "17 custom sections"),
        (sections(2, 600_000), "bytes in custom sections"),
        (
            repeated(1_001, &|i| function(&format!("canister_query {i}"))),
            "1001 methods",
        ),
        (
            function(&format!("canister_update {}", "x".repeat(20_001))),
            "bytes in the names of methods",
        ),
        (function("canister_unheard_of"), "reserved prefix"),
        (
            "(func (export \"canister_init\") (param i32))".into(),
            "parameters or results",
        ),
        (
            "(@custom \"icp:public a\" \"\") (@custom \"icp:private a\" \"\")".into(),
            "more than once",
        ),
    ] {
        let module = wasm(&format!("(module {body})"));
        let mut list = Vec::new();
        for chunk in module.chunks(1 << 20) {
            list.push(upload(&agent, id, chunk).await.unwrap());
        }
        let args = InstallChunkedCodeArgs {
            mode: CanisterInstallMode::Install,
            target_canister: id,
            store_canister: None,
            chunk_hashes_list: list,
            wasm_module_hash: sha2::Sha256::digest(&module).to_vec(),
            arg: Vec::new(),
            sender_canister_version: None,
        };
        let error = call::<()>(&agent, id, "install_chunked_code", (args,))
            .await
            .unwrap_err();
        error.is(5, "IC0505", part);
    }
    for bytes in [b"nonsense".as_slice(), b"", b"\x1f\x8b\x08nonsense"] {
        let error = install_as(&agent, id, CanisterInstallMode::Install, bytes)
            .await
            .unwrap_err();
        error.is(5, "IC0505", "not");
    }
    assert_eq!(status(&agent, id).await.unwrap().module_hash, None);
}
