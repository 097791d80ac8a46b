//! Passphrases and passkeys: unlocking with them.

use super::super::*;
use salus_client::{
    Client, DeviceKey, DeviceSecret, OfferedSlot, PasskeyParameters, Passphrase, PassphraseError,
    SecondSecret, SecondSecretKind, SheetKey, SlotId, SlotParameters, passkey_slot_message,
    passphrase_device_message,
};
use salus_crypto::hazmat::hkdf::derive_sha256;
use salus_tests::world::passphrase::{passphrase, sheet, with_sheet};

stories! {
    a_passphrase_and_the_sheet_key_unlock_a_browser_that_remembers_nothing,
    a_passphrase_bound_to_a_device_is_worth_nothing_elsewhere,
    a_passkey_unlocks_by_what_is_offered_before_anything_is_open,
    a_removed_passphrase_opens_nothing_and_the_other_ways_go_on,
    when_a_way_was_last_used_is_noted_once_and_listed,
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

async fn when_a_way_was_last_used_is_noted_once_and_listed(world: World) {
    let person = world.person(1).await;
    let secret = SlotSecret::generate_for_file().unwrap();
    let slot = NewSlot::new(secret.clone(), "laptop").unwrap();
    person.own.add_slot(&slot).await.unwrap();
    let device = world.device(1);
    let own = device.client.unlock_with_slot(slot.id, &secret).await;
    let own = own.unwrap();
    let last = |slots: Vec<salus_client::SlotInfo>| {
        let found = slots.into_iter().find(|s| s.id == slot.id);
        found.unwrap().last_used
    };
    assert_eq!(last(own.slots().unwrap()), None);
    own.note_use().await.unwrap();
    let noted = last(own.slots().unwrap()).unwrap();
    assert!(noted.abs_diff(device.client.now()) < MINUTE);
    for _ in 0..3 {
        own.note_use().await.unwrap();
    }
    assert_eq!(device.lies.calls("slot_used"), 1);
    // Another browser sees it, before and after it unlocks, and in the audit trail.
    let fresh = world.device(1).client;
    let shown = offered(&fresh, slot.id).await.last_used.unwrap();
    assert!(shown.abs_diff(noted) < MINUTE);
    person.own.refresh().await.unwrap();
    assert_eq!(last(person.own.slots().unwrap()), Some(shown));
    let trail = person.own.audit_trail(&Quiet).await.unwrap();
    let unlocked = trail
        .entries
        .iter()
        .filter(|e| e.event == salus_client::audit::AuditEvent::Unlocked);
    let unlocked: Vec<_> = unlocked.map(|e| (e.at, e.slot)).collect();
    assert_eq!(unlocked, [(shown, Some(slot.id))]);
    // A locked one notes nothing.
    own.lock();
    assert_eq!(own.note_use().await, Err(ClientError::Locked));
}
