//! 36 and 38: a stolen session without the signing key, and secrets where they must not be.

use super::super::*;
use candid::{CandidType, Reserved};
use salus_client::memory::Volatile;
use salus_client::{
    Client, CompartmentId, Label, Memory, NewSlot, Quiet, READ, RecordId, SlotId, SlotSecret,
    Transport, Wish,
};
use salus_crypto::hazmat::hkdf::derive_sha256;
use salus_crypto::{context, hazmat};
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::ledger::{EpochAdvance, NewCompartment, Slot, SlotKind};
use salus_protocol::request::{
    Claim, DirectoryEntry, Disclaim, Invitation, Request, invitation_id,
};
use salus_protocol::statement::sha256;
use salus_protocol::version::{Adoption, Version};
use salus_types::api::{
    AccountCreate, Adopt, Filed, Filing, GrantPayload, KeyRotate, LedgerAppend, PieceRead,
    Placement, RecordList, RequestSend, SignedLink, VersionAdd,
};
use salus_types::{Hash, RequestId};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Updates that are not signed: what a session can do without the identity key, and what `SECURITY.md`
/// says of it.
const UNSIGNED: [&str; 8] = [
    "profile_set",
    "slot_used",
    "upload_begin",
    "upload_piece",
    "upload_abort",
    "release_list",
    "release_open",
    "account_create",
];

