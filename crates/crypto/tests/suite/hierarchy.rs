//! Bundle, epochs, version keys, drop box.

use crate::fixture::*;
use salus_crypto::hierarchy::{
    DROP_BOX_LEN, EpochKey, IdentityBundle, IdentitySeeds, VersionKeys, WRAPPED_KEY_LEN,
};
use salus_crypto::{OpenError, VersionScope, context, hazmat, kdf, seal};
use salus_types::{CompartmentId, Hash, RecordId};

const WRONG: OpenError = OpenError::WrongKeyOrContext;
const OTHER_COMPARTMENT: CompartmentId = CompartmentId([0xc1; 16]);
const OTHER_RECORD: RecordId = RecordId([0x4f; 16]);

fn seeds(link: u8) -> IdentitySeeds {
    IdentitySeeds {
        link: Hash([link; 32]),
        ..IdentitySeeds::generate().unwrap()
    }
}

fn epoch_key() -> EpochKey {
    EpochKey {
        compartment: COMPARTMENT,
        epoch: 2,
        key: key("epoch"),
    }
}

fn keys() -> VersionKeys {
    VersionKeys {
        descriptor: key("descriptor"),
        content: key("content"),
    }
}

#[test]
fn a_bundle_keeps_current_and_earlier_seeds_and_master_keys() {
    let (first, second) = (seeds(1), seeds(2));
    let mut bundle = IdentityBundle::new(first.clone());
    bundle.rotate(second.clone());
    bundle.retire_amk(amk(1));
    let sealed = bundle.seal(&amk(2), scope()).unwrap();
    let opened = IdentityBundle::open(&amk(2), scope(), &sealed).unwrap();
    assert_eq!(opened, bundle);
    assert_eq!(opened.current, second);
    assert_eq!(opened.seeds(Hash([1; 32])), Some(&first));
    assert_eq!(opened.seeds(Hash([2; 32])), Some(&second));
    assert_eq!(opened.seeds(Hash([3; 32])), None);
    assert_eq!(opened.earlier_amks, [amk(1)]);
}

#[test]
fn a_bundle_of_another_generation_account_or_vault_is_refused() {
    let sealed = IdentityBundle::new(seeds(1))
        .seal(&amk(2), scope())
        .unwrap();
    for (amk, scope) in [
        (amk(1), scope()),
        (amk(3), scope()),
        (amk_of(3, 2), scope()),
        (amk(2), other_account()),
        (amk(2), other_vault()),
    ] {
        assert_eq!(IdentityBundle::open(&amk, scope, &sealed), Err(WRONG));
    }
    // The very key under another generation's number.
    let context = context::bundle(scope(), 1);
    assert_eq!(seal::open(&amk_key(2), &context, &sealed), Err(WRONG));
}

#[test]
fn a_bundle_that_is_not_canonical_is_refused() {
    let context = context::bundle(scope(), 2);
    let sealed = IdentityBundle::new(seeds(1))
        .seal(&amk(2), scope())
        .unwrap();
    let good = seal::open(&amk_key(2), &context, &sealed).unwrap();
    let reseal = |text: &[u8]| {
        let sealed = seal::seal(&amk_key(2), &context, text).unwrap();
        IdentityBundle::open(&amk(2), scope(), &sealed)
    };
    assert!(reseal(&good).is_ok());
    let trailing = [good.as_slice(), &[0]].concat();
    // Map of indefinite length: the same value, another encoding.
    let indefinite = [&[0xbf], &good[1..], &[0xff]].concat();
    let empty_map = vec![0xa0];
    for (name, text) in [
        ("trailing byte", trailing),
        ("indefinite map", indefinite),
        ("missing fields", empty_map),
        ("cut", good[..good.len() - 1].to_vec()),
        ("nothing", vec![]),
    ] {
        assert_eq!(reseal(&text), Err(OpenError::Malformed), "{name}");
    }
}

