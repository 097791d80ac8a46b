//! A vault, or whoever stands in between, that tries to have its own device let in, or a new device
//! let into another account: what it changes gives other words on the two devices, or is refused.

use super::super::*;
use salus_client::{AccountId, Approving, PairingError, Principal, SlotSecret, Transport, Words};
use salus_crypto::hpke::PublicKey;
use salus_crypto::slot::wrap_amk;
use salus_protocol::ledger::Change;
use salus_protocol::pairing::Answer;
use salus_tests::world::pairing::{New, begin, worded};
use salus_types::api::{PairingOffer, PairingView};
use salus_types::{Hash, SlotId};
use serde_bytes::ByteBuf;

/// A person's pairing that was answered and of which one device is told lies.
async fn answered(world: &World, person: &Person) -> (New, Approving) {
    let new = begin(world, 7).await;
    let code = new.joining.code();
    let approving = person.own.pairing_answer(code).await.unwrap();
    (new, approving)
}

/// What both show when the unlocked device is shown another offer than the new one made.
async fn words_when_offer(change: impl Fn(&mut PairingView) + 'static) -> (Words, Words) {
    let world = World::new();
    let person = world.person(1).await;
    let (mut new, mut approving) = answered(&world, &person).await;
    let lies = &person.device.lies;
    lies.alter::<PairingView>("pairing_show", move |view| {
        if view.offer.is_some() {
            change(view);
        }
    });
    worded(&mut new, &mut approving).await
}

fn mallorys(offer: &mut PairingOffer) {
    let vault = World::new().vault.vault();
    let scope = salus_crypto::VaultScope {
        vault: vault.as_slice(),
        account: AccountId([9; 16]),
    };
    let secret = SlotSecret::from_browser_hmac([66; 32]);
    let keys = secret.derive_keys(scope, offer.slot).unwrap();
    offer.sealing = ByteBuf::from(keys.public().as_bytes().to_vec());
}

#[test]
fn an_offer_that_is_passed_on_as_it_is_gives_the_same_words() {
    run(async {
        let (own, theirs) = words_when_offer(|_| {}).await;
        assert_eq!(own, theirs);
    });
}

#[test]
fn another_device_s_key_gives_other_words() {
    run(async {
        let changed = |view: &mut PairingView| mallorys(view.offer.as_mut().unwrap());
        let (own, theirs) = words_when_offer(changed).await;
        assert_ne!(own, theirs);
    });
}

#[test]
fn every_other_part_of_an_offer_is_in_the_words() {
    run(async {
        let slot = words_when_offer(|view| view.offer.as_mut().unwrap().slot = SlotId([1; 16]));
        let kind = words_when_offer(|view| view.offer.as_mut().unwrap().kind = 4);
        let anchor = words_when_offer(|view| view.offer.as_mut().unwrap().anchor[60] ^= 1);
        let nonce = words_when_offer(|view| view.offer.as_mut().unwrap().nonce[0] ^= 1);
        let principal =
            words_when_offer(|view| view.principal = Principal::self_authenticating([66; 32]));
        for (what, (own, theirs)) in [
            ("slot", slot.await),
            ("kind", kind.await),
            ("anchor", anchor.await),
            ("nonce", nonce.await),
            ("principal", principal.await),
        ] {
            assert_ne!(own, theirs, "{what}");
        }
    });
}

#[test]
fn an_offer_from_an_earlier_pairing_gives_other_words() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let (mut before, mut approving) = answered(&world, &person).await;
        worded(&mut before, &mut approving).await;
        let arg = candid::encode_one(before.joining.code().number()).unwrap();
        let (transport, _) = world.connect(7);
        let shown = transport.query("pairing_show", &arg).await.unwrap();
        let shown: salus_types::Result<PairingView> = candid::decode_one(&shown).unwrap();
        let old = shown.unwrap().offer.unwrap();
        approving.refuse().await.unwrap();

        let (mut new, mut approving) = answered(&world, &person).await;
        let lies = &person.device.lies;
        lies.alter::<PairingView>("pairing_show", move |view| {
            view.offer = view.offer.take().map(|_| old.clone());
        });
        let (own, theirs) = worded(&mut new, &mut approving).await;
        assert_ne!(own, theirs);
    });
}

