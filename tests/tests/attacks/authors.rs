//! 21, 27 and 28: what someone wrote, under another's name or in another's account.

use super::super::*;
use salus_client::{
    APPEND, Authorship, CompartmentId, READ, ReceivedGrant, RecordId, Scope, Transport, VaultError,
    Wish,
};
use salus_crypto::OpenError;
use salus_crypto::VaultScope;
use salus_crypto::envelope::RequestContents;
use salus_crypto::hpke::PublicKey;
use salus_protocol::KeyChain;
use salus_protocol::statement::{self, StatementError};
use salus_protocol::version::Version;
use salus_tests::transports::decode_answer;
use salus_types::api::{
    Placement, RecordList, RecordPage, RequestPage, Signed, VersionAdd, VersionReceipt, VersionView,
};
use std::cell::RefCell;
use std::rc::Rc;

/// A patient whose doctor left a note in the drop box, and what was sent for it.
struct Note {
    world: World,
    patient: Person,
    doctor: Person,
    record: RecordId,
    sent: VersionAdd,
}

async fn note() -> Note {
    let world = World::new();
    let (patient, doctor, grant) = granted(&world).await;
    let heard = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&heard);
    let lies = &doctor.device.lies;
    lies.overhear("versions_add", move |arg| {
        let versions: Vec<VersionAdd> = candid::decode_one(arg).unwrap();
        keep.borrow_mut().extend(versions);
    });
    let record = doctor.leave(&grant, "findings").await.record;
    lies.stop();
    let sent = heard.borrow_mut().remove(0);
    Note {
        world,
        patient,
        doctor,
        record,
        sent,
    }
}

/// Someone else with a grant to append.
async fn other_author(note: &Note, seed: u8) -> (Person, ReceivedGrant) {
    let other = registered(&note.world, seed).await;
    let principal = other.device.client.caller();
    let client = &note.patient.device.client;
    let contact = client.provider(principal).await.unwrap();
    let terms = terms(Scope::Everything, READ | APPEND);
    note.patient.own.give(&contact, &terms).await.unwrap();
    let grant = other.own.received().await.unwrap().remove(0);
    (other, grant)
}

fn version_of(signed: &Signed) -> Version {
    canonical::decode(&signed.statement).unwrap()
}

fn envelope_of(add: &VersionAdd) -> &ByteBuf {
    match &add.placement {
        Placement::DropBox { envelope, .. } => envelope,
        Placement::Filed(_) => panic!("a note is left in the drop box"),
    }
}

/// What the patient sees in the drop box while the vault changes the note in it.
async fn shown(note: &Note, lie: impl Fn(&mut VersionView) + 'static) -> IntegrityError {
    let lies = &note.patient.device.lies;
    lies.alter::<RecordPage>("record_list", move |page| {
        page.items.iter_mut().for_each(&lie);
    });
    let waiting = unmoved(&note.world, note.patient.own.drop_box()).await;
    lies.stop();
    integrity(waiting)
}

async fn send(
    world: &World,
    person: &Person,
    add: VersionAdd,
) -> salus_types::Result<VersionReceipt> {
    let vault = world.vault.for_caller(person.device.client.caller());
    let arg = candid::encode_one(vec![add]).unwrap();
    let answer = vault.update("versions_add", &arg).await.unwrap();
    let mut receipts: Vec<salus_types::Result<VersionReceipt>> = decode_answer(&answer).unwrap();
    receipts.remove(0)
}

#[test]
fn a21_inject_a_record_in_an_authors_name_as_its_keeper() {
    run(async {
        let note = note().await;
        let (mallory, _) = other_author(&note, 66).await;
        let record = note.record;
        let theirs = mallory.own.account();
        let renamed = shown(&note, move |view| view.author = theirs).await;
        let what = "the author";
        assert_eq!(renamed, IntegrityError::Version { record, what });
        let unsigned = shown(&note, |view| view.statement.signature.fill(0)).await;
        let bad = IntegrityError::Statement(StatementError::BadSignature("salus/v1/version"));
        assert_eq!(unsigned, bad);
        // A whole record of Mallory's, signed as the doctor: the feed tells of no such record, and the
        // doctor's key made no such signature.
        let signer = Thief::of(&note.world, &mallory).await;
        let injected = shown(&note, move |view| {
            let version = Version {
                record: RecordId([9; 16]),
                ..version_of(&view.statement)
            };
            view.record = version.record;
            view.statement = signer.sign(&version);
        });
        let record = RecordId([9; 16]);
        assert_eq!(injected.await, IntegrityError::NotInFeed { record });
        let signer = Thief::of(&note.world, &mallory).await;
        let resigned = shown(&note, move |view| {
            view.statement = signer.sign(&version_of(&view.statement));
        });
        assert_eq!(resigned.await, bad);
        let waiting = note.patient.own.drop_box().await.unwrap();
        assert_eq!(waiting[0].author.authorship, Authorship::Verified);
        assert_eq!(waiting[0].author.account, note.doctor.own.account());
    });
}

