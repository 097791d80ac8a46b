//! Invitations, requests, and the directory.

use crate::api;
use crate::testing::*;
use salus_protocol::grant::{READ, Scope};
use salus_protocol::ledger::Change;
use salus_protocol::request::DirectoryEntry;
use salus_types::Error;
use salus_types::api::{InvitationOpen, Notice, RequestStatus};
use serde_bytes::ByteBuf;

const CODE: &[u8] = b"one-time code of a patient";

fn opening(patient: &Person, code: &[u8]) -> InvitationOpen {
    InvitationOpen {
        patient: patient.principal,
        code: ByteBuf::from(code.to_vec()),
    }
}

#[test]
fn a_request_is_sent_approved_and_leads_to_a_grant() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    alice.invite(&mut vault, CODE).unwrap();
    let shown = api::invitation_open(&vault, &bob.call(), opening(&alice, CODE)).unwrap();
    assert_eq!(shown.account, alice.id);
    assert_eq!(shown.chain.len(), 1);
    let args = bob.request_args(&alice, Some(CODE));
    let id = api::request_send(&mut vault, &bob.call(), args.clone()).unwrap();
    assert_eq!(
        api::request_send(&mut vault, &bob.call(), args).unwrap(),
        id
    );

    let inbox = api::request_inbox(&vault, &alice.call(), None).unwrap();
    assert_eq!(inbox.items.len(), 1);
    assert_eq!(inbox.items[0].envelope.as_slice(), ENVELOPE);
    assert_eq!(inbox.items[0].counterparty.account, bob.id);
    let outbox = api::request_outbox(&vault, &bob.call(), None).unwrap();
    assert!(outbox.items[0].envelope.is_empty());
    api::chain_get(&vault, &alice.call(), bob.id).unwrap();
    api::chain_get(&vault, &bob.call(), alice.id).unwrap();

    let mut grant = alice.grant(&bob, Scope::Everything, READ);
    grant.request = Some(id);
    let grant = alice.give_grant(&mut vault, &grant).unwrap();
    let outbox = api::request_outbox(&vault, &bob.call(), None).unwrap();
    assert_eq!(outbox.items[0].status, RequestStatus::Approved(grant));
    let held = api::grant_received(&vault, &bob.call(), None).unwrap();
    assert_eq!(held.items[0].envelope.as_slice(), ENVELOPE);
    assert!(held.items[0].note.is_empty());
    let given = api::grant_list(&vault, &alice.call(), None).unwrap();
    assert!(given.items[0].envelope.is_empty() && !given.items[0].note.is_empty());
    let notices = api::inbox_page(&vault, &bob.call(), 0).unwrap();
    let kinds: Vec<_> = notices.items.iter().map(|i| i.notice.clone()).collect();
    assert!(kinds.contains(&Notice::RequestApproved(grant)));
    assert!(kinds.contains(&Notice::GrantReceived(grant)));
    let second = bob.request_args(&alice, None);
    api::request_send(&mut vault, &bob.call(), second).unwrap();
}

#[test]
fn a_denied_request_is_closed() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    alice.invite(&mut vault, CODE).unwrap();
    let args = bob.request_args(&alice, Some(CODE));
    let id = api::request_send(&mut vault, &bob.call(), args).unwrap();
    alice
        .append(&mut vault, Change::Deny { request: id }, Vec::new())
        .unwrap();
    let outbox = api::request_outbox(&vault, &bob.call(), None).unwrap();
    assert_eq!(outbox.items[0].status, RequestStatus::Denied);
    let error = alice
        .append(&mut vault, Change::Deny { request: id }, Vec::new())
        .unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }));
    assert_eq!(
        api::chain_get(&vault, &bob.call(), alice.id).unwrap_err(),
        Error::NotFound
    );
}

#[test]
fn an_approval_cannot_be_given_to_someone_else() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let carol = Person::opened(&mut vault, 3);
    alice.invite(&mut vault, CODE).unwrap();
    let args = bob.request_args(&alice, Some(CODE));
    let id = api::request_send(&mut vault, &bob.call(), args).unwrap();
    let mut grant = alice.grant(&carol, Scope::Everything, READ);
    grant.request = Some(id);
    let error = alice.give_grant(&mut vault, &grant).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
}