/// A call with the victim's session, and the bytes of its argument.
type Attempt = (&'static str, Vec<u8>);

fn attempt(method: &'static str, arg: impl CandidType) -> Attempt {
    (method, candid::encode_one(arg).unwrap())
}

/// Whatever the victim could sign, signed with the thief's own key.
async fn attempts(world: &World, victim: &Person, key: &Thief) -> Vec<Attempt> {
    let honest = Thief::of(world, victim).await;
    let vault = world.vault.vault().as_slice().to_vec();
    let (account, link) = (victim.own.account(), honest.link());
    let genesis = victim.own.genesis();
    let principal = victim.device.client.caller();
    let medicines = victim.compartment("Medicines");
    let mut out = Vec::new();
    let changes = [
        Change::RenameCompartment {
            compartment: medicines,
            name: vec![1; 100],
        },
        Change::AddCompartment {
            compartment: NewCompartment {
                id: CompartmentId([9; 16]),
                name: vec![1; 100],
                kid: Hash([1; 32]),
                wrap: vec![1; 104],
            },
            reissues: Vec::new(),
        },
        Change::AddSlot {
            slot: Slot {
                id: SlotId([9; 16]),
                kind: SlotKind::File,
                sealing: honest
                    .bundle
                    .current
                    .hpke
                    .public()
                    .unwrap()
                    .as_bytes()
                    .to_vec(),
                anchor: vec![1; 104],
                wrap: vec![1; 1170],
                label: Vec::new(),
                parameters: None,
            },
        },
        Change::Advance {
            epochs: vec![EpochAdvance {
                compartment: medicines,
                epoch: 2,
                kid: Hash([1; 32]),
                wrap: vec![1; 104],
            }],
            reissues: Vec::new(),
        },
    ];
    for change in changes {
        let op = key.sign(&honest.op(change).await);
        let grants: Vec<GrantPayload> = Vec::new();
        out.push(attempt("ledger_append", LedgerAppend { op, grants }));
    }
    let info = honest.info().await;
    let last: KeyLink = canonical::decode(&info.chain[0].statement).unwrap();
    let next = KeyLink {
        index: 1,
        previous: Some(link),
        by: Authority::Identity,
        ..last
    };
    let signed = key.sign(&next);
    let rotate = Change::Rotate {
        link: Hash([1; 32]),
        bundle: vec![1; 200],
    };
    let rotate = KeyRotate {
        link: SignedLink {
            statement: signed.statement,
            possession: signed.signature.clone(),
            signature: signed.signature,
        },
        op: key.sign(&honest.op(rotate).await),
    };
    out.push(attempt("key_rotate", rotate));
    let claim = Claim {
        vault: vault.clone(),
        account,
        principal: principal.as_slice().to_vec(),
        by: Authority::Identity,
        at: NOW,
    };
    out.push(attempt("principal_claim", key.sign(&claim)));
    let disclaim = Disclaim {
        vault: vault.clone(),
        account,
        principal: principal.as_slice().to_vec(),
        by: Authority::Identity,
        at: NOW,
    };
    out.push(attempt("principal_remove", key.sign(&disclaim)));
    let invitation = Invitation {
        vault: vault.clone(),
        account,
        link,
        id: invitation_id(&[1; 16]),
        expires: NOW + DAY,
        at: NOW,
    };
    out.push(attempt("invitation_create", key.sign(&invitation)));
    let entry = DirectoryEntry {
        vault: vault.clone(),
        account,
        link,
        name: "Mallory".into(),
        specialty: "Any".into(),
        at: NOW,
    };
    out.push(attempt("provider_register", key.sign(&entry)));
    let request = Request {
        vault: vault.clone(),
        id: RequestId([9; 16]),
        requester: account,
        requester_genesis: genesis,
        requester_link: link,
        patient: account,
        patient_genesis: genesis,
        patient_link: link,
        envelope: sha256(&[1; 1200]),
        at: NOW,
    };
    let send = RequestSend {
        statement: key.sign(&request),
        envelope: ByteBuf::from(vec![1; 1200]),
        code: None,
    };
    out.push(attempt("request_send", send));
    let list = RecordList {
        compartment: medicines,
        cursor: None,
        limit: None,
    };
    let list = candid::encode_one(list).unwrap();
    let page: salus_types::api::RecordPage = honest.query("record_list", list).await.unwrap();
    let view = &page.items[0];
    let version: Version = canonical::decode(&view.statement.statement).unwrap();
    let Filed::Compartment(filing) = &view.filed else {
        panic!("it is filed");
    };
    let new = Version {
        record: RecordId([9; 16]),
        ..version
    };
    let add = VersionAdd {
        statement: key.sign(&new),
        descriptor: view.descriptor.clone(),
        parts: Vec::new(),
        placement: Placement::Filed(filing.clone()),
    };
    out.push(attempt("versions_add", vec![add]));
    let wrap = ByteBuf::from(vec![1; 104]);
    let adoption = Adoption {
        vault,
        owner: account,
        owner_link: link,
        record: view.record,
        version: view.version,
        statement: salus_protocol::statement::hash_of::<Version>(&view.statement.statement),
        compartment: medicines,
        epoch: 1,
        wrap_descriptor: sha256(&wrap),
        wrap_content: sha256(&wrap),
        at: NOW,
    };
    let filing = Filing {
        compartment: medicines,
        epoch: 1,
        wrap_descriptor: wrap.clone(),
        wrap_content: wrap,
    };
    let statement = key.sign(&adoption);
    out.push(attempt("versions_adopt", vec![Adopt { statement, filing }]));
    out
}

/// Whether the vault refused: of a batch, each of it.
fn is_refused(method: &str, answer: &[u8]) -> bool {
    if method.starts_with("versions_") {
        let each: salus_types::Result<Vec<salus_types::Result<Reserved>>> =
            candid::decode_one(answer).unwrap();
        return each.is_err() || each.is_ok_and(|each| each.iter().all(Result::is_err));
    }
    let whole: salus_types::Result<Reserved> = candid::decode_one(answer).unwrap();
    whole.is_err()
}

#[test]
fn a36_a_stolen_session_without_the_signing_key_decides_nothing() {
    run(async {
        let world = World::new();
        let (victim, mallory) = (world.person(1).await, world.person(66).await);
        victim.write("aspirin").await;
        let key = Thief::of(&world, &mallory).await;
        let session = world.vault.for_caller(victim.device.client.caller());
        let attempts = attempts(&world, &victim, &key).await;
        for (method, arg) in &attempts {
            let answer = unmoved(&world, session.update(method, arg)).await.unwrap();
            assert!(is_refused(method, &answer), "{method} was carried out");
        }
        // A second account for the principal is none either.
        let create = AccountCreate {
            genesis: key.info().await.chain.remove(0),
            ledger: key.sign(
                &key.op(Change::Deny {
                    request: RequestId([1; 16]),
                })
                .await,
            ),
            profile: ByteBuf::new(),
        };
        let arg = candid::encode_one(create).unwrap();
        let answer = unmoved(&world, session.update("account_create", &arg)).await;
        assert!(is_refused("account_create", &answer.unwrap()));
        // Every update is tried here, or is one that needs no signature.
        let tried: BTreeSet<&str> = attempts.iter().map(|(method, _)| *method).collect();
        for method in updates() {
            // Pairing carries what two devices say: the slot needs an operation, the principal a claim.
            let known = tried.contains(method.as_str())
                || UNSIGNED.contains(&method.as_str())
                || method.starts_with("pairing_");
            assert!(
                known,
                "{method}: try it here, or say in SECURITY.md what a session may do with it"
            );
        }
        victim.own.refresh().await.unwrap();
        assert_eq!(victim.titles().await, ["aspirin"]);
    });
}

/// The vault's updates, as its interface names them.
fn updates() -> Vec<String> {
    let interface = include_str!("../../../candid/vault.did");
    let service = &interface[interface.find("service :").unwrap()..];
    let methods = service.split(';').filter(|entry| entry.contains("->"));
    let methods = methods.filter(|entry| !entry.trim_end().ends_with("query"));
    let name = |entry: &str| {
        let before = entry.split(':').next().unwrap();
        before.split_whitespace().last().unwrap().to_owned()
    };
    methods
        .map(|entry| entry.rsplit_once('{').map_or(entry, |(_, last)| last))
        .map(name)
        .collect()
}

#[test]
fn a36_a_stolen_session_without_the_signing_key_sees_nothing_plain() {
    run(async {
        let world = World::new();
        let (victim, doctor, grant) = granted(&world).await;
        doctor.leave(&grant, "findings").await;
        let session = world.vault.for_caller(victim.device.client.caller());
        let medicines = victim.compartment("Medicines");
        let (none, zero) = (
            candid::encode_args(()).unwrap(),
            candid::encode_one(0u64).unwrap(),
        );
        let first = candid::encode_one(None::<u64>).unwrap();
        let list = |compartment| {
            let (cursor, limit) = (None, None);
            candid::encode_one(RecordList {
                compartment,
                cursor,
                limit,
            })
            .unwrap()
        };
        let record = victim.own.records(medicines).await.unwrap()[0].record;
        let piece = PieceRead {
            owner: victim.own.account(),
            grant: None,
            record,
            version: 1,
            part: 0,
            index: 0,
        };
        let mut seen = Vec::new();
        for (method, arg) in [
            ("account_show", none),
            ("ledger_page", zero.clone()),
            ("inbox_page", zero),
            ("record_list", list(medicines)),
            ("record_list", list(CompartmentId::DROP_BOX)),
            ("piece_read", candid::encode_one(piece).unwrap()),
            ("grant_list", first.clone()),
            ("request_inbox", first),
        ] {
            let answer = unmoved(&world, session.query(method, &arg)).await.unwrap();
            assert!(!is_refused(method, &answer), "{method} shows something");
            seen.extend(answer);
        }
        for plain in PLAIN {
            assert!(!contains(&seen, plain.as_bytes()), "{plain} is seen");
        }
    });
}

/// What the people of [`granted`] wrote, called things and each other.
const PLAIN: [&str; 7] = [
    "aspirin",
    "findings",
    "note.txt",
    "Medicines",
    "treatment of a cough",
    "Dr Bo",
    "Person 1",
];

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    let finder = aho_corasick::AhoCorasick::new([needle]).unwrap();
    finder.is_match(haystack)
}