#[test]
fn a21_inject_a_record_in_an_authors_name_with_a_grant_of_ones_own() {
    run(async {
        let note = note().await;
        let (mallory, grant) = other_author(&note, 66).await;
        let signer = Thief::of(&note.world, &mallory).await;
        // In the doctor's name, under Mallory's grant, signed with Mallory's key.
        let version = Version {
            record: RecordId([9; 16]),
            ..version_of(&note.sent.statement)
        };
        let envelope = envelope_of(&note.sent).clone();
        let add = VersionAdd {
            statement: signer.sign(&version),
            placement: Placement::DropBox {
                grant: grant.grant.id,
                envelope,
            },
            ..note.sent.clone()
        };
        let sent = send(&note.world, &mallory, add);
        let refused = unmoved(&note.world, sent).await;
        let invalid =
            matches!(&refused, Err(VaultError::Invalid { field, .. }) if field == "author");
        assert!(invalid, "{refused:?}");
    });
}

#[test]
fn a21_put_words_into_a_requesters_mouth() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        // Anyone can seal to the patient; only the doctor can sign what was sealed.
        let vault = patient.device.client.vault();
        let scope = VaultScope {
            vault: vault.as_slice(),
            account: patient.own.account(),
        };
        let contents = RequestContents {
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
        let chain = KeyChain::verify(&info.chain, vault.as_slice()).unwrap();
        let public = PublicKey::from_bytes(&chain.current().unwrap().link.sealing).unwrap();
        let (who, genesis) = (doctor.own.account(), doctor.own.genesis());
        let forged = contents.seal(&public, scope, request.id, who, genesis);
        let forged = ByteBuf::from(forged.unwrap());
        let lies = &patient.device.lies;
        lies.alter::<RequestPage>("request_inbox", move |page| {
            page.items[0].envelope = forged.clone();
        });
        let inbox = unmoved(&world, patient.own.incoming_requests()).await;
        assert_eq!(integrity(inbox), IntegrityError::Request("the envelope"));
    });
}

#[test]
fn a27_resign_anothers_note() {
    run(async {
        let note = note().await;
        let (mallory, _) = other_author(&note, 66).await;
        // The doctor's ciphertext as Mallory's own record: names, links and signature are Mallory's.
        let signer = Thief::of(&note.world, &mallory).await;
        let (account, genesis) = (mallory.own.account(), mallory.own.genesis());
        let (link, sent) = (signer.link(), note.sent.clone());
        let version = Version {
            author: account,
            author_genesis: genesis,
            author_link: link,
            ..version_of(&sent.statement)
        };
        let statement = signer.sign(&version);
        let hash = statement::hash_of::<Version>(&statement.statement);
        let lies = &note.patient.device.lies;
        let resigned = statement.clone();
        lies.alter::<RecordPage>("record_list", move |page| {
            for view in &mut page.items {
                view.author = account;
                view.statement = resigned.clone();
            }
        });
        let waiting = unmoved(&note.world, note.patient.own.drop_box()).await;
        let record = note.record;
        assert_eq!(integrity(waiting), IntegrityError::NotInFeed { record });
        lies.stop();

        // As the vault would have it in the feed too, if Mallory had been first: it does not open.
        lies.alter::<Vec<VersionView>>("record_get", move |views| {
            views[0].author = account;
            views[0].statement = statement.clone();
        });
        let opened = unmoved(&note.world, note.patient.own.open_record(record, None)).await;
        assert_eq!(refusal("resigned", opened), OpenError::Envelope.into());
        assert_ne!(
            hash,
            statement::hash_of::<Version>(&sent.statement.statement)
        );
    });
}