#[test]
fn an_epoch_key_opens_under_its_master_key() {
    let sealed = epoch_key().wrap(&amk(1), scope()).unwrap();
    assert_eq!(sealed.len() as u64, WRAPPED_KEY_LEN);
    let opened = EpochKey::unwrap(&amk(1), scope(), COMPARTMENT, 2, &sealed);
    assert_eq!(opened, Ok(epoch_key()));
}

#[test]
fn a_substituted_epoch_key_is_refused() {
    let sealed = epoch_key().wrap(&amk(1), scope()).unwrap();
    let open =
        |amk, scope, compartment, epoch| EpochKey::unwrap(&amk, scope, compartment, epoch, &sealed);
    assert_eq!(
        open(amk(1), scope(), OTHER_COMPARTMENT, 2),
        Err(WRONG),
        "another compartment"
    );
    assert_eq!(
        open(amk(1), scope(), COMPARTMENT, 1),
        Err(WRONG),
        "older epoch"
    );
    assert_eq!(
        open(amk(1), scope(), COMPARTMENT, 3),
        Err(WRONG),
        "newer epoch"
    );
    assert_eq!(
        open(amk_of(2, 1), scope(), COMPARTMENT, 2),
        Err(WRONG),
        "renumbered key"
    );
    assert_eq!(
        open(amk(2), scope(), COMPARTMENT, 2),
        Err(WRONG),
        "another generation"
    );
    assert_eq!(
        open(amk(1), other_account(), COMPARTMENT, 2),
        Err(WRONG),
        "another account"
    );
    assert_eq!(
        open(amk(1), other_vault(), COMPARTMENT, 2),
        Err(WRONG),
        "another vault"
    );
}

#[test]
fn version_keys_open_under_their_epoch() {
    let wrapped = epoch_key()
        .wrap_version_keys(scope(), RECORD, 3, &keys())
        .unwrap();
    assert_eq!(wrapped.descriptor.len() as u64, WRAPPED_KEY_LEN);
    let opened = epoch_key().unwrap_version_keys(scope(), RECORD, 3, &wrapped);
    assert_eq!(opened, Ok(keys()));
    let content = epoch_key().unwrap_content_key(scope(), RECORD, 3, &wrapped.content);
    assert_eq!(content, Ok(keys().content));
}

#[test]
fn version_keys_of_another_record_version_compartment_or_epoch_are_refused() {
    let wrapped = epoch_key()
        .wrap_version_keys(scope(), RECORD, 3, &keys())
        .unwrap();
    let mut elsewhere = epoch_key();
    elsewhere.compartment = OTHER_COMPARTMENT;
    let mut later = epoch_key();
    later.epoch = 3;
    let mut stranger = epoch_key();
    stranger.key = key("stranger");
    for (name, opener, scope, record, version) in [
        ("record", epoch_key(), scope(), OTHER_RECORD, 3),
        ("version", epoch_key(), scope(), RECORD, 2),
        ("compartment", elsewhere, scope(), RECORD, 3),
        ("epoch", later, scope(), RECORD, 3),
        ("key", stranger, scope(), RECORD, 3),
        ("account", epoch_key(), other_account(), RECORD, 3),
        ("vault", epoch_key(), other_vault(), RECORD, 3),
    ] {
        let opened = opener.unwrap_version_keys(scope, record, version, &wrapped);
        assert_eq!(opened, Err(WRONG), "{name}");
    }
}

#[test]
fn a_descriptor_key_offered_as_content_key_is_refused() {
    let wrapped = epoch_key()
        .wrap_version_keys(scope(), RECORD, 3, &keys())
        .unwrap();
    let swapped = epoch_key().unwrap_content_key(scope(), RECORD, 3, &wrapped.descriptor);
    assert_eq!(swapped, Err(WRONG));
    let swapped = epoch_key().unwrap_descriptor_key(scope(), RECORD, 3, &wrapped.content);
    assert_eq!(swapped, Err(WRONG));
}

