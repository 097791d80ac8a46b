//! Tomás Lindqvist: asthma and hay fever, with peak flow readings and an old fracture.

use serde_json::{Value, json};

use super::build::{Builder, LOINC, RXNORM, SNOMED, coded, concept, quantity};

/// Visits: when, for what (empty for a check-up), peak flow, and whether he was wheezing.
const VISITS: [(&str, &str, f64, bool); 6] = [
    ("2024-03-12T15:10:00Z", "", 545.0, false),
    ("2024-06-04T16:30:00Z", "Hay fever", 520.0, false),
    ("2024-11-26T11:00:00Z", "Asthma attack", 390.0, true),
    ("2024-12-10T15:40:00Z", "", 500.0, false),
    ("2025-09-23T15:20:00Z", "", 550.0, false),
    ("2026-09-22T15:00:00Z", "", 565.0, false),
];

pub(super) fn bundle() -> Value {
    let mut b = Builder::new(0x70a5);
    b.patient(json!({
        "name": [{"use": "official", "given": ["Tomás"], "family": "Lindqvist"}],
        "gender": "male",
        "birthDate": "1994-08-30",
        "address": [{"line": ["3 Specimen Lane"], "city": "Sampleton", "postalCode": "00002"}],
        "telecom": [{"system": "email", "value": "tomas@example.org"}],
        "communication": [{"language": {"text": "Spanish"}}],
    }));
    let place = b.add(
        "Organization",
        json!({"name": "Hillside Health Centre (demonstration)"}),
    );
    let doctor = b.doctor("Leila", "Brandt");
    let hospital = b.doctor("Peter", "Nakagawa");

    let asthma = b.condition(
        concept(SNOMED, "195967001", "Asthma"),
        "active",
        "2003",
        None,
        &doctor,
    );
    let fever = b.condition(
        concept(SNOMED, "367498001", "Hay fever"),
        "active",
        "2008-05",
        None,
        &doctor,
    );
    let wrist = b.condition(
        json!({"text": "Broken left wrist"}),
        "resolved",
        "2019-02-09",
        Some("2019-04-02"),
        &hospital,
    );

    for (what, kind, risk, since, reaction, severity) in [
        (
            "Peanut allergy",
            "food",
            "high",
            "1999",
            "Swollen lips and hives",
            "severe",
        ),
        (
            "Cat dander allergy",
            "environment",
            "low",
            "2006",
            "Sneezing and itching eyes",
            "mild",
        ),
    ] {
        b.about(
            "AllergyIntolerance",
            json!({
                "clinicalStatus": coded("allergyintolerance-clinical", "active"),
                "verificationStatus": coded("allergyintolerance-verification", "confirmed"),
                "type": "allergy", "category": [kind], "criticality": risk, "code": {"text": what},
                "onsetDateTime": since, "recordedDate": "2012-01-17", "recorder": doctor,
                "reaction": [{"manifestation": [{"text": reaction}], "severity": severity}],
            }),
        );
    }

    b.prescription(
        json!({"text": "Budesonide and formoterol 160/4.5 micrograms inhaler"}),
        "active",
        "2024-12-10",
        "Two puffs every morning and evening; rinse the mouth afterwards",
        &asthma,
        &doctor,
    );
    b.prescription(
        concept(
            RXNORM,
            "745679",
            "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler",
        ),
        "active",
        "2024-03-12",
        "One or two puffs when short of breath, at most eight a day",
        &asthma,
        &doctor,
    );
    b.prescription(
        json!({"text": "Cetirizine 10 mg tablet"}),
        "active",
        "2024-06-04",
        "One tablet a day in the pollen season",
        &fever,
        &doctor,
    );
    b.prescription(
        json!({"text": "Prednisolone 40 mg"}),
        "completed",
        "2024-11-26",
        "40 mg every morning for five days",
        &asthma,
        &doctor,
    );

    for (cvx, name, on) in [
        (
            "115",
            "Tetanus, diphtheria and whooping cough booster",
            "2019-02-09",
        ),
        ("208", "COVID-19 vaccine", "2021-06-21"),
        ("140", "Influenza vaccine", "2024-12-10"),
        ("140", "Influenza vaccine", "2025-09-23"),
    ] {
        b.vaccine(cvx, name, on, &doctor);
    }

    for ((at, reason, flow, wheezing), nth) in VISITS.into_iter().zip(0..) {
        let (kind, why) = match reason {
            "" => ("Asthma check-up", None),
            reason => ("Visit for a problem", Some(json!({"text": reason}))),
        };
        let visit = b.visit(at, json!({"text": kind}), why, &doctor, &place);
        let vital = |code, name| concept(LOINC, code, name);
        let (upper, lower) = (b.near(122.0, 5.0, 0), b.near(76.0, 4.0, 0));
        b.blood_pressure(&visit, upper, lower);
        let weight = b.near(78.0, 1.2, 1);
        b.finding(
            &visit,
            "vital-signs",
            vital("29463-7", "Body weight"),
            quantity(weight, "kg"),
            None,
        );
        let oxygen = if wheezing { 93.0 } else { b.near(98.0, 1.0, 0) };
        b.finding(
            &visit,
            "vital-signs",
            vital("59408-5", "Oxygen saturation"),
            quantity(oxygen, "%"),
            Some((95.0, 100.0)),
        );
        let breaths = if wheezing { 26.0 } else { b.near(14.0, 2.0, 0) };
        b.finding(
            &visit,
            "vital-signs",
            vital("9279-1", "Breathing rate"),
            quantity(breaths, "/min"),
            Some((12.0, 20.0)),
        );
        b.finding(
            &visit,
            "laboratory",
            vital("33452-4", "Peak expiratory flow"),
            quantity(flow, "L/min"),
            Some((450.0, 650.0)),
        );
        if nth == 4 {
            let parts = [
                ("19868-9", "Forced vital capacity", 5.1, (4.2, 6.2)),
                (
                    "20150-9",
                    "Air breathed out in the first second",
                    3.9,
                    (3.4, 5.1),
                ),
            ];
            let results = parts.map(|(code, name, value, usual)| {
                b.finding(
                    &visit,
                    "laboratory",
                    concept(LOINC, code, name),
                    quantity(value, "L"),
                    Some(usual),
                )
            });
            b.report(
                &visit,
                json!({"text": "Spirometry"}),
                results.to_vec(),
                "Within the usual range between attacks.",
            );
        }
        if nth == 5 {
            let never = json!({"text": "Never smoked"});
            b.finding(
                &visit,
                "social-history",
                concept(LOINC, "72166-2", "Tobacco use"),
                never,
                None,
            );
        }
        if let Some((_, title, text)) = NOTES.iter().find(|(n, _, _)| *n == nth) {
            b.note(&visit, title, text);
        }
    }

    b.about("ImagingStudy", json!({"status": "available", "started": "2019-02-09T18:05:00Z",
        "numberOfSeries": 1, "numberOfInstances": 2, "referrer": hospital,
        "reasonReference": [wrist],
        "series": [{"uid": "2.25.1", "modality": {"code": "DX"}, "bodySite": {"display": "Left wrist"}, "numberOfInstances": 2}]}));
    b.about("Procedure", json!({"status": "completed", "code": {"text": "Plaster cast on the left wrist"},
        "performedDateTime": "2019-02-09", "performer": [{"actor": hospital}], "reasonReference": [wrist]}));
    b.about(
        "Device",
        json!({"status": "active", "type": {"text": "Peak flow meter"},
        "manufacturer": "Example Instruments", "serialNumber": "DEMO-0007"}),
    );
    let goal = b.about(
        "Goal",
        json!({"lifecycleStatus": "active", "startDate": "2024-12-10",
        "achievementStatus": coded("goal-achievement", "in-progress"),
        "description": {"text": "No asthma attack for two years"}}),
    );
    b.about("CarePlan", json!({"status": "active", "intent": "plan", "title": "Asthma action plan",
        "category": [{"text": "Asthma care"}], "period": {"start": "2024-12-10"}, "addresses": [asthma],
        "goal": [goal], "author": doctor,
        "activity": [
            {"detail": {"status": "in-progress", "code": {"text": "Measure peak flow every morning"}}},
            {"detail": {"status": "in-progress", "code": {"text": "Call the practice if peak flow stays below 400"}}},
        ]}));
    b.finish()
}

const NOTES: [(i32, &str, &str); 2] = [
    (
        2,
        "Asthma attack",
        "Woke up wheezing after an evening at a friend's house with two cats. Speaks in short sentences, \
        oxygen 93 %, peak flow 390.\n\n\
        Better within an hour of reliever by spacer. Home with prednisolone for five days, back in two weeks.\n\n\
        Synthetic note for demonstration.",
    ),
    (
        5,
        "Yearly asthma check",
        "No attack since November 2024. Uses the reliever less than once a week and runs again.\n\n\
        Inhaler technique is good. Action plan gone through together; no change.\n\n\
        Synthetic note for demonstration.",
    ),
];
