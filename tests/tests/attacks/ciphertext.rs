//! 1–4: sealed things with a bit changed, cut, lengthened, put in another's place.

use super::super::*;
use candid::CandidType;
use salus_client::{Label, OpenVersion, PartDraft, Quiet, READ, Transport, Wish};
use salus_crypto::OpenError;
use salus_tests::transports::decode_answer;
use salus_types::api::{
    Filed, GrantPage, PieceRead, RecordGet, RecordList, RecordPage, RequestPage, VersionView,
};
use serde::de::DeserializeOwned;

/// A place in an answer where bytes lie.
type Bytes<T> = fn(&mut T) -> Option<&mut Vec<u8>>;

/// Changes one bit, in nine places from the first byte to the last, and reads. Every time the refusal
/// must be one of those `expected`.
async fn flipped<T, R>(
    (device, method, what): (&Device, &str, &str),
    bytes: Bytes<T>,
    read: impl AsyncFn() -> Result<R, ClientError>,
    expected: fn(&ClientError) -> bool,
) where
    T: CandidType + DeserializeOwned + 'static,
{
    for eighth in 0..=8usize {
        device.lies.alter(method, move |answer: &mut T| {
            if let Some(bytes) = bytes(answer) {
                let place = (bytes.len() - 1) * eighth / 8;
                bytes[place] ^= 1 << (eighth % 8);
            }
        });
        let case = format!("{what}, {eighth} eighths in");
        let error = refusal(&case, read().await);
        assert!(expected(&error), "{case}: {error:?}");
    }
    device.lies.stop();
}

fn first(page: &mut RecordPage) -> Option<&mut VersionView> {
    page.items.first_mut()
}

fn filing(view: &mut VersionView) -> Option<&mut salus_types::api::Filing> {
    match &mut view.filed {
        Filed::Compartment(filing) => Some(filing),
        Filed::DropBox { .. } => None,
    }
}

fn is_version(error: &ClientError) -> bool {
    matches!(error.integrity(), Some(IntegrityError::Version { .. }))
}

fn is_open(error: &ClientError) -> bool {
    matches!(error, ClientError::Open(_))
}

/// Not the canonical bytes, not signed, or about something else.
fn is_statement(error: &ClientError) -> bool {
    matches!(
        error.integrity(),
        Some(
            IntegrityError::Statement(_)
                | IntegrityError::Version { .. }
                | IntegrityError::NotInFeed { .. }
                | IntegrityError::Grant(_)
                | IntegrityError::Request(_)
                | IntegrityError::KeyChanged { .. }
        )
    )
}

#[test]
fn a01_flip_any_ciphertext_bit_of_a_record() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let stored = person.write("one").await;
        let medicines = person.compartment("Medicines");
        let own = &person.own;
        let list = async || unmoved(&world, own.records(medicines)).await;
        let at = |what| (&person.device, "record_list", what);
        let descriptor: Bytes<RecordPage> = |page| Some(&mut first(page)?.descriptor);
        flipped(at("descriptor"), descriptor, &list, is_version).await;
        let key: Bytes<RecordPage> = |page| Some(&mut filing(first(page)?)?.wrap_descriptor);
        flipped(at("wrapped descriptor key"), key, &list, is_open).await;
        let key: Bytes<RecordPage> = |page| Some(&mut filing(first(page)?)?.wrap_content);
        flipped(at("wrapped content key"), key, &list, is_open).await;
        let statement: Bytes<RecordPage> = |page| Some(&mut first(page)?.statement.statement);
        flipped(at("statement"), statement, &list, is_statement).await;
        let signature: Bytes<RecordPage> = |page| Some(&mut first(page)?.statement.signature);
        flipped(at("signature"), signature, &list, is_statement).await;

        let open = own.open_record(stored.record, None).await.unwrap();
        let read = async || unmoved(&world, own.read_parts(&open, &Quiet)).await;
        let piece: Bytes<ByteBuf> = |piece| Some(piece);
        let what = (&person.device, "piece_read", "content");
        // The cipher notices, or the hash that the author signed does.
        flipped(what, piece, &read, |error| {
            is_open(error) || is_version(error)
        })
        .await;
        assert_eq!(person.titles().await, ["one"]);
    });
}

