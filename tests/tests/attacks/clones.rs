//! 26: a copy of the vault under another id, certified by the same network. (A copy of the site is
//! another origin: whoever signs in there is another principal, and what a browser keeps for the site
//! is not there.)

use super::super::*;
use async_trait::async_trait;
use salus_client::certificate::{self, CertificateError};
use salus_client::memory::Volatile;
use salus_client::{
    CertifiedData, Client, LinkError, NewSlot, Principal, SlotSecret, Transport, TransportError,
    VaultError,
};
use salus_protocol::keychain::{ChainError, KeyLink};
use salus_protocol::statement::{Statement, StatementError};
use salus_tests::transports::{Native, decode_answer};
use salus_types::api::{VersionAdd, VersionReceipt};
use std::cell::RefCell;
use std::rc::Rc;

fn elsewhere() -> Principal {
    Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 8, 1, 1])
}

fn foreign() -> IntegrityError {
    IntegrityError::KeyChain(ChainError::Statement(StatementError::ForeignVault(
        KeyLink::LABEL,
    )))
}

#[test]
fn a26_a_clone_of_the_vault_unlocks_for_nobody() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret.clone(), "").unwrap();
        person.own.add_slot(&slot).await.unwrap();
        let clone = world.over(world.vault.clone_as(elsewhere()).unwrap());

        let fresh = clone.device(1).client;
        let unlock = fresh.unlock_with_phrase(&person.phrase);
        assert_eq!(integrity(unmoved(&clone, unlock).await), foreign());
        let unlock = fresh.unlock_with_slot(slot.id, &secret);
        assert_eq!(integrity(unmoved(&clone, unlock).await), foreign());
        // By the phrase alone nobody is found: it gives another key for another vault.
        let unknown = clone.device(9).client;
        let unlock = unmoved(&clone, unknown.unlock_with_phrase(&person.phrase)).await;
        assert_eq!(unlock.unwrap_err(), ClientError::WrongPhrase);
        // Whoever signed in at a copy of the site is somebody else, whom no vault knows.
        let unlock = unmoved(&clone, unknown.unlock_with_slot(slot.id, &secret)).await;
        assert_eq!(unlock.unwrap_err(), ClientError::NoAccount);
    });
}

#[test]
fn a26_a_clone_of_the_vault_takes_nothing_that_was_made_for_the_other() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let clone = world.over(world.vault.clone_as(elsewhere()).unwrap());
        let medicines = patient.compartment("Medicines");
        let sent = Rc::new(RefCell::new(Vec::new()));
        let keep = Rc::clone(&sent);
        let lies = &patient.device.lies;
        lies.overhear("versions_add", move |arg| {
            keep.borrow_mut().push(arg.to_vec())
        });
        patient.file(medicines, "one").await.unwrap();
        let arg = sent.borrow()[0].clone();
        let _: Vec<VersionAdd> = candid::decode_one(&arg).unwrap();
        let there = clone.vault.for_caller(patient.device.client.caller());
        let answer = unmoved(&clone, there.update("versions_add", &arg)).await;
        let receipts: Vec<salus_types::Result<VersionReceipt>> =
            decode_answer(&answer.unwrap()).unwrap();
        let invalid =
            matches!(&receipts[0], Err(VaultError::Invalid { field, .. }) if field == "vault");
        assert!(invalid, "{receipts:?}");
        // A link leads to one vault.
        let (link, _) = patient.own.invite(NOW + DAY).await.unwrap();
        let new = clone.person(3).await;
        let opened = unmoved(&clone, new.own.open_link(&link)).await;
        assert_eq!(
            opened.unwrap_err(),
            ClientError::Link(LinkError::OtherVault)
        );
        drop(doctor);
    });
}

/// A way to a clone that says it is the way to the vault.
struct Posing {
    clone: Native,
    as_if: Principal,
}

#[async_trait(?Send)]
impl Transport for Posing {
    fn vault(&self) -> Principal {
        self.as_if
    }

    fn caller(&self) -> Principal {
        self.clone.caller()
    }

    async fn query(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.clone.query(method, arg).await
    }

    async fn update(&self, method: &str, arg: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.clone.update(method, arg).await
    }

    fn verify_certificate(&self, bytes: &[u8]) -> Result<CertifiedData, CertificateError> {
        certificate::verify(bytes, &self.clone.root_key(), self.as_if)
    }

    fn root_key(&self) -> Vec<u8> {
        self.clone.root_key()
    }
}

#[test]
fn a26_a_clone_of_the_vault_that_poses_as_it_has_not_its_certificates() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let clone = world.over(world.vault.clone_as(elsewhere()).unwrap());
        let posing = Posing {
            clone: clone.vault.for_caller(person.device.client.caller()),
            as_if: world.vault.vault(),
        };
        let clock = Rc::new(world.clock.clone());
        let client = Client::new(Rc::new(posing), Rc::new(Volatile::default()), clock);
        let unlock = unmoved(&clone, client.unlock_with_phrase(&person.phrase)).await;
        assert_eq!(integrity(unlock), CertificateError::Missing.into());
    });
}
