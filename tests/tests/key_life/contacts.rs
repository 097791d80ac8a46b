//! Other people's keys: compared, changed, accepted; and what the ledger knows of them where the
//! device knows nothing.

use super::super::*;
use salus_client::{AccountId, Chain, CodeError, Comparison, Contact, KeyChange, Trust};
use salus_tests::transports::decode_answer;
use salus_types::api::{Counterparty, DirectoryItem, GrantPage};

/// As the patient sees the one whom they gave access.
async fn grantee(own: &Unlocked) -> Contact {
    own.grants().await.unwrap().remove(0).grantee
}

fn changed(account: AccountId, change: KeyChange) -> ClientError {
    ClientError::KeysChanged { account, change }
}

/// Someone with another account under the doctor's id, as another vault of the same name would show
/// them.
async fn impostor(doctor: &Person) -> Counterparty {
    let elsewhere = World::new();
    let mallory = elsewhere.person_with(66, Some(doctor.own.account())).await;
    let registered = mallory.own.register_provider("Dr Bo", "family medicine");
    registered.await.unwrap();
    let vault = elsewhere.vault.for_caller(mallory.device.client.caller());
    let arg = candid::encode_one(mallory.own.account()).unwrap();
    let answer = vault.query("chain_get", &arg).await.unwrap();
    decode_answer(&answer).unwrap()
}

#[test]
fn what_was_compared_stays_compared_while_keys_are_rotated_and_on_every_device() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let seen = grantee(&patient.own).await;
        assert_eq!(seen.trust, Trust::Pinned);
        let number = doctor
            .own
            .safety_number_with(&doctor.own.received().await.unwrap()[0].owner);
        let slip = number.replacen(|c: char| c.is_ascii_digit(), "x", 1);
        for wrong in ["", "12345", slip.as_str(), &doctor.own.safety_number()] {
            let refused = patient.own.verify_contact(&seen, Comparison::Number(wrong));
            assert_eq!(refused.await.unwrap_err(), ClientError::OtherNumber);
        }
        assert_eq!(grantee(&patient.own).await.trust, Trust::Pinned);
        let verified = patient
            .own
            .verify_contact(&seen, Comparison::Number(&number.replace(' ', "-")))
            .await
            .unwrap();
        assert_eq!(verified.trust, Trust::Verified);

        doctor.own.rotate_everything(&Quiet).await.unwrap();
        assert_eq!(grantee(&patient.own).await.trust, Trust::Verified);
        // The grant that follows pins the new link and keeps what was compared.
        let seen = grantee(&patient.own).await;
        let again = terms(Scope::Everything, READ);
        patient.own.give(&seen, &again).await.unwrap();
        let fresh = world.device(1).client;
        let fresh = fresh.unlock_with_phrase(&patient.phrase).await.unwrap();
        assert_eq!(grantee(&fresh).await.trust, Trust::Verified);
        let listed = fresh.contacts().await.unwrap();
        let doctors = (doctor.own.account(), Trust::Verified);
        assert_eq!(
            listed
                .iter()
                .map(|c| (c.account, c.trust))
                .collect::<Vec<_>>(),
            [doctors]
        );
        let events = fresh.audit_trail(&Quiet).await.unwrap();
        let pins = events.entries.iter().filter(|entry| {
            entry.event == salus_client::audit::AuditEvent::Pinned && entry.other.is_some()
        });
        assert_eq!(pins.count(), 1);
    });
}

#[test]
fn a_code_verifies_only_between_the_two_whom_it_names() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let mallory = registered(&world, 66).await;
        let seen = grantee(&patient.own).await;
        let patient_seen = doctor.own.received().await.unwrap().remove(0).owner;
        let code = doctor.own.safety_code_for(&patient_seen);
        let verify = |text: String| {
            let own = &patient.own;
            let seen = &seen;
            async move { own.verify_contact(seen, Comparison::Code(&text)).await }
        };
        let own_code = patient.own.safety_code_for(&seen);
        let others = mallory.own.safety_code_for(
            &mallory
                .own
                .person(doctor.own.account())
                .await
                .unwrap_or(seen.clone()),
        );
        for (text, why) in [
            (String::new(), CodeError::NotACode),
            (code[..code.len() - 1].to_owned(), CodeError::NotACode),
            (own_code, CodeError::OtherAccount),
            (others, CodeError::OtherAccount),
        ] {
            assert_eq!(verify(text).await.unwrap_err(), ClientError::Code(why));
        }
        let verified = verify(format!(" {code}\n")).await.unwrap();
        assert_eq!(verified.trust, Trust::Verified);
    });
}

