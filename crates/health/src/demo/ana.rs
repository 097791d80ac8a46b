//! Ana Ferreira: type 2 diabetes and high blood pressure, getting better over three years.

use serde_json::{Value, json};

use super::build::{Builder, LOINC, RXNORM, SNOMED, Visit, coded, concept, quantity};

/// A visit a quarter, from early 2024.
const VISITS: [&str; 12] = [
    "2024-01-16T09:20:00Z",
    "2024-04-18T08:40:00Z",
    "2024-07-11T10:00:00Z",
    "2024-10-17T09:10:00Z",
    "2025-01-21T09:30:00Z",
    "2025-04-10T08:50:00Z",
    "2025-07-15T09:00:00Z",
    "2025-10-16T10:20:00Z",
    "2026-01-20T09:20:00Z",
    "2026-04-14T08:40:00Z",
    "2026-07-09T09:40:00Z",
    "2026-10-15T09:00:00Z",
];

pub(super) fn bundle() -> Value {
    let mut b = Builder::new(0xa7a);
    b.patient(json!({
        "name": [{"use": "official", "given": ["Ana"], "family": "Ferreira"}],
        "gender": "female",
        "birthDate": "1968-04-12",
        "address": [{"line": ["14 Example Street"], "city": "Sampleton", "postalCode": "00001"}],
        "telecom": [{"system": "phone", "value": "555-0114", "use": "mobile"}],
        "communication": [{"language": {"text": "Portuguese"}}],
        "contact": [{"name": {"given": ["Rui"], "family": "Ferreira"}, "telecom": [{"system": "phone", "value": "555-0115"}]}],
    }));
    let place = b.add(
        "Organization",
        json!({"name": "Riverside Family Practice (demonstration)"}),
    );
    let doctor = b.doctor("Marit", "Okafor");
    let eyes = b.doctor("Jonas", "Albrecht");

    let diabetes = b.condition(
        concept(SNOMED, "44054006", "Type 2 diabetes"),
        "active",
        "2017-03-02",
        None,
        &doctor,
    );
    let pressure = b.condition(
        concept(SNOMED, "38341003", "High blood pressure"),
        "active",
        "2015-09-21",
        None,
        &doctor,
    );
    let lipids = b.condition(
        json!({"text": "Raised cholesterol"}),
        "active",
        "2018-05-14",
        None,
        &doctor,
    );
    let bladder = b.condition(
        json!({"text": "Bladder infection"}),
        "resolved",
        "2024-10-17",
        Some("2024-10-27"),
        &doctor,
    );

    b.about("AllergyIntolerance", json!({
        "clinicalStatus": coded("allergyintolerance-clinical", "active"),
        "verificationStatus": coded("allergyintolerance-verification", "confirmed"),
        "type": "allergy", "category": ["medication"], "criticality": "high",
        "code": concept(SNOMED, "91936005", "Penicillin allergy"),
        "onsetDateTime": "1991", "recordedDate": "2015-09-21", "recorder": doctor,
        "reaction": [{"manifestation": [{"text": "Widespread itching rash"}], "severity": "moderate"}],
    }));
    b.about("AllergyIntolerance", json!({
        "clinicalStatus": coded("allergyintolerance-clinical", "active"),
        "type": "intolerance", "category": ["food"], "criticality": "low",
        "code": {"text": "Lactose intolerance"}, "recordedDate": "2019-02-05", "recorder": doctor,
        "reaction": [{"manifestation": [{"text": "Bloating"}], "severity": "mild"}],
    }));

    let medicine = |code: &str, name: &str| concept(RXNORM, code, name);
    b.prescription(
        medicine("861007", "Metformin 500 MG Oral Tablet"),
        "active",
        "2024-01-16",
        "One tablet twice a day with meals",
        &diabetes,
        &doctor,
    );
    b.prescription(
        medicine("314076", "Lisinopril 10 MG Oral Tablet"),
        "active",
        "2024-04-18",
        "One tablet every morning",
        &pressure,
        &doctor,
    );
    b.prescription(
        medicine("617310", "Atorvastatin 20 MG Oral Tablet"),
        "active",
        "2024-07-11",
        "One tablet at bedtime",
        &lipids,
        &doctor,
    );
    b.prescription(
        json!({"text": "Nitrofurantoin 100 mg capsule"}),
        "completed",
        "2024-10-17",
        "One capsule twice a day for five days",
        &bladder,
        &doctor,
    );

    for (cvx, name, on) in [
        ("113", "Tetanus and diphtheria booster", "2022-05-03"),
        ("33", "Pneumococcal vaccine", "2024-04-18"),
        ("140", "Influenza vaccine", "2024-10-17"),
        ("140", "Influenza vaccine", "2025-10-16"),
        ("140", "Influenza vaccine", "2026-10-15"),
    ] {
        b.vaccine(cvx, name, on, &doctor);
    }

    for (at, quarter) in VISITS.iter().zip(0_i32..) {
        let kind = concept(SNOMED, "390906007", "Diabetes follow-up");
        let visit = b.visit(at, kind, None, &doctor, &place);
        measure(&mut b, &visit, quarter);
        if quarter % 2 == 0 {
            laboratory(&mut b, &visit, quarter);
        }
        if let Some((_, title, text)) = NOTES.iter().find(|(n, _, _)| *n == quarter) {
            b.note(&visit, title, text);
        }
        if quarter == 11 {
            let never = json!({"text": "Never smoked"});
            b.finding(
                &visit,
                "social-history",
                concept(LOINC, "72166-2", "Tobacco use"),
                never,
                None,
            );
        }
    }
    for (name, on, who) in [
        ("Diabetic eye screening", "2025-05-20", &eyes),
        ("Diabetic foot check", "2026-04-14", &doctor),
        ("Diabetic eye screening", "2026-05-19", &eyes),
    ] {
        b.about(
            "Procedure",
            json!({"status": "completed", "code": {"text": name},
            "performedDateTime": on, "performer": [{"actor": who}], "reasonReference": [diabetes],
            "outcome": {"text": "Nothing unusual found"}}),
        );
    }
    plan(&mut b, &diabetes, &doctor);
    b.finish()
}

