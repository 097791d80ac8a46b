//! 30: what was said once, said again: a grant, an approval, a request, an order, a claim.

use super::super::*;
use salus_client::{
    APPEND, Client, GrantPhase, Label, READ, Scope, Transport, TransportError, VaultError, Wish,
};
use salus_protocol::keychain::Authority;
use salus_protocol::request::Claim;
use salus_tests::transports::decode_answer;
use salus_types::RequestId;
use salus_types::api::{AccountInfo, GrantPage, GrantStatus, Head, RequestPage, RequestStatus};
use std::cell::RefCell;
use std::rc::Rc;

/// Whatever someone sends by `method` from now on, as whoever carries messages can keep it.
fn kept(device: &Device, method: &str) -> Rc<RefCell<Vec<Vec<u8>>>> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&kept);
    let hear = move |arg: &[u8]| ear.borrow_mut().push(arg.to_vec());
    device.lies.overhear(method, hear);
    kept
}

/// Sends again, in the session of `client`, what was kept.
async fn again<T>(
    world: &World,
    client: &Client,
    method: &str,
    arg: &[u8],
) -> Result<salus_types::Result<T>, TransportError>
where
    T: candid::CandidType + serde::de::DeserializeOwned,
{
    let vault = world.vault.for_caller(client.caller());
    Ok(decode_answer(&vault.update(method, arg).await?))
}

#[test]
fn a30_replay_a_grant_that_was_revoked() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        patient.write("aspirin").await;
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let given = terms(Scope::Everything, READ);
        let sent = kept(&patient.device, "ledger_append");
        let id = patient.own.approve(&request, &given).await.unwrap();
        let approval = sent.borrow()[0].clone();
        let grant = doctor.own.received().await.unwrap().remove(0);
        patient.own.revoke(id).await.unwrap();
        let (client, method) = (&patient.device.client, "ledger_append");
        let head = client.account().await.unwrap().unwrap().ledger;
        // The very same operation is in the ledger already: that is all the answer says.
        let replay = again::<Head>(&world, client, method, &approval);
        let answer = unmoved(&world, replay).await.unwrap();
        assert_eq!(answer, Ok(head));
        let medicines = patient.compartment("Medicines");
        let listed = doctor.own.granted_records(&grant, medicines).await;
        assert_eq!(
            listed.unwrap_err(),
            ClientError::Vault(VaultError::NotFound)
        );
        let after = patient.own.grants().await.unwrap().remove(0);
        assert!(matches!(after.phase, GrantPhase::Revoked { .. }));
    });
}

#[test]
fn a30_show_a_revoked_grant_as_if_it_were_in_force() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let before = Thief::of(&world, &doctor).await;
        let none = candid::encode_one(None::<u64>).unwrap();
        let before: GrantPage = before.query("grant_received", none).await.unwrap();
        patient.own.revoke(grant.grant.id).await.unwrap();
        // To its owner, whose ledger knows.
        patient
            .device
            .lies
            .alter::<GrantPage>("grant_list", |page| {
                page.items[0].status = GrantStatus::Live
            });
        let listed = unmoved(&world, patient.own.grants()).await;
        assert_eq!(integrity(listed), IntegrityError::Grant("its revocation"));
        // To its grantee, who cannot know, and gets nothing for it from a vault that has revoked it.
        doctor.device.lies.pretend("grant_received", before);
        let shown = doctor.own.received().await.unwrap().remove(0);
        assert_eq!(shown.phase, GrantPhase::Active);
        let medicines = patient.compartment("Medicines");
        let listed = doctor.own.granted_records(&shown, medicines).await;
        assert_eq!(
            listed.unwrap_err(),
            ClientError::Vault(VaultError::NotFound)
        );
    });
}

#[test]
fn a30_replay_an_earlier_revision_of_a_grant() {
    run(async {
        let world = World::new();
        let (patient, doctor, first) = granted(&world).await;
        let none = candid::encode_one(None::<u64>).unwrap();
        let (owner, grantee) = (
            Thief::of(&world, &patient).await,
            Thief::of(&world, &doctor).await,
        );
        let given: GrantPage = owner.query("grant_list", none.clone()).await.unwrap();
        let received: GrantPage = grantee.query("grant_received", none).await.unwrap();
        let teeth = Label::named("Teeth");
        patient.own.add_compartment(&teeth).await.unwrap();
        let newer = doctor.own.received().await.unwrap().remove(0);
        assert!(newer.grant.revision > first.grant.revision);
        doctor.device.lies.pretend("grant_received", received);
        let shown = unmoved(&world, doctor.own.received()).await;
        assert_eq!(integrity(shown), IntegrityError::Grant("the revision"));
        patient.device.lies.pretend("grant_list", given);
        let shown = unmoved(&world, patient.own.grants()).await;
        assert_eq!(integrity(shown), IntegrityError::Grant("the statement"));
        // Without the envelope it is no grant either.
        doctor.device.lies.stop();
        doctor
            .device
            .lies
            .alter::<GrantPage>("grant_received", |page| page.items[0].envelope.clear());
        let shown = unmoved(&world, doctor.own.received()).await;
        assert_eq!(integrity(shown), IntegrityError::Grant("the envelope"));
    });
}

