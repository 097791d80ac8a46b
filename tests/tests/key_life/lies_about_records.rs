//! A vault that lies about records and about other people: each lie has its refusal.

use super::super::*;
use salus_types::api::{
    Counterparty, DirectoryItem, FeedPage, Filed, GrantPage, RecordPage, RequestPage, VersionView,
};
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
        let before: RecordPage = salus_tests::transports::decode_answer(&before).unwrap();
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
fn another_patients_keys_behind_a_link_are_refused() {
    run(async {
        let world = World::new();
        let patient = world.person(1).await;
        let mallory = world.person(66).await;
        let doctor = world.person(2).await;
        let (link, _) = patient.own.invite(NOW + DAY).await.unwrap();
        let (hers, _) = mallory.own.invite(NOW + DAY).await.unwrap();
        let theirs = mallory_shown(&world, &doctor, &hers).await;
        doctor
            .device
            .lies
            .alter::<Counterparty>("invitation_open", move |shown| {
                *shown = theirs.clone();
            });
        let refused = doctor.own.open_link(&link).await;
        assert_eq!(
            integrity(refused),
            IntegrityError::KeyChanged {
                account: mallory.own.account()
            }
        );
    });
}

async fn mallory_shown(world: &World, doctor: &Person, link: &salus_client::Link) -> Counterparty {
    let open = salus_types::api::InvitationOpen {
        patient: link.patient,
        code: ByteBuf::from(link.code.clone().unwrap()),
    };
    let vault = world.vault.for_caller(doctor.device.client.caller());
    let arg = candid::encode_one(open).unwrap();
    let answer = vault.query("invitation_open", &arg).await.unwrap();
    salus_tests::transports::decode_answer(&answer).unwrap()
}

#[test]
fn another_grantees_keys_are_refused() {
    run(async {
        let world = World::new();
        let patient = world.person(1).await;
        let doctor = registered(&world, 2).await;
        let mallory = registered(&world, 66).await;
        let theirs = patient
            .device
            .client
            .person(mallory.own.account())
            .await
            .unwrap();
        let chain = {
            let vault = world.vault.for_caller(mallory.device.client.caller());
            let arg = candid::encode_one(mallory.own.account()).unwrap();
            let answer = vault.query("chain_get", &arg).await.unwrap();
            let shown: Counterparty = salus_tests::transports::decode_answer(&answer).unwrap();
            shown
        };
        assert_eq!(theirs.account, mallory.own.account());
        // In the directory: the doctor's principal with Mallory's keys.
        let shown = chain.clone();
        patient
            .device
            .lies
            .alter::<DirectoryItem>("directory_get", move |item| {
                item.counterparty = shown.clone();
            });
        let principal = doctor.device.client.caller();
        let swapped = patient.device.client.provider(principal).await;
        assert_eq!(integrity(swapped), IntegrityError::OtherAccount);
        patient.device.lies.stop();

        // A rotation of the doctor's withheld: the key may be a thief's by now.
        doctor.own.rotate_identity().await.unwrap();
        let withhold = |item: &mut DirectoryItem| item.counterparty.chain.truncate(1);
        patient.device.lies.alter("directory_get", withhold);
        let old = patient.device.client.provider(principal).await;
        assert_eq!(
            integrity(old),
            IntegrityError::NotCertified {
                chain: Chain::Keys(doctor.own.account())
            }
        );
        patient.device.lies.stop();

        // In a request: the doctor's words with Mallory's keys.
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let shown = chain.clone();
        patient
            .device
            .lies
            .alter::<RequestPage>("request_inbox", move |page| {
                page.items[0].counterparty = shown.clone();
            });
        assert!(matches!(
            integrity(patient.own.incoming_requests().await),
            IntegrityError::KeyChanged { .. } | IntegrityError::Request(_)
        ));
        patient.device.lies.stop();

        // In a grant that is to be made anew: revoking another must not seal keys to Mallory.
        let terms = terms(Scope::Everything, READ);
        patient.own.approve(&request, &terms).await.unwrap();
        let other = registered(&world, 3).await;
        let contact = patient
            .device
            .client
            .provider(other.device.client.caller())
            .await
            .unwrap();
        let second = patient.own.give(&contact, &terms).await.unwrap();
        let doctors = doctor.own.account();
        patient
            .device
            .lies
            .alter::<GrantPage>("grant_list", move |page| {
                for item in &mut page.items {
                    if item.counterparty.account == doctors {
                        item.counterparty = chain.clone();
                    }
                }
            });
        assert!(matches!(
            integrity(patient.own.grants().await),
            IntegrityError::Grant(_)
        ));
        // The revocation goes through all the same, and nobody gets keys who should not.
        let revoked = patient.own.revoke(second).await.unwrap();
        assert_eq!(revoked.reissued, []);
        assert_eq!(revoked.left_behind.len(), 1);
    });
}

#[test]
fn a_grant_that_was_bent_is_refused_by_its_grantee() {
    run(async {
        let world = World::new();
        let (patient, doctor, first) = granted(&world).await;
        let lie = |change: fn(&mut salus_types::api::GrantView)| {
            doctor
                .device
                .lies
                .alter::<GrantPage>("grant_received", move |page| {
                    page.items.iter_mut().for_each(change);
                });
        };
        lie(|view| view.envelope[100] ^= 1);
        assert!(matches!(
            integrity(doctor.own.received().await),
            IntegrityError::Grant("the envelope")
        ));
        lie(|view| view.statement.signature[0] ^= 1);
        assert!(matches!(
            integrity(doctor.own.received().await),
            IntegrityError::Statement(_)
        ));
        lie(|view| view.envelope.clear());
        assert!(matches!(
            integrity(doctor.own.received().await),
            IntegrityError::Grant("the envelope")
        ));
        doctor.device.lies.stop();

        // An older revision after a newer one was seen.
        let old = {
            let vault = world.vault.for_caller(doctor.device.client.caller());
            let arg = candid::encode_one(None::<u64>).unwrap();
            let answer = vault.query("grant_received", &arg).await.unwrap();
            let page: GrantPage = salus_tests::transports::decode_answer(&answer).unwrap();
            page
        };
        patient
            .own
            .add_compartment(&Label::named("Teeth"))
            .await
            .unwrap();
        let newer = doctor.own.received().await.unwrap().remove(0);
        assert!(newer.grant.revision > first.grant.revision);
        doctor
            .device
            .lies
            .alter::<GrantPage>("grant_received", move |page| *page = old.clone());
        assert!(matches!(
            integrity(doctor.own.received().await),
            IntegrityError::Grant("the revision")
        ));
    });
}

#[test]
fn a_grant_withheld_from_its_owner_is_noticed() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        patient
            .device
            .lies
            .alter::<GrantPage>("grant_list", |page| page.items.clear());
        assert!(matches!(
            integrity(patient.own.grants().await),
            IntegrityError::Grant("the list")
        ));
    });
}
