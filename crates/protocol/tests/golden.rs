//! Every statement's bytes, hash and signature as they were first published. These files are never
//! edited: a format that changes gets a new label and a new file.
//!
//! `SALUS_WRITE_GOLDEN=1 cargo test -p salus-protocol --test golden` writes a file that is not there.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::*;
use salus_protocol::canonical;
use salus_protocol::chain::*;
use salus_protocol::grant::{Grant, READ, Scope, VersionRef};
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::*;
use salus_protocol::pairing::{Answer, Offer, PairingCode, Transcript};
use salus_protocol::safety::{Party, SafetyCode, number};
use salus_protocol::statement::{Statement, hash_of, sha256, verify};
use salus_protocol::version::part_root;
use salus_types::{CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId};
use serde_json::{Value, json};
use std::path::PathBuf;

fn one<T: Statement + PartialEq + std::fmt::Debug>(name: &str, value: &T, seed: u8) -> Value {
    let signed = sign(value, seed);
    assert_eq!(
        &verify::<T>(&signed, VAULT, &public(seed)).expect("own golden statement verifies"),
        value
    );
    json!({
        "name": name,
        "label": T::LABEL,
        "statement": hex::encode(&signed.statement),
        "hash": hash_of::<T>(&signed.statement).to_string(),
        "signing_seed": hex::encode([seed; 32]),
        "signature": hex::encode(&signed.signature),
    })
}

fn all() -> Value {
    let first = genesis(1, 2);
    let changes: Vec<(&str, Change)> = vec![
        ("open", opening()),
        (
            "add-slot",
            Change::AddSlot {
                slot: slot(3, SlotKind::File),
            },
        ),
        (
            "rekey",
            Change::Rekey {
                generation: 2,
                removed: vec![SlotId([2; 16])],
                slots: vec![SlotWrap {
                    slot: SlotId([1; 16]),
                    wrap: vec![1; 40],
                }],
                bundle: vec![7; 30],
                compartments: vec![CompartmentRewrap {
                    compartment: CompartmentId([1; 16]),
                    name: vec![1; 10],
                    wraps: vec![Wrap(vec![2; 10])],
                }],
            },
        ),
        (
            "add-compartment",
            Change::AddCompartment {
                compartment: compartment(3),
                reissues: vec![entry(1, 2)],
            },
        ),
        (
            "rename-compartment",
            Change::RenameCompartment {
                compartment: CompartmentId([1; 16]),
                name: vec![1; 9],
            },
        ),
        ("grant", granting(1)),
        (
            "reissue",
            Change::Reissue {
                reissues: vec![entry(1, 2)],
            },
        ),
        (
            "revoke",
            Change::Revoke {
                grant: GrantId([1; 16]),
                epochs: vec![EpochAdvance {
                    compartment: CompartmentId([1; 16]),
                    epoch: 2,
                    kid: Hash([1; 32]),
                    wrap: vec![1; 10],
                }],
                reissues: vec![],
            },
        ),
        (
            "deny",
            Change::Deny {
                request: RequestId([1; 16]),
            },
        ),
        (
            "rotate",
            Change::Rotate {
                link: Hash([1; 32]),
                bundle: vec![1; 10],
            },
        ),
        (
            "checkpoint",
            Change::Checkpoint {
                state: Hash([1; 32]),
            },
        ),
    ];
    let mut out = vec![
        one("genesis", &first, 2),
        one(
            "rotation by identity",
            &next(&first, 3, Authority::Identity),
            1,
        ),
    ];
    for (name, change) in changes {
        out.push(one(
            &format!("ledger {name}"),
            &op(1, Some(Hash([8; 32])), Hash([9; 32]), change),
            1,
        ));
    }
    let record = VersionRef {
        record: RecordId([1; 16]),
        version: 2,
    };
    for (name, scope) in [
        ("everything", Scope::Everything),
        (
            "compartments",
            Scope::Compartments(vec![CompartmentId([1; 16])]),
        ),
        ("records", Scope::Records(vec![record])),
    ] {
        out.push(one(&format!("grant over {name}"), &grant(scope, READ), 1));
    }
    out.push(one("version in the drop box", &version(), 1));
    out.push(one("adoption", &adoption(), 1));
    out.push(one("request", &request(), 1));
    out.push(one("invitation", &invitation(), 1));
    out.push(one("directory entry", &directory_entry(), 1));
    out.push(one("claim", &claim(), 2));
    out.push(one("disclaim", &disclaim(), 1));

    let feed = FeedEntry {
        seq: 0,
        at: 1,
        event: FeedEvent::Added,
        record: RecordId([1; 16]),
        version: 1,
        statement: Hash([2; 32]),
    };
    let audit = AuditEntry {
        seq: 0,
        at: 1,
        event: AuditEvent::Opened,
        actor: Some(pseudonym(&[1; 32], &account(2))),
        other: None,
        grant: Some(GrantId([1; 16])),
        request: None,
        compartment: None,
        record: Some(RecordId([1; 16])),
        version: Some(1),
        slot: None,
        count: None,
        subject: Some(listing_hash([(RecordId([1; 16]), 1)])),
    };
    let (feed, audit) = (canonical::encode(&feed), canonical::encode(&audit));
    json!({
        "statements": out,
        "part_root": {
            "size": 1_048_577,
            "pieces": [Hash([1; 32]).to_string(), Hash([2; 32]).to_string()],
            "root": part_root(1_048_577, &[Hash([1; 32]), Hash([2; 32])]).to_string(),
        },
        "feed": { "entry": hex::encode(&feed),
                  "head": extend(FEED_LABEL, &EMPTY, &entry_hash(&feed)).hash.to_string() },
        "audit": { "entry": hex::encode(&audit),
                   "head": extend(AUDIT_LABEL, &EMPTY, &entry_hash(&audit)).hash.to_string() },
    })
}