#[test]
fn a30_replay_an_approval() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let given = terms(Scope::Everything, READ);
        patient.own.approve(&request, &given).await.unwrap();
        // A request is decided once: by the client that knows, and by the vault.
        let approved = unmoved(&world, patient.own.approve(&request, &given)).await;
        assert_eq!(approved.unwrap_err(), ClientError::Conflict("request"));
        let denied = unmoved(&world, patient.own.deny(request.id)).await;
        assert_eq!(denied.unwrap_err(), ClientError::Conflict("request"));
        let signer = Thief::of(&world, &patient).await;
        let deny = Change::Deny {
            request: request.id,
        };
        let denied = unmoved(&world, signer.append(deny)).await;
        let expected = VaultError::Invalid {
            field: "request".into(),
            reason: "was decided before".into(),
        };
        assert_eq!(denied, Err(expected));
        let unknown = Change::Deny {
            request: RequestId([9; 16]),
        };
        let denied = unmoved(&world, signer.append(unknown)).await;
        assert_eq!(denied, Err(VaultError::NotFound));
    });
}

#[test]
fn a30_replay_a_request() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let other = world.person(3).await;
        let sent = kept(&doctor.device, "request_send");
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        patient.own.deny(request.id).await.unwrap();
        let arg = sent.borrow()[0].clone();
        // By who made it: it stays denied. By someone else: it is not theirs.
        let (mine, theirs) = (&doctor.device.client, &other.device.client);
        let replay = again::<RequestId>(&world, mine, "request_send", &arg);
        assert_eq!(unmoved(&world, replay).await.unwrap(), Ok(request.id));
        let shown = patient.own.incoming_requests().await.unwrap();
        assert_eq!((shown.len(), &shown[0].status), (1, &RequestStatus::Denied));
        let replay = again::<RequestId>(&world, theirs, "request_send", &arg);
        let refused = unmoved(&world, replay).await.unwrap();
        let expected = VaultError::BadSignature {
            statement: "request".into(),
        };
        assert_eq!(refused, Err(expected));
        // Shown to another patient, it is not for them.
        let owner = Thief::of(&world, &patient).await;
        let none = candid::encode_one(None::<u64>).unwrap();
        let page: RequestPage = owner.query("request_inbox", none).await.unwrap();
        other.device.lies.pretend("request_inbox", page);
        let shown = unmoved(&world, other.own.incoming_requests()).await;
        assert_eq!(integrity(shown), IntegrityError::Request("who asks whom"));
    });
}

#[test]
fn a30_use_an_invitation_twice() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let other = world.person(3).await;
        let (link, _) = patient.own.invite(NOW + DAY).await.unwrap();
        let met = doctor.own.open_link(&link).await.unwrap();
        let seen = other.own.open_link(&link).await.unwrap();
        let wish = ask(Wish::Everything, READ);
        doctor.own.ask(&met, Some(&link), &wish).await.unwrap();
        let second = unmoved(&world, other.own.ask(&seen, Some(&link), &wish)).await;
        assert_eq!(
            second.unwrap_err(),
            ClientError::Vault(VaultError::NotFound)
        );
        let opened = unmoved(&world, other.own.open_link(&link)).await;
        assert_eq!(opened.unwrap_err(), ClientError::NotFound("invitation"));
    });
}

#[test]
fn a30_replay_what_was_filed_and_what_was_left() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ | APPEND)).await;
        let given = terms(Scope::Everything, READ | APPEND);
        patient.own.approve(&request, &given).await.unwrap();
        let grant = doctor.own.received().await.unwrap().remove(0);
        let left = kept(&doctor.device, "versions_add");
        doctor.leave(&grant, "note").await;
        let orders = kept(&patient.device, "versions_adopt");
        let waiting = patient.own.drop_box().await.unwrap().remove(0);
        let medicines = patient.compartment("Medicines");
        patient.own.adopt(&waiting, medicines).await.unwrap();
        let letters = patient.compartment("Letters");
        world.clock.pass(1);
        patient
            .own
            .move_record(waiting.record, letters)
            .await
            .unwrap();
        // Left again, it is there once; the order to file it where it was moves it no more.
        let (arg, client) = (left.borrow()[0].clone(), &doctor.device.client);
        type Receipts = Vec<salus_types::Result<salus_types::api::VersionReceipt>>;
        let replay = again::<Receipts>(&world, client, "versions_add", &arg);
        assert!(unmoved(&world, replay).await.unwrap().unwrap()[0].is_ok());
        let (arg, client) = (orders.borrow()[0].clone(), &patient.device.client);
        let replay = again::<Receipts>(&world, client, "versions_adopt", &arg);
        let refused = unmoved(&world, replay).await.unwrap().unwrap().remove(0);
        assert!(
            matches!(refused, Err(VaultError::Conflict { .. })),
            "{refused:?}"
        );
        assert!(patient.own.drop_box().await.unwrap().is_empty());
        assert_eq!(patient.own.records(letters).await.unwrap().len(), 1);
    });
}

