//! Calls between canisters, awaits, timers, certified data, limits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{Decode, Principal};
use common::{CALLS, Net, reject_message, until};
use ic_agent::Agent;
use ic_certification::{Certificate, LookupResult};

async fn state(agent: &Agent, id: &Principal) -> [u32; 3] {
    let bytes = agent.query(id, "state").call().await.unwrap();
    let number = |i: usize| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap());
    [number(0), number(1), number(2)]
}

#[tokio::test(flavor = "multi_thread")]
async fn randomness_comes_back_through_a_callback() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let reply = agent.update(&id, "rand").call_and_wait().await.unwrap();
        let bytes = Decode!(&reply, serde_bytes::ByteBuf).unwrap();
        assert_eq!(bytes.len(), 32);
        seen.push(bytes);
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!(state(&agent, &id).await[0], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_call_runs_the_reject_callback() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let reply = agent.update(&id, "reject").call_and_wait().await.unwrap();
    assert_eq!(reply, 5_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_after_an_await_keeps_what_was_committed_and_cleans_up() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let error = agent
        .update(&id, "rand_trap")
        .call_and_wait()
        .await
        .unwrap_err();
    assert!(reject_message(&error).contains("after await"), "{error}");
    assert_eq!(state(&agent, &id).await, [7, 99, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_answered_for() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let error = agent
        .update(&id, "silent")
        .call_and_wait()
        .await
        .unwrap_err();
    assert!(
        reject_message(&error).contains("did not produce a response"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn inspection_keeps_messages_out() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let error = agent
        .update(&id, "guard")
        .call_and_wait()
        .await
        .unwrap_err();
    common::management::refused(error).is(4, "IC0406", "rejected the message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_without_end_ends() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let error = agent.query(&id, "forever").call().await.unwrap_err();
    assert!(reject_message(&error).contains("instructions"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_context_forbids_is_refused() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let error = agent.query(&id, "set_certified").call().await.unwrap_err();
    assert!(
        reject_message(&error).contains("certified_data_set"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_fire_when_they_are_due() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    agent
        .update(&id, "set_timer")
        .call_and_wait()
        .await
        .unwrap();
    until(async || state(&agent, &id).await[2] == 1).await;
    agent
        .update(&id, "set_timer_far")
        .call_and_wait()
        .await
        .unwrap();
    assert_eq!(state(&agent, &id).await[2], 1);
    net.localnet.advance_time(3_600_000_000_000).await.unwrap();
    until(async || state(&agent, &id).await[2] == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moved_time_is_canisters_time_only() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let time = async || {
        let bytes = agent.query(&id, "time").call().await.unwrap();
        u64::from_le_bytes(bytes.try_into().unwrap())
    };
    let before = time().await;
    let year = 365 * 24 * 3_600 * 1_000_000_000;
    net.localnet.advance_time(year).await.unwrap();
    assert!(time().await >= before + year);
    agent.update(&id, "rand").call_and_wait().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certified_data_comes_with_a_certificate_agents_accept() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let bytes = agent.query(&id, "certificate").call().await.unwrap();
    let certificate: Certificate = serde_cbor::from_slice(&bytes).unwrap();
    let path = [b"canister".as_slice(), id.as_slice(), b"certified_data"];
    assert!(matches!(
        certificate.tree.lookup_path(path),
        LookupResult::Found(b"certified!")
    ));
    let mut forged: Certificate = serde_cbor::from_slice(&bytes).unwrap();
    forged.signature[0] ^= 1;
    let version = |bytes: Vec<u8>| serde_cbor::from_slice(&bytes).unwrap();
    agent.verify(&version(bytes), id).unwrap();
    agent
        .verify(&version(serde_cbor::to_vec(&forged).unwrap()), id)
        .unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn instructions_are_counted_and_repeatable() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let count = async || {
        let bytes = agent.query(&id, "counter").call().await.unwrap();
        u64::from_le_bytes(bytes.try_into().unwrap())
    };
    let first = count().await;
    assert!((200..300).contains(&first), "{first}");
    assert_eq!(count().await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_canister_takes_no_calls_and_can_be_deleted() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    net.manage(&agent, id, "delete_canister").await.unwrap_err();
    net.manage(&agent, id, "stop_canister").await.unwrap();
    let error = agent.query(&id, "state").call().await.unwrap_err();
    assert!(reject_message(&error).contains("is stopped"), "{error}");
    net.manage(&agent, id, "start_canister").await.unwrap();
    state(&agent, &id).await;
    net.manage(&agent, id, "canister_status").await.unwrap();
    net.manage(&agent, id, "stop_canister").await.unwrap();
    net.manage(&agent, id, "delete_canister").await.unwrap();
    let error = agent.query(&id, "state").call().await.unwrap_err();
    assert!(reject_message(&error).contains("not found"), "{error}");
}
