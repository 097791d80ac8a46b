//! Whoever stole the identity key signs what is meant to keep the owner out for good; the recovery phrase
//! overrules it all the same.

use super::super::*;
use salus_client::{
    CompartmentId, Environment, Label, NewSlot, Quiet, SlotId, SlotSecret, Transport, Unlocked,
    VaultError,
};
use salus_crypto::hierarchy::{EpochKey, IdentitySeeds};
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{EpochAdvance, LedgerError};
use salus_protocol::request::{Claim, Disclaim};
use salus_tests::transports::Native;
use salus_types::api::{AccountInfo, InitArgs};
use salus_types::{Hash, limits};
use std::cell::Cell;
use std::rc::Rc;

fn rename(person: &Person) -> Change {
    Change::RenameCompartment {
        compartment: person.compartment("Letters"),
        name: vec![7; 100],
    }
}

/// The owner opens the account on this device and on a fresh one, and can go on.
async fn recovers(world: &World, person: &Person) -> Unlocked {
    let own = person.take_back().await.unwrap();
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

/// Recovers while the thief acts between any two calls of the owner's.
async fn recovers_beside<F: Future<Output = ()>>(
    world: &World,
    person: &Person,
    act: impl Fn() -> F,
) -> Unlocked {
    let done = Cell::new(false);
    let owner = async {
        let own = person.take_back().await;
        done.set(true);
        own.unwrap()
    };
    let thief = async {
        while !done.get() {
            act().await;
            world.clock.pass(1);
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(biased; owner, thief).0
}

/// Someone who joined the account with the stolen key, and calls in a session of their own.
async fn joined(world: &World, person: &Person) -> Thief {
    let mut thief = Thief::of(world, person).await;
    let client = world.device(66).client;
    let claim = Claim {
        vault: world.vault.vault().as_slice().to_vec(),
        account: person.own.account(),
        principal: client.caller().as_slice().to_vec(),
        by: Authority::Identity,
        at: world.clock.now_ms(),
    };
    client.claim(thief.sign(&claim)).await.unwrap();
    thief.call_in(Rc::new(world.vault.for_caller(client.caller())));
    thief
}

#[test]
fn theft_a_ledger_that_moves_all_the_time_is_held() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let thief = joined(&world, &person).await;
        let appended = Cell::new(0);
        let own = recovers_beside(&world, &person, async || {
            // Until this sign-in is ended.
            let none = candid::encode_args(()).unwrap();
            let shown = thief.query::<AccountInfo>("account_show", none).await;
            if shown.is_ok() && thief.append(rename(&person)).await.is_ok() {
                appended.set(appended.get() + 1);
            }
        })
        .await;
        assert!(appended.get() > 0);
        assert_eq!(own.slots().unwrap().len(), 1);
        recovers(&world, &person).await;
    });
}

#[test]
fn theft_a_sign_in_removed_all_the_time_is_held() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let thief = joined(&world, &person).await;
        let removed = Cell::new(0);
        recovers_beside(&world, &person, async || {
            let disclaim = Disclaim {
                vault: world.vault.vault().as_slice().to_vec(),
                account: person.own.account(),
                principal: person.device.client.caller().as_slice().to_vec(),
                by: Authority::Identity,
                at: world.clock.now_ms(),
            };
            let disclaim = thief.sign(&disclaim);
            let gone: Result<AccountInfo, VaultError> =
                thief.update("principal_remove", disclaim).await;
            if gone.is_ok_and(|info| info.principals.len() == 1) {
                removed.set(removed.get() + 1);
            }
        })
        .await;
        assert!(removed.get() > 0);
        recovers(&world, &person).await;
    });
}

/// Only whoever takes an account back holds it, for some minutes, and nobody else does.
#[test]
fn theft_an_account_is_held_by_its_recovery_key_alone() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let other = world.device(2).client;
        let claim = person.own.authorise(other.caller()).unwrap();
        other.claim(claim).await.unwrap();
        // With the phrase to unlock, nothing is held.
        other.unlock_with_phrase(&person.phrase).await.unwrap();
        person
            .own
            .add_compartment(&Label::named("New"))
            .await
            .unwrap();
        other.recovery(&person.phrase).await.unwrap();
        let held = person.own.add_compartment(&Label::named("Newer")).await;
        assert!(
            matches!(held, Err(ClientError::Vault(VaultError::Temporary { .. }))),
            "{held:?}"
        );
        world.clock.pass(limits::TAKING_BACK_MS);
        person
            .own
            .add_compartment(&Label::named("Newer"))
            .await
            .unwrap();
        // Nor after it was taken back.
        let own = person.take_back().await.unwrap();
        own.add_compartment(&Label::named("Newest")).await.unwrap();
    });
}

/// A thief who has the account master key too can make bundles that the owner opens.
#[test]
fn theft_a_bundle_with_foreign_seeds_or_without_room_is_left() {
    run(async {
        for bloated in [false, true] {
            let world = World::new();
            let person = world.person(1).await;
            let mut thief = Thief::of(&world, &person).await;
            let mut seeds = IdentitySeeds::generate().unwrap();
            seeds.link = thief.link();
            let n = if bloated { 1200 } else { 1 };
            thief.bundle.earlier = std::iter::repeat_n(seeds, n).collect();
            if bloated {
                thief
                    .bundle
                    .earlier
                    .iter_mut()
                    .for_each(|s| s.link = Hash([1; 32]));
            }
            thief.rotate_fitting().await;
            recovers(&world, &person).await;
        }
    });
}