#[test]
fn an_offer_that_can_be_no_device_s_is_refused() {
    run(async {
        let changes: [fn(&mut PairingOffer); 4] = [
            |offer| offer.kind = 0,
            |offer| offer.sealing = ByteBuf::from(vec![9; 12]),
            |offer| offer.sealing = ByteBuf::from(vec![0; 1216]),
            |offer| offer.nonce = ByteBuf::from(vec![9; 31]),
        ];
        for change in changes {
            let world = World::new();
            let person = world.person(1).await;
            let (mut new, mut approving) = answered(&world, &person).await;
            let lies = &person.device.lies;
            lies.alter::<PairingView>("pairing_show", move |view| {
                if let Some(offer) = &mut view.offer {
                    change(offer);
                }
            });
            new.offer().await.unwrap();
            let refused = approving.words().await;
            assert_eq!(refused, Err(PairingError::Offer.into()));
            assert_eq!(lies.calls("pairing_reveal"), 0, "the answer stays shut");
        }
    });
}

/// Whoever learns the unlocked device's random bytes first and chooses the offer afterwards could
/// search for one that gives the same words.
#[test]
fn an_offer_that_comes_after_the_answer_was_opened_counts_for_nothing() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let (mut new, mut approving) = answered(&world, &person).await;
        new.offer().await.unwrap();
        let lies = &person.device.lies;
        lies.cut_off("pairing_reveal", 0);
        approving.words().await.unwrap_err();
        lies.stop();
        lies.alter::<PairingView>("pairing_show", |view| {
            mallorys(view.offer.as_mut().unwrap())
        });
        let theirs = approving.words().await.unwrap().unwrap();
        let own = new.joining.words().await.unwrap().unwrap();
        assert_eq!(own, theirs, "the words are over the first offer");
        approving.approve("").await.unwrap();
        assert!(new.joining.unlocked().await.unwrap().is_some());
    });
}

#[test]
fn bytes_that_do_not_open_the_answer_are_refused() {
    run(async {
        let changes: [fn(&mut PairingView); 2] = [
            |view| view.nonce.as_mut().unwrap()[0] ^= 1,
            |view| view.nonce = Some(ByteBuf::from(vec![1; 31])),
        ];
        for change in changes {
            let world = World::new();
            let person = world.person(1).await;
            let (mut new, mut approving) = answered(&world, &person).await;
            new.offer().await.unwrap();
            approving.words().await.unwrap();
            new.device.lies.alter::<PairingView>("pairing_show", change);
            let refused = new.joining.words().await;
            assert_eq!(refused, Err(PairingError::Commitment.into()));
            let early = new.joining.unlocked().await.unwrap_err();
            assert_eq!(early, PairingError::TooEarly.into());
        }
    });
}

/// Another answer, with a commitment that fits it: what a vault can do that stands in between.
async fn words_when_answer(change: fn(&mut Answer)) -> (Words, Words) {
    let world = World::new();
    let person = world.person(1).await;
    let (mut new, mut approving) = answered(&world, &person).await;
    let vault = world.vault.vault();
    let mut other = Answer {
        vault: vault.as_slice().to_vec(),
        code: new.joining.code().number(),
        account: person.own.account(),
        genesis: person.own.genesis(),
        nonce: [66; 32],
    };
    change(&mut other);
    let lies = &new.device.lies;
    lies.alter::<PairingView>("pairing_show", move |view| {
        let Some(answer) = &mut view.answer else {
            return;
        };
        answer.account = other.account;
        answer.genesis = other.genesis;
        answer.commitment = other.commitment();
        if view.nonce.is_some() {
            view.nonce = Some(ByteBuf::from(other.nonce.to_vec()));
        }
    });
    worded(&mut new, &mut approving).await
}

#[test]
fn another_answer_gives_other_words() {
    run(async {
        let nonce = words_when_answer(|_| {});
        let genesis = words_when_answer(|answer| answer.genesis = Hash([66; 32]));
        let account = words_when_answer(|answer| answer.account = AccountId([66; 16]));
        for (what, (own, theirs)) in [
            ("nonce", nonce.await),
            ("genesis", genesis.await),
            ("account", account.await),
        ] {
            assert_ne!(own, theirs, "{what}");
        }
    });
}

#[test]
fn an_answer_that_changes_counts_for_nothing() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let (mut new, mut approving) = answered(&world, &person).await;
        new.joining.answered().await.unwrap();
        let lies = &new.device.lies;
        lies.alter::<PairingView>("pairing_show", |view| {
            view.answer.as_mut().unwrap().genesis = Hash([66; 32]);
        });
        let (own, theirs) = worded(&mut new, &mut approving).await;
        assert_eq!(own, theirs);
    });
}

