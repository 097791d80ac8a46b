//! Grants over single records that follow them: later versions are granted by re-issues, and nothing
//! else is.

use super::super::*;
use salus_client::RecordId;
use salus_types::api::VersionView;

stories! {
    a_grant_that_follows_a_record_shows_its_later_versions,
    what_others_add_is_followed_once_it_is_filed,
    two_browsers_extend_a_grant_once,
    a_grant_that_is_over_follows_nothing,
    only_single_records_that_may_be_read_can_be_followed,
}

/// A patient with a record, and a doctor with a grant over it.
struct Sharing {
    patient: Person,
    doctor: Person,
    record: RecordId,
}

impl Sharing {
    async fn new(world: &World, follows: bool) -> Self {
        let patient = world.person(1).await;
        let doctor = world.person(2).await;
        let record = patient.write("one").await.record;
        patient.write("another").await;
        let sharing = Self {
            patient,
            doctor,
            record,
        };
        sharing.grant(&sharing.doctor, follows).await;
        sharing
    }

    async fn grant(&self, doctor: &Person, follows: bool) {
        let request = asked(&self.patient, doctor, &ask(Wish::Everything, READ)).await;
        let version = VersionRef {
            record: self.record,
            version: 1,
        };
        let terms = Terms {
            follows,
            ..terms(Scope::Records(vec![version]), READ)
        };
        self.patient.own.approve(&request, &terms).await.unwrap();
    }

    async fn amend(&self, title: &str) {
        let own = &self.patient.own;
        let item = own.history(self.record).await.unwrap().remove(0);
        let parts = text(title);
        own.amend_record(&item, &draft(title), &parts, &Quiet)
            .await
            .unwrap();
    }

    /// What the doctor reads in a version.
    async fn read(&self, version: u32) -> Result<String, ClientError> {
        let own = &self.doctor.own;
        let grant = own.received().await.unwrap().remove(0);
        let wanted = [(self.record, Some(version))];
        let opened = own.open_granted(&grant, &wanted).await?.remove(0);
        let parts = own.read_parts(&opened, &Quiet).await?;
        Ok(String::from_utf8(parts[0].to_vec()).unwrap())
    }
}

async fn a_grant_that_follows_a_record_shows_its_later_versions(world: World) {
    let sharing = Sharing::new(&world, true).await;
    let own = &sharing.patient.own;
    assert_eq!(own.follow_records().await.unwrap().extended, []);
    sharing.amend("two").await;
    sharing.amend("three").await;
    assert!(
        sharing.read(2).await.is_err(),
        "shown before it was granted"
    );
    let followed = own.follow_records().await.unwrap();
    assert_eq!(
        (followed.extended.len(), followed.left_behind.len()),
        (1, 0)
    );
    for (version, text) in [(1, "one"), (2, "two"), (3, "three")] {
        assert_eq!(sharing.read(version).await.unwrap(), text);
    }
    let grant = sharing.doctor.own.received().await.unwrap().remove(0);
    assert!(grant.grant.follows());
    assert_eq!(grant.grant.revision, 2);
    let seen = sharing.doctor.own.granted_all(&grant).await.unwrap();
    assert!(seen.iter().all(|item| item.record == sharing.record));
    // Nothing new, nothing signed.
    let calls = sharing.patient.device.lies.calls("ledger_append");
    assert_eq!(own.follow_records().await.unwrap().extended, []);
    assert_eq!(sharing.patient.device.lies.calls("ledger_append"), calls);
    let verified = own.audit_trail(&Quiet).await;
    assert!(verified.is_ok(), "{verified:?}");
}

async fn what_others_add_is_followed_once_it_is_filed(world: World) {
    let sharing = Sharing::new(&world, true).await;
    let writer = world.person(3).await;
    let own = &sharing.patient.own;
    let request = asked(
        &sharing.patient,
        &writer,
        &ask(Wish::Everything, READ | APPEND),
    )
    .await;
    let everything = terms(Scope::Everything, READ | APPEND);
    own.approve(&request, &everything).await.unwrap();
    let grant = writer.own.received().await.unwrap().remove(0);
    let medicines = sharing.patient.compartment("Medicines");
    let listed = writer.own.granted_records(&grant, medicines).await.unwrap();
    let item = listed.iter().find(|i| i.record == sharing.record).unwrap();
    writer
        .own
        .append_version(&grant, item, &draft("two"), &text("two"), &Quiet)
        .await
        .unwrap();
    assert_eq!(own.follow_records().await.unwrap().extended, [], "it waits");
    let waiting = own.drop_box().await.unwrap().remove(0);
    own.adopt(&waiting, medicines).await.unwrap();
    assert_eq!(own.follow_records().await.unwrap().extended.len(), 1);
    assert_eq!(sharing.read(2).await.unwrap(), "two");
}

