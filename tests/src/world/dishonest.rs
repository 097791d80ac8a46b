//! Counterparties who hold their own keys and sign what does not fit. Must not assert anything.

use super::{Thief, World, granted};
use salus_client::{ClientError, Quiet, ReceivedGrant};
use salus_crypto::envelope::GrantContents;
use salus_crypto::hpke::PublicKey;
use salus_protocol::grant::Grant;
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::Version;
use salus_types::api::{GrantPage, VersionView};
use serde_bytes::ByteBuf;

/// What the doctor makes of the patient's grant once the patient has changed statement and envelope,
/// and signed and sealed both anew.
pub async fn received_after(
    change: impl Fn(&mut Grant, &mut GrantContents) + 'static,
) -> Result<Vec<ReceivedGrant>, ClientError> {
    received_sealed(change, |_| {}).await
}

/// The same with the envelope bent after it was sealed, and signed so.
pub async fn received_sealed(
    change: impl Fn(&mut Grant, &mut GrantContents) + 'static,
    bend: impl Fn(&mut Vec<u8>) + 'static,
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
            let mut envelope = signer
                .with_scope(|scope| {
                    contents.seal(&public, scope, grant.id, grant.revision, grantee, link)
                })
                .unwrap();
            bend(&mut envelope);
            grant.envelope = sha256(&envelope);
            view.statement = signer.sign(&grant);
            view.envelope = ByteBuf::from(envelope);
        });
    doctor.own.received().await
}

/// What the doctor makes of the patient's record once the patient has changed its statement and signed
/// it anew: listing is refused at opening, reading when the parts are read.
pub async fn read_after(change: impl Fn(&mut Version) + 'static) -> Result<(), ClientError> {
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
