//! Names, labels, notes, and what a device keeps.

use crate::fixture::*;
use salus_crypto::local::LocalKey;
use salus_crypto::note::*;
use salus_crypto::{OpenError, SealError};
use salus_types::{CompartmentId, GrantId, SlotId, UploadId};

const WRONG: OpenError = OpenError::WrongKeyOrContext;

#[test]
fn names_and_labels_open_where_they_belong() {
    for name in ["", "Blood", "Psychiatry — private", &"é".repeat(508)] {
        let sealed = seal_compartment_name(&amk(1), scope(), COMPARTMENT, name).unwrap();
        assert_eq!(
            sealed.len() as u64,
            SEALED_NAME_LEN,
            "every name has one length"
        );
        let opened = open_compartment_name(&amk(1), scope(), COMPARTMENT, &sealed);
        assert_eq!(opened.as_deref(), Ok(name));
        let label = seal_slot_label(&amk(1), scope(), SLOT, name).unwrap();
        assert_eq!(label.len() as u64, SEALED_NAME_LEN);
        assert_eq!(
            open_slot_label(&amk(1), scope(), SLOT, &label).as_deref(),
            Ok(name)
        );
    }
}

#[test]
fn a_name_of_another_compartment_generation_account_or_vault_is_refused() {
    let sealed = seal_compartment_name(&amk(1), scope(), COMPARTMENT, "Blood").unwrap();
    let other = CompartmentId([1; 16]);
    assert_eq!(
        open_compartment_name(&amk(1), scope(), other, &sealed),
        Err(WRONG)
    );
    assert_eq!(
        open_compartment_name(&amk(2), scope(), COMPARTMENT, &sealed),
        Err(WRONG)
    );
    assert_eq!(
        open_compartment_name(&amk(1), other_account(), COMPARTMENT, &sealed),
        Err(WRONG)
    );
    assert_eq!(
        open_compartment_name(&amk(1), other_vault(), COMPARTMENT, &sealed),
        Err(WRONG)
    );
    let label = seal_slot_label(&amk(1), scope(), SLOT, "Blood").unwrap();
    assert_eq!(
        open_slot_label(&amk(1), scope(), SlotId([1; 16]), &label),
        Err(WRONG)
    );
}

#[test]
fn too_long_a_name_or_note_is_refused_with_its_size() {
    let name = "x".repeat(1017);
    let error = SealError::TooLarge {
        size: 1017,
        limit: NAME_LIMIT,
    };
    assert_eq!(
        seal_compartment_name(&amk(1), scope(), COMPARTMENT, &name),
        Err(error)
    );
    assert_eq!(seal_slot_label(&amk(1), scope(), SLOT, &name), Err(error));
    let note = stream("note", NOTE_LIMIT as usize + 1);
    let error = SealError::TooLarge {
        size: NOTE_LIMIT + 1,
        limit: NOTE_LIMIT,
    };
    assert_eq!(seal_profile_note(&amk(1), scope(), &note), Err(error));
    assert_eq!(seal_owner_note(&amk(1), scope(), GRANT, &note), Err(error));
}

#[test]
fn the_longest_note_fits_the_vaults_limit() {
    let note = stream("note", NOTE_LIMIT as usize);
    let sealed = seal_profile_note(&amk(1), scope(), &note).unwrap();
    assert!(
        sealed.len() as u64 <= salus_types::limits::NOTE_BYTES,
        "{}",
        sealed.len()
    );
    const { assert!(SEALED_NAME_LEN <= salus_types::limits::NOTE_BYTES) };
}

#[test]
fn notes_open_where_they_belong_and_nowhere_else() {
    let profile = seal_profile_note(&amk(1), scope(), b"me").unwrap();
    assert_eq!(
        open_profile_note(&amk(1), scope(), &profile).unwrap()[..],
        *b"me"
    );
    assert_eq!(open_profile_note(&amk(2), scope(), &profile), Err(WRONG));
    assert_eq!(
        open_profile_note(&amk(1), other_account(), &profile),
        Err(WRONG)
    );
    let note = seal_owner_note(&amk(1), scope(), GRANT, b"knee").unwrap();
    assert_eq!(
        open_owner_note(&amk(1), scope(), GRANT, &note).unwrap()[..],
        *b"knee"
    );
    assert_eq!(
        open_owner_note(&amk(1), scope(), GrantId([1; 16]), &note),
        Err(WRONG)
    );
    assert_eq!(open_owner_note(&amk(2), scope(), GRANT, &note), Err(WRONG));
    assert_eq!(open_profile_note(&amk(1), scope(), &note), Err(WRONG));
}

#[test]
fn a_name_that_is_not_utf_8_is_refused() {
    let sealed = salus_crypto::seal::seal(
        &amk_key(1),
        &salus_crypto::context::compartment_name(scope(), COMPARTMENT, 1),
        &salus_crypto::pad::pad(&[0xff, 0xfe]),
    );
    let opened = open_compartment_name(&amk(1), scope(), COMPARTMENT, &sealed.unwrap());
    assert_eq!(opened, Err(OpenError::Malformed));
}

#[test]
fn what_a_device_keeps_closes_with_the_generation() {
    let (now, later) = (
        LocalKey::derive(&amk(1), scope()),
        LocalKey::derive(&amk(2), scope()),
    );
    let upload = UploadId([3; 16]);
    let journal = now.seal_journal(scope(), upload, b"piece 4").unwrap();
    assert_eq!(
        now.open_journal(scope(), upload, &journal).unwrap()[..],
        *b"piece 4"
    );
    assert_eq!(
        now.open_journal(scope(), UploadId([4; 16]), &journal),
        Err(WRONG)
    );
    assert_eq!(later.open_journal(scope(), upload, &journal), Err(WRONG));
    let cache = now.seal_cache(scope(), b"records", b"rows").unwrap();
    assert_eq!(
        now.open_cache(scope(), b"records", &cache).unwrap()[..],
        *b"rows"
    );
    assert_eq!(now.open_cache(scope(), b"record", &cache), Err(WRONG));
    assert_eq!(later.open_cache(scope(), b"records", &cache), Err(WRONG));
    assert_eq!(
        now.open_cache(scope(), upload.as_ref(), &journal),
        Err(WRONG)
    );
}

#[test]
fn nothing_sealed_under_a_generation_opens_with_the_same_key_under_another_number() {
    let (amk, renumbered) = (amk(1), amk_of(2, 1));
    let name = seal_compartment_name(&amk, scope(), COMPARTMENT, "Blood").unwrap();
    let opened = open_compartment_name(&renumbered, scope(), COMPARTMENT, &name);
    assert_eq!(opened, Err(WRONG));
    let label = seal_slot_label(&amk, scope(), SLOT, "Laptop").unwrap();
    assert_eq!(
        open_slot_label(&renumbered, scope(), SLOT, &label),
        Err(WRONG)
    );
    let note = seal_owner_note(&amk, scope(), GRANT, b"note").unwrap();
    assert_eq!(
        open_owner_note(&renumbered, scope(), GRANT, &note),
        Err(WRONG)
    );
    let note = seal_profile_note(&amk, scope(), b"note").unwrap();
    assert_eq!(open_profile_note(&renumbered, scope(), &note), Err(WRONG));
    let cache = LocalKey::derive(&amk, scope())
        .seal_cache(scope(), b"c", b"rows")
        .unwrap();
    let later = LocalKey::derive(&renumbered, scope());
    assert_eq!(later.open_cache(scope(), b"c", &cache), Err(WRONG));
}
