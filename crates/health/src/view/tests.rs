//! What a record looks like, by example.

use serde_json::{Value, json};

use super::*;

fn shown(resources: &[Value]) -> RecordView {
    let entries: Vec<Value> = resources
        .iter()
        .map(|resource| json!({"resource": resource}))
        .collect();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    view(bundle.to_string().as_bytes()).unwrap()
}

fn rows<'a>(view: &'a RecordView, heading: &str) -> Vec<(&'a str, &'a str)> {
    let section = view
        .sections
        .iter()
        .find(|section| section.heading == heading);
    let rows = section
        .map(|section| section.rows.as_slice())
        .unwrap_or_default();
    rows.iter()
        .map(|row| (row.label.as_str(), row.value.as_str()))
        .collect()
}

#[test]
fn a_lab_value_shows_unit_range_and_flag() {
    let value = |v: f64| json!({"value": v, "unit": "mmol/L"});
    let view = shown(&[
        json!({"resourceType": "Observation", "status": "preliminary",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
        "valueQuantity": value(5.9), "referenceRange": [{"low": value(3.5), "high": value(5.1)}],
        "note": [{"text": "Recheck"}]}),
    ]);
    let row = &view.sections[0].rows[0];
    assert_eq!(
        (row.label.as_str(), row.value.as_str(), row.unit.as_str()),
        ("Potassium", "5.9", "mmol/L")
    );
    assert_eq!(
        row.note.as_deref(),
        Some("Usual 3.5 to 5.1 mmol/L · Preliminary · Recheck")
    );
    assert_eq!(row.flag, Some(Flag::High));
}

#[test]
fn a_flag_is_the_sources_or_needs_one_range_in_the_same_unit() {
    let flag = |range: Value, interpretation: Value| {
        let view = shown(
            &[json!({"resourceType": "Observation", "code": {"text": "x"},
            "valueQuantity": {"value": 1.0, "unit": "g"}, "referenceRange": range,
            "interpretation": interpretation})],
        );
        view.sections[0].rows[0].flag
    };
    let low = |unit: &str| json!({"low": {"value": 2.0, "unit": unit}});
    assert_eq!(flag(json!([low("g")]), json!([])), Some(Flag::Low));
    assert_eq!(flag(json!([low("mg")]), json!([])), None);
    assert_eq!(flag(json!([low("g"), low("g")]), json!([])), None);
    assert_eq!(
        flag(
            json!([{"low": {"value": 2.0}, "appliesTo": [{"text": "children"}]}]),
            json!([])
        ),
        None
    );
    assert_eq!(
        flag(json!([low("g")]), json!([{"coding": [{"code": "LL"}]}])),
        Some(Flag::CriticallyLow)
    );
}