#[test]
fn after_a_recovery_nothing_is_sealed_to_someone_until_it_is_accepted() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let nurse = registered(&world, 3).await;
        let seen = grantee(&patient.own).await;
        let number = doctor
            .own
            .safety_number_with(&doctor.own.received().await.unwrap()[0].owner);
        patient
            .own
            .verify_contact(&seen, Comparison::Number(&number))
            .await
            .unwrap();
        let again = doctor.take_back().await.unwrap();
        let account = doctor.own.account();
        let refused = changed(account, KeyChange::Recovered);

        let seen = grantee(&patient.own).await;
        assert_eq!(seen.trust, Trust::Changed(KeyChange::Recovered));
        let given = terms(Scope::Everything, READ);
        assert_eq!(patient.own.give(&seen, &given).await.unwrap_err(), refused);
        let wanted = ask(Wish::Everything, READ);
        let asked_back = patient.own.ask(&seen, None, &wanted).await;
        assert_eq!(asked_back.unwrap_err(), refused);
        let compared = patient
            .own
            .verify_contact(&seen, Comparison::Number(&number));
        assert_eq!(compared.await.unwrap_err(), refused);
        // What is made anew for others goes on, and leaves them behind.
        let before = patient.own.grants().await.unwrap().remove(0).grant.revision;
        let contact = patient
            .own
            .provider(nurse.device.client.caller())
            .await
            .unwrap();
        let second = patient.own.give(&contact, &given).await.unwrap();
        let revoked = patient.own.revoke(second).await.unwrap();
        assert_eq!((revoked.reissued.len(), revoked.left_behind.len()), (0, 1));
        let rotated = patient.own.rotate_everything(&Quiet).await.unwrap();
        assert_eq!(rotated.left_behind.len(), 1);
        let added = patient.own.add_compartment(&Label::named("Teeth")).await;
        assert_eq!(added.unwrap().left_behind, rotated.left_behind);
        let theirs = |grants: Vec<salus_client::GivenGrant>| {
            let theirs = grants.into_iter().filter(|g| g.grant.grantee == account);
            theirs.max_by_key(|g| g.grant.revision).unwrap()
        };
        let now = theirs(patient.own.grants().await.unwrap());
        assert_eq!(now.grant.revision, before);

        // Their own request does not make it better, until the new keys are accepted.
        let request = {
            let met = again.received().await.unwrap().remove(0).owner;
            again.ask(&met, None, &wanted).await.unwrap();
            let requests = patient.own.incoming_requests().await.unwrap();
            requests.into_iter().next().unwrap()
        };
        let approved = patient.own.approve(&request, &given).await;
        assert_eq!(approved.unwrap_err(), refused);
        let accepted = patient
            .own
            .accept_key_change(&request.requester)
            .await
            .unwrap();
        assert_eq!(accepted.trust, Trust::Pinned, "accepted is not compared");
        patient.own.approve(&request, &given).await.unwrap();
        // What they had is theirs again, under the new keys.
        let now = theirs(patient.own.grants().await.unwrap());
        assert!(now.grant.revision > before);
        patient.write("ibuprofen").await;
        let medicines = patient.compartment("Medicines");
        for grant in again.received().await.unwrap() {
            let read = again.granted_records(&grant, medicines).await.unwrap();
            assert_eq!(read.len(), 2);
        }
        // A device that remembers the old keys learns of it from the ledger.
        let fresh = world.device(1).client;
        let fresh = fresh.unlock_with_phrase(&patient.phrase).await.unwrap();
        assert_eq!(
            theirs(fresh.grants().await.unwrap()).grantee.trust,
            Trust::Pinned
        );
    });
}

