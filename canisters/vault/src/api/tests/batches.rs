//! Many versions in one call: each stands or falls for itself.

use super::accounts::rotation;
use super::release::{audit, events};
use crate::api;
use crate::rows::CurrentRow;
use crate::testing::*;
use salus_protocol::chain::AuditEvent;
use salus_protocol::grant::{APPEND, READ, Scope};
use salus_protocol::keychain::Authority;
use salus_protocol::statement::{hash_of, sha256};
use salus_protocol::version::{Part, Version, part_root};
use salus_types::api::{
    PartSource, Placement, RecordGet, RecordList, UploadBegin, VersionAdd, VersionReceipt,
};
use salus_types::{CompartmentId, Error, Hash, RecordId, Result, UploadId, limits};
use serde_bytes::ByteBuf;

/// A fresh record of one's own with content of one byte value.
fn fresh(person: &mut Person, content: &[u8]) -> VersionAdd {
    let record = RecordId(person.fresh());
    let version = person.version(person, record, content);
    person.add_args(&version, content, 1)
}

fn statement(args: &VersionAdd) -> Version {
    minicbor::decode(&args.statement.statement).unwrap()
}

fn record(args: &VersionAdd) -> RecordId {
    statement(args).record
}

fn hash(args: &VersionAdd) -> Hash {
    hash_of::<Version>(&args.statement.statement)
}

fn amendment(person: &Person, of: &VersionAdd, content: &[u8]) -> VersionAdd {
    let mut version = person.version(person, record(of), content);
    version.version = statement(of).version + 1;
    version.previous = Some(hash(of));
    person.add_args(&version, content, 1)
}

fn errors(answers: &[Result<VersionReceipt>]) -> Vec<Option<Error>> {
    answers.iter().map(|a| a.clone().err()).collect()
}

fn listed(vault: &TestVault, person: &Person, compartment: CompartmentId) -> Vec<RecordId> {
    let list = RecordList {
        compartment,
        cursor: None,
        limit: None,
    };
    let page = api::record_list(vault, &person.call(), list).unwrap();
    page.items.iter().map(|item| item.record).collect()
}

#[test]
fn a_batch_leaves_what_single_calls_leave() {
    let (mut together, mut apart) = (new_vault(), new_vault());
    let mut alice = Person::opened(&mut together, 1);
    let mut same = Person::opened(&mut apart, 1);
    let items: Vec<VersionAdd> = (0..20u8).map(|n| fresh(&mut alice, &[n; 3000])).collect();
    let answers = api::versions_add(&mut together, &alice.call(), items).unwrap();
    assert!(!together.is_unsettled());
    for n in 0..20u8 {
        let item = fresh(&mut same, &[n; 3000]);
        let receipt = add_version(&mut apart, &same.call(), item).unwrap();
        assert_eq!(answers[usize::from(n)].as_ref().unwrap(), &receipt);
    }
    assert_eq!(
        format!("{:?}", together.account(0).unwrap()),
        format!("{:?}", apart.account(0).unwrap())
    );
    assert_eq!(together.runtime.certified, apart.runtime.certified);
    assert_eq!(
        listed(&together, &alice, alice.compartment()),
        listed(&apart, &same, same.compartment())
    );
    let written = events(&audit(&together, &alice, &alice));
    assert_eq!(
        written
            .iter()
            .filter(|e| **e == AuditEvent::Written)
            .count(),
        20,
        "one entry for each version"
    );
}

#[test]
fn what_is_refused_changes_nothing_and_stops_nothing() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let bytes_before = vault.account(0).unwrap().bytes;
    let good: Vec<VersionAdd> = (0..3u8).map(|n| fresh(&mut alice, &[n; 40])).collect();
    let mut forged = fresh(&mut alice, b"forged");
    forged.statement.signature = sign(&bob.signing, &statement(&forged)).signature;
    let mut other_bytes = fresh(&mut alice, b"bytes");
    other_bytes.parts = vec![PartSource::Inline(ByteBuf::from(b"BYTES".to_vec()))];
    let mut stale = fresh(&mut alice, b"stale");
    if let Placement::Filed(filing) = &mut stale.placement {
        filing.epoch = 2;
    }
    let items = vec![
        forged,
        good[0].clone(),
        other_bytes,
        good[1].clone(),
        stale,
        good[2].clone(),
    ];
    let answers = api::versions_add(&mut vault, &alice.call(), items).unwrap();
    let errors = errors(&answers);
    assert!(matches!(errors[0], Some(Error::BadSignature { .. })));
    assert!(matches!(errors[2], Some(Error::Invalid { .. })));
    assert!(matches!(errors[4], Some(Error::StaleHead { .. })));
    assert_eq!([&errors[1], &errors[3], &errors[5]], [&None; 3]);
    let there = listed(&vault, &alice, alice.compartment());
    assert_eq!(there, good.iter().map(record).collect::<Vec<_>>());
    let account = vault.account(0).unwrap();
    assert_eq!(account.records, 3);
    let each = 40 + DESCRIPTOR.len() as u64;
    assert_eq!(account.bytes, bytes_before + 3 * each);
    let written = events(&audit(&vault, &alice, &alice));
    assert_eq!(&written[written.len() - 3..], [AuditEvent::Written; 3]);
    assert_eq!(written.len(), 4, "refusals to oneself are not listed");
}

