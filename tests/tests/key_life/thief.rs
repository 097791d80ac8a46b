//! Someone steals the identity keys, and the owner takes the account back with the phrase.

use super::super::*;
use super::stolen::Thief;
use salus_crypto::hierarchy::EpochKey;
use salus_crypto::slot::wrap_amk;
use salus_protocol::ledger::{Change, EpochAdvance, NewCompartment, Slot};
use salus_types::Hash;

#[test]
fn a_stolen_identity_key_cannot_keep_the_owner_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;

        // The owner's devices do not take the thief's keys for the owner's.
        let locked_out = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert_eq!(integrity(locked_out), IntegrityError::Bundle);
        assert_eq!(
            integrity(person.own.refresh().await),
            IntegrityError::Bundle
        );

        let own = person.device.client.recover(&person.phrase).await.unwrap();
        let items = own.records(person.compartment("Medicines")).await.unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
        own.add_compartment(&Label::named("New")).await.unwrap();

        // What the thief signs is worth nothing from now on.
        let id = person.compartment("Letters");
        let rename = Change::RenameCompartment {
            compartment: id,
            name: vec![7; 100],
        };
        assert!(thief.append(rename).await.is_err());

        // A device that saw nothing of this folds the same ledger, overridden operations included.
        let fresh = world.device(1);
        let again = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        assert_eq!(again.compartments().unwrap().len(), 3);
        assert_eq!(again.genesis(), person.own.genesis());
    });
}

#[test]
fn recovery_is_possible_where_a_checkpoint_is_due() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;
        let id = person.compartment("Letters");
        while thief.info().await.ledger.count < 256 {
            let name = vec![7; 100];
            thief
                .append(Change::RenameCompartment {
                    compartment: id,
                    name,
                })
                .await
                .unwrap();
        }
        // The next operation has to be a checkpoint, and only the thief could sign it.
        let own = person.device.client.recover(&person.phrase).await.unwrap();
        assert!(own.is_unlocked());
        let fresh = world.device(1);
        fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
    });
}

#[test]
fn a_key_wrapped_by_someone_else_is_not_used_and_keeps_nobody_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let thief = Thief::of(&world, &person).await;
        // Signed with the identity key, so vault and ledger take it; but it wraps another key.
        let id = CompartmentId([9; 16]);
        thief
            .append(Change::AddCompartment {
                compartment: NewCompartment {
                    id,
                    name: vec![1; 100],
                    kid: Hash([1; 32]),
                    wrap: vec![1; 120],
                },
                reissues: Vec::new(),
            })
            .await
            .unwrap();
        let fresh = world.device(1);
        let own = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        let shown = own.compartments().unwrap();
        assert!(shown.iter().any(|c| c.id == id && c.damaged));
        let filed = own.add_record(id, &draft("x"), &text("x"), &Quiet).await;
        let refused = IntegrityError::EpochKey {
            compartment: id,
            epoch: 1,
        };
        assert_eq!(integrity(filed), refused);
        // Everything else goes on, a new account master key included.
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret, "").unwrap();
        own.add_slot(&slot).await.unwrap();
        own.remove_slots(&[slot.id]).await.unwrap();
        let items = own
            .records(person.compartment_of(&own, "Medicines"))
            .await
            .unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
    });
}

#[test]
fn a_thief_who_replaces_the_account_master_key_cannot_keep_the_owner_out() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let mut thief = Thief::of(&world, &person).await;
        thief.rekey().await;
        thief.rotate().await;
        let locked_out = person
            .device
            .client
            .unlock_with_phrase(&person.phrase)
            .await;
        assert!(matches!(integrity(locked_out), IntegrityError::Slot { .. }));

        let own = person.device.client.recover(&person.phrase).await.unwrap();
        let items = own
            .records(person.compartment_of(&own, "Medicines"))
            .await
            .unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
        assert_eq!(own.profile().unwrap().display_name, "Person 1");
        assert_eq!(own.slots().unwrap().len(), 1);
        let fresh = world.device(1);
        let again = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        let medicines = person.compartment_of(&again, "Medicines");
        again
            .add_record(medicines, &draft("new"), &text("new"), &Quiet)
            .await
            .unwrap();
    });
}

#[test]
fn an_older_bundle_under_a_new_link_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut thief = Thief::of(&world, &person).await;
        // It opens, but its keys are not those the chain names now.
        let old = thief.with_scope(|scope| thief.bundle.seal(&thief.amk, scope));
        thief.rotate_with(old.unwrap()).await;
        let fresh = world.device(1).client;
        let refused = fresh.unlock_with_phrase(&person.phrase).await;
        assert_eq!(integrity(refused), IntegrityError::Bundle);
    });
}

