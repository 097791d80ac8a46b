//! Asking, granting, reading, writing back, adopting, revoking.

use super::super::*;

stories! {
    a_grant_from_asking_to_revocation,
    an_export_with_any_byte_changed_is_refused,
    who_remains_reads_on_after_a_revocation_and_who_is_gone_does_not,
    everything_includes_what_is_added_later,
    a_grant_over_one_version_shows_that_version_alone,
    a_grant_outlives_both_sides_rotating_their_keys,
    requests_are_denied_once_and_invitations_used_once,
    access_is_given_unasked_to_someone_of_the_directory,
}

async fn a_grant_from_asking_to_revocation(world: World) {
    let (patient, doctor, grant) = granted(&world).await;
    let medicines = patient.compartment("Medicines");
    assert_eq!(grant.phase, GrantPhase::Active);
    assert_eq!(grant.purpose(), Some("treatment of a cough"));
    assert_eq!(grant.owner_name(), Some("Ana"));
    let mut names: Vec<_> = grant.compartments().into_iter().map(|(_, l)| l).collect();
    names.sort();
    assert_eq!(
        names,
        [
            Label::named("Letters"),
            Label::tagged("Medicines", "medications")
        ]
    );

    // The doctor reads.
    let listed = doctor.own.granted_records(&grant, medicines).await.unwrap();
    assert_eq!(listed[0].descriptor.title, "aspirin");
    assert_eq!(listed[0].author.authorship, Authorship::Verified);
    let wanted = [(listed[0].record, None)];
    let opened = doctor.own.open_granted(&grant, &wanted).await.unwrap();
    let parts = doctor.own.read_parts(&opened[0], &Quiet).await.unwrap();
    assert_eq!(parts[0].as_slice(), b"aspirin");

    // The doctor writes back; it waits until the patient files it.
    let stored = doctor
        .own
        .append_record(
            &grant,
            Some(medicines),
            &draft("rest"),
            &text("rest"),
            &Quiet,
        )
        .await
        .unwrap();
    assert!(stored.unfiled);
    let seen = doctor.own.granted_records(&grant, medicines).await.unwrap();
    assert_eq!(seen.len(), 1, "nobody else sees what waits in the drop box");
    let waiting = patient.own.drop_box().await.unwrap();
    assert_eq!(waiting[0].descriptor.title, "rest");
    assert_eq!(waiting[0].suggested, Some(medicines));
    assert_eq!(waiting[0].author.authorship, Authorship::Verified);
    assert_eq!(waiting[0].author.account, doctor.own.account());
    patient.own.adopt(&waiting[0], medicines).await.unwrap();
    assert!(patient.own.drop_box().await.unwrap().is_empty());
    assert_eq!(patient.titles().await, ["aspirin", "rest"]);
    let seen = doctor.own.granted_records(&grant, medicines).await.unwrap();
    assert_eq!(seen.len(), 2);

    // The patient revokes.
    let given = patient.own.grants().await.unwrap();
    assert_eq!(given[0].purpose.as_deref(), Some("treatment of a cough"));
    assert_eq!(given[0].grantee_name.as_deref(), Some("Dr Bo"));
    let revoked = patient.own.revoke(given[0].grant.id).await.unwrap();
    assert_eq!(revoked.advanced.len(), 2);
    let again = patient.own.revoke(given[0].grant.id).await;
    assert_eq!(again.unwrap_err(), ClientError::Conflict("grant"));

    let nothing = |result: Result<(), ClientError>| {
        assert!(
            matches!(
                result,
                Err(ClientError::Vault(salus_client::VaultError::NotFound))
            ),
            "{result:?}"
        );
    };
    nothing(
        doctor
            .own
            .granted_records(&grant, medicines)
            .await
            .map(drop),
    );
    nothing(doctor.own.open_granted(&grant, &wanted).await.map(drop));
    nothing(doctor.own.read_parts(&opened[0], &Quiet).await.map(drop));
    let write = doctor
        .own
        .append_record(&grant, None, &draft("x"), &text("x"), &Quiet)
        .await;
    nothing(write.map(drop));
    let after = doctor.own.received().await.unwrap();
    assert!(matches!(after[0].phase, GrantPhase::Revoked { .. }));
    assert!(after[0].compartments().is_empty());

    // The author of what was written back stays verified.
    let items = patient.own.records(medicines).await.unwrap();
    assert_eq!(items[1].author.authorship, Authorship::Verified);

    // Everything stands in the audit trail, for both.
    let trail = patient.own.audit_trail(&Quiet).await.unwrap();
    assert_eq!(trail.verification.hidden, 0);
    let of_doctor = doctor
        .device
        .client
        .audit(patient.own.account(), patient.own.genesis(), &Quiet)
        .await
        .unwrap();
    assert_eq!(of_doctor.verification.entries, trail.verification.entries);
    assert!(of_doctor.verification.hidden > 0);
    let file = trail.export(&patient.device.client);
    let root = patient.device.client.root_key();
    let offline = salus_client::audit::verify_export(&file, Some(&root)).unwrap();
    assert_eq!(offline.entries, trail.entries);
    assert!(offline.names.values().any(|a| *a == doctor.own.account()));
}

