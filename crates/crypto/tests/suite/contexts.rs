//! Contexts are injective, and their labels unique.

use crate::fixture::*;
use salus_crypto::context::{self, Kind};
use salus_crypto::{Context, VersionScope};
use salus_protocol::ledger::{PasskeyParameters, PassphraseParameters, SecondSecretKind};
use salus_protocol::statement::Statement;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId, UploadId};
use std::collections::{HashMap, HashSet};

/// Every constructor with ids as alike as can be, and again with each of its fields changed.
pub(crate) fn all() -> Vec<(String, Context)> {
    let same = [7u8; 16];
    let (a, b) = (same, [8u8; 16]);
    let (h, g) = (Hash([7; 32]), Hash([8; 32]));
    let scopes = [scope(), other_vault(), other_account()];
    let mut out: Vec<(String, Context)> = Vec::new();
    let mut add = |name: &str, context: Context| {
        out.push((format!("{name} {}", context.as_bytes().len()), context));
    };
    add("recovery_signing", context::recovery_signing(VAULT));
    add(
        "recovery_signing vault",
        context::recovery_signing(OTHER_VAULT),
    );
    for (i, s) in scopes.into_iter().enumerate() {
        // Fields vary in the first scope only; the others vary the scope.
        let ids = if i == 0 { vec![a, b] } else { vec![a] };
        let numbers = if i == 0 { vec![1u32, 2, 256] } else { vec![1] };
        let hashes = if i == 0 { vec![h, g] } else { vec![h] };
        for &x in &ids {
            add("browser_slot", context::browser_slot(s, SlotId(x)));
            add("slot_anchor", context::slot_anchor(s, SlotId(x)));
            add("upload_journal", context::upload_journal(s, UploadId(x)));
            add("sealed_cache", context::sealed_cache(s, &x));
            add(
                "passphrase_device",
                context::passphrase_device(s, SlotId(x)),
            );
            for credential in [&x[..], &x[..15]] {
                for salt in [[7; 32], [8; 32]] {
                    let credential = credential.to_vec();
                    let parameters = PasskeyParameters { credential, salt };
                    let context = context::passkey_slot(s, SlotId(x), &parameters);
                    add("passkey_slot", context);
                }
            }
            for tag in [b"file".as_slice(), b"browser", b"recovery"] {
                add("slot_seed", context::slot_seed(s, SlotId(x), tag));
                add(
                    "slot_anchor_key",
                    context::slot_anchor_key(s, SlotId(x), tag),
                );
            }
            for &memory_kib in &numbers {
                for &passes in &numbers {
                    for second in [SecondSecretKind::Sheet, SecondSecretKind::Device] {
                        for salt in [[7; 32], [8; 32]] {
                            let parameters = PassphraseParameters {
                                memory_kib,
                                passes,
                                salt,
                                second,
                            };
                            let context = context::passphrase_slot(s, SlotId(x), &parameters);
                            add("passphrase_slot", context);
                        }
                    }
                }
            }
            for &n in &numbers {
                add("slot_wrap", context::slot_wrap(s, SlotId(x), n));
                add("slot_label", context::slot_label(s, SlotId(x), n));
                add(
                    "compartment_name",
                    context::compartment_name(s, CompartmentId(x), n),
                );
                add("owner_note", context::owner_note(s, GrantId(x), n));
                add("epoch_kid", context::epoch_kid(s, CompartmentId(x), n));
                add("descriptor_kid", context::descriptor_kid(s, RecordId(x), n));
                add("content_kid", context::content_kid(s, RecordId(x), n));
                for &m in &numbers {
                    add("epoch_wrap", context::epoch_wrap(s, CompartmentId(x), n, m));
                    for &y in &ids {
                        let (r, c) = (RecordId(x), CompartmentId(y));
                        add(
                            "descriptor_key_wrap",
                            context::descriptor_key_wrap(s, r, n, c, m),
                        );
                        add("content_key_wrap", context::content_key_wrap(s, r, n, c, m));
                    }
                }
                for &author in &hashes {
                    let at = VersionScope {
                        scope: s,
                        record: RecordId(x),
                        version: n,
                        author,
                    };
                    add("descriptor", context::descriptor(&at));
                    add("drop_box", context::drop_box(&at));
                    for &part in &numbers {
                        add("content", context::content(&at, part));
                        for &plaintext in &hashes {
                            for len in [1u64, 2] {
                                let salt = context::content_salt(&at, part, plaintext, len);
                                add("content_salt", salt);
                            }
                        }
                    }
                    for &y in &ids {
                        let (grant, who) = (GrantId(x), AccountId(y));
                        add(
                            "grant_envelope",
                            context::grant_envelope(s, grant, n, who, author),
                        );
                    }
                }
            }
            for &y in &ids {
                for &genesis in &hashes {
                    let (request, who) = (RequestId(x), AccountId(y));
                    add(
                        "request_envelope",
                        context::request_envelope(s, request, who, genesis),
                    );
                }
            }
        }
        for &n in &numbers {
            add("bundle", context::bundle(s, n));
            add("profile_note", context::profile_note(s, n));
            add("local_key", context::local_key(s, n));
        }
    }
    out
}

fn fields(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<4>() {
        let (field, rest) = rest.split_at(u32::from_be_bytes(*len) as usize);
        out.push(field.to_vec());
        bytes = rest;
    }
    assert!(bytes.is_empty());
    out
}

#[test]
fn labels_are_distinct_and_versioned() {
    let labels: HashSet<_> = Kind::ALL.iter().map(|kind| kind.label()).collect();
    assert_eq!(labels.len(), Kind::ALL.len());
    assert!(labels.iter().all(|label| label.starts_with("salus/v1/")));
}

#[test]
fn labels_are_not_those_of_signed_statements() {
    let signed = [
        salus_protocol::version::Version::LABEL,
        salus_protocol::version::Adoption::LABEL,
        salus_protocol::grant::Grant::LABEL,
        salus_protocol::keychain::POSSESSION_LABEL,
    ];
    for kind in Kind::ALL {
        assert!(!signed.contains(&kind.label()), "{}", kind.label());
    }
}

#[test]
fn no_two_contexts_are_equal() {
    let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
    let all = all();
    assert!(all.len() > 300);
    for (name, context) in all {
        if let Some(before) = seen.insert(context.as_bytes().to_vec(), name.clone()) {
            panic!("{name} equals {before}");
        }
    }
}

#[test]
fn a_context_is_length_prefixed_fields_led_by_label_vault_and_account() {
    for (name, context) in all() {
        let fields = fields(context.as_bytes());
        let label = String::from_utf8(fields[0].clone()).unwrap();
        assert!(Kind::ALL.iter().any(|kind| kind.label() == label), "{name}");
        assert!(fields[1] == VAULT || fields[1] == OTHER_VAULT, "{name}");
        assert!(
            fields[2].len() == 16 || name.starts_with("recovery_signing"),
            "{name}"
        );
    }
}

#[test]
fn every_kind_that_is_a_context_is_tried_here() {
    let used: HashSet<Vec<u8>> = all()
        .iter()
        .map(|(_, context)| fields(context.as_bytes())[0].clone())
        .collect();
    for kind in Kind::ALL {
        // Hash labels, tried in `records`, `envelopes` and `passphrases`.
        if matches!(kind, Kind::Purpose | Kind::Plaintext | Kind::SheetKey) {
            continue;
        }
        assert!(used.contains(kind.label().as_bytes()), "{}", kind.label());
    }
}