#[test]
fn a01_flip_any_ciphertext_bit_of_an_account() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let teeth = Label::named("Teeth");
        person.own.add_compartment(&teeth).await.unwrap();
        type Sealed = fn(&mut Change) -> Option<&mut Vec<u8>>;
        let sealed: [(&str, u64, Sealed); 7] = [
            ("bundle", 0, |change| match change {
                Change::Open { bundle, .. } => Some(bundle),
                _ => None,
            }),
            ("slot's key", 0, |change| match change {
                Change::Open { slots, .. } => Some(&mut slots[0].sealing),
                _ => None,
            }),
            ("slot's wrap", 0, |change| match change {
                Change::Open { slots, .. } => Some(&mut slots[0].wrap),
                _ => None,
            }),
            ("slot's anchor", 0, |change| match change {
                Change::Open { slots, .. } => Some(&mut slots[0].anchor),
                _ => None,
            }),
            ("first epoch key", 0, |change| match change {
                Change::Open { compartments, .. } => Some(&mut compartments[0].wrap),
                _ => None,
            }),
            ("epoch key", 1, |change| match change {
                Change::AddCompartment { compartment, .. } => Some(&mut compartment.wrap),
                _ => None,
            }),
            ("name", 1, |change| match change {
                Change::AddCompartment { compartment, .. } => Some(&mut compartment.name),
                _ => None,
            }),
        ];
        for (what, seq, place) in sealed {
            for eighth in 0..=8 {
                let lie = |lies: &Lies| {
                    forge(lies, seq, move |change| {
                        let bytes = place(change).unwrap();
                        let at = (bytes.len() - 1) * eighth / 8;
                        bytes[at] ^= 1 << (eighth % 8);
                    });
                };
                let error = unlock(&world, &person, lie).await;
                let refused = matches!(error, IntegrityError::Statement(_));
                assert!(refused, "{what}, {eighth} eighths in: {error:?}");
            }
        }
        // What the profile note said is not shown; nobody is kept out for it.
        let fresh = world.device(1);
        fresh
            .lies
            .alter::<salus_client::AccountInfo>("account_show", |info| info.profile[100] ^= 1);
        let own = fresh.client.unlock_with_phrase(&person.phrase).await;
        assert_eq!(own.unwrap().profile().unwrap().display_name, "");
    });
}

#[test]
fn a01_flip_any_ciphertext_bit_between_people() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        let received = async || unmoved(&world, doctor.own.received()).await;
        let at = |what| (&doctor.device, "grant_received", what);
        let envelope: Bytes<GrantPage> = |page| Some(&mut page.items.first_mut()?.envelope);
        flipped(at("grant's envelope"), envelope, &received, |error| {
            *error == ClientError::Integrity(IntegrityError::Grant("the envelope"))
        })
        .await;
        let statement: Bytes<GrantPage> =
            |page| Some(&mut page.items.first_mut()?.statement.statement);
        flipped(at("grant"), statement, &received, is_statement).await;
        let signature: Bytes<GrantPage> =
            |page| Some(&mut page.items.first_mut()?.statement.signature);
        flipped(at("grant's signature"), signature, &received, is_statement).await;
        // An owner's note is for the owner's eyes; without it the grant still stands in the ledger.
        patient
            .device
            .lies
            .alter::<GrantPage>("grant_list", |page| page.items[0].note[100] ^= 1);
        assert_eq!(patient.own.grants().await.unwrap()[0].purpose, None);
        patient.device.lies.stop();

        let listed = async || doctor.own.granted_records(&grant, medicines).await;
        let at = |what| (&doctor.device, "release_list", what);
        let key: Bytes<RecordPage> = |page| Some(&mut filing(first(page)?)?.wrap_descriptor);
        flipped(at("released descriptor key"), key, &listed, is_open).await;
        let descriptor: Bytes<RecordPage> = |page| Some(&mut first(page)?.descriptor);
        flipped(at("released descriptor"), descriptor, &listed, is_version).await;
        let record = listed().await.unwrap()[0].record;
        let wanted = [(record, None)];
        let open = async || doctor.own.open_granted(&grant, &wanted).await;
        let key: Bytes<Vec<VersionView>> = |views| Some(&mut filing(&mut views[0])?.wrap_content);
        let what = (&doctor.device, "release_open", "released content key");
        flipped(what, key, &open, is_open).await;

        doctor.leave(&grant, "note").await;
        let waiting = async || unmoved(&world, patient.own.drop_box()).await;
        let envelope: Bytes<RecordPage> = |page| match &mut first(page)?.filed {
            Filed::DropBox { envelope, .. } => Some(envelope),
            Filed::Compartment(_) => None,
        };
        let what = (&patient.device, "record_list", "envelope in the drop box");
        flipped(what, envelope, &waiting, is_version).await;
        assert_eq!(waiting().await.unwrap().len(), 1);
    });
}

