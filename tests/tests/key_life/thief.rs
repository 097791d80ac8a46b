//! Someone steals the identity keys, and the owner takes the account back with the phrase.

use super::super::*;
use salus_crypto::hierarchy::EpochKey;
use salus_protocol::ledger::{Change, EpochAdvance};
use salus_tests::world::Thief;

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

        let own = person.take_back().await.unwrap();
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
        let own = person.take_back().await.unwrap();
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

        let own = person.take_back().await.unwrap();
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

        let own = person.take_back().await.unwrap();
        assert!(own.compartments().unwrap().iter().all(|c| c.damaged));
        let rotated = own.rotate_everything(&Quiet).await.unwrap();
        assert!(!rotated.began, "begun by taking it back");
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