#[test]
fn request_send_and_invitation_open_by_unauthorized_are_not_found() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let mut carol = Person::opened(&mut vault, 3);
    alice.invite(&mut vault, CODE).unwrap();
    for code in [None, Some(b"guess".as_slice())] {
        let args = bob.request_args(&alice, code);
        let error = refused(&mut vault, |v| api::request_send(v, &bob.call(), args));
        assert_eq!(error, Error::NotFound);
    }
    let nobody = Person::new(90);
    let args = bob.request_args(&nobody, Some(CODE));
    let error = refused(&mut vault, |v| api::request_send(v, &bob.call(), args));
    assert_eq!(error, Error::NotFound);
    for wrong in [
        opening(&alice, b"guess"),
        opening(&nobody, CODE),
        opening(&bob, CODE),
    ] {
        let error = api::invitation_open(&vault, &bob.call(), wrong).unwrap_err();
        assert_eq!(error, Error::NotFound);
    }
    let late = bob.call_at(NOW + HOUR);
    let error = api::invitation_open(&vault, &late, opening(&alice, CODE)).unwrap_err();
    assert_eq!(error, Error::NotFound);
    let args = bob.request_args(&alice, Some(CODE));
    let error = refused(&mut vault, |v| {
        api::request_send(v, &carol.call(), args.clone())
    });
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "request".into()
        }
    );
    api::request_send(&mut vault, &bob.call(), args).unwrap();
    let used = carol.request_args(&alice, Some(CODE));
    let error = refused(&mut vault, |v| api::request_send(v, &carol.call(), used));
    assert_eq!(error, Error::NotFound, "a code is good for one request");
}

#[test]
fn open_invitations_are_limited_and_spent_ones_make_room() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    for n in 0..32u8 {
        alice.invite(&mut vault, &[n; 20]).unwrap();
    }
    alice.invite(&mut vault, &[0; 20]).unwrap();
    let error = alice.invite(&mut vault, b"one too many").unwrap_err();
    assert!(matches!(error, Error::TooMany { .. }));
    let later = NOW + 2 * HOUR;
    alice
        .invite_at(&mut vault, b"after they expired", later)
        .unwrap();
}

fn entry(person: &Person, name: &str) -> DirectoryEntry {
    DirectoryEntry {
        vault: vault_id().as_slice().to_vec(),
        account: person.id,
        link: person.link,
        name: name.into(),
        specialty: "cardiology".into(),
        at: NOW,
    }
}

#[test]
fn a_provider_registers_is_found_and_is_replaced_in_place() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let carol = Person::opened(&mut vault, 3);
    for (person, name) in [(&carol, "Dr C"), (&bob, "Dr B"), (&carol, "Dr C 2")] {
        let signed = sign(&person.signing, &entry(person, name));
        api::provider_register(&mut vault, &person.call(), signed).unwrap();
    }
    let page = api::directory_page(&vault, &alice.call(), None).unwrap();
    let order: Vec<_> = page.items.iter().map(|i| i.principal).collect();
    assert_eq!(order, [carol.principal, bob.principal]);
    let found = api::directory_get(&vault, &alice.call(), bob.principal).unwrap();
    assert_eq!(found.counterparty.account, bob.id);
    let error = api::directory_get(&vault, &bob.call(), alice.principal).unwrap_err();
    assert_eq!(error, Error::NotFound);
    api::heads(&vault, &alice.call(), bob.id).unwrap();
}

#[test]
fn provider_register_by_unauthorized_is_refused() {
    let mut vault = new_vault();
    let bob = Person::opened(&mut vault, 2);
    let carol = Person::opened(&mut vault, 3);
    let stolen = sign(&bob.signing, &entry(&bob, "Dr B"));
    let error = refused(&mut vault, |v| {
        api::provider_register(v, &carol.call(), stolen)
    });
    assert_eq!(
        error,
        Error::BadSignature {
            statement: "directory-entry".into()
        }
    );
    let signed = sign(&carol.signing, &entry(&bob, "Dr B"));
    let error = refused(&mut vault, |v| {
        api::provider_register(v, &carol.call(), signed)
    });
    assert!(matches!(error, Error::Invalid { .. }));
    let long = "x".repeat(201);
    for name in ["", "  ", "a\nb", &long] {
        let signed = sign(&carol.signing, &entry(&carol, name));
        refused(&mut vault, |v| {
            api::provider_register(v, &carol.call(), signed)
        });
    }
}
