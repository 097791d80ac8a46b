//! Snapshots (interface specification, "IC method take_canister_snapshot" and the sections after
//! it), through an unmodified agent.

use crate::common;
use crate::common::management::{
    PROXY, call, counted, events, forward, increase, info, load, set, snapshots, take, take_as,
    with,
};
use crate::common::{COUNTER, Net, certified_data};
use candid::Principal;
use ic_agent::Agent;
use ic_agent::identity::BasicIdentity;
use ic_management_canister_types::{
    CanisterSettings, ChangeDetails, DeleteCanisterSnapshotArgs, LoadCanisterSnapshotArgs,
    SnapshotSource, SnapshotVisibility, StoredChunksResult, UploadChunkArgs,
};

async fn chunks(agent: &Agent, id: Principal) -> usize {
    let (list,): (StoredChunksResult,) = common::management::about(agent, id, "stored_chunks")
        .await
        .unwrap();
    list.len()
}

async fn upload_chunk(agent: &Agent, id: Principal, chunk: &[u8]) {
    let args = UploadChunkArgs {
        canister_id: id,
        chunk: chunk.to_vec(),
    };
    let (_,): (ic_management_canister_types::ChunkHash,) =
        call(agent, id, "upload_chunk", (args,)).await.unwrap();
}

async fn delete(
    agent: &Agent,
    id: Principal,
    snapshot: &[u8],
) -> Result<(), common::management::Refused> {
    let args = DeleteCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: snapshot.to_vec(),
    };
    call(agent, id, "delete_canister_snapshot", (args,)).await
}

/// §take_canister_snapshot, §load_canister_snapshot: heap, globals, stable memory, certified data,
/// chunk store and module go back together; version and history go on.
#[tokio::test(flavor = "multi_thread")]
async fn loading_brings_everything_back() {
    let (_net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 3).await;
    upload_chunk(&agent, id, b"first").await;
    let module = agent
        .read_state_canister_info(id, "module_hash")
        .await
        .unwrap();
    let before = counted(&agent, id).await;
    let version = common::management::status(&agent, id)
        .await
        .unwrap()
        .version;
    let snapshot = take(&agent, id).await.unwrap();
    assert!(snapshot.total_size > 2 * 65_536);

    increase(&agent, id, 2).await;
    upload_chunk(&agent, id, b"second").await;
    let other = COUNTER.replace("went wrong", "went right");
    common::upload(&agent, id, "upgrade", &other, b"")
        .await
        .unwrap();
    assert_eq!(certified_data(&agent, id).await, b"upgraded");
    increase(&agent, id, 1).await;

    load(&agent, id, &snapshot.id).await.unwrap();
    assert_eq!(counted(&agent, id).await, before);
    assert_eq!(certified_data(&agent, id).await, 3_u32.to_le_bytes());
    assert_eq!(chunks(&agent, id).await, 1);
    let now = agent
        .read_state_canister_info(id, "module_hash")
        .await
        .unwrap();
    assert_eq!(now, module);
    let status = common::management::status(&agent, id).await.unwrap();
    assert!(status.version > version);
    increase(&agent, id, 1).await;
    assert_eq!(counted(&agent, id).await, [4, 4, 4, 1, 1]);

    let past = events(&agent, id).await;
    let Some(ChangeDetails::LoadSnapshot(loaded)) = past.last() else {
        panic!("{past:?}");
    };
    assert_eq!(loaded.snapshot_id, snapshot.id);
    assert_eq!(loaded.canister_version, version);
    assert_eq!(loaded.taken_at_timestamp, snapshot.taken_at_timestamp);
    assert_eq!(loaded.from_canister_id, None);
    assert!(matches!(
        loaded.source,
        SnapshotSource::TakenFromCanister(_)
    ));
}

/// §load_canister_snapshot: a controller who rolls a canister back cannot hide it from a client
/// that remembers the last certified number it saw, nor from the canister's history.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_visible_to_a_client_that_remembers() {
    let net = Net::start().await;
    let controller = net.agent().await;
    let client = net.agent().await;
    let id = net.install(&controller, COUNTER, b"").await;
    increase(&client, id, 2).await;
    let snapshot = take(&controller, id).await.unwrap();
    increase(&client, id, 3).await;

    // The agent verifies the certificate.
    let seen = async || u32::from_le_bytes(certified_data(&client, id).await.try_into().unwrap());
    let remembered = seen().await;
    let changes = info(&client, id, 0).await.total_num_changes;
    assert_eq!(remembered, 5);
    load(&controller, id, &snapshot.id).await.unwrap();
    assert!(seen().await < remembered);
    increase(&client, id, 1).await;
    assert!(seen().await < remembered);
    let now = info(&client, id, 1).await;
    assert_eq!(now.total_num_changes, changes + 1);
    let last = now.recent_changes.last().unwrap().details.clone();
    assert!(matches!(last, Some(ChangeDetails::LoadSnapshot(_))));
}

