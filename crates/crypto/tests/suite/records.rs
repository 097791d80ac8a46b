//! Descriptors, parts, commitments.

use crate::fixture::*;
use salus_crypto::commitment::{commit_plaintext, commit_purpose, sha256};
use salus_crypto::record::*;
use salus_crypto::{OpenError, SealError, VersionScope, context, pad, seal};
use salus_types::{Hash, RecordId};

const WRONG: OpenError = OpenError::WrongKeyOrContext;

pub(crate) fn descriptor() -> Descriptor {
    Descriptor {
        title: "Blood count".into(),
        coding: Some(Coding {
            system: "http://loinc.org".into(),
            code: "58410-2".into(),
            display: Some("CBC panel".into()),
        }),
        category: Some("laboratory".into()),
        clinical_date: Some("2026-03-04".into()),
        parts: vec![DescriptorPart {
            name: "result.json".into(),
            media_type: "application/fhir+json".into(),
            len: 1_234,
        }],
        commitment_salt: bytes("commitment salt"),
        source: None,
    }
}

fn elsewhere() -> Vec<(&'static str, VersionScope<'static>)> {
    let here = at();
    vec![
        (
            "record",
            VersionScope {
                record: RecordId([1; 16]),
                ..here
            },
        ),
        ("version", VersionScope { version: 2, ..here }),
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
    ]
}

#[test]
fn a_descriptor_comes_back() {
    let sealed = descriptor().seal(&key("d"), &at()).unwrap();
    assert_eq!(
        Descriptor::open(&key("d"), &at(), &sealed),
        Ok(descriptor())
    );
    let bare = Descriptor {
        coding: None,
        category: None,
        clinical_date: None,
        parts: vec![],
        source: Some("clinic".into()),
        ..descriptor()
    };
    let other = bare.seal(&key("d"), &at()).unwrap();
    assert_eq!(Descriptor::open(&key("d"), &at(), &other), Ok(bare));
    assert_eq!(
        other.len(),
        sealed.len(),
        "short descriptors have one length"
    );
}

#[test]
fn a_descriptor_of_another_record_version_author_account_or_vault_is_refused() {
    let sealed = descriptor().seal(&key("d"), &at()).unwrap();
    for (name, at) in elsewhere() {
        assert_eq!(
            Descriptor::open(&key("d"), &at, &sealed),
            Err(WRONG),
            "{name}"
        );
    }
    assert_eq!(
        Descriptor::open(&key("c"), &at(), &sealed),
        Err(WRONG),
        "content key"
    );
}

#[test]
fn the_longest_descriptor_fits_and_a_longer_one_is_refused_with_its_size() {
    let with_title = |len: usize| Descriptor {
        title: "t".repeat(len),
        ..descriptor()
    };
    let longest = (7_000..8_000)
        .rev()
        .find_map(|len| with_title(len).seal(&key("d"), &at()).ok())
        .unwrap();
    assert!(
        longest.len() as u64 <= SEALED_DESCRIPTOR_LIMIT,
        "{}",
        longest.len()
    );
    let error = with_title(20_000).seal(&key("d"), &at()).unwrap_err();
    assert!(matches!(
        error,
        SealError::TooLarge {
            size: 20_000..,
            limit: DESCRIPTOR_LIMIT
        }
    ));
}

#[test]
fn a_descriptor_that_is_not_canonical_is_refused() {
    let context = context::descriptor(&at());
    let sealed = descriptor().seal(&key("d"), &at()).unwrap();
    let padded = seal::open(&key("d"), &context, &sealed).unwrap();
    let good = pad::unpad(&padded).unwrap();
    let reseal = |text: &[u8]| {
        let sealed = seal::seal(&key("d"), &context, &pad::pad(text)).unwrap();
        Descriptor::open(&key("d"), &at(), &sealed)
    };
    assert_eq!(reseal(good), Ok(descriptor()));
    let trailing = [good, &[0xf6]].concat();
    let unknown_field = [&[good[0] + 1], &good[1..], &[0x18, 0x63, 0x00]].concat();
    for (name, text) in [("trailing", trailing), ("unknown field", unknown_field)] {
        assert_eq!(reseal(&text), Err(OpenError::Malformed), "{name}");
    }
    let unpadded = seal::seal(&key("d"), &context, good).unwrap();
    assert_eq!(
        Descriptor::open(&key("d"), &at(), &unpadded),
        Err(OpenError::Padding)
    );
}