#[test]
fn a01_flip_any_ciphertext_bit_of_a_request() {
    run(async {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
        let inbox = async || unmoved(&world, patient.own.incoming_requests()).await;
        let at = |what| (&patient.device, "request_inbox", what);
        let envelope: Bytes<RequestPage> = |page| Some(&mut page.items.first_mut()?.envelope);
        flipped(at("request's envelope"), envelope, &inbox, |error| {
            *error == ClientError::Integrity(IntegrityError::Request("the envelope"))
        })
        .await;
        let statement: Bytes<RequestPage> =
            |page| Some(&mut page.items.first_mut()?.statement.statement);
        flipped(at("request"), statement, &inbox, is_statement).await;
        assert_eq!(inbox().await.unwrap().len(), 1);
    });
}

/// A record with a part of three chunks, opened.
async fn long(person: &Person) -> OpenVersion {
    let bytes: Vec<u8> = (0..40_000u32).map(|n| (n % 251) as u8).collect();
    let part = [PartDraft::of_bytes(
        "scan.bin",
        "application/octet-stream",
        bytes,
    )];
    let (medicines, draft) = (person.compartment("Medicines"), draft("scan"));
    let add = person.own.add_record(medicines, &draft, &part, &Quiet);
    let stored = add.await.unwrap();
    person.own.open_record(stored.record, None).await.unwrap()
}

#[test]
fn a02_truncate_extend_or_reorder_chunks() {
    const HEADER: usize = 56;
    const CHUNK: usize = 16_400;
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let open = long(&person).await;
        let lies: [Lie<Vec<u8>>; 12] = [
            ("nothing at all", Vec::clear),
            ("cut inside the header", |b| b.truncate(30)),
            ("the header alone", |b| b.truncate(HEADER)),
            ("cut at a chunk's end", |b| b.truncate(HEADER + 2 * CHUNK)),
            ("cut inside a chunk", |b| b.truncate(HEADER + CHUNK + 700)),
            ("the last byte missing", |b| b.truncate(b.len() - 1)),
            ("a byte more", |b| b.push(0)),
            ("an empty chunk more", |b| b.extend([0; 16])),
            ("the last chunk twice", |b| {
                b.extend(b[HEADER + 2 * CHUNK..].to_vec());
            }),
            ("two chunks exchanged", |b| {
                let (one, other) = b[HEADER..HEADER + 2 * CHUNK].split_at_mut(CHUNK);
                one.swap_with_slice(other);
            }),
            ("a chunk repeated", |b| {
                let first = b[HEADER..HEADER + CHUNK].to_vec();
                b[HEADER + CHUNK..HEADER + 2 * CHUNK].copy_from_slice(&first);
            }),
            ("a chunk left out", |b| {
                drop(b.drain(HEADER..HEADER + CHUNK));
            }),
        ];
        for (what, lie) in lies {
            person
                .device
                .lies
                .alter::<ByteBuf>("piece_read", move |piece| lie(piece));
            let read = unmoved(&world, person.own.read_parts(&open, &Quiet)).await;
            let error = refusal(what, read);
            // Either the cipher notices, or the hash that the author signed.
            let refused = matches!(
                error,
                ClientError::Open(OpenError::Damaged { .. } | OpenError::TooShort)
                    | ClientError::Integrity(IntegrityError::Version { what: "a part", .. })
            );
            assert!(refused, "{what}: {error:?}");
        }
        person.device.lies.stop();
        let parts = person.own.read_parts(&open, &Quiet).await.unwrap();
        assert_eq!(parts[0].len(), 40_000);
    });
}

