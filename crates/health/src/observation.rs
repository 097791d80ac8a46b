//! What an Observation says: its plain name, its value, and which kind of finding it is.
//!
//! Shared by titles and views. Must not know grouping or layout.

use serde_json::Value;

use crate::dates::plain_moment;
use crate::fhir::{LINE_CHARS, clean, coding, concept, dig, each, has_code};
use crate::quantity::{Amount, amount, exact_amount, rounded, whole};
use crate::words;

/// Kinds of loose observations that are filed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Vitals,
    Laboratory,
    Social,
    Survey,
    Other,
}

/// Tobacco, alcohol, occupation and the like, which some systems file as surveys.
const SOCIAL: [&str; 6] = [
    "72166-2", "11331-6", "74013-4", "11341-5", "76690-7", "63512-8",
];

/// The class of an observation: by its code where that is certain, else by its category.
pub(crate) fn class(observation: &Value) -> Class {
    let code = observation.get("code").unwrap_or(&Value::Null);
    if SOCIAL.iter().any(|social| has_code(code, social)) {
        return Class::Social;
    }
    for category in each(observation, "category") {
        for (name, class) in [
            ("vital-signs", Class::Vitals),
            ("vital-sign", Class::Vitals),
            ("laboratory", Class::Laboratory),
            ("social-history", Class::Social),
            ("survey", Class::Survey),
        ] {
            if has_code(category, name) {
                return class;
            }
        }
    }
    match coding(code) {
        Some(coding) if words::is_vital(&coding.code) => Class::Vitals,
        _ => Class::Other,
    }
}

/// The plain name of what was observed (of an Observation or one of its components).
pub(crate) fn name(observation: &Value) -> String {
    let code = observation.get("code").unwrap_or(&Value::Null);
    let known = coding(code).and_then(|coding| words::loinc(&coding.code));
    match known {
        Some(name) => name.to_owned(),
        None => concept(code).map_or_else(|| "Observation".to_owned(), |text| words::term(&text)),
    }
}

/// Systolic and diastolic pressure, if this is a blood pressure with both.
pub(crate) fn blood_pressure(observation: &Value) -> Option<Amount> {
    let part = |code| {
        each(observation, "component")
            .find(|c| c.get("code").is_some_and(|concept| has_code(concept, code)))
            .and_then(|c| c.get("valueQuantity"))
    };
    let (upper, lower) = (part("8480-6")?, part("8462-4")?);
    let unit = amount(upper)?.unit;
    let value = format!(
        "{}/{}",
        whole(upper.get("value")?)?,
        whole(lower.get("value")?)?
    );
    Some(Amount { value, unit })
}

/// The value of an Observation or component, whichever of FHIR's `value[x]` it uses.
pub(crate) fn value(observation: &Value) -> Option<Amount> {
    let plain = |value: String| {
        Some(Amount {
            value,
            unit: String::new(),
        })
    };
    let object = observation.as_object()?;
    if let Some(quantity) = object.get("valueQuantity") {
        return amount(quantity);
    }
    if let Some(concept) = object.get("valueCodeableConcept").and_then(concept) {
        return plain(words::term(&concept));
    }
    for key in ["valueString", "valueTime"] {
        if let Some(text) = object.get(key).and_then(Value::as_str) {
            return plain(clean(text, LINE_CHARS));
        }
    }
    if let Some(answer) = object.get("valueBoolean").and_then(Value::as_bool) {
        return plain(if answer { "Yes" } else { "No" }.to_owned());
    }
    if let Some(number) = object.get("valueInteger").and_then(rounded) {
        return plain(number);
    }
    if let Some(moment) = object.get("valueDateTime").and_then(Value::as_str) {
        return plain(plain_moment(moment)?);
    }
    if let Some(range) = object.get("valueRange").and_then(range) {
        return Some(range);
    }
    if let Some(ratio) = object.get("valueRatio") {
        let part = |key| exact_amount(ratio.get(key)?);
        return plain(format!(
            "{} : {}",
            part("numerator")?.words(),
            part("denominator")?.words()
        ));
    }
    if let Some(period) = object.get("valuePeriod") {
        let end = |key| plain_moment(period.get(key)?.as_str()?);
        return match (end("start"), end("end")) {
            (Some(a), Some(b)) => plain(format!("{a} to {b}")),
            (a, b) => plain(a.or(b)?),
        };
    }
    if object.contains_key("valueSampledData") {
        return plain("Recorded curve".to_owned());
    }
    let absent = dig(observation, "dataAbsentReason").and_then(concept)?;
    plain(format!(
        "Not known ({})",
        words::lower_first(&words::code_words(&absent))
    ))
}

/// A Range as "70 to 100", "up to 100" or "from 70".
pub(crate) fn range(range: &Value) -> Option<Amount> {
    let (low, high) = (
        range.get("low").and_then(amount),
        range.get("high").and_then(amount),
    );
    Some(match (low, high) {
        (Some(low), Some(high)) => {
            let unit = if high.unit.is_empty() {
                low.unit
            } else {
                high.unit
            };
            Amount {
                value: format!("{} to {}", low.value, high.value),
                unit,
            }
        }
        (Some(low), None) => Amount {
            value: format!("from {}", low.value),
            unit: low.unit,
        },
        (None, Some(high)) => Amount {
            value: format!("up to {}", high.value),
            unit: high.unit,
        },
        (None, None) => return None,
    })
}

/// Name and value in one phrase: "Blood pressure 132/81 mmHg", "Hemoglobin A1c 6.1 %".
pub(crate) fn phrase(observation: &Value) -> String {
    let name = name(observation);
    match blood_pressure(observation).or_else(|| value(observation)) {
        Some(amount) if amount.unit.is_empty() && amount.value.contains(' ') => {
            format!("{name}: {}", amount.value)
        }
        Some(amount) => format!("{name} {}", amount.words()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blood_pressure_is_one_value_whatever_order_its_parts_have() {
        let observation = json!({"code": {"coding": [{"code": "85354-9"}]}, "component": [
            {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 81.2, "unit": "mm[Hg]"}},
            {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 131.9, "unit": "mm[Hg]"}}]});
        assert_eq!(phrase(&observation), "Blood pressure 132/81 mmHg");
    }

    #[test]
    fn every_kind_of_value_has_words() {
        for (observation, words) in [
            (json!({"valueBoolean": true}), "Yes"),
            (json!({"valueInteger": 4}), "4"),
            (json!({"valueString": " a\nb "}), "a b"),
            (
                json!({"valueCodeableConcept": {"text": "Never smoker"}}),
                "Never smoker",
            ),
            (
                json!({"valueRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "mg"}}}),
                "1 to 2 mg",
            ),
            (
                json!({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}),
                "1 : 128",
            ),
            (
                json!({"valuePeriod": {"start": "2020-01-01"}}),
                "1 January 2020",
            ),
            (
                json!({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}),
                "Not known (not performed)",
            ),
        ] {
            assert_eq!(
                value(&observation).map(|a| a.words()).as_deref(),
                Some(words),
                "{observation}"
            );
        }
        for odd in [
            json!({"valueQuantity": "x"}),
            json!({"valueRange": 3}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(value(&odd), None, "{odd}");
        }
    }
}
