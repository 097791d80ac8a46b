//! Whoever stole the identity key signs what is meant to keep the owner out for good; the recovery phrase
//! overrules it all the same.

use super::super::*;
use salus_client::{Kept, Label, Unlocked};
use salus_protocol::ledger::LedgerError;
use salus_tests::world::Thief;
use salus_types::{Hash, limits};

fn rename(person: &Person) -> Change {
    Change::RenameCompartment {
        compartment: person.compartment("Letters"),
        name: vec![7; 100],
    }
}

/// The owner opens the account on this device and on a fresh one, and can go on.
async fn recovers(world: &World, person: &Person) -> Unlocked {
    let recovery = person.device.client.recovery(&person.phrase).await.unwrap();
    let own = recovery.take_back(&Kept::default()).await.unwrap();
    own.add_compartment(&Label::named("New")).await.unwrap();
    let fresh = world.device(1).client;
    let again = fresh.unlock_with_phrase(&person.phrase).await.unwrap();
    assert_eq!(again.genesis(), person.own.genesis());
    again
}

#[test]
fn theft_a_rotation_to_the_link_in_force_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut thief = Thief::of(&world, &person).await;
        // To genesis, which no recovery can discard, and to a link of the thief's own.
        for _ in 0..2 {
            let before = thief.info().await.ledger;
            let again = Change::Rotate {
                link: thief.link(),
                bundle: vec![1; 200],
            };
            assert!(thief.append(again).await.is_err());
            assert_eq!(thief.info().await.ledger, before);
            thief.rotate().await;
        }
        recovers(&world, &person).await;
    });
}

/// Under the owner's own link, which no recovery discards, and under one of the thief's.
#[test]
fn theft_a_false_checkpoint_is_overruled() {
    for rotates in [false, true] {
        run(async {
            let world = World::new();
            let person = world.person(1).await;
            let mut thief = Thief::of(&world, &person).await;
            if rotates {
                thief.rotate().await;
            }
            while thief.info().await.ledger.count < limits::CHECKPOINT_EVERY {
                thief.append(rename(&person)).await.unwrap();
            }
            let state = Hash([1; 32]);
            let signed = thief.append(Change::Checkpoint { state }).await;
            signed.unwrap();
            thief.append(rename(&person)).await.unwrap();

            // Nobody takes what the ledger folds to for what its owner vouched for.
            if !rotates {
                let locked_out = person.own.refresh().await;
                assert_eq!(
                    integrity(locked_out),
                    IntegrityError::Ledger {
                        seq: limits::CHECKPOINT_EVERY,
                        error: LedgerError::Checkpoint,
                    }
                );
            }
            recovers(&world, &person).await;
        });
    }
}
