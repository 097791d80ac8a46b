//! 19 and 20: records left out, and an audit trail cut short or forked.

use super::super::*;
use salus_client::{AccountId, Chain, Label, Quiet};
use salus_protocol::chain::{AUDIT_LABEL, EMPTY, FEED_LABEL, entry_hash, extend};
use salus_types::Hash;
use salus_types::api::{AuditItem, AuditPage, FeedPage, GrantPage, RecordPage, VersionView};

#[test]
fn a19_omit_records_from_their_owner() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let medicines = person.compartment("Medicines");
        for title in ["one", "two"] {
            person.write(title).await;
        }
        let lies = &person.device.lies;
        let omit: [Lie<RecordPage>; 3] = [
            ("the last", |page| drop(page.items.pop())),
            ("the first", |page| drop(page.items.remove(0))),
            ("all", |page| page.items.clear()),
        ];
        for (case, lie) in omit {
            lies.alter("record_list", lie);
            let listed = unmoved(&world, person.own.records(medicines)).await;
            let omitted = matches!(integrity(listed), IntegrityError::Omitted { .. });
            assert!(omitted, "{case}");
        }
        lies.stop();
        assert_eq!(person.titles().await, ["one", "two"]);
    });
}

#[test]
fn a19_omit_records_from_list_and_feed_alike() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        for title in ["one", "two"] {
            person.write(title).await;
        }
        let medicines = person.compartment("Medicines");
        let fresh = world.device(1);
        let own = fresh.client.unlock_with_phrase(&person.phrase).await;
        let own = own.unwrap();
        // So that they agree: the certificate does not.
        let cut = |page: &mut RecordPage| page.items.truncate(1);
        fresh.lies.alter("record_list", cut);
        fresh.lies.alter::<FeedPage>("feed_page", |page| {
            page.entries.truncate(1);
            page.head = extend(FEED_LABEL, &EMPTY, &entry_hash(&page.entries[0]));
        });
        let listed = unmoved(&world, own.records(medicines)).await;
        let chain = Chain::Feed(medicines);
        assert_eq!(integrity(listed), IntegrityError::NotCertified { chain });
        fresh.lies.stop();
        fresh
            .lies
            .alter::<FeedPage>("feed_page", |page| page.entries.reverse());
        let listed = unmoved(&world, own.records(medicines)).await;
        assert!(matches!(integrity(listed), IntegrityError::Broken { .. }));
        fresh.lies.stop();
        assert_eq!(own.records(medicines).await.unwrap().len(), 2);
    });
}

#[test]
fn a19_omit_records_from_a_grantee() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        patient.write("two").await;
        let medicines = patient.compartment("Medicines");
        let lies = &doctor.device.lies;
        lies.alter::<RecordPage>("release_list", |page| drop(page.items.remove(0)));
        let listed = doctor.own.granted_records(&grant, medicines).await;
        assert!(matches!(integrity(listed), IntegrityError::Omitted { .. }));
        lies.stop();
        let items = doctor.own.granted_records(&grant, medicines).await;
        let record = items.unwrap()[0].record;
        lies.alter::<Vec<VersionView>>("release_open", Vec::clear);
        let opened = doctor.own.open_granted(&grant, &[(record, None)]).await;
        let opened = opened.map(drop);
        assert_eq!(integrity(opened), IntegrityError::Omitted { record });
    });
}

#[test]
fn a19_omit_what_waits_in_the_drop_box() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let record = doctor.leave(&grant, "note").await.record;
        let lies = &patient.device.lies;
        lies.alter::<RecordPage>("record_list", |page| page.items.clear());
        let waiting = unmoved(&world, patient.own.drop_box()).await;
        assert_eq!(integrity(waiting), IntegrityError::Omitted { record });
        lies.stop();
        assert_eq!(patient.own.drop_box().await.unwrap().len(), 1);
    });
}

#[test]
fn a19_omit_grants_from_their_owner() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        patient
            .device
            .lies
            .alter::<GrantPage>("grant_list", |page| page.items.clear());
        let listed = unmoved(&world, patient.own.grants()).await;
        assert_eq!(integrity(listed), IntegrityError::Grant("the list"));
    });
}

#[test]
fn a20_truncate_or_bend_the_audit_chain() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        let lies = &patient.device.lies;
        let bend: [Lie<AuditPage>; 5] = [
            ("a bit", |page| {
                if let AuditItem::Entry(bytes) = &mut page.entries[2] {
                    let last = bytes.len() - 1;
                    bytes[last] ^= 1;
                }
            }),
            ("one left out", |page| drop(page.entries.remove(2))),
            ("two exchanged", |page| page.entries.swap(1, 2)),
            ("one hidden under another hash", |page| {
                page.entries[2] = AuditItem::Hidden(Hash([1; 32]));
            }),
            ("the last twice", |page| {
                let last = page.entries.last().unwrap().clone();
                page.entries.push(last);
                page.head.count += 1;
            }),
        ];
        for (case, bend) in bend {
            lies.alter("audit_page", bend);
            let trail = unmoved(&world, patient.own.audit_trail(&Quiet)).await;
            let broken = integrity(trail);
            let broken = matches!(broken, IntegrityError::Broken { .. });
            assert!(broken, "{case}");
        }
        lies.alter::<AuditPage>("audit_page", |page| {
            page.names[0].account = AccountId([9; 16]);
        });
        let renamed = unmoved(&world, patient.own.audit_trail(&Quiet)).await;
        assert_eq!(integrity(renamed), IntegrityError::Pseudonym);
        lies.stop();
        let whole = patient.own.audit_trail(&Quiet).await.unwrap();
        assert!(whole.verification.entries > 3);
    });
}

#[test]
fn a20_truncate_the_audit_chain_for_who_remembers_nothing() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        // Entries and head cut alike, so that they agree: the certificate does not.
        patient
            .device
            .lies
            .alter::<AuditPage>("audit_page", |page| {
                let keep = if page.entries.len() > 2 { 2 } else { 0 };
                page.entries.truncate(keep);
                page.head = EMPTY;
                for entry in &page.entries {
                    let AuditItem::Entry(bytes) = entry else {
                        panic!("the owner sees all entries")
                    };
                    page.head = extend(AUDIT_LABEL, &page.head, &entry_hash(bytes));
                }
            });
        let cut = unmoved(&world, patient.own.audit_trail(&Quiet)).await;
        let chain = Chain::Audit;
        assert_eq!(integrity(cut), IntegrityError::NotCertified { chain });
    });
}

#[test]
fn a20_fork_the_audit_chain() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        let before = world.vault.snapshot();
        let seen = doctor.own.granted_records(&grant, medicines).await;
        assert_eq!(seen.unwrap().len(), 1);
        let trail = patient.own.audit_trail(&Quiet).await.unwrap();
        let known = trail.verification.entries;
        // That the doctor looked is taken back, and something else put in its place, under a
        // certificate that is good: only who remembers can tell.
        world.vault.restore(&before).unwrap();
        let mallory = world.device(1).client;
        let other = mallory.unlock_with_phrase(&patient.phrase).await.unwrap();
        let label = Label::named("Other");
        other.add_compartment(&label).await.unwrap();
        let grown = other.audit_trail(&Quiet).await.unwrap();
        assert!(grown.verification.entries >= known);
        let trail = unmoved(&world, patient.own.audit_trail(&Quiet)).await;
        let forked = integrity(trail);
        let chain = Chain::Audit;
        assert!(
            matches!(forked, IntegrityError::Forked { chain: c, .. } if c == chain),
            "{forked:?}"
        );
    });
}