#[test]
fn a_batch_that_is_empty_or_too_large_is_refused_whole() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let none = refused(&mut vault, |v| {
        api::versions_add(v, &alice.call(), Vec::new())
    });
    assert_eq!(none, Error::invalid("versions", "none"));
    let most = limits::BATCH_VERSIONS as usize;
    let many: Vec<VersionAdd> = (0..=most).map(|_| fresh(&mut alice, b"small")).collect();
    let more = refused(&mut vault, |v| {
        api::versions_add(v, &alice.call(), many.clone())
    });
    let limit = limits::BATCH_VERSIONS;
    let what = "versions".to_owned();
    assert_eq!(more, Error::TooMany { what, limit });
    let half = vec![7; limits::BATCH_BYTES as usize / 2];
    let long = vec![fresh(&mut alice, &half), fresh(&mut alice, &half)];
    let larger = refused(&mut vault, |v| api::versions_add(v, &alice.call(), long));
    let limit = limits::BATCH_BYTES;
    let field = "versions".to_owned();
    assert_eq!(larger, Error::TooLarge { field, limit });
    assert!(listed(&vault, &alice, alice.compartment()).is_empty());

    let answers = api::versions_add(&mut vault, &alice.call(), many[..most].to_vec());
    assert_eq!(errors(&answers.unwrap()), vec![None; most]);
}

#[test]
fn every_version_that_may_be_given_inline_fits_into_a_batch() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let most = vec![7; limits::INLINE_BYTES as usize];
    let item = fresh(&mut alice, &most);
    add_version(&mut vault, &alice.call(), item).unwrap();
    let more = vec![7; limits::INLINE_BYTES as usize + 1];
    let item = fresh(&mut alice, &more);
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), item));
    let limit = limits::INLINE_BYTES;
    let field = "parts".to_owned();
    assert_eq!(error, Error::TooLarge { field, limit });
}

#[test]
fn a_batch_counts_as_much_as_it_holds() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let item = fresh(&mut alice, b"again");
    // The same version again is work too.
    let batch = vec![item.clone(); limits::BATCH_VERSIONS as usize];
    let mut done = 0;
    let error = loop {
        match api::versions_add(&mut vault, &alice.call(), batch.clone()) {
            Ok(_) => done += batch.len(),
            Err(error) => break error,
        }
        assert!(done < 20_000, "never limited");
    };
    assert!(matches!(error, Error::RateLimited { .. }), "{error:?}");
    assert!(done > 10_000, "limited after {done}");
}

#[test]
fn the_same_batch_again_stores_nothing_twice() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let items: Vec<VersionAdd> = (0..5u8).map(|n| fresh(&mut alice, &[n; 40])).collect();
    let first = api::versions_add(&mut vault, &alice.call(), items.clone()).unwrap();
    let (root, account) = (vault.runtime.certified, vault.account(0).unwrap());
    let writes = vault.store.writes();
    let again = api::versions_add(&mut vault, &alice.call(), items.clone()).unwrap();
    let named = |answers: &[Result<VersionReceipt>]| -> Vec<_> {
        let receipts = answers.iter().map(|a| a.as_ref().unwrap());
        receipts.map(|r| (r.record, r.version)).collect()
    };
    assert_eq!(named(&again), named(&first));
    assert_eq!(vault.store.writes(), writes, "nothing is written again");
    assert_eq!(vault.runtime.certified, root);
    assert_eq!(vault.account(0).unwrap().records, account.records);
    // Twice within one call, too; and of a batch that arrived in part the rest is stored.
    let next = fresh(&mut alice, b"next");
    let mixed = vec![items[4].clone(), next.clone(), next.clone()];
    let answers = api::versions_add(&mut vault, &alice.call(), mixed).unwrap();
    assert_eq!(errors(&answers), vec![None; 3]);
    assert_eq!(vault.account(0).unwrap().records, account.records + 1);
}

