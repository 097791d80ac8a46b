//! Pairing a new device: what comes of it, and what comes of it when it is left, repeated or late.
//! The vault tells the truth here; `attacks/pairing.rs` is about one that does not.

use super::super::*;
use salus_client::{PairingCode, PairingError, SlotId, VaultError};
use salus_protocol::chain::{AuditEntry, AuditEvent};
use salus_tests::world::pairing::{New, begin, worded};

stories! {
    a_second_browser_of_the_same_sign_in_is_paired,
    a_device_of_another_sign_in_is_paired_and_joins,
    lost_answers_lose_nothing,
    the_same_code_is_answered_once,
    a_code_nobody_shows_is_refused,
    whoever_ends_it_ends_it_for_both,
    a_device_of_another_account_is_refused,
    what_is_out_of_turn_is_refused,
    only_the_two_see_a_pairing,
}

async fn events(own: &Unlocked) -> Vec<AuditEntry> {
    own.audit_trail(&Quiet).await.unwrap().entries
}

async fn paired(world: &World, person: &Person, seed: u8) -> (New, Unlocked) {
    let mut new = begin(world, seed).await;
    assert_eq!(new.joining.answered().await, Ok(None));
    let code: PairingCode = new.joining.code().to_string().parse().unwrap();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    let (own, theirs) = worded(&mut new, &mut approving).await;
    assert_eq!(own, theirs);
    assert_eq!(own.list().len(), 4);
    assert_eq!(approving.principal(), Some(new.device.client.caller()));
    assert_eq!(approving.joins(), seed != person.seed);
    assert!(new.joining.unlocked().await.unwrap().is_none());
    approving.approve("Firefox on the laptop").await.unwrap();
    let unlocked = new.joining.unlocked().await.unwrap().unwrap();
    assert_eq!(unlocked.genesis(), person.own.genesis());
    (new, unlocked)
}

async fn a_second_browser_of_the_same_sign_in_is_paired(world: World) {
    let person = world.person(1).await;
    person.write("aspirin").await;
    let (new, there) = paired(&world, &person, 1).await;
    let medicines = person.compartment_of(&there, "Medicines");
    assert_eq!(there.records(medicines).await.unwrap().len(), 1);
    let slots = there.slots().unwrap();
    let slot = slots.iter().find(|slot| slot.id == new.slot).unwrap();
    assert_eq!(
        (slot.kind, slot.label.as_str(), slot.in_use),
        (SlotKind::Browser, "Firefox on the laptop", true)
    );
    assert_eq!(there.principals().await.unwrap().len(), 1);
    // And again tomorrow, by the slot alone.
    there.lock();
    let secret = SlotSecret::from_browser_hmac([new.slot.0[0]; 32]);
    let again = new.device.client.unlock_with_slot(new.slot, &secret).await;
    assert_eq!(again.unwrap().genesis(), person.own.genesis());
    let paired: Vec<AuditEntry> = events(&person.own)
        .await
        .into_iter()
        .filter(|entry| entry.event == AuditEvent::Paired)
        .collect();
    assert_eq!(paired.len(), 1);
    assert_eq!(paired[0].slot, Some(new.slot));
}

async fn a_device_of_another_sign_in_is_paired_and_joins(world: World) {
    let person = world.person(1).await;
    let (new, there) = paired(&world, &person, 7).await;
    let principals = there.principals().await.unwrap();
    assert!(principals.contains(&new.device.client.caller()));
    assert_eq!(principals.len(), 2);
    // It is a device like any other: it lets in a third.
    let as_person = Person {
        device: new.device.clone(),
        phrase: person.phrase.clone(),
        own: there,
        seed: 7,
    };
    paired(&world, &as_person, 8).await;
}

async fn lost_answers_lose_nothing(world: World) {
    let person = world.person(1).await;
    let device = world.device(7);
    device.lies.lose_answer("pairing_begin");
    let joining = device.client.pairing_begin().await.unwrap();
    let slot = SlotId(salus_client::random_id().unwrap());
    let mut new = New {
        device,
        joining,
        slot,
    };
    let lies = &person.device.lies;
    lies.lose_answer("pairing_answer");
    let code = new.joining.code();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    new.device.lies.lose_answer("pairing_offer");
    new.offer().await.unwrap();
    lies.lose_answer("pairing_reveal");
    let theirs = approving.words().await.unwrap();
    assert_eq!(new.joining.words().await.unwrap(), theirs);
    lies.lose_answer("ledger_append");
    approving.approve("").await.unwrap();
    lies.lose_answer("pairing_finish");
    approving.approve("").await.unwrap();
    new.device.lies.lose_answer("principal_claim");
    let unlocked = match new.joining.unlocked().await {
        Ok(unlocked) => unlocked,
        // Nobody knows whether it joined: looking again tells.
        Err(ClientError::Transport(_)) => new.joining.unlocked().await.unwrap(),
        Err(other) => panic!("{other:?}"),
    };
    assert!(unlocked.is_some());
    assert_eq!(person.own.slots().unwrap().len(), 2);
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ClientError>) -> PairingError {
    match result {
        Err(ClientError::Pairing(error)) => error,
        other => panic!("not refused as a pairing: {other:?}"),
    }
}