fn streamed(sealed: &[u8], piece: usize) -> Result<(Vec<u8>, Hash), OpenError> {
    let mut opener = PartOpener::new(&key("c"), &at(), 1);
    let mut out = Vec::new();
    for piece in sealed.chunks(piece) {
        out.extend_from_slice(&opener.update(piece)?);
    }
    let (last, hash) = opener.finish()?;
    out.extend_from_slice(&last);
    Ok((out, hash))
}

#[test]
fn a_part_comes_back_whole_and_in_pieces() {
    for len in [0, 1, 1_016, 16_376, 16_377, 100_000, 1_100_000] {
        let text = stream("part", len);
        let SealedPart { sealed, plaintext } = seal_part(&key("c"), &at(), 1, &text).unwrap();
        assert_eq!(sealed.len() as u64, sealed_part_len(len as u64));
        assert_eq!(plaintext, sha256(&text));
        let opened = open_part(&key("c"), &at(), 1, &sealed).unwrap();
        assert!(opened.bytes[..] == text && opened.plaintext == plaintext);
        for piece in [55, 1_000, 1 << 20] {
            assert!(
                streamed(&sealed, piece).unwrap() == (text.clone(), plaintext),
                "{len}"
            );
        }
    }
}

#[test]
fn a_part_of_another_place_record_version_author_account_or_vault_is_refused() {
    let sealed = seal_part(&key("c"), &at(), 1, b"text").unwrap().sealed;
    let refused = |at: &VersionScope<'_>, part| open_part(&key("c"), at, part, &sealed).err();
    assert_eq!(refused(&at(), 0), Some(WRONG), "attachments exchanged");
    assert_eq!(refused(&at(), 2), Some(WRONG), "attachments exchanged");
    for (name, at) in elsewhere() {
        assert_eq!(refused(&at, 1), Some(WRONG), "{name}");
        let mut opener = PartOpener::new(&key("c"), &at, 1);
        assert_eq!(opener.update(&sealed), Err(WRONG), "{name}");
    }
}

#[test]
fn a_cut_part_is_refused_at_the_end_at_the_latest() {
    let sealed = seal_part(&key("c"), &at(), 1, &stream("part", 40_000))
        .unwrap()
        .sealed;
    for cut in [0, 10, 55, 56, 72, 16_456, 16_457, 32_856, sealed.len() - 1] {
        assert!(streamed(&sealed[..cut], 5_000).is_err(), "{cut}");
        assert!(
            open_part(&key("c"), &at(), 1, &sealed[..cut]).is_err(),
            "{cut}"
        );
    }
}

#[test]
fn a_part_with_wrong_padding_is_refused() {
    let context = context::content(&at(), 1);
    let mut padded = pad::pad(b"text").to_vec();
    padded[500] = 1;
    for text in [padded.as_slice(), b"text", &[]] {
        let sealed = seal::seal(&key("c"), &context, text).unwrap();
        assert_eq!(
            open_part(&key("c"), &at(), 1, &sealed).err(),
            Some(OpenError::Padding)
        );
        assert_eq!(streamed(&sealed, 100), Err(OpenError::Padding));
    }
}

fn resumable(text: &[u8], announced: Hash, piece: usize) -> Result<Vec<u8>, SealError> {
    let mut sealer =
        PartSealer::resumable(&key("c"), &at(), 1, text.len() as u64, announced).unwrap();
    let mut out = Vec::new();
    for piece in text.chunks(piece) {
        out.extend(sealer.update(piece)?);
    }
    out.extend(sealer.finish()?.0);
    Ok(out)
}

