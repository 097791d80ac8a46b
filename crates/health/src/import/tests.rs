//! The grouping rules on small bundles made for each.

use serde_json::{Value, json};

use super::*;

fn bundle(resources: &[Value]) -> Vec<u8> {
    let entries: Vec<Value> = resources
        .iter()
        .map(
            |resource| match resource.get("id").and_then(Value::as_str) {
                Some(id) => json!({"fullUrl": format!("urn:uuid:{id}"), "resource": resource}),
                None => json!({"resource": resource}),
            },
        )
        .collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
        .to_string()
        .into_bytes()
}

fn imported(resources: &[Value]) -> Import {
    let import = import(&bundle(resources)).unwrap();
    assert_eq!(import.entries(), resources.len());
    assert_eq!(
        import.tallies.values().map(Tally::total).sum::<usize>(),
        resources.len()
    );
    assert_eq!(
        import.tallies.values().map(|t| t.records).sum::<usize>(),
        import.drafts.len()
    );
    import
}

fn reference(id: &str) -> Value {
    json!({"reference": format!("urn:uuid:{id}")})
}

fn groups(import: &Import) -> Vec<Vec<usize>> {
    import
        .drafts
        .iter()
        .map(|draft| draft.entries.clone())
        .collect()
}

#[test]
fn what_is_not_a_fhir_bundle_is_refused_by_name() {
    for (bytes, other_file) in [
        (&b""[..], true),
        (b"\xff\xfe", true),
        (b"hello", true),
        (b"{\"a\":1}", true),
        (b"[]", true),
        (b"\"Bundle\"", true),
        (b"{\"resourceType\":7}", true),
        (b"{\"resourceType\":\"<b>\"}", true),
        (b"{\"resourceType\":\"Bundle\",\"entry\":{}}", false),
        (b"{\"resourceType\":\"Bundle\"} trailing", true),
    ] {
        let error = import(bytes).unwrap_err();
        assert_eq!(error.is_other_file(), other_file, "{error}");
    }
    let at = import(b"{\n\"resourceType\": \"Bundle\",\n oops").unwrap_err();
    assert!(matches!(at, ImportError::NotJson { line: 3, .. }), "{at:?}");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let error = import(&vec![b' '; MAX_BYTES + 1]).unwrap_err();
    assert_eq!(
        error,
        ImportError::TooLarge {
            size: MAX_BYTES + 1,
            limit: MAX_BYTES
        }
    );
    let entries = "0,".repeat(MAX_ENTRIES);
    let bundle = format!(r#"{{"resourceType":"Bundle","entry":[{entries}0]}}"#);
    let error = import(bundle.as_bytes()).unwrap_err();
    assert_eq!(
        error,
        ImportError::TooManyEntries {
            count: MAX_ENTRIES + 1,
            limit: MAX_ENTRIES
        }
    );
    assert!(!error.is_other_file());
}

#[test]
fn an_empty_bundle_and_a_single_resource_import() {
    let empty =
        import(b"\xef\xbb\xbf{\"resourceType\":\"Bundle\",\"type\":\"searchset\"}").unwrap();
    assert_eq!((empty.drafts.len(), empty.entries()), (0, 0));
    let one =
        import(br#"{"resourceType":"Condition","code":{"text":"Asthma (disorder)"}}"#).unwrap();
    assert_eq!(one.drafts[0].title, "Asthma");
    assert_eq!(one.drafts[0].category, Category::Conditions);
}

#[test]
fn a_broken_entry_is_reported_and_the_rest_imports() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let bytes = format!(
        r#"{{"resourceType":"Bundle","entry":[7,{{"fullUrl":"urn:uuid:a"}},
        {{"resource":{{"resourceType":"Condition","x":{deep}}}}},
        {{"resource":{{"id":"no type"}}}},
        {{"resource":{{"resourceType":"Condition"}}}}]}}"#
    );
    let import = import(bytes.as_bytes()).unwrap();
    assert_eq!(
        import.fates,
        [
            Fate::LeftOut(LeftOut::Unreadable),
            Fate::LeftOut(LeftOut::NoResource),
            Fate::LeftOut(LeftOut::Unreadable),
            Fate::LeftOut(LeftOut::Unreadable),
            Fate::Record(0)
        ]
    );
}

