//! One resource in a few plain words: its title, its date, its code and a one-line summary.
//!
//! Owns how each resource type is named. Must not know grouping; a group is titled in `import`.

use serde_json::Value;

use crate::dates::{is_date, plain_date};
use crate::fhir::{
    Coding, LINE_CHARS, TITLE_CHARS, clean, coding, concept, concept_at, dig, each, text_at,
};
use crate::names;
use crate::observation;
use crate::resources::{Item, Resources};
use crate::words;

/// Where clinical dates stand, the time of the event itself before the time of writing it down.
const DATE_PATHS: [&str; 28] = [
    "effectiveDateTime",
    "effectivePeriod.start",
    "effectiveInstant",
    "occurrenceDateTime",
    "occurrencePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "onsetDateTime",
    "onsetPeriod.start",
    "started",
    "start",
    "period.start",
    "authoredOn",
    "whenHandedOver",
    "whenPrepared",
    "startDate",
    "context.period.start",
    "timingDateTime",
    "timingPeriod.start",
    "collection.collectedDateTime",
    "date",
    "issued",
    "recordedDate",
    "recordedOn",
    "recorded",
    "dateAsserted",
    "authored",
    "sent",
];
/// Dates of last resort, tried after all others.
const LATE_DATE_PATHS: [&str; 4] = ["created", "createdDateTime", "lastOccurrence", "statusDate"];

/// The clinical date of a resource as its source wrote it.
pub(crate) fn date(value: &Value) -> Option<String> {
    let paths = DATE_PATHS.iter().chain(&LATE_DATE_PATHS);
    paths
        .filter_map(|path| text_at(value, path))
        .find(|text| is_date(text))
        .map(str::to_owned)
}

/// What a resource is, coded.
pub(crate) fn type_code(resources: &Resources<'_>, item: &Item<'_>) -> Option<Coding> {
    let of = |path: &str| coding(dig(item.value, path)?);
    match item.kind {
        "Encounter" | "DocumentReference" | "Composition" | "Device" => of("type"),
        "Immunization" => of("vaccineCode"),
        "CarePlan" => of("category"),
        "Goal" => of("description"),
        "ImagingStudy" => of("procedureCode").or_else(|| of("series.modality")),
        "Patient" => None,
        kind if is_medication(kind) => medication(resources, item).and_then(coding),
        _ => of("code").or_else(|| of("type")).or_else(|| of("category")),
    }
}

/// Whether a resource type belongs to a course of medication.
pub(crate) fn is_medication(kind: &str) -> bool {
    matches!(
        kind,
        "MedicationRequest"
            | "MedicationStatement"
            | "MedicationDispense"
            | "MedicationAdministration"
            | "Medication"
    )
}

/// The concept naming the medicine: on the resource, in a contained Medication, or in the one it
/// refers to.
pub(crate) fn medication<'v>(resources: &Resources<'v>, item: &Item<'v>) -> Option<&'v Value> {
    if item.kind == "Medication" {
        return item.value.get("code");
    }
    if let Some(concept) = item.value.get("medicationCodeableConcept") {
        return Some(concept);
    }
    let reference = text_at(item.value, "medicationReference.reference")?;
    match reference.strip_prefix('#') {
        Some(id) => each(item.value, "contained")
            .find(|inner| inner.get("id").and_then(Value::as_str) == Some(id))?
            .get("code"),
        None => resources.find(reference)?.value.get("code"),
    }
}

/// The name of the medicine in plain words.
pub(crate) fn medication_name(resources: &Resources<'_>, item: &Item<'_>) -> Option<String> {
    let shown =
        || text_at(item.value, "medicationReference.display").map(|d| clean(d, TITLE_CHARS));
    let name = medication(resources, item)
        .and_then(concept)
        .or_else(shown)?;
    Some(words::medicine(&name)).filter(|name| !name.is_empty())
}

