//! What only this node lets tests do: its clock, memory images, its status.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CALLS, COUNTER, Net, until};
use ic_agent::Agent;
use serde_json::{Value, json};

async fn clock(url: &str, change: Value) -> (u16, u64) {
    let request = reqwest::Client::new().post(format!("{url}/_/time"));
    let answer = request.body(change.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.bytes().await.unwrap();
    let now: Value = serde_json::from_slice(&text).unwrap_or_default();
    (status, now["time_ns"].as_u64().unwrap_or(0))
}

async fn time(agent: &Agent, id: &candid::Principal) -> u64 {
    let bytes = agent.query(id, "time").call().await.unwrap();
    u64::from_le_bytes(bytes.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn canisters_clock_stands_in_a_second_while_agents_verify() {
    let net = Net::start().await;
    let url = net.localnet.url();
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let second = 1_000_000_000;
    let boundary = (time(&agent, &id).await / second + 3_600) * second;
    let stood = clock(&url, json!({ "stand_at_ns": boundary })).await;
    assert_eq!(stood.0, 200);
    for _ in 0..20 {
        // Certificates of updates and signatures of queries bear the machine's time.
        agent.update(&id, "rand").call_and_wait().await.unwrap();
        let now = time(&agent, &id).await;
        assert_eq!(now / second * second, boundary, "{now}");
    }
    assert_eq!(clock(&url, json!({ "stand_at_ns": boundary })).await.0, 409);
    assert_eq!(clock(&url, json!({ "stand": 1 })).await.0, 400);
    let (_, moved) = clock(&url, json!({ "advance_ns": second })).await;
    assert_eq!(moved / second * second, boundary + second);
    assert_eq!(clock(&url, json!({ "go": true })).await.0, 200);
    until(async || time(&agent, &id).await > moved + second / 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_when_a_standing_clock_is_moved_to_it() {
    let net = Net::start().await;
    let url = net.localnet.url();
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let at = time(&agent, &id).await + 60_000_000_000;
    clock(&url, json!({ "stand_at_ns": at })).await;
    agent
        .update(&id, "set_timer_far")
        .call_and_wait()
        .await
        .unwrap();
    clock(&url, json!({ "advance_ns": 3_600_000_000_000_u64 })).await;
    until(async || agent.query(&id, "state").call().await.unwrap()[8] == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_of_one_moment_and_of_whole_pages() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    let url = format!("{}/_/canister/{id}/stable", net.localnet.url());
    let client = reqwest::Client::new();
    let put = client.put(&url).body(vec![7; 65_537]).send().await.unwrap();
    assert_eq!(put.status(), 204);
    let image = net.localnet.stable_memory(id).await.unwrap();
    assert_eq!(image.len(), 2 * 65_536);
    assert!(image[..65_537].iter().all(|byte| *byte == 7));
    assert!(image[65_537..].iter().all(|byte| *byte == 0));
    let nobody = format!("{}/_/canister/aaaaa-aa/stable", net.localnet.url());
    let refused = client.put(&nobody).body(vec![1]).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    let folder = net.dir.path().join("canisters").join(id.to_text());
    let left = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("upload")
    });
    assert_eq!(left.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_tells_sizes_and_instructions() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    net.localnet.advance_time(5).await.unwrap();
    let url = format!("{}/_/status", net.localnet.url());
    let text = reqwest::get(&url).await.unwrap().bytes().await.unwrap();
    let status: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(status["clock_ahead_ns"], 5);
    assert_eq!(status["waiting"], 0);
    let canister = &status["canisters"][0];
    assert_eq!(canister["id"], id.to_text());
    assert_eq!(canister["status"], "running");
    assert_eq!(canister["stable_bytes"], 65_536);
    assert!(canister["instructions"].as_u64().unwrap() > 100);
    // A page of another site does not get to read it.
    let from_a_site = reqwest::Client::new()
        .get(&url)
        .header("origin", "http://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(from_a_site.status(), 403);
}
