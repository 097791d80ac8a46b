//! Any FHIR value in words.
//!
//! Owns the words for data types. Must not know labels or resources' fields.

use serde_json::Value;

use crate::dates::{is_date, plain_date, plain_moment};
use crate::fhir::{LINE_CHARS, clean, concept, each, text_at};
use crate::names;
use crate::observation::range;
use crate::quantity::exact_amount;
use crate::resources::Resources;
use crate::titles;
use crate::words;

/// Most items of a list that are said.
const ITEMS: usize = 24;

/// Every value at a dotted path, lists entered, at most [`ITEMS`]. A last part ending in `*`
/// stands for the first key that begins so, as FHIR's choice types need: `onset*`.
pub(super) fn every<'v>(value: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut here = vec![value];
    for key in path.split('.') {
        let mut next = Vec::new();
        for value in here {
            let found = match key.strip_suffix('*') {
                Some(stem) => value.as_object().and_then(|object| {
                    object
                        .iter()
                        .find(|(name, _)| name.starts_with(stem))
                        .map(|(_, found)| found)
                }),
                None => value.get(key),
            };
            match found {
                Some(Value::Array(items)) => next.extend(items.iter().take(ITEMS)),
                Some(found) => next.push(found),
                None => {}
            }
            if next.len() >= ITEMS {
                break;
            }
        }
        next.truncate(ITEMS);
        here = next;
    }
    here
}

/// All values at a path in one line, or nothing.
pub(super) fn line(resources: &Resources<'_>, value: &Value, path: &str) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    for words in every(value, path)
        .into_iter()
        .filter_map(|value| one(resources, value))
    {
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let line = clean(&said.join(", "), LINE_CHARS);
    (!line.is_empty()).then_some(line)
}

/// One value in words, by its shape.
pub(super) fn one(resources: &Resources<'_>, value: &Value) -> Option<String> {
    let said = match value {
        Value::String(text) if is_date(text) => plain_moment(text)?,
        Value::String(text) if is_code(text) => words::code_words(text),
        Value::String(text) => clean(text, LINE_CHARS),
        Value::Bool(answer) => if *answer { "Yes" } else { "No" }.to_owned(),
        Value::Number(number) => clean(&number.to_string(), 40),
        Value::Object(_) => object(resources, value)?,
        Value::Array(_) | Value::Null => return None,
    };
    (!said.is_empty()).then_some(said)
}

/// FHIR's code form: lower-case words joined by hyphens, not a sentence.
fn is_code(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

fn object(resources: &Resources<'_>, value: &Value) -> Option<String> {
    let has = |key: &str| value.get(key).is_some();
    let part = |key: &str| text_at(value, key).map(|text| clean(text, LINE_CHARS));
    if has("coding") {
        return concept(value).map(|text| words::term(&text));
    }
    if has("reference") {
        let found = text_at(value, "reference").and_then(|literal| resources.find(literal));
        let named = names::of_reference(resources, value).map(|name| words::term(&name));
        return named.or_else(|| Some(titles::title(resources, found?)));
    }
    if has("family") || has("given") {
        return names::human(&serde_json::json!({ "name": value }));
    }
    if has("line") || has("city") || has("postalCode") {
        let mut parts: Vec<String> = each(value, "line")
            .filter_map(Value::as_str)
            .take(4)
            .map(|text| clean(text, 80))
            .collect();
        parts.extend(
            ["city", "state", "postalCode", "country"]
                .iter()
                .filter_map(|key| part(key)),
        );
        return Some(parts.join(", "));
    }
    if has("start") || has("end") {
        let end = |key| text_at(value, key).and_then(plain_moment);
        let day = |key| text_at(value, key).and_then(plain_date);
        return match (end("start"), end("end")) {
            (Some(start), Some(end)) if start == end => Some(start),
            (Some(start), Some(end)) => {
                // Within one day only the time of the end says anything new.
                let time = end.split_once(", ").map(|(_, time)| time);
                let time = time.filter(|_| day("start") == day("end"));
                Some(format!("{start} to {}", time.unwrap_or(&end)))
            }
            (Some(start), None) => Some(format!("from {start}")),
            (None, end) => end.map(|end| format!("until {end}")),
        };
    }
    if has("low") || has("high") {
        return range(value).map(|amount| amount.words());
    }
    if let (Some(over), Some(under)) = (value.get("numerator"), value.get("denominator")) {
        let (over, under) = (exact_amount(over)?.words(), exact_amount(under)?.words());
        return Some(if under == "1" {
            over
        } else {
            format!(
                "{over} per {}",
                under.trim_start_matches("1 ").replace("(s)", "")
            )
        });
    }
    match value.get("value") {
        Some(Value::Number(_)) => exact_amount(value).map(|amount| amount.words()),
        // Identifiers and contact points.
        Some(Value::String(_)) => {
            let kind = value.get("type").and_then(concept);
            let number = part("value")?;
            Some(kind.map_or_else(|| number.clone(), |kind| format!("{kind} {number}")))
        }
        _ => concept(value)
            .map(|text| words::term(&text))
            .or_else(|| part("name")),
    }
}
