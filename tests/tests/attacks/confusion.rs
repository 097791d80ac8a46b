//! 43: every kind of statement, signed by the right key, offered to every update that takes one. (At the
//! verifiers themselves, and for everything that is sealed: `crates/protocol/tests/refusals.rs` and
//! `crates/crypto/tests/suite/swaps.rs`.)

use super::super::*;
use candid::{CandidType, Reserved};
use salus_client::{READ, Scope, Transport, VaultError};
use salus_protocol::grant::Grant;
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::request::{
    Claim, DirectoryEntry, Disclaim, Invitation, Request, invitation_id,
};
use salus_protocol::statement::{Statement, sha256};
use salus_protocol::version::{Adoption, Version};
use salus_tests::transports::decode_answer;
use salus_types::api::{
    Adopt, Filing, KeyRotate, LedgerAppend, Placement, RequestSend, Signed, SignedLink, VersionAdd,
};
use salus_types::{CompartmentId, GrantId, Hash, RecordId, RequestId};

const ZERO: Hash = Hash([0; 32]);

/// One of each kind, about the signer, as sound as can be.
async fn one_of_each(world: &World, person: &Person, key: &Thief) -> Vec<(&'static str, Signed)> {
    let vault = world.vault.vault().as_slice().to_vec();
    let (account, genesis) = (person.own.account(), person.own.genesis());
    let (link, at) = (key.link(), NOW);
    let principal = person.device.client.caller().as_slice().to_vec();
    let claim = Claim {
        vault: vault.clone(),
        account,
        principal: principal.clone(),
        by: Authority::Identity,
        at,
    };
    let disclaim = Disclaim {
        vault: vault.clone(),
        account,
        principal,
        by: Authority::Identity,
        at,
    };
    let genesis_link: KeyLink = canonical::decode(&key.info().await.chain[0].statement).unwrap();
    let op = key.op(Change::Deny {
        request: RequestId([9; 16]),
    });
    let grant = Grant {
        vault: vault.clone(),
        id: GrantId([9; 16]),
        revision: 1,
        owner: account,
        owner_genesis: genesis,
        owner_link: link,
        grantee: account,
        grantee_genesis: genesis,
        grantee_link: link,
        scope: Scope::Everything,
        rights: READ,
        conveys: Vec::new(),
        not_before: at,
        expires: at + DAY,
        purpose: ZERO,
        envelope: sha256(&[]),
        request: None,
        at,
        follows: None,
    };
    let version = Version {
        vault: vault.clone(),
        owner: account,
        record: RecordId([9; 16]),
        version: 1,
        previous: None,
        author: account,
        author_genesis: genesis,
        author_link: link,
        descriptor_kid: ZERO,
        content_kid: ZERO,
        descriptor: sha256(&[]),
        parts: Vec::new(),
        commitment: ZERO,
        drop_box: None,
        at,
    };
    let adoption = Adoption {
        vault: vault.clone(),
        owner: account,
        owner_link: link,
        record: RecordId([9; 16]),
        version: 1,
        statement: ZERO,
        compartment: CompartmentId([9; 16]),
        epoch: 1,
        wrap_descriptor: sha256(&[]),
        wrap_content: sha256(&[]),
        at,
    };
    let request = Request {
        vault: vault.clone(),
        id: RequestId([9; 16]),
        requester: account,
        requester_genesis: genesis,
        requester_link: link,
        patient: account,
        patient_genesis: genesis,
        patient_link: link,
        envelope: sha256(&[]),
        at,
    };
    let invitation = Invitation {
        vault: vault.clone(),
        account,
        link,
        id: invitation_id(&[1; 16]),
        expires: at + DAY,
        at,
    };
    let entry = DirectoryEntry {
        vault,
        account,
        link,
        name: "x".into(),
        specialty: "y".into(),
        at,
    };
    vec![
        (KeyLink::LABEL, key.sign(&genesis_link)),
        (LedgerOp::LABEL, key.sign(&op.await)),
        (Grant::LABEL, key.sign(&grant)),
        (Version::LABEL, key.sign(&version)),
        (Adoption::LABEL, key.sign(&adoption)),
        (Request::LABEL, key.sign(&request)),
        (Invitation::LABEL, key.sign(&invitation)),
        (DirectoryEntry::LABEL, key.sign(&entry)),
        (Claim::LABEL, key.sign(&claim)),
        (Disclaim::LABEL, key.sign(&disclaim)),
    ]
}

