//! The owner ledger: sequence, signatures, and what operations do.

use crate::api;
use crate::testing::*;
use salus_protocol::grant::{READ, Scope};
use salus_protocol::ledger::{Change, LedgerOp, LedgerState, Links, NewCompartment};
use salus_protocol::statement::decode_for;
use salus_types::api::{LedgerAppend, Signed};
use salus_types::{CompartmentId, Error, Hash, RequestId};
use serde_bytes::ByteBuf;

fn new_compartment(n: u8) -> Change {
    Change::AddCompartment {
        compartment: NewCompartment {
            id: CompartmentId([n; 16]),
            name: vec![1; 40],
            kid: Hash([n; 32]),
            wrap: vec![2; 100],
        },
        reissues: Vec::new(),
    }
}

type Spoil = fn(&mut salus_protocol::grant::Grant);

fn append(op: Signed) -> LedgerAppend {
    LedgerAppend {
        op,
        grants: Vec::new(),
    }
}

#[test]
fn operations_come_back_as_they_were_signed_and_fold() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    for n in 100..110 {
        alice
            .append(&mut vault, new_compartment(n), Vec::new())
            .unwrap();
    }
    let page = api::ledger_page(&vault, &alice.call(), 0).unwrap();
    assert_eq!(page.head, alice.head);
    let mut state = LedgerState::default();
    let mut head = salus_protocol::chain::EMPTY;
    for op in &page.ops {
        let decoded: LedgerOp = decode_for(&op.statement, vault_id().as_slice()).unwrap();
        let links = Links {
            before: alice.link,
            in_force: alice.link,
        };
        let folded = state.apply(&head, &links, &decoded, &op.statement);
        head = folded.unwrap().head;
    }
    assert_eq!(head, alice.head);
    assert_eq!(state.compartments.len(), 11);
    assert_eq!(
        api::ledger_page(&vault, &alice.call(), 9).unwrap().ops,
        page.ops[9..]
    );
}

#[test]
fn a_stale_operation_is_told_the_head_and_the_same_one_again_is_accepted() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mine = alice.op(new_compartment(100));
    let theirs = alice.op(new_compartment(101));
    api::ledger_append(&mut vault, &alice.call(), append(mine.clone())).unwrap();
    let old = alice.head.count;
    alice.advance(&mine);
    let error = refused(&mut vault, |v| {
        api::ledger_append(v, &alice.call(), append(theirs))
    });
    assert_eq!(
        error,
        Error::StaleHead {
            count: old + 1,
            head: alice.head.hash
        }
    );
    let again = api::ledger_append(&mut vault, &alice.call(), append(mine)).unwrap();
    assert_eq!(again, alice.head);
}

#[test]
fn ledger_append_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let op = alice.op(new_compartment(100));
    let error = refused(&mut vault, |v| {
        api::ledger_append(v, &bob.call(), append(op.clone()))
    });
    assert!(matches!(error, Error::Invalid { .. }));
    let forged = alice.op_by(&bob.signing, new_compartment(100));
    let error = refused(&mut vault, |v| {
        api::ledger_append(v, &alice.call(), append(forged))
    });
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "ledger-op".into()
        }
    );
    let mut padded = op.clone();
    padded.statement.push(0);
    let error = refused(&mut vault, |v| {
        api::ledger_append(v, &alice.call(), append(padded))
    });
    assert_eq!(
        error,
        Error::NotCanonical {
            statement: "ledger-op".into()
        }
    );
    let error = api::ledger_page(&vault, &bob.call(), 0).unwrap().ops;
    assert_eq!(error.len(), 1, "only bob's own");
    let mut long = op;
    long.statement = ByteBuf::from(vec![0; 600 << 10]);
    let error = refused(&mut vault, |v| {
        api::ledger_append(v, &alice.call(), append(long))
    });
    assert!(matches!(error, Error::TooLarge { .. }));
}

#[test]
fn a_grant_that_is_not_what_the_operation_names_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let good = alice.grant(&bob, Scope::Everything, READ);
    let cases: [(&str, Spoil); 7] = [
        ("over already", |g| g.expires = NOW),
        ("too long", |g| g.expires = NOW + 4000 * 24 * HOUR),
        ("another owner", |g| g.owner = g.grantee),
        ("another envelope", |g| g.envelope = Hash([0; 32])),
        ("no rights", |g| g.rights = 0),
        ("keys not in force", |g| g.grantee_link = Hash([1; 32])),
        ("unknown compartment", |g| {
            g.scope = Scope::Compartments(vec![CompartmentId([250; 16])])
        }),
    ];
    for (name, spoil) in cases {
        let mut grant = good.clone();
        spoil(&mut grant);
        vault.settle();
        let error = alice.give_grant(&mut vault, &grant).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{name}: {error:?}");
        assert!(!vault.is_unsettled(), "{name}");
    }
    let mut to_self = good.clone();
    to_self.grantee = alice.id;
    to_self.grantee_genesis = alice.genesis;
    to_self.grantee_link = alice.link;
    assert!(alice.give_grant(&mut vault, &to_self).is_err());
    let mut to_nobody = good.clone();
    to_nobody.grantee = salus_types::AccountId([200; 16]);
    assert_eq!(
        alice.give_grant(&mut vault, &to_nobody).unwrap_err(),
        Error::NotFound
    );
    let (entry, mut payload) = alice.payload(&good);
    payload.statement = sign(&bob.signing, &good);
    let pin = salus_protocol::ledger::Pin {
        account: bob.id,
        genesis: bob.genesis,
        link: bob.link,
        by: None,
    };
    let change = Change::Grant {
        grant: entry,
        request: None,
        pin,
    };
    let error = alice
        .append(&mut vault, change.clone(), vec![payload])
        .unwrap_err();
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "grant".into()
        }
    );
    let error = alice.append(&mut vault, change, Vec::new()).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }));
    alice.give_grant(&mut vault, &good).unwrap();
    let fresh = bob.fresh();
    let error = alice
        .append(
            &mut vault,
            Change::Deny {
                request: RequestId(fresh),
            },
            Vec::new(),
        )
        .unwrap_err();
    assert_eq!(error, Error::NotFound);
}

#[test]
fn a_revocation_must_advance_what_the_grant_conveyed() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ);
    let change = Change::Revoke {
        grant,
        epochs: Vec::new(),
        reissues: Vec::new(),
    };
    let error = alice.append(&mut vault, change, Vec::new()).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    alice.revoke(&mut vault, grant, Some(2));
    let content = b"written after";
    let record = salus_types::RecordId(alice.fresh());
    let version = alice.version(&alice, record, content);
    let old_epoch = alice.add_args(&version, content, 1);
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), old_epoch));
    assert!(matches!(error, Error::StaleHead { .. }), "{error:?}");
    let new_epoch = alice.add_args(&version, content, 2);
    add_version(&mut vault, &alice.call(), new_epoch).unwrap();
}

#[test]
fn a_full_account_can_still_revoke_and_be_taken_back_but_not_give() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ);
    vault.settings.account_quota = vault.account(0).unwrap().bytes;
    let another = alice.grant(&bob, Scope::Everything, READ);
    vault.settle();
    let error = alice.give_grant(&mut vault, &another).unwrap_err();
    assert!(matches!(error, Error::QuotaExceeded { .. }));
    assert!(!vault.is_unsettled());
    alice.revoke(&mut vault, grant, Some(2));
    // A recovery may need a slot of its own: a thief who filled the account must not keep it out.
    let slot = super::pairing::slot();
    alice.append(&mut vault, slot, Vec::new()).unwrap();
}
