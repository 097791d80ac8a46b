//! Writing, amending, uploading in pieces, being interrupted.

use super::super::*;
use salus_client::{Bytes, PartSource, Progress, Stage};
use std::cell::Cell;

stories! {
    versions_follow_each_other,
    what_is_missing_or_empty_is_refused_before_anything_is_sent,
    an_interrupted_upload_goes_on_where_it_stopped,
    cancelling_keeps_what_was_sent_and_abandoning_frees_it,
    a_lost_answer_does_not_write_twice,
    a_browser_that_missed_a_revocation_files_under_the_new_epoch,
}

/// Bytes that look random, of which no two pieces are alike.
fn large(len: usize) -> Vec<u8> {
    let mut state = 1u64;
    (0..len)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

fn sources(bytes: &[u8]) -> [Rc<dyn PartSource>; 1] {
    [Rc::new(Bytes(bytes.to_vec()))]
}

async fn versions_follow_each_other(world: World) {
    let person = world.person(1).await;
    let stored = person.write("first").await;
    let item = person.own.history(stored.record).await.unwrap().remove(0);
    let next = person
        .own
        .amend_record(&item, &draft("second"), &text("2"), &Quiet)
        .await;
    assert_eq!(next.unwrap().version, 2);
    // Going on from a version that is no longer the newest.
    let stale = person
        .own
        .amend_record(&item, &draft("third"), &text("3"), &Quiet)
        .await;
    assert_eq!(stale.unwrap_err(), ClientError::Conflict("record"));
    let history = person.own.history(stored.record).await.unwrap();
    let titles: Vec<_> = history
        .iter()
        .map(|i| i.descriptor.title.as_str())
        .collect();
    assert_eq!(titles, ["second", "first"]);
    assert_eq!(person.titles().await, ["second"]);
    let old = person
        .own
        .open_record(stored.record, Some(1))
        .await
        .unwrap();
    let parts = person.own.read_parts(&old, &Quiet).await.unwrap();
    assert_eq!(parts[0].as_slice(), b"first");
}

async fn what_is_missing_or_empty_is_refused_before_anything_is_sent(world: World) {
    let person = world.person(1).await;
    let nowhere = CompartmentId([1; 16]);
    let lost = person
        .own
        .add_record(nowhere, &draft("x"), &text("x"), &Quiet)
        .await;
    assert_eq!(lost.unwrap_err(), ClientError::NotFound("compartment"));
    let medicines = person.compartment("Medicines");
    let empty = person
        .own
        .add_record(medicines, &draft("x"), &[], &Quiet)
        .await;
    assert!(matches!(
        empty,
        Err(ClientError::Invalid { field: "parts", .. })
    ));
    let unknown = person
        .own
        .open_record(salus_client::RecordId([3; 16]), None)
        .await;
    assert_eq!(unknown.err(), Some(ClientError::NotFound("record")));
    assert_eq!(person.device.lies.calls("versions_add"), 0);
}

async fn an_interrupted_upload_goes_on_where_it_stopped(world: World) {
    let person = world.person(1).await;
    let medicines = person.compartment("Medicines");
    let bytes = large(25 << 20);
    let part = PartDraft::of_bytes("scan.bin", "application/octet-stream", bytes.clone());
    person.device.lies.cut_off("upload_piece", 13);
    let cut = person
        .own
        .add_record(medicines, &draft("scan"), &[part], &Quiet)
        .await;
    assert!(matches!(cut, Err(ClientError::Transport(_))), "{cut:?}");
    person.device.lies.stop();

    let pending = person.own.pending_uploads().await.unwrap();
    assert_eq!(pending[0].title, "scan");
    assert_eq!(
        pending[0].parts,
        [("scan.bin".to_owned(), bytes.len() as u64)]
    );
    // Other bytes of the same length are not taken for the same.
    let mut other = bytes.clone();
    other[20 << 20] ^= 1;
    let id = pending[0].id;
    let changed = person.own.resume_upload(id, &sources(&other), &Quiet).await;
    assert!(matches!(changed, Err(ClientError::Seal(_))), "{changed:?}");

    let before = person.device.lies.calls("upload_piece");
    let stored = person
        .own
        .resume_upload(id, &sources(&bytes), &Quiet)
        .await
        .unwrap();
    let sent = person.device.lies.calls("upload_piece") - before;
    assert!(sent <= 26 - 12, "{sent} pieces were sent again");
    assert!(person.own.pending_uploads().await.unwrap().is_empty());
    let open = person.own.open_record(stored.record, None).await.unwrap();
    let parts = person.own.read_parts(&open, &Quiet).await.unwrap();
    assert!(*parts[0] == bytes, "what came back is not what went in");
}

async fn cancelling_keeps_what_was_sent_and_abandoning_frees_it(world: World) {
    struct Impatient(Cell<u32>);
    impl Progress for Impatient {
        fn report(&self, stage: Stage, _: u64, _: u64) {
            if stage == Stage::Uploading {
                self.0.set(self.0.get() + 1);
            }
        }
        fn is_cancelled(&self) -> bool {
            self.0.get() >= 3
        }
    }
    let person = world.person(1).await;
    let medicines = person.compartment("Medicines");
    let before = person.own.usage().bytes;
    let part = PartDraft::of_bytes("a", "application/octet-stream", large(8 << 20));
    let impatient = Impatient(Cell::new(0));
    let cut = person
        .own
        .add_record(medicines, &draft("a"), &[part], &impatient)
        .await;
    assert_eq!(cut.unwrap_err(), ClientError::Cancelled);
    let id = person.own.pending_uploads().await.unwrap()[0].id;
    person.own.abandon_upload(id).await.unwrap();
    assert!(person.own.pending_uploads().await.unwrap().is_empty());
    person.own.refresh().await.unwrap();
    assert_eq!(person.own.usage().bytes, before);
}

async fn a_lost_answer_does_not_write_twice(world: World) {
    let person = world.person(1).await;
    person.device.lies.lose_answer("versions_add");
    person.write("once").await;
    assert_eq!(person.titles().await, ["once"]);
    person.device.lies.lose_answer("ledger_append");
    person
        .own
        .add_compartment(&Label::named("Once"))
        .await
        .unwrap();
    let all = person.own.compartments().unwrap();
    assert_eq!(all.iter().filter(|c| c.label.name == "Once").count(), 1);
}

async fn a_browser_that_missed_a_revocation_files_under_the_new_epoch(world: World) {
    let (patient, _, _) = granted(&world).await;
    let second = world.device(1);
    let other = second
        .client
        .unlock_with_phrase(&patient.phrase)
        .await
        .unwrap();
    let id = patient.own.grants().await.unwrap()[0].grant.id;
    patient.own.revoke(id).await.unwrap();
    let medicines = patient.compartment("Medicines");
    other
        .add_record(medicines, &draft("late"), &text("late"), &Quiet)
        .await
        .unwrap();
    assert_eq!(patient.titles().await, ["aspirin", "late"]);
}
