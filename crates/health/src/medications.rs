//! The medication list: what a person takes, from the contents of their medication records.
//!
//! Owns dosage in words and the choice of one line per course. Must not know where records are
//! kept, nor today's date: a course counts as active if its source says so.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dates::{is_date, plain_date};
use crate::fhir::{LINE_CHARS, TITLE_CHARS, clean, concept, concept_at, dig, each, text_at};
use crate::names;
use crate::observation;
use crate::quantity::{exact_amount, unit_words};
use crate::resources::{Item, Resources};
use crate::titles;
use crate::words;

/// One course of one medicine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicationLine {
    /// The medicine in plain words.
    pub name: String,
    /// How it is taken, if the source says.
    pub dosage: Option<String>,
    /// The status in words: "Active", "Stopped", …
    pub status: String,
    /// Whether the source says that it is being taken, or about to be.
    pub active: bool,
    /// When it was ordered or begun, as FHIR wrote it.
    pub since: Option<String>,
    /// When it ended or is to end, as FHIR wrote it.
    pub until: Option<String>,
    /// Who ordered it.
    pub prescriber: Option<String>,
    /// What it is for.
    pub reason: Option<String>,
    /// Which of the given contents it comes from, from 0.
    pub source: usize,
}

/// The medication list over the contents of any records: one line per medicine and record (more if
/// it is taken in several dosages), active ones first, then the most recent. Contents that are not FHIR, and resources that are not about
/// medication, are passed over.
pub fn medication_list<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> Vec<MedicationLine> {
    let mut lines = Vec::new();
    for (source, content) in contents.into_iter().enumerate() {
        let Ok(value) = serde_json::from_slice::<Value>(content) else {
            continue;
        };
        of_content(&Resources::of(&value), source, &mut lines);
    }
    lines.sort_unstable_by(|a, b| {
        let newest = (b.active, &b.since).cmp(&(a.active, &a.since));
        newest.then_with(|| (&a.name, &a.dosage, a.source).cmp(&(&b.name, &b.dosage, b.source)))
    });
    lines
}

fn of_content(resources: &Resources<'_>, source: usize, lines: &mut Vec<MedicationLine>) {
    let of_kinds = |kinds: &[&str]| {
        let items = resources
            .items
            .iter()
            .filter(|item| kinds.contains(&item.kind));
        items
            .filter_map(|item| line(resources, item, source))
            .collect::<Vec<_>>()
    };
    let mut found = of_kinds(&["MedicationRequest", "MedicationStatement"]);
    if found.is_empty() {
        found = of_kinds(&["MedicationDispense", "MedicationAdministration"]);
    }
    // Renewals of one course: the active order speaks for all, else the latest. Two active orders
    // that differ in dosage are both to be taken, such as one for mornings and one for evenings.
    found.sort_unstable_by(|a, b| {
        let dosage = if a.active && b.active {
            a.dosage.cmp(&b.dosage)
        } else {
            Ordering::Equal
        };
        let name = a.name.cmp(&b.name).then_with(|| b.active.cmp(&a.active));
        name.then(dosage)
            .then_with(|| (&b.since, &b.dosage).cmp(&(&a.since, &a.dosage)))
    });
    found.dedup_by(|later, kept| {
        later.name == kept.name && (!later.active || later.dosage == kept.dosage)
    });
    lines.append(&mut found);
}

fn line(resources: &Resources<'_>, item: &Item<'_>, source: usize) -> Option<MedicationLine> {
    let value = item.value;
    let status = text_at(value, "status").unwrap_or("unknown");
    if status == "entered-in-error" || value.get("doNotPerform") == Some(&Value::Bool(true)) {
        return None;
    }
    let active = match item.kind {
        "MedicationRequest" => matches!(status, "active" | "on-hold"),
        "MedicationStatement" => matches!(status, "active" | "intended" | "on-hold"),
        // A single dispense or administration does not say that a course goes on.
        _ => false,
    };
    let dated = |paths: &[&str]| {
        paths
            .iter()
            .filter_map(|p| text_at(value, p))
            .find(|t| is_date(t))
            .map(str::to_owned)
    };
    let reason = concept_at(value, "reasonCode")
        .map(|text| words::term(&text))
        .or_else(|| {
            let reference = dig(value, "reasonReference")?;
            let shown = reference
                .get("display")
                .and_then(Value::as_str)
                .map(words::term);
            shown.or_else(|| {
                let found = resources.find(text_at(reference, "reference")?)?;
                Some(titles::title(resources, found))
            })
        });
    Some(MedicationLine {
        name: titles::title(resources, item),
        dosage: dosage(value),
        status: words::code_words(status),
        active,
        since: titles::date(value),
        until: dated(&[
            "effectivePeriod.end",
            "dispenseRequest.validityPeriod.end",
            "dosageInstruction.timing.repeat.boundsPeriod.end",
        ]),
        prescriber: names::author(resources, item),
        reason,
        source,
    })
}

