//! Passphrases and passkeys: unlocking with them, and a vault that lies about how they are asked for.

use super::super::*;
use super::stolen::{Thief, slot as slot_of};
use salus_client::{
    DeviceKey, DeviceSecret, OfferedSlot, ParametersError, PasskeyParameters, Passphrase,
    PassphraseError, PassphraseParameters, SecondSecret, SecondSecretKind, SheetKey, SlotId,
    SlotParameters, passkey_slot_message, passphrase_device_message,
};
use salus_crypto::hazmat::hkdf::derive_sha256;
use salus_protocol::canonical;
use salus_protocol::ledger::{Change, LedgerError, LedgerOp, Slot};
use salus_protocol::statement::hash_of;
use salus_types::api::LedgerPage;
use serde_bytes::ByteBuf;

stories! {
    a_passphrase_and_the_sheet_key_unlock_a_browser_that_remembers_nothing,
    a_passphrase_bound_to_a_device_is_worth_nothing_elsewhere,
    a_passkey_unlocks_by_what_is_offered_before_anything_is_open,
    a_removed_passphrase_opens_nothing_and_the_other_ways_go_on,
}

const WORDS: &str = "correct horse battery staple";

fn sheet() -> SecondSecret {
    SecondSecret::Sheet(SheetKey::parse(&SheetKey::from_bytes([9; 16]).to_text()).unwrap())
}

fn passphrase() -> Passphrase {
    Passphrase::choose(WORDS).unwrap()
}

/// Adds a passphrase that takes the sheet's key.
async fn with_sheet(person: &Person) -> SlotId {
    let client = person.own.client();
    let made = client.passphrase_slot(
        person.own.account(),
        None,
        &passphrase(),
        &sheet(),
        "on the sheet",
    );
    let made = made.unwrap();
    person.own.add_slot(&made).await.unwrap();
    made.id
}

async fn offered(client: &Client, id: SlotId) -> OfferedSlot {
    let offered = client.offered_slots().await.unwrap();
    let found = offered.slots.into_iter().find(|slot| slot.id == id);
    found.unwrap()
}

async fn a_passphrase_and_the_sheet_key_unlock_a_browser_that_remembers_nothing(world: World) {
    let person = world.person(1).await;
    person.write("kept").await;
    let id = with_sheet(&person).await;
    let fresh = world.device(1).client;
    let shown = offered(&fresh, id).await;
    assert_eq!(shown.kind, SlotKind::Passphrase);
    let Some(SlotParameters::Passphrase(parameters)) = shown.parameters else {
        panic!("a passphrase has parameters");
    };
    assert_eq!(parameters.second, SecondSecretKind::Sheet);
    assert_eq!((parameters.memory_kib, parameters.passes), (65_536, 3));

    let typed = Passphrase::read("  correct horse\n battery   staple ").unwrap();
    let own = fresh
        .unlock_with_passphrase(id, &typed, &sheet())
        .await
        .unwrap();
    assert_eq!(own.genesis(), person.own.genesis());
    let items = own.records(person.compartment("Medicines")).await.unwrap();
    assert_eq!(items[0].descriptor.title, "kept");
    let slots = own.slots().unwrap();
    let mine = slots.iter().find(|slot| slot.id == id).unwrap();
    assert!(mine.in_use && mine.label == "on the sheet");
    assert_eq!(
        mine.parameters,
        Some(SlotParameters::Passphrase(parameters))
    );

    let wrong = Passphrase::read("correct horse battery stapler").unwrap();
    let other_sheet = SecondSecret::Sheet(SheetKey::from_bytes([8; 16]));
    for (passphrase, second) in [(&wrong, sheet()), (&typed, other_sheet)] {
        let refused = fresh.unlock_with_passphrase(id, passphrase, &second).await;
        assert_eq!(refused.unwrap_err(), ClientError::WrongSecret);
    }
    let device = SecondSecret::Device(DeviceSecret::from_hmac([9; 32]));
    let refused = fresh.unlock_with_passphrase(id, &typed, &device).await;
    assert_eq!(
        refused.unwrap_err(),
        ClientError::Passphrase(PassphraseError::SecondSecret)
    );
    let recovery = own.slots().unwrap();
    let recovery = recovery.iter().find(|s| s.kind == SlotKind::Recovery);
    let refused = fresh
        .unlock_with_passphrase(recovery.unwrap().id, &typed, &sheet())
        .await;
    assert!(matches!(
        refused,
        Err(ClientError::Invalid { field: "slot", .. })
    ));
    let gone = SlotId([0xee; 16]);
    let refused = fresh.unlock_with_passphrase(gone, &typed, &sheet()).await;
    assert_eq!(refused.unwrap_err(), ClientError::NoSuchSlot);
}