/// §take_canister_snapshot: a limit per canister; `replace_snapshot` makes room.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_ten_snapshots_and_one_may_replace_another() {
    let (_net, agent, id) = with(COUNTER).await;
    let mut taken = Vec::new();
    for _ in 0..10 {
        taken.push(take(&agent, id).await.unwrap());
    }
    let error = take(&agent, id).await.unwrap_err();
    error.is(4, "IC0406", "maximum number of snapshots");
    increase(&agent, id, 1).await;
    let replaced = taken[0].id.clone();
    let new = take_as(&agent, id, Some(replaced.clone()), None)
        .await
        .unwrap();
    let mut expected: Vec<_> = taken[1..].to_vec();
    expected.push(new.clone());
    assert_eq!(snapshots(&agent, id).await.unwrap(), expected);
    let error = load(&agent, id, &replaced).await.unwrap_err();
    error.is(3, "IC0305", "Could not find the snapshot");
    // A replacement that is not there changes nothing.
    let error = take_as(&agent, id, Some(replaced), None).await.unwrap_err();
    error.is(3, "IC0305", "Could not find the snapshot");
    assert_eq!(snapshots(&agent, id).await.unwrap(), expected);

    delete(&agent, id, &new.id).await.unwrap();
    let error = delete(&agent, id, &new.id).await.unwrap_err();
    error.is(3, "IC0305", "Could not find the snapshot");
    assert_eq!(snapshots(&agent, id).await.unwrap().len(), 9);
}

/// §take_canister_snapshot: an empty canister has nothing to take.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_canister_has_no_snapshot() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let error = take(&agent, id).await.unwrap_err();
    error.is(4, "IC0406", "empty canister");
    assert!(snapshots(&agent, id).await.unwrap().is_empty());
}

/// §take_canister_snapshot, §load_canister_snapshot, §delete_canister_snapshot: controllers only.
#[tokio::test(flavor = "multi_thread")]
async fn only_controllers_take_load_and_delete() {
    let (net, agent, id) = with(COUNTER).await;
    let stranger = net.agent().await;
    let snapshot = take(&agent, id).await.unwrap();
    for error in [
        take(&stranger, id).await.unwrap_err(),
        load(&stranger, id, &snapshot.id).await.unwrap_err(),
        delete(&stranger, id, &snapshot.id).await.unwrap_err(),
        snapshots(&stranger, id).await.unwrap_err(),
    ] {
        error.is(5, "IC0512", "Only controllers of canister");
    }
    // By a canister as well: an uncontrolled one is refused when the call is executed.
    let proxy = net.install(&agent, PROXY, b"").await;
    let args = LoadCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: snapshot.id.clone(),
        sender_canister_version: None,
    };
    let (answer, _) = forward::<()>(&agent, proxy, "load_canister_snapshot", (args,), 0).await;
    assert_eq!(answer.unwrap_err().0, 5);
}

/// §load_canister_snapshot: another canister's snapshot, if the caller controls both.
#[tokio::test(flavor = "multi_thread")]
async fn another_canisters_snapshot_needs_control_of_both() {
    let (net, agent, first) = with(COUNTER).await;
    increase(&agent, first, 7).await;
    let snapshot = take(&agent, first).await.unwrap();
    let second = net.create(&agent).await;
    load(&agent, second, &snapshot.id).await.unwrap();
    assert_eq!(counted(&agent, second).await, counted(&agent, first).await);
    let past = events(&agent, second).await;
    let Some(ChangeDetails::LoadSnapshot(loaded)) = past.last() else {
        panic!("{past:?}");
    };
    assert_eq!(loaded.from_canister_id, Some(first));

    let stranger = net.agent().await;
    let third = net.install(&stranger, COUNTER, b"").await;
    let error = load(&stranger, third, &snapshot.id).await.unwrap_err();
    error.is(4, "IC0406", "Only a controller");
    assert_eq!(counted(&stranger, third).await, [0, 0, 0, 1, 1]);
    // A snapshot is deleted at its own canister only.
    let error = delete(&agent, second, &snapshot.id).await.unwrap_err();
    error.is(4, "IC0406", "does not belong");
    let error = load(&agent, first, b"no such id").await.unwrap_err();
    error.is(3, "IC0305", "Could not find the snapshot");
}