/// The dosage of a medication resource in one line: the author's own words where there are any,
/// else put together from dose, timing and route.
pub(crate) fn dosage(value: &Value) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    for key in ["dosageInstruction", "dosage"] {
        lines.extend(each(value, key).take(8).filter_map(one_dosage));
    }
    let line = clean(&lines.join("; "), LINE_CHARS);
    (!line.is_empty()).then_some(line)
}

fn one_dosage(dosage: &Value) -> Option<String> {
    for key in ["text", "patientInstruction"] {
        if let Some(text) = dosage.get(key).and_then(Value::as_str) {
            let text = clean(text, LINE_CHARS);
            if !text.is_empty() {
                return Some(text);
            }
        }
    }
    let mut parts: Vec<String> = Vec::new();
    let dose = dig(dosage, "doseAndRate.doseQuantity").or_else(|| dig(dosage, "dose"));
    let dose = dose
        .and_then(exact_amount)
        .map(|amount| match amount.unit.as_str() {
            "" => format!("{} at a time", amount.value),
            _ => amount.words(),
        });
    let dose =
        dose.or_else(|| Some(observation::range(dig(dosage, "doseAndRate.doseRange")?)?.words()));
    parts.extend(dose);
    parts.extend(dosage.get("timing").and_then(timing));
    parts.extend(concept_at(dosage, "route").map(|route| words::lower_first(&words::term(&route))));
    if dosage.get("asNeededBoolean") == Some(&Value::Bool(true)) {
        parts.push("as needed".to_owned());
    } else if let Some(what) = dosage.get("asNeededCodeableConcept").and_then(concept) {
        parts.push(format!(
            "as needed for {}",
            words::lower_first(&words::term(&what))
        ));
    }
    if let Some(most) = dig(dosage, "maxDosePerPeriod") {
        let part = |key| exact_amount(most.get(key)?);
        if let (Some(dose), Some(period)) = (part("numerator"), part("denominator")) {
            parts.push(format!("at most {} in {}", dose.words(), period.words()));
        }
    }
    parts.extend(
        each(dosage, "additionalInstruction")
            .take(4)
            .filter_map(concept)
            .map(|t| words::term(&t)),
    );
    let line = words::capital(&clean(&parts.join(", "), TITLE_CHARS * 2));
    (!line.is_empty()).then_some(line)
}

