//! Keys and statements for tests. Seeds are fixed: these keys protect nothing.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses a part"
)]

use ed25519_dalek::{Signer, SigningKey};
use salus_protocol::canonical;
use salus_protocol::grant::{Conveyed, Grant, READ, Scope};
use salus_protocol::keychain::{Authority, KeyLink, POSSESSION_LABEL};
use salus_protocol::ledger::*;
use salus_protocol::request::*;
use salus_protocol::statement::{Statement, hash_of, signing_bytes};
use salus_protocol::version::*;
use salus_types::api::{Signed, SignedLink};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId};

pub const VAULT: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 7, 1, 1];

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

pub fn sign_label(seed: u8, label: &str, cbor: &[u8]) -> Vec<u8> {
    key(seed).sign(&signing_bytes(label, cbor)).to_vec()
}

pub fn sign<T: Statement>(value: &T, seed: u8) -> Signed {
    let statement = canonical::encode(value);
    Signed {
        signature: sign_label(seed, T::LABEL, &statement).into(),
        statement: statement.into(),
    }
}

pub fn sign_link(link: &KeyLink, authoriser: u8, own: u8) -> SignedLink {
    let statement = canonical::encode(link);
    SignedLink {
        signature: sign_label(authoriser, KeyLink::LABEL, &statement).into(),
        possession: sign_label(own, POSSESSION_LABEL, &statement).into(),
        statement: statement.into(),
    }
}

pub fn account(n: u8) -> AccountId {
    AccountId([n; 16])
}

pub fn genesis(signing: u8, recovery: u8) -> KeyLink {
    KeyLink {
        vault: VAULT.to_vec(),
        account: account(1),
        index: 0,
        previous: None,
        signing: public(signing),
        sealing: vec![9; 1216],
        recovery: public(recovery),
        by: Authority::Recovery,
        at: 1_700_000_000_000,
    }
}

pub fn next(before: &KeyLink, signing: u8, by: Authority) -> KeyLink {
    KeyLink {
        index: before.index + 1,
        previous: Some(hash_of::<KeyLink>(&canonical::encode(before))),
        signing: public(signing),
        by,
        at: before.at + 1,
        ..before.clone()
    }
}

pub fn slot(n: u8, kind: SlotKind) -> Slot {
    Slot {
        id: SlotId([n; 16]),
        kind,
        sealing: vec![n; 1216],
        anchor: vec![n; 90],
        wrap: vec![n; 1200],
        label: vec![],
        parameters: None,
    }
}

pub fn compartment(n: u8) -> NewCompartment {
    NewCompartment {
        id: CompartmentId([n; 16]),
        name: vec![n; 80],
        kid: Hash([n; 32]),
        wrap: vec![n; 100],
    }
}

pub fn opening() -> Change {
    Change::Open {
        slots: vec![slot(1, SlotKind::Recovery), slot(2, SlotKind::Browser)],
        bundle: vec![5; 200],
        compartments: vec![compartment(1), compartment(2)],
    }
}

pub fn entry(n: u8, revision: u32) -> GrantEntry {
    GrantEntry {
        id: GrantId([n; 16]),
        revision,
        statement: Hash([n; 32]),
        grantee: account(2),
        expires: 1_800_000_000_000,
    }
}

pub fn granting(n: u8) -> Change {
    Change::Grant {
        grant: entry(n, 1),
        request: Some(RequestId([n; 16])),
        pin: Pin {
            account: account(2),
            genesis: Hash([3; 32]),
            link: Hash([4; 32]),
            by: None,
        },
    }
}

pub fn op(seq: u64, previous: Option<Hash>, link: Hash, change: Change) -> LedgerOp {
    LedgerOp {
        vault: VAULT.to_vec(),
        account: account(1),
        seq,
        previous,
        link,
        at: 1_700_000_000_000 + seq,
        change,
    }
}

pub fn grant(scope: Scope, rights: u8) -> Grant {
    let conveys = match &scope {
        _ if rights & READ == 0 => vec![],
        Scope::Records(list) => list
            .iter()
            .map(|v| Conveyed::Version {
                version: *v,
                descriptor: Hash([1; 32]),
                content: Hash([2; 32]),
            })
            .collect(),
        _ => vec![Conveyed::Epoch {
            compartment: CompartmentId([1; 16]),
            epoch: 1,
            kid: Hash([1; 32]),
        }],
    };
    Grant {
        vault: VAULT.to_vec(),
        id: GrantId([1; 16]),
        revision: 1,
        owner: account(1),
        owner_genesis: Hash([1; 32]),
        owner_link: Hash([2; 32]),
        grantee: account(2),
        grantee_genesis: Hash([3; 32]),
        grantee_link: Hash([4; 32]),
        scope,
        rights,
        conveys,
        not_before: 1000,
        expires: 2000,
        purpose: Hash([5; 32]),
        envelope: Hash([6; 32]),
        request: None,
        at: 999,
        follows: None,
    }
}

pub fn version() -> Version {
    Version {
        vault: VAULT.to_vec(),
        owner: account(1),
        record: RecordId([1; 16]),
        version: 1,
        previous: None,
        author: account(2),
        author_genesis: Hash([3; 32]),
        author_link: Hash([4; 32]),
        descriptor_kid: Hash([5; 32]),
        content_kid: Hash([6; 32]),
        descriptor: Hash([7; 32]),
        parts: vec![Part {
            root: Hash([8; 32]),
            size: 70_000,
        }],
        commitment: Hash([9; 32]),
        drop_box: Some(DropBox {
            envelope: Hash([10; 32]),
            owner_link: Hash([11; 32]),
            suggested: None,
        }),
        at: 1_700_000_000_000,
    }
}

pub fn adoption() -> Adoption {
    Adoption {
        vault: VAULT.to_vec(),
        owner: account(1),
        owner_link: Hash([1; 32]),
        record: RecordId([1; 16]),
        version: 1,
        statement: Hash([2; 32]),
        compartment: CompartmentId([1; 16]),
        epoch: 1,
        wrap_descriptor: Hash([3; 32]),
        wrap_content: Hash([4; 32]),
        at: 1_700_000_000_000,
    }
}

pub fn request() -> Request {
    Request {
        vault: VAULT.to_vec(),
        id: RequestId([1; 16]),
        requester: account(2),
        requester_genesis: Hash([1; 32]),
        requester_link: Hash([2; 32]),
        patient: account(1),
        patient_genesis: Hash([3; 32]),
        patient_link: Hash([4; 32]),
        envelope: Hash([5; 32]),
        at: 1_700_000_000_000,
    }
}

pub fn invitation() -> Invitation {
    Invitation {
        vault: VAULT.to_vec(),
        account: account(1),
        link: Hash([1; 32]),
        id: invitation_id(b"a code of 16 byt"),
        expires: 1_700_000_100_000,
        at: 1_700_000_000_000,
    }
}

pub fn directory_entry() -> DirectoryEntry {
    DirectoryEntry {
        vault: VAULT.to_vec(),
        account: account(2),
        link: Hash([1; 32]),
        name: "Dr Ximena Ruiz".into(),
        specialty: "Cardiology".into(),
        at: 1_700_000_000_000,
    }
}

pub fn claim() -> Claim {
    Claim {
        vault: VAULT.to_vec(),
        account: account(1),
        principal: vec![1, 2, 3],
        by: Authority::Recovery,
        at: 1_700_000_000_000,
    }
}

pub fn disclaim() -> Disclaim {
    Disclaim {
        vault: VAULT.to_vec(),
        account: account(1),
        principal: vec![1, 2, 3],
        by: Authority::Identity,
        at: 1_700_000_000_000,
    }
}
