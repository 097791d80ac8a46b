//! Writing and reading one's own records, and the drop box.

use crate::api;
use crate::testing::*;
use salus_protocol::chain::{self, follow_feed};
use salus_protocol::grant::{APPEND, READ, Scope};
use salus_protocol::statement::hash_of;
use salus_protocol::version::Version;
use salus_types::api::{FeedGet, Filed, PartSource, PieceRead, Placement, RecordGet, RecordList};
use salus_types::{CompartmentId, Error, GrantId, Hash, RecordId};
use serde_bytes::ByteBuf;

fn list(compartment: CompartmentId) -> RecordList {
    RecordList {
        compartment,
        cursor: None,
        limit: None,
    }
}

fn piece(owner: &Person, record: RecordId, version: u32, grant: Option<GrantId>) -> PieceRead {
    PieceRead {
        owner: owner.id,
        grant,
        record,
        version,
        part: 0,
        index: 0,
    }
}

fn hash_of_version(vault: &TestVault, person: &Person, record: RecordId, version: u32) -> Hash {
    let get = RecordGet {
        record,
        version: Some(version),
    };
    let views = api::record_get(vault, &person.call(), get).unwrap();
    hash_of::<Version>(&views[0].statement.statement)
}

#[test]
fn a_record_is_listed_with_its_keys_and_read_by_its_owner() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let record = alice.add(&mut vault, b"ciphertext");
    let page = api::record_list(&vault, &alice.call(), list(alice.compartment())).unwrap();
    let [item] = page.items.as_slice() else {
        panic!("one record")
    };
    assert_eq!(item.record, record);
    assert_eq!(item.descriptor.as_slice(), DESCRIPTOR);
    let Filed::Compartment(filing) = &item.filed else {
        panic!("filed")
    };
    assert_eq!(filing.wrap_content.as_slice(), b"content key");
    let bytes = api::piece_read(&vault, &alice.call(), piece(&alice, record, 1, None)).unwrap();
    assert_eq!(bytes.as_slice(), b"ciphertext");
}

#[test]
fn pages_follow_each_other_in_filing_order() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let records: Vec<_> = (0..25u8).map(|n| alice.add(&mut vault, &[n; 30])).collect();
    let mut seen = Vec::new();
    let mut args = RecordList {
        limit: Some(7),
        ..list(alice.compartment())
    };
    loop {
        let page = api::record_list(&vault, &alice.call(), args.clone()).unwrap();
        assert!(page.items.len() <= 7);
        seen.extend(page.items.iter().map(|item| item.record));
        match page.next {
            Some(next) => args.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, records);
}

#[test]
fn an_amendment_supersedes_and_the_old_version_stays_readable() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let record = alice.add(&mut vault, b"first");
    let first = hash_of_version(&vault, &alice, record, 1);
    let receipt = alice
        .amend(&mut vault, record, (1, first), b"second")
        .unwrap();
    assert_eq!(receipt.version, 2);
    assert_eq!(receipt.feed.head.count, 2);
    let again = alice
        .amend(&mut vault, record, (1, first), b"second")
        .unwrap();
    assert_eq!(again, receipt);
    let error = alice
        .amend(&mut vault, record, (1, first), b"other")
        .unwrap_err();
    assert_eq!(
        error,
        Error::Conflict {
            what: "record".into()
        }
    );
    let error = alice
        .amend(&mut vault, record, (3, first), b"fourth")
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }));
    let error = alice
        .amend(&mut vault, record, (2, first), b"third")
        .unwrap_err();
    assert!(
        matches!(error, Error::Invalid { .. }),
        "a wrong predecessor"
    );
    let page = api::record_list(&vault, &alice.call(), list(alice.compartment())).unwrap();
    assert_eq!(
        page.items.iter().map(|i| i.version).collect::<Vec<_>>(),
        [2]
    );
    let get = RecordGet {
        record,
        version: None,
    };
    let all = api::record_get(&vault, &alice.call(), get).unwrap();
    assert_eq!(
        all.iter()
            .map(|v| (v.version, v.latest))
            .collect::<Vec<_>>(),
        [(2, 2), (1, 2)]
    );
    for (version, content) in [(1, b"first".as_slice()), (2, b"second")] {
        let read = piece(&alice, record, version, None);
        assert_eq!(
            api::piece_read(&vault, &alice.call(), read)
                .unwrap()
                .as_slice(),
            content
        );
    }
}

