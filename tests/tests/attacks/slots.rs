//! 13–15: ways to unlock exchanged between accounts, slots and kinds; one added; and what is sealed or
//! signed under another suite or version.

use super::super::*;
use salus_client::{NewSlot, SlotId, SlotSecret, Transport, VaultError};
use salus_crypto::OpenError;
use salus_crypto::hpke::SUITE;
use salus_crypto::slot::wrap_amk;
use salus_protocol::ledger::Slot;
use salus_protocol::statement::signing_bytes;
use salus_tests::world::dishonest::received_sealed;
use salus_types::api::{AccountInfo, Head, LedgerAppend, Signed};

/// Someone with a second slot, whose secret and place in the ledger are at hand.
async fn with_slot(world: &World) -> (Person, SlotSecret, Slot) {
    let person = world.person(1).await;
    let secret = SlotSecret::generate_for_file().unwrap();
    let new = NewSlot::new(secret.clone(), "").unwrap();
    person.own.add_slot(&new).await.unwrap();
    let slot = slot(world, &person, new.id).await;
    (person, secret, slot)
}

#[test]
fn a13_swap_a_slot_into_a_whole_account_made_up_around_it() {
    run(async {
        let world = World::new();
        let (person, secret, real) = with_slot(&world).await;
        // Another vault under the same id and root key, as whoever has both could run: an account of
        // the same id for the same principal, whose keys are Mallory's, sealed to the person's slot.
        let fake = World::new();
        let mallory = fake.person_with(1, Some(person.own.account())).await;
        let thief = Thief::of(&fake, &mallory).await;
        let id = real.id;
        let keys = thief.with_scope(|scope| secret.derive_keys(scope, id));
        let keys = keys.unwrap();
        assert_eq!(keys.public().as_bytes(), real.sealing);
        let wrap = thief.with_scope(|scope| wrap_amk(keys.public(), scope, id, &thief.amk));
        let wrap = wrap.unwrap();
        let slot = Slot { wrap, ..real };
        thief.append(Change::AddSlot { slot }).await.unwrap();

        // A device that remembers nothing but its slot's secret would write to Mallory.
        let fresh = fake.device(1).client;
        let unlocked = unmoved(&fake, fresh.unlock_with_slot(id, &secret)).await;
        let account = person.own.account();
        assert_eq!(integrity(unlocked), IntegrityError::KeyChanged { account });
    });
}

#[test]
fn a13_swap_one_account_for_another() {
    run(async {
        let world = World::new();
        let (person, secret, slot) = with_slot(&world).await;
        let mallory = world.person(66).await;
        // All of another account, consistently: chain, ledger, certified heads.
        let theirs = mallory.device.client.account().await.unwrap().unwrap();
        let fresh = world.device(1);
        fresh
            .lies
            .alter::<AccountInfo>("account_show", move |info| *info = theirs.clone());
        let unlock = fresh.client.unlock_with_phrase(&person.phrase);
        let unlocked = unmoved(&world, unlock).await;
        assert_eq!(unlocked.unwrap_err(), ClientError::WrongPhrase);
        // The other's slot opens nothing here, nor this one there.
        let there = mallory.device.client.unlock_with_slot(slot.id, &secret);
        let there = unmoved(&world, there).await;
        assert_eq!(there.unwrap_err(), ClientError::NoSuchSlot);
    });
}

