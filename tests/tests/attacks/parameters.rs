//! 11 and 12, and 13 and 14 for passphrases: how a passphrase is stretched, made weak or absurd by who
//! stores it or by who signs.

use super::super::*;
use salus_client::{
    ParametersError, PassphraseParameters, SecondSecretKind, SlotId, SlotKind, SlotParameters,
};
use salus_protocol::ledger::{LedgerError, Slot};
use salus_protocol::statement::hash_of;
use salus_tests::world::passphrase::{passphrase, sheet, with_sheet};
use salus_tests::world::slot as slot_of;
use std::rc::Rc;

/// Alters the slot in the operation that added it, and signs it again if `thief` is given.
fn weaken(
    lies: &Lies,
    thief: Option<Rc<Thief>>,
    slot: SlotId,
    change: impl Fn(&mut Slot) + 'static,
) {
    lies.alter::<LedgerPage>("ledger_page", move |page| {
        for signed in &mut page.ops {
            let mut op: LedgerOp = canonical::decode(&signed.statement).unwrap();
            if let Change::AddSlot { slot: added } = &mut op.change
                && added.id == slot
            {
                change(added);
                match &thief {
                    Some(thief) => *signed = thief.sign(&op),
                    None => signed.statement = ByteBuf::from(canonical::encode(&op)),
                }
                page.head.hash = hash_of::<LedgerOp>(&signed.statement);
            }
        }
    });
}

fn set(parameters: PassphraseParameters) -> impl Fn(&mut Slot) {
    move |slot| slot.parameters = Some(SlotParameters::Passphrase(parameters.clone()))
}

fn parameters(slot: &Slot) -> PassphraseParameters {
    match &slot.parameters {
        Some(SlotParameters::Passphrase(parameters)) => parameters.clone(),
        other => panic!("not a passphrase's: {other:?}"),
    }
}

#[test]
fn a11_weaken_stored_parameters_without_the_owners_key() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let id = with_sheet(&person).await;
        let stored = parameters(&slot_of(&world, &person, id).await);
        for altered in [
            PassphraseParameters {
                memory_kib: 65_537,
                ..stored.clone()
            },
            PassphraseParameters {
                second: SecondSecretKind::Device,
                ..stored.clone()
            },
            PassphraseParameters {
                salt: [0; 32],
                ..stored
            },
        ] {
            let fresh = world.device(1);
            weaken(&fresh.lies, None, id, set(altered));
            let client = &fresh.client;
            let refused = client.offered_slots().await;
            assert!(matches!(integrity(refused), IntegrityError::Statement(_)));
            let refused = client
                .unlock_with_passphrase(id, &passphrase(), &sheet())
                .await;
            assert!(matches!(integrity(refused), IntegrityError::Statement(_)));
        }
    });
}

#[test]
fn a12_weak_and_absurd_parameters_of_an_account_that_is_all_made_up() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let id = with_sheet(&person).await;
        let thief = Rc::new(Thief::of(&world, &person).await);
        let stored = parameters(&slot_of(&world, &person, id).await);
        let with = |memory_kib, passes| PassphraseParameters {
            memory_kib,
            passes,
            ..stored.clone()
        };
        for (parameters, expected) in [
            (with(8, 1), ParametersError::BelowFloor),
            (with(65_535, 3), ParametersError::BelowFloor),
            (with(65_536, 2), ParametersError::BelowFloor),
            (with((1 << 20) + 1, 3), ParametersError::AboveCeiling),
            (with(u32::MAX, 3), ParametersError::AboveCeiling),
            (with(65_536, u32::MAX), ParametersError::AboveCeiling),
        ] {
            // With the identity key, as a vault would sign that shows a made-up account to a browser
            // which remembers nothing.
            let fresh = world.device(1);
            weaken(
                &fresh.lies,
                Some(Rc::clone(&thief)),
                id,
                set(parameters.clone()),
            );
            let refused = IntegrityError::Ledger {
                seq: 1,
                error: LedgerError::Parameters(expected),
            };
            let client = &fresh.client;
            assert_eq!(integrity(client.offered_slots().await), refused);
            let unlocked = client
                .unlock_with_passphrase(id, &passphrase(), &sheet())
                .await;
            assert_eq!(integrity(unlocked), refused);
            // And the vault takes no such slot, whoever signs it.
            let slot = Slot {
                id: SlotId([0x77; 16]),
                parameters: Some(SlotParameters::Passphrase(parameters)),
                ..slot_of(&world, &person, id).await
            };
            let taken = thief.append(Change::AddSlot { slot }).await;
            assert!(matches!(taken, Err(salus_types::Error::Invalid { .. })));
        }
        // Within the bounds, but not the owner's: a secret that opens nothing.
        for parameters in [
            with(65_537, 3),
            with(65_536, 4),
            PassphraseParameters {
                salt: [1; 32],
                ..stored.clone()
            },
        ] {
            let fresh = world.device(1);
            weaken(&fresh.lies, Some(Rc::clone(&thief)), id, set(parameters));
            let refused = fresh
                .client
                .unlock_with_passphrase(id, &passphrase(), &sheet())
                .await;
            assert_eq!(refused.unwrap_err(), ClientError::WrongSecret);
        }
    });
}

