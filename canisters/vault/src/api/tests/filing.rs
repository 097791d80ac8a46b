//! Filing by signed orders: many in one call, anew under another epoch, and in another compartment.

use super::release::{audit, events};
use crate::api;
use crate::testing::*;
use salus_protocol::chain::{self, AuditEvent, FeedEvent, follow_feed, listing_hash};
use salus_protocol::grant::{READ, Scope};
use salus_protocol::ledger::{Change, EpochAdvance, NewCompartment};
use salus_protocol::statement::hash_of;
use salus_protocol::version::Version;
use salus_types::api::{FeedGet, Filed, Filing, RecordGet, ReleaseList};
use salus_types::{CompartmentId, Error, Hash, RecordId, limits};

fn statement(vault: &TestVault, person: &Person, record: RecordId, version: u32) -> (Hash, Filing) {
    let get = RecordGet {
        record,
        version: Some(version),
    };
    let view = api::record_get(vault, &person.call(), get)
        .unwrap()
        .remove(0);
    let Filed::Compartment(filing) = view.filed else {
        panic!("not filed")
    };
    (hash_of::<Version>(&view.statement.statement), filing)
}

fn amend(person: &Person, vault: &mut TestVault, record: RecordId, after: u32) {
    let (hash, _) = statement(vault, person, record, after);
    let amended = person.amend(vault, record, (after, hash), b"newer");
    amended.unwrap();
}

fn advance(person: &mut Person, vault: &mut TestVault, epoch: u32) {
    let epochs = vec![EpochAdvance {
        compartment: person.compartment(),
        epoch,
        kid: Hash([6; 32]),
        wrap: vec![6; 100],
    }];
    let reissues = Vec::new();
    let change = Change::Advance { epochs, reissues };
    person.append(vault, change, Vec::new()).unwrap();
}

fn another_compartment(person: &mut Person, vault: &mut TestVault) -> CompartmentId {
    let id = CompartmentId([200; 16]);
    let change = Change::AddCompartment {
        compartment: NewCompartment {
            id,
            name: vec![1; 100],
            kid: Hash([4; 32]),
            wrap: vec![1; 100],
        },
        reissues: Vec::new(),
    };
    person.append(vault, change, Vec::new()).unwrap();
    id
}

fn feed(vault: &TestVault, person: &Person, compartment: CompartmentId) -> Vec<FeedEvent> {
    let get = FeedGet {
        owner: person.id,
        grant: None,
        compartment,
        from: 0,
    };
    let page = api::feed_page(vault, &person.call(), get).unwrap();
    let (entries, head) =
        follow_feed(&chain::EMPTY, page.entries.iter().map(|e| e.as_slice())).unwrap();
    assert_eq!(head, page.head);
    entries.iter().map(|e| e.event).collect()
}

#[test]
fn keys_are_filed_anew_under_the_current_epoch_alone_and_each_for_itself() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let home = alice.compartment();
    let records: Vec<RecordId> = (0..5u8).map(|n| alice.add(&mut vault, &[n; 50])).collect();
    amend(&alice, &mut vault, records[4], 1);
    advance(&mut alice, &mut vault, 2);
    let hash =
        |vault: &TestVault, n: usize, version| statement(vault, &alice, records[n], version).0;
    let at = NOW + 1;
    let good = alice.order(records[0], 1, hash(&vault, 0, 1), home, 2, at);
    let stale = alice.order(records[1], 1, hash(&vault, 1, 1), home, 1, at);
    let other = alice.order(records[2], 1, hash(&vault, 3, 1), home, 2, at);
    let mut forged = alice.order(records[3], 1, hash(&vault, 3, 1), home, 2, at);
    forged.statement = sign(
        &bob.signing,
        &minicbor::decode::<salus_protocol::version::Adoption>(&forged.statement.statement)
            .unwrap(),
    );
    let mut swapped = alice.order(records[3], 1, hash(&vault, 3, 1), home, 2, at);
    swapped.filing.wrap_content = swapped.filing.wrap_descriptor.clone();
    let old = alice.order(records[4], 1, hash(&vault, 4, 1), home, 2, at);
    let orders = vec![good.clone(), stale, other, forged, swapped, old];
    let before = feed(&vault, &alice, home);
    let answers = api::versions_adopt(&mut vault, &alice.call_at(at), orders).unwrap();
    assert!(!vault.is_unsettled());
    assert!(answers[0].is_ok() && answers[5].is_ok());
    assert!(matches!(answers[1], Err(Error::StaleHead { .. })));
    assert_eq!(answers[2], Err(Error::NotFound));
    assert!(matches!(answers[3], Err(Error::BadSignature { .. })));
    assert!(matches!(answers[4], Err(Error::Invalid { .. })));
    for (n, version, epoch) in [
        (0, 1, 2),
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
        (4, 1, 2),
        (4, 2, 1),
    ] {
        let (_, filing) = statement(&vault, &alice, records[n], version);
        assert_eq!(filing.epoch, epoch, "record {n} version {version}");
    }
    assert_eq!(
        feed(&vault, &alice, home),
        before,
        "keys are no event of a feed"
    );
    let trail = audit(&vault, &alice, &alice);
    let last = trail.last().unwrap();
    assert_eq!((last.event, last.count), (AuditEvent::Refiled, Some(2)));
    let refiled = [(records[0], 1), (records[4], 1)];
    assert_eq!(last.subject, Some(listing_hash(refiled)));

    // The same again answers the same and is no event.
    let again = adopt_version(&mut vault, &alice.call_at(at), good);
    assert_eq!(again, answers[0]);
    assert_eq!(audit(&vault, &alice, &alice).len(), trail.len());
}

