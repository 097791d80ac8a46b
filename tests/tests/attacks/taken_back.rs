//! 14 and 36, after the owner took the account back with the phrase: what a thief added with the identity
//! key must not open or reach anything any more, nor keep the owner out before.

use super::super::*;
use salus_client::{
    Environment, Kept, NewSlot, Principal, Quiet, SlotId, SlotSecret, Transport, VaultError,
};
use salus_crypto::hierarchy::IdentityBundle;
use salus_crypto::slot::wrap_amk;
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{CompartmentRewrap, Slot, SlotKind, SlotWrap, Wrap};
use salus_protocol::request::{Claim, Disclaim};
use salus_types::api::AccountInfo;
use salus_types::limits;

const MALLORY: u8 = 66;

/// A way to unlock of a thief's making that opens the account: the master key was stolen as well.
fn working(thief: &Thief, person: &Person, id: SlotId, kind: SlotKind) -> (Slot, SlotSecret) {
    let secret = SlotSecret::from_file([MALLORY; 32]);
    let slot = thief.with_scope(|scope| {
        let keys = secret.derive_keys(scope, id).unwrap();
        Slot {
            id,
            kind,
            sealing: keys.public().as_bytes().to_vec(),
            anchor: keys.seal_anchor(scope, id, person.own.genesis()).unwrap(),
            wrap: wrap_amk(keys.public(), scope, id, &thief.amk).unwrap(),
            label: Vec::new(),
            parameters: None,
        }
    });
    (slot, secret)
}

/// Joins a sign-in of the thief's to the account.
async fn join(world: &World, thief: &Thief, person: &Person, seed: u8) -> Principal {
    join_at(world, thief, person, seed, world.clock.now_ms()).await
}

/// The same, signed as if it were another time.
async fn join_at(world: &World, thief: &Thief, person: &Person, seed: u8, at: u64) -> Principal {
    let client = world.device(seed).client;
    let claim = Claim {
        vault: world.vault.vault().as_slice().to_vec(),
        account: person.own.account(),
        principal: client.caller().as_slice().to_vec(),
        by: Authority::Identity,
        at,
    };
    client.claim(thief.sign(&claim)).await.unwrap();
    client.caller()
}

#[test]
fn a14_a_thiefs_slot_ends_when_the_account_is_taken_back() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let thief = Thief::of(&world, &person).await;
        let id = SlotId([MALLORY; 16]);
        let (slot, secret) = working(&thief, &person, id, SlotKind::File);
        thief.append(Change::AddSlot { slot }).await.unwrap();
        let theirs = join(&world, &thief, &person, MALLORY).await;
        let laptop = world.device(MALLORY).client;
        let opened = laptop.unlock_with_slot(id, &secret).await.unwrap();
        let medicines = person.compartment("Medicines");
        assert_eq!(opened.records(medicines).await.unwrap().len(), 1);

        let recovery = person.device.client.recovery(&person.phrase).await.unwrap();
        assert!(recovery.slots().iter().any(|slot| slot.id == id));
        assert!(recovery.principals().contains(&theirs));
        let own = recovery.take_back(&Kept::default()).await.unwrap();
        let slots = own.slots().unwrap();
        assert!(slots.len() == 1 && slots[0].kind == SlotKind::Recovery);
        assert_eq!(
            own.principals().await.unwrap(),
            [person.device.client.caller()]
        );
        assert_eq!(own.records(medicines).await.unwrap().len(), 1);
        assert_eq!(own.profile().unwrap().display_name, "Person 1");

        // From the thief's own sign-in, and from a stolen session of the owner's.
        let gone = world
            .device(MALLORY)
            .client
            .unlock_with_slot(id, &secret)
            .await;
        assert_eq!(gone.unwrap_err(), ClientError::NoAccount);
        let gone = world.device(1).client.unlock_with_slot(id, &secret).await;
        assert_eq!(gone.unwrap_err(), ClientError::NoSuchSlot);
        // What it opened before opens none of the new keys.
        assert!(opened.refresh().await.is_err());
        for bundle in thief.bundles().await.into_iter().skip(1) {
            let stolen =
                thief.with_scope(|scope| IdentityBundle::open(&thief.amk, scope, &bundle).is_ok());
            assert!(!stolen, "the new identity keys are the thief's too");
        }
        // Nor does a rotation of everything, which goes on with this, seal anything to it.
        assert!(own.has_unfinished_rotation(&Quiet).await.unwrap());
        let rotated = own.rotate_everything(&Quiet).await.unwrap();
        assert_eq!((rotated.began, rotated.refiled), (false, 1));
        assert_eq!(own.slots().unwrap().len(), 1);
    });
}

