//! Audited release, revocation, expiry, and the audit chain.

use crate::api;
use crate::testing::*;
use salus_protocol::certified::read_witness;
use salus_protocol::chain::{self, AuditEntry, AuditEvent, Link, follow_audit, pseudonym};
use salus_protocol::grant::{APPEND, Conveyed, READ, Scope, VersionRef};
use salus_types::api::{
    AuditGet, AuditItem, FeedGet, Filed, GrantStatus, PieceRead, RecordGet, ReleaseList,
    ReleaseOpen,
};
use salus_types::{AccountId, CompartmentId, Error, GrantId, Hash, RecordId};

fn list(owner: &Person, grant: GrantId) -> ReleaseList {
    ReleaseList {
        owner: owner.id,
        grant,
        compartment: Some(owner.compartment()),
        cursor: None,
        limit: None,
    }
}

fn open(owner: &Person, grant: GrantId, records: &[RecordId]) -> ReleaseOpen {
    let records = records
        .iter()
        .map(|r| RecordGet {
            record: *r,
            version: Some(1),
        })
        .collect();
    ReleaseOpen {
        owner: owner.id,
        grant,
        records,
    }
}

fn piece(owner: &Person, grant: GrantId, record: RecordId) -> PieceRead {
    PieceRead {
        owner: owner.id,
        grant: Some(grant),
        record,
        version: 1,
        part: 0,
        index: 0,
    }
}

pub(super) fn audit(vault: &TestVault, reader: &Person, owner: &Person) -> Vec<AuditEntry> {
    let get = AuditGet {
        owner: owner.id,
        from: 0,
    };
    let page = api::audit_page(vault, &reader.call(), get).unwrap();
    let links = page.entries.iter().map(|item| match item {
        AuditItem::Entry(bytes) => Link::Entry(bytes),
        AuditItem::Hidden(hash) => Link::Hidden(*hash),
    });
    let (entries, head) = follow_audit(&chain::EMPTY, links).unwrap();
    assert_eq!(head, page.head);
    for name in &page.names {
        let salt: [u8; 32] = name.salt.as_slice().try_into().unwrap();
        assert_eq!(pseudonym(&salt, &name.account), name.pseudonym);
    }
    entries
}

pub(super) fn events(entries: &[AuditEntry]) -> Vec<AuditEvent> {
    entries.iter().map(|e| e.event).collect()
}

#[test]
fn listing_and_opening_are_recorded_before_they_answer() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let record = alice.add(&mut vault, b"medication list");
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ);
    let read = piece(&alice, grant, record);
    let early = api::piece_read(&vault, &bob.call(), read.clone()).unwrap_err();
    assert_eq!(early, Error::NotFound, "not released yet");

    let page = api::release_list(&mut vault, &bob.call(), list(&alice, grant)).unwrap();
    let Filed::Compartment(filing) = &page.items[0].filed else {
        panic!("filed")
    };
    assert_eq!(filing.wrap_descriptor.as_slice(), b"descriptor key");
    assert!(
        filing.wrap_content.is_empty(),
        "listing releases no content key"
    );
    assert_eq!(
        api::piece_read(&vault, &bob.call(), read.clone()).unwrap_err(),
        Error::NotFound
    );

    let views = api::release_open(&mut vault, &bob.call(), open(&alice, grant, &[record])).unwrap();
    let Filed::Compartment(filing) = &views[0].filed else {
        panic!("filed")
    };
    assert_eq!(filing.wrap_content.as_slice(), b"content key");
    let bytes = api::piece_read(&vault, &bob.call(), read).unwrap();
    assert_eq!(bytes.as_slice(), b"medication list");

    let entries = audit(&vault, &alice, &alice);
    assert_eq!(
        events(&entries),
        [
            AuditEvent::AccountOpened,
            AuditEvent::Written,
            AuditEvent::Granted,
            AuditEvent::Listed,
            AuditEvent::Opened
        ]
    );
    let listed = &entries[3];
    assert_eq!(listed.count, Some(1));
    assert_eq!(listed.subject, Some(chain::listing_hash([(record, 1)])));
    assert_eq!(
        (entries[4].record, entries[4].grant),
        (Some(record), Some(grant))
    );
    let theirs = audit(&vault, &bob, &alice);
    assert_eq!(
        events(&theirs),
        [AuditEvent::Granted, AuditEvent::Listed, AuditEvent::Opened],
        "of the others only hashes"
    );
}