/// Secrets of someone's: what nobody else may ever have. `slot` is one of their slots, and `secret` its.
fn secrets(person: &Person, keys: &Thief, slot: &Slot, secret: &SlotSecret) -> Vec<Vec<u8>> {
    let current = &keys.bundle.current;
    let amk = keys.with_scope(|scope| {
        let kind = secret.kind().tag().as_bytes();
        let seed = context::slot_seed(scope, slot.id, kind);
        let seed = derive_sha256(secret.expose(), seed.as_bytes());
        let wrap = context::slot_wrap(scope, slot.id, 1);
        hazmat::hpke::open(&seed, wrap.as_bytes(), &slot.wrap[2..]).unwrap()
    });
    vec![
        amk.to_vec(),
        current.hpke.expose().to_vec(),
        current.signing.expose_seed().to_vec(),
        secret.expose().to_vec(),
        person.phrase.slot_secret().expose().to_vec(),
        person.phrase.to_words().as_bytes().to_vec(),
    ]
}

#[test]
fn a38_secrets_in_what_a_device_remembers_and_in_what_the_vault_stores() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        doctor.leave(&grant, "findings").await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret.clone(), "Dr Bo").unwrap();
        // A device that does whatever leaves something behind: asks, uploads and is cut off, follows.
        let memory = Rc::new(Volatile::default());
        let (transport, clock) = world.connect(1);
        let client = Client::new(transport, Rc::clone(&memory) as Rc<dyn Memory>, clock);
        let own = client.unlock_with_phrase(&patient.phrase).await.unwrap();
        own.add_slot(&slot).await.unwrap();
        own.drop_box().await.unwrap();
        own.records(patient.compartment("Medicines")).await.unwrap();
        own.audit_trail(&Quiet).await.unwrap();
        let other = world.person(3).await;
        let (link, _) = other.own.invite(NOW + DAY).await.unwrap();
        let met = own.open_link(&link).await.unwrap();
        let wish = ask(Wish::Everything, READ);
        own.ask(&met, Some(&link), &wish).await.unwrap();
        own.lock();

        let keys = memory.keys("").await.unwrap();
        assert!(keys.len() > 5, "it remembers something: {keys:?}");
        let mut remembered = Vec::new();
        for key in keys {
            remembered.extend(key.as_bytes());
            remembered.extend(memory.load(&key).await.unwrap().unwrap());
        }
        let stored = world.vault.snapshot().bytes();
        let thief = Thief::of(&world, &patient).await;
        let slot = salus_tests::world::slot(&world, &patient, slot.id).await;
        for (place, bytes) in [("remembered", &remembered), ("stored", &stored)] {
            for secret in secrets(&patient, &thief, &slot, &secret) {
                assert!(!contains(bytes, &secret), "a secret is {place}");
            }
            for plain in PLAIN {
                assert!(!contains(bytes, plain.as_bytes()), "{plain} is {place}");
            }
        }
    });
}

