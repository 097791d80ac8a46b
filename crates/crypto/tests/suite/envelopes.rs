//! What travels inside the envelopes of grants and requests.

use crate::fixture::*;
use salus_crypto::envelope::*;
use salus_crypto::{Context, OpenError, SealError, VaultScope, context, hpke, pad};
use salus_types::{AccountId, GrantId, Hash, RequestId, limits};

pub(crate) fn grant() -> GrantContents {
    GrantContents {
        purpose: "second opinion".into(),
        purpose_salt: bytes("purpose salt"),
        owner_name: Some("Ada".into()),
        compartments: vec![GrantedCompartment {
            compartment: COMPARTMENT,
            name: "Blood".into(),
            epochs: vec![
                GrantedEpoch {
                    epoch: 1,
                    key: key("epoch 1"),
                },
                GrantedEpoch {
                    epoch: 2,
                    key: key("epoch 2"),
                },
            ],
        }],
        records: vec![GrantedRecord {
            record: RECORD,
            version: 3,
            descriptor: key("descriptor"),
            content: key("content"),
        }],
    }
}

pub(crate) fn request() -> RequestContents {
    RequestContents {
        purpose: "check-up".into(),
        purpose_salt: bytes("request salt"),
        requester_name: "Dr. Grace".into(),
        specialty: Some("cardiology".into()),
        message: None,
        invitation_code: Some(vec![1, 2, 3]),
        wish: RequestWish::Categories(vec!["laboratory".into()]),
        rights: 1,
        duration_s: 30 * 86_400,
    }
}

fn reseal(seed: &hpke::SecretSeed, context: &Context, text: &[u8]) -> Vec<u8> {
    hpke::seal_to(&seed.public().unwrap(), context, text).unwrap()
}

#[test]
fn a_grant_opens_for_its_grantee() {
    let grantee = seed("grantee");
    let envelope = grant()
        .seal(&grantee.public().unwrap(), scope(), GRANT, 1, GRANTEE, LINK)
        .unwrap();
    let opened = GrantContents::open(&grantee, scope(), GRANT, 1, GRANTEE, LINK, &envelope);
    let opened = opened.unwrap();
    assert_eq!(opened, grant());
    let epoch = opened.compartments[0].epoch_key(2).unwrap();
    assert_eq!(
        (epoch.compartment, epoch.epoch, epoch.key),
        (COMPARTMENT, 2, key("epoch 2"))
    );
    assert!(opened.compartments[0].epoch_key(3).is_none());
    assert_eq!(opened.records[0].keys().content, key("content"));
}

#[test]
fn a_grant_of_another_id_revision_grantee_link_account_or_vault_is_refused() {
    let grantee = seed("grantee");
    let public = grantee.public().unwrap();
    let envelope = grant()
        .seal(&public, scope(), GRANT, 1, GRANTEE, LINK)
        .unwrap();
    let open = |scope: VaultScope<'_>, grant, revision, who, link| {
        GrantContents::open(&grantee, scope, grant, revision, who, link, &envelope).err()
    };
    let refused = Some(OpenError::Envelope);
    let stranger = AccountId([9; 16]);
    assert_eq!(
        open(scope(), GrantId([9; 16]), 1, GRANTEE, LINK),
        refused,
        "id"
    );
    assert_eq!(open(scope(), GRANT, 2, GRANTEE, LINK), refused, "revision");
    assert_eq!(open(scope(), GRANT, 1, stranger, LINK), refused, "grantee");
    assert_eq!(
        open(scope(), GRANT, 1, GRANTEE, Hash([9; 32])),
        refused,
        "link"
    );
    assert_eq!(
        open(other_account(), GRANT, 1, GRANTEE, LINK),
        refused,
        "account"
    );
    assert_eq!(
        open(other_vault(), GRANT, 1, GRANTEE, LINK),
        refused,
        "vault"
    );
}

#[test]
fn a_request_opens_for_the_patient() {
    let patient = seed("patient");
    let envelope = request()
        .seal(&patient.public().unwrap(), scope(), REQUEST, GRANTEE, LINK)
        .unwrap();
    let opened = RequestContents::open(&patient, scope(), REQUEST, GRANTEE, LINK, &envelope);
    assert_eq!(opened, Ok(request()));
    let bare = RequestContents {
        specialty: None,
        message: Some("hello".into()),
        invitation_code: None,
        wish: RequestWish::Records(vec![RECORD]),
        ..request()
    };
    let other = bare
        .seal(&patient.public().unwrap(), scope(), REQUEST, GRANTEE, LINK)
        .unwrap();
    let opened = RequestContents::open(&patient, scope(), REQUEST, GRANTEE, LINK, &other);
    assert_eq!(opened, Ok(bare));
    assert_eq!(
        other.len(),
        envelope.len(),
        "short requests have one length"
    );
}