/// The title of one resource, never empty, at most [`TITLE_CHARS`] characters and an ellipsis.
pub(crate) fn title(resources: &Resources<'_>, item: &Item<'_>) -> String {
    let value = item.value;
    let term = |path: &str| concept_at(value, path).map(|text| words::term(&text));
    let line = |path: &str| text_at(value, path).map(|text| clean(text, TITLE_CHARS));
    let title = match item.kind {
        "Patient" => names::human(value).map(|name| format!("Profile of {name}")),
        "RelatedPerson" => names::human(value).map(|name| format!("Contact: {name}")),
        "Observation" => Some(observation::phrase(value)),
        "Encounter" => visit(value),
        "DiagnosticReport" => report(value),
        "Immunization" => vaccine(value),
        "CarePlan" => line("title")
            .or_else(|| term("category"))
            .or_else(|| line("description"))
            .map(|what| format!("Care plan: {}", words::lower_first(&what))),
        "CareTeam" => line("name")
            .or_else(|| term("category"))
            .map(|n| format!("Care team: {n}")),
        "Goal" => term("description").map(|what| format!("Goal: {}", words::lower_first(&what))),
        "ImagingStudy" => imaging(value),
        "Device" => line("deviceName.name")
            .or_else(|| term("type"))
            .map(|n| format!("Device: {n}")),
        "DocumentReference" => line("description")
            .or_else(|| line("content.attachment.title"))
            .or_else(|| named_by_loinc(value, "type"))
            .or_else(|| term("category")),
        "Composition" | "QuestionnaireResponse" | "Questionnaire" | "List" => line("title")
            .or_else(|| named_by_loinc(value, "type"))
            .or_else(|| term("code")),
        "FamilyMemberHistory" => {
            let what = concept_at(value, "condition.code").map(|text| words::term(&text));
            let who = term("relationship").unwrap_or_else(|| "relative".to_owned());
            Some(match what {
                Some(what) => format!("Family history: {what} ({})", words::lower_first(&who)),
                None => format!("Family history: {}", words::lower_first(&who)),
            })
        }
        "Specimen" => term("type").map(|what| format!("Specimen: {}", words::lower_first(&what))),
        kind if is_medication(kind) => medication_name(resources, item),
        _ => term("code")
            .or_else(|| line("title"))
            .or_else(|| term("type"))
            .or_else(|| text_at(value, "description").map(|text| clean(text, TITLE_CHARS))),
    };
    let title = title
        .map(|title| clean(&title, TITLE_CHARS))
        .filter(|title| !title.is_empty());
    title.unwrap_or_else(|| words::type_words(item.kind))
}

fn named_by_loinc(value: &Value, path: &str) -> Option<String> {
    let concept_value = dig(value, path)?;
    let known = coding(concept_value).and_then(|coding| words::loinc(&coding.code));
    known
        .map(str::to_owned)
        .or_else(|| concept(concept_value).map(|text| words::term(&text)))
}

fn visit(value: &Value) -> Option<String> {
    let reason = concept_at(value, "reasonCode").map(|text| words::term(&text));
    let kind = concept_at(value, "type").map(|text| words::visit(&text));
    let kind = kind.or_else(|| {
        Some(
            match text_at(value, "class.code")? {
                "AMB" => "Outpatient visit",
                "EMER" => "Emergency visit",
                "IMP" | "ACUTE" | "NONAC" => "Hospital stay",
                "HH" => "Home visit",
                "VR" => "Virtual visit",
                _ => "Visit",
            }
            .to_owned(),
        )
    });
    Some(match (kind, reason) {
        (Some(kind), Some(reason)) => format!("{kind}: {}", words::lower_first(&reason)),
        (Some(kind), None) => kind,
        (None, Some(reason)) => format!("Visit: {}", words::lower_first(&reason)),
        (None, None) => "Visit".to_owned(),
    })
}

