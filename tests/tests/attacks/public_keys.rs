//! 10: public keys that leak what is sealed to them, or to which nothing can be sealed.

use super::super::*;
use salus_client::{NewSlot, READ, Scope, SlotSecret, VaultError};
use salus_crypto::PublicKeyError;
use salus_protocol::ledger::Slot;

/// X-Wing: ML-KEM-768, then X25519.
const X25519: usize = 1184;

/// What is wrong with a key, how to make it so, and what a client says.
type Defect = (&'static str, fn(&mut Vec<u8>), PublicKeyError);

/// Defects that only who computes with the key can see.
const DEFECTS: [Defect; 4] = [
    (
        "an X25519 half of order 1",
        |key| {
            key[X25519..].fill(0);
            key[X25519] = 1;
        },
        PublicKeyError::WeakX25519,
    ),
    (
        "p in place of zero",
        |key| {
            key[X25519..].fill(0xff);
            key[X25519] = 0xed;
            key[X25519 + 31] = 0x7f;
        },
        PublicKeyError::WeakX25519,
    ),
    (
        "zero but for a bit that X25519 ignores",
        |key| {
            key[X25519..].fill(0);
            key[X25519 + 31] = 0x80;
        },
        PublicKeyError::WeakX25519,
    ),
    (
        "coefficients of 4095",
        |key| key[..3].fill(0xff),
        PublicKeyError::MlKem,
    ),
];

fn zero_half(key: &mut [u8]) {
    key[X25519..].fill(0);
}

#[test]
fn a10_a_malformed_or_zero_half_public_key_of_a_grantee() {
    run(async {
        for (case, damage, expected) in DEFECTS {
            let world = World::new();
            let patient = world.person(1).await;
            let doctor = registered(&world, 2).await;
            // The doctor rotates to a key that is none, and signs that.
            let mut signer = Thief::of(&world, &doctor).await;
            let rotated = signer.rotate_to(damage).await;
            rotated.unwrap();
            let shown = patient
                .device
                .client
                .provider(doctor.device.client.caller())
                .await
                .unwrap();
            let terms = terms(Scope::Everything, READ);
            let given = unmoved(&world, patient.own.give(&shown, &terms)).await;
            assert_eq!(integrity(given), expected.into(), "{case}");
            assert!(patient.own.grants().await.unwrap().is_empty());
        }
    });
}

#[test]
fn a10_a_malformed_or_zero_half_public_key_is_not_enrolled() {
    run(async {
        let world = World::new();
        let doctor = registered(&world, 2).await;
        let mut signer = Thief::of(&world, &doctor).await;
        let cases: [Lie<Vec<u8>>; 3] = [
            ("zero", |key| zero_half(key)),
            ("short", |key| key.truncate(1215)),
            ("none", Vec::clear),
        ];
        for (case, damage) in cases {
            let refused = unmoved(&world, signer.rotate_to(damage)).await;
            let invalid = matches!(refused, Err(VaultError::Invalid { .. }));
            assert!(invalid, "{case}: {refused:?}");
        }
    });
}

#[test]
fn a10_a_malformed_or_zero_half_public_key_of_a_slot() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let slot = NewSlot::new(SlotSecret::generate_for_file().unwrap(), "").unwrap();
        person.own.add_slot(&slot).await.unwrap();
        let real = salus_tests::world::slot(&world, &person, slot.id).await;
        let thief = Thief::of(&world, &person).await;
        let with = |n: u8, damage: &dyn Fn(&mut Vec<u8>)| {
            let mut slot = Slot {
                id: salus_client::SlotId([n; 16]),
                ..real.clone()
            };
            damage(&mut slot.sealing);
            Change::AddSlot { slot }
        };
        let zero = with(1, &|key| zero_half(key));
        let refused = unmoved(&world, thief.append(zero)).await;
        assert!(matches!(refused, Err(VaultError::Invalid { .. })));
        // One the vault cannot tell: no account master key is sealed to it.
        let (_, damage, expected) = DEFECTS[0];
        thief.append(with(2, &damage)).await.unwrap();
        person.own.refresh().await.unwrap();
        let removed = unmoved(&world, person.own.remove_slots(&[slot.id])).await;
        assert_eq!(integrity(removed), expected.into());
        // Taking the bad one away is possible.
        let bad = salus_client::SlotId([2; 16]);
        person.own.remove_slots(&[bad, slot.id]).await.unwrap();
        assert_eq!(person.own.slots().unwrap().len(), 1);
    });
}