#[test]
fn a_report_takes_its_results_and_the_members_of_those() {
    let import = imported(&[
        json!({"resourceType": "Observation", "id": "member", "code": {"text": "Member"}, "valueInteger": 1}),
        json!({"resourceType": "Observation", "id": "panel", "hasMember": [reference("member"), reference("panel")]}),
        json!({"resourceType": "DiagnosticReport", "id": "r1", "code": {"text": "First"},
            "result": [reference("panel")], "specimen": [reference("blood")]}),
        json!({"resourceType": "DiagnosticReport", "id": "r2", "code": {"text": "Second"},
            "result": [reference("member")], "specimen": [reference("blood")]}),
        json!({"resourceType": "Specimen", "id": "blood", "type": {"text": "Blood"}}),
    ]);
    assert_eq!(groups(&import), [vec![2, 1, 0, 4], vec![3, 4]]);
    assert_eq!(import.drafts[0].title, "First");
    let second = String::from_utf8(import.drafts[1].content.clone()).unwrap();
    assert!(
        second.contains(r#"{"reference":"urn:uuid:member","display":"Member 1"}"#),
        "{second}"
    );
    assert!(
        second.contains(r#""specimen":[{"reference":"urn:uuid:blood"}]"#),
        "{second}"
    );
}

#[test]
fn measurements_of_one_visit_and_day_are_one_record() {
    let vital = |code: &str, visit: &str, date: &str, value: f64| {
        json!({"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "encounter": reference(visit), "effectiveDateTime": date,
            "valueQuantity": {"value": value, "unit": "kg"}})
    };
    let import = imported(&[
        vital("29463-7", "v1", "2020-01-01T08:00:00Z", 80.0),
        vital("8867-4", "v1", "2020-01-01T09:00:00Z", 61.0),
        vital("29463-7", "v1", "2020-01-02T08:00:00Z", 81.0),
        vital("29463-7", "v2", "2020-01-01T08:00:00Z", 82.0),
    ]);
    assert_eq!(groups(&import), [vec![0, 1], vec![2], vec![3]]);
    assert_eq!(
        import.drafts[0].title,
        "Body weight 80 kg and 1 other measurement"
    );
    assert_eq!(import.drafts[1].title, "Body weight 81 kg");
    assert!(
        import
            .drafts
            .iter()
            .all(|draft| draft.category == Category::Vitals)
    );
}

#[test]
fn a_medication_course_is_one_record_and_its_medicine_is_copied_where_needed() {
    let medicine = json!({"reference": "Medication/m"});
    let import = imported(&[
        json!({"resourceType": "Medication", "id": "m", "code": {"text": "Amoxicillin 250 MG Oral Tablet"}}),
        json!({"resourceType": "MedicationAdministration", "id": "a", "medicationReference": medicine,
            "request": reference("q")}),
        json!({"resourceType": "MedicationRequest", "id": "q", "status": "active", "intent": "order",
            "medicationReference": medicine, "authoredOn": "2020-02-03"}),
        json!({"resourceType": "MedicationRequest", "id": "other", "status": "stopped",
            "medicationReference": medicine}),
    ]);
    assert_eq!(groups(&import), [vec![2, 1, 0], vec![3, 0]]);
    assert_eq!(import.drafts[0].title, "Amoxicillin 250 mg tablet");
    assert_eq!(
        import.drafts[0].clinical_date.as_deref(),
        Some("2020-02-03")
    );
    assert_eq!(import.fates[0], Fate::Grouped(0));
    assert_eq!((import.total().records, import.total().grouped), (2, 2));
}

#[test]
fn a_plan_takes_its_goals_and_team_and_an_orphan_goal_stands_alone() {
    let import = imported(&[
        json!({"resourceType": "Goal", "id": "g", "description": {"text": "Walk daily"}}),
        json!({"resourceType": "Goal", "id": "lone", "description": {"text": "Sleep well"}}),
        json!({"resourceType": "CareTeam", "id": "t", "name": "Team"}),
        json!({"resourceType": "CarePlan", "id": "p", "category": [{"text": "Heart health"}],
            "goal": [reference("g")], "careTeam": [reference("t")], "activity": [{}, {}]}),
    ]);
    assert_eq!(groups(&import), [vec![1], vec![3, 0, 2]]);
    assert_eq!(import.drafts[1].title, "Care plan: heart health");
    assert_eq!(import.drafts[1].summary, "2 activities · 1 goal");
    assert_eq!(import.drafts[0].title, "Goal: sleep well");
}

#[test]
fn what_is_left_out_says_why() {
    let repeated = json!({"resourceType": "Condition", "id": "c", "code": {"text": "Cold"}});
    let import = imported(&[
        json!({"resourceType": "Claim"}),
        json!({"resourceType": "Organization", "name": "Clinic"}),
        json!({"resourceType": "OperationOutcome"}),
        json!({"resourceType": "Condition", "verificationStatus": {"coding": [{"code": "entered-in-error"}]}}),
        repeated.clone(),
        repeated,
        json!({"resourceType": "Provenance", "target": [reference("c")]}),
        json!({"resourceType": "Provenance", "target": [reference("c"), reference("nowhere")]}),
    ]);
    assert_eq!(
        import.fates,
        [
            Fate::LeftOut(LeftOut::Financial),
            Fate::LeftOut(LeftOut::Directory),
            Fate::LeftOut(LeftOut::Machinery),
            Fate::LeftOut(LeftOut::EnteredInError),
            Fate::Record(0),
            Fate::LeftOut(LeftOut::Repeated),
            Fate::Grouped(0),
            Fate::LeftOut(LeftOut::Transfer),
        ]
    );
}

#[test]
fn an_unknown_resource_type_is_kept_as_a_document() {
    let import = imported(&[json!({"resourceType": "SomethingNew", "title": "Kept"})]);
    assert_eq!(import.drafts[0].category, Category::Documents);
    assert_eq!(import.drafts[0].title, "Kept");
}

#[test]
fn a_visit_is_labelled_by_date_only_and_the_patient_is_not_named() {
    let import = imported(&[
        json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Secretname"}]}),
        json!({"resourceType": "Encounter", "id": "v", "type": [{"text": "Sensitive clinic"}],
            "period": {"start": "2021-03-04T10:00:00Z"},
            "participant": [{"individual": {"reference": "Practitioner/d"}}]}),
        json!({"resourceType": "Practitioner", "id": "d", "name": [{"prefix": ["Dr."], "given": ["Iva"], "family": "Novak"}]}),
        json!({"resourceType": "Immunization", "patient": reference("p"), "encounter": reference("v"),
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
            "occurrenceDateTime": "2021-03-04"}),
    ]);
    let draft = import
        .drafts
        .iter()
        .find(|d| d.category == Category::Immunizations)
        .unwrap();
    let content = String::from_utf8(draft.content.clone()).unwrap();
    assert_eq!(draft.title, "Flu vaccine");
    assert_eq!(draft.author.as_deref(), Some("Dr. Iva Novak"));
    assert!(
        content.contains(r#""display":"Visit on 4 March 2021""#),
        "{content}"
    );
    assert!(content.contains(r#""display":"Patient""#), "{content}");
    assert!(
        !content.contains("Secretname") && !content.contains("Sensitive"),
        "{content}"
    );
    assert_eq!(import.patients, ["Secretname"]);
}

#[test]
fn a_group_too_large_is_continued_in_another_draft() {
    let filler = "x".repeat(PART_BYTES / 3);
    let mut resources = vec![
        json!({"resourceType": "DiagnosticReport", "id": "r", "code": {"text": "Long"},
        "result": (0..7).map(|n| reference(&format!("o{n}"))).collect::<Vec<_>>()}),
    ];
    for n in 0..7 {
        resources.push(json!({"resourceType": "Observation", "id": format!("o{n}"),
            "code": {"text": "Value"}, "valueInteger": n, "note": [{"text": filler}]}));
    }
    let import = imported(&resources);
    assert!(import.drafts.len() > 2);
    assert!(
        import
            .drafts
            .iter()
            .all(|draft| draft.content.len() < PART_BYTES + 4096)
    );
    let mut seen: Vec<usize> = import
        .drafts
        .iter()
        .flat_map(|draft| draft.entries.clone())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..8).collect::<Vec<_>>());
    assert!(
        import.drafts[1].title.ends_with("(part 2)"),
        "{}",
        import.drafts[1].title
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let resources = [
        json!({"resourceType": "Condition", "id": "c", "subject": reference("p")}),
        json!({"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 1.50}}),
    ];
    assert_eq!(imported(&resources), imported(&resources));
}

#[test]
fn a_large_companion_is_not_copied_into_every_group() {
    let mut resources = vec![
        json!({"resourceType": "Medication", "id": "m", "code": {"text": "Big"},
        "note": "x".repeat(100_000)}),
    ];
    for n in 0..200 {
        resources.push(
            json!({"resourceType": "MedicationRequest", "id": format!("q{n}"),
            "medicationReference": reference("m")}),
        );
    }
    let import = imported(&resources);
    let total: usize = import.drafts.iter().map(|draft| draft.content.len()).sum();
    assert!(total < 4 * bundle(&resources).len(), "{total}");
}
