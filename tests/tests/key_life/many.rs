//! Adding many records: few calls, and whatever happens in between, nothing twice and nothing lost
//! that was said to be there.

use super::super::*;
use salus_client::{Arrived, NewRecord, Progress, Stage, TransportError};
use salus_types::api::VersionReceipt;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

stories! {
    many_records_take_few_calls,
    a_lost_answer_does_not_write_a_batch_twice,
    what_was_said_to_be_stored_is_there_and_nothing_else,
    after_a_revocation_only_what_was_refused_is_sent_again,
    stopping_ends_with_what_was_said_to_be_stored,
    large_records_go_with_the_small_ones,
    uploads_of_many_parts_do_not_use_up_what_an_account_may_have_open,
    many_notes_are_left_in_one_call,
}

fn numbered(compartment: CompartmentId, n: usize) -> NewRecord<CompartmentId> {
    NewRecord {
        place: compartment,
        draft: draft(&format!("number {n:04}")),
        parts: text(&format!("text {n}")),
    }
}

/// What was told to be stored.
#[derive(Default)]
struct Told(RefCell<Vec<Arrived>>);

impl Told {
    fn hear(&self, new: &[Arrived]) {
        self.0.borrow_mut().extend(new);
    }

    /// The titles of what was told, each once.
    fn titles(&self) -> BTreeSet<String> {
        let told = self.0.borrow();
        let titles: BTreeSet<_> = told.iter().map(|a| format!("number {:04}", a.at)).collect();
        assert_eq!(titles.len(), told.len(), "told twice");
        titles
    }
}

/// What these stories do with someone.
trait Many {
    async fn add_numbered(&self, count: usize, told: &Told) -> Result<(), ClientError>;
    /// The titles that are there; each must be there once.
    async fn each_title(&self) -> BTreeSet<String>;
    fn calls(&self) -> u64;
}

impl Many for Person {
    async fn add_numbered(&self, count: usize, told: &Told) -> Result<(), ClientError> {
        let medicines = self.compartment("Medicines");
        let records = (0..count).map(|n| numbered(medicines, n));
        let hear = |new: &[Arrived]| told.hear(new);
        self.own.add_records(records, &hear, &Quiet).await
    }

    async fn each_title(&self) -> BTreeSet<String> {
        let titles = self.titles().await;
        let each: BTreeSet<String> = titles.iter().cloned().collect();
        assert_eq!(each.len(), titles.len(), "stored twice");
        each
    }

    fn calls(&self) -> u64 {
        self.device.lies.calls("versions_add")
    }
}

async fn many_records_take_few_calls(world: World) {
    let person = world.person(1).await;
    let told = Told::default();
    person.add_numbered(250, &told).await.unwrap();
    assert_eq!(person.calls(), 3);
    assert_eq!(told.titles().len(), 250);
    assert_eq!(person.each_title().await, told.titles());
    let one = told.0.borrow()[17];
    let open = person.own.open_record(one.stored.record, None).await;
    let open = open.unwrap();
    let parts = person.own.read_parts(&open, &Quiet).await.unwrap();
    assert_eq!(parts[0].as_slice(), format!("text {}", one.at).as_bytes());
    let trail = person.own.audit_trail(&Quiet).await.unwrap();
    assert!(trail.entries.len() > 250, "one entry for each version");
    person.add_numbered(0, &told).await.unwrap();
    assert_eq!(person.calls(), 3, "nothing to send, nothing sent");
}

async fn a_lost_answer_does_not_write_a_batch_twice(world: World) {
    let person = world.person(1).await;
    person.device.lies.lose_answer("versions_add");
    let told = Told::default();
    person.add_numbered(150, &told).await.unwrap();
    assert_eq!(person.calls(), 3, "one of two was sent twice");
    assert_eq!(told.titles().len(), 150);
    assert_eq!(person.each_title().await, told.titles());
}

