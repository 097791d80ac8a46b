//! Kills without warning, again and again, while several clients work: nothing acknowledged is
//! missing, nothing is applied twice, and nothing is half done.
//!
//! `SALUS_CHAOS_SEED` repeats a run's choices, `SALUS_CHAOS_KILLS` and `SALUS_CHAOS_UPDATES` make
//! it longer.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "chaos/clients.rs"]
mod clients;
mod common;
#[path = "chaos/snapshots.rs"]
mod snapshots;
#[path = "chaos/world.rs"]
mod world;

use clients::{Kind, work};
use common::process::spawn;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use world::{Random, World};

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// The choices of a run.
fn random() -> Random {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).unwrap();
    let seed = setting("SALUS_CHAOS_SEED", u64::from_le_bytes(seed) >> 16);
    println!("SALUS_CHAOS_SEED={seed}");
    Random(seed)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_and_nothing_happens_twice() {
    let mut random = random();
    let kills = setting("SALUS_CHAOS_KILLS", 8);
    let updates = setting("SALUS_CHAOS_UPDATES", 1_000);

    let dir = tempfile::tempdir().unwrap();
    let (mut process, told) = spawn(dir.path(), &[]);
    let world = Arc::new(World::found(told).await);
    let mut clients = JoinSet::new();
    let kinds = [
        (Kind::Write, 6, updates / 8),
        (Kind::Relay, 2, updates / 8),
        (Kind::Install, 1, updates / 25),
        (Kind::Chunks, 1, updates / 25),
        (Kind::Lives, 1, updates / 60),
        (Kind::Snapshots, 1, updates / 100),
    ];
    let mut key = 0;
    for (kind, number, rounds) in kinds {
        for _ in 0..number {
            key += 1;
            clients.spawn(work(Arc::clone(&world), kind, key, rounds));
        }
    }
    for kill in 0..kills {
        let span = updates / kills;
        let at = kill * span + random.below(span.max(1));
        world.acknowledged(at).await;
        // Anywhere in what happens next.
        tokio::time::sleep(Duration::from_micros(random.below(8_000))).await;
        drop(process);
        let told;
        (process, told) = spawn(dir.path(), &[]);
        world.check(&told, &mut random).await;
        world.goes_on(told);
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    world.check_end().await;
    drop(process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_a_snapshot_is_taken_or_loaded_leaves_before_or_after() {
    let mut random = random();
    let kills = setting("SALUS_CHAOS_KILLS", 8);
    let dir = tempfile::tempdir().unwrap();
    let (mut process, told) = spawn(dir.path(), &[]);
    let world = Arc::new(World::found(told).await);
    let rounds = 2 * kills + 4;
    let client = tokio::spawn(work(Arc::clone(&world), Kind::Snapshots, 1, rounds));
    for kill in 0..kills {
        let method = ["take_canister_snapshot", "load_canister_snapshot"][kill as usize % 2];
        world.snapshots.under_way(method).await;
        // Anywhere in the call, and a little after it.
        tokio::time::sleep(Duration::from_micros(random.below(20_000))).await;
        drop(process);
        let told;
        (process, told) = spawn(dir.path(), &[]);
        world.check(&told, &mut random).await;
        world.goes_on(told);
    }
    client.await.unwrap();
    world.check_end().await;
    drop(process);
    // Nothing of what was killed is left lying about.
    drop(spawn(dir.path(), &[]));
    let canister = world.snapshots.canister.to_text();
    let folder = dir.path().join("state/canisters").join(canister);
    let kept = std::fs::read_dir(folder.join("snapshots")).unwrap().count();
    assert_eq!(kept, world.snapshots.count());
    // Heap, stable memory, a chunk and the snapshots.
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 4);
}