/// What someone sees of their medicines while the vault lies about the list.
async fn lied(
    world: &World,
    person: &Person,
    lie: impl Fn(&mut RecordPage) + 'static,
) -> ClientError {
    person.device.lies.alter("record_list", lie);
    let medicines = person.compartment("Medicines");
    let listed = unmoved(world, person.own.records(medicines)).await;
    person.device.lies.stop();
    refusal("the list", listed)
}

async fn page_of(world: &World, person: &Person) -> RecordPage {
    let list = RecordList {
        compartment: person.compartment("Medicines"),
        cursor: None,
        limit: None,
    };
    let vault = world.vault.for_caller(person.device.client.caller());
    let arg = candid::encode_one(list).unwrap();
    let answer = vault.query("record_list", &arg).await.unwrap();
    decode_answer(&answer).unwrap()
}

#[test]
fn a03_splice_a_record_into_another() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let one = person.write("one").await;
        let two = person.write("two").await;
        let twisted = lied(&world, &person, |page| {
            page.items[0].descriptor = page.items[1].descriptor.clone();
        });
        let what = "the descriptor";
        let record = one.record;
        assert_eq!(
            twisted.await,
            IntegrityError::Version { record, what }.into()
        );
        let renamed = lied(&world, &person, |page| {
            page.items[0].record = page.items[1].record;
        });
        let (what, record) = ("the version", two.record);
        assert_eq!(
            renamed.await,
            IntegrityError::Version { record, what }.into()
        );
        let rewrapped = lied(&world, &person, |page| {
            page.items[0].filed = page.items[1].filed.clone();
        });
        let expected = ClientError::Open(OpenError::WrongKeyOrContext);
        assert_eq!(rewrapped.await, expected);

        // The bytes of one under the name of the other.
        let open = person.own.open_record(one.record, None).await.unwrap();
        let (from, to) = (one.record, two.record);
        let lies = &person.device.lies;
        lies.redirect::<PieceRead>("piece_read", move |read| {
            assert_eq!(read.record, from);
            read.record = to;
        });
        let read = unmoved(&world, person.own.read_parts(&open, &Quiet)).await;
        assert_eq!(refusal("another's bytes", read), expected);
        lies.stop();
        // One where the other was asked for.
        lies.redirect::<RecordGet>("record_get", move |get| get.record = to);
        let opened = unmoved(&world, person.own.open_record(one.record, None)).await;
        let expected = IntegrityError::Malformed("another record than was asked for");
        assert_eq!(integrity(opened), expected);
    });
}

#[test]
fn a03_splice_a_version_into_another() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let stored = person.write("old").await;
        let item = person.own.history(stored.record).await.unwrap().remove(0);
        person.amend(&item, "new").await;
        let open = person.own.open_record(stored.record, Some(2)).await;
        let open = open.unwrap();
        let lies = &person.device.lies;
        lies.redirect::<PieceRead>("piece_read", |read| read.version = 1);
        let read = unmoved(&world, person.own.read_parts(&open, &Quiet)).await;
        let expected = ClientError::Open(OpenError::WrongKeyOrContext);
        assert_eq!(refusal("the older one's bytes", read), expected);
        lies.stop();
        lies.alter::<Vec<VersionView>>("record_get", |views| {
            if let [new, old] = views.as_mut_slice() {
                new.filed = old.filed.clone();
            }
        });
        let history = unmoved(&world, person.own.history(stored.record)).await;
        assert_eq!(refusal("the older one's keys", history), expected);
        lies.alter::<Vec<VersionView>>("record_get", |views| {
            if let [new, old] = views.as_mut_slice() {
                std::mem::swap(new, old);
            }
        });
        let history = unmoved(&world, person.own.history(stored.record)).await;
        let expected = IntegrityError::Version {
            record: stored.record,
            what: "the order of versions",
        };
        assert_eq!(integrity(history), expected);
    });
}

