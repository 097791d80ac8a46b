//! Observations, reports and imaging: values with units, ranges and flags.
//!
//! Owns how a finding becomes rows. Must not know which findings were grouped, or why.

use serde_json::Value;

use super::say::line;
use super::{Flag, Page, Row};
use crate::fhir::{TITLE_CHARS, clean, coding, concept, dig, each, text_at};
use crate::narrative;
use crate::observation::{Class, blood_pressure, class, name, range, value};
use crate::quantity::{Amount, unit_of};
use crate::resources::{Item, Resources};
use crate::words;

/// Most components of one observation that become rows.
const COMPONENTS: usize = 100;

/// One row per observation, and one per component of a panel.
pub(super) fn observation(resources: &Resources<'_>, item: &Item<'_>, page: &mut Page) {
    let heading = match class(item.value) {
        Class::Vitals => "Measurements",
        Class::Social | Class::Survey => "Answers",
        Class::Laboratory | Class::Other => "Results",
    };
    let observed = item.value;
    let pressure = blood_pressure(observed);
    let is_pressure = pressure.is_some();
    let own = pressure.or_else(|| value(observed));
    let mut components = each(observed, "component").take(COMPONENTS).peekable();
    if own.is_some() || components.peek().is_none() {
        let mut row = row(observed, own);
        let remarks = [
            row.note.take(),
            state(observed),
            line(resources, observed, "note.text"),
        ];
        row.note = joined(remarks);
        page.add(heading, row);
    }
    for component in components {
        let code = component
            .get("code")
            .and_then(coding)
            .map(|coding| coding.code);
        if is_pressure && matches!(code.as_deref(), Some("8480-6" | "8462-4")) {
            continue;
        }
        page.add(heading, row(component, value(component)));
    }
    for (label, path) in [
        ("Method", "method"),
        ("Body site", "bodySite"),
        ("Device", "device"),
    ] {
        // Said once for a single finding; in a group it would drown the values.
        if resources.items.len() == 1 {
            page.say("Details", label, line(resources, observed, path));
        }
    }
}

fn row(observed: &Value, amount: Option<Amount>) -> Row {
    let usual = usual_range(observed);
    let amount = amount.unwrap_or(Amount {
        value: String::new(),
        unit: String::new(),
    });
    Row {
        label: name(observed),
        value: amount.value,
        unit: amount.unit,
        note: usual.map(|usual| format!("Usual {usual}")),
        flag: flag(observed),
    }
}

/// A state worth telling: values that are not final, or were corrected.
fn state(observed: &Value) -> Option<String> {
    let status = text_at(observed, "status")?;
    (!matches!(status, "final" | "unknown")).then(|| words::code_words(status))
}

fn joined(parts: [Option<String>; 3]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn usual_range(observed: &Value) -> Option<String> {
    let given = dig(observed, "referenceRange")?;
    let text = given
        .get("text")
        .and_then(Value::as_str)
        .map(|text| clean(text, TITLE_CHARS));
    text.filter(|text| !text.is_empty())
        .or_else(|| range(given).map(|amount| amount.words()))
}

/// By the source's interpretation; else by its reference range, if units agree.
fn flag(observed: &Value) -> Option<Flag> {
    for interpretation in each(observed, "interpretation") {
        let code = coding(interpretation)
            .map(|coding| coding.code)
            .unwrap_or_default();
        let flag = match code.as_str() {
            "N" | "NEG" | "ND" => Flag::Normal,
            "L" | "LX" | "<" => Flag::Low,
            "H" | "HX" | ">" | "HU" => Flag::High,
            "LL" | "LU" => Flag::CriticallyLow,
            "HH" => Flag::CriticallyHigh,
            "A" | "AA" | "POS" | "DET" => Flag::Abnormal,
            _ => continue,
        };
        return Some(flag);
    }
    let quantity = observed.get("valueQuantity")?;
    if quantity.get("comparator").is_some() {
        return None;
    }
    let value = quantity.get("value")?.as_f64()?;
    let mut ranges = each(observed, "referenceRange");
    let given = ranges.next()?;
    // Several ranges are for different people or purposes, and which applies is not ours to say.
    if ranges.next().is_some() || given.get("appliesTo").is_some() || given.get("age").is_some() {
        return None;
    }
    let unit = unit_of(quantity);
    let limit = |key: &str| {
        let limit = given.get(key)?;
        let same =
            limit.get("unit").is_none() && limit.get("code").is_none() || unit_of(limit) == unit;
        limit.get("value")?.as_f64().filter(|_| same)
    };
    match (limit("low"), limit("high")) {
        (Some(low), _) if value < low => Some(Flag::Low),
        (_, Some(high)) if value > high => Some(Flag::High),
        (None, None) => None,
        _ => Some(Flag::Normal),
    }
}

/// The report itself; its results are rows of their own.
pub(super) fn report(resources: &Resources<'_>, item: &Item<'_>, page: &mut Page) {
    let value = item.value;
    for (label, path) in [
        ("Status", "status"),
        ("Date", "effective*"),
        ("By", "performer"),
        ("Interpreted by", "resultsInterpreter"),
        ("Conclusion", "conclusion"),
        ("Conclusion", "conclusionCode"),
    ] {
        page.say("Details", label, line(resources, value, path));
    }
    let (date, issued) = (
        line(resources, value, "effective*"),
        line(resources, value, "issued"),
    );
    page.say(
        "Details",
        "Issued",
        issued.filter(|issued| Some(issued) != date.as_ref()),
    );
    // Results that belong to another record are known by their label only.
    for result in each(value, "result") {
        let inside = text_at(result, "reference").and_then(|reference| resources.find(reference));
        let shown =
            text_at(result, "display").map(|text| narrative::plain(&clean(text, TITLE_CHARS)));
        if inside.is_none() {
            page.say("Results kept elsewhere", "Result", shown);
        }
    }
}

/// An imaging study: what was taken, series by series. The images are not part of FHIR.
pub(super) fn imaging(resources: &Resources<'_>, item: &Item<'_>, page: &mut Page) {
    let value = item.value;
    for (label, path) in [
        ("Status", "status"),
        ("Taken", "started"),
        ("Description", "description"),
        ("Procedure", "procedureCode"),
        ("Reason", "reasonCode"),
        ("Interpreted by", "interpreter"),
        ("Series", "numberOfSeries"),
        ("Images", "numberOfInstances"),
        ("Note", "note.text"),
    ] {
        page.say("Details", label, line(resources, value, path));
    }
    for series in each(value, "series") {
        let kind = series.get("modality").and_then(|modality| {
            let known = modality
                .get("code")
                .and_then(Value::as_str)
                .and_then(words::modality);
            known.map(str::to_owned).or_else(|| concept(modality))
        });
        page.add(
            "Series",
            Row {
                label: kind.unwrap_or_else(|| "Series".to_owned()),
                value: line(resources, series, "bodySite").unwrap_or_default(),
                note: line(resources, series, "description")
                    .or_else(|| line(resources, series, "instance.title")),
                ..Row::default()
            },
        );
    }
}