#[test]
fn a38_nothing_can_be_had_after_lock() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        doctor.leave(&grant, "findings").await;
        let own = patient.own.clone();
        let medicines = patient.compartment("Medicines");
        let record = own.records(medicines).await.unwrap()[0].record;
        patient.own.lock();
        let locked = |error: ClientError| assert_eq!(error, ClientError::Locked);
        locked(own.profile().unwrap_err());
        locked(own.compartments().unwrap_err());
        locked(own.slots().unwrap_err());
        locked(own.authorise(own.client().caller()).unwrap_err());
        locked(own.refresh().await.unwrap_err());
        locked(own.records(medicines).await.unwrap_err());
        locked(own.drop_box().await.unwrap_err());
        locked(own.history(record).await.unwrap_err());
        locked(own.open_record(record, None).await.err().unwrap());
        locked(own.grants().await.unwrap_err());
        locked(own.incoming_requests().await.unwrap_err());
        locked(own.invite(NOW + DAY).await.unwrap_err());
        locked(own.rotate_identity().await.unwrap_err());
        let label = Label::named("Teeth");
        locked(own.add_compartment(&label).await.unwrap_err());
        let file = unmoved(&world, patient.file(medicines, "x"));
        locked(file.await.unwrap_err());
        let shown = format!("{own:?} {:?} {:?}", own.client(), patient.phrase);
        assert!(!shown.contains(&**patient.phrase.to_words()), "{shown}");
    });
}