async fn two_browsers_extend_a_grant_once(world: World) {
    let sharing = Sharing::new(&world, true).await;
    let second = world.device(1);
    let phrase = &sharing.patient.phrase;
    let other = second.client.unlock_with_phrase(phrase).await.unwrap();
    sharing.amend("two").await;
    let own = &sharing.patient.own;
    assert_eq!(own.follow_records().await.unwrap().extended.len(), 1);
    // The second browser has not heard of it, and signs for a ledger that has moved on.
    assert_eq!(other.follow_records().await.unwrap().extended, []);
    sharing.amend("three").await;
    assert_eq!(other.follow_records().await.unwrap().extended.len(), 1);
    assert_eq!(own.follow_records().await.unwrap().extended, []);
    assert_eq!(sharing.read(3).await.unwrap(), "three");
}

async fn a_grant_that_is_over_follows_nothing(world: World) {
    let sharing = Sharing::new(&world, true).await;
    let own = &sharing.patient.own;
    let id = own.grants().await.unwrap()[0].grant.id;
    own.revoke(id).await.unwrap();
    sharing.amend("two").await;
    assert_eq!(own.follow_records().await.unwrap().extended, []);
    assert!(sharing.read(2).await.is_err());
}

async fn only_single_records_that_may_be_read_can_be_followed(world: World) {
    let sharing = Sharing::new(&world, false).await;
    let patient = &sharing.patient;
    let request = asked(patient, &sharing.doctor, &ask(Wish::Everything, READ)).await;
    let version = VersionRef {
        record: sharing.record,
        version: 1,
    };
    for (scope, rights) in [
        (Scope::Everything, READ),
        (
            Scope::Compartments(vec![patient.compartment("Medicines")]),
            READ,
        ),
        (Scope::Records(vec![version]), APPEND),
    ] {
        let terms = Terms {
            follows: true,
            ..terms(scope, rights)
        };
        let refused = patient.own.approve(&request, &terms).await;
        assert!(
            matches!(refused, Err(ClientError::Invalid { field: "terms", .. })),
            "{refused:?}"
        );
    }
    // The grant there is does not follow.
    sharing.amend("two").await;
    assert_eq!(patient.own.follow_records().await.unwrap().extended, []);
    assert!(sharing.read(2).await.is_err());
}

#[test]
fn a_history_that_does_not_hold_keeps_no_other_grant_from_growing() {
    run(async {
        let world = World::new();
        let mut sharing = Sharing::new(&world, true).await;
        let bad = sharing.record;
        sharing.amend("two").await;
        sharing.record = sharing.patient.write("sound").await.record;
        let other = world.person(4).await;
        sharing.grant(&other, true).await;
        sharing.amend("sound two").await;
        let lie = move |views: &mut Vec<VersionView>| {
            for view in views.iter_mut().filter(|view| view.record == bad) {
                view.descriptor.push(0);
            }
        };
        sharing.patient.device.lies.alter("record_get", lie);
        let followed = sharing.patient.own.follow_records().await.unwrap();
        assert_eq!(
            (followed.extended.len(), followed.left_behind.len()),
            (1, 1)
        );
        sharing.doctor = other;
        assert_eq!(sharing.read(2).await.unwrap(), "sound two");
    });
}

#[test]
fn a_grant_that_names_as_much_as_it_can_is_left_as_it_is() {
    run(async {
        let world = World::new();
        let sharing = Sharing::new(&world, true).await;
        for n in 0..160 {
            sharing.amend(&format!("version {n}")).await;
        }
        let followed = sharing.patient.own.follow_records().await.unwrap();
        assert_eq!(
            (followed.extended.len(), followed.left_behind.len()),
            (0, 1)
        );
        assert_eq!(sharing.read(1).await.unwrap(), "one");
    });
}
