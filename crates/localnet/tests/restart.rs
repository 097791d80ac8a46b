//! What was acknowledged survives: a restart, and a kill at any moment.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::process::spawn;
use common::{COUNTER, Net, install};
use ic_agent::identity::BasicIdentity;

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_restart() {
    let net = Net::start().await;
    let key = || BasicIdentity::from_raw_key(&[7; 32]);
    let agent = net.agent_as(key()).await;
    let id = net.install(&agent, COUNTER, b"").await;
    agent.update(&id, "inc").call_and_wait().await.unwrap();
    let root_key = net.localnet.root_key();
    let stable = net.localnet.stable_memory(id).await.unwrap();
    assert_eq!(stable.len(), 65_536);
    assert_eq!(stable[..4], [1, 0, 0, 0]);

    let net = net.restart().await;
    assert_eq!(net.localnet.root_key(), root_key);
    assert_eq!(net.localnet.stable_memory(id).await.unwrap(), stable);
    let agent = net.agent_as(key()).await;
    let reply = agent.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [1_u32, 1, 1, 1, 1].map(u32::to_le_bytes).concat());
    let data = common::certified_data(&agent, id).await;
    assert_eq!(data, 1_u32.to_le_bytes());
    net.upgrade(&agent, id, COUNTER, b"").await.unwrap();
    let other = net.create(&agent).await;
    assert_ne!(other, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_image_can_be_put_back() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    for _ in 0..3 {
        agent.update(&id, "inc").call_and_wait().await.unwrap();
    }
    let image = net.localnet.stable_memory(id).await.unwrap();
    let other = net.install(&agent, COUNTER, b"").await;
    let url = format!("{}/_/canister/{other}/stable", net.localnet.url());
    let client = reqwest::Client::new();
    let put = client.put(&url).body(image.clone()).send().await.unwrap();
    assert_eq!(put.status(), 204);
    net.upgrade(&agent, other, COUNTER, b"").await.unwrap();
    agent.update(&other, "inc").call_and_wait().await.unwrap();
    let got = client
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(got[..4], [4, 0, 0, 0]);
    assert_eq!(got[4..], image[4..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_update_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, mut told) = spawn(dir.path(), &[]);
    let id = install(&told.agent(9), COUNTER).await;
    let mut count = 0_u32;
    for _ in 0..4 {
        let caller = told.agent(9);
        for _ in 0..3 {
            let reply = caller.update(&id, "inc").call_and_wait().await.unwrap();
            count += 1;
            assert_eq!(reply, count.to_le_bytes());
        }
        drop(process);
        (process, told) = spawn(dir.path(), &[]);
        let reply = told.agent(9).query(&id, "all").call().await.unwrap();
        let all = [count, count, count, 1, 1];
        assert_eq!(reply, all.map(u32::to_le_bytes).concat());
    }
    drop(process);
}
