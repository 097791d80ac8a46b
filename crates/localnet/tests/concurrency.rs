//! Canisters run beside each other, and nobody waits for what does not concern them. Whether
//! something waited is told by what has ended meanwhile, not by a clock.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::process::{Told, spawn};
use common::{install, until};
use ic_agent::AgentError;
use ic_agent::agent::RequestStatusResponse;
use serde_json::Value;
use tokio::task::JoinHandle;

const SLOW: &str = include_str!("common/slow.wat");
const RELAY: &str = include_str!("common/chaos_log.wat");

type Call = JoinHandle<Result<Vec<u8>, AgentError>>;

fn update(told: &Told, id: Principal, method: &'static str, arg: [u8; 4]) -> Call {
    let agent = told.agent(1);
    tokio::spawn(async move {
        let call = agent.update(&id, method).with_arg(arg.to_vec());
        call.call_and_wait().await
    })
}

fn query(told: &Told, id: Principal, method: &'static str) -> Call {
    let agent = told.agent(1);
    tokio::spawn(async move { agent.query(&id, method).call().await })
}

async fn status(told: &Told) -> Value {
    let url = format!("{}/_/status", told.url);
    let text = reqwest::get(url).await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&text).unwrap()
}

async fn busy(told: &Told, id: Principal) {
    until(async || {
        let status = status(told).await;
        let canisters = status["canisters"].as_array().unwrap();
        let ours = canisters.iter().find(|c| c["id"] == id.to_text());
        ours.unwrap()["busy"] == true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_update_delays_nothing_elsewhere_and_no_query_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (process, told) = spawn(dir.path(), &[]);
    let slow = install(&told.agent(1), SLOW).await;
    let other = install(&told.agent(1), SLOW).await;
    let long = update(&told, slow, "forever", [0; 4]);
    busy(&told, slow).await;
    for round in 1..=10_u32 {
        let bytes = round.to_le_bytes();
        let set = update(&told, other, "set", bytes).await.unwrap();
        assert_eq!(set.unwrap(), bytes);
        let now = query(&told, other, "now").await.unwrap().unwrap();
        assert_eq!(now, [bytes, bytes].concat());
        let now = query(&told, slow, "now").await.unwrap().unwrap();
        assert_eq!(now, [0; 8]);
    }
    // Nor anything that is done by the management canister.
    install(&told.agent(1), SLOW).await;
    assert!(!long.is_finished());
    // It may have gone on for a minute yet.
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_query_keeps_no_commit_waiting_and_sees_none() {
    let dir = tempfile::tempdir().unwrap();
    let (process, told) = spawn(dir.path(), &[]);
    let id = install(&told.agent(1), SLOW).await;
    update(&told, id, "set", [1; 4]).await.unwrap().unwrap();
    let late = query(&told, id, "late");
    until(async || status(&told).await["queries"]["running"] == 1).await;
    update(&told, id, "set", [2; 4]).await.unwrap().unwrap();
    let now = query(&told, id, "now").await.unwrap().unwrap();
    assert_eq!(now, [2; 8]);
    assert!(!late.is_finished());
    assert_eq!(late.await.unwrap().unwrap(), [1; 8]);
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_queries_of_one_canister_keep_no_others_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let (process, told) = spawn(dir.path(), &[]);
    let slow = install(&told.agent(1), SLOW).await;
    let other = install(&told.agent(1), SLOW).await;
    let long: Vec<Call> = (0..40)
        .map(|_| query(&told, slow, "forever_query"))
        .collect();
    until(async || status(&told).await["queries"]["waiting"].as_u64() > Some(0)).await;
    let set = update(&told, other, "set", [3; 4]).await.unwrap();
    assert_eq!(set.unwrap(), [3; 4]);
    assert_eq!(query(&told, other, "now").await.unwrap().unwrap(), [3; 8]);
    assert!(long.iter().any(|call| !call.is_finished()));
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_begun_goes_on_after_a_kill_and_is_not_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let (process, told) = spawn(dir.path(), &[]);
    let slow = install(&told.agent(1), SLOW).await;
    let relay = install(&told.agent(1), RELAY).await;
    let arg = [&[6; 8], slow.as_slice()].concat();
    let signed = told
        .agent(1)
        .update(&relay, "relay")
        .with_arg(arg)
        .sign()
        .unwrap();
    let sent = {
        let (agent, request) = (told.agent(1), signed.signed_update.clone());
        tokio::spawn(async move { agent.update_signed(relay, request).await })
    };
    busy(&told, slow).await;
    drop(process);
    sent.await.unwrap().unwrap_err();
    let (process, told) = spawn(dir.path(), &[]);
    let agent = told.agent(1);
    let status = agent.request_status_raw(&signed.request_id, relay).await;
    let status = status.unwrap().0;
    assert_eq!(status, RequestStatusResponse::Processing);
    // Somebody who cannot know sends it again.
    let again = agent.update_signed(relay, signed.signed_update.clone());
    let _ = again.await.unwrap();
    let reply = agent.wait(&signed.request_id, relay).await.unwrap().0;
    assert_eq!(reply, [6; 4]);
    let log = agent.query(&relay, "log").call().await.unwrap();
    // Calls made, and answers.
    assert_eq!(log[16..24], [1, 0, 0, 0, 1, 0, 0, 0]);
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_only_received_is_carried_out_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (process, told) = spawn(dir.path(), &[]);
    let id = install(&told.agent(1), SLOW).await;
    let long = update(&told, id, "forever", [0; 4]);
    busy(&told, id).await;
    let signed = told
        .agent(1)
        .update(&id, "set")
        .with_arg(vec![5; 4])
        .sign()
        .unwrap();
    // The asynchronous call is acknowledged at once, behind a long one.
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v2/canister/{id}/call", told.url))
        .header("content-type", "application/cbor")
        .body(signed.signed_update.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 202);
    drop(process);
    long.abort();
    let (process, told) = spawn(dir.path(), &[]);
    let reply = told.agent(1).wait(&signed.request_id, id).await.unwrap().0;
    assert_eq!(reply, [5; 4]);
    assert_eq!(query(&told, id, "now").await.unwrap().unwrap(), [5; 8]);
    drop(process);
}