#[test]
fn a13_swap_passphrases_between_kinds_and_people() {
    run(async {
        let world = World::new();
        let (person, other) = (world.person(1).await, world.person(2).await);
        let id = with_sheet(&person).await;
        let foreign = slot_of(&world, &other, with_sheet(&other).await).await;
        let thief = Rc::new(Thief::of(&world, &person).await);
        let unlock = async |change: Box<dyn Fn(&mut Slot)>| {
            let fresh = world.device(1);
            weaken(&fresh.lies, Some(Rc::clone(&thief)), id, change);
            fresh
                .client
                .unlock_with_passphrase(id, &passphrase(), &sheet())
                .await
                .unwrap_err()
        };
        // Another person's slot in the place of one's own, of the same passphrase and sheet.
        let swapped = move |slot: &mut Slot| {
            *slot = Slot {
                id: slot.id,
                ..foreign.clone()
            };
        };
        assert_eq!(unlock(Box::new(swapped)).await, ClientError::WrongSecret);
        // One kind shown as another.
        let browser = |slot: &mut Slot| {
            slot.kind = SlotKind::Browser;
            slot.parameters = None;
        };
        assert!(matches!(
            unlock(Box::new(browser)).await,
            ClientError::Invalid { field: "slot", .. }
        ));
        let missing = |slot: &mut Slot| slot.parameters = None;
        assert_eq!(
            unlock(Box::new(missing)).await,
            ClientError::Integrity(IntegrityError::Ledger {
                seq: 1,
                error: LedgerError::Parameters(ParametersError::Missing),
            })
        );
        let mixed = |slot: &mut Slot| slot.kind = SlotKind::Passkey;
        assert_eq!(
            unlock(Box::new(mixed)).await,
            ClientError::Integrity(IntegrityError::Ledger {
                seq: 1,
                error: LedgerError::Parameters(ParametersError::Kind),
            })
        );
    });
}

#[test]
fn a14_add_a_passphrase_of_the_vaults_own() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let id = with_sheet(&person).await;
        // A passphrase of the vault's own, signed by nobody.
        let mallory = world.person(66).await;
        let mine = slot_of(&world, &mallory, with_sheet(&mallory).await).await;
        let fresh = world.device(1);
        fresh.lies.alter::<LedgerPage>("ledger_page", move |page| {
            if let Some(last) = page.ops.last().cloned() {
                let before: LedgerOp = canonical::decode(&last.statement).unwrap();
                let op = LedgerOp {
                    seq: before.seq + 1,
                    previous: Some(hash_of::<LedgerOp>(&last.statement)),
                    change: Change::AddSlot { slot: mine.clone() },
                    ..before
                };
                let mut added = last;
                added.statement = ByteBuf::from(canonical::encode(&op));
                page.head.count += 1;
                page.head.hash = hash_of::<LedgerOp>(&added.statement);
                page.ops.push(added);
            }
        });
        let refused = fresh
            .client
            .unlock_with_passphrase(id, &passphrase(), &sheet())
            .await;
        assert!(matches!(integrity(refused), IntegrityError::Statement(_)));
    });
}

#[test]
fn a13_swap_a_passphrase_into_a_whole_account_made_up_around_it() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let id = with_sheet(&person).await;
        let real = slot_of(&world, &person, id).await;
        // Another account under the same id, with the person's very slot and Mallory's master key
        // sealed to it.
        let fake = World::new();
        let made_up = fake.person_with(1, Some(person.own.account())).await;
        let thief = Thief::of(&fake, &made_up).await;
        let wrap = thief.with_scope(|scope| {
            let secret = passphrase()
                .derive_secret(scope, id, &parameters(&real), &sheet())
                .unwrap();
            let keys = secret.derive_keys(scope, id).unwrap();
            salus_crypto::slot::wrap_amk(keys.public(), scope, id, &thief.amk).unwrap()
        });
        let slot = Slot { wrap, ..real };
        thief.append(Change::AddSlot { slot }).await.unwrap();
        let fresh = fake.device(1).client;
        let refused = fresh
            .unlock_with_passphrase(id, &passphrase(), &sheet())
            .await;
        assert_eq!(
            integrity(refused),
            IntegrityError::KeyChanged {
                account: person.own.account()
            }
        );
    });
}