#[test]
fn feeds_verify_up_to_the_head() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    for n in 0..5u8 {
        alice.add(&mut vault, &[n; 10]);
    }
    let get = FeedGet {
        owner: alice.id,
        grant: None,
        compartment: alice.compartment(),
        from: 0,
    };
    let page = api::feed_page(&vault, &alice.call(), get).unwrap();
    let entries = page.entries.iter().map(|e| e.as_slice());
    let (entries, head) = follow_feed(&chain::EMPTY, entries).unwrap();
    assert_eq!(head, page.head);
    assert_eq!(entries.len(), 5);
}

#[test]
fn reading_by_unauthorized_is_not_found() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let record = alice.add(&mut vault, b"secret");
    let compartment = alice.compartment();
    let error = api::record_list(&vault, &bob.call(), list(compartment)).unwrap_err();
    assert_eq!(error, Error::NotFound);
    let get = RecordGet {
        record,
        version: Some(1),
    };
    assert_eq!(
        api::record_get(&vault, &bob.call(), get).unwrap_err(),
        Error::NotFound
    );
    for grant in [None, Some(GrantId([9; 16]))] {
        let error = api::piece_read(&vault, &bob.call(), piece(&alice, record, 1, grant));
        assert_eq!(error.unwrap_err(), Error::NotFound);
        let get = FeedGet {
            owner: alice.id,
            grant,
            compartment,
            from: 0,
        };
        assert_eq!(
            api::feed_page(&vault, &bob.call(), get).unwrap_err(),
            Error::NotFound
        );
    }
}

#[test]
fn version_add_by_unauthorized_or_with_other_bytes_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let record = RecordId(alice.fresh());
    let version = alice.version(&alice, record, b"content");
    let good = alice.add_args(&version, b"content", 1);
    let error = refused(&mut vault, |v| add_version(v, &bob.call(), good.clone()));
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let forged = {
        let mut args = good.clone();
        args.statement = sign(&bob.signing, &version);
        args
    };
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), forged));
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "version".into()
        }
    );
    let mut other_bytes = good.clone();
    other_bytes.parts = vec![PartSource::Inline(ByteBuf::from(b"CONTENT".to_vec()))];
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), other_bytes));
    assert!(matches!(error, Error::Invalid { .. }));
    let mut other_descriptor = good.clone();
    other_descriptor.descriptor.push(0);
    let error = refused(&mut vault, |v| {
        add_version(v, &alice.call(), other_descriptor)
    });
    assert!(matches!(error, Error::Invalid { .. }));
    let mut nowhere = good.clone();
    if let Placement::Filed(filing) = &mut nowhere.placement {
        filing.compartment = CompartmentId([240; 16]);
    }
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), nowhere));
    assert_eq!(error, Error::NotFound);
    let mut into_drop_box = good.clone();
    if let Placement::Filed(filing) = &mut into_drop_box.placement {
        filing.compartment = CompartmentId::DROP_BOX;
    }
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), into_drop_box));
    assert_eq!(error, Error::NotFound);
    let mut foreign = version.clone();
    foreign.vault = vec![1];
    let foreign = alice.add_args(&foreign, b"content", 1);
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), foreign));
    assert!(matches!(error, Error::Invalid { field, .. } if field == "vault"));
    add_version(&mut vault, &alice.call(), good).unwrap();
}

#[test]
fn a_full_account_takes_nothing_more_and_serves_what_it_has() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let before = vault.account(0).unwrap().bytes;
    vault.settings.account_quota = before + 1000;
    let record = alice.add(&mut vault, &[1; 900]);
    let next = RecordId(alice.fresh());
    let version = alice.version(&alice, next, &[2; 200]);
    let args = alice.add_args(&version, &[2; 200], 1);
    let error = refused(&mut vault, |v| add_version(v, &alice.call(), args));
    let used = before + 900 + DESCRIPTOR.len() as u64;
    let limit = before + 1000;
    assert_eq!(error, Error::QuotaExceeded { used, limit });
    let read = api::piece_read(&vault, &alice.call(), piece(&alice, record, 1, None));
    assert_eq!(read.unwrap().len(), 900);
}

