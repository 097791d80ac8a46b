//! Counterparties who hold their own keys and sign what does not fit: a patient whose grant says
//! something else than its envelope, an author whose statement says something else than the record.

use super::super::*;
use super::stolen::Thief;
use salus_crypto::envelope::GrantContents;
use salus_crypto::hpke::PublicKey;
use salus_protocol::grant::{Conveyed, Grant};
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::Version;
use salus_types::Hash;
use salus_types::api::{GrantPage, VersionView};
use serde_bytes::ByteBuf;

/// What the doctor makes of the patient's grant once the patient has changed statement and envelope,
/// and signed and sealed both anew.
async fn received_after(
    change: impl Fn(&mut Grant, &mut GrantContents) + 'static,
) -> Result<Vec<ReceivedGrant>, ClientError> {
    let world = World::new();
    let (patient, doctor, _) = granted(&world).await;
    let signer = Thief::of(&world, &patient).await;
    let reader = Thief::of(&world, &doctor).await;
    let vault = patient.device.client.vault();
    doctor
        .device
        .lies
        .alter::<GrantPage>("grant_received", move |page| {
            let view = &mut page.items[0];
            let mut grant: Grant =
                statement::decode_for(&view.statement.statement, vault.as_slice()).unwrap();
            let seed = &reader.bundle.current.hpke;
            let (grantee, link) = (grant.grantee, grant.grantee_link);
            let mut contents = signer
                .with_scope(|scope| {
                    let (id, revision) = (grant.id, grant.revision);
                    GrantContents::open(seed, scope, id, revision, grantee, link, &view.envelope)
                })
                .unwrap();
            change(&mut grant, &mut contents);
            let public = seed.public().unwrap();
            let public = PublicKey::from_bytes(public.as_bytes()).unwrap();
            let envelope = signer
                .with_scope(|scope| {
                    contents.seal(&public, scope, grant.id, grant.revision, grantee, link)
                })
                .unwrap();
            grant.envelope = sha256(&envelope);
            view.statement = signer.sign(&grant);
            view.envelope = ByteBuf::from(envelope);
        });
    doctor.own.received().await
}

#[test]
fn a_grant_signed_anew_without_a_change_is_believed() {
    run(async {
        let received = received_after(|_, _| {}).await.unwrap();
        assert_eq!(received[0].purpose(), Some("treatment of a cough"));
    });
}

#[test]
fn a_grant_whose_envelope_names_another_purpose_is_refused() {
    run(async {
        let received = received_after(|_, contents| contents.purpose = "anything".into()).await;
        assert_eq!(integrity(received), IntegrityError::Grant("the purpose"));
        let received = received_after(|_, contents| contents.purpose_salt[0] ^= 1).await;
        assert_eq!(integrity(received), IntegrityError::Grant("the purpose"));
    });
}

#[test]
fn a_grant_whose_envelope_conveys_other_keys_than_it_signs_is_refused() {
    run(async {
        let refused = IntegrityError::Grant("a key");
        let other_key = received_after(|_, contents| {
            contents.compartments[0].epochs[0].key = salus_crypto::Key::generate().unwrap();
        });
        assert_eq!(integrity(other_key.await), refused);
        let fewer_keys = received_after(|_, contents| {
            contents.compartments.pop();
        });
        assert_eq!(integrity(fewer_keys.await), refused);
        let other_kid = received_after(|grant, _| {
            if let Some(Conveyed::Epoch { kid, .. }) = grant.conveys.first_mut() {
                *kid = Hash([7; 32]);
            }
        });
        assert_eq!(integrity(other_kid.await), refused);
    });
}

/// What the doctor makes of the patient's record once the patient has changed its statement and signed
/// it anew: listing is refused at opening, reading when the parts are read.
async fn read_after(change: impl Fn(&mut Version) + 'static) -> Result<(), ClientError> {
    let world = World::new();
    let (patient, doctor, grant) = granted(&world).await;
    let medicines = patient.compartment("Medicines");
    let listed = doctor.own.granted_records(&grant, medicines).await?;
    let author = Thief::of(&world, &patient).await;
    let vault = patient.device.client.vault();
    doctor
        .device
        .lies
        .alter::<Vec<VersionView>>("release_open", move |views| {
            let view = &mut views[0];
            let mut version: Version =
                statement::decode_for(&view.statement.statement, vault.as_slice()).unwrap();
            change(&mut version);
            view.statement = author.sign(&version);
        });
    let wanted = [(listed[0].record, None)];
    let opened = doctor.own.open_granted(&grant, &wanted).await?;
    let read = doctor.own.read_parts(&opened[0], &Quiet).await;
    read.map(drop)
}

fn defect_of(result: Result<(), ClientError>) -> &'static str {
    match integrity(result) {
        IntegrityError::Version { what, .. } => what,
        other => panic!("refused for something else: {other:?}"),
    }
}

#[test]
fn a_record_signed_anew_without_a_change_is_believed() {
    run(async { read_after(|_| {}).await.unwrap() });
}

#[test]
fn a_record_signed_over_another_plaintext_is_refused() {
    run(async {
        let read = read_after(|version| version.commitment = Hash([7; 32])).await;
        assert_eq!(defect_of(read), "its plaintext");
    });
}

#[test]
fn a_record_signed_over_other_ciphertext_is_refused() {
    run(async {
        let root = read_after(|version| version.parts[0].root = Hash([7; 32])).await;
        assert_eq!(defect_of(root), "a part");
        let size = read_after(|version| version.parts[0].size -= 1).await;
        assert_eq!(defect_of(size), "a part");
    });
}

#[test]
fn a_record_signed_over_other_keys_is_refused() {
    run(async {
        let descriptor = read_after(|version| version.descriptor_kid = Hash([7; 32])).await;
        assert_eq!(defect_of(descriptor), "its key");
        let content = read_after(|version| version.content_kid = Hash([7; 32])).await;
        assert_eq!(defect_of(content), "its key");
    });
}