async fn what_was_said_to_be_stored_is_there_and_nothing_else(world: World) {
    let person = world.person(1).await;
    let told = Told::default();
    person.device.lies.cut_off("versions_add", 2);
    let cut = person.add_numbered(900, &told).await.unwrap_err();
    assert!(
        matches!(cut, ClientError::Transport(TransportError::Unreachable(_))),
        "{cut:?}"
    );
    person.device.lies.stop();
    assert_eq!(told.titles().len(), 200);
    assert_eq!(person.each_title().await, told.titles());
    assert!(person.calls() < 9, "went on after the first failure");
}

async fn after_a_revocation_only_what_was_refused_is_sent_again(world: World) {
    let patient = world.person(1).await;
    let doctor = world.person(2).await;
    let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
    let (medicines, letters) = (
        patient.compartment("Medicines"),
        patient.compartment("Letters"),
    );
    let scope = Scope::Compartments(vec![medicines]);
    let grant = patient.own.approve(&request, &terms(scope, READ)).await;
    let second = world.device(1);
    let other = second
        .client
        .unlock_with_phrase(&patient.phrase)
        .await
        .unwrap();
    patient.own.revoke(grant.unwrap()).await.unwrap();

    let sizes = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&sizes);
    second.lies.alter(
        "versions_add",
        move |answers: &mut Vec<salus_types::Result<VersionReceipt>>| {
            seen.borrow_mut().push(answers.len());
        },
    );
    let told = Told::default();
    let records = (0..30).map(|n| numbered(if n % 3 == 0 { medicines } else { letters }, n));
    let hear = |new: &[Arrived]| told.hear(new);
    other.add_records(records, &hear, &Quiet).await.unwrap();
    assert_eq!(*sizes.borrow(), [30, 10]);
    assert_eq!(told.titles().len(), 30);
    assert_eq!(patient.each_title().await.len(), 10);
    let rest = patient.own.records(letters).await.unwrap();
    assert_eq!(rest.len(), 20);
}

async fn stopping_ends_with_what_was_said_to_be_stored(world: World) {
    /// Stops when the first are stored.
    struct Impatient(Cell<u64>);
    impl Progress for Impatient {
        fn report(&self, _: Stage, done: u64, total: u64) {
            assert!(done >= self.0.get() && total == 1000);
            self.0.set(done);
        }
        fn is_cancelled(&self) -> bool {
            self.0.get() > 0
        }
    }
    let person = world.person(1).await;
    let medicines = person.compartment("Medicines");
    let told = Told::default();
    let records = (0..1000).map(|n| numbered(medicines, n));
    let hear = |new: &[Arrived]| told.hear(new);
    let impatient = Impatient(Cell::new(0));
    let stopped = person.own.add_records(records, &hear, &impatient).await;
    assert_eq!(stopped, Err(ClientError::Cancelled));
    let stored = told.titles();
    assert!(
        !stored.is_empty() && stored.len() < 1000,
        "{}",
        stored.len()
    );
    assert_eq!(stored.len() as u64, impatient.0.get());
    assert_eq!(person.each_title().await, stored);
}

async fn large_records_go_with_the_small_ones(world: World) {
    let person = world.person(1).await;
    let medicines = person.compartment("Medicines");
    let large =
        |n: usize| -> Vec<u8> { (0..(2 << 20) + n).map(|i| (i / 1000 + n) as u8).collect() };
    let records = || {
        (0..12).map(|n| {
            let mut record = numbered(medicines, n);
            if n % 5 == 2 {
                record.parts = vec![PartDraft::of_bytes("scan", "image/png", large(n))];
            }
            record
        })
    };
    // The second large one does not get through.
    person.device.lies.cut_off("upload_piece", 4);
    let told = Told::default();
    let hear = |new: &[Arrived]| told.hear(new);
    let cut = person.own.add_records(records(), &hear, &Quiet).await;
    assert!(matches!(cut, Err(ClientError::Transport(_))), "{cut:?}");
    person.device.lies.stop();
    assert_eq!(person.each_title().await, told.titles());
    let pending = person.own.pending_uploads().await.unwrap();
    assert!(pending.iter().any(|upload| upload.title == "number 0007"));
    for upload in pending {
        person.own.abandon_upload(upload.id).await.unwrap();
    }

    let told = Told::default();
    let hear = |new: &[Arrived]| told.hear(new);
    let before = person.calls();
    person
        .own
        .add_records(records(), &hear, &Quiet)
        .await
        .unwrap();
    assert_eq!(person.calls(), before + 1, "all of them in one call");
    assert!(person.own.pending_uploads().await.unwrap().is_empty());
    let stored = told.0.borrow().iter().find(|a| a.at == 7).unwrap().stored;
    let open = person.own.open_record(stored.record, None).await.unwrap();
    let parts = person.own.read_parts(&open, &Quiet).await.unwrap();
    assert!(*parts[0] == large(7), "what came back is not what went in");
}