#[test]
fn a_batch_of_orders_is_bounded() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let record = alice.add(&mut vault, b"one");
    let (hash, _) = statement(&vault, &alice, record, 1);
    let order = alice.order(record, 1, hash, alice.compartment(), 1, NOW);
    let none = refused(&mut vault, |v| {
        api::versions_adopt(v, &alice.call(), Vec::new())
    });
    assert!(matches!(none, Error::Invalid { .. }));
    let many = vec![order.clone(); 101];
    let many = refused(&mut vault, |v| api::versions_adopt(v, &alice.call(), many));
    assert_eq!(
        many,
        Error::TooMany {
            what: "versions".into(),
            limit: limits::BATCH_VERSIONS
        }
    );
    let mut large = order;
    large.filing.wrap_content.resize(1 << 20, 0);
    let large = refused(&mut vault, |v| {
        api::versions_adopt(v, &alice.call(), vec![large])
    });
    assert!(matches!(large, Error::TooLarge { .. }));
}

#[test]
fn a_record_moves_with_its_versions_and_an_earlier_order_does_not_bring_it_back() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let (from, to) = (
        alice.compartment(),
        another_compartment(&mut alice, &mut vault),
    );
    let there = alice.give(&mut vault, &bob, Scope::Compartments(vec![to]), READ);
    let record = alice.add(&mut vault, b"first");
    amend(&alice, &mut vault, record, 1);
    let order = |vault: &TestVault, version, place, after| {
        let (hash, _) = statement(vault, &alice, record, version);
        alice.order(record, version, hash, place, 1, NOW + after)
    };
    let listed = |vault: &mut TestVault| {
        let list = ReleaseList {
            owner: alice.id,
            grant: there,
            compartment: Some(to),
            cursor: None,
            limit: None,
        };
        let page = api::release_list(vault, &bob.call(), list).unwrap();
        page.items.len()
    };
    let early = order(&vault, 1, to, 1);
    let error = refused(&mut vault, |v| {
        adopt_version(v, &alice.call_at(NOW + 1), early)
    });
    assert!(
        matches!(error, Error::Invalid { .. }),
        "the newest leads: {error:?}"
    );
    assert_eq!(listed(&mut vault), 0);
    let out = order(&vault, 2, to, 2);
    adopt_version(&mut vault, &alice.call_at(NOW + 2), out.clone()).unwrap();
    let follows = order(&vault, 1, to, 3);
    adopt_version(&mut vault, &alice.call_at(NOW + 3), follows).unwrap();
    assert_eq!(statement(&vault, &alice, record, 1).1.compartment, to);
    assert_eq!(listed(&mut vault), 1);
    let (old, new) = (feed(&vault, &alice, from), feed(&vault, &alice, to));
    assert_eq!(old.last(), Some(&FeedEvent::MovedOut));
    assert_eq!(new, [FeedEvent::MovedIn]);
    let trail = events(&audit(&vault, &alice, &alice));
    let moves = trail.iter().filter(|e| **e == AuditEvent::Refiled).count();
    assert_eq!(
        moves, 2,
        "whatever changes who may read has an entry of its own"
    );

    // Back home; then someone with her session sends again what she had signed before.
    let home = order(&vault, 2, from, 4);
    adopt_version(&mut vault, &alice.call_at(NOW + 4), home).unwrap();
    let replayed = refused(&mut vault, |v| {
        adopt_version(v, &alice.call_at(NOW + 5), out)
    });
    assert!(matches!(replayed, Error::Conflict { .. }), "{replayed:?}");
    assert_eq!(listed(&mut vault), 0);
    // It goes on being amended where it lies.
    amend(&alice, &mut vault, record, 2);
    assert_eq!(feed(&vault, &alice, from).last(), Some(&FeedEvent::Amended));
}