#[test]
fn a13_swap_what_is_sealed_to_one_slot_into_another() {
    run(async {
        let world = World::new();
        let (person, secret, real) = with_slot(&world).await;
        // By who stores them: the ledger is signed.
        let exchange = |lies: &Lies| {
            forge(lies, 1, |change| {
                if let Change::AddSlot { slot } = change {
                    slot.id = SlotId([7; 16]);
                }
            });
        };
        let refused = unlock(&world, &person, exchange).await;
        assert!(matches!(refused, IntegrityError::Statement(_)));

        // By who stole the identity key, and signs: the person's secret under another slot's id, with
        // the key, the anchor or the wrapped master key of the first.
        let thief = Thief::of(&world, &person).await;
        let id = SlotId([7; 16]);
        let keys = thief.with_scope(|scope| secret.derive_keys(scope, id).unwrap());
        let anchor =
            thief.with_scope(|scope| keys.seal_anchor(scope, id, person.own.genesis()).unwrap());
        let wrap =
            thief.with_scope(|scope| wrap_amk(keys.public(), scope, id, &thief.amk).unwrap());
        let right = Slot {
            id,
            sealing: keys.public().as_bytes().to_vec(),
            anchor,
            wrap,
            ..real.clone()
        };
        let sealing = Slot {
            sealing: real.sealing.clone(),
            ..right.clone()
        };
        let anchor = Slot {
            anchor: real.anchor.clone(),
            ..right.clone()
        };
        let wrap = Slot {
            wrap: real.wrap.clone(),
            ..right.clone()
        };
        let swapped = ClientError::from(IntegrityError::Slot { slot: id });
        for (case, slot, expected) in [
            ("key", sealing, ClientError::WrongSecret),
            ("anchor", anchor, swapped.clone()),
            ("master key", wrap, swapped),
        ] {
            let before = world.vault.snapshot();
            thief.append(Change::AddSlot { slot }).await.unwrap();
            let fresh = world.device(1).client;
            let unlocked = unmoved(&world, fresh.unlock_with_slot(id, &secret)).await;
            assert_eq!(refusal(case, unlocked), expected, "{case}");
            world.vault.restore(&before).unwrap();
        }
        thief.append(Change::AddSlot { slot: right }).await.unwrap();
        let fresh = world.device(1).client;
        fresh.unlock_with_slot(id, &secret).await.unwrap();
    });
}

#[test]
fn a13_swap_slots_between_kinds() {
    run(async {
        let world = World::new();
        let (_, secret, real) = with_slot(&world).await;
        // The very same bytes, as another kind of slot would give them.
        let fresh = world.device(1).client;
        let browser = SlotSecret::from_browser_hmac(*secret.expose());
        let unlocked = unmoved(&world, fresh.unlock_with_slot(real.id, &browser)).await;
        assert_eq!(unlocked.unwrap_err(), ClientError::WrongSecret);
        let unlocked = unmoved(&world, fresh.unlock_with_slot(real.id, &secret)).await;
        unlocked.unwrap();
    });
}

/// A slot of Mallory's making, for someone else's account.
fn mallorys(world: &World, person: &Person, real: &Slot) -> Slot {
    let secret = SlotSecret::from_file([66; 32]);
    let vault = world.vault.vault();
    let scope = salus_crypto::VaultScope {
        vault: vault.as_slice(),
        account: person.own.account(),
    };
    let id = SlotId([66; 16]);
    let keys = secret.derive_keys(scope, id).unwrap();
    let sealing = keys.public().as_bytes().to_vec();
    let anchor = keys.seal_anchor(scope, id, person.own.genesis()).unwrap();
    Slot {
        id,
        sealing,
        anchor,
        ..real.clone()
    }
}

#[test]
fn a14_add_a_slot_as_the_ledgers_keeper() {
    run(async {
        let world = World::new();
        let (person, _, real) = with_slot(&world).await;
        let (thief, mallory) = (
            Thief::of(&world, &person).await,
            Thief::of(&world, &world.person(66).await).await,
        );
        // Appended to what everybody is shown, so that the next master key is sealed to it too.
        let slot = mallorys(&world, &person, &real);
        let op = thief.op(Change::AddSlot { slot }).await;
        let signed = mallory.sign(&op);
        let add = move |lies: &Lies| {
            let signed = signed.clone();
            lies.alter::<LedgerPage>("ledger_page", move |page| {
                page.ops.push(signed.clone());
                page.head.count += 1;
            });
        };
        let refused = unlock(&world, &person, add.clone()).await;
        assert!(matches!(refused, IntegrityError::Statement(_)));
        add(&person.device.lies);
        let refreshed = unmoved(&world, person.own.refresh()).await;
        assert!(matches!(integrity(refreshed), IntegrityError::Statement(_)));
        person.device.lies.stop();
        person.own.remove_slots(&[real.id]).await.unwrap();
        assert_eq!(person.own.slots().unwrap().len(), 1);
    });
}

#[test]
fn a14_add_a_slot_with_a_session_alone() {
    run(async {
        let world = World::new();
        let (person, _, real) = with_slot(&world).await;
        let (thief, mallory) = (
            Thief::of(&world, &person).await,
            Thief::of(&world, &world.person(66).await).await,
        );
        let slot = mallorys(&world, &person, &real);
        let op = thief.op(Change::AddSlot { slot }).await;
        let append = LedgerAppend {
            op: mallory.sign(&op),
            grants: Vec::new(),
        };
        let added = unmoved(&world, thief.update::<Head>("ledger_append", append)).await;
        let refused = VaultError::BadSignature {
            statement: "ledger-op".into(),
        };
        assert_eq!(added, Err(refused));
    });
}