#[test]
fn a_key_that_is_not_the_one_the_ledger_names_is_not_used() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let thief = Thief::of(&world, &person).await;
        let id = CompartmentId([9; 16]);
        let (key, named) = (
            EpochKey::generate(id, 1).unwrap(),
            EpochKey::generate(id, 1).unwrap(),
        );
        let compartment = thief.with_scope(|scope| NewCompartment {
            id,
            name: vec![1; 100],
            kid: named.kid(scope),
            wrap: key.wrap(&thief.amk, scope).unwrap(),
        });
        let change = Change::AddCompartment {
            compartment,
            reissues: Vec::new(),
        };
        thief.append(change).await.unwrap();
        person.own.refresh().await.unwrap();
        let filed = person
            .own
            .add_record(id, &draft("x"), &text("x"), &Quiet)
            .await;
        let refused = IntegrityError::EpochKey {
            compartment: id,
            epoch: 1,
        };
        assert_eq!(integrity(filed), refused);
    });
}

#[test]
fn a_whole_account_made_up_around_someones_slot_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret.clone(), "").unwrap();
        person.own.add_slot(&slot).await.unwrap();
        let real = super::stolen::slot(&world, &person, slot.id).await;

        // Another vault under the same id and root key, as whoever has both could run: an account of
        // the same id for the same principal, whose keys are Mallory's, sealed to the person's slot.
        let fake = World::new();
        let mallory = fake.person_with(1, Some(person.own.account())).await;
        let thief = Thief::of(&fake, &mallory).await;
        let keys = thief
            .with_scope(|scope| secret.derive_keys(scope, slot.id))
            .unwrap();
        assert_eq!(keys.public().as_bytes(), real.sealing);
        let wrap = thief.with_scope(|scope| wrap_amk(keys.public(), scope, slot.id, &thief.amk));
        let forged = Slot {
            wrap: wrap.unwrap(),
            ..real
        };
        thief
            .append(Change::AddSlot { slot: forged })
            .await
            .unwrap();

        // A device that remembers nothing but its slot's secret would write to Mallory.
        let fresh = fake.device(1).client;
        let refused = fresh.unlock_with_slot(slot.id, &secret).await;
        assert_eq!(
            integrity(refused),
            IntegrityError::KeyChanged {
                account: person.own.account()
            }
        );
    });
}

#[test]
fn a_thief_who_rotates_epochs_first_is_overruled_and_everything_made_anew() {
    run(async {
        let world = World::new();
        let (person, doctor) = (world.person(1).await, world.person(2).await);
        person.write("mine").await;
        let request = asked(&person, &doctor, &ask(Wish::Everything, READ)).await;
        let given = terms(Scope::Everything, READ);
        person.own.approve(&request, &given).await.unwrap();
        let mut thief = Thief::of(&world, &person).await;
        thief.rotate().await;
        // Epochs of the thief's own, which the owner cannot open.
        let epochs = person.own.compartments().unwrap().into_iter().map(|c| {
            let key = EpochKey::generate(c.id, c.epoch + 1).unwrap();
            EpochAdvance {
                compartment: c.id,
                epoch: c.epoch + 1,
                kid: thief.with_scope(|scope| key.kid(scope)),
                wrap: vec![1; 120],
            }
        });
        let advance = Change::Advance {
            epochs: epochs.collect(),
            reissues: Vec::new(),
        };
        thief.append(advance).await.unwrap();

        let own = person.device.client.recover(&person.phrase).await.unwrap();
        assert!(own.compartments().unwrap().iter().all(|c| c.damaged));
        let rotated = own.rotate_everything(&Quiet).await.unwrap();
        assert!(rotated.began);
        assert_eq!((rotated.generation, rotated.refiled), (2, 1));
        assert!(rotated.left_behind.is_empty() && rotated.unreadable.is_empty());
        assert!(own.compartments().unwrap().iter().all(|c| !c.damaged));
        let medicines = person.compartment_of(&own, "Medicines");
        own.add_record(medicines, &draft("new"), &text("new"), &Quiet)
            .await
            .unwrap();
        let titles: Vec<String> = own
            .records(medicines)
            .await
            .unwrap()
            .into_iter()
            .map(|item| item.descriptor.title)
            .collect();
        assert_eq!(titles, ["mine", "new"]);
        let grant = doctor.own.received().await.unwrap().remove(0);
        let read = doctor.own.granted_records(&grant, medicines).await.unwrap();
        assert_eq!(read.len(), 2);

        // What the thief signs is worth nothing, with the epochs either.
        let rename = Change::RenameCompartment {
            compartment: medicines,
            name: vec![7; 100],
        };
        assert!(thief.append(rename).await.is_err());
        let fresh = world.device(1).client;
        let again = fresh.unlock_with_phrase(&person.phrase).await.unwrap();
        assert_eq!(again.records(medicines).await.unwrap().len(), 2);
    });
}
