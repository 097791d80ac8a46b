//! Making an account, unlocking it everywhere, and losing things.

use super::super::*;

stories! {
    an_account_unlocks_again_with_its_phrase_and_nothing_else,
    opening_a_second_account_is_refused_and_a_lost_answer_is_not_a_lost_account,
    a_second_browser_unlocks_by_its_own_slot_and_follows_the_first,
    only_what_opens_the_account_shows_its_owner,
    a_lost_browser_opens_nothing_from_its_removal_on,
    the_slot_in_use_may_be_removed_and_one_goes_on,
    signing_out_everywhere_else_locks_what_is_open_there,
    losing_the_internet_identity_loses_nothing,
    an_unlocked_device_lets_another_principal_in,
    rotation_keeps_what_was_sealed_before,
    a_checkpoint_is_signed_at_every_256th_operation,
}

async fn an_account_unlocks_again_with_its_phrase_and_nothing_else(world: World) {
    let person = world.person(1).await;
    person.own.lock();
    assert_eq!(person.own.compartments(), Err(ClientError::Locked));
    assert!(!person.own.is_unlocked());

    let again = person
        .device
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    assert_eq!(again.genesis(), person.own.genesis());
    assert_eq!(again.profile().unwrap().display_name, "Person 1");
    let names: Vec<String> = again
        .compartments()
        .unwrap()
        .into_iter()
        .map(|c| c.label.name)
        .collect();
    assert_eq!(names, ["Letters", "Medicines"]);

    let other = RecoveryPhrase::generate().unwrap();
    let wrong = person.device.client.unlock_with_phrase(&other).await;
    assert_eq!(wrong.unwrap_err(), ClientError::WrongPhrase);
    let stranger = world.device(9).client.unlock_with_phrase(&other).await;
    assert_eq!(stranger.unwrap_err(), ClientError::WrongPhrase);
}

async fn opening_a_second_account_is_refused_and_a_lost_answer_is_not_a_lost_account(world: World) {
    let person = world.person(1).await;
    let phrase = RecoveryPhrase::generate().unwrap();
    let new = |phrase| NewAccount {
        account: None,
        phrase,
        profile: Profile::default(),
        compartments: vec![Label::named("All")],
        slots: Vec::new(),
    };
    let twice = person.device.client.create_account(new(&phrase)).await;
    assert_eq!(twice.unwrap_err(), ClientError::HasAccount);

    let device = world.device(2);
    device.lies.lose_answer("account_create");
    let made = device.client.create_account(new(&phrase)).await.unwrap();
    assert_eq!(made.compartments().unwrap().len(), 1);
}

async fn a_second_browser_unlocks_by_its_own_slot_and_follows_the_first(world: World) {
    let person = world.person(1).await;
    let secret = SlotSecret::from_browser_hmac([5; 32]);
    let slot = NewSlot::new(secret.clone(), "Firefox on the laptop").unwrap();

    let second = world.device(1);
    let there = second
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    there.add_slot(&slot).await.unwrap();
    drop(there);
    let there = second
        .client
        .unlock_with_slot(slot.id, &secret)
        .await
        .unwrap();
    let shown = there.slots().unwrap();
    let mine = shown.iter().find(|s| s.id == slot.id).unwrap();
    assert_eq!(
        (mine.kind, mine.label.as_str(), mine.in_use),
        (SlotKind::Browser, "Firefox on the laptop", true)
    );

    // Both change the account; whoever comes second rebases.
    there.add_compartment(&Label::named("Teeth")).await.unwrap();
    person
        .own
        .add_compartment(&Label::named("Eyes"))
        .await
        .unwrap();
    there.refresh().await.unwrap();
    let count = there.compartments().unwrap().len();
    assert_eq!((count, person.own.compartments().unwrap().len()), (4, 4));

    let wrong = SlotSecret::from_browser_hmac([6; 32]);
    let refused = second.client.unlock_with_slot(slot.id, &wrong).await;
    assert_eq!(refused.unwrap_err(), ClientError::WrongSecret);
}