#[test]
fn a_panel_shows_its_components_and_a_pressure_is_one_row() {
    let part = |code: &str, value: f64| json!({"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "unit": "mm[Hg]"}});
    let view = shown(&[
        json!({"resourceType": "Observation", "code": {"coding": [{"code": "85354-9"}]},
        "component": [part("8480-6", 132.0), part("8462-4", 81.0), part("8867-4", 60.0)]}),
    ]);
    assert_eq!(
        rows(&view, "Measurements"),
        [("Blood pressure", "132/81"), ("Heart rate", "60")]
    );
}

#[test]
fn a_prescription_shows_how_to_take_it() {
    let view = shown(&[
        json!({"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2020-01-02",
            "medicationReference": {"reference": "Medication/m"},
            "requester": {"display": "Dr. Novak"},
            "dosageInstruction": [{"text": "One tablet in the morning"}]}),
        json!({"resourceType": "Medication", "id": "m", "code": {"text": "Amoxicillin 250 MG Oral Tablet"},
            "ingredient": [{"itemCodeableConcept": {"text": "Amoxicillin"},
                "strength": {"numerator": {"value": 250, "unit": "mg"}, "denominator": {"value": 1, "unit": "{tbl}"}}}]}),
    ]);
    assert_eq!(view.title, "Amoxicillin 250 mg tablet");
    assert_eq!(
        rows(&view, "Details"),
        [
            ("Medicine", "Amoxicillin 250 mg tablet"),
            ("How to take it", "One tablet in the morning"),
            ("Status", "Active"),
            ("Ordered", "2 January 2020"),
            ("Ordered by", "Dr. Novak"),
        ]
    );
    assert!(rows(&view, "Medication").contains(&("Strength", "250 mg per tablet")));
}

#[test]
fn a_plan_shows_activities_and_goals() {
    let view = shown(&[
        json!({"resourceType": "CarePlan", "status": "active", "category": [{"text": "Diet"}],
            "period": {"start": "2020-01-01"}, "goal": [{"reference": "Goal/g"}],
            "activity": [{"detail": {"code": {"text": "Walk"}, "status": "in-progress"}}]}),
        json!({"resourceType": "Goal", "id": "g", "description": {"text": "HbA1c below 7"},
            "lifecycleStatus": "accepted", "target": [{"detailQuantity": {"value": 7, "unit": "%"}}]}),
    ]);
    assert_eq!(rows(&view, "Activities"), [("Walk", "In progress")]);
    assert_eq!(rows(&view, "Goals"), [("HbA1c below 7", "Accepted")]);
    assert!(rows(&view, "Details").contains(&("When", "from 1 January 2020")));
}

#[test]
fn a_composition_shows_its_sections_without_markup() {
    let view = shown(&[
        json!({"resourceType": "Composition", "title": "Summary", "section": [
        {"title": "Problems", "text": {"div": "<div><script>x</script><p>Asthma</p></div>"},
            "section": [{"title": "Past", "entry": [{"display": "Fracture"}]}]},
        {"title": "Allergies", "emptyReason": {"text": "None known"}}]}),
    ]);
    let told: Vec<_> = view
        .sections
        .iter()
        .map(|s| (s.heading.as_str(), s.rows.len()))
        .collect();
    assert_eq!(told, [("Problems", 1), ("Past", 1), ("Allergies", 1)]);
    assert_eq!(view.sections[0].rows[0].value, "Asthma");
    assert_eq!(view.sections[2].rows[0].value, "Empty: none known");
}

#[test]
fn a_file_is_listed_and_handed_out_as_bytes() {
    let bundle = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "DocumentReference", "content": [
            {"attachment": {"contentType": "application/pdf", "title": "Letter", "data": "JVBE\nRi0="}},
            {"attachment": {"contentType": "image/png", "url": "https://elsewhere.example/x.png"}},
            {"attachment": {"contentType": "application/dicom", "url": "Binary/b"}}]}},
        {"resource": {"resourceType": "Binary", "id": "b", "contentType": "application/dicom", "data": "AAE="}}]})
    .to_string();
    let view = view(bundle.as_bytes()).unwrap();
    let told: Vec<_> = view
        .attachments
        .iter()
        .map(|a| (a.media_type.as_str(), a.bytes))
        .collect();
    assert_eq!(
        told,
        [
            ("application/pdf", 5),
            ("image/png", 0),
            ("application/dicom", 2)
        ]
    );
    assert_eq!(attachment(bundle.as_bytes(), 0).unwrap(), b"%PDF-");
    assert_eq!(attachment(bundle.as_bytes(), 2).unwrap(), [0, 1]);
    assert_eq!(attachment(bundle.as_bytes(), 1), Err(ViewError::NoResource));
    assert_eq!(attachment(bundle.as_bytes(), 9), Err(ViewError::NoResource));
}

#[test]
fn an_unknown_type_shows_what_it_has() {
    let view = shown(&[
        json!({"resourceType": "NutritionOrder", "status": "active", "patient": {"reference": "x"},
        "dateTime": "2020-01-01", "foodPreferenceModifier": [{"text": "Vegetarian"}]}),
    ]);
    // In the source's order or by name, as the JSON library is built.
    let mut details = rows(&view, "Details");
    details.sort_unstable();
    assert_eq!(
        details,
        [
            ("Date time", "1 January 2020"),
            ("Food preference modifier", "Vegetarian"),
            ("Status", "Active")
        ]
    );
}

#[test]
fn rows_are_bounded_and_the_rest_counted() {
    let many: Vec<Value> = (0..MAX_ROWS + 7)
        .map(|n| json!({"resourceType": "Observation", "code": {"text": "x"}, "valueInteger": n}))
        .collect();
    let view = shown(&many);
    assert_eq!(
        view.sections.iter().map(|s| s.rows.len()).sum::<usize>(),
        MAX_ROWS
    );
    assert_eq!(view.more_rows, 7);
}

#[test]
fn what_cannot_be_shown_is_an_error() {
    assert_eq!(view(b"\xff").unwrap_err(), ViewError::NotJson);
    assert_eq!(
        view("[".repeat(1000).as_bytes()).unwrap_err(),
        ViewError::NotJson
    );
    let size = MAX_VIEW_BYTES + 1;
    let too_large = ViewError::TooLarge {
        size,
        limit: MAX_VIEW_BYTES,
    };
    assert_eq!(view(&vec![b' '; size]).unwrap_err(), too_large);
    assert_eq!(view(b"{}").unwrap_err(), ViewError::NoResource);
    assert_eq!(
        view(br#"{"resourceType":"Bundle","entry":[{}]}"#).unwrap_err(),
        ViewError::NoResource
    );
}

#[test]
fn plain_text_has_a_view_too() {
    let view = view_text("My note", "line 1\nline 2\u{202e}".as_bytes());
    assert_eq!(view.narrative.as_deref(), Some("line 1\nline 2"));
}