#[test]
fn after_revocation_every_method_gives_nothing() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let record = alice.add(&mut vault, b"content");
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ | APPEND);
    api::release_open(&mut vault, &bob.call(), open(&alice, grant, &[record])).unwrap();
    api::piece_read(&vault, &bob.call(), piece(&alice, grant, record)).unwrap();
    alice.revoke(&mut vault, grant, Some(2));

    let call = bob.call();
    let list = list(&alice, grant);
    assert_eq!(
        refused(&mut vault, |v| api::release_list(v, &call, list)),
        Error::NotFound
    );
    let open = open(&alice, grant, &[record]);
    assert_eq!(
        refused(&mut vault, |v| api::release_open(v, &call, open)),
        Error::NotFound
    );
    let read = piece(&alice, grant, record);
    assert_eq!(
        api::piece_read(&vault, &call, read).unwrap_err(),
        Error::NotFound
    );
    let feed = FeedGet {
        owner: alice.id,
        grant: Some(grant),
        compartment: alice.compartment(),
        from: 0,
    };
    assert_eq!(
        api::feed_page(&vault, &call, feed).unwrap_err(),
        Error::NotFound
    );
    let note = RecordId(bob.fresh());
    let version = bob.version(&alice, note, b"note");
    let args = bob.drop_args(&alice, &version, grant, b"note");
    assert_eq!(
        refused(&mut vault, |v| add_version(v, &call, args)),
        Error::NotFound
    );
    assert_eq!(
        api::chain_get(&vault, &call, alice.id).unwrap_err(),
        Error::NotFound
    );
    let held = api::grant_received(&vault, &call, None).unwrap();
    assert!(held.items[0].envelope.is_empty());
    assert_eq!(held.items[0].status, GrantStatus::Revoked(NOW));
    let heads = api::heads(&vault, &call, alice.id).unwrap();
    let seen = read_witness(&heads.witness, &vault.runtime.certified, heads.number).unwrap();
    assert!(seen.feeds.is_empty() && seen.keys.is_none() && seen.who.is_empty());

    let entries = audit(&vault, &alice, &alice);
    let refusals = entries
        .iter()
        .filter(|e| e.event == AuditEvent::Refused)
        .count();
    assert_eq!(refusals, 3, "each refusal by an update is recorded");
}

#[test]
fn a_grant_ends_at_its_very_millisecond() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let record = alice.add(&mut vault, b"content");
    let mut grant = alice.grant(&bob, Scope::Everything, READ);
    grant.not_before = NOW + 10;
    grant.expires = NOW + 20;
    let grant = alice.give_grant(&mut vault, &grant).unwrap();
    let at = |now| bob.call_at(now);
    let args = open(&alice, grant, &[record]);
    let early = refused(&mut vault, |v| {
        api::release_open(v, &at(NOW + 9), args.clone())
    });
    assert_eq!(early, Error::NotFound);
    api::release_open(&mut vault, &at(NOW + 10), args.clone()).unwrap();
    api::release_open(&mut vault, &at(NOW + 19), args.clone()).unwrap();
    api::piece_read(&vault, &at(NOW + 19), piece(&alice, grant, record)).unwrap();
    let over = Error::Expired {
        what: "grant".into(),
        at: NOW + 20,
    };
    assert_eq!(
        refused(&mut vault, |v| api::release_open(v, &at(NOW + 20), args)),
        over
    );
    let read = api::piece_read(&vault, &at(NOW + 20), piece(&alice, grant, record));
    assert_eq!(read.unwrap_err(), over);
}

#[test]
fn release_by_unauthorized_is_refused_and_strangers_are_counted() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let mallory = Person::opened(&mut vault, 3);
    let record = alice.add(&mut vault, b"content");
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ);
    for named in [grant, GrantId([200; 16])] {
        let args = list(&alice, named);
        let error = refused(&mut vault, |v| api::release_list(v, &mallory.call(), args));
        assert_eq!(error, Error::NotFound);
        let args = open(&alice, named, &[record]);
        let error = refused(&mut vault, |v| api::release_open(v, &mallory.call(), args));
        assert_eq!(error, Error::NotFound);
    }
    let mut nobody = list(&alice, grant);
    nobody.owner = AccountId([201; 16]);
    let error = refused(&mut vault, |v| {
        api::release_list(v, &mallory.call(), nobody)
    });
    assert_eq!(error, Error::NotFound);
    alice.add(&mut vault, b"more");
    let entries = audit(&vault, &alice, &alice);
    let counted: Vec<_> = entries
        .iter()
        .filter(|e| e.event == AuditEvent::StrangersRefused)
        .collect();
    assert_eq!(counted.len(), 1);
    assert_eq!(counted[0].count, Some(4));
    assert_eq!(counted[0].actor, None);
}