#[test]
fn what_another_device_accepted_overrules_what_this_one_remembers() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let other = world.device(1).client;
        let other = other.unlock_with_phrase(&patient.phrase).await.unwrap();
        assert_eq!(grantee(&other).await.trust, Trust::Pinned);
        doctor.take_back().await.unwrap();
        let seen = grantee(&patient.own).await;
        assert!(grantee(&other).await.is_changed());
        patient.own.accept_key_change(&seen).await.unwrap();
        other.refresh().await.unwrap();
        assert_eq!(grantee(&other).await.trust, Trust::Pinned);
    });
}

#[test]
fn a_device_notices_by_itself_what_the_ledger_says_nothing_of() {
    run(async {
        let world = World::new();
        let patient = world.person(1).await;
        let doctor = registered(&world, 2).await;
        let principal = doctor.device.client.caller();
        let seen = patient.own.provider(principal).await.unwrap();
        assert_eq!(seen.trust, Trust::Certified);
        doctor.take_back().await.unwrap();
        let seen = patient.own.provider(principal).await.unwrap();
        assert_eq!(seen.trust, Trust::Changed(KeyChange::Recovered));
        let given = terms(Scope::Everything, READ);
        let refused = changed(doctor.own.account(), KeyChange::Recovered);
        assert_eq!(patient.own.give(&seen, &given).await.unwrap_err(), refused);
        // Nor is it forgotten by looking twice.
        assert!(patient.own.provider(principal).await.unwrap().is_changed());
        let accepted = patient.own.accept_key_change(&seen).await.unwrap();
        assert_eq!(accepted.trust, Trust::Pinned);
        patient.own.give(&accepted, &given).await.unwrap();
    });
}

/// Attacks 8 and 9: a replica shows a browser that remembers nothing another account in the place of a
/// provider whose keys the owner recorded.
#[test]
fn a_fresh_browser_refuses_other_keys_for_someone_the_ledger_knows() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        doctor
            .own
            .register_provider("Dr Bo", "family medicine")
            .await
            .unwrap();
        let theirs = impostor(&doctor).await;
        let account = doctor.own.account();
        assert_eq!(theirs.account, account);
        let fresh = world.device(1);
        let lies = fresh.lies.clone();
        let own = fresh
            .client
            .unlock_with_phrase(&patient.phrase)
            .await
            .unwrap();
        let shown = theirs.clone();
        lies.alter::<Counterparty>("chain_get", move |c| *c = shown.clone());
        let shown = theirs.clone();
        lies.alter::<DirectoryItem>("directory_get", move |item| {
            item.counterparty = shown.clone();
        });
        let shown = theirs.clone();
        lies.alter::<GrantPage>("grant_list", move |page| {
            for item in &mut page.items {
                item.counterparty = shown.clone();
            }
        });
        let other = Trust::Changed(KeyChange::OtherAccount);
        let refused = changed(account, KeyChange::OtherAccount);
        let given = terms(Scope::Everything, READ);
        for seen in [own.person(account).await.unwrap(), grantee(&own).await] {
            assert_eq!(seen.trust, other);
            assert_eq!(own.give(&seen, &given).await.unwrap_err(), refused);
            // The network does not certify them, so they cannot even be accepted by mistake.
            let accepted = own.accept_key_change(&seen).await;
            assert_eq!(
                integrity(accepted),
                IntegrityError::NotCertified {
                    chain: Chain::Keys(account)
                }
            );
        }
        // By the directory they are refused before anything is asked: the certificate tells.
        let directory = own.provider(doctor.device.client.caller()).await;
        assert!(matches!(
            integrity(directory),
            IntegrityError::NotCertified { .. }
        ));
        // Nothing was given, and the truth is known again as soon as it is told.
        lies.stop();
        assert_eq!(own.grants().await.unwrap().len(), 1);
        assert_eq!(grantee(&own).await.trust, Trust::Pinned);
    });
}