/// A method, the kind it takes, and its argument around a statement.
type Taker = (&'static str, &'static str, fn(Signed) -> Vec<u8>);

fn encoded(arg: impl CandidType) -> Vec<u8> {
    candid::encode_one(arg).unwrap()
}

fn filing() -> Filing {
    Filing {
        compartment: CompartmentId([9; 16]),
        epoch: 1,
        wrap_descriptor: ByteBuf::new(),
        wrap_content: ByteBuf::new(),
    }
}

fn takers() -> Vec<Taker> {
    vec![
        ("principal_claim", Claim::LABEL, |s| encoded(s)),
        ("principal_remove", Disclaim::LABEL, |s| encoded(s)),
        ("invitation_create", Invitation::LABEL, |s| encoded(s)),
        ("provider_register", DirectoryEntry::LABEL, |s| encoded(s)),
        ("ledger_append", LedgerOp::LABEL, |op| {
            let grants = Vec::new();
            encoded(LedgerAppend { op, grants })
        }),
        ("key_rotate", KeyLink::LABEL, |signed| {
            let link = SignedLink {
                statement: signed.statement.clone(),
                signature: signed.signature.clone(),
                possession: signed.signature.clone(),
            };
            encoded(KeyRotate { link, op: signed })
        }),
        ("request_send", Request::LABEL, |statement| {
            let (envelope, code) = (ByteBuf::new(), None);
            encoded(RequestSend {
                statement,
                envelope,
                code,
            })
        }),
        ("versions_add", Version::LABEL, |statement| {
            encoded(vec![VersionAdd {
                statement,
                descriptor: ByteBuf::new(),
                parts: Vec::new(),
                placement: Placement::Filed(filing()),
            }])
        }),
        ("versions_adopt", Adoption::LABEL, |statement| {
            let filing = filing();
            encoded(vec![Adopt { statement, filing }])
        }),
    ]
}

fn error_of(method: &str, answer: &[u8]) -> Option<VaultError> {
    if method.starts_with("versions_") {
        type Each = Vec<salus_types::Result<Reserved>>;
        return match decode_answer::<Each>(answer) {
            Ok(mut each) => each.remove(0).err(),
            Err(error) => Some(error),
        };
    }
    decode_answer::<Reserved>(answer).err()
}

#[test]
fn a43_every_signed_type_offered_as_every_other() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let key = Thief::of(&world, &person).await;
        let session = world.vault.for_caller(person.device.client.caller());
        for (made_as, signed) in one_of_each(&world, &person, &key).await {
            for (method, takes, around) in takers() {
                if takes == made_as {
                    continue;
                }
                let arg = around(signed.clone());
                let answer = unmoved(&world, session.update(method, &arg)).await.unwrap();
                let refused = error_of(method, &answer);
                // Not its shape; or, where two kinds have one shape, not its label under the signature.
                let fits = match &refused {
                    Some(VaultError::NotCanonical { .. }) => true,
                    // A rotation takes an operation too, but not any.
                    Some(VaultError::Invalid { field, .. }) => {
                        (method, made_as, field.as_str()) == ("key_rotate", LedgerOp::LABEL, "op")
                    }
                    Some(VaultError::NotFound | VaultError::BadSignature { .. }) => {
                        canonical_twins(takes, made_as)
                    }
                    _ => false,
                };
                assert!(fits, "{made_as} by {method}: {refused:?}");
            }
        }
    });
}

/// Kinds of the same shape, which only the label keeps apart.
fn canonical_twins(one: &str, other: &str) -> bool {
    let pair = [Claim::LABEL, Disclaim::LABEL];
    pair.contains(&one) && pair.contains(&other)
}