#[test]
fn a_wrapped_key_of_the_wrong_length_is_refused() {
    let context = context::descriptor_key_wrap(scope(), RECORD, 3, COMPARTMENT, 2);
    for len in [0, 16, 31, 33, 64] {
        let sealed = seal::seal(&key("epoch"), &context, &stream("short", len)).unwrap();
        let opened = epoch_key().unwrap_descriptor_key(scope(), RECORD, 3, &sealed);
        assert_eq!(opened, Err(OpenError::Malformed), "{len}");
    }
}

#[test]
fn kids_differ_by_key_kind_and_everything_they_name() {
    let k = key("k");
    let kids = [
        epoch_key().kid(scope()),
        kdf::derive_epoch_kid(scope(), COMPARTMENT, 2, &k),
        kdf::derive_epoch_kid(scope(), COMPARTMENT, 3, &k),
        kdf::derive_epoch_kid(scope(), OTHER_COMPARTMENT, 2, &k),
        kdf::derive_epoch_kid(other_account(), COMPARTMENT, 2, &k),
        kdf::derive_epoch_kid(other_vault(), COMPARTMENT, 2, &k),
        kdf::derive_descriptor_kid(scope(), RECORD, 3, &k),
        kdf::derive_content_kid(scope(), RECORD, 3, &k),
        kdf::derive_content_kid(scope(), RECORD, 4, &k),
        kdf::derive_content_kid(scope(), OTHER_RECORD, 3, &k),
        Hash(*k.expose()),
    ];
    let distinct: std::collections::HashSet<_> = kids.iter().collect();
    assert_eq!(distinct.len(), kids.len());
    assert_eq!(
        keys().content_kid(scope(), RECORD, 3),
        kdf::derive_content_kid(scope(), RECORD, 3, &keys().content)
    );
    assert_eq!(
        keys().descriptor_kid(scope(), RECORD, 3),
        kdf::derive_descriptor_kid(scope(), RECORD, 3, &keys().descriptor)
    );
}

#[test]
fn the_drop_box_opens_for_the_owner_alone() {
    let owner = seed("owner");
    let envelope = keys()
        .seal_to_drop_box(&owner.public().unwrap(), &at())
        .unwrap();
    assert_eq!(envelope.len(), DROP_BOX_LEN);
    assert_eq!(
        VersionKeys::open_drop_box(&owner, &at(), &envelope),
        Ok(keys())
    );
    let refused = Err(OpenError::Envelope);
    assert_eq!(
        VersionKeys::open_drop_box(&seed("other"), &at(), &envelope),
        refused
    );
    let here = at();
    for (name, at) in [
        (
            "record",
            VersionScope {
                record: OTHER_RECORD,
                ..here
            },
        ),
        ("version", VersionScope { version: 4, ..here }),
        (
            "author",
            VersionScope {
                author: LINK,
                ..here
            },
        ),
        (
            "account",
            VersionScope {
                scope: other_account(),
                ..here
            },
        ),
        (
            "vault",
            VersionScope {
                scope: other_vault(),
                ..here
            },
        ),
    ] {
        assert_eq!(
            VersionKeys::open_drop_box(&owner, &at, &envelope),
            refused,
            "{name}"
        );
    }
}

#[test]
fn a_drop_box_envelope_of_the_wrong_length_is_refused() {
    let owner = seed("owner");
    let public = owner.public().unwrap();
    for len in [0, 31, 32, 63, 65, 96] {
        let body = hazmat::hpke::seal(
            public.as_bytes(),
            context::drop_box(&at()).as_bytes(),
            &stream("short", len),
            &bytes("r"),
        );
        let envelope = [&[0, 1], body.unwrap().as_slice()].concat();
        let opened = VersionKeys::open_drop_box(&owner, &at(), &envelope);
        assert_eq!(opened, Err(OpenError::Malformed), "{len}");
    }
}
