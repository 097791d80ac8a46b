//! 6 and 7: other keys in place of wrapped epoch keys and of the identity bundle, by who stores them and
//! by who stole the identity key and signs.

use super::super::*;
use salus_client::{CompartmentId, Hash, Label, NewSlot, SlotSecret};
use salus_crypto::hierarchy::{Amk, EpochKey};
use salus_protocol::grant::Conveyed;
use salus_protocol::ledger::{EpochAdvance, NewCompartment};
use salus_tests::world::dishonest::received_after;

#[test]
fn a06_substitute_a_wrapped_epoch_key_as_its_keeper() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        let other_bytes = |lies: &Lies| {
            forge(lies, 1, |change| {
                if let Change::AddCompartment { compartment, .. } = change {
                    compartment.wrap[10] ^= 1;
                }
            });
        };
        let another_compartments = |lies: &Lies| {
            forge(lies, 0, |change| {
                if let Change::Open { compartments, .. } = change {
                    compartments[0].wrap = compartments[1].wrap.clone();
                }
            });
        };
        let refused = unlock(&world, &person, other_bytes).await;
        assert!(matches!(refused, IntegrityError::Statement(_)));
        let refused = unlock(&world, &person, another_compartments).await;
        assert!(matches!(refused, IntegrityError::Statement(_)));
    });
}

/// What filing into a compartment is refused for that a thief added, whose key `make` makes.
async fn filing_under(
    make: impl FnOnce(&Thief, CompartmentId) -> (Hash, Vec<u8>),
) -> (World, Person, CompartmentId) {
    let world = World::new();
    let person = world.person(1).await;
    person.write("mine").await;
    let thief = Thief::of(&world, &person).await;
    let id = CompartmentId([9; 16]);
    let (kid, wrap) = make(&thief, id);
    let name = vec![1; 100];
    let compartment = NewCompartment {
        id,
        name,
        kid,
        wrap,
    };
    // Signed with the identity key, so vault and ledger take it.
    let change = Change::AddCompartment {
        compartment,
        reissues: Vec::new(),
    };
    thief.append(change).await.unwrap();
    person.own.refresh().await.unwrap();
    let file = person.file(id, "x");
    let refused = IntegrityError::EpochKey {
        compartment: id,
        epoch: 1,
    };
    assert_eq!(integrity(unmoved(&world, file).await), refused);
    (world, person, id)
}

#[test]
fn a06_substitute_a_wrapped_epoch_key_by_one_that_does_not_open() {
    run(async {
        let (world, person, id) = filing_under(|_, _| (Hash([1; 32]), vec![1; 120])).await;
        let fresh = world.device(1);
        let own = fresh.client.unlock_with_phrase(&person.phrase).await;
        let own = own.unwrap();
        let shown = own.compartments().unwrap();
        assert!(shown.iter().any(|c| c.id == id && c.damaged));
        // Everything else goes on, a new account master key included.
        let slot = NewSlot::new(SlotSecret::generate_for_file().unwrap(), "").unwrap();
        own.add_slot(&slot).await.unwrap();
        own.remove_slots(&[slot.id]).await.unwrap();
        let medicines = person.compartment_of(&own, "Medicines");
        let items = own.records(medicines).await.unwrap();
        assert_eq!(items[0].descriptor.title, "mine");
    });
}

#[test]
fn a06_substitute_a_wrapped_epoch_key_by_one_the_ledger_does_not_name() {
    run(async {
        filing_under(|thief, id| {
            let keys = [1, 2].map(|_| EpochKey::generate(id, 1).unwrap());
            thief.with_scope(|scope| {
                let wrap = keys[0].wrap(&thief.amk, scope).unwrap();
                (keys[1].kid(scope), wrap)
            })
        })
        .await;
        // Nor by the right key of another epoch or compartment.
        filing_under(|thief, id| {
            let key = EpochKey::generate(id, 2).unwrap();
            thief.with_scope(|scope| (key.kid(scope), key.wrap(&thief.amk, scope).unwrap()))
        })
        .await;
        filing_under(|thief, _| {
            let key = EpochKey::generate(CompartmentId([8; 16]), 1).unwrap();
            thief.with_scope(|scope| (key.kid(scope), key.wrap(&thief.amk, scope).unwrap()))
        })
        .await;
    });
}