async fn an_export_with_any_byte_changed_is_refused(world: World) {
    let person = world.person(1).await;
    let trail = person.own.audit_trail(&Quiet).await.unwrap();
    let file = trail.export(&person.device.client);
    let root = person.device.client.root_key();
    let mut refused = 0;
    for i in 0..file.len() {
        let mut other = file.clone();
        other[i] ^= 1;
        let read = salus_client::audit::verify_export(&other, Some(&root));
        assert!(read.is_err(), "byte {i} does not matter");
        refused += 1;
    }
    assert!(refused > 100);
}

async fn who_remains_reads_on_after_a_revocation_and_who_is_gone_does_not(world: World) {
    let (patient, first, _) = granted(&world).await;
    let second = world.person(3).await;
    let request = asked(&patient, &second, &ask(Wish::Everything, READ)).await;
    let medicines = patient.compartment("Medicines");
    let scope = Scope::Compartments(vec![medicines]);
    patient
        .own
        .approve(&request, &terms(scope, READ))
        .await
        .unwrap();

    let given = patient.own.grants().await.unwrap();
    let of_first = |g: &&salus_client::GivenGrant| g.grantee.account == first.own.account();
    let gone = given.iter().find(of_first).unwrap().grant.id;
    let revoked = patient.own.revoke(gone).await.unwrap();
    assert_eq!((revoked.reissued.len(), revoked.left_behind.len()), (1, 0));
    patient.write("after").await;

    let grant = second.own.received().await.unwrap().remove(0);
    assert_eq!(grant.grant.revision, 2);
    let seen = second.own.granted_records(&grant, medicines).await.unwrap();
    let titles: Vec<_> = seen.iter().map(|i| i.descriptor.title.as_str()).collect();
    assert_eq!(titles, ["aspirin", "after"]);
    let letters = patient.compartment("Letters");
    assert!(matches!(
        second.own.granted_records(&grant, letters).await,
        Err(ClientError::NotCovered(_))
    ));
}

async fn everything_includes_what_is_added_later(world: World) {
    let (patient, doctor, _) = granted(&world).await;
    let teeth = patient
        .own
        .add_compartment(&Label::named("Teeth"))
        .await
        .unwrap();
    assert!(teeth.left_behind.is_empty());
    let teeth = teeth.id;
    patient
        .own
        .add_record(teeth, &draft("crown"), &text("crown"), &Quiet)
        .await
        .unwrap();
    let grant = doctor.own.received().await.unwrap().remove(0);
    let seen = doctor.own.granted_records(&grant, teeth).await.unwrap();
    assert_eq!(seen[0].descriptor.title, "crown");
}

async fn a_grant_over_one_version_shows_that_version_alone(world: World) {
    let patient = world.person(1).await;
    let doctor = world.person(2).await;
    let one = patient.write("one").await;
    patient.write("two").await;
    let request = asked(&patient, &doctor, &ask(Wish::Everything, READ)).await;
    let version = VersionRef {
        record: one.record,
        version: 1,
    };
    let scope = Scope::Records(vec![version]);
    patient
        .own
        .approve(&request, &terms(scope, READ))
        .await
        .unwrap();
    let grant = doctor.own.received().await.unwrap().remove(0);
    let seen = doctor.own.granted_all(&grant).await.unwrap();
    assert_eq!(seen.len(), 1);
    let opened = doctor
        .own
        .open_granted(&grant, &[(one.record, Some(1))])
        .await
        .unwrap();
    let parts = doctor.own.read_parts(&opened[0], &Quiet).await.unwrap();
    assert_eq!(parts[0].as_slice(), b"one");
    let item = patient.own.history(one.record).await.unwrap().remove(0);
    let amended = patient
        .own
        .amend_record(&item, &draft("new"), &text("new"), &Quiet)
        .await;
    amended.unwrap();
    let newer = doctor
        .own
        .open_granted(&grant, &[(one.record, Some(2))])
        .await;
    assert!(
        matches!(newer, Err(ClientError::Vault(_))),
        "a later version was shown"
    );
}

#[test]
fn a_grant_ends_when_its_time_has_passed() {
    run(async {
        let world = World::new();
        let (patient, doctor, grant) = granted(&world).await;
        let medicines = patient.compartment("Medicines");
        world.clock.pass(30 * DAY);
        assert!(matches!(
            doctor.own.granted_records(&grant, medicines).await,
            Err(ClientError::NotCovered(_))
        ));
        let seen = doctor.own.received().await.unwrap();
        assert_eq!(seen[0].phase, GrantPhase::Expired);
        let given = patient.own.grants().await.unwrap();
        assert_eq!(given[0].phase, GrantPhase::Expired);
    });
}