/// Weight and pressure fall slowly, with the scatter real visits have.
fn measure(b: &mut Builder, visit: &Visit, quarter: i32) {
    let progress = f64::from(quarter);
    let (upper, lower) = (
        b.near(148.0 - 1.6 * progress, 4.0, 0),
        b.near(91.0 - 0.9 * progress, 3.0, 0),
    );
    b.blood_pressure(visit, upper, lower);
    let weight = b.near(84.5 - 0.6 * progress, 0.7, 1);
    for (code, name, value, unit) in [
        ("29463-7", "Body weight", weight, "kg"),
        (
            "39156-5",
            "Body mass index",
            (weight / (1.64 * 1.64) * 10.0).round() / 10.0,
            "kg/m2",
        ),
        ("8867-4", "Heart rate", b.near(74.0, 6.0, 0), "/min"),
    ] {
        b.finding(
            visit,
            "vital-signs",
            concept(LOINC, code, name),
            quantity(value, unit),
            None,
        );
    }
}

fn laboratory(b: &mut Builder, visit: &Visit, quarter: i32) {
    let progress = f64::from(quarter);
    let a1c = b.near(8.1 - 0.13 * progress, 0.15, 1);
    b.finding(
        visit,
        "laboratory",
        concept(LOINC, "4548-4", "Hemoglobin A1c"),
        quantity(a1c, "%"),
        Some((4.0, 5.6)),
    );
    let panels: [(&str, &str, &str, &[Analyte]); 2] = [
        (
            "57698-3",
            "Lipid panel",
            "Cholesterol is coming down on treatment.",
            &[
                (
                    "2093-3",
                    "Total cholesterol",
                    224.0,
                    8.0,
                    -3.2,
                    "mg/dL",
                    (120.0, 200.0),
                ),
                (
                    "18262-6",
                    "LDL cholesterol",
                    141.0,
                    7.0,
                    -3.4,
                    "mg/dL",
                    (50.0, 130.0),
                ),
                (
                    "2085-9",
                    "HDL cholesterol",
                    47.0,
                    3.0,
                    0.4,
                    "mg/dL",
                    (40.0, 90.0),
                ),
                (
                    "2571-8",
                    "Triglycerides",
                    171.0,
                    14.0,
                    -2.0,
                    "mg/dL",
                    (40.0, 150.0),
                ),
            ],
        ),
        (
            "51990-0",
            "Basic metabolic panel",
            "Kidney function and salts are steady.",
            &[
                (
                    "2345-7",
                    "Glucose",
                    158.0,
                    12.0,
                    -2.6,
                    "mg/dL",
                    (70.0, 99.0),
                ),
                (
                    "2160-0",
                    "Creatinine",
                    0.86,
                    0.05,
                    0.002,
                    "mg/dL",
                    (0.5, 1.1),
                ),
                (
                    "2951-2",
                    "Sodium",
                    140.0,
                    2.0,
                    0.0,
                    "mmol/L",
                    (135.0, 145.0),
                ),
                ("2823-3", "Potassium", 4.4, 0.3, 0.0, "mmol/L", (3.5, 5.1)),
            ],
        ),
    ];
    for (code, name, conclusion, analytes) in panels {
        let mut results = Vec::new();
        for (code, name, start, spread, slope, unit, range) in analytes {
            let digits = if *start < 2.0 {
                2
            } else if *start < 10.0 {
                1
            } else {
                0
            };
            let value = b.near(start + slope * progress, *spread, digits);
            let code = concept(LOINC, code, name);
            results.push(b.finding(
                visit,
                "laboratory",
                code,
                quantity(value, unit),
                Some(*range),
            ));
        }
        b.report(visit, concept(LOINC, code, name), results, conclusion);
    }
}

