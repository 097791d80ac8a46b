//! Everything is made anew, whatever stops it on the way and whoever else does the same.

use super::super::*;
use salus_client::{GrantId, RecordId, Stored};
use salus_protocol::grant::{Conveyed, Grant};
use salus_tests::transports::Snapshot;
use salus_types::Result as Answer;
use salus_types::api::{
    AccountInfo, Filed, GrantPage, RecordGet, RecordList, RecordPage, VersionView,
};
use std::collections::{BTreeMap, BTreeSet};

/// A patient with records, a doctor who may read and append, a nurse who might, and the memory of
/// their vault.
struct Ward {
    world: World,
    patient: Person,
    doctor: Person,
    nurse: Person,
    revoked: ReceivedGrant,
    records: Vec<Stored>,
    begin: Snapshot,
}

/// What a rotation changes, as the vault has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    links: usize,
    pub(super) epochs: BTreeMap<CompartmentId, u32>,
    pub(super) filed: BTreeMap<(RecordId, u32), u32>,
    pub(super) conveyed: BTreeMap<GrantId, (u32, BTreeSet<(CompartmentId, u32)>)>,
}

async fn ask_vault<T>(
    world: &World,
    person: &Person,
    method: &str,
    arg: impl candid::CandidType,
) -> T
where
    T: candid::CandidType + serde::de::DeserializeOwned,
{
    let native = world.vault.for_caller(person.device.client.caller());
    let arg = candid::encode_one(arg).unwrap();
    let answer = native.query(method, &arg).await.unwrap();
    let answer: Answer<T> = candid::decode_one(&answer).unwrap();
    answer.unwrap()
}