#[test]
fn a_stranger_who_answers_first_shows_the_words_to_nobody() {
    run(async {
        let world = World::new();
        let (person, mallory) = (world.person(1).await, world.person(66).await);
        let (mut new, mut theirs) = answered(&world, &mallory).await;
        let late = person.own.pairing_answer(new.joining.code()).await;
        assert_eq!(late.unwrap_err(), PairingError::Used.into());
        // The new device has words that the person's own device does not show: no one says yes.
        worded(&mut new, &mut theirs).await;
        new.joining.end().await.unwrap();
        let refused = theirs.approve("").await;
        assert_eq!(refused, Err(PairingError::Over.into()));
    });
}

#[test]
fn another_account_after_the_words_is_refused() {
    run(async {
        let world = World::new();
        let (person, mallory) = (world.person(1).await, world.person(66).await);
        let (mut new, mut approving) = answered(&world, &person).await;
        worded(&mut new, &mut approving).await;
        approving.approve("").await.unwrap();
        let info = mallory.device.client.account().await.unwrap().unwrap();
        new.device.lies.pretend("account_show", info);
        let refused = new.joining.unlocked().await;
        assert_eq!(integrity(refused), IntegrityError::OtherAccount);
    });
}

/// The same account id under keys of someone else's, who has sealed their own master key to the new
/// device's slot: all of it verifies but for where it begins.
#[test]
fn another_genesis_after_the_words_is_refused() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let mut new = begin(&world, 1).await;
        let code = new.joining.code();
        let mut approving = person.own.pairing_answer(code).await.unwrap();
        worded(&mut new, &mut approving).await;
        approving.approve("").await.unwrap();

        let elsewhere = World::new();
        let account = person.own.account();
        let double = elsewhere.person_with(1, Some(account)).await;
        let forger = Thief::of(&elsewhere, &double).await;
        let mut forged = slot(&world, &person, new.slot).await;
        let public = PublicKey::from_bytes(&forged.sealing).unwrap();
        forged.wrap = forger
            .with_scope(|scope| wrap_amk(&public, scope, new.slot, &forger.amk))
            .unwrap();
        let added = forger.append(Change::AddSlot { slot: forged }).await;
        added.unwrap();

        let arg = candid::encode_one(code.number()).unwrap();
        let (transport, _) = world.connect(1);
        let shown = transport.query("pairing_show", &arg).await.unwrap();
        let shown: salus_types::Result<PairingView> = candid::decode_one(&shown).unwrap();
        world.vault.restore(&elsewhere.vault.snapshot()).unwrap();
        let lies = &new.device.lies;
        lies.pretend("pairing_show", shown.unwrap());
        let refused = new.joining.unlocked().await;
        assert_eq!(integrity(refused), IntegrityError::KeyChanged { account });
    });
}

/// A session without the identity key: it can answer a code, and add nothing.
#[test]
fn a_stolen_session_lets_nobody_in() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let before = person.own.slots().unwrap();
        let new = begin(&world, 7).await;
        let thief = world.vault.for_caller(person.device.client.caller());
        let call = |method: &'static str, arg: Vec<u8>| {
            let thief = thief.clone();
            async move { thief.update(method, &arg).await.unwrap() }
        };
        let code = new.joining.code().number();
        let answer = Answer {
            vault: world.vault.vault().as_slice().to_vec(),
            code,
            account: person.own.account(),
            genesis: person.own.genesis(),
            nonce: [1; 32],
        };
        let args = salus_types::api::PairingAnswer {
            code,
            commitment: answer.commitment(),
        };
        let answered = call("pairing_answer", candid::encode_one(args).unwrap()).await;
        let answered: salus_types::Result<u64> = candid::decode_one(&answered).unwrap();
        answered.unwrap();
        let mut new = new;
        new.offer().await.unwrap();
        let args = salus_types::api::PairingReveal {
            code,
            nonce: ByteBuf::from(vec![1; 32]),
        };
        let opened = call("pairing_reveal", candid::encode_one(args).unwrap()).await;
        let opened: salus_types::Result<()> = candid::decode_one(&opened).unwrap();
        opened.unwrap();
        let args = salus_types::api::PairingFinish { code, claim: None };
        let finished = call("pairing_finish", candid::encode_one(args).unwrap()).await;
        let finished: salus_types::Result<()> = candid::decode_one(&finished).unwrap();
        assert!(matches!(
            finished,
            Err(salus_client::VaultError::Conflict { .. })
        ));
        person.own.refresh().await.unwrap();
        assert_eq!(person.own.slots().unwrap(), before);
    });
}