/// What came to be after `v1.json` was published: additions that leave all of it as it is.
fn added() -> Value {
    let record = VersionRef {
        record: RecordId([1; 16]),
        version: 2,
    };
    let follows = Grant {
        follows: Some(true),
        ..grant(Scope::Records(vec![record]), READ)
    };
    json!({ "statements": [one("grant that follows records", &follows, 1)] })
}

/// What came with rotating everything.
fn rotating() -> Value {
    let advance = Change::Advance {
        epochs: vec![EpochAdvance {
            compartment: CompartmentId([1; 16]),
            epoch: 2,
            kid: Hash([1; 32]),
            wrap: vec![1; 10],
        }],
        reissues: vec![entry(1, 2)],
    };
    let refiled = AuditEntry {
        seq: 0,
        at: 1,
        event: AuditEvent::Refiled,
        actor: Some(pseudonym(&[1; 32], &account(2))),
        other: None,
        grant: None,
        request: None,
        compartment: None,
        record: None,
        version: None,
        slot: None,
        count: Some(1),
        subject: Some(listing_hash([(RecordId([1; 16]), 1)])),
    };
    let advanced = AuditEntry {
        event: AuditEvent::EpochsAdvanced,
        subject: None,
        ..refiled.clone()
    };
    json!({
        "statements": [one(
            "ledger advance",
            &op(1, Some(Hash([8; 32])), Hash([9; 32]), advance),
            1,
        )],
        "audit": {
            "refiled": hex::encode(canonical::encode(&refiled)),
            "epochs advanced": hex::encode(canonical::encode(&advanced)),
        },
    })
}

/// What came with passkeys and passphrases.
fn unlocking() -> Value {
    let add = |name, n, kind, parameters| {
        let slot = Slot {
            parameters: Some(parameters),
            ..slot(n, kind)
        };
        let op = op(
            1,
            Some(Hash([8; 32])),
            Hash([9; 32]),
            Change::AddSlot { slot },
        );
        one(name, &op, 1)
    };
    let passphrase = |second| {
        SlotParameters::Passphrase(PassphraseParameters {
            memory_kib: 65_536,
            passes: 3,
            salt: [3; 32],
            second,
        })
    };
    let passkey = SlotParameters::Passkey(PasskeyParameters {
        credential: vec![1; 20],
        salt: [2; 32],
    });
    json!({
        "statements": [
            add("ledger add-slot, passkey", 3, SlotKind::Passkey, passkey),
            add(
                "ledger add-slot, passphrase and sheet",
                4,
                SlotKind::Passphrase,
                passphrase(SecondSecretKind::Sheet),
            ),
            add(
                "ledger add-slot, passphrase and device",
                5,
                SlotKind::Passphrase,
                passphrase(SecondSecretKind::Device),
            ),
        ],
    })
}

/// What came with noting when slots were used.
fn used() -> Value {
    let unlocked = AuditEntry {
        seq: 0,
        at: 1,
        event: AuditEvent::Unlocked,
        actor: Some(pseudonym(&[1; 32], &account(2))),
        other: None,
        grant: None,
        request: None,
        compartment: None,
        record: None,
        version: None,
        slot: Some(SlotId([3; 16])),
        count: None,
        subject: None,
    };
    json!({ "audit": { "unlocked": hex::encode(canonical::encode(&unlocked)) } })
}