#[test]
fn a_version_may_go_on_from_another_of_the_same_call() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let first = fresh(&mut alice, b"first");
    let second = amendment(&alice, &first, b"second");
    let third = amendment(&alice, &second, b"third");
    let lone = fresh(&mut alice, b"lone");
    // The third comes before what it goes on from: it alone is refused.
    let items = vec![first.clone(), third.clone(), second, lone];
    let answers = api::versions_add(&mut vault, &alice.call(), items).unwrap();
    let errors = errors(&answers);
    assert!(matches!(errors[1], Some(Error::Invalid { .. })));
    assert_eq!([&errors[0], &errors[2], &errors[3]], [&None; 3]);
    let receipt = add_version(&mut vault, &alice.call(), third).unwrap();
    assert_eq!((receipt.version, receipt.feed.head.count), (3, 4));
    let get = RecordGet {
        record: record(&first),
        version: None,
    };
    let views = api::record_get(&vault, &alice.call(), get).unwrap();
    let versions: Vec<_> = views.iter().map(|v| v.version).collect();
    assert_eq!(versions, [3, 2, 1]);
}

#[test]
fn when_the_quota_ends_in_the_middle_what_was_acknowledged_stays() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let before = vault.account(0).unwrap().bytes;
    let limit = before + 1000;
    vault.settings.account_quota = limit;
    let sizes = [400, 400, 300, 100, 40];
    let items: Vec<VersionAdd> = sizes
        .iter()
        .map(|size| fresh(&mut alice, &vec![1; *size]))
        .collect();
    let stored: Vec<_> = [0, 1, 3].map(|n: usize| record(&items[n])).to_vec();
    let answers = api::versions_add(&mut vault, &alice.call(), items).unwrap();
    let descriptor = DESCRIPTOR.len() as u64;
    let full = |used| Some(Error::QuotaExceeded { used, limit });
    let used = before + 800 + 2 * descriptor;
    let after = used + 100 + descriptor;
    assert_eq!(
        errors(&answers),
        [None, None, full(used), None, full(after)]
    );
    assert_eq!(listed(&vault, &alice, alice.compartment()), stored);
    assert_eq!(vault.account(0).unwrap().bytes, after);
}

#[test]
fn refusals_on_record_stand_between_what_was_left() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let carol = Person::opened(&mut vault, 3);
    let appender = alice.give(&mut vault, &bob, Scope::Everything, APPEND);
    let reader = alice.give(&mut vault, &bob, Scope::Everything, READ);
    let foreign = alice.give(&mut vault, &carol, Scope::Everything, APPEND);
    let mut note = |grant, text: &[u8]| {
        let record = RecordId(bob.fresh());
        let version = bob.version(&alice, record, text);
        bob.drop_args(&alice, &version, grant, text)
    };
    let notes = [
        note(appender, b"one"),
        note(reader, b"may read, not append"),
        note(appender, b"two"),
        note(foreign, b"another's grant"),
        note(appender, b"three"),
    ];
    let own = fresh(&mut bob, b"bob's own");
    let mut items = notes.to_vec();
    items.insert(3, own.clone());
    let answers = api::versions_add(&mut vault, &bob.call(), items).unwrap();
    let not_found = Some(Error::NotFound);
    let expected = [None, not_found.clone(), None, None, not_found, None];
    assert_eq!(errors(&answers), expected);
    assert!(!vault.is_unsettled());

    let entries = audit(&vault, &alice, &alice);
    let last: Vec<_> = entries.iter().rev().take(5).rev().collect();
    let told: Vec<_> = last.iter().map(|e| e.event).collect();
    let expected = [
        AuditEvent::Appended,
        AuditEvent::Refused,
        AuditEvent::Appended,
        AuditEvent::StrangersRefused,
        AuditEvent::Appended,
    ];
    assert_eq!(told, expected);
    assert_eq!(last[3].count, Some(1));
    let left = [&notes[0], &notes[2], &notes[4]].map(record);
    assert_eq!(listed(&vault, &alice, CompartmentId::DROP_BOX), left);
    assert_eq!(vault.account(0).unwrap().records, 3);
    let inbox = api::inbox_page(&vault, &alice.call(), 0).unwrap();
    assert_eq!(inbox.count, 3);
    assert_eq!(listed(&vault, &bob, bob.compartment()), [record(&own)]);
}

