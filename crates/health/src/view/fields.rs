//! Which fields of each resource are shown, under which label and in which order.
//!
//! Owns that table, and a fallback for types it does not list. A field is a label and a path; what
//! stands there is put in words by `say`.

use serde_json::Value;

use super::say::{every, line, one};
use super::{Page, Row};
use crate::fhir::{LINE_CHARS, clean, coding, concept, concept_at, each, text_at};
use crate::medications;
use crate::resources::{Item, Resources};
use crate::titles;
use crate::words;

type Fields = &'static [(&'static str, &'static str)];

const CONDITION: Fields = &[
    ("Status", "clinicalStatus"),
    ("Certainty", "verificationStatus"),
    ("Severity", "severity"),
    ("Body site", "bodySite"),
    ("Began", "onset*"),
    ("Ended", "abatement*"),
    ("Stage", "stage.summary"),
    ("Recorded", "recordedDate"),
    ("Recorded by", "recorder"),
    ("Note", "note.text"),
];
const ALLERGY: Fields = &[
    ("Status", "clinicalStatus"),
    ("Certainty", "verificationStatus"),
    ("Kind", "type"),
    ("Category", "category"),
    ("Risk", "criticality"),
    ("Began", "onset*"),
    ("Last time", "lastOccurrence"),
    ("Recorded", "recordedDate"),
    ("Recorded by", "recorder"),
    ("Note", "note.text"),
];
const IMMUNIZATION: Fields = &[
    ("Vaccine", "vaccineCode"),
    ("Status", "status"),
    ("Reason not given", "statusReason"),
    ("Given", "occurrence*"),
    ("Dose", "doseQuantity"),
    ("Dose number", "protocolApplied.doseNumber*"),
    ("Against", "protocolApplied.targetDisease"),
    ("Site", "site"),
    ("Route", "route"),
    ("Manufacturer", "manufacturer"),
    ("Lot", "lotNumber"),
    ("Lot expires", "expirationDate"),
    ("Given by", "performer.actor"),
    ("Reaction", "reaction.detail"),
    ("Note", "note.text"),
];
const PROCEDURE: Fields = &[
    ("Status", "status"),
    ("Performed", "performed*"),
    ("Performed by", "performer.actor"),
    ("Where", "location"),
    ("Body site", "bodySite"),
    ("Reason", "reasonCode"),
    ("Reason", "reasonReference"),
    ("Outcome", "outcome"),
    ("Complication", "complication"),
    ("Follow-up", "followUp"),
    ("Note", "note.text"),
];
const ENCOUNTER: Fields = &[
    ("Status", "status"),
    ("When", "period"),
    ("Reason", "reasonCode"),
    ("Reason", "reasonReference"),
    ("Diagnosis", "diagnosis.condition"),
    ("Seen by", "participant.individual"),
    ("Where", "location.location"),
    ("Organization", "serviceProvider"),
    ("Discharged to", "hospitalization.dischargeDisposition"),
];
const PATIENT: Fields = &[
    ("Name", "name"),
    ("Born", "birthDate"),
    ("Sex", "gender"),
    ("Died", "deceased*"),
    ("Address", "address"),
    ("Contact", "telecom"),
    ("Language", "communication.language"),
    ("Emergency contact", "contact.name"),
    ("Emergency contact's number", "contact.telecom"),
    ("Physician", "generalPractitioner"),
    ("Organization", "managingOrganization"),
    ("Identifier", "identifier"),
];
const CARE_PLAN: Fields = &[
    ("Kind", "category"),
    ("Status", "status"),
    ("When", "period"),
    ("For", "addresses"),
    ("Description", "description"),
    ("Author", "author"),
    ("Team", "careTeam"),
    ("Note", "note.text"),
];
const CARE_TEAM: Fields = &[
    ("Team", "name"),
    ("Status", "status"),
    ("When", "period"),
    ("For", "reasonCode"),
];
const MEDICATION: Fields = &[
    ("Medicine", "code"),
    ("Form", "form"),
    ("Ingredient", "ingredient.itemCodeableConcept"),
    ("Strength", "ingredient.strength"),
    ("Manufacturer", "manufacturer"),
    ("Lot", "batch.lotNumber"),
];
const MEDICATION_USE: Fields = &[
    ("Status", "status"),
    ("Reason for status", "statusReason"),
    ("Ordered", "authoredOn"),
    ("When", "effective*"),
    ("Dispensed", "whenHandedOver"),
    ("Ordered by", "requester"),
    ("By", "performer.actor"),
    ("Reason", "reasonCode"),
    ("Reason", "reasonReference"),
    ("Quantity", "quantity"),
    ("Supply for", "daysSupply"),
    ("Quantity to dispense", "dispenseRequest.quantity"),
    ("Repeats allowed", "dispenseRequest.numberOfRepeatsAllowed"),
    ("Note", "note.text"),
];
const DEVICE: Fields = &[
    ("Device", "deviceName.name"),
    ("Kind", "type"),
    ("Status", "status"),
    ("Manufacturer", "manufacturer"),
    ("Model", "modelNumber"),
    ("Serial number", "serialNumber"),
    ("Lot", "lotNumber"),
    ("Made", "manufactureDate"),
    ("Expires", "expirationDate"),
    ("UDI", "udiCarrier.carrierHRF"),
    ("Note", "note.text"),
];
const DOCUMENT: Fields = &[
    ("Kind", "type"),
    ("Category", "category"),
    ("Status", "docStatus"),
    ("Date", "date"),
    ("Period", "context.period"),
    ("Author", "author"),
    ("Signed by", "authenticator"),
    ("Keeper", "custodian"),
    ("Description", "description"),
];
const FAMILY: Fields = &[
    ("Relative", "relationship"),
    ("Name", "name"),
    ("Condition", "condition.code"),
    ("Began", "condition.onset*"),
    ("Died", "deceased*"),
    ("Note", "note.text"),
];
const SPECIMEN: Fields = &[
    ("Specimen", "type"),
    ("Collected", "collection.collected*"),
    ("Body site", "collection.bodySite"),
];
const PROVENANCE: Fields = &[
    ("Recorded", "recorded"),
    ("By", "agent.who"),
    ("Activity", "activity"),
    ("Reason", "reason"),
];