/// What two people compare.
fn comparing() -> Value {
    let party = |n: u8| Party {
        account: account(n),
        genesis: Hash([n; 32]),
    };
    let code = SafetyCode {
        vault: VAULT.to_vec(),
        by: party(1),
        of: party(2),
    };
    json!({
        "number": {
            "one": party(1).genesis.to_string(),
            "other": party(2).genesis.to_string(),
            "digits": number(&party(1).genesis, &party(2).genesis),
        },
        "code": hex::encode(code.to_bytes()),
    })
}

/// What came with recording whose keys were compared.
fn pinning() -> Value {
    let pin = Pin {
        account: account(2),
        genesis: Hash([3; 32]),
        link: Hash([4; 32]),
        by: Some(PinnedBy::Digits),
    };
    let accepted = Pin {
        by: Some(PinnedBy::Acceptance),
        ..pin.clone()
    };
    let entry = AuditEntry {
        seq: 0,
        at: 1,
        event: AuditEvent::Pinned,
        actor: Some(pseudonym(&[1; 32], &account(1))),
        other: Some(pseudonym(&[2; 32], &account(2))),
        grant: None,
        request: None,
        compartment: None,
        record: None,
        version: None,
        slot: None,
        count: None,
        subject: None,
    };
    let state = LedgerState {
        pins: [(account(2), pin.clone())].into(),
        ..LedgerState::default()
    };
    let signed = |name, pin| {
        let change = Change::Pin { pin };
        one(name, &op(1, Some(Hash([8; 32])), Hash([9; 32]), change), 1)
    };
    json!({
        "statements": [
            signed("ledger pin of compared keys", pin),
            signed("ledger pin of accepted keys", accepted),
        ],
        "audit": { "pinned": hex::encode(canonical::encode(&entry)) },
        "state": state.fingerprint().to_string(),
    })
}

/// What two devices of one person say to each other, and the entries it leaves.
fn pairing() -> Value {
    let code = PairingCode::new(0x00a5_a5a5_a5a5).expect("a code");
    let answer = Answer {
        vault: VAULT.to_vec(),
        code: code.number(),
        account: account(1),
        genesis: Hash([3; 32]),
        nonce: [4; 32],
    };
    let offer = Offer {
        principal: vec![5; 29],
        slot: SlotId([6; 16]),
        kind: SlotKind::Browser,
        sealing: vec![7; 1216],
        anchor: vec![8; 104],
        nonce: [9; 32],
    };
    let commitment = answer.commitment().to_string();
    let transcript = Transcript { answer, offer };
    let paired = AuditEntry {
        seq: 0,
        at: 1,
        event: AuditEvent::Paired,
        actor: Some(pseudonym(&[1; 32], &account(2))),
        other: None,
        grant: None,
        request: None,
        compartment: None,
        record: None,
        version: None,
        slot: Some(SlotId([6; 16])),
        count: None,
        subject: Some(sha256(&[5; 29])),
    };
    let ended = AuditEntry {
        event: AuditEvent::PairingEnded,
        ..paired.clone()
    };
    json!({
        "code": { "number": code.number(), "text": code.to_string() },
        "answer": hex::encode(canonical::encode(&transcript.answer)),
        "commitment": commitment,
        "transcript": hex::encode(canonical::encode(&transcript)),
        "words": transcript.words(),
        "audit": {
            "paired": hex::encode(canonical::encode(&paired)),
            "pairing ended": hex::encode(canonical::encode(&ended)),
        },
    })
}

#[test]
fn every_format_is_as_it_was_published() {
    is_as_published("v1.json", all());
    is_as_published("v1-added.json", added());
    is_as_published("v1-rotation.json", rotating());
    is_as_published("v1-safety.json", comparing());
    is_as_published("v1-slots.json", unlocking());
    is_as_published("v1-pins.json", pinning());
    is_as_published("v1-pairing.json", pairing());
    is_as_published("v1-slots-used.json", used());
}

fn is_as_published(name: &str, now: Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if !path.exists() && std::env::var_os("SALUS_WRITE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&now).expect("json");
        std::fs::write(&path, text + "\n").expect("write golden file");
    }
    let text = std::fs::read_to_string(&path).expect("golden file");
    let published: Value = serde_json::from_str(&text).expect("golden file is JSON");
    assert_eq!(now, published);
}
