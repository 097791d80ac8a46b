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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_and_nothing_happens_twice() {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).unwrap();
    let seed = setting("SALUS_CHAOS_SEED", u64::from_le_bytes(seed) >> 16);
    let kills = setting("SALUS_CHAOS_KILLS", 8);
    let updates = setting("SALUS_CHAOS_UPDATES", 1_000);
    println!("SALUS_CHAOS_SEED={seed}");
    let mut random = Random(seed);

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