/// That nothing was added to an account.
async fn unchanged(person: &Person) {
    person.own.refresh().await.unwrap();
    assert_eq!(person.own.slots().unwrap().len(), 1);
    assert_eq!(person.own.principals().await.unwrap().len(), 1);
}

async fn the_same_code_is_answered_once(world: World) {
    let (person, other) = (world.person(1).await, world.person(2).await);
    let mut new = begin(&world, 7).await;
    let code = new.joining.code();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    let used = PairingError::Used;
    assert_eq!(refusal(other.own.pairing_answer(code).await), used);
    assert_eq!(refusal(person.own.pairing_answer(code).await), used);
    worded(&mut new, &mut approving).await;
    approving.approve("").await.unwrap();
    new.joining.unlocked().await.unwrap().unwrap();
    assert_eq!(refusal(person.own.pairing_answer(code).await), used);
    unchanged(&other).await;
}

async fn a_code_nobody_shows_is_refused(world: World) {
    let person = world.person(1).await;
    let new = begin(&world, 7).await;
    let other = (0..).find_map(|step| PairingCode::new(new.joining.code().number() ^ (1 << step)));
    let refused = person.own.pairing_answer(other.unwrap()).await;
    assert_eq!(refusal(refused), PairingError::NoSuchCode);
    unchanged(&person).await;
}

async fn whoever_ends_it_ends_it_for_both(world: World) {
    let person = world.person(1).await;
    let mut new = begin(&world, 7).await;
    let code = new.joining.code();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    worded(&mut new, &mut approving).await;
    approving.refuse().await.unwrap();
    assert_eq!(refusal(new.joining.unlocked().await), PairingError::Over);
    new.joining.end().await.unwrap();
    let again = person.own.pairing_answer(code).await;
    assert_eq!(refusal(again), PairingError::Over);
    let ended = |entry: &AuditEntry| entry.event == AuditEvent::PairingEnded;
    assert!(events(&person.own).await.iter().any(ended));

    let mut new = begin(&world, 7).await;
    let code = new.joining.code();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    worded(&mut new, &mut approving).await;
    new.joining.end().await.unwrap();
    assert_eq!(refusal(approving.approve("").await), PairingError::Over);
    unchanged(&person).await;
}

async fn a_device_of_another_account_is_refused(world: World) {
    let (person, other) = (world.person(1).await, world.person(2).await);
    let new = begin(&world, 2).await;
    let refused = person.own.pairing_answer(new.joining.code()).await;
    assert_eq!(refusal(refused), PairingError::OtherAccount);
    unchanged(&person).await;
    unchanged(&other).await;
}

async fn what_is_out_of_turn_is_refused(world: World) {
    let person = world.person(1).await;
    let mut new = begin(&world, 7).await;
    let early = PairingError::TooEarly;
    let secret = SlotSecret::from_browser_hmac([1; 32]);
    let offer = new.joining.offer(new.slot, secret.clone()).await;
    assert_eq!(refusal(offer), early);
    assert_eq!(refusal(new.joining.words().await), early);
    assert_eq!(refusal(new.joining.unlocked().await), early);
    let code = new.joining.code();
    let mut approving = person.own.pairing_answer(code).await.unwrap();
    assert_eq!(refusal(approving.approve("").await), early);
    new.joining.answered().await.unwrap();
    let phrase = RecoveryPhrase::generate().unwrap().slot_secret();
    let offer = new.joining.offer(new.slot, phrase).await;
    assert_eq!(refusal(offer), PairingError::Offer);
    worded(&mut new, &mut approving).await;
    let offer = new.joining.offer(new.slot, secret).await;
    assert_eq!(refusal(offer), PairingError::Used);
    unchanged(&person).await;
}

async fn only_the_two_see_a_pairing(world: World) {
    let person = world.person(1).await;
    let stranger = world.person(2).await;
    let new = begin(&world, 7).await;
    let code = new.joining.code().number();
    person.own.pairing_answer(new.joining.code()).await.unwrap();
    for seed in [2, 9] {
        let (transport, _) = world.connect(seed);
        let arg = candid::encode_one(code).unwrap();
        let answer = transport.query("pairing_show", &arg).await.unwrap();
        let answer: salus_types::Result<salus_types::api::PairingView> =
            candid::decode_one(&answer).unwrap();
        assert_eq!(answer.unwrap_err(), VaultError::NotFound);
    }
    unchanged(&stranger).await;
}

#[test]
fn what_takes_too_long_is_over() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut new = begin(&world, 7).await;
        let code = new.joining.code();
        let mut approving = person.own.pairing_answer(code).await.unwrap();
        worded(&mut new, &mut approving).await;
        world.clock.pass(10 * MINUTE);
        let over = PairingError::Over;
        assert_eq!(refusal(approving.approve("").await), over);
        assert_eq!(refusal(new.joining.unlocked().await), over);
        assert_eq!(refusal(person.own.pairing_answer(code).await), over);
        approving.refuse().await.unwrap();
        unchanged(&person).await;
        // Forgotten, and the place is free again.
        for _ in 0..4 {
            begin(&world, 7).await;
            world.clock.pass(10 * MINUTE);
        }
        let gone = person.own.pairing_answer(code).await;
        assert_eq!(refusal(gone), PairingError::NoSuchCode);
    });
}