#[test]
fn a_resumed_upload_has_the_same_bytes() {
    let text = stream("part", 50_000);
    let first = resumable(&text, sha256(&text), 50_000).unwrap();
    assert!(resumable(&text, sha256(&text), 999).unwrap() == first);
    assert!(open_part(&key("c"), &at(), 1, &first).unwrap().bytes[..] == text);
}

#[test]
fn a_changed_file_never_shares_a_salt_with_the_first_attempt() {
    let text = stream("part", 50_000);
    let other = flipped(&text, 77);
    let (one, two) = (
        resumable(&text, sha256(&text), 50_000).unwrap(),
        resumable(&other, sha256(&other), 50_000).unwrap(),
    );
    assert_ne!(one[..24], two[..24]);
    assert_eq!(
        resumable(&other, sha256(&text), 50_000),
        Err(SealError::Changed)
    );
}

#[test]
fn a_part_longer_or_shorter_than_announced_is_refused() {
    let mut sealer = PartSealer::new(&key("c"), &at(), 1, 10).unwrap();
    assert_eq!(sealer.update(&[0; 11]), Err(SealError::WrongLength));
    let mut sealer = PartSealer::new(&key("c"), &at(), 1, 10).unwrap();
    sealer.update(&[0; 9]).unwrap();
    assert_eq!(sealer.finish().err(), Some(SealError::WrongLength));
}

#[test]
fn parts_of_like_length_are_not_told_apart() {
    let lengths: std::collections::HashSet<_> = (60_000..61_000u64).map(sealed_part_len).collect();
    assert!(lengths.len() <= 2);
}

#[test]
fn a_commitment_opens_with_exactly_what_went_in() {
    let parts = [sha256(b"one"), sha256(b"two")];
    let committed = descriptor().commit(&parts);
    assert_eq!(committed, descriptor().commit(&parts));
    let salted = Descriptor {
        commitment_salt: [0; 32],
        ..descriptor()
    };
    let titled = Descriptor {
        title: "Other".into(),
        ..descriptor()
    };
    for other in [
        salted.commit(&parts),
        titled.commit(&parts),
        descriptor().commit(&parts[..1]),
        descriptor().commit(&[parts[1], parts[0]]),
        descriptor().commit(&[]),
        commit_plaintext(&descriptor().commitment_salt, parts[0], &parts),
    ] {
        assert_ne!(other, committed);
    }
}

#[test]
fn a_purpose_is_hidden_by_its_salt_and_bound_to_its_words() {
    let salt = bytes("purpose salt");
    let committed = commit_purpose(&salt, "second opinion");
    assert_ne!(committed, commit_purpose(&bytes("other"), "second opinion"));
    assert_ne!(committed, commit_purpose(&salt, "second opinio"));
    let mut encoded = vec![0, 0, 0, 16];
    encoded.extend(b"salus/v1/purpose");
    encoded.extend([0, 0, 0, 32]);
    encoded.extend(salt);
    encoded.extend([0, 0, 0, 14]);
    encoded.extend(b"second opinion");
    assert_eq!(committed, sha256(&encoded));
}

#[test]
fn the_longest_part_fits_the_vaults_limit_and_a_longer_one_is_refused() {
    let limit = salus_types::limits::PART_BYTES;
    assert!(sealed_part_len(PART_LIMIT) <= limit);
    assert!(sealed_part_len(PART_LIMIT + 1) > limit);
    assert!(PartSealer::new(&key("c"), &at(), 1, PART_LIMIT).is_ok());
    let (size, limit) = (PART_LIMIT + 1, PART_LIMIT);
    for len in [size, u64::MAX] {
        let error = PartSealer::new(&key("c"), &at(), 1, len).err();
        assert_eq!(error, Some(SealError::TooLarge { size: len, limit }));
    }
}
