//! Opening accounts, claiming them, rotating keys, what is certified.

use crate::api;
use crate::runtime::Call;
use crate::testing::*;
use candid::Principal;
use ed25519_dalek::SigningKey;
use ic_stable_structures::VectorMemory;
use salus_protocol::certified::read_witness;
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::ledger::Change;
use salus_protocol::request::{Claim, Disclaim};
use salus_protocol::statement::hash_of;
use salus_types::api::{InitArgs, KeyRotate, SignUp};
use salus_types::{AccountId, Error};
use serde_bytes::ByteBuf;

fn claim(person: &Person, principal: &Principal, by: Authority) -> Claim {
    Claim {
        vault: vault_id().as_slice().to_vec(),
        account: person.id,
        principal: principal.as_slice().to_vec(),
        by,
        at: NOW,
    }
}

#[test]
fn an_account_opens_whole_and_the_same_call_again_answers_the_same() {
    let mut vault = new_vault();
    let mut alice = Person::new(1);
    let info = alice.create(&mut vault).unwrap();
    assert_eq!(info.account, alice.id);
    assert_eq!(info.ledger, alice.head);
    assert_eq!(info.audit.count, 1);
    assert_eq!(info.feeds.len(), 2, "one compartment and the drop box");
    let mut again = Person::new(1);
    let repeated = api::account_create(&mut vault, &alice.call(), again.create_args()).unwrap();
    assert_eq!(repeated, info);
    assert_eq!(vault.store.merkle.count(), 1);
}

#[test]
fn account_create_by_anonymous_or_under_another_s_id_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let anonymous = Call {
        caller: Principal::anonymous(),
        now: NOW,
    };
    let args = alice.create_args();
    let error = refused(&mut vault, |v| {
        api::account_create(v, &anonymous, args.clone())
    });
    assert_eq!(error, Error::Anonymous);
    let mallory = Call {
        caller: Principal::from_slice(&[66; 29]),
        now: NOW,
    };
    let error = refused(&mut vault, |v| api::account_create(v, &mallory, args));
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
    let mut second = Person::new(2);
    second.principal = alice.principal;
    let error = refused(&mut vault, |v| {
        api::account_create(v, &alice.call(), second.create_args())
    });
    assert_eq!(
        error,
        Error::Conflict {
            what: "principal".into()
        }
    );
}

#[test]
fn a_genesis_signed_by_someone_else_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::new(1);
    let mut args = alice.create_args();
    let thief = SigningKey::from_bytes(&[99; 32]);
    args.genesis = Person::signed_link(&alice.key_link(), &thief, &alice.signing);
    let error = refused(&mut vault, |v| api::account_create(v, &alice.call(), args));
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "key-link".into()
        }
    );
    let mut args = alice.create_args();
    args.ledger = alice.op_by(
        &thief,
        Change::Deny {
            request: salus_types::RequestId([0; 16]),
        },
    );
    let error = refused(&mut vault, |v| api::account_create(v, &alice.call(), args));
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    assert_eq!(vault.store.merkle.count(), 0);
}

#[test]
fn without_randomness_an_account_is_a_matter_of_waiting() {
    let mut vault =
        crate::vault::Vault::open(VectorMemory::default(), TestRuntime::default(), None, false)
            .unwrap();
    let mut alice = Person::new(1);
    let args = alice.create_args();
    let error = refused(&mut vault, |v| {
        api::account_create(v, &alice.call(), args.clone())
    });
    assert!(matches!(error, Error::Temporary { .. }));
    vault.runtime.generator.seed(&[5; 32]);
    api::account_create(&mut vault, &alice.call(), args).unwrap();
}

#[test]
fn a_closed_vault_takes_nobody_new() {
    let closed = InitArgs {
        sign_up: Some(SignUp::Closed),
        account_quota: None,
    };
    let mut vault = crate::vault::Vault::open(
        VectorMemory::default(),
        TestRuntime::default(),
        Some(closed),
        false,
    )
    .unwrap();
    let mut alice = Person::new(1);
    let args = alice.create_args();
    let error = refused(&mut vault, |v| api::account_create(v, &alice.call(), args));
    assert_eq!(error, Error::SignUpClosed);
}

