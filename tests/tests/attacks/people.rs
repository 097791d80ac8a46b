//! 8 and 9: another's keys in place of a grantee's, and one directory shown to one person, another to
//! another.

use super::super::*;
use salus_client::memory::Volatile;
use salus_client::{
    Chain, Client, CodeError, KeyChange, Memory, READ, Scope, Transport, Trust, Wish,
    safety_code_text,
};
use salus_protocol::safety::{Party, SafetyCode};
use salus_tests::transports::decode_answer;
use salus_types::api::{Counterparty, DirectoryItem, DirectoryPage, GrantPage, RequestPage};
use std::rc::Rc;

/// What the vault shows of someone.
async fn shown(world: &World, person: &Person) -> Counterparty {
    let vault = world.vault.for_caller(person.device.client.caller());
    let arg = candid::encode_one(person.own.account()).unwrap();
    let answer = vault.query("chain_get", &arg).await.unwrap();
    decode_answer(&answer).unwrap()
}

#[test]
fn a08_replace_a_grantees_public_key_in_the_directory() {
    run(async {
        let world = World::new();
        let patient = world.person(1).await;
        let doctor = registered(&world, 2).await;
        let mallory = registered(&world, 66).await;
        let theirs = shown(&world, &mallory).await;
        let lies = &patient.device.lies;
        let principal = doctor.device.client.caller();
        // The doctor's principal with Mallory's keys.
        lies.alter::<DirectoryItem>("directory_get", move |item| {
            item.counterparty = theirs.clone();
        });
        let found = unmoved(&world, patient.device.client.provider(principal)).await;
        assert_eq!(integrity(found), IntegrityError::OtherAccount);
        lies.stop();

        // A rotation of the doctor's withheld: the key may be a thief's by now.
        doctor.own.rotate_identity().await.unwrap();
        lies.alter::<DirectoryItem>("directory_get", |item| item.counterparty.chain.truncate(1));
        let found = unmoved(&world, patient.device.client.provider(principal)).await;
        let expected = IntegrityError::NotCertified {
            chain: Chain::Keys(doctor.own.account()),
        };
        assert_eq!(integrity(found), expected);
        lies.stop();

        // A link of Mallory's making at the end of the doctor's chain.
        let theirs = shown(&world, &mallory).await;
        lies.alter::<DirectoryItem>("directory_get", move |item| {
            item.counterparty.chain.extend(theirs.chain.clone());
        });
        let found = unmoved(&world, patient.device.client.provider(principal)).await;
        assert!(matches!(integrity(found), IntegrityError::KeyChain(_)));
    });
}

#[test]
fn a08_replace_a_grantees_public_key_in_a_request() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let mallory = registered(&world, 66).await;
        let theirs = shown(&world, &mallory).await;
        // The doctor's words with Mallory's keys.
        asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let lies = &patient.device.lies;
        lies.alter::<RequestPage>("request_inbox", move |page| {
            page.items[0].counterparty = theirs.clone();
        });
        let inbox = unmoved(&world, patient.own.incoming_requests()).await;
        let expected = IntegrityError::KeyChanged {
            account: mallory.own.account(),
        };
        assert_eq!(integrity(inbox), expected);
    });
}

#[test]
fn a08_replace_a_grantees_public_key_in_a_grant_to_be_made_anew() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let mallory = registered(&world, 66).await;
        let theirs = shown(&world, &mallory).await;
        let other = registered(&world, 3).await;
        let principal = other.device.client.caller();
        let contact = patient.device.client.provider(principal).await.unwrap();
        let terms = terms(Scope::Everything, READ);
        let second = patient.own.give(&contact, &terms).await.unwrap();
        let doctors = doctor.own.account();
        let lies = &patient.device.lies;
        lies.alter::<GrantPage>("grant_list", move |page| {
            for item in &mut page.items {
                if item.counterparty.account == doctors {
                    item.counterparty = theirs.clone();
                }
            }
        });
        let listed = unmoved(&world, patient.own.grants()).await;
        assert_eq!(integrity(listed), IntegrityError::Grant("the grantee"));
        // The revocation goes through all the same, and nobody gets keys who should not.
        let revoked = patient.own.revoke(second).await.unwrap();
        assert_eq!(revoked.reissued, []);
        assert_eq!(revoked.left_behind.len(), 1);
        assert!(mallory.own.received().await.unwrap().is_empty());
    });
}