#[test]
fn a_grant_over_a_compartment_reaches_no_other() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let record = alice.add(&mut vault, b"private");
    let second = CompartmentId([100; 16]);
    let change = salus_protocol::ledger::Change::AddCompartment {
        compartment: salus_protocol::ledger::NewCompartment {
            id: second,
            name: vec![1; 40],
            kid: Hash([1; 32]),
            wrap: vec![2; 100],
        },
        reissues: Vec::new(),
    };
    alice.append(&mut vault, change, Vec::new()).unwrap();
    let grant = alice.give(&mut vault, &bob, Scope::Compartments(vec![second]), READ);
    let error = refused(&mut vault, |v| {
        api::release_list(v, &bob.call(), list(&alice, grant))
    });
    assert_eq!(error, Error::NotFound);
    let args = open(&alice, grant, &[record]);
    let error = refused(&mut vault, |v| api::release_open(v, &bob.call(), args));
    assert_eq!(error, Error::NotFound);
    let mut allowed = list(&alice, grant);
    allowed.compartment = Some(second);
    let page = api::release_list(&mut vault, &bob.call(), allowed).unwrap();
    assert!(page.items.is_empty());
    let heads = api::heads(&vault, &bob.call(), alice.id).unwrap();
    let seen = read_witness(&heads.witness, &vault.runtime.certified, heads.number).unwrap();
    assert_eq!(seen.feeds.keys().collect::<Vec<_>>(), [&second]);
    assert!(seen.ledger.is_none() && seen.keys.is_some() && seen.audit.is_some());
}

#[test]
fn a_grant_over_one_version_reaches_no_other_record() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let shared = alice.add(&mut vault, b"shared");
    let private = alice.add(&mut vault, b"private");
    let version = VersionRef {
        record: shared,
        version: 1,
    };
    let mut grant = alice.grant(&bob, Scope::Records(vec![version]), READ);
    grant.conveys = vec![Conveyed::Version {
        version,
        descriptor: Hash([1; 32]),
        content: Hash([2; 32]),
    }];
    let grant = alice.give_grant(&mut vault, &grant).unwrap();
    let mut args = list(&alice, grant);
    args.compartment = None;
    let page = api::release_list(&mut vault, &bob.call(), args).unwrap();
    assert_eq!(
        page.items.iter().map(|i| i.record).collect::<Vec<_>>(),
        [shared]
    );
    api::release_open(&mut vault, &bob.call(), open(&alice, grant, &[shared])).unwrap();
    for records in [
        vec![private],
        vec![shared, private],
        vec![RecordId([99; 16])],
    ] {
        let args = open(&alice, grant, &records);
        let error = refused(&mut vault, |v| api::release_open(v, &bob.call(), args));
        assert_eq!(error, Error::NotFound);
    }
    alice.revoke(&mut vault, grant, None);
    let args = open(&alice, grant, &[shared]);
    let error = refused(&mut vault, |v| api::release_open(v, &bob.call(), args));
    assert_eq!(error, Error::NotFound);
}

#[test]
fn an_upgrade_is_entered_in_the_audit_chain_when_it_next_grows() {
    let memory = ic_stable_structures::VectorMemory::default();
    let mut vault = vault_in(memory.clone());
    let mut alice = Person::opened(&mut vault, 1);
    drop(vault);
    let mut vault = crate::vault::Vault::open(memory, TestRuntime::default(), None, true).unwrap();
    alice.add(&mut vault, b"content");
    let entries = audit(&vault, &alice, &alice);
    assert_eq!(
        events(&entries),
        [
            AuditEvent::AccountOpened,
            AuditEvent::Upgraded,
            AuditEvent::Written
        ]
    );
}

#[test]
fn who_once_had_a_grant_cannot_fill_the_audit_chain() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ);
    alice.revoke(&mut vault, grant, Some(2));
    let before = audit(&vault, &alice, &alice).len();
    for _ in 0..100 {
        let args = list(&alice, grant);
        refused(&mut vault, |v| api::release_list(v, &bob.call(), args));
    }
    assert_eq!(audit(&vault, &alice, &alice).len(), before + 32);
    let later = bob.call_at(NOW + HOUR);
    let args = list(&alice, grant);
    refused(&mut vault, |v| api::release_list(v, &later, args));
    let entries = audit(&vault, &alice, &alice);
    let counted = entries
        .iter()
        .find(|e| e.event == AuditEvent::StrangersRefused);
    assert_eq!(counted.and_then(|e| e.count), Some(68));
}