async fn only_what_opens_the_account_shows_its_owner(world: World) {
    let person = world.person(1).await;
    let secret = SlotSecret::from_browser_hmac([5; 32]);
    let slot = NewSlot::new(secret.clone(), "").unwrap();
    let own = &person.own;
    let words = person.phrase.slot_secret();
    assert!(own.is_opened_by(&words).await.unwrap());
    let other = RecoveryPhrase::generate().unwrap().slot_secret();
    assert!(!own.is_opened_by(&other).await.unwrap());
    // The same bytes under another kind are another secret.
    let as_file = SlotSecret::from_file(*words.expose());
    assert!(!own.is_opened_by(&as_file).await.unwrap());

    assert!(!own.is_opened_by(&secret).await.unwrap());
    own.add_slot(&slot).await.unwrap();
    assert!(own.is_opened_by(&secret).await.unwrap());
    // Removed by another device, it shows nothing here any more.
    let second = world.device(1).client;
    let there = second.unlock_with_phrase(&person.phrase).await.unwrap();
    there.remove_slots(&[slot.id]).await.unwrap();
    assert!(!own.is_opened_by(&secret).await.unwrap());

    own.lock();
    let locked = own.is_opened_by(&words).await;
    assert_eq!(locked.unwrap_err(), ClientError::Locked);
}

async fn a_lost_browser_opens_nothing_from_its_removal_on(world: World) {
    let person = world.person(1).await;
    let secret = SlotSecret::generate_for_file().unwrap();
    let slot = NewSlot::new(secret.clone(), "lost").unwrap();
    person.own.add_slot(&slot).await.unwrap();
    let lost = world.device(1);
    let thief = lost
        .client
        .unlock_with_slot(slot.id, &secret)
        .await
        .unwrap();
    person.write("before").await;

    person.own.remove_slots(&[slot.id]).await.unwrap();

    assert_eq!(thief.refresh().await.unwrap_err(), ClientError::NoSuchSlot);
    assert!(
        !thief.is_unlocked(),
        "a removed slot must lock what it unlocked"
    );
    let again = lost.client.unlock_with_slot(slot.id, &secret).await;
    assert_eq!(again.unwrap_err(), ClientError::NoSuchSlot);
    // The owner goes on, from here and from the phrase, with everything.
    assert_eq!(person.own.profile().unwrap().display_name, "Person 1");
    assert_eq!(person.titles().await, ["before"]);
    let fresh = world.device(1);
    let owner = fresh
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    assert_eq!(owner.profile().unwrap().display_name, "Person 1");
    assert_eq!(owner.compartments().unwrap().len(), 2);
    // The phrase cannot be removed.
    let recovery = owner.slots().unwrap()[0].id;
    assert!(matches!(
        owner.remove_slots(&[recovery]).await,
        Err(ClientError::Invalid { field: "slots", .. })
    ));
}

async fn the_slot_in_use_may_be_removed_and_one_goes_on(world: World) {
    let person = world.person(1).await;
    let secret = SlotSecret::generate_for_file().unwrap();
    let slot = NewSlot::new(secret.clone(), "").unwrap();
    person.own.add_slot(&slot).await.unwrap();
    let device = world.device(1);
    let here = device
        .client
        .unlock_with_slot(slot.id, &secret)
        .await
        .unwrap();
    here.remove_slots(&[slot.id]).await.unwrap();
    assert!(here.slots().unwrap().iter().all(|s| !s.in_use));
    // All that a lost device asks for is done from here, with what it was opened by gone.
    let rotated = here.rotate_everything(&Quiet).await.unwrap();
    assert!(rotated.began);
    assert_eq!(here.compartments().unwrap().len(), 2);
    here.note_use().await.unwrap();
    here.refresh().await.unwrap();
    let again = device.client.unlock_with_slot(slot.id, &secret).await;
    assert_eq!(again.unwrap_err(), ClientError::NoSuchSlot);
    // What another client makes anew is not sealed to it any more.
    person.own.refresh().await.unwrap();
    person.own.remove_slots(&[]).await.unwrap();
    assert_eq!(here.refresh().await.unwrap_err(), ClientError::NoSuchSlot);
    assert!(!here.is_unlocked());
    let owner = device
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    assert_eq!(owner.profile().unwrap().display_name, "Person 1");
}

