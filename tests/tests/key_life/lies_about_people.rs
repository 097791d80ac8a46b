//! A vault that lies about other people and what is between them: each lie has its refusal.

use super::super::*;
use salus_tests::transports::decode_answer;
use salus_types::api::{Counterparty, DirectoryItem, GrantPage, RequestPage};
use serde_bytes::ByteBuf;

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
    decode_answer(&answer).unwrap()
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
            let shown: Counterparty = decode_answer(&answer).unwrap();
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
            let page: GrantPage = decode_answer(&answer).unwrap();
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

#[test]
fn an_older_revision_shown_to_its_owner_is_noticed() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        let vault = world.vault.for_caller(patient.device.client.caller());
        let arg = candid::encode_one(None::<u64>).unwrap();
        let old = vault.query("grant_list", &arg).await.unwrap();
        let old: GrantPage = decode_answer(&old).unwrap();
        let added = patient.own.add_compartment(&Label::named("Teeth")).await;
        added.unwrap();
        patient.device.lies.pretend("grant_list", old);
        assert!(matches!(
            integrity(patient.own.grants().await),
            IntegrityError::Grant("the statement")
        ));
    });
}

#[test]
fn words_put_into_a_requesters_mouth_are_refused() {
    run(async {
        let world = World::new();
        let patient = world.person(1).await;
        let doctor = world.person(2).await;
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        // Anyone can seal to the patient; only the doctor can sign what was sealed.
        let vault = patient.device.client.vault();
        let scope = salus_crypto::VaultScope {
            vault: vault.as_slice(),
            account: patient.own.account(),
        };
        let contents = salus_crypto::envelope::RequestContents {
            purpose: "anything".into(),
            purpose_salt: [0; 32],
            requester_name: "Dr Bo".into(),
            specialty: None,
            message: None,
            invitation_code: None,
            wish: Wish::Everything,
            rights: READ | APPEND,
            duration_s: 1,
        };
        let info = patient.device.client.account().await.unwrap().unwrap();
        let chain = salus_protocol::KeyChain::verify(&info.chain, vault.as_slice()).unwrap();
        let sealing = &chain.current().unwrap().link.sealing;
        let public = salus_crypto::hpke::PublicKey::from_bytes(sealing).unwrap();
        let (who, genesis) = (doctor.own.account(), doctor.own.genesis());
        let forged = contents
            .seal(&public, scope, request.id, who, genesis)
            .unwrap();
        patient
            .device
            .lies
            .alter::<RequestPage>("request_inbox", move |page| {
                page.items[0].envelope = ByteBuf::from(forged.clone());
            });
        assert_eq!(
            integrity(patient.own.incoming_requests().await),
            IntegrityError::Request("the envelope")
        );
    });
}