#[test]
fn a06_substitute_the_next_epoch_of_a_compartment_in_use() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("before").await;
        let thief = Thief::of(&world, &person).await;
        let medicines = person.compartment("Medicines");
        let key = EpochKey::generate(medicines, 2).unwrap();
        // The thief knows this key; the owner must not use it in place of the one that is named.
        let named = EpochKey::generate(medicines, 2).unwrap();
        let advance = thief.with_scope(|scope| EpochAdvance {
            compartment: medicines,
            epoch: 2,
            kid: named.kid(scope),
            wrap: key.wrap(&thief.amk, scope).unwrap(),
        });
        let change = Change::Advance {
            epochs: vec![advance],
            reissues: Vec::new(),
        };
        thief.append(change).await.unwrap();
        person.own.refresh().await.unwrap();
        let file = person.file(medicines, "after");
        let refused = IntegrityError::EpochKey {
            compartment: medicines,
            epoch: 2,
        };
        assert_eq!(integrity(unmoved(&world, file).await), refused);
        assert_eq!(person.titles().await, ["before"]);
    });
}

#[test]
fn a06_substitute_a_key_in_a_grant() {
    run(async {
        let refused = IntegrityError::Grant("a key");
        let other_key = received_after(|_, contents| {
            contents.compartments[0].epochs[0].key = salus_crypto::Key::generate().unwrap();
        });
        assert_eq!(integrity(other_key.await), refused);
        let fewer_keys = received_after(|_, contents| {
            contents.compartments.pop();
        });
        assert_eq!(integrity(fewer_keys.await), refused);
        let other_kid = received_after(|grant, _| {
            if let Some(Conveyed::Epoch { kid, .. }) = grant.conveys.first_mut() {
                *kid = Hash([7; 32]);
            }
        });
        assert_eq!(integrity(other_kid.await), refused);
    });
}

#[test]
fn a07_overwrite_the_identity_bundle_as_its_keeper() {
    run(async {
        let world = World::new();
        let (person, mallory) = (world.person(1).await, world.person(66).await);
        let theirs = Thief::of(&world, &mallory).await;
        let theirs = theirs.with_scope(|scope| theirs.bundle.seal(&theirs.amk, scope));
        let theirs = theirs.unwrap();
        type Put = fn(&mut Vec<u8>, &[u8]);
        let put: [(&str, Put); 3] = [
            ("a bit", |bundle, _| bundle[10] ^= 1),
            ("zeros", |bundle, _| bundle.fill(0)),
            ("another's", |bundle, other| *bundle = other.to_vec()),
        ];
        for (case, put) in put {
            let theirs = theirs.clone();
            let lie = move |lies: &Lies| {
                let theirs = theirs.clone();
                forge(lies, 0, move |change| {
                    if let Change::Open { bundle, .. } = change {
                        put(bundle, &theirs);
                    }
                });
            };
            let refused = unlock(&world, &person, lie).await;
            assert!(matches!(refused, IntegrityError::Statement(_)), "{case}");
        }
    });
}

/// What the owner makes of a bundle under new identity keys that a thief put there, signed.
async fn after_rotation(bundle: impl FnOnce(&Thief) -> Vec<u8>) {
    let world = World::new();
    let person = world.person(1).await;
    let mut thief = Thief::of(&world, &person).await;
    let bundle = bundle(&thief);
    thief.rotate_with(bundle).await;
    let refused = unlock(&world, &person, |_| {}).await;
    assert_eq!(refused, IntegrityError::Bundle);
    let refreshed = unmoved(&world, person.own.refresh()).await;
    assert_eq!(integrity(refreshed), IntegrityError::Bundle);
}

#[test]
fn a07_overwrite_the_identity_bundle_with_the_identity_key() {
    run(async {
        after_rotation(|_| vec![1; 200]).await;
        // It opens, but its keys are not those the chain names now.
        after_rotation(|thief| {
            let old = thief.with_scope(|scope| thief.bundle.seal(&thief.amk, scope));
            old.unwrap()
        })
        .await;
        // Sealed under a master key of the thief's own.
        after_rotation(|thief| {
            let amk = Amk::generate(1).unwrap();
            thief
                .with_scope(|scope| thief.bundle.seal(&amk, scope))
                .unwrap()
        })
        .await;
    });
}