#[test]
fn a08_replace_a_patients_public_key_behind_a_link() {
    run(async {
        let world = World::new();
        let (patient, mallory) = (world.person(1).await, registered(&world, 66).await);
        let doctor = world.person(2).await;
        let (link, _) = patient.own.invite(NOW + DAY).await.unwrap();
        let theirs = shown(&world, &mallory).await;
        let lies = &doctor.device.lies;
        lies.alter::<Counterparty>("invitation_open", move |shown| *shown = theirs.clone());
        let opened = unmoved(&world, doctor.own.open_link(&link)).await;
        let expected = IntegrityError::KeyChanged {
            account: mallory.own.account(),
        };
        assert_eq!(integrity(opened), expected);
    });
}

#[test]
fn a09_show_two_people_two_directories() {
    run(async {
        let world = World::new();
        let (ana, eva) = (world.person(1).await, world.person(3).await);
        let doctor = registered(&world, 2).await;
        let mallory = registered(&world, 66).await;
        let theirs = shown(&world, &mallory).await;
        let principal = doctor.device.client.caller();
        // Eva's directory has Mallory where Ana's has the doctor.
        let (account, lies) = (doctor.own.account(), &eva.device.lies);
        lies.alter::<DirectoryPage>("directory_page", move |page| {
            for item in &mut page.items {
                if item.counterparty.account == account {
                    item.counterparty = theirs.clone();
                }
            }
        });
        let find = async |client: &salus_client::Client| {
            let (page, _) = client.directory(None).await?;
            let (_, contact) = page.into_iter().find(|(p, _)| *p == principal).unwrap();
            client.confirm(contact, Some(principal)).await
        };
        let hers = find(&ana.device.client).await.unwrap();
        assert_eq!(hers.account, account);
        let found = unmoved(&world, find(&eva.device.client)).await;
        assert_eq!(integrity(found), IntegrityError::OtherAccount);
    });
}

/// A network that certifies one directory to one and another to another: no certificate helps then, and
/// only what people compare does.
#[test]
fn a09_show_two_people_two_directories_and_certify_both() {
    run(async {
        let (world, elsewhere) = (World::new(), World::new());
        let doctor = registered(&world, 2).await;
        let eva = elsewhere.person(3).await;
        // For Eva, somebody else signs in as the doctor, with other keys under the same id.
        let mallory = elsewhere.person_with(2, Some(doctor.own.account())).await;
        let publish = mallory.own.register_provider("Dr Bo", "family medicine");
        publish.await.unwrap();
        let principal = doctor.device.client.caller();
        let seen = eva.device.client.provider(principal).await.unwrap();
        assert_eq!(seen.account, doctor.own.account());

        // The code the doctor shows her is of the doctor's keys.
        let party = |own: &salus_client::Unlocked| Party {
            account: own.account(),
            genesis: own.genesis(),
        };
        let code = SafetyCode {
            vault: world.vault.vault().as_slice().to_vec(),
            by: party(&doctor.own),
            of: party(&eva.own),
        };
        let compared = eva.own.check_safety_code(&seen, &safety_code_text(&code));
        assert_eq!(compared, Err(CodeError::TheirKeys));
        assert_ne!(seen.safety_number(), doctor.own.safety_number());

        // Who met the doctor before the lie began is not taken in.
        let memory = Rc::new(Volatile::default());
        let at = |world: &World| {
            let (transport, clock) = world.connect(4);
            Client::new(transport, Rc::clone(&memory) as Rc<dyn Memory>, clock)
        };
        world.person(4).await;
        let hers = elsewhere.person(4).await;
        at(&world).provider(principal).await.unwrap();
        let again = at(&elsewhere).provider(principal).await.unwrap();
        let changed = Trust::Changed(KeyChange::OtherAccount);
        assert_eq!(again.trust, changed);
        // Nor is it by looking again, and nothing is sealed to whom it is shown.
        let phrase = hers.phrase;
        let own = at(&elsewhere).unlock_with_phrase(&phrase).await.unwrap();
        let again = own.provider(principal).await.unwrap();
        assert_eq!(again.trust, changed);
        let terms = terms(Scope::Everything, READ);
        let given = unmoved(&elsewhere, own.give(&again, &terms)).await;
        let account = doctor.own.account();
        let change = KeyChange::OtherAccount;
        assert_eq!(
            given.unwrap_err(),
            salus_client::ClientError::KeysChanged { account, change }
        );
    });
}