#[test]
fn a14_add_a_slot_with_the_identity_key_is_seen_and_undone() {
    run(async {
        let world = World::new();
        let (person, _, real) = with_slot(&world).await;
        let thief = Thief::of(&world, &person).await;
        let slot = mallorys(&world, &person, &real);
        let id = slot.id;
        thief.append(Change::AddSlot { slot }).await.unwrap();
        person.own.refresh().await.unwrap();
        let shown = person.own.slots().unwrap();
        assert!(shown.iter().any(|slot| slot.id == id));
        // It opens nothing: its maker could not seal the master key to it.
        let secret = SlotSecret::from_file([66; 32]);
        let fresh = world.device(1).client;
        let unlocked = unmoved(&world, fresh.unlock_with_slot(id, &secret)).await;
        assert_eq!(integrity(unlocked), IntegrityError::Slot { slot: id });
        person.own.remove_slots(&[id]).await.unwrap();
        let fresh = world.device(1).client;
        let unlocked = unmoved(&world, fresh.unlock_with_slot(id, &secret)).await;
        assert_eq!(unlocked.unwrap_err(), ClientError::NoSuchSlot);
    });
}

/// Another suite in an envelope's first two bytes.
fn other_suite(envelope: &mut [u8], suite: u16) {
    assert_eq!(envelope[..2], SUITE.to_be_bytes());
    envelope[..2].copy_from_slice(&suite.to_be_bytes());
}

#[test]
fn a15_downgrade_a_suite() {
    run(async {
        for suite in [0u16, 2, 0x0020, 0x647a, 0xffff] {
            // Of a grant, by its owner, who signs it so.
            let received = received_sealed(|_, _| {}, move |bytes| other_suite(bytes, suite)).await;
            let expected = ClientError::Open(OpenError::UnknownSuite(suite));
            assert_eq!(refusal("a grant", received), expected);
        }
        // Of a slot's wrapped key, by who stores it, and by who stole the identity key.
        let world = World::new();
        let (person, secret, real) = with_slot(&world).await;
        let refused = unlock(&world, &person, |lies| {
            forge(lies, 0, |change| {
                if let Change::Open { slots, .. } = change {
                    other_suite(&mut slots[0].wrap, 0);
                }
            });
        });
        assert!(matches!(refused.await, IntegrityError::Statement(_)));
        let thief = Thief::of(&world, &person).await;
        let id = SlotId([7; 16]);
        let slot = thief.with_scope(|scope| {
            let keys = secret.derive_keys(scope, id).unwrap();
            let mut wrap = wrap_amk(keys.public(), scope, id, &thief.amk).unwrap();
            other_suite(&mut wrap, 0);
            Slot {
                id,
                sealing: keys.public().as_bytes().to_vec(),
                anchor: keys.seal_anchor(scope, id, person.own.genesis()).unwrap(),
                wrap,
                ..real
            }
        });
        thief.append(Change::AddSlot { slot }).await.unwrap();
        let fresh = world.device(1).client;
        let unlocked = unmoved(&world, fresh.unlock_with_slot(id, &secret)).await;
        assert_eq!(integrity(unlocked), IntegrityError::Slot { slot: id });
    });
}

#[test]
fn a15_downgrade_a_version_of_what_is_signed() {
    run(async {
        let world = World::new();
        let (person, _, real) = with_slot(&world).await;
        let thief = Thief::of(&world, &person).await;
        let slot = mallorys(&world, &person, &real);
        let op = canonical::encode(&thief.op(Change::AddSlot { slot }).await);
        // By the right key, over the right bytes, under the label of another version.
        for label in ["salus/v0/ledger-op", "salus/v2/ledger-op", "ledger-op", ""] {
            let signature = thief.signature(&signing_bytes(label, &op));
            let op = Signed {
                statement: ByteBuf::from(op.clone()),
                signature: ByteBuf::from(signature.to_vec()),
            };
            let grants = Vec::new();
            let append = LedgerAppend { op, grants };
            let added = unmoved(&world, thief.update::<Head>("ledger_append", append)).await;
            let refused = matches!(added, Err(VaultError::BadSignature { .. }));
            assert!(refused, "{label}: {added:?}");
        }
    });
}