#[test]
fn the_phrase_alone_finds_and_claims_the_account() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let new = Principal::from_slice(&[77; 29]);
    let call = Call {
        caller: new,
        now: NOW,
    };
    let public = ByteBuf::from(alice.recovery.verifying_key().to_bytes().to_vec());
    assert_eq!(api::account_find(&vault, &call, public).unwrap(), alice.id);
    let signed = sign(&alice.recovery, &claim(&alice, &new, Authority::Recovery));
    let info = api::principal_claim(&mut vault, &call, signed).unwrap();
    assert_eq!(info.principals.len(), 2);
    assert_eq!(api::account_show(&vault, &call).unwrap().account, alice.id);
    let gone = Disclaim {
        vault: vault_id().as_slice().to_vec(),
        account: alice.id,
        principal: alice.principal.as_slice().to_vec(),
        by: Authority::Identity,
        at: NOW + 1,
    };
    let signed = sign(&alice.signing, &gone);
    let info = api::principal_remove(&mut vault, &call, signed).unwrap();
    assert_eq!(info.principals, [new]);
    assert_eq!(
        api::account_show(&vault, &alice.call()).unwrap_err(),
        Error::NotFound
    );
}

#[test]
fn principal_claim_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let new = Principal::from_slice(&[77; 29]);
    let call = Call {
        caller: new,
        now: NOW,
    };
    let wrong_key = sign(&bob.signing, &claim(&alice, &new, Authority::Identity));
    let error = refused(&mut vault, |v| {
        api::principal_claim(v, &call, wrong_key.clone())
    });
    assert_eq!(error, Error::NotFound, "as if there were no account");
    let mut unknown = claim(&alice, &new, Authority::Identity);
    unknown.account = AccountId([200; 16]);
    let unknown = sign(&alice.signing, &unknown);
    let error = refused(&mut vault, |v| api::principal_claim(v, &call, unknown));
    assert_eq!(error, Error::NotFound);
    let for_another = sign(
        &alice.signing,
        &claim(&alice, &bob.principal, Authority::Identity),
    );
    let error = refused(&mut vault, |v| {
        api::principal_claim(v, &call, for_another.clone())
    });
    assert!(matches!(error, Error::Invalid { .. }));
    let error = refused(&mut vault, |v| {
        api::principal_claim(v, &bob.call(), for_another)
    });
    assert_eq!(
        error,
        Error::Conflict {
            what: "principal".into()
        }
    );
    let mut old = claim(&alice, &new, Authority::Identity);
    old.at = NOW - HOUR;
    let old = sign(&alice.signing, &old);
    let error = refused(&mut vault, |v| api::principal_claim(v, &call, old));
    assert!(matches!(error, Error::Expired { .. }));
}

