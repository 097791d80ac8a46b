//! A vault that lies about records: each lie has its refusal.

use super::super::*;
use salus_tests::transports::decode_answer;
use salus_types::api::{FeedPage, Filed, RecordPage, VersionView};
use serde_bytes::ByteBuf;

async fn lied(
    person: &Person,
    lie: impl Fn(&mut RecordPage) + 'static,
) -> Result<Vec<salus_client::RecordItem>, ClientError> {
    person.device.lies.alter("record_list", lie);
    let listed = person.own.records(person.compartment("Medicines")).await;
    person.device.lies.stop();
    listed
}

#[test]
fn a_record_withheld_or_swapped_is_noticed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("one").await;
        person.write("two").await;
        let omitted = lied(&person, |page| {
            page.items.pop();
        });
        assert!(matches!(
            integrity(omitted.await),
            IntegrityError::Omitted { .. }
        ));
        let twisted = lied(&person, |page| {
            let other = page.items[1].descriptor.clone();
            page.items[0].descriptor = other;
        });
        assert!(matches!(
            integrity(twisted.await),
            IntegrityError::Version {
                what: "the descriptor",
                ..
            }
        ));
        let renamed = lied(&person, |page| {
            page.items[0].record = page.items[1].record;
        });
        assert!(matches!(
            integrity(renamed.await),
            IntegrityError::Version { .. }
        ));
        let unsigned = lied(&person, |page| page.items[0].statement.signature[0] ^= 1);
        assert!(matches!(
            integrity(unsigned.await),
            IntegrityError::Statement(_)
        ));
        let rewrapped = lied(&person, |page| {
            if let Filed::Compartment(filing) = &mut page.items[0].filed {
                filing.wrap_descriptor[60] ^= 1;
            }
        });
        assert!(matches!(rewrapped.await, Err(ClientError::Open(_))));
        assert_eq!(person.titles().await, ["one", "two"]);
    });
}

#[test]
fn an_old_version_in_place_of_the_newest_is_noticed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let stored = person.write("old").await;
        let old = person.own.history(stored.record).await.unwrap().remove(0);
        let get = salus_types::api::RecordList {
            compartment: person.compartment("Medicines"),
            cursor: None,
            limit: None,
        };
        let arg = candid::encode_one(get).unwrap();
        let vault = world.vault.for_caller(person.device.client.caller());
        let before = vault.query("record_list", &arg).await.unwrap();
        let before: RecordPage = decode_answer(&before).unwrap();
        person
            .own
            .amend_record(&old, &draft("new"), &text("new"), &Quiet)
            .await
            .unwrap();
        let stale = lied(&person, move |page| *page = before.clone());
        assert!(matches!(
            integrity(stale.await),
            IntegrityError::NotInFeed { .. }
        ));
        person
            .device
            .lies
            .alter::<Vec<VersionView>>("record_get", |views| {
                views.remove(0);
            });
        let history = person.own.history(stored.record).await;
        assert!(matches!(
            integrity(history),
            IntegrityError::NotInFeed { .. }
        ));
    });
}

#[test]
fn a_feed_that_was_cut_or_bent_is_noticed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        person.write("one").await;
        person.write("two").await;
        let medicines = person.compartment("Medicines");
        // List and feed cut alike, so that they agree: the certificate does not.
        let fresh = world.device(1);
        let own = fresh
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        fresh
            .lies
            .alter::<RecordPage>("record_list", |page| page.items.truncate(1));
        fresh.lies.alter::<FeedPage>("feed_page", |page| {
            page.entries.truncate(1);
            let entry = salus_protocol::chain::entry_hash(&page.entries[0]);
            let label = salus_protocol::chain::FEED_LABEL;
            page.head = salus_protocol::chain::extend(label, &salus_protocol::chain::EMPTY, &entry);
        });
        let cut = own.records(medicines).await;
        assert_eq!(
            integrity(cut),
            IntegrityError::NotCertified {
                chain: Chain::Feed(medicines)
            }
        );
        fresh.lies.stop();
        fresh
            .lies
            .alter::<FeedPage>("feed_page", |page| page.entries.reverse());
        let bent = own.records(medicines).await;
        assert!(matches!(integrity(bent), IntegrityError::Broken { .. }));
        fresh.lies.stop();
        assert_eq!(own.records(medicines).await.unwrap().len(), 2);
    });
}

#[test]
fn a_bent_byte_of_ciphertext_is_noticed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let stored = person.write("one").await;
        let open = person.own.open_record(stored.record, None).await.unwrap();
        person.device.lies.alter::<ByteBuf>("piece_read", |piece| {
            let last = piece.len() - 1;
            piece[last] ^= 1;
        });
        let bent = person.own.read_parts(&open, &Quiet).await;
        assert!(matches!(
            bent,
            Err(ClientError::Open(_) | ClientError::Integrity(_))
        ));
        person
            .device
            .lies
            .alter::<ByteBuf>("piece_read", |piece| piece.truncate(700));
        let short = person.own.read_parts(&open, &Quiet).await;
        assert!(matches!(
            short,
            Err(ClientError::Open(_) | ClientError::Integrity(_))
        ));
    });
}

#[test]
fn a_record_withheld_from_a_grantee_is_noticed() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        patient.write("two").await;
        doctor
            .device
            .lies
            .alter::<RecordPage>("release_list", |page| {
                page.items.remove(0);
            });
        let medicines = patient.compartment("Medicines");
        let listed = doctor.own.granted_records(&grant, medicines).await;
        assert!(matches!(integrity(listed), IntegrityError::Omitted { .. }));
        doctor.device.lies.stop();
        let item = doctor
            .own
            .granted_records(&grant, medicines)
            .await
            .unwrap()
            .remove(0);
        doctor
            .device
            .lies
            .alter::<Vec<VersionView>>("release_open", |views| views.clear());
        let opened = doctor
            .own
            .open_granted(&grant, &[(item.record, None)])
            .await;
        assert!(matches!(
            opened.err(),
            Some(ClientError::Integrity(IntegrityError::Omitted { .. }))
        ));
    });
}
