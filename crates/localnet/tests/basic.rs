//! An unmodified agent, every check on, against canisters written in text.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::{COUNTER, Net, reject_message};

#[tokio::test(flavor = "multi_thread")]
async fn installs_updates_and_queries() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    for expected in 1..=3_u32 {
        let reply = agent.update(&id, "inc").call_and_wait().await.unwrap();
        assert_eq!(reply, expected.to_le_bytes());
    }
    let reply = agent.query(&id, "get").call().await.unwrap();
    assert_eq!(reply, 3_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_keeps_nothing() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    for _ in 0..2 {
        let reply = agent.query(&id, "inc_query").call().await.unwrap();
        assert_eq!(reply, 1_u32.to_le_bytes());
    }
    let reply = agent
        .update(&id, "inc_query")
        .call_and_wait()
        .await
        .unwrap();
    assert_eq!(reply, 1_u32.to_le_bytes());
    let reply = agent.query(&id, "get").call().await.unwrap();
    assert_eq!(reply, 0_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_undoes_heap_globals_stable_memory_and_certified_data() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    let before = common::certified_data(&agent, id).await;
    let error = agent
        .update(&id, "inc_and_trap")
        .call_and_wait()
        .await
        .unwrap_err();
    assert!(reject_message(&error).contains("went wrong"), "{error}");
    let reply = agent.query(&id, "all").call().await.unwrap();
    // Heap, global, first stable bytes, stable pages, heap pages.
    assert_eq!(reply, [1_u32, 1, 1, 1, 1].map(u32::to_le_bytes).concat());
    let after = common::certified_data(&agent, id).await;
    assert_eq!(before, after);
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    let reply = agent.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [2_u32, 2, 2, 1, 1].map(u32::to_le_bytes).concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_stable_memory_and_nothing_else() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    net.upgrade(&agent, id, COUNTER, b"").await.unwrap();
    let reply = agent.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [0_u32, 0, 1, 1, 1].map(u32::to_le_bytes).concat());
    let data = common::certified_data(&agent, id).await;
    assert_eq!(data, b"upgraded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_traps_undoes_everything() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    let trapping = COUNTER.replace("(; post_upgrade ;)", "(call $fail)");
    let error = net.upgrade(&agent, id, &trapping, b"").await.unwrap_err();
    assert!(reject_message(&error).contains("went wrong"), "{error}");
    let reply = agent.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [1_u32, 1, 1, 1, 1].map(u32::to_le_bytes).concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_do_not_install() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let stranger = net.agent().await;
    let error = net.upgrade(&stranger, id, COUNTER, b"").await.unwrap_err();
    assert!(
        reject_message(&error).contains("Only controllers"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_import_is_refused_by_name() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let wasm = r#"(module (import "ic0" "sign_everything" (func)))"#;
    let error = net
        .upload(&agent, id, "install", wasm, b"")
        .await
        .unwrap_err();
    assert!(
        reject_message(&error).contains("sign_everything"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canister_gets_the_id_it_asks_for() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let wanted = Principal::from_text("rrkah-fqaaa-aaaaa-aaaaq-cai").unwrap();
    assert_eq!(net.create_as(&agent, Some(wanted)).await.unwrap(), wanted);
    assert!(net.create_as(&agent, Some(wanted)).await.is_err());
}
