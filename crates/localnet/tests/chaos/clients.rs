//! The clients of the chaos: each does one thing over and over, and notes what was acknowledged.

use super::common::{IC, about, create_arg, created, install_arg};
use super::world::{OWNER, World, sha256, versioned};
use candid::{CandidType, Principal};
use std::sync::Arc;

/// What a client does.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Appends to the log.
    Write,
    /// Has another canister append to the log.
    Relay,
    /// Installs and upgrades.
    Install,
    /// Uploads chunks.
    Chunks,
    /// Creates, uses and deletes canisters.
    Lives,
    /// Takes and loads snapshots.
    Snapshots,
}

/// Works for so many rounds, as an identity of its own.
pub(crate) async fn work(world: Arc<World>, kind: Kind, key: u8, rounds: u64) {
    for round in 0..u32::try_from(rounds).unwrap() {
        match kind {
            Kind::Write => write(&world, key, round).await,
            Kind::Relay => relay(&world, key, round).await,
            Kind::Install => install(&world, round + 1).await,
            Kind::Chunks => chunk(&world, key, round).await,
            Kind::Lives => live(&world, key, round).await,
            Kind::Snapshots => world.snapshots.round(&world, round).await,
        }
    }
}

fn entry(key: u8, round: u32) -> [u8; 8] {
    u64::from(key)
        .rotate_left(32)
        .wrapping_add(round.into())
        .to_le_bytes()
}

async fn write(world: &World, key: u8, round: u32) {
    let entry = entry(key, round);
    let reply = world
        .call(key, world.log, world.log, "put", entry.to_vec())
        .await;
    assert_eq!(reply.unwrap(), entry);
    world.wrote(entry);
}

async fn relay(world: &World, key: u8, round: u32) {
    let entry = entry(key, round);
    let arg = [&entry, world.log.as_slice()].concat();
    let reply = world
        .call(key, world.relay, world.relay, "relay", arg)
        .await;
    assert_eq!(reply.unwrap(), entry);
    world.wrote(entry);
}

async fn install(world: &World, number: u32) {
    let version = 1 + number % 2;
    let mode = if number.is_multiple_of(5) {
        "reinstall"
    } else {
        "upgrade"
    };
    let id = world.versions;
    world.tries((number, version));
    let arg = install_arg(id, mode, versioned(version), &number.to_le_bytes());
    world
        .call(OWNER, id, IC, "install_code", arg)
        .await
        .unwrap();
    world.installed((number, version));
}

#[derive(CandidType)]
struct Upload {
    canister_id: Principal,
    chunk: serde_bytes::ByteBuf,
}

async fn chunk(world: &World, key: u8, round: u32) {
    let bytes: Vec<u8> = round.to_le_bytes().repeat(5_000);
    let hash = sha256(&bytes);
    let upload = Upload {
        canister_id: world.store,
        chunk: bytes.into(),
    };
    let arg = candid::encode_one(&upload).unwrap();
    world
        .call(OWNER, world.store, IC, "upload_chunk", arg)
        .await
        .unwrap();
    world.uploaded(key, hash);
}

/// One life of a canister, from its creation to its deletion.
async fn live(world: &World, key: u8, round: u32) {
    let arg = create_arg(None);
    let method = "provisional_create_canister_with_cycles";
    let reply = world.call(key, IC, IC, method, arg).await.unwrap();
    let id = created(&reply);
    let arg = install_arg(id, "install", versioned(1), &round.to_le_bytes());
    world.call(key, id, IC, "install_code", arg).await.unwrap();
    let shown = world.ask(id, "show").await;
    assert_eq!(shown[..4], round.to_le_bytes());
    assert_eq!(shown[20..], [0; 4], "it was not empty");
    world.call(key, id, id, "mark", vec![7; 4]).await.unwrap();
    assert_eq!(world.ask(id, "show").await[20..], [7; 4]);
    world
        .call(key, id, IC, "stop_canister", about(id))
        .await
        .unwrap();
    world
        .call(key, id, IC, "delete_canister", about(id))
        .await
        .unwrap();
}
