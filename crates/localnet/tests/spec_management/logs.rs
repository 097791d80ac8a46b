//! "IC method fetch_canister_logs": what a canister printed and why it trapped.

use crate::common::management::{
    PROXY, Refused, call, encoded, forward, logs, query, refused, set, with,
};
use crate::common::{IC, Net, upload};
use candid::Principal;
use ic_agent::Agent;
use ic_agent::identity::BasicIdentity;
use ic_management_canister_types::{
    CanisterLogFilter, CanisterLogRecord, CanisterSettings, FetchCanisterLogsArgs,
    FetchCanisterLogsResult, LogVisibility,
};

/// Prints what it is sent, and traps when it is told to.
const PRINTER: &str = r#"(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "debug_print" (func $print (param i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (memory 64)
  (data (i32.const 0) "begun")
  (func $say
    (call $copy (i32.const 1024) (i32.const 0) (call $size))
    (call $print (i32.const 1024) (call $size)))
  (func (export "canister_init") (call $print (i32.const 0) (i32.const 5)))
  (func (export "canister_update say") (call $say) (call $reply))
  (func (export "canister_query ask") (call $say) (call $reply))
  (func (export "canister_update fail")
    (call $say)
    (call $trap (i32.const 1024) (call $size)))
  (func (export "canister_update crash") (call $say) unreachable))"#;

async fn say(agent: &Agent, id: Principal, method: &str, text: &[u8]) -> bool {
    let call = agent.update(&id, method).with_arg(text.to_vec());
    call.call_and_wait().await.is_ok()
}

fn texts(records: &[CanisterLogRecord]) -> Vec<String> {
    records
        .iter()
        .map(|record| String::from_utf8(record.content.clone()).unwrap())
        .collect()
}

/// §fetch_canister_logs: prints and traps of replicated executions are kept, numbered and timed,
/// also of executions whose other effects are gone; queries leave nothing.
#[tokio::test(flavor = "multi_thread")]
async fn prints_and_traps_are_kept_and_queries_leave_nothing() {
    let (_net, agent, id) = with(PRINTER).await;
    assert!(say(&agent, id, "say", b"one").await);
    assert!(!say(&agent, id, "fail", b"two").await);
    assert!(!say(&agent, id, "crash", b"three").await);
    agent
        .query(&id, "ask")
        .with_arg(b"four".to_vec())
        .call()
        .await
        .unwrap();
    // A query run as an update is replicated.
    assert!(say(&agent, id, "ask", b"five").await);
    let records = logs(&agent, id).await.unwrap();
    let texts = texts(&records);
    assert_eq!(
        texts[..4],
        ["begun", "one", "two", "[TRAP]: two"].map(String::from)
    );
    assert_eq!(texts[4], "three");
    assert!(texts[5].starts_with("[TRAP]: "), "{}", texts[5]);
    assert!(texts[5].contains("unreachable"), "{}", texts[5]);
    assert_eq!(texts[6], "five");
    assert_eq!(texts.len(), 7);
    let numbers: Vec<u64> = records.iter().map(|record| record.idx).collect();
    assert_eq!(numbers, (0..7).collect::<Vec<u64>>());
    assert!(records.is_sorted_by_key(|record| record.timestamp_nanos));
    assert_eq!(records[2].timestamp_nanos, records[3].timestamp_nanos);
}

/// §fetch_canister_logs: a filter by number or by time, the end exclusive.
#[tokio::test(flavor = "multi_thread")]
async fn filters_leave_records_out() {
    let (_net, agent, id) = with(PRINTER).await;
    for text in ["a", "b", "c"] {
        assert!(say(&agent, id, "say", text.as_bytes()).await);
    }
    let filtered = async |filter| {
        let args = FetchCanisterLogsArgs {
            canister_id: id,
            filter: Some(filter),
        };
        let (result,): (FetchCanisterLogsResult,) =
            query(&agent, id, "fetch_canister_logs", (args,))
                .await
                .unwrap();
        texts(&result.canister_log_records)
    };
    let by_index = CanisterLogFilter::ByIdx { start: 1, end: 3 };
    assert_eq!(filtered(by_index).await, ["a", "b"]);
    let all = logs(&agent, id).await.unwrap();
    let by_time = CanisterLogFilter::ByTimestampNanos {
        start: all[2].timestamp_nanos,
        end: all[3].timestamp_nanos,
    };
    assert_eq!(filtered(by_time).await, ["b"]);
    let empty = CanisterLogFilter::ByIdx { start: 3, end: 1 };
    assert!(filtered(empty).await.is_empty());
}