fn fields_of(kind: &str) -> Option<Fields> {
    Some(match kind {
        "Condition" => CONDITION,
        "AllergyIntolerance" => ALLERGY,
        "Immunization" => IMMUNIZATION,
        "Procedure" => PROCEDURE,
        "Encounter" => ENCOUNTER,
        "Patient" | "RelatedPerson" | "Person" => PATIENT,
        "CarePlan" => CARE_PLAN,
        "CareTeam" => CARE_TEAM,
        "Medication" => MEDICATION,
        "MedicationRequest"
        | "MedicationStatement"
        | "MedicationDispense"
        | "MedicationAdministration" => MEDICATION_USE,
        "Device" => DEVICE,
        "DocumentReference" => DOCUMENT,
        "FamilyMemberHistory" => FAMILY,
        "Specimen" => SPECIMEN,
        "Provenance" => PROVENANCE,
        _ => return None,
    })
}

/// The rows of one resource under a heading.
pub(super) fn section(resources: &Resources<'_>, item: &Item<'_>, heading: &str, page: &mut Page) {
    let value = item.value;
    if titles::is_medication(item.kind) && item.kind != "Medication" {
        page.say(
            heading,
            "Medicine",
            titles::medication_name(resources, item),
        );
        page.say(heading, "How to take it", medications::dosage(value));
        page.say(heading, "Dose given", line(resources, value, "dosage.dose"));
    }
    if item.kind == "Encounter" {
        let kind = concept_at(value, "type").map(|text| words::visit(&text));
        page.say(heading, "Kind", kind);
        page.say(heading, "Setting", value.get("class").and_then(setting));
    }
    match fields_of(item.kind) {
        Some(fields) => table(resources, value, fields, heading, page),
        None => fallback(resources, value, heading, page),
    }
    match item.kind {
        "Patient" => page.say(
            heading,
            "Marital status",
            value.get("maritalStatus").and_then(marital),
        ),
        "AllergyIntolerance" => {
            for reaction in each(value, "reaction") {
                page.add(
                    "Reactions",
                    Row {
                        label: line(resources, reaction, "substance")
                            .unwrap_or_else(|| "Reaction".to_owned()),
                        value: line(resources, reaction, "manifestation").unwrap_or_default(),
                        note: line(resources, reaction, "severity")
                            .or_else(|| line(resources, reaction, "description")),
                        ..Row::default()
                    },
                );
            }
        }
        "CarePlan" => {
            for activity in each(value, "activity") {
                let what = ["detail.code", "detail.description", "reference"]
                    .iter()
                    .find_map(|path| line(resources, activity, path));
                page.add(
                    "Activities",
                    Row {
                        label: what.unwrap_or_else(|| "Activity".to_owned()),
                        value: line(resources, activity, "detail.status").unwrap_or_default(),
                        note: line(resources, activity, "progress.text"),
                        ..Row::default()
                    },
                );
            }
        }
        "CareTeam" => {
            for member in each(value, "participant") {
                page.add(
                    "Care team",
                    Row {
                        label: line(resources, member, "role")
                            .unwrap_or_else(|| "Member".to_owned()),
                        value: line(resources, member, "member").unwrap_or_default(),
                        ..Row::default()
                    },
                );
            }
        }
        _ => {}
    }
}