#[test]
fn a_request_of_another_id_requester_key_account_or_vault_is_refused() {
    let patient = seed("patient");
    let public = patient.public().unwrap();
    let envelope = request()
        .seal(&public, scope(), REQUEST, GRANTEE, LINK)
        .unwrap();
    let open = |scope: VaultScope<'_>, request, who, genesis| {
        RequestContents::open(&patient, scope, request, who, genesis, &envelope).err()
    };
    let refused = Some(OpenError::Envelope);
    assert_eq!(
        open(scope(), RequestId([9; 16]), GRANTEE, LINK),
        refused,
        "id"
    );
    assert_eq!(
        open(scope(), REQUEST, AccountId([9; 16]), LINK),
        refused,
        "requester"
    );
    assert_eq!(open(scope(), REQUEST, GRANTEE, AUTHOR), refused, "key");
    assert_eq!(
        open(other_account(), REQUEST, GRANTEE, LINK),
        refused,
        "account"
    );
    assert_eq!(
        open(other_vault(), REQUEST, GRANTEE, LINK),
        refused,
        "vault"
    );
}

#[test]
fn contents_that_are_malformed_or_unpadded_are_refused() {
    let patient = seed("patient");
    let context = context::request_envelope(scope(), REQUEST, GRANTEE, LINK);
    let open = |envelope: &[u8]| {
        RequestContents::open(&patient, scope(), REQUEST, GRANTEE, LINK, envelope).err()
    };
    let good = request()
        .seal(&patient.public().unwrap(), scope(), REQUEST, GRANTEE, LINK)
        .unwrap();
    let padded = hpke::open_with(&patient, &context, &good).unwrap();
    let text = pad::unpad(&padded).unwrap();
    assert_eq!(
        open(&reseal(&patient, &context, text)),
        Some(OpenError::Padding)
    );
    let trailing = pad::pad(&[text, &[0]].concat());
    assert_eq!(
        open(&reseal(&patient, &context, &trailing)),
        Some(OpenError::Malformed)
    );
    // An absent option written as null: the same value, another encoding.
    let null = pad::pad(&[&[text[0] + 1], &text[1..], &[0x04, 0xf6]].concat());
    assert_eq!(
        open(&reseal(&patient, &context, &null)),
        Some(OpenError::Malformed)
    );
    let empty = pad::pad(&[]);
    assert_eq!(
        open(&reseal(&patient, &context, &empty)),
        Some(OpenError::Malformed)
    );
}

#[test]
fn a_grants_key_of_the_wrong_length_is_refused() {
    let grantee = seed("grantee");
    let context = context::grant_envelope(scope(), GRANT, 1, GRANTEE, LINK);
    let envelope = grant()
        .seal(&grantee.public().unwrap(), scope(), GRANT, 1, GRANTEE, LINK)
        .unwrap();
    let padded = hpke::open_with(&grantee, &context, &envelope).unwrap();
    let text = pad::unpad(&padded).unwrap();
    // The last field is the content key: 58 20 and 32 bytes. Make it 31 long.
    let mut short = text[..text.len() - 1].to_vec();
    let at = short.len() - 32;
    assert_eq!(short[at], 0x20);
    short[at] = 0x1f;
    let envelope = reseal(&grantee, &context, &pad::pad(&short));
    let opened = GrantContents::open(&grantee, scope(), GRANT, 1, GRANTEE, LINK, &envelope);
    assert_eq!(opened, Err(OpenError::Malformed));
}

#[test]
fn contents_too_long_for_the_vault_are_refused_with_their_size() {
    let patient = seed("patient").public().unwrap();
    let mut long = request();
    long.message = Some("x".repeat(16_000));
    let error = long.seal(&patient, scope(), REQUEST, GRANTEE, LINK);
    let limit = limits::ENVELOPE_BYTES;
    assert!(matches!(error, Err(SealError::TooLarge { limit: l, .. }) if l == limit));
    let mut wide = grant();
    wide.records = vec![wide.records[0].clone(); 3_000];
    let error = wide.seal(&patient, scope(), GRANT, 1, GRANTEE, LINK);
    let limit = limits::GRANT_ENVELOPE_BYTES;
    assert!(matches!(error, Err(SealError::TooLarge { limit: l, .. }) if l == limit));
}

#[test]
fn every_compartment_with_many_epochs_fits_one_grant() {
    let patient = seed("patient").public().unwrap();
    let mut wide = grant();
    wide.records.clear();
    wide.compartments = vec![wide.compartments[0].clone(); limits::COMPARTMENTS as usize];
    for compartment in &mut wide.compartments {
        compartment.epochs = (1..=60)
            .map(|epoch| GrantedEpoch {
                epoch,
                key: key("e"),
            })
            .collect();
    }
    let envelope = wide
        .seal(&patient, scope(), GRANT, 1, GRANTEE, LINK)
        .unwrap();
    assert!(envelope.len() as u64 <= limits::GRANT_ENVELOPE_BYTES);
}