#[test]
fn a30_replay_a_claim_after_the_principal_was_removed() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let other = world.device(77).client;
        let claim = person.own.authorise(other.caller()).unwrap();
        other.claim(claim.clone()).await.unwrap();
        world.clock.pass(MINUTE);
        person.own.remove_principal(other.caller()).await.unwrap();
        // Still within the minutes in which a claim may be used at all.
        let replayed = unmoved(&world, other.claim(claim)).await;
        let expired = matches!(
            replayed,
            Err(ClientError::Vault(VaultError::Expired { .. }))
        );
        assert!(expired, "{replayed:?}");
        assert!(other.account().await.unwrap().is_none());
        // One made after the removal is good.
        world.clock.pass(1);
        let claim = person.own.authorise(other.caller()).unwrap();
        other.claim(claim).await.unwrap();
    });
}

#[test]
fn a30_replay_a_disclaim_after_the_principal_was_claimed_anew() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let other = world.device(77).client;
        let join = || async {
            let claim = person.own.authorise(other.caller()).unwrap();
            other.claim(claim).await.unwrap();
        };
        let said = kept(&person.device, "principal_remove");
        join().await;
        world.clock.pass(MINUTE);
        person.own.remove_principal(other.caller()).await.unwrap();
        world.clock.pass(1);
        join().await;
        // Still within the minutes in which it may be used at all, in a session of the account's.
        let arg = said.borrow()[0].clone();
        let replay = again::<AccountInfo>(&world, &person.device.client, "principal_remove", &arg);
        let replayed = unmoved(&world, replay).await.unwrap();
        let expired = matches!(replayed, Err(VaultError::Expired { .. }));
        assert!(expired, "{replayed:?}");
        assert!(other.account().await.unwrap().is_some());
        // One made after the claim is good, in the same millisecond too.
        join().await;
        person.own.remove_principal(other.caller()).await.unwrap();
        assert!(other.account().await.unwrap().is_none());
    });
}

#[test]
fn a30_replay_what_the_recovery_key_signed_of_a_principal() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let other = world.device(77);
        let claims = kept(&other, "principal_claim");
        other
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        world.clock.pass(MINUTE);
        let said = kept(&person.device, "principal_remove");
        person.take_back().await.unwrap();
        let claim = claims.borrow()[0].clone();
        let replay = again::<AccountInfo>(&world, &other.client, "principal_claim", &claim);
        let replayed = unmoved(&world, replay).await.unwrap();
        let expired = matches!(replayed, Err(VaultError::Expired { .. }));
        assert!(expired, "{replayed:?}");
        world.clock.pass(1);
        other
            .client
            .unlock_with_phrase(&person.phrase)
            .await
            .unwrap();
        let gone = said.borrow()[0].clone();
        let replay = again::<AccountInfo>(&world, &person.device.client, "principal_remove", &gone);
        let replayed = unmoved(&world, replay).await.unwrap();
        let expired = matches!(replayed, Err(VaultError::Expired { .. }));
        assert!(expired, "{replayed:?}");
    });
}

#[test]
fn a30_use_a_claim_late_or_for_another() {
    run(async {
        let world = World::new();
        let (person, signer) = {
            let person = world.person(1).await;
            let signer = Thief::of(&world, &person).await;
            (person, signer)
        };
        let other = world.device(77).client;
        let claim = |principal: salus_client::Principal| Claim {
            vault: world.vault.vault().as_slice().to_vec(),
            account: person.own.account(),
            principal: principal.as_slice().to_vec(),
            by: Authority::Identity,
            at: NOW,
        };
        let for_another = signer.sign(&claim(world.device(78).client.caller()));
        let claimed = unmoved(&world, other.claim(for_another)).await;
        let invalid = matches!(
            &claimed,
            Err(ClientError::Vault(VaultError::Invalid { field, .. })) if field == "principal"
        );
        assert!(invalid, "{claimed:?}");
        let late = signer.sign(&claim(other.caller()));
        world.clock.pass(6 * MINUTE);
        let claimed: Result<AccountInfo, _> = unmoved(&world, other.claim(late)).await;
        let expired = matches!(claimed, Err(ClientError::Vault(VaultError::Expired { .. })));
        assert!(expired, "{claimed:?}");
    });
}