/// What the identity key or the recovery key says of a principal, when and how it is answered.
#[test]
fn what_is_said_of_principals_is_used_once_and_no_thief_delays_the_phrase() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let (new, own) = (Principal::from_slice(&[77; 29]), alice.principal);
    let by = |by| match by {
        Authority::Identity => alice.signing.clone(),
        Authority::Recovery => alice.recovery.clone(),
    };
    let [identity, recovery] = [Authority::Identity, Authority::Recovery].map(by);
    let key = |by| match by {
        Authority::Identity => &identity,
        Authority::Recovery => &recovery,
    };
    let says = |vault: &mut crate::testing::TestVault, joins: bool, by, at: u64, now: u64| {
        let claim = Claim {
            at,
            ..claim(&alice, &new, by)
        };
        if joins {
            let call = Call { caller: new, now };
            api::principal_claim(vault, &call, sign(key(by), &claim)).map(drop)
        } else {
            let gone = Disclaim {
                vault: claim.vault,
                account: claim.account,
                principal: claim.principal,
                by,
                at,
            };
            let call = Call { caller: own, now };
            api::principal_remove(vault, &call, sign(key(by), &gone)).map(drop)
        }
    };
    let expired = |at| {
        Err(Error::Expired {
            what: "statement".into(),
            at,
        })
    };
    use Authority::{Identity, Recovery};
    let minute = 60_000;
    let later = NOW + minute;
    let ahead = later + 4 * minute;
    let cases = [
        (true, Identity, NOW, NOW, Ok(())),
        (false, Identity, NOW, NOW, expired(NOW)),
        (false, Identity, NOW + 1, NOW + 1, Ok(())),
        (true, Identity, NOW, later, expired(NOW + 1)),
        (true, Identity, later, later, Ok(())),
        (false, Identity, NOW + 1, later, expired(later)),
        // As far ahead as it may be signed: the recovery key does not wait for it.
        (false, Identity, ahead, later, Ok(())),
        (true, Identity, later + 1, later + 1, expired(ahead)),
        (true, Recovery, later + 1, later + 1, Ok(())),
        (false, Recovery, later + 1, later + 2, expired(later + 1)),
        (false, Recovery, later + 2, later + 2, Ok(())),
        (true, Recovery, later + 1, later + 3, expired(later + 2)),
        (true, Recovery, later + 3, later + 3, Ok(())),
        (false, Recovery, later + 2, later + 3, expired(later + 3)),
        (false, Recovery, later + 4, later + 4, Ok(())),
    ];
    for (case, (joins, by, at, now, answer)) in cases.into_iter().enumerate() {
        assert_eq!(says(&mut vault, joins, by, at, now), answer, "{case}");
    }
    // A new identity key begins anew; what the old one signed is worth nothing.
    let rotate = rotation(&mut alice, Recovery, 50);
    api::key_rotate(&mut vault, &alice.call(), rotate).unwrap();
    let call = Call {
        caller: new,
        now: later + 5,
    };
    let fresh = Claim {
        at: later + 5,
        ..claim(&alice, &new, Identity)
    };
    let refused = api::principal_claim(&mut vault, &call, sign(&identity, &fresh));
    assert_eq!(refused.unwrap_err(), Error::NotFound);
    api::principal_claim(&mut vault, &call, sign(&alice.signing, &fresh)).unwrap();
}

#[test]
fn the_last_principal_stays() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let gone = Disclaim {
        vault: vault_id().as_slice().to_vec(),
        account: alice.id,
        principal: alice.principal.as_slice().to_vec(),
        by: Authority::Identity,
        at: NOW,
    };
    let signed = sign(&alice.signing, &gone);
    let error = refused(&mut vault, |v| {
        api::principal_remove(v, &alice.call(), signed)
    });
    assert!(matches!(error, Error::Invalid { .. }));
}

pub(super) fn rotation(person: &mut Person, by: Authority, key: u8) -> KeyRotate {
    let new = SigningKey::from_bytes(&[key; 32]);
    let link = KeyLink {
        index: 1,
        previous: Some(person.genesis),
        signing: new.verifying_key().to_bytes(),
        by,
        ..person.key_link()
    };
    let authority = if by == Authority::Recovery {
        &person.recovery
    } else {
        &person.signing
    };
    let signed = Person::signed_link(&link, authority, &new);
    person.link = hash_of::<KeyLink>(&signed.statement);
    person.signing = new;
    let op = person.op(Change::Rotate {
        link: person.link,
        bundle: vec![1; 100],
    });
    KeyRotate { link: signed, op }
}

#[test]
fn after_a_rotation_only_the_new_key_signs_and_recovery_overrides_a_thief() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut thief = Person::new(1);
    thief.create_args();
    thief.head = alice.head.clone();
    let stolen = rotation(&mut thief, Authority::Identity, 50);
    api::key_rotate(&mut vault, &alice.call(), stolen.clone()).unwrap();
    let again = api::key_rotate(&mut vault, &alice.call(), stolen.clone()).unwrap();
    assert_eq!(again.count, 2);
    alice.advance(&stolen.op);
    let before = alice.op(Change::Deny {
        request: salus_types::RequestId([0; 16]),
    });
    let args = salus_types::api::LedgerAppend {
        op: before,
        grants: Vec::new(),
    };
    let error = refused(&mut vault, |v| api::ledger_append(v, &alice.call(), args));
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let back = rotation(&mut alice, Authority::Recovery, 51);
    api::key_rotate(&mut vault, &alice.call(), back).unwrap();
    let info = api::account_show(&vault, &alice.call()).unwrap();
    assert_eq!(info.chain.len(), 2, "the thief's link is gone");
    assert_eq!(hash_of::<KeyLink>(&info.chain[1].statement), alice.link);
}