async fn signing_out_everywhere_else_locks_what_is_open_there(world: World) {
    let person = world.person(1).await;
    let mut slots = Vec::new();
    for label in ["this one", "another"] {
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret.clone(), label).unwrap();
        person.own.add_slot(&slot).await.unwrap();
        slots.push((slot.id, secret));
    }
    let by_phrase = world.device(1).client;
    let by_phrase = by_phrase.unlock_with_phrase(&person.phrase).await.unwrap();
    let by_slot = world.device(1).client;
    let by_slot = by_slot
        .unlock_with_slot(slots[1].0, &slots[1].1)
        .await
        .unwrap();

    person
        .own
        .sign_out_elsewhere(Some(slots[0].0))
        .await
        .unwrap();

    let left: Vec<_> = person.own.slots().unwrap().iter().map(|s| s.id).collect();
    assert_eq!(left.len(), 2, "the words and this one");
    assert!(left.contains(&slots[0].0));
    person.own.refresh().await.unwrap();
    assert_eq!(
        by_phrase.refresh().await.unwrap_err(),
        ClientError::Locked,
        "opened by what stays, it locks all the same"
    );
    assert!(!by_phrase.is_unlocked());
    assert_eq!(
        by_slot.refresh().await.unwrap_err(),
        ClientError::NoSuchSlot
    );
    // Whoever comes anew with the words is not locked out.
    let fresh = world.device(1).client;
    let fresh = fresh.unlock_with_phrase(&person.phrase).await.unwrap();
    fresh.refresh().await.unwrap();
}

async fn losing_the_internet_identity_loses_nothing(world: World) {
    let person = world.person(1).await;
    person.write("kept").await;
    let new = world.device(200);
    let own = new.client.unlock_with_phrase(&person.phrase).await.unwrap();
    assert_eq!(own.account(), person.own.account());
    own.remove_principal(person.device.client.caller())
        .await
        .unwrap();
    assert_eq!(own.principals().await.unwrap(), [new.client.caller()]);
    assert!(person.device.client.account().await.unwrap().is_none());
    let items = own.records(person.compartment("Medicines")).await.unwrap();
    assert_eq!(items[0].descriptor.title, "kept");
    assert_eq!(items[0].author.authorship, Authorship::Own);
}

async fn an_unlocked_device_lets_another_principal_in(world: World) {
    let person = world.person(1).await;
    let other = world.device(77);
    let claim = person.own.authorise(other.client.caller()).unwrap();
    let stolen = world.device(78).client.claim(claim.clone()).await;
    assert!(
        matches!(stolen, Err(ClientError::Vault(_))),
        "another's claim was taken"
    );
    let info = other.client.claim(claim).await.unwrap();
    assert_eq!(info.account, person.own.account());
}

async fn rotation_keeps_what_was_sealed_before(world: World) {
    let person = world.person(1).await;
    person.write("before").await;
    person.own.rotate_identity().await.unwrap();
    person.own.rotate_identity().await.unwrap();
    person.write("after").await;
    assert_eq!(person.titles().await, ["before", "after"]);
    let fresh = world.device(1);
    let again = fresh
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    assert_eq!(again.genesis(), person.own.genesis());
    let items = again
        .records(person.compartment("Medicines"))
        .await
        .unwrap();
    assert!(items.iter().all(|i| i.author.authorship == Authorship::Own));
}

async fn a_checkpoint_is_signed_at_every_256th_operation(world: World) {
    let person = world.person(1).await;
    let id = person.compartment("Letters");
    for i in 0..258 {
        let label = Label::named(format!("Letters {i}"));
        person.own.rename_compartment(id, &label).await.unwrap();
    }
    let info = person.device.client.account().await.unwrap().unwrap();
    // Opening, 258 names, and one checkpoint among them.
    assert_eq!(info.ledger.count, 260);
    let fresh = world.device(1);
    let again = fresh
        .client
        .unlock_with_phrase(&person.phrase)
        .await
        .unwrap();
    let names: Vec<_> = again.compartments().unwrap();
    assert!(names.iter().any(|c| c.label.name == "Letters 257"));
}
