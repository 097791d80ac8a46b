//! Real Synthea bundles: nothing lost, everything titled, every reference resolved or labelled.
//!
//! What is expected is worked out here by walking the JSON, not by calling the code under test.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's own functions, where a panic is the failure"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use salus_health::import::{Fate, LeftOut};
use salus_health::{Category, Import, import, medication_list, view};
use serde_json::Value;

struct Bundle {
    name: String,
    bytes: Vec<u8>,
    value: Value,
    import: Import,
}

impl Bundle {
    fn resources(&self) -> impl Iterator<Item = &Value> {
        self.value["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["resource"])
    }

    fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.resources()
            .filter(move |resource| resource["resourceType"] == kind)
    }
}

fn bundles() -> Vec<Bundle> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/fhir");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: no FHIR sample data at {}", folder.display());
        return Vec::new();
    };
    let mut bundles = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ext| ext != "json") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let value = serde_json::from_slice(&bytes).unwrap();
        let import = import(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        bundles.push(Bundle {
            name,
            bytes,
            value,
            import,
        });
    }
    assert!(
        !bundles.is_empty(),
        "the folder is there but has no bundles"
    );
    bundles
}

#[test]
fn every_entry_has_one_fate_and_every_resource_in_a_record_is_there() {
    for bundle in bundles() {
        let entries = bundle.value["entry"].as_array().unwrap();
        let import = &bundle.import;
        assert_eq!(import.fates.len(), entries.len(), "{}", bundle.name);

        let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
        for resource in bundle.resources() {
            *by_type
                .entry(resource["resourceType"].as_str().unwrap())
                .or_default() += 1;
        }
        let tallied: BTreeMap<&str, usize> = import
            .tallies
            .iter()
            .map(|(kind, tally)| (kind.as_str(), tally.total()))
            .collect();
        assert_eq!(tallied, by_type, "{}", bundle.name);
        let records: usize = import.tallies.values().map(|tally| tally.records).sum();
        assert_eq!(records, import.drafts.len());

        for (entry, fate) in entries.iter().zip(&import.fates) {
            let kind = entry["resource"]["resourceType"].as_str().unwrap();
            let money = ["Claim", "ExplanationOfBenefit"].contains(&kind);
            let directory = ["Organization", "Practitioner"].contains(&kind);
            match fate {
                Fate::Record(at) | Fate::Grouped(at) => {
                    assert!(!money && !directory, "{kind}");
                    let content: Value =
                        serde_json::from_slice(&import.drafts[*at].content).unwrap();
                    let found = content["entry"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .find(|inside| inside["fullUrl"] == entry["fullUrl"]);
                    let found = &found.unwrap_or_else(|| panic!("{kind} is missing"))["resource"];
                    assert!(
                        same_but_labels(&entry["resource"], found),
                        "{kind} was altered"
                    );
                }
                Fate::LeftOut(reason) => {
                    let expected = if money {
                        LeftOut::Financial
                    } else {
                        LeftOut::Directory
                    };
                    assert_eq!(*reason, expected, "{kind}");
                    assert!(money || directory, "{kind} was left out");
                }
            }
        }
    }
}

/// Equal, except that `after` may have `display` beside a `reference` where `before` has none.
fn same_but_labels(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let added = b
                .keys()
                .filter(|key| !a.contains_key(*key))
                .collect::<Vec<_>>();
            (added.is_empty() || (added == ["display"] && a.contains_key("reference")))
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|v| same_but_labels(value, v)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_but_labels(a, b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn every_draft_is_titled_dated_small_and_viewable() {
    for bundle in bundles() {
        for draft in &bundle.import.drafts {
            let about = format!("{}: {:?} {}", bundle.name, draft.category, draft.title);
            assert!(
                !draft.title.trim().is_empty() && draft.title.chars().count() <= 121,
                "{about}"
            );
            assert!(
                !draft.title.contains("(disorder)") && !draft.title.contains("[Mass"),
                "{about}"
            );
            assert!(
                draft.content.len() <= 256 * 1024,
                "{about}: {} bytes",
                draft.content.len()
            );
            if draft.category != Category::Profile || draft.type_code.is_some() {
                assert!(draft.clinical_date.is_some(), "{about} has no date");
                assert!(draft.author.is_some(), "{about} has no author");
                assert!(draft.type_code.is_some(), "{about} has no code");
            }
            let view = view(&draft.content).unwrap_or_else(|error| panic!("{about}: {error}"));
            assert!(!view.sections.is_empty(), "{about} shows nothing");
            for row in view.sections.iter().flat_map(|section| &section.rows) {
                assert!(!row.label.is_empty(), "{about}: a row without label");
                assert!(
                    !row.value.contains('<') && !row.value.contains("urn:uuid"),
                    "{about}: {row:?}"
                );
            }
            assert!(
                !view.narrative.unwrap_or_default().contains("<br"),
                "{about}"
            );
        }
    }
}

#[test]
fn references_resolve_inside_the_record_or_are_labelled() {
    for bundle in bundles() {
        let mut labelled = 0;
        for draft in &bundle.import.drafts {
            let content: Value = serde_json::from_slice(&draft.content).unwrap();
            let inside: Vec<&str> = content["entry"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|e| e["fullUrl"].as_str())
                .collect();
            let mut open = vec![&content];
            while let Some(value) = open.pop() {
                match value {
                    Value::Array(items) => open.extend(items),
                    Value::Object(fields) => {
                        if let Some(reference) = fields.get("reference").and_then(Value::as_str) {
                            let label = fields.get("display").and_then(Value::as_str);
                            let known =
                                inside.contains(&reference) || label.is_some_and(|l| !l.is_empty());
                            assert!(known, "{}: {} leads nowhere", draft.title, reference);
                            labelled += usize::from(label.is_some());
                        }
                        open.extend(fields.values());
                    }
                    _ => {}
                }
            }
        }
        assert!(labelled > 0, "{}", bundle.name);
    }
}

#[test]
fn the_patients_particulars_are_in_the_profile_alone() {
    for bundle in bundles() {
        let patient = bundle.of_type("Patient").next().unwrap();
        let family = patient["name"][0]["family"].as_str().unwrap();
        let street = patient["address"][0]["line"][0].as_str().unwrap();
        assert_eq!(bundle.import.patients.len(), 1);
        assert!(bundle.import.patients[0].ends_with(family));
        for draft in &bundle.import.drafts {
            let content = String::from_utf8_lossy(&draft.content);
            let is_profile = draft.title.starts_with("Profile of ");
            assert_eq!(content.contains(street), is_profile, "{}", draft.title);
            assert_eq!(
                content.contains(&format!("\"{family}\"")),
                is_profile,
                "{}",
                draft.title
            );
        }
    }
}

#[test]
fn titles_and_dates_are_those_of_the_source() {
    for bundle in bundles() {
        let has = |category: Category, title: &str, date: &str| {
            bundle.import.drafts.iter().any(|draft| {
                draft.category == category
                    && draft.title == title
                    && draft.clinical_date.as_deref() == Some(date)
            })
        };
        for condition in bundle.of_type("Condition") {
            let title = condition["code"]["text"]
                .as_str()
                .unwrap()
                .replace(" (disorder)", "");
            assert!(
                has(
                    Category::Conditions,
                    &title,
                    condition["onsetDateTime"].as_str().unwrap()
                ),
                "{title}"
            );
        }
        for report in bundle
            .of_type("DiagnosticReport")
            .filter(|r| r["code"]["text"] == "Lipid Panel")
        {
            assert!(has(
                Category::Results,
                "Lipid panel",
                report["effectiveDateTime"].as_str().unwrap()
            ));
        }
        for observation in bundle
            .of_type("Observation")
            .filter(|o| o["code"]["text"] == "Blood Pressure")
        {
            let part = |code: &str| {
                let parts = observation["component"].as_array().unwrap().iter();
                let mut found = parts.filter(|c| c["code"]["coding"][0]["code"] == code);
                found.next().unwrap()["valueQuantity"]["value"]
                    .as_f64()
                    .unwrap()
                    .round()
            };
            let phrase = format!("Blood pressure {}/{} mmHg", part("8480-6"), part("8462-4"));
            let date = observation["effectiveDateTime"].as_str();
            let found = bundle.import.drafts.iter().any(|draft| {
                draft.category == Category::Vitals
                    && draft.title.starts_with(&phrase)
                    && draft.clinical_date.as_deref() == date
            });
            assert!(found, "{phrase}");
        }
        let doctors: Vec<String> = bundle
            .of_type("Practitioner")
            .map(|p| {
                format!(
                    "Dr. {} {}",
                    p["name"][0]["given"][0].as_str().unwrap(),
                    p["name"][0]["family"].as_str().unwrap()
                )
            })
            .collect();
        for draft in &bundle.import.drafts {
            assert!(
                draft
                    .author
                    .as_ref()
                    .is_none_or(|author| doctors.contains(author)),
                "{:?}",
                draft.author
            );
        }
    }
}

#[test]
fn visit_measurements_and_reports_are_grouped() {
    for bundle in bundles() {
        for (at, resource) in bundle.resources().enumerate() {
            let Some(results) = resource["result"].as_array() else {
                continue;
            };
            let Fate::Record(draft) = bundle.import.fates[at] else {
                panic!("a report is no record")
            };
            assert_eq!(bundle.import.drafts[draft].entries.len(), results.len() + 1);
        }
        let vitals = bundle
            .import
            .drafts
            .iter()
            .filter(|d| d.category == Category::Vitals);
        let expected: std::collections::BTreeSet<&str> = bundle
            .of_type("Observation")
            .filter(|o| {
                let code = o["category"][0]["coding"][0]["code"].as_str().unwrap();
                let reported = bundle.of_type("DiagnosticReport").any(|r| {
                    r["result"].as_array().unwrap().iter().any(|result| {
                        result["reference"]
                            .as_str()
                            .unwrap()
                            .ends_with(o["id"].as_str().unwrap())
                    })
                });
                code.starts_with("vital-sign") && !reported
            })
            .map(|o| o["encounter"]["reference"].as_str().unwrap())
            .collect();
        assert_eq!(vitals.count(), expected.len(), "{}", bundle.name);
    }
}

#[test]
fn the_medication_list_is_the_sources() {
    for bundle in bundles() {
        let lines = medication_list(
            bundle
                .import
                .drafts
                .iter()
                .map(|draft| draft.content.as_slice()),
        );
        let ordered: Vec<&Value> = bundle.of_type("MedicationRequest").collect();
        let active = ordered
            .iter()
            .filter(|request| request["status"] == "active")
            .count();
        assert_eq!(
            lines.iter().filter(|line| line.active).count(),
            active,
            "{}",
            bundle.name
        );
        assert_eq!(lines.is_empty(), ordered.is_empty(), "{}", bundle.name);
        if bundle.name == "Tasha_Miller" {
            let told: Vec<_> = lines
                .iter()
                .map(|l| (l.name.as_str(), l.active))
                .take(4)
                .collect();
            assert_eq!(
                told,
                [
                    ("Furosemide 10 mg/mL injection, 10 mL", true),
                    ("Lasix 40mg", true),
                    (
                        "Metoprolol succinate 100 mg extended-release tablet, 24-hour (Toprol)",
                        true
                    ),
                    ("Acetaminophen 325 mg tablet", false),
                ]
            );
            assert_eq!(lines[2].dosage.as_deref(), Some("1 at a time, once a day"));
            assert_eq!(
                lines[2].reason.as_deref(),
                Some("Chronic congestive heart failure")
            );
        }
    }
}

#[test]
fn the_largest_bundle_imports_in_one_go_and_always_the_same() {
    for bundle in bundles() {
        if bundle.name != "Tasha_Miller" {
            continue;
        }
        assert!(bundle.bytes.len() > 1_200_000);
        assert_eq!(bundle.import.entries(), 388);
        assert_eq!(import(&bundle.bytes).unwrap(), bundle.import);
        let total: usize = bundle
            .import
            .drafts
            .iter()
            .map(|draft| draft.content.len())
            .sum();
        println!(
            "{} bytes in, {} records of {total} bytes out",
            bundle.bytes.len(),
            bundle.import.drafts.len()
        );
    }
}

#[test]
fn a_records_content_imports_again_as_one_record() {
    for bundle in bundles() {
        for draft in &bundle.import.drafts {
            let again = import(&draft.content).unwrap();
            assert_eq!(again.drafts.len(), 1, "{}", draft.title);
            assert_eq!(again.drafts[0].title, draft.title);
            assert_eq!(again.drafts[0].category, draft.category);
            assert_eq!(again.drafts[0].content, draft.content, "{}", draft.title);
        }
    }
}