#[test]
fn a27_resign_anothers_note_whose_keys_one_was_given() {
    run(async {
        let note = note().await;
        let medicines = note.patient.compartment("Medicines");
        let waiting = note.patient.own.drop_box().await.unwrap().remove(0);
        note.patient.own.adopt(&waiting, medicines).await.unwrap();
        let (mallory, grant) = other_author(&note, 66).await;
        // Mallory may read it, and knows its keys: a new record with the same ciphertext and the same
        // keys, sealed to the patient. The kids are of another record, and so are the contexts.
        let listed = mallory
            .own
            .granted_records(&grant, medicines)
            .await
            .unwrap();
        assert!(listed.iter().any(|item| item.record == note.record));
        let signer = Thief::of(&note.world, &mallory).await;
        let patient = Thief::of(&note.world, &note.patient).await;
        let id = RecordId([9; 16]);
        let version = version_of(&note.sent.statement);
        let keys = patient.dropped_keys(&version, envelope_of(&note.sent));
        let version = Version {
            record: id,
            author: mallory.own.account(),
            author_genesis: mallory.own.genesis(),
            author_link: signer.link(),
            ..version
        };
        let (version, envelope) = patient.drop_keys(version, &keys);
        let add = VersionAdd {
            statement: signer.sign(&version),
            placement: Placement::DropBox {
                grant: grant.grant.id,
                envelope: ByteBuf::from(envelope),
            },
            ..note.sent.clone()
        };
        send(&note.world, &mallory, add).await.unwrap();
        let waiting = unmoved(&note.world, note.patient.own.drop_box()).await;
        let error = refusal("resigned", waiting);
        assert_eq!(error, OpenError::WrongKeyOrContext.into());
    });
}

#[test]
fn a28_forward_a_drop_box_item_to_someone_else() {
    run(async {
        let note = note().await;
        let other = note.world.person(3).await;
        // The doctor deals with the other patient too; whoever carries messages brings the note there.
        let request = asked(&other, &note.doctor, &ask(Wish::Everything, READ | APPEND)).await;
        let terms = terms(Scope::Everything, READ | APPEND);
        let theirs = other.own.approve(&request, &terms).await.unwrap();
        let envelope = envelope_of(&note.sent).clone();
        let forward = VersionAdd {
            placement: Placement::DropBox {
                grant: theirs,
                envelope: envelope.clone(),
            },
            ..note.sent.clone()
        };
        let sent = send(&note.world, &note.doctor, forward).await;
        assert_eq!(sent, Err(VaultError::NotFound));
        assert!(other.own.drop_box().await.unwrap().is_empty());

        // The vault itself puts it into the other's drop box.
        let view = {
            let list = RecordList {
                compartment: CompartmentId::DROP_BOX,
                cursor: None,
                limit: None,
            };
            let owner = Thief::of(&note.world, &note.patient).await;
            let arg = candid::encode_one(list).unwrap();
            let page: RecordPage = owner.query("record_list", arg).await.unwrap();
            page.items[0].clone()
        };
        let (record, lies) = (note.record, &other.device.lies);
        let shown = view.clone();
        lies.alter::<RecordPage>("record_list", move |page| page.items.push(shown.clone()));
        let waiting = unmoved(&note.world, other.own.drop_box()).await;
        let what = "the owner";
        assert_eq!(integrity(waiting), IntegrityError::Version { record, what });
        lies.stop();

        // The doctor signs it for the other, with the envelope that was sealed to the first: it does not
        // open, though the seed that it was sealed to be another's anyway.
        let signer = Thief::of(&note.world, &note.doctor).await;
        let mut version = Version {
            owner: other.own.account(),
            ..version_of(&note.sent.statement)
        };
        let link = Thief::of(&note.world, &other).await.link();
        version.drop_box.as_mut().unwrap().owner_link = link;
        let forward = VersionAdd {
            statement: signer.sign(&version),
            placement: Placement::DropBox {
                grant: theirs,
                envelope,
            },
            ..note.sent.clone()
        };
        send(&note.world, &note.doctor, forward).await.unwrap();
        let waiting = unmoved(&note.world, other.own.drop_box()).await;
        assert_eq!(refusal("forwarded", waiting), OpenError::Envelope.into());
    });
}