#[test]
fn key_rotate_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let args = rotation(&mut alice, Authority::Identity, 50);
    let error = refused(&mut vault, |v| {
        api::key_rotate(v, &bob.call(), args.clone())
    });
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let mut forged = args;
    forged.link.signature = ByteBuf::from(vec![0; 64]);
    let error = refused(&mut vault, |v| api::key_rotate(v, &alice.call(), forged));
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "key-link".into()
        }
    );
}

#[test]
fn what_is_certified_is_what_is_stored_and_survives_reopening() {
    let memory = VectorMemory::default();
    let mut vault = vault_in(memory.clone());
    let mut people: Vec<Person> = (1..12).map(|n| Person::opened(&mut vault, n)).collect();
    people[4].add(&mut vault, b"content");
    let certified = vault.runtime.certified;
    drop(vault);
    let vault = crate::vault::Vault::open(memory, TestRuntime::default(), None, true).unwrap();
    assert_eq!(vault.runtime.certified, certified);
    for person in &people {
        let heads = api::heads(&vault, &person.call(), person.id).unwrap();
        let seen = read_witness(&heads.witness, &certified, heads.number).unwrap();
        let info = api::account_show(&vault, &person.call()).unwrap();
        assert_eq!(seen.account, person.id);
        assert_eq!(seen.genesis, person.genesis);
        assert_eq!(seen.ledger, Some(info.ledger));
        assert_eq!(seen.audit, Some(info.audit));
        assert_eq!(seen.who, [person.principal.as_slice().to_vec()]);
        assert_eq!(seen.feeds.len(), info.feeds.len());
        for feed in info.feeds {
            assert_eq!(seen.feeds.get(&feed.compartment), Some(&feed.head));
        }
    }
}

#[test]
fn heads_and_chain_by_unauthorized_are_not_found() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    for account in [alice.id, AccountId([200; 16])] {
        let error = api::heads(&vault, &bob.call(), account).unwrap_err();
        assert_eq!(error, Error::NotFound);
        let error = api::chain_get(&vault, &bob.call(), account).unwrap_err();
        assert_eq!(error, Error::NotFound);
        let get = salus_types::api::AuditGet {
            owner: account,
            from: 0,
        };
        assert_eq!(
            api::audit_page(&vault, &bob.call(), get).unwrap_err(),
            Error::NotFound
        );
    }
}

#[test]
fn a_profile_is_replaced() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let note = ByteBuf::from(vec![4; 3000]);
    api::profile_set(&mut vault, &alice.call(), note.clone()).unwrap();
    assert_eq!(
        api::account_show(&vault, &alice.call()).unwrap().profile,
        note
    );
    let stranger = Call {
        caller: Principal::from_slice(&[88; 29]),
        now: NOW,
    };
    let error = refused(&mut vault, |v| {
        api::profile_set(v, &stranger, ByteBuf::new())
    });
    assert_eq!(error, Error::NotFound);
    let long = ByteBuf::from(vec![0; 5000]);
    let error = refused(&mut vault, |v| api::profile_set(v, &alice.call(), long));
    assert!(matches!(error, Error::TooLarge { .. }));
}

#[test]
fn the_cost_filter_lets_through_who_may_have_business() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let stranger = Principal::from_slice(&[88; 29]);
    assert!(api::accepts(&vault, &alice.principal, "versions_add", 1000));
    assert!(api::accepts(&vault, &stranger, "account_create", 1000));
    assert!(!api::accepts(&vault, &stranger, "versions_add", 1000));
    assert!(!api::accepts(
        &vault,
        &Principal::anonymous(),
        "account_create",
        1000
    ));
    assert!(!api::accepts(
        &vault,
        &alice.principal,
        "versions_add",
        2_000_000
    ));
}
