//! Who: names of people and places, and who stands behind a resource.
//!
//! Owns reading HumanName and finding a record's author. Must not know how records are grouped.

use serde_json::Value;

use crate::fhir::{TITLE_CHARS, clean, dig, each, text_at, tried};
use crate::resources::{Item, Resources};

/// The display form of the best of several HumanNames: official first, then usual, then any.
pub(crate) fn human(resource: &Value) -> Option<String> {
    let of_use = |wanted: Option<&str>| {
        tried(resource, "name")
            .filter(|name| wanted.is_none() || name.get("use").and_then(Value::as_str) == wanted)
            .find_map(one_name)
    };
    of_use(Some("official"))
        .or_else(|| of_use(Some("usual")))
        .or_else(|| of_use(None))
}

fn one_name(name: &Value) -> Option<String> {
    let words = |key: &str| {
        let parts = each(name, key)
            .filter_map(Value::as_str)
            .take(8)
            .collect::<Vec<_>>();
        parts.join(" ")
    };
    let whole = match name.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => [
            words("prefix"),
            words("given"),
            words("family"),
            words("suffix"),
        ]
        .join(" "),
    };
    let whole = clean(&whole, 80);
    (!whole.is_empty()).then_some(whole)
}

/// The name of a person, organization, place or device; `None` for anything else.
pub(crate) fn of(resources: &Resources<'_>, item: &Item<'_>) -> Option<String> {
    match item.kind {
        "Patient" | "Practitioner" | "RelatedPerson" | "Person" => human(item.value),
        "PractitionerRole" => {
            let who = text_at(item.value, "practitioner.reference")
                .and_then(|reference| resources.find(reference))
                .and_then(|found| human(found.value));
            who.or_else(|| text_at(item.value, "practitioner.display").map(|d| clean(d, 80)))
        }
        "Organization" | "Location" | "HealthcareService" | "CareTeam" => {
            text_at(item.value, "name")
                .map(|name| clean(name, 80))
                .filter(|name| !name.is_empty())
        }
        "Device" => text_at(item.value, "deviceName.name").map(|name| clean(name, 80)),
        _ => None,
    }
}

/// The words for a Reference: its display, or the name of what it leads to.
pub(crate) fn of_reference(resources: &Resources<'_>, reference: &Value) -> Option<String> {
    let display = reference
        .get("display")
        .and_then(Value::as_str)
        .map(|d| clean(d, TITLE_CHARS));
    if let Some(display) = display.filter(|d| !d.is_empty()) {
        return Some(display);
    }
    let literal = reference.get("reference")?.as_str()?;
    of(resources, resources.find(literal)?)
}

/// Where FHIR resources say who made or did them, most specific first.
const AUTHOR_PATHS: [&str; 14] = [
    "author",
    "requester",
    "performer.actor",
    "performer",
    "asserter",
    "recorder",
    "participant.individual",
    "participant.member",
    "informationSource",
    "interpreter",
    "operator",
    "attester.party",
    "custodian",
    "serviceProvider",
];

/// Who stands behind a resource: named on it, or else on the visit it belongs to.
pub(crate) fn author(resources: &Resources<'_>, item: &Item<'_>) -> Option<String> {
    if item.kind == "Patient" {
        return None;
    }
    let named = |value: &Value| {
        AUTHOR_PATHS.iter().find_map(|path| {
            let reference = dig(value, path)?;
            let target = reference.get("reference").and_then(Value::as_str);
            let found = target.and_then(|target| resources.find(target));
            // A patient's own statement has no outside author.
            if found.is_some_and(|found| found.kind == "Patient") {
                return None;
            }
            of_reference(resources, reference)
        })
    };
    named(item.value).or_else(|| {
        let visit = [
            "encounter.reference",
            "context.encounter.reference",
            "context.reference",
        ]
        .iter()
        .find_map(|path| resources.find(text_at(item.value, path)?))?;
        (visit.kind == "Encounter").then(|| named(visit.value))?
    })
}
