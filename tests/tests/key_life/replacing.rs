//! A recovery phrase that somebody may have read is replaced by another.

use super::super::*;
use salus_client::Kept;

/// What one can do with a phrase, in a sign-in that the account knows and in one that it does not.
async fn is_worth_nothing(world: &World, phrase: &RecoveryPhrase) {
    for seed in [1, 9] {
        let client = world.device(seed).client;
        let unlocked = client.unlock_with_phrase(phrase).await;
        assert_eq!(unlocked.unwrap_err(), ClientError::WrongPhrase);
        let recovery = client.recovery(phrase).await;
        assert_eq!(recovery.err(), Some(ClientError::WrongPhrase));
    }
}

#[test]
fn a_replaced_phrase_finds_and_opens_nothing_and_the_other_ways_stay() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("mine").await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let file = NewSlot::new(secret.clone(), "The laptop").unwrap();
        person.own.add_slot(&file).await.unwrap();
        let other = world.device(2).client;
        let claim = person.own.authorise(other.caller()).unwrap();
        other.claim(claim).await.unwrap();

        let client = &person.device.client;
        let new = RecoveryPhrase::generate().unwrap();
        let own = client.replace_phrase(&person.phrase, &new).await.unwrap();
        let slots = own.slots().unwrap();
        let phrases = slots.iter().filter(|s| s.kind == SlotKind::Recovery);
        assert!(phrases.count() == 1 && slots.len() == 2);
        assert_eq!(own.principals().await.unwrap().len(), 2);
        is_worth_nothing(&world, &person.phrase).await;
        // By the file, by the new words, in a sign-in of before and in a new one.
        other.unlock_with_slot(file.id, &secret).await.unwrap();
        for seed in [1, 9] {
            let client = world.device(seed).client;
            let own = client.unlock_with_phrase(&new).await.unwrap();
            let medicines = person.compartment_of(&own, "Medicines");
            assert_eq!(own.records(medicines).await.unwrap().len(), 1);
            assert_eq!(own.genesis(), person.own.genesis());
            assert_eq!(own.profile().unwrap().display_name, "Person 1");
        }
        // The new phrase takes the account back, and is replaced in turn.
        let recovery = client.recovery(&new).await.unwrap();
        let own = recovery.take_back(&Kept::default()).await.unwrap();
        assert_eq!(own.slots().unwrap().len(), 1);
        let newer = RecoveryPhrase::generate().unwrap();
        client.replace_phrase(&new, &newer).await.unwrap();
        is_worth_nothing(&world, &new).await;
        world
            .device(1)
            .client
            .unlock_with_phrase(&newer)
            .await
            .unwrap();
    });
}

#[test]
fn a_phrase_is_replaced_by_one_of_nobodys_alone() {
    run(async {
        let world = World::new();
        let (person, other) = (world.person(1).await, world.person(2).await);
        let client = &person.device.client;
        let before = world.vault.snapshot();
        let same = client.replace_phrase(&person.phrase, &person.phrase).await;
        assert!(matches!(same, Err(ClientError::Invalid { .. })), "{same:?}");
        let theirs = client.replace_phrase(&person.phrase, &other.phrase).await;
        assert!(
            matches!(theirs, Err(ClientError::Conflict(_))),
            "{theirs:?}"
        );
        let (wrong, new) = (
            RecoveryPhrase::generate().unwrap(),
            RecoveryPhrase::generate().unwrap(),
        );
        let wrong = client.replace_phrase(&wrong, &new).await;
        assert_eq!(wrong.unwrap_err(), ClientError::WrongPhrase);
        assert!(world.vault.snapshot() == before);
    });
}

#[test]
fn a_replacement_killed_at_any_call_leaves_a_phrase_and_is_taken_to_its_end() {
    run(async {
        for kill in 0.. {
            let mut finished = false;
            for carried in [false, true] {
                let world = World::new();
                let person = world.person(1).await;
                person.write("mine").await;
                let new = RecoveryPhrase::generate().unwrap();
                let device = world.device(1);
                device.lies.die_at_update(kill, carried);
                let killed = device.client.replace_phrase(&person.phrase, &new).await;
                match killed {
                    Err(ClientError::Transport(_)) => {}
                    Ok(_) => finished = true,
                    Err(error) => panic!("killed at {kill}, {carried}: {error:?}"),
                }
                world.clock.pass(MINUTE);
                let mut open = 0;
                for phrase in [&person.phrase, &new] {
                    open += u32::from(world.device(1).client.recovery(phrase).await.is_ok());
                }
                assert_eq!(open, 1, "killed at {kill}, {carried}");
                world.clock.pass(MINUTE);
                let client = world.device(1).client;
                let own = client.replace_phrase(&person.phrase, &new).await.unwrap();
                let medicines = person.compartment_of(&own, "Medicines");
                assert_eq!(own.records(medicines).await.unwrap().len(), 1);
                assert_eq!(own.slots().unwrap().len(), 1);
                is_worth_nothing(&world, &person.phrase).await;
                world
                    .device(1)
                    .client
                    .unlock_with_phrase(&new)
                    .await
                    .unwrap();
            }
            if finished {
                println!("killed at each of {kill} updates");
                assert!(kill > 5);
                break;
            }
        }
    });
}
