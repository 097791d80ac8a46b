//! Rotations of many records, and many of them: bounded steps, and grants that do not fill up.

use super::super::*;
use super::rotation::state;
use salus_types::Result as Answer;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

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

/// A patient with so many records in two compartments, and a doctor who may read all of them.
async fn with_records(world: &World, count: usize) -> (Person, Person) {
    let (patient, doctor) = (world.person(1).await, world.person(2).await);
    let (medicines, letters) = (
        patient.compartment("Medicines"),
        patient.compartment("Letters"),
    );
    let records = (0..count).map(|n| salus_client::NewRecord {
        place: if n % 3 == 0 { letters } else { medicines },
        draft: draft(&format!("number {n:05}")),
        parts: text("text"),
    });
    let added = patient.own.add_records(records, &|_| {}, &Quiet);
    added.await.unwrap();
    let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
    let given = terms(Scope::Everything, READ);
    patient.own.approve(&request, &given).await.unwrap();
    (patient, doctor)
}

/// A fresh device of the patient's, unlocked, and the most versions that one answer to it is about.
async fn visit(world: &World, patient: &Person) -> (Device, Unlocked, Rc<Cell<usize>>) {
    let device = world.device(1);
    let own = device.client.unlock_with_phrase(&patient.phrase).await;
    let largest = Rc::new(Cell::new(0));
    let seen = Rc::clone(&largest);
    device.lies.alter(
        "versions_adopt",
        move |answers: &mut Vec<Answer<salus_types::api::VersionReceipt>>| {
            seen.set(seen.get().max(answers.len()));
        },
    );
    (device, own.unwrap(), largest)
}

/// What a client reads changes nothing: every moment at which it can be killed is before or after one of
/// its updates, the steps.
#[test]
fn killed_before_and_after_each_step_of_several_batches_it_ends_the_same() {
    run(async {
        let world = World::new();
        let (patient, _) = with_records(&world, 330).await;
        let begin = world.vault.snapshot();
        let (device, own, largest) = visit(&world, &patient).await;
        let before = state(&world, &patient, &own).await;
        own.rotate_everything(&Quiet).await.unwrap();
        let expected = state(&world, &patient, &own).await;
        let steps = device.lies.updates();
        let batches = device.lies.calls("versions_adopt");
        assert!(batches == 4 && largest.get() == 100, "{batches} batches");
        assert!(steps >= 8, "{steps} steps");
        println!("killed before and after each of {steps} steps");
        for step in 0..steps {
            for carried in [false, true] {
                world.vault.restore(&begin).unwrap();
                let (device, own, _) = visit(&world, &patient).await;
                device.lies.die_at_update(step, carried);
                let killed = own.rotate_everything(&Quiet).await;
                assert!(killed.is_err(), "killed at step {step}, {carried}");
                let (_, other, _) = visit(&world, &patient).await;
                let begun = other.has_unfinished_rotation(&Quiet).await.unwrap();
                if begun || state(&world, &patient, &other).await == before {
                    let rotated = other.rotate_everything(&Quiet).await.unwrap();
                    assert_eq!(rotated.began, !begun, "killed at step {step}, {carried}");
                    assert_eq!(rotated.generation, 2);
                }
                let after = state(&world, &patient, &other).await;
                assert_eq!(after, expected, "killed at step {step}, {carried}");
            }
        }
    });
}

#[test]
fn ten_thousand_records_are_rotated_in_bounded_steps_that_may_be_killed() {
    const RECORDS: usize = 10_000;
    const KILLS: u32 = 6;
    run(async {
        let mut seed = seed();
        let world = World::new();
        let (patient, doctor) = with_records(&world, RECORDS).await;

        // Killed at steps all over it, each time by another device that goes on.
        let (mut kills, mut steps, mut largest) = (0, 0, 0);
        let rotated = loop {
            world.clock.pass(MINUTE);
            let (device, own, sizes) = visit(&world, &patient).await;
            if kills < KILLS {
                let (step, carried) = (below(&mut seed, 17), below(&mut seed, 2) == 0);
                device.lies.die_at_update(step, carried);
            }
            let done = own.rotate_everything(&Quiet).await;
            largest = largest.max(sizes.get());
            steps += device.lies.updates();
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
        println!("{kills} kills in {steps} steps");
        assert!(kills == KILLS && largest == 100, "{kills}, {largest}");
        assert!(rotated.generation <= 1 + kills + 1);
        all_is_new(&world, &patient, &own, RECORDS).await;

        // And in one go.
        let epochs = state(&world, &patient, &own).await.epochs;
        world.clock.pass(MINUTE);
        let (device, own, sizes) = visit(&world, &patient).await;
        let whole = own.rotate_everything(&Quiet).await.unwrap();
        assert!(whole.began && whole.refiled == RECORDS as u64, "{whole:?}");
        assert!(sizes.get() == 100 && device.lies.updates() < 110);
        let after = all_is_new(&world, &patient, &own, RECORDS).await;
        assert!(epochs.iter().all(|(id, epoch)| after[id] == epoch + 1));
        let grant = doctor.own.received().await.unwrap().remove(0);
        assert_eq!(doctor.own.granted_all(&grant).await.unwrap().len(), RECORDS);
    });
}

/// Every version lies under its compartment's newest epoch; which those are.
async fn all_is_new(
    world: &World,
    patient: &Person,
    own: &Unlocked,
    count: usize,
) -> BTreeMap<CompartmentId, u32> {
    let after = state(world, patient, own).await;
    assert_eq!(after.filed.len(), count);
    let newest: BTreeSet<u32> = after.epochs.values().copied().collect();
    assert!(after.filed.values().all(|epoch| newest.contains(epoch)));
    after.epochs
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