fn report(value: &Value) -> Option<String> {
    let name = named_by_loinc(value, "code").or_else(|| named_by_loinc(value, "category"))?;
    // LOINC panel names run "name panel - system by method"; the first part is the name.
    let short = name.split(" panel - ").next().unwrap_or(&name);
    Some(if short.len() < name.len() {
        format!("{short} panel")
    } else {
        name
    })
}

fn vaccine(value: &Value) -> Option<String> {
    let concept_value = dig(value, "vaccineCode")?;
    if let Some(name) = coding(concept_value)
        .filter(|coding| coding.system.ends_with("/cvx") || coding.system.ends_with(".12.292"))
        .and_then(|coding| words::vaccine(&coding.code))
    {
        return Some(name.to_owned());
    }
    let name = words::term(&concept(concept_value)?);
    let says_so = ["vaccin", "immuni"]
        .iter()
        .any(|stem| name.to_ascii_lowercase().contains(stem));
    Some(if says_so {
        name
    } else {
        format!("Vaccine: {name}")
    })
}

fn imaging(value: &Value) -> Option<String> {
    let modality = dig(value, "series.modality").or_else(|| dig(value, "modality"));
    let kind = modality.and_then(|m| {
        let known = m
            .get("code")
            .and_then(Value::as_str)
            .and_then(words::modality);
        known
            .map(str::to_owned)
            .or_else(|| concept(m).map(|text| words::term(&text)))
    });
    let site = concept_at(value, "series.bodySite").map(|text| words::term(&text));
    let described = text_at(value, "description").map(|text| clean(text, TITLE_CHARS));
    match (kind, site) {
        (Some(kind), Some(site)) => Some(format!("{kind} of {}", words::lower_first(&site))),
        (kind, _) => described
            .or(kind)
            .or_else(|| Some("Imaging study".to_owned())),
    }
}

/// A status in words, where the resource has one worth saying.
pub(crate) fn status(value: &Value) -> Option<String> {
    ["clinicalStatus", "status", "lifecycleStatus"]
        .iter()
        .find_map(|key| {
            let found = value.get(*key)?;
            let words = match found.as_str() {
                Some(code) => words::code_words(code),
                None => words::code_words(&concept(found)?),
            };
            (!words.is_empty()).then_some(words)
        })
}

/// Statuses nearly every resource of the past has, which say nothing in a list.
const USUAL: [&str; 5] = ["Completed", "Finished", "Final", "Available", "Current"];

/// One line of plain words about one resource, beyond its title; may be empty.
pub(crate) fn summary(item: &Item<'_>, author: Option<&str>) -> String {
    let value = item.value;
    let mut parts: Vec<String> = Vec::new();
    let dated = |path: &str| text_at(value, path).and_then(plain_date);
    match item.kind {
        "Patient" => {
            parts.extend(text_at(value, "gender").map(words::code_words));
            parts.extend(dated("birthDate").map(|date| format!("born {date}")));
            parts.extend(dated("deceasedDateTime").map(|date| format!("died {date}")));
        }
        "Condition" => {
            parts.extend(status(value));
            parts.extend(dated("onsetDateTime").map(|date| format!("since {date}")));
            parts.extend(dated("abatementDateTime").map(|date| format!("until {date}")));
        }
        "AllergyIntolerance" => {
            parts.extend(status(value));
            let reactions = each(value, "reaction").filter_map(|r| concept_at(r, "manifestation"));
            parts.extend(
                reactions
                    .take(3)
                    .map(|text| words::lower_first(&words::term(&text))),
            );
            parts.extend(
                text_at(value, "criticality").map(|c| format!("{} criticality", clean(c, 20))),
            );
        }
        "DocumentReference" | "Composition" => parts.extend(concept_at(value, "type")),
        _ => parts.extend(status(value).filter(|status| !USUAL.contains(&status.as_str()))),
    }
    parts.extend(author.map(str::to_owned));
    clean(&parts.join(" · "), LINE_CHARS)
}