/// §take_canister_snapshot: `uninstall_code` empties the canister in the same step.
#[tokio::test(flavor = "multi_thread")]
async fn taking_may_uninstall() {
    let (_net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 2).await;
    upload_chunk(&agent, id, b"chunk").await;
    let snapshot = take_as(&agent, id, None, Some(true)).await.unwrap();
    let error = agent.query(&id, "all").call().await.unwrap_err();
    common::management::refused(error).is(5, "IC0537", "no Wasm module");
    assert_eq!(chunks(&agent, id).await, 0);
    assert_eq!(
        events(&agent, id).await.last(),
        Some(&ChangeDetails::CodeUninstall)
    );
    load(&agent, id, &snapshot.id).await.unwrap();
    assert_eq!(counted(&agent, id).await, [2, 2, 2, 1, 1]);
    assert_eq!(chunks(&agent, id).await, 1);
}

/// §list_canister_snapshots: `snapshot_visibility` says who may list and read.
#[tokio::test(flavor = "multi_thread")]
async fn visibility_says_who_lists() {
    let (net, agent, id) = with(COUNTER).await;
    take(&agent, id).await.unwrap();
    let viewer = net.agent().await;
    let stranger = net.agent().await;
    let visible = |visibility| CanisterSettings {
        snapshot_visibility: Some(visibility),
        ..CanisterSettings::default()
    };
    let viewers = vec![viewer.get_principal().unwrap()];
    let listed = SnapshotVisibility::AllowedViewers(viewers);
    set(&agent, id, visible(listed)).await.unwrap();
    assert_eq!(snapshots(&viewer, id).await.unwrap().len(), 1);
    assert_eq!(snapshots(&agent, id).await.unwrap().len(), 1);
    snapshots(&stranger, id).await.unwrap_err();
    set(&agent, id, visible(SnapshotVisibility::Public))
        .await
        .unwrap();
    assert_eq!(snapshots(&stranger, id).await.unwrap().len(), 1);
    take(&stranger, id).await.unwrap_err();
    let many = SnapshotVisibility::AllowedViewers(vec![Principal::anonymous(); 11]);
    let error = set(&agent, id, visible(many)).await.unwrap_err();
    error.is(4, "IC0408", "more than 10");
}

/// A snapshot survives a restart, and so does what was loaded from one; deleting the canister
/// deletes its snapshots.
#[tokio::test(flavor = "multi_thread")]
async fn snapshots_survive_a_restart() {
    let net = Net::start().await;
    let key = || BasicIdentity::from_raw_key(&[5; 32]);
    let agent = net.agent_as(key()).await;
    let id = net.install(&agent, COUNTER, b"").await;
    increase(&agent, id, 1).await;
    let first = take(&agent, id).await.unwrap();
    increase(&agent, id, 1).await;
    let second = take(&agent, id).await.unwrap();
    increase(&agent, id, 1).await;
    load(&agent, id, &first.id).await.unwrap();

    let net = net.restart().await;
    let agent = net.agent_as(key()).await;
    assert_eq!(
        snapshots(&agent, id).await.unwrap(),
        [first.clone(), second.clone()]
    );
    assert_eq!(counted(&agent, id).await, [1, 1, 1, 1, 1]);
    assert_eq!(certified_data(&agent, id).await, 1_u32.to_le_bytes());
    load(&agent, id, &second.id).await.unwrap();
    assert_eq!(counted(&agent, id).await, [2, 2, 2, 1, 1]);
    let past = info(&agent, id, 20).await;
    assert_eq!(past.total_num_changes, 4);

    let folder = net.dir.path().join("canisters").join(id.to_text());
    assert_eq!(
        std::fs::read_dir(folder.join("snapshots")).unwrap().count(),
        2
    );
    net.manage(&agent, id, "stop_canister").await.unwrap();
    net.manage(&agent, id, "delete_canister").await.unwrap();
    common::until(async || !folder.exists()).await;
}