async fn uploads_of_many_parts_do_not_use_up_what_an_account_may_have_open(world: World) {
    let person = world.person(1).await;
    let medicines = person.compartment("Medicines");
    let records = (0..6).map(|n| {
        let mut record = numbered(medicines, n);
        if n != 1 {
            // All parts that a version may have, together more than goes into a call.
            let part = |i: usize| {
                PartDraft::of_bytes(format!("{i}"), "image/png", vec![(n + i) as u8; 32_000])
            };
            record.parts = (0..32).map(part).collect();
        }
        record
    });
    let told = Told::default();
    let hear = |new: &[Arrived]| told.hear(new);
    person
        .own
        .add_records(records, &hear, &Quiet)
        .await
        .unwrap();
    assert_eq!(told.titles().len(), 6);
    assert_eq!(person.each_title().await, told.titles());
}

async fn many_notes_are_left_in_one_call(world: World) {
    let (patient, doctor, grant) = granted(&world).await;
    let medicines = patient.compartment("Medicines");
    let told = Told::default();
    let hear = |new: &[Arrived]| {
        assert!(new.iter().all(|a| a.stored.unfiled));
        told.hear(new);
    };
    let records = (0..40).map(|n| {
        let record = numbered(medicines, n);
        NewRecord {
            place: (n % 2 == 0).then_some(medicines),
            draft: record.draft,
            parts: record.parts,
        }
    });
    let before = doctor.calls();
    doctor
        .own
        .append_records(&grant, records, &hear, &Quiet)
        .await
        .unwrap();
    assert_eq!(doctor.calls(), before + 1);
    assert_eq!(told.titles().len(), 40);
    let waiting = patient.own.drop_box().await.unwrap();
    assert_eq!(waiting.len(), 40);
    let suggested = waiting.iter().filter(|i| i.suggested == Some(medicines));
    assert_eq!(suggested.count(), 20);
    patient.own.revoke(grant.grant.id).await.unwrap();
    let late = [NewRecord {
        place: None,
        draft: draft("late"),
        parts: text("late"),
    }];
    let refused = doctor.own.append_records(&grant, late, &hear, &Quiet).await;
    assert!(matches!(refused, Err(ClientError::Vault(_))), "{refused:?}");
}

#[test]
fn what_the_vault_refuses_of_a_batch_is_not_said_to_be_stored() {
    run(async {
        let person = World::new().person(1).await;
        let refusal = salus_client::VaultError::QuotaExceeded { used: 1, limit: 2 };
        let refuse = refusal.clone();
        person.device.lies.alter(
            "versions_add",
            move |answers: &mut Vec<salus_types::Result<VersionReceipt>>| {
                answers[3] = Err(refuse.clone());
            },
        );
        let told = Told::default();
        let failed = person.add_numbered(10, &told).await;
        assert_eq!(failed, Err(ClientError::Vault(refusal)));
        let told = told.titles();
        assert_eq!(told.len(), 9);
        assert!(!told.contains("number 0003"));
    });
}

#[test]
fn receipts_for_other_versions_are_not_believed() {
    type Answers = Vec<salus_types::Result<VersionReceipt>>;
    let lies: [fn(&mut Answers); 3] = [
        |answers| answers.swap(0, 1),
        |answers| drop(answers.pop()),
        |answers| answers.push(answers[0].clone()),
    ];
    run(async {
        for lie in lies {
            let person = World::new().person(1).await;
            person.device.lies.alter("versions_add", lie);
            let told = Told::default();
            let failed = person.add_numbered(2, &told).await;
            assert!(matches!(integrity(failed), IntegrityError::Malformed(_)));
            assert!(told.titles().is_empty());
        }
    });
}