#[test]
fn uploads_become_versions_of_a_batch_once() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, APPEND);
    let content = b"an uploaded part";
    let (mine, theirs) = (UploadId([5; 16]), UploadId([6; 16]));
    for (upload, owner, under) in [(mine, &bob, None), (theirs, &alice, Some(grant))] {
        let begin = UploadBegin {
            upload,
            owner: owner.id,
            grant: under,
            size: content.len() as u64,
        };
        api::upload_begin(&mut vault, &bob.call(), begin).unwrap();
        api::upload_piece(&mut vault, &bob.call(), &upload, 0, content).unwrap();
    }
    let uploaded = |version: &Version| Version {
        parts: vec![Part {
            root: part_root(content.len() as u64, &[sha256(content)]),
            size: content.len() as u64,
        }],
        ..version.clone()
    };
    let from = |mut args: VersionAdd, upload| {
        args.parts = vec![PartSource::Upload(upload)];
        args
    };
    let [first, second, third] = [(); 3].map(|()| RecordId(bob.fresh()));
    let own = uploaded(&bob.version(&bob, first, b""));
    let twice = uploaded(&bob.version(&bob, second, b""));
    let note = uploaded(&bob.version(&alice, third, b""));
    let items = vec![
        from(bob.add_args(&own, b"", 1), mine),
        from(bob.add_args(&twice, b"", 1), mine),
        from(bob.drop_args(&alice, &note, grant, b""), theirs),
    ];
    let answers = api::versions_add(&mut vault, &bob.call(), items).unwrap();
    assert_eq!(errors(&answers), [None, Some(Error::NotFound), None]);
    assert_eq!(vault.account(1).unwrap().open_uploads, 0);
    assert_eq!(vault.account(1).unwrap().records, 1);
    assert_eq!(vault.account(0).unwrap().records, 1);
}

#[test]
fn what_fails_half_way_takes_the_whole_call_back() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let damaged = fresh(&mut alice, b"damaged");
    add_version(&mut vault, &alice.call(), damaged.clone()).unwrap();
    let place = CurrentRow::key(0, &alice.compartment(), 0);
    vault.store.remove::<CurrentRow>(&place);
    vault.settle();
    let items = vec![
        fresh(&mut alice, b"before"),
        amendment(&alice, &damaged, b"half-way"),
        fresh(&mut alice, b"after"),
    ];
    let error = api::versions_add(&mut vault, &alice.call(), items).unwrap_err();
    assert_eq!(error, Error::internal("current version"));
    assert!(vault.is_unsettled(), "the platform would keep half of it");
}

#[test]
fn a_version_signed_under_a_replaced_key_link_is_told_the_ledger_that_replaced_it() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let late = fresh(&mut alice, b"written before");
    let rotated = rotation(&mut alice, Authority::Identity, 50);
    api::key_rotate(&mut vault, &alice.call(), rotated.clone()).unwrap();
    alice.advance(&rotated.op);
    vault.settle();
    let answers = api::versions_add(&mut vault, &alice.call(), vec![late.clone()]).unwrap();
    let stale = Error::StaleHead {
        count: alice.head.count,
        head: alice.head.hash,
    };
    assert_eq!(errors(&answers), [Some(stale)]);
    assert!(!vault.is_unsettled());
    // Signed anew it goes in; in another's name it never does.
    let version = Version {
        author_link: alice.link,
        ..statement(&late)
    };
    let again = alice.add_args(&version, b"written before", 1);
    let answers = api::versions_add(&mut vault, &alice.call(), vec![again]).unwrap();
    assert_eq!(errors(&answers), [None]);
    let foreign = Version {
        record: RecordId([77; 16]),
        author_genesis: Hash([9; 32]),
        ..version
    };
    let foreign = alice.add_args(&foreign, b"written before", 1);
    let answers = api::versions_add(&mut vault, &alice.call(), vec![foreign]).unwrap();
    assert!(matches!(
        errors(&answers).as_slice(),
        [Some(Error::Invalid { .. })]
    ));
}