async fn a_grant_outlives_both_sides_rotating_their_keys(world: World) {
    let (patient, doctor, _) = granted(&world).await;
    patient.own.rotate_identity().await.unwrap();
    doctor.own.rotate_identity().await.unwrap();
    patient.write("later").await;
    let grant = doctor.own.received().await.unwrap().remove(0);
    let medicines = patient.compartment("Medicines");
    let seen = doctor.own.granted_records(&grant, medicines).await.unwrap();
    assert_eq!(seen.len(), 2);
    assert!(
        seen.iter()
            .all(|i| i.author.authorship == Authorship::Verified)
    );
    doctor
        .own
        .append_record(&grant, None, &draft("note"), &text("note"), &Quiet)
        .await
        .unwrap();
    let waiting = patient.own.drop_box().await.unwrap();
    assert_eq!(waiting[0].author.authorship, Authorship::Verified);
}

async fn requests_are_denied_once_and_invitations_used_once(world: World) {
    let patient = world.person(1).await;
    let doctor = world.person(2).await;
    let (link, _) = patient
        .own
        .invite(patient.own.client().now() + DAY)
        .await
        .unwrap();
    let link: salus_client::Link = link.to_string().parse().unwrap();
    let met = doctor.own.open_link(&link).await.unwrap();
    assert_eq!(met.safety_number(), patient.own.safety_number());
    let wish = ask(Wish::Categories(vec!["medications".into()]), READ);
    doctor.own.ask(&met, Some(&link), &wish).await.unwrap();
    let incoming = patient.own.incoming_requests().await.unwrap();
    assert_eq!(incoming[0].ask, wish);
    assert!(incoming[0].invited);
    let twice = doctor.own.ask(&met, Some(&link), &wish).await;
    assert!(
        matches!(twice, Err(ClientError::Vault(_))),
        "the code served twice"
    );

    patient.own.deny(incoming[0].id).await.unwrap();
    let late = patient
        .own
        .approve(&incoming[0], &terms(Scope::Everything, READ))
        .await;
    assert_eq!(late.unwrap_err(), ClientError::Conflict("request"));
    let sent = doctor.own.outgoing_requests().await.unwrap();
    assert_eq!(sent[0].status, salus_client::RequestStatus::Denied);
    assert_eq!(sent[0].ask.as_ref(), Some(&wish));
    assert_eq!(doctor.own.inbox(0).await.unwrap().count, 1);
}

async fn access_is_given_unasked_to_someone_of_the_directory(world: World) {
    let patient = world.person(1).await;
    let doctor = registered(&world, 2).await;
    let principal = doctor.device.client.caller();
    let contact = patient.device.client.provider(principal).await.unwrap();
    assert_eq!(contact.name(), Some("Dr Bo"));
    let (page, _) = patient.device.client.directory(None).await.unwrap();
    assert_eq!(page[0].0, principal);
    patient
        .own
        .give(&contact, &terms(Scope::Everything, READ))
        .await
        .unwrap();
    let grant = doctor.own.received().await.unwrap().remove(0);
    assert_eq!(grant.phase, GrantPhase::Active);
    let stranger = patient
        .device
        .client
        .provider(patient.device.client.caller())
        .await;
    assert_eq!(stranger.unwrap_err(), ClientError::NotFound("provider"));
}

#[test]
fn both_compare_one_number_and_a_code_and_rotations_change_neither() {
    run(async {
        let world = World::new();
        let (patient, doctor, _) = granted(&world).await;
        let mallory = registered(&world, 66).await;
        let doctor_seen = patient.own.grants().await.unwrap().remove(0).grantee;
        let patient_seen = doctor.own.received().await.unwrap().remove(0).owner;
        let number = patient.own.safety_number_with(&doctor_seen);
        assert_eq!(number, doctor.own.safety_number_with(&patient_seen));
        assert!(salus_client::is_safety_number(
            &number.replace(' ', ""),
            &number
        ));
        let code = doctor.own.safety_code_for(&patient_seen);
        assert_eq!(patient.own.check_safety_code(&doctor_seen, &code), Ok(()));

        // Someone else in between, whom the patient takes for the doctor.
        let between = patient.own.client().person(mallory.own.account()).await;
        let between = between.unwrap();
        assert_ne!(patient.own.safety_number_with(&between), number);
        let other = salus_client::CodeError::OtherAccount;
        assert_eq!(patient.own.check_safety_code(&between, &code), Err(other));

        patient.own.rotate_everything(&Quiet).await.unwrap();
        doctor.own.rotate_everything(&Quiet).await.unwrap();
        let doctor_seen = patient.own.grants().await.unwrap().remove(0).grantee;
        assert_eq!(patient.own.safety_number_with(&doctor_seen), number);
        assert_eq!(patient.own.check_safety_code(&doctor_seen, &code), Ok(()));
    });
}