fn timing(timing: &Value) -> Option<String> {
    let Some(repeat) = timing.get("repeat") else {
        let moment = text_at(timing, "event").and_then(plain_date);
        return moment.or_else(|| concept(timing.get("code")?));
    };
    let number = |key: &str| {
        repeat
            .get(key)
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite() && *n > 0.0)
    };
    let mut out = String::new();
    if let (Some(period), Some(unit)) = (number("period"), text_at(repeat, "periodUnit")) {
        let times = match number("frequency").unwrap_or(1.0) {
            1.0 => "once".to_owned(),
            2.0 => "twice".to_owned(),
            n => format!("{n} times"),
        };
        let one = match unit {
            "s" => "second",
            "min" => "minute",
            "h" => "hour",
            "d" => "day",
            "wk" => "week",
            "mo" => "month",
            "a" => "year",
            _ => return None,
        };
        out = if period == 1.0 {
            let article = if unit == "h" { "an" } else { "a" };
            format!("{times} {article} {one}")
        } else if times == "once" {
            format!("every {period} {one}s")
        } else {
            format!("{times} every {period} {one}s")
        };
    }
    for when in each(repeat, "when").take(6).filter_map(Value::as_str) {
        let words = match when {
            "MORN" => "in the morning",
            "AFT" => "in the afternoon",
            "EVE" => "in the evening",
            "NIGHT" => "at night",
            "HS" => "at bedtime",
            "WAKE" => "on waking",
            "C" => "with meals",
            "AC" => "before meals",
            "PC" => "after meals",
            _ => continue,
        };
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(words);
    }
    if let (Some(length), Some(unit)) = (
        number("duration").or(number("boundsDuration")),
        text_at(repeat, "durationUnit"),
    ) {
        out.push_str(&format!(" for {length} {}", unit_words(unit)));
    }
    let bounds = dig(repeat, "boundsDuration").and_then(exact_amount);
    if let Some(bounds) = bounds {
        out.push_str(&format!(" for {}", bounds.words()));
    }
    let out = clean(&out, TITLE_CHARS);
    if out.is_empty() {
        concept(timing.get("code")?)
    } else {
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dosage_is_said_in_words() {
        for (dosage_, words) in [
            (json!({"text": "One at night\n"}), "One at night"),
            (
                json!({"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                    "doseAndRate": [{"doseQuantity": {"value": 1}}]}),
                "1 at a time, once a day",
            ),
            (
                json!({"timing": {"repeat": {"frequency": 2, "period": 1.0, "periodUnit": "d", "when": ["C"]}},
                    "doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg"}}],
                    "route": {"text": "Oral"}}),
                "500 mg, twice a day, with meals, oral",
            ),
            (json!({"asNeededBoolean": true}), "As needed"),
            (
                json!({"asNeededBoolean": true, "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "{puff}"}}],
                    "maxDosePerPeriod": {"numerator": {"value": 8, "unit": "{puff}"},
                        "denominator": {"value": 1, "unit": "d"}}}),
                "2 puff(s), as needed, at most 8 puff(s) in 1 day(s)",
            ),
            (
                json!({"timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}}),
                "Every 8 hours",
            ),
        ] {
            assert_eq!(
                dosage(&json!({"dosageInstruction": [dosage_]})).as_deref(),
                Some(words)
            );
        }
        assert_eq!(dosage(&json!({"dosageInstruction": 7})), None);
    }

    #[test]
    fn two_active_dosages_of_one_medicine_are_both_listed() {
        let order = |how: &str, status: &str| {
            json!({"resource": {"resourceType": "MedicationRequest", "status": status,
                "medicationCodeableConcept": {"text": "Insulin"}, "dosageInstruction": [{"text": how}]}})
        };
        let course =
            json!({"resourceType": "Bundle", "entry": [order("8 units at night", "active"),
            order("5 units in the morning", "active"), order("8 units at night", "active"),
            order("4 units", "stopped")]})
            .to_string();
        let lines = medication_list([course.as_bytes()]);
        let told: Vec<_> = lines
            .iter()
            .filter_map(|line| line.dosage.as_deref())
            .collect();
        assert_eq!(told, ["5 units in the morning", "8 units at night"]);
    }

    #[test]
    fn one_course_gives_one_line_and_active_ones_come_first() {
        let request = |status: &str, date: &str, name: &str| {
            json!({"resourceType": "MedicationRequest", "status": status, "authoredOn": date,
                "medicationCodeableConcept": {"text": name}})
        };
        let course = json!({"resourceType": "Bundle", "entry": [
            {"resource": request("stopped", "2021-01-01", "A 1 MG Oral Tablet")},
            {"resource": request("active", "2020-01-01", "A 1 MG Oral Tablet")}]});
        let old = request("stopped", "2024-01-01", "B");
        let error = request("entered-in-error", "2024-01-01", "C");
        let contents: Vec<Vec<u8>> = [old, course, error, json!(1)]
            .iter()
            .map(|v| v.to_string().into_bytes())
            .collect();
        let lines = medication_list(contents.iter().map(Vec::as_slice).chain([&b"no"[..]]));
        let told: Vec<_> = lines
            .iter()
            .map(|l| (l.name.as_str(), l.active, l.source))
            .collect();
        assert_eq!(told, [("A 1 mg tablet", true, 1), ("B", false, 0)]);
    }
}