#[test]
fn a_note_is_left_adopted_and_then_seen_by_other_grantees() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let carol = Person::opened(&mut vault, 3);
    let grant = alice.give(&mut vault, &bob, Scope::Everything, READ | APPEND);
    let other = alice.give(&mut vault, &carol, Scope::Everything, READ);
    let record = RecordId(bob.fresh());
    let version = bob.version(&alice, record, b"a note");
    let args = bob.drop_args(&alice, &version, grant, b"a note");
    let receipt = add_version(&mut vault, &bob.call(), args.clone()).unwrap();
    assert_eq!(receipt.feed.compartment, CompartmentId::DROP_BOX);
    assert_eq!(add_version(&mut vault, &bob.call(), args).unwrap(), receipt);

    let waiting = api::record_list(&vault, &alice.call(), list(CompartmentId::DROP_BOX)).unwrap();
    let [item] = waiting.items.as_slice() else {
        panic!("one waits")
    };
    assert_eq!(item.author, bob.id);
    assert!(matches!(&item.filed, Filed::DropBox { envelope, .. } if envelope == ENVELOPE));
    let inbox = api::inbox_page(&vault, &alice.call(), 0).unwrap();
    assert_eq!(inbox.count, 1);
    for (person, grant) in [(&bob, grant), (&carol, other)] {
        let read = piece(&alice, record, 1, Some(grant));
        assert_eq!(
            api::piece_read(&vault, &person.call(), read).unwrap_err(),
            Error::NotFound
        );
        let list = salus_types::api::ReleaseList {
            owner: alice.id,
            grant,
            compartment: Some(CompartmentId::DROP_BOX),
            cursor: None,
            limit: None,
        };
        let error = refused(&mut vault, |v| api::release_list(v, &person.call(), list));
        assert_eq!(error, Error::NotFound);
        let get = FeedGet {
            owner: alice.id,
            grant: Some(grant),
            compartment: CompartmentId::DROP_BOX,
            from: 0,
        };
        assert_eq!(
            api::feed_page(&vault, &person.call(), get).unwrap_err(),
            Error::NotFound
        );
    }

    let hash = hash_of::<Version>(&item.statement.statement);
    let adopt = alice.order(record, 1, hash, alice.compartment(), 1, NOW);
    let error = refused(&mut vault, |v| adopt_version(v, &bob.call(), adopt.clone()));
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let mut forged = adopt.clone();
    forged.statement.signature = bob
        .order(record, 1, hash, alice.compartment(), 1, NOW)
        .statement
        .signature;
    let error = refused(&mut vault, |v| adopt_version(v, &alice.call(), forged));
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "adoption".into()
        }
    );
    let filed = adopt_version(&mut vault, &alice.call(), adopt.clone()).unwrap();
    assert_eq!(filed.feed.compartment, alice.compartment());
    assert_eq!(
        adopt_version(&mut vault, &alice.call(), adopt).unwrap(),
        filed
    );
    let waiting = api::record_list(&vault, &alice.call(), list(CompartmentId::DROP_BOX)).unwrap();
    assert!(waiting.items.is_empty());
    let list = salus_types::api::ReleaseList {
        owner: alice.id,
        grant: other,
        compartment: Some(alice.compartment()),
        cursor: None,
        limit: None,
    };
    let seen = api::release_list(&mut vault, &carol.call(), list).unwrap();
    assert_eq!(seen.items.len(), 1);
}

#[test]
fn a_drop_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let mut carol = Person::opened(&mut vault, 3);
    let reader = alice.give(&mut vault, &bob, Scope::Everything, READ);
    let record = RecordId(bob.fresh());
    let version = bob.version(&alice, record, b"note");
    let args = bob.drop_args(&alice, &version, reader, b"note");
    let error = refused(&mut vault, |v| add_version(v, &bob.call(), args));
    assert_eq!(error, Error::NotFound, "may read, not append");
    let appender = alice.give(&mut vault, &bob, Scope::Everything, APPEND);
    let record = RecordId(carol.fresh());
    let version = carol.version(&alice, record, b"note");
    let args = carol.drop_args(&alice, &version, appender, b"note");
    let error = refused(&mut vault, |v| add_version(v, &carol.call(), args));
    assert_eq!(error, Error::NotFound, "another's grant");
    let resigned = bob.version(&alice, RecordId([77; 16]), b"note");
    let mut args = bob.drop_args(&alice, &resigned, appender, b"note");
    args.placement = Placement::DropBox {
        grant: appender,
        envelope: ByteBuf::from(b"for someone else".to_vec()),
    };
    let error = refused(&mut vault, |v| add_version(v, &bob.call(), args));
    assert!(
        matches!(error, Error::Invalid { .. }),
        "an envelope the author did not sign"
    );
}