/// Whatever was used up before: by records, and by what ends access or saves an account.
#[test]
fn theft_a_quota_used_up_has_room_for_a_recovery() {
    run(async {
        let world = World::new();
        let small = InitArgs {
            sign_up: None,
            account_quota: Some(1 << 20),
        };
        let small = Native::start_with(&world.clock, Some(small));
        let world = world.over(small.unwrap());
        let person = world.person(1).await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;
        thief.rekey().await;
        let all = person.own.compartments().unwrap().into_iter();
        let compartments: Vec<_> = all.map(|c| c.id).collect();
        let mut generation = 3;
        for size in [256 << 10, 32 << 10, 4 << 10, 512, 1] {
            let full = loop {
                let again = (generation, Vec::new());
                let bundle = (SlotId([8; 16]), vec![1; size]);
                match thief.rekey_with(again, bundle, compartments.clone()).await {
                    Ok(_) => generation += 1,
                    Err(error) => break error,
                }
            };
            assert!(matches!(full, VaultError::QuotaExceeded { .. }), "{full:?}");
        }
        let info = thief.info().await;
        assert!(info.usage.bytes > info.usage.quota);
        for _ in 0..3 {
            let own = person.take_back().await.unwrap();
            assert_eq!(own.slots().unwrap().len(), 1);
        }
    });
}

/// As many compartments as there may be.
async fn with_compartments(world: &World) -> Person {
    let person = world.person(1).await;
    person.write("mine").await;
    for n in 2..limits::COMPARTMENTS {
        let label = Label::named(format!("Number {n}"));
        person.own.add_compartment(&label).await.unwrap();
    }
    person
}

/// The next epoch of every compartment.
async fn advance(person: &Person, thief: &Thief, wrap: impl Fn(EpochKey) -> (Hash, Vec<u8>)) {
    let feeds = thief.info().await.feeds.into_iter();
    let ids = feeds.map(|feed| feed.compartment);
    let ids: Vec<CompartmentId> = ids.filter(|id| *id != CompartmentId::DROP_BOX).collect();
    person.own.refresh().await.unwrap();
    let all = person.own.compartments().unwrap();
    let epochs = ids.into_iter().map(|id| {
        let epoch = 1 + all.iter().find(|c| c.id == id).unwrap().epoch;
        let (kid, wrap) = wrap(EpochKey::generate(id, epoch).unwrap());
        EpochAdvance {
            compartment: id,
            epoch,
            kid,
            wrap,
        }
    });
    let advance = Change::Advance {
        epochs: epochs.collect(),
        reissues: Vec::new(),
    };
    thief.append(advance).await.unwrap();
}

#[test]
fn theft_epochs_of_rubbish_leave_room_for_a_new_master_key() {
    run(async {
        let world = World::new();
        let person = with_compartments(&world).await;
        let thief = Thief::of(&world, &person).await;
        for _ in 0..3 {
            let rubbish = vec![1; usize::try_from(limits::NOTE_BYTES).unwrap()];
            advance(&person, &thief, |_| (Hash([1; 32]), rubbish.clone())).await;
        }
        // For an owner who does not know yet, too.
        person.own.refresh().await.unwrap();
        let file = NewSlot::new(SlotSecret::generate_for_file().unwrap(), "").unwrap();
        person.own.add_slot(&file).await.unwrap();
        person.own.remove_slots(&[file.id]).await.unwrap();
        let own = person.take_back().await.unwrap();
        let medicines = person.compartment_of(&own, "Medicines");
        assert_eq!(own.records(medicines).await.unwrap().len(), 1);
        // What nobody can open stays so, and there is a way on.
        assert!(own.compartments().unwrap().iter().all(|c| c.damaged));
        own.rotate_everything(&Quiet).await.unwrap();
        assert!(own.compartments().unwrap().iter().all(|c| !c.damaged));
        assert_eq!(own.records(medicines).await.unwrap().len(), 1);
    });
}

/// Keys of older epochs stay under the account master key that they are under.
#[test]
fn theft_more_epochs_than_a_new_master_key_is_put_on_stay_open() {
    run(async {
        let world = World::new();
        let person = with_compartments(&world).await;
        let thief = Thief::of(&world, &person).await;
        for _ in 0..20 {
            let seal = |key: EpochKey| {
                thief.with_scope(|scope| (key.kid(scope), key.wrap(&thief.amk, scope).unwrap()))
            };
            advance(&person, &thief, seal).await;
        }
        person.own.refresh().await.unwrap();
        for _ in 0..2 {
            let file = NewSlot::new(SlotSecret::generate_for_file().unwrap(), "").unwrap();
            person.own.add_slot(&file).await.unwrap();
            person.own.remove_slots(&[file.id]).await.unwrap();
        }
        // From the epoch that the record lies in on, for one who opened them before and one who did not.
        let fresh = world.device(1).client;
        let fresh = fresh.unlock_with_phrase(&person.phrase).await.unwrap();
        let taken = person.take_back().await.unwrap();
        let medicines = person.compartment("Medicines");
        for own in [&fresh, &taken] {
            own.refresh().await.unwrap();
            assert_eq!(own.records(medicines).await.unwrap().len(), 1);
            assert!(own.compartments().unwrap().iter().all(|c| !c.damaged));
        }
    });
}