pub(super) async fn state(world: &World, person: &Person, own: &Unlocked) -> State {
    let native = world.vault.for_caller(person.device.client.caller());
    let nothing = candid::encode_args(()).unwrap();
    let shown = native.query("account_show", &nothing).await.unwrap();
    let shown: Answer<AccountInfo> = candid::decode_one(&shown).unwrap();
    let compartments = own.compartments().unwrap();
    let mut filed = BTreeMap::new();
    for compartment in &compartments {
        let mut cursor = None;
        loop {
            let list = RecordList {
                compartment: compartment.id,
                cursor,
                limit: None,
            };
            let page: RecordPage = ask_vault(world, person, "record_list", list).await;
            for item in page.items {
                let mut views = vec![item];
                if views[0].version > 1 {
                    let get = RecordGet {
                        record: views[0].record,
                        version: None,
                    };
                    views = ask_vault::<Vec<VersionView>>(world, person, "record_get", get).await;
                }
                for view in views {
                    if let Filed::Compartment(filing) = view.filed {
                        filed.insert((view.record, view.version), filing.epoch);
                    }
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    let grants: GrantPage = ask_vault(world, person, "grant_list", None::<u64>).await;
    let conveyed = grants.items.iter().map(|view| {
        let grant: Grant = minicbor::decode(&view.statement.statement).unwrap();
        let epochs = grant.conveys.iter().filter_map(|c| match c {
            Conveyed::Epoch {
                compartment, epoch, ..
            } => Some((*compartment, *epoch)),
            Conveyed::Version { .. } => None,
        });
        (view.grant, (grant.revision, epochs.collect()))
    });
    State {
        links: shown.unwrap().chain.len(),
        epochs: compartments.iter().map(|c| (c.id, c.epoch)).collect(),
        filed,
        conveyed: conveyed.collect(),
    }
}

impl Ward {
    async fn new() -> Self {
        let world = World::new();
        let (patient, doctor) = (world.person(1).await, world.person(2).await);
        let nurse = world.person(3).await;
        let mut records = Vec::new();
        for title in ["aspirin", "iron", "zinc"] {
            records.push(patient.write(title).await);
        }
        let letters = patient.compartment("Letters");
        let letter = patient
            .own
            .add_record(letters, &draft("letter"), &text("letter"), &Quiet)
            .await;
        records.push(letter.unwrap());
        let first = patient
            .own
            .history(records[0].record)
            .await
            .unwrap()
            .remove(0);
        let amended = patient
            .own
            .amend_record(&first, &draft("aspirin 2"), &text("aspirin 2"), &Quiet)
            .await;
        amended.unwrap();

        let request = asked(&patient, &nurse, &ask(Wish::Everything, READ)).await;
        let given = patient
            .own
            .approve(&request, &terms(Scope::Everything, READ))
            .await;
        let given = given.unwrap();
        let revoked = nurse.own.received().await.unwrap().remove(0);
        nurse.own.granted_all(&revoked).await.unwrap();
        patient.own.revoke(given).await.unwrap();
        let request = asked(&patient, &doctor, &ask(Wish::Everything, READ | APPEND)).await;
        let given = terms(Scope::Everything, READ | APPEND);
        patient.own.approve(&request, &given).await.unwrap();
        let grant = doctor.own.received().await.unwrap().remove(0);
        doctor
            .own
            .append_record(&grant, None, &draft("note"), &text("note"), &Quiet)
            .await
            .unwrap();
        let begin = world.vault.snapshot();
        Self {
            world,
            patient,
            doctor,
            nurse,
            revoked,
            records,
            begin,
        }
    }

    /// The vault as it was when this began, and a device of the patient's that remembers nothing.
    async fn again(&self) -> (Device, Unlocked) {
        self.world.vault.restore(&self.begin).unwrap();
        self.visit().await
    }

    async fn visit(&self) -> (Device, Unlocked) {
        let device = self.world.device(1);
        let own = device.client.unlock_with_phrase(&self.patient.phrase).await;
        (device, own.unwrap())
    }

    async fn state(&self, own: &Unlocked) -> State {
        state(&self.world, &self.patient, own).await
    }

    /// Everything is new, the doctor reads all of it, the nurse none.
    async fn check(&self, own: &Unlocked, before: &State) {
        let after = self.state(own).await;
        assert_eq!(after.links, before.links + 1);
        for (id, epoch) in &before.epochs {
            assert_eq!(after.epochs[id], epoch + 1);
        }
        let newest: BTreeSet<u32> = after.epochs.values().copied().collect();
        assert!(
            after.filed.values().all(|epoch| newest.contains(epoch)),
            "{after:?}"
        );
        assert_eq!(after.filed.len(), before.filed.len());

        let phrase = &self.doctor.phrase;
        let doctor = self
            .world
            .device(2)
            .client
            .unlock_with_phrase(phrase)
            .await
            .unwrap();
        let grant = doctor.received().await.unwrap().remove(0);
        let titles: BTreeSet<String> = doctor
            .granted_all(&grant)
            .await
            .unwrap()
            .into_iter()
            .map(|item| item.descriptor.title)
            .collect();
        assert_eq!(
            titles,
            ["aspirin 2", "iron", "letter", "zinc"]
                .map(String::from)
                .into()
        );
        let wanted = [
            (self.records[0].record, Some(1)),
            (self.records[3].record, None),
        ];
        let open = doctor.open_granted(&grant, &wanted).await.unwrap();
        let parts = doctor.read_parts(&open[0], &Quiet).await.unwrap();
        assert_eq!(parts[0].as_slice(), b"aspirin");

        let nurse = self
            .world
            .device(3)
            .client
            .unlock_with_phrase(&self.nurse.phrase)
            .await
            .unwrap();
        let denied = nurse.open_granted(&self.revoked, &wanted).await;
        assert!(matches!(
            denied,
            Err(ClientError::Vault(salus_types::Error::NotFound))
        ));

        // What was sealed to the old keys is filed, and history opens.
        let waiting = own.drop_box().await.unwrap();
        own.adopt(&waiting[0], self.patient.compartment("Letters"))
            .await
            .unwrap();
        let history = own.history(self.records[0].record).await.unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(own.profile().unwrap().display_name, "Person 1");
    }
}

#[test]
fn everything_is_made_anew_and_read_as_before() {
    run(async {
        let ward = Ward::new().await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let slot = NewSlot::new(secret.clone(), "laptop").unwrap();
        let (_, own) = ward.visit().await;
        own.add_slot(&slot).await.unwrap();
        let before = ward.state(&own).await;
        let rotated = own.rotate_everything(&Quiet).await.unwrap();
        assert!(rotated.began);
        assert_eq!((rotated.generation, rotated.refiled), (2, 5));
        assert!(rotated.left_behind.is_empty() && rotated.unreadable.is_empty());
        assert!(!own.has_unfinished_rotation(&Quiet).await.unwrap());
        ward.check(&own, &before).await;
        // Every way to unlock still does.
        let device = ward.world.device(1);
        let again = device
            .client
            .unlock_with_slot(slot.id, &secret)
            .await
            .unwrap();
        assert_eq!(again.slots().unwrap().len(), 2);

        // Once more: the keys that nothing needs any more are conveyed no longer.
        let second = again.rotate_everything(&Quiet).await.unwrap();
        assert!(second.began);
        assert_eq!(second.generation, 3);
        let after = ward.state(&again).await;
        for (_, (_, conveyed)) in after
            .conveyed
            .iter()
            .filter(|(id, _)| **id != ward.revoked.grant.id)
        {
            let each = after.epochs.iter();
            let two: BTreeSet<_> = each.flat_map(|(id, e)| [(*id, e - 1), (*id, *e)]).collect();
            assert_eq!(*conveyed, two);
        }
        let trail = again.audit_trail(&Quiet).await.unwrap();
        let refiled = trail
            .entries
            .iter()
            .filter(|e| e.event == salus_client::audit::AuditEvent::Refiled);
        let counts: Vec<_> = refiled.map(|e| e.count).collect();
        assert_eq!(counts, [Some(5), Some(6)], "one entry for each call");
    });
}

#[test]
fn killed_at_any_call_it_is_gone_on_with_and_ends_the_same() {
    run(async {
        let ward = Ward::new().await;
        let (_, own) = ward.again().await;
        let before = ward.state(&own).await;
        own.rotate_everything(&Quiet).await.unwrap();
        let expected = ward.state(&own).await;
        for carried in [false, true] {
            let mut calls = 0;
            loop {
                let (device, own) = ward.again().await;
                device.lies.die(calls, carried);
                let killed = own.rotate_everything(&Quiet).await;
                if killed.is_ok() {
                    assert!(calls > 20, "few calls: {calls}");
                    break;
                }
                let (_, other) = ward.visit().await;
                let begun = other.has_unfinished_rotation(&Quiet).await.unwrap();
                if begun || ward.state(&other).await == before {
                    let rotated = other.rotate_everything(&Quiet).await.unwrap();
                    assert_eq!(rotated.began, !begun, "killed at call {calls}");
                    assert_eq!(rotated.generation, 2);
                }
                assert_eq!(ward.state(&other).await, expected, "killed at call {calls}");
                ward.check(&other, &before).await;
                calls += 1;
            }
        }
    });
}

#[test]
fn two_at_once_do_each_other_no_harm() {
    run(async {
        let ward = Ward::new().await;
        let (_, one) = ward.again().await;
        let (_, other) = ward.visit().await;
        let before = ward.state(&one).await;
        let (first, second) = tokio::join!(
            one.rotate_everything(&Quiet),
            other.rotate_everything(&Quiet)
        );
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.generation, second.generation), (2, 2));
        assert!(first.began != second.began, "one began, the other went on");
        let (_, fresh) = ward.visit().await;
        ward.check(&fresh, &before).await;

        // In the middle of another's, too.
        let (device, one) = ward.again().await;
        device.lies.cut_off("versions_adopt", 0);
        one.rotate_everything(&Quiet).await.unwrap_err();
        let (_, other) = ward.visit().await;
        let note = other
            .add_record(
                ward.patient.compartment("Letters"),
                &draft("between"),
                &text("x"),
                &Quiet,
            )
            .await;
        note.unwrap();
        device.lies.stop();
        assert!(!one.rotate_everything(&Quiet).await.unwrap().began);
        assert!(!other.has_unfinished_rotation(&Quiet).await.unwrap());
    });
}

#[test]
fn what_was_begun_long_ago_is_begun_anew() {
    run(async {
        let ward = Ward::new().await;
        let (device, own) = ward.again().await;
        device.lies.cut_off("versions_adopt", 0);
        own.rotate_everything(&Quiet).await.unwrap_err();
        device.lies.stop();
        assert!(own.has_unfinished_rotation(&Quiet).await.unwrap());
        ward.world.clock.pass(DAY + MINUTE);
        // It is not forgotten for that.
        assert!(own.has_unfinished_rotation(&Quiet).await.unwrap());
        let rotated = own.rotate_everything(&Quiet).await.unwrap();
        assert!(rotated.began);
        assert_eq!(rotated.generation, 3);
        assert!(!own.has_unfinished_rotation(&Quiet).await.unwrap());
        let after = ward.state(&own).await;
        let newest: BTreeSet<u32> = after.epochs.values().copied().collect();
        assert!(after.filed.values().all(|epoch| newest.contains(epoch)));
    });
}

/// A rotation was under way when the device went: what it may have read of that is made anew as well.
#[test]
fn what_is_locked_out_knows_nothing_that_an_unfinished_rotation_made() {
    run(async {
        let ward = Ward::new().await;
        let (device, own) = ward.again().await;
        let secret = SlotSecret::generate_for_file().unwrap();
        let lost = NewSlot::new(secret.clone(), "lost").unwrap();
        own.add_slot(&lost).await.unwrap();
        device.lies.cut_off("versions_adopt", 0);
        own.rotate_everything(&Quiet).await.unwrap_err();
        device.lies.stop();
        // Opened there meanwhile, by its own slot and by the words.
        let (_, by_words) = ward.visit().await;
        let there = ward.world.device(1).client;
        let there = there.unlock_with_slot(lost.id, &secret).await.unwrap();
        let known = ward.state(&own).await;

        device.lies.cut_off("versions_adopt", 0);
        let stopped = own.lock_out(&[lost.id], &[], &Quiet).await;
        stopped.unwrap_err();
        device.lies.stop();
        assert_eq!(there.refresh().await.unwrap_err(), ClientError::NoSuchSlot);
        assert_eq!(by_words.refresh().await.unwrap_err(), ClientError::Locked);
        assert!(own.has_unfinished_rotation(&Quiet).await.unwrap());
        // Again: nothing of it is left in the account, and it goes on.
        let rotated = own.lock_out(&[lost.id], &[], &Quiet).await.unwrap();
        assert!(!rotated.began);
        let after = ward.state(&own).await;
        let newest: BTreeSet<u32> = after.epochs.values().copied().collect();
        assert!(after.filed.values().all(|epoch| newest.contains(epoch)));
        for (compartment, epoch) in &known.epochs {
            assert!(after.epochs[compartment] > *epoch, "{compartment}");
        }
        assert!(!own.has_unfinished_rotation(&Quiet).await.unwrap());
        // Whoever calls cannot lock themselves out.
        let caller = own.client().caller();
        let refused = own.lock_out(&[], &[caller], &Quiet).await;
        assert!(matches!(
            refused,
            Err(ClientError::Invalid {
                field: "principal",
                ..
            })
        ));
    });
}

#[test]
fn a_record_is_moved_with_its_history() {
    run(async {
        let ward = Ward::new().await;
        let (_, own) = ward.again().await;
        let letters = ward.patient.compartment("Letters");
        own.move_record(ward.records[0].record, letters)
            .await
            .unwrap();
        let titles = |items: Vec<salus_client::RecordItem>| -> Vec<String> {
            items.into_iter().map(|i| i.descriptor.title).collect()
        };
        assert_eq!(
            titles(own.records(letters).await.unwrap()),
            ["letter", "aspirin 2"]
        );
        let medicines = ward.patient.compartment("Medicines");
        assert_eq!(
            titles(own.records(medicines).await.unwrap()),
            ["iron", "zinc"]
        );
        let history = own.history(ward.records[0].record).await.unwrap();
        assert!(history.iter().all(|item| item.compartment == Some(letters)));
        own.move_record(ward.records[0].record, letters)
            .await
            .unwrap();
        let phrase = &ward.doctor.phrase;
        let doctor = ward
            .world
            .device(2)
            .client
            .unlock_with_phrase(phrase)
            .await
            .unwrap();
        let grant = doctor.received().await.unwrap().remove(0);
        assert_eq!(
            doctor.granted_records(&grant, letters).await.unwrap().len(),
            2
        );
    });
}