#[test]
fn a14_keep_a_slot_on_the_owners_word_and_none_that_was_added_under_other_keys() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let file = NewSlot::new(secret.clone(), "The laptop").unwrap();
        person.own.add_slot(&file).await.unwrap();
        let other = world.device(2).client;
        let claim = person.own.authorise(other.caller()).unwrap();
        other.claim(claim).await.unwrap();
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;
        let id = SlotId([MALLORY; 16]);
        let (slot, _) = working(&thief, &person, id, SlotKind::File);
        thief.append(Change::AddSlot { slot }).await.unwrap();

        let client = &person.device.client;
        let recovery = client.recovery(&person.phrase).await.unwrap();
        assert!(recovery.may_keep(&file.id) && !recovery.may_keep(&id));
        let labels: Vec<String> = recovery.slots().into_iter().map(|s| s.label).collect();
        assert!(labels.contains(&"The laptop".to_owned()));
        let kept = Kept {
            slots: vec![id],
            principals: Vec::new(),
        };
        let kept = unmoved(&world, recovery.take_back(&kept)).await;
        assert_eq!(kept.unwrap_err(), ClientError::NoSuchSlot);

        let recovery = client.recovery(&person.phrase).await.unwrap();
        let kept = Kept {
            slots: vec![file.id],
            principals: vec![other.caller()],
        };
        let own = recovery.take_back(&kept).await.unwrap();
        assert_eq!(own.slots().unwrap().len(), 2);
        other.unlock_with_slot(file.id, &secret).await.unwrap();
    });
}

#[test]
fn a14_add_slots_and_sign_ins_until_the_owner_has_no_place() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let thief = Thief::of(&world, &person).await;
        let before = thief.info().await;
        let own = person.own.slots().unwrap()[0].id;
        // All places for slots are the thief's, and the owner's own is gone.
        let ids: Vec<SlotId> = (0..limits::SLOTS as u8).map(|n| SlotId([n; 16])).collect();
        for id in &ids[1..] {
            let (slot, _) = working(&thief, &person, *id, SlotKind::Recovery);
            thief.append(Change::AddSlot { slot }).await.unwrap();
        }
        let wraps = ids[1..].iter().map(|id| SlotWrap {
            slot: *id,
            wrap: vec![1; 1200],
        });
        let compartments = before.feeds.iter().map(|feed| feed.compartment);
        let compartments = compartments.filter(|id| *id != salus_types::CompartmentId::DROP_BOX);
        let rekey = Change::Rekey {
            generation: 2,
            removed: vec![own],
            slots: wraps.collect(),
            bundle: vec![1; 200],
            compartments: compartments
                .map(|compartment| CompartmentRewrap {
                    compartment,
                    name: vec![1; 100],
                    wraps: vec![Wrap(vec![1; 120])],
                })
                .collect(),
        };
        thief.append(rekey).await.unwrap();
        let (slot, _) = working(&thief, &person, ids[0], SlotKind::Recovery);
        thief.append(Change::AddSlot { slot }).await.unwrap();
        // And all places for sign-ins.
        for n in 1..limits::PRINCIPALS as u8 {
            join(&world, &thief, &person, 100 + n).await;
        }
        // Signed as far ahead as may be, so that claims of the owner's would have to wait.
        let ahead = world.clock.now_ms() + 4 * MINUTE;
        let disclaim = Disclaim {
            vault: world.vault.vault().as_slice().to_vec(),
            account: person.own.account(),
            principal: person.device.client.caller().as_slice().to_vec(),
            by: Authority::Identity,
            at: ahead,
        };
        let disclaim = thief.sign(&disclaim);
        let gone: Result<AccountInfo, VaultError> =
            thief.update("principal_remove", disclaim).await;
        gone.unwrap();
        join_at(&world, &thief, &person, 100, ahead + 1).await;

        let own = person.take_back().await.unwrap();
        assert_eq!(own.slots().unwrap().len(), 1);
        assert_eq!(
            own.principals().await.unwrap(),
            [person.device.client.caller()]
        );
        let medicines = person.compartment_of(&own, "Medicines");
        assert_eq!(own.records(medicines).await.unwrap().len(), 1);
        let fresh = world.device(1).client;
        fresh.unlock_with_phrase(&person.phrase).await.unwrap();
    });
}

#[test]
fn a_recovery_killed_at_any_call_is_taken_to_its_end_by_another() {
    run(async {
        let mut calls = 0;
        for kill in 0.. {
            let mut finished = false;
            for carried in [false, true] {
                let world = World::new();
                let person = world.person(1).await;
                person.write("mine").await;
                let mut thief = Thief::of(&world, &person).await;
                join(&world, &thief, &person, MALLORY).await;
                thief.rekey().await;
                thief.rotate().await;
                let device = world.device(1);
                device.lies.die(kill, carried);
                let killed = match device.client.recovery(&person.phrase).await {
                    Ok(recovery) => recovery.take_back(&Kept::default()).await,
                    Err(error) => Err(error),
                };
                match killed {
                    Err(ClientError::Transport(_)) => {}
                    Ok(_) => finished = true,
                    Err(error) => panic!("killed at {kill}, {carried}: {error:?}"),
                }
                world.clock.pass(MINUTE);
                let own = person.take_back().await.unwrap();
                let medicines = person.compartment_of(&own, "Medicines");
                assert_eq!(own.records(medicines).await.unwrap().len(), 1);
                assert_eq!(own.slots().unwrap().len(), 1);
                assert_eq!(own.principals().await.unwrap().len(), 1);
            }
            if finished {
                calls = kill;
                break;
            }
        }
        println!("killed at each of {calls} calls");
        assert!(calls > 8);
    });
}