async fn a_passphrase_bound_to_a_device_is_worth_nothing_elsewhere(world: World) {
    let person = world.person(1).await;
    let (account, client) = (person.own.account(), person.own.client().clone());
    let vault = client.vault();
    let id = SlotId([0x51; 16]);
    // As a browser does it, whose key gives out nothing but HMACs.
    let hmac = |key: [u8; 32], slot| {
        use hmac::{KeyInit, Mac};
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(&passphrase_device_message(vault, account, slot));
        SecondSecret::Device(DeviceSecret::from_hmac(mac.finalize().into_bytes().into()))
    };
    let made = client.passphrase_slot(account, Some(id), &passphrase(), &hmac([5; 32], id), "");
    person.own.add_slot(&made.unwrap()).await.unwrap();

    let fresh = world.device(1).client;
    let same = client.device_secret(account, id, &DeviceKey::from_bytes([5; 32]));
    for second in [hmac([5; 32], id), SecondSecret::Device(same)] {
        let own = fresh
            .unlock_with_passphrase(id, &passphrase(), &second)
            .await
            .unwrap();
        assert_eq!(own.genesis(), person.own.genesis());
    }
    for second in [hmac([6; 32], id), hmac([5; 32], SlotId([0x52; 16]))] {
        let refused = fresh
            .unlock_with_passphrase(id, &passphrase(), &second)
            .await;
        assert_eq!(refused.unwrap_err(), ClientError::WrongSecret);
    }
}

async fn a_passkey_unlocks_by_what_is_offered_before_anything_is_open(world: World) {
    let person = world.person(1).await;
    let (account, client) = (person.own.account(), person.own.client().clone());
    // A passkey: whoever asks it at the same salt gets the same output.
    let prf = |salt: &[u8; 32]| derive_sha256(&[7; 32], salt);
    let secret = |slot, parameters: &PasskeyParameters| {
        let info = passkey_slot_message(client.vault(), account, slot, parameters);
        SlotSecret::from_passkey_hkdf(*derive_sha256(&prf(&parameters.salt), &info))
    };
    let id = SlotId([0x51; 16]);
    let parameters = PasskeyParameters {
        credential: vec![3; 64],
        salt: salus_client::random_salt().unwrap(),
    };
    let made = NewSlot::passkey(id, secret(id, &parameters), parameters.clone(), "phone");
    person.own.add_slot(&made).await.unwrap();

    let fresh = world.device(1).client;
    let shown = offered(&fresh, id).await;
    assert_eq!(shown.kind, SlotKind::Passkey);
    let Some(SlotParameters::Passkey(offered)) = shown.parameters else {
        panic!("a passkey has parameters");
    };
    assert_eq!(offered, parameters);
    let own = fresh
        .unlock_with_slot(id, &secret(id, &offered))
        .await
        .unwrap();
    assert_eq!(own.genesis(), person.own.genesis());
    let other = PasskeyParameters {
        salt: [0; 32],
        ..offered
    };
    let refused = fresh.unlock_with_slot(id, &secret(id, &other)).await;
    assert_eq!(refused.unwrap_err(), ClientError::WrongSecret);
}

async fn a_removed_passphrase_opens_nothing_and_the_other_ways_go_on(world: World) {
    let person = world.person(1).await;
    let (lost, kept) = (with_sheet(&person).await, with_sheet(&person).await);
    let fresh = world.device(1).client;
    person.own.remove_slots(&[lost]).await.unwrap();
    let refused = fresh
        .unlock_with_passphrase(lost, &passphrase(), &sheet())
        .await;
    assert_eq!(refused.unwrap_err(), ClientError::NoSuchSlot);
    let own = fresh
        .unlock_with_passphrase(kept, &passphrase(), &sheet())
        .await
        .unwrap();
    assert_eq!(own.compartments().unwrap().len(), 2);
    // The parameters of the slot that stays are those it had.
    let slots = own.slots().unwrap();
    let mine = slots.iter().find(|slot| slot.id == kept).unwrap();
    assert!(mine.in_use && mine.parameters.is_some());
}

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
fn parameters_altered_without_the_owners_key_are_refused() {
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
fn weak_and_absurd_parameters_are_refused_even_if_all_of_the_account_is_made_up() {
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
fn slots_swapped_between_kinds_and_people_open_nothing() {
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
fn a_slot_that_the_vault_adds_is_refused_and_a_made_up_account_has_not_the_anchor() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let id = with_sheet(&person).await;
        let real = slot_of(&world, &person, id).await;

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