/// Code, name, value at the first visit, scatter, change per quarter, unit, usual range.
type Analyte = (
    &'static str,
    &'static str,
    f64,
    f64,
    f64,
    &'static str,
    (f64, f64),
);

fn plan(b: &mut Builder, diabetes: &Value, doctor: &Value) {
    let goals = [
        ("Hemoglobin A1c below 7 %", "in-progress"),
        ("Blood pressure below 130/80 mmHg", "in-progress"),
        ("Walk half an hour on five days a week", "achieved"),
    ]
    .map(|(what, state)| {
        b.about(
            "Goal",
            json!({"lifecycleStatus": "active", "startDate": "2024-01-16",
            "achievementStatus": coded("goal-achievement", state), "description": {"text": what}}),
        )
    });
    let team = b.about(
        "CareTeam",
        json!({"status": "active", "name": "Diabetes team",
        "participant": [{"role": [{"text": "Family doctor"}], "member": doctor}]}),
    );
    let activity =
        |what: &str| json!({"detail": {"status": "in-progress", "code": {"text": what}}});
    b.about("CarePlan", json!({
        "status": "active", "intent": "plan", "title": "Living well with diabetes",
        "category": [{"text": "Diabetes care"}], "period": {"start": "2024-01-16"},
        "addresses": [diabetes], "goal": goals, "careTeam": [team], "author": doctor,
        "activity": [activity("Check feet every evening"), activity("Measure blood pressure at home on Sundays"),
            activity("See the dietitian twice a year")],
    }));
}

const NOTES: [(i32, &str, &str); 3] = [
    (
        0,
        "First diabetes review",
        "Ana feels tired in the afternoons. She would like to manage with as few tablets as she can.\n\n\
        We agreed on metformin twice a day, a walk after dinner, and a visit every three months.\n\n\
        Synthetic note for demonstration.",
    ),
    (
        3,
        "Visit for burning when passing water",
        "Two days of burning and frequent visits to the bathroom, no fever, no back pain.\n\
        Treated as a simple bladder infection. Penicillin avoided because of her allergy.\n\n\
        Synthetic note for demonstration.",
    ),
    (
        11,
        "Diabetes review",
        "A good year. Home readings are mostly below 135/85, and she has kept walking through the autumn.\n\n\
        Eye screening in May was fine. Feet warm, feeling intact.\n\
        Plan: no change to tablets, blood tests again in January, flu vaccine given today.\n\n\
        Synthetic note for demonstration.",
    ),
];
