//! Modules beyond one message, compressed ones, and all three ways to install.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{CandidType, Decode, Encode, Principal};
use common::{COUNTER, IC, Net, reject_message, upload_wasm};
use ic_agent::{Agent, AgentError};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::Digest as _;
use std::io::Write as _;

#[derive(CandidType)]
struct Chunk {
    canister_id: Principal,
    chunk: ByteBuf,
}

#[derive(CandidType, Deserialize)]
struct Hash {
    hash: ByteBuf,
}

#[derive(CandidType, Deserialize)]
enum Mode {
    #[serde(rename = "install")]
    Install,
}

#[derive(CandidType)]
struct Chunked {
    mode: Mode,
    target_canister: Principal,
    store_canister: Option<Principal>,
    chunk_hashes_list: Vec<Hash>,
    wasm_module_hash: ByteBuf,
    arg: ByteBuf,
}

async fn manage(
    agent: &Agent,
    id: Principal,
    method: &str,
    arg: Vec<u8>,
) -> Result<Vec<u8>, AgentError> {
    agent
        .update(&IC, method)
        .with_effective_canister_id(id)
        .with_arg(arg)
        .call_and_wait()
        .await
}

/// The counter with three megabytes of data that do not compress away.
fn large() -> Vec<u8> {
    let mut seed = 1_u32;
    let data: String = (0..3 << 20)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (seed >> 24) as u8 % 26)
        })
        .collect();
    let text = COUNTER.replace("(memory 1)", "(memory 64)").replace(
        "(data (i32.const 64)",
        &format!("(data (i32.const 70000) \"{data}\")\n(data (i32.const 64)"),
    );
    wat::parse_str(text).unwrap()
}

async fn install_chunked(
    agent: &Agent,
    id: Principal,
    wasm: &[u8],
    hash: Vec<u8>,
) -> Result<Vec<u8>, AgentError> {
    let mut list = Vec::new();
    for chunk in wasm.chunks(1 << 20) {
        let arg = Chunk {
            canister_id: id,
            chunk: chunk.to_vec().into(),
        };
        let reply = manage(agent, id, "upload_chunk", Encode!(&arg).unwrap()).await?;
        list.push(Decode!(&reply, Hash).unwrap());
    }
    let arg = Chunked {
        mode: Mode::Install,
        target_canister: id,
        store_canister: None,
        chunk_hashes_list: list,
        wasm_module_hash: hash.into(),
        arg: ByteBuf::new(),
    };
    manage(agent, id, "install_chunked_code", Encode!(&arg).unwrap()).await
}

async fn count(agent: &Agent, id: Principal) -> Vec<u8> {
    agent.update(&id, "inc").call_and_wait().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_module_is_installed_in_chunks() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let wasm = large();
    assert!(wasm.len() > 3 << 20);
    let hash = sha2::Sha256::digest(&wasm).to_vec();
    let error = install_chunked(&agent, id, &wasm, vec![0; 32])
        .await
        .unwrap_err();
    assert!(reject_message(&error).contains("hash"), "{error}");
    install_chunked(&agent, id, &wasm, hash.clone())
        .await
        .unwrap();
    assert_eq!(count(&agent, id).await, 1_u32.to_le_bytes());
    let certified = agent
        .read_state_canister_info(id, "module_hash")
        .await
        .unwrap();
    assert_eq!(certified, hash);
    let reply = net.manage(&agent, id, "stored_chunks").await.unwrap();
    assert_eq!(Decode!(&reply, Vec<Hash>).unwrap().len(), 4);
    net.manage(&agent, id, "clear_chunk_store").await.unwrap();
    let reply = net.manage(&agent, id, "stored_chunks").await.unwrap();
    assert!(Decode!(&reply, Vec<Hash>).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_larger_than_a_message_is_refused_as_one() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let error = upload_wasm(&agent, id, "install", large(), b"")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("413"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_module_is_known_by_the_hash_of_what_was_uploaded() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(&wat::parse_str(COUNTER).unwrap())
        .unwrap();
    let compressed = encoder.finish().unwrap();
    let hash = sha2::Sha256::digest(&compressed).to_vec();
    upload_wasm(&agent, id, "install", compressed, b"")
        .await
        .unwrap();
    assert_eq!(count(&agent, id).await, 1_u32.to_le_bytes());
    let certified = agent
        .read_state_canister_info(id, "module_hash")
        .await
        .unwrap();
    assert_eq!(certified, hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_twice_is_refused_and_reinstalling_wipes() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    count(&agent, id).await;
    let error = net
        .upload(&agent, id, "install", COUNTER, b"")
        .await
        .unwrap_err();
    assert!(reject_message(&error).contains("not empty"), "{error}");
    net.upload(&agent, id, "reinstall", COUNTER, b"")
        .await
        .unwrap();
    let reply = agent.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [0_u32, 0, 0, 1, 1].map(u32::to_le_bytes).concat());
    net.manage(&agent, id, "uninstall_code").await.unwrap();
    let error = agent.query(&id, "all").call().await.unwrap_err();
    assert!(reject_message(&error).contains("no Wasm module"), "{error}");
    net.upload(&agent, id, "install", COUNTER, b"")
        .await
        .unwrap();
    let net = net.restart().await;
    let reply = net.agent().await.query(&id, "all").call().await.unwrap();
    assert_eq!(reply, [0_u32, 0, 0, 1, 1].map(u32::to_le_bytes).concat());
}
