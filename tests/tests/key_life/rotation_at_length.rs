//! Rotations of many records, and many of them: bounded steps, and grants that do not fill up.

use super::super::*;
use super::rotation::state;
use salus_types::Result as Answer;
use std::collections::BTreeSet;

/// Given by `SALUS_SEED`, or by the clock; printed.
fn seed() -> u64 {
    let given = std::env::var("SALUS_SEED")
        .ok()
        .and_then(|s| s.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = given.unwrap_or_else(|| now.map_or(1, |d| d.as_nanos() as u64));
    println!("SALUS_SEED={seed}");
    seed
}

fn below(seed: &mut u64, n: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed % n
}

#[test]
fn ten_thousand_records_are_rotated_in_bounded_steps_that_may_be_killed() {
    const RECORDS: usize = 10_000;
    run(async {
        let mut seed = seed();
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let (medicines, letters) = (
            patient.compartment("Medicines"),
            patient.compartment("Letters"),
        );
        let records = (0..RECORDS).map(|n| salus_client::NewRecord {
            place: if n % 3 == 0 { letters } else { medicines },
            draft: draft(&format!("number {n:05}")),
            parts: text("text"),
        });
        patient
            .own
            .add_records(records, &|_| {}, &Quiet)
            .await
            .unwrap();
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        patient
            .own
            .approve(&request, &terms(Scope::Everything, READ))
            .await
            .unwrap();

        // Killed again and again, each time by another device that goes on.
        let mut kills = 0;
        let mut largest = 0;
        let rotated = loop {
            world.clock.pass(MINUTE);
            let device = world.device(1);
            let own = device
                .client
                .unlock_with_phrase(&patient.phrase)
                .await
                .unwrap();
            let sizes = Rc::new(std::cell::Cell::new(0));
            let seen = Rc::clone(&sizes);
            device.lies.alter(
                "versions_adopt",
                move |answers: &mut Vec<Answer<salus_types::api::VersionReceipt>>| {
                    seen.set(seen.get().max(answers.len()));
                },
            );
            if kills < 6 {
                device
                    .lies
                    .die(5 + below(&mut seed, 90), below(&mut seed, 2) == 0);
            }
            let done = own.rotate_everything(&Quiet).await;
            largest = largest.max(sizes.get());
            match done {
                Ok(rotated) => break (own, rotated),
                Err(ClientError::Transport(_)) => kills += 1,
                // So fast is nobody on the platform.
                Err(ClientError::Vault(salus_types::Error::RateLimited { .. })) => {
                    world.clock.pass(MINUTE);
                }
                Err(error) => panic!("{error:?}"),
            }
        };
        let (own, rotated) = rotated;
        assert!(
            kills > 0 && largest == 100,
            "{kills} kills, {largest} in a call"
        );
        assert!(rotated.generation <= 1 + kills + 1);
        let after = state(&world, &patient, &own).await;
        assert_eq!(after.filed.len(), RECORDS);
        let newest: BTreeSet<u32> = after.epochs.values().copied().collect();
        assert!(after.filed.values().all(|epoch| newest.contains(epoch)));
        let grant = doctor.own.received().await.unwrap().remove(0);
        assert_eq!(doctor.own.granted_all(&grant).await.unwrap().len(), RECORDS);
    });
}

#[test]
fn after_many_epochs_a_grant_conveys_those_in_use_alone() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        patient.write("first").await;
        // About as many epochs as a grant's statement has room for.
        for _ in 0..135 {
            world.clock.pass(MINUTE);
            patient.own.rotate_everything(&Quiet).await.unwrap();
        }
        let given = Terms {
            expires: patient.own.client().now() + DAY,
            ..terms(Scope::Everything, READ)
        };
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let id = patient.own.approve(&request, &given).await.unwrap();
        let after = state(&world, &patient, &patient.own).await;
        assert!(after.epochs.values().all(|epoch| *epoch == 136));
        assert_eq!(after.conveyed[&id].1.len(), 2, "the newest of each");
        let grant = doctor.own.received().await.unwrap().remove(0);
        assert_eq!(doctor.own.granted_all(&grant).await.unwrap().len(), 1);
        patient.own.revoke(id).await.unwrap();
    });
}