#[test]
fn a03_splice_a_record_into_another_patients() {
    run(async {
        let world = World::new();
        let (person, other) = (world.person(1).await, world.person(3).await);
        let mine = person.write("mine").await;
        let theirs = other.write("theirs").await;
        let page = page_of(&world, &other).await;
        let (what, record) = ("the owner", theirs.record);
        let medicines = person.compartment("Medicines");
        let shown = page.clone();
        let spliced = lied(&world, &person, move |page| {
            let mut view = shown.items[0].clone();
            if let Filed::Compartment(filing) = &mut view.filed {
                filing.compartment = medicines;
            }
            page.items.push(view);
        });
        assert_eq!(
            spliced.await,
            IntegrityError::Version { record, what }.into()
        );
        // Only the bytes: another's content under a record of one's own.
        let open = person.own.open_record(mine.record, None).await.unwrap();
        let foreign = {
            let read = PieceRead {
                owner: other.own.account(),
                grant: None,
                record: theirs.record,
                version: 1,
                part: 0,
                index: 0,
            };
            let vault = world.vault.for_caller(other.device.client.caller());
            let arg = candid::encode_one(read).unwrap();
            let answer = vault.query("piece_read", &arg).await.unwrap();
            decode_answer::<ByteBuf>(&answer).unwrap()
        };
        person.device.lies.pretend("piece_read", foreign);
        let read = unmoved(&world, person.own.read_parts(&open, &Quiet)).await;
        let expected = ClientError::Open(OpenError::WrongKeyOrContext);
        assert_eq!(refusal("another patient's bytes", read), expected);
    });
}

#[test]
fn a04_swap_parts_between_attachments() {
    run(async {
        let world = World::new();
        let person = world.person(1).await;
        let medicines = person.compartment("Medicines");
        // Alike in name, kind and length, so that only their bytes differ.
        let parts = ["left lung", "the heart"].map(|t| PartDraft::of_bytes("x", "text/plain", t));
        let draft = draft("scans");
        let add = person.own.add_record(medicines, &draft, &parts, &Quiet);
        let stored = add.await.unwrap();
        let open = person.own.open_record(stored.record, None).await.unwrap();
        let lies = &person.device.lies;
        let swap: fn(&mut PieceRead) = |read| read.part = 1 - read.part;
        let repeat: fn(&mut PieceRead) = |read| read.part = 0;
        for (case, lie) in [("exchanged", swap), ("one of them twice", repeat)] {
            lies.redirect::<PieceRead>("piece_read", lie);
            let read = unmoved(&world, person.own.read_parts(&open, &Quiet)).await;
            let error = refusal(case, read);
            assert_eq!(error, OpenError::WrongKeyOrContext.into(), "{case}");
        }
        lies.stop();
        // A part too few or too many in the statement is not what its author signed.
        lies.alter::<Vec<VersionView>>("record_get", |views| {
            let bytes = &mut views[0].statement.statement;
            let mut version: salus_protocol::version::Version = canonical::decode(bytes).unwrap();
            version.parts.swap(0, 1);
            *bytes = ByteBuf::from(canonical::encode(&version));
        });
        let opened = unmoved(&world, person.own.open_record(stored.record, None)).await;
        assert!(matches!(integrity(opened), IntegrityError::Statement(_)));
        lies.stop();
        let parts = person.own.read_parts(&open, &Quiet).await.unwrap();
        assert_eq!(parts[0].as_slice(), b"left lung");
    });
}