/// §log_memory_limit: 4 KiB unless something else is set; the oldest records go first.
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_records_go_beyond_the_limit() {
    let (_net, agent, id) = with(PRINTER).await;
    for i in 0..5 {
        assert!(say(&agent, id, "say", &[b'a' + i; 1000]).await);
    }
    let sizes = |records: &[CanisterLogRecord]| {
        records
            .iter()
            .map(|record| (record.idx, record.content.len()))
            .collect::<Vec<_>>()
    };
    let kept = logs(&agent, id).await.unwrap();
    assert_eq!(sizes(&kept), [(2, 1000), (3, 1000), (4, 1000), (5, 1000)]);
    let limit = |bytes: u32| CanisterSettings {
        log_memory_limit: Some(bytes.into()),
        ..CanisterSettings::default()
    };
    set(&agent, id, limit(10_000)).await.unwrap();
    for _ in 0..3 {
        assert!(say(&agent, id, "say", &[b'x'; 1000]).await);
    }
    assert_eq!(logs(&agent, id).await.unwrap().len(), 7);
    set(&agent, id, limit(4096)).await.unwrap();
    assert_eq!(logs(&agent, id).await.unwrap().len(), 4);
    set(&agent, id, limit(0)).await.unwrap();
    assert!(logs(&agent, id).await.unwrap().is_empty());
    let error = set(&agent, id, limit(4095)).await.unwrap_err();
    error.is(4, "IC0406", "too low");
    let error = set(&agent, id, limit((2 << 20) + 1)).await.unwrap_err();
    error.is(4, "IC0406", "too high");
}

/// §log_visibility: controllers, everybody, or controllers and those who are named.
#[tokio::test(flavor = "multi_thread")]
async fn visibility_says_who_reads() {
    let (net, agent, id) = with(PRINTER).await;
    let viewer = net.agent().await;
    let stranger = net.agent().await;
    let refusal = |error: Refused| error.is(4, "IC0406", "not allowed to access canister logs");
    refusal(logs(&stranger, id).await.unwrap_err());
    let visible = |visibility| CanisterSettings {
        log_visibility: Some(visibility),
        ..CanisterSettings::default()
    };
    let viewers = LogVisibility::AllowedViewers(vec![viewer.get_principal().unwrap()]);
    set(&agent, id, visible(viewers)).await.unwrap();
    assert_eq!(logs(&viewer, id).await.unwrap().len(), 1);
    assert_eq!(logs(&agent, id).await.unwrap().len(), 1);
    refusal(logs(&stranger, id).await.unwrap_err());
    set(&agent, id, visible(LogVisibility::Public))
        .await
        .unwrap();
    assert_eq!(logs(&stranger, id).await.unwrap().len(), 1);
}

/// §fetch_canister_logs: by queries for agents, by calls for canisters, by neither the other way.
#[tokio::test(flavor = "multi_thread")]
async fn agents_ask_by_queries_and_canisters_by_calls() {
    let (net, agent, id) = with(PRINTER).await;
    let args = || FetchCanisterLogsArgs {
        canister_id: id,
        filter: None,
    };
    let error = call::<(FetchCanisterLogsResult,)>(&agent, id, "fetch_canister_logs", (args(),))
        .await
        .unwrap_err();
    error.is(4, "IC0406", "fetch_canister_logs");
    let proxy = net.install(&agent, PROXY, b"").await;
    let ask = async || {
        forward::<(FetchCanisterLogsResult,)>(&agent, proxy, "fetch_canister_logs", (args(),), 0)
            .await
            .0
    };
    assert_eq!(ask().await.unwrap_err().0, 4);
    let settings = CanisterSettings {
        controllers: Some(vec![agent.get_principal().unwrap(), proxy]),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings).await.unwrap();
    assert_eq!(ask().await.unwrap().0.canister_log_records.len(), 1);
    let error = agent
        .query(&IC, "raw_rand")
        .with_effective_canister_id(id)
        .with_arg(encoded(()))
        .call()
        .await
        .unwrap_err();
    refused(error).is(4, "IC0406", "Only canisters can call ic00 method");
}

/// §fetch_canister_logs: logs outlive upgrades and restarts, and go with reinstallation and
/// uninstallation; an installation that fails says why.
#[tokio::test(flavor = "multi_thread")]
async fn upgrades_keep_logs_and_reinstallation_drops_them() {
    let net = Net::start().await;
    let key = || BasicIdentity::from_raw_key(&[3; 32]);
    let agent = net.agent_as(key()).await;
    let id = net.install(&agent, PRINTER, b"").await;
    assert!(say(&agent, id, "say", b"kept").await);
    upload(&agent, id, "upgrade", PRINTER, b"").await.unwrap();
    let net = net.restart().await;
    let agent = net.agent_as(key()).await;
    assert_eq!(texts(&logs(&agent, id).await.unwrap()), ["begun", "kept"]);
    let failing = PRINTER
        .replace("canister_init", "canister_post_upgrade")
        .replace(
            "(call $print (i32.const 0) (i32.const 5)))",
            "(call $print (i32.const 0) (i32.const 5)) unreachable)",
        );
    upload(&agent, id, "upgrade", &failing, b"")
        .await
        .unwrap_err();
    let records = logs(&agent, id).await.unwrap();
    assert_eq!(
        texts(&records)[..3],
        ["begun", "kept", "begun"].map(String::from)
    );
    assert!(texts(&records)[3].starts_with("[TRAP]: "));
    upload(&agent, id, "reinstall", PRINTER, b"").await.unwrap();
    let records = logs(&agent, id).await.unwrap();
    assert_eq!(texts(&records), ["begun"]);
    assert_eq!(records[0].idx, 4);
    net.manage(&agent, id, "uninstall_code").await.unwrap();
    assert!(logs(&agent, id).await.unwrap().is_empty());
}