/// Where a visit takes place, by HL7's act codes.
fn setting(class: &Value) -> Option<String> {
    let known = match text_at(class, "code")? {
        "AMB" => "Outpatient",
        "EMER" => "Emergency",
        "IMP" | "ACUTE" | "NONAC" => "Hospital stay",
        "HH" => "At home",
        "VR" => "Virtual",
        _ => return concept(class).map(|text| words::code_words(&text)),
    };
    Some(known.to_owned())
}

/// HL7's letters for marital status; any other words are kept.
fn marital(status: &Value) -> Option<String> {
    let code = coding(status).map(|coding| coding.code).unwrap_or_default();
    let known = match code.as_str() {
        "A" => "Annulled",
        "D" => "Divorced",
        "L" => "Legally separated",
        "M" => "Married",
        "S" => "Never married",
        "T" => "Domestic partner",
        "U" => "Unmarried",
        "W" => "Widowed",
        _ => return concept(status),
    };
    Some(known.to_owned())
}

/// A goal is one row: what, how far, by which target.
pub(super) fn goal(resources: &Resources<'_>, item: &Item<'_>, page: &mut Page) {
    let value = item.value;
    let status = line(resources, value, "achievementStatus")
        .or_else(|| line(resources, value, "lifecycleStatus"));
    let target = line(resources, value, "target.detail*").map(|t| format!("Target {t}"));
    let due = line(resources, value, "target.due*").map(|due| format!("by {due}"));
    let note = [target, due, line(resources, value, "note.text")];
    let note = note.into_iter().flatten().collect::<Vec<_>>().join(", ");
    page.add(
        "Goals",
        Row {
            label: line(resources, value, "description").unwrap_or_else(|| "Goal".to_owned()),
            value: status
                .map(|status| words::code_words(&status))
                .unwrap_or_default(),
            note: (!note.is_empty()).then_some(note),
            ..Row::default()
        },
    );
}

pub(super) fn table(
    resources: &Resources<'_>,
    value: &Value,
    fields: Fields,
    heading: &str,
    page: &mut Page,
) {
    for (label, path) in fields {
        // What other systems call the person or thing is told by kind; bare numbers say nothing.
        if *path == "identifier" {
            for identifier in each(value, path).take(24) {
                let kind = line(resources, identifier, "type");
                if let (Some(kind), Some(number)) = (kind, line(resources, identifier, "value")) {
                    page.say(heading, &kind, Some(number));
                }
            }
        } else if *path == "telecom" || *path == "name" {
            // One row each: a line of several would hide which is which.
            for each_value in every(value, path) {
                page.say(heading, label, one(resources, each_value));
            }
        } else {
            page.say(heading, label, line(resources, value, path));
        }
    }
}

/// For types without a table: every top-level field that can be put in words.
fn fallback(resources: &Resources<'_>, value: &Value, heading: &str, page: &mut Page) {
    const SILENT: [&str; 11] = [
        "resourceType",
        "id",
        "meta",
        "text",
        "extension",
        "modifierExtension",
        "implicitRules",
        "contained",
        "identifier",
        "subject",
        "patient",
    ];
    let Some(object) = value.as_object() else {
        return;
    };
    for (key, _) in object
        .iter()
        .filter(|(key, _)| !SILENT.contains(&key.as_str()))
        .take(60)
    {
        let label = words::capital(&words::type_words(key));
        let value = line(resources, value, key).map(|value| clean(&value, LINE_CHARS));
        page.say(heading, &label, value);
    }
}
