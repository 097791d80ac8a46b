//! Total access to FHIR JSON: paths, concepts, codings and safe text.
//!
//! Owns the shape of FHIR's common data types. Must not know any resource in particular.
//! Nothing here trusts a type: a wrong one reads as absent.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most characters of a title or label.
pub(crate) const TITLE_CHARS: usize = 120;
/// Most codings, names and the like that are looked through for words. One resource may be named
/// by very many others, so finding its name must cost next to nothing.
pub(crate) const TRIED: usize = 32;
/// Most characters of a one-line summary or a row's value.
pub(crate) const LINE_CHARS: usize = 400;

/// A code with its system, as in FHIR's `Coding`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Coding {
    /// The code system's URI; empty if the source gave none.
    pub system: String,
    /// The code itself.
    pub code: String,
    /// The source's words for it; empty if it gave none.
    pub display: String,
}

/// The value at a dotted path; lists are entered at their first item.
pub(crate) fn dig<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut here = first(value)?;
    for key in path.split('.') {
        here = first(here.get(key)?)?;
    }
    Some(here)
}

fn first(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(items) => items.first(),
        other => Some(other),
    }
}

/// The string at a dotted path.
pub(crate) fn text_at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    dig(value, path)?.as_str()
}

/// The items of a list at a key, or the one value there; nothing if absent.
pub(crate) fn each<'v>(value: &'v Value, key: &str) -> std::slice::Iter<'v, Value> {
    match value.get(key) {
        Some(Value::Array(items)) => items.iter(),
        Some(other) => std::slice::from_ref(other).iter(),
        None => [].iter(),
    }
}

/// The first few items of a list, to look through.
pub(crate) fn tried<'v>(
    value: &'v Value,
    key: &str,
) -> std::iter::Take<std::slice::Iter<'v, Value>> {
    each(value, key).take(TRIED)
}

/// The words of a CodeableConcept (or a bare Coding): its text, a display, or a code.
pub(crate) fn concept(value: &Value) -> Option<String> {
    let value = first(value)?;
    let written = |v: &Value, key: &str| {
        let text = clean(v.get(key)?.as_str()?, TITLE_CHARS);
        (!text.is_empty()).then_some(text)
    };
    written(value, "text")
        .or_else(|| written(value, "display"))
        .or_else(|| tried(value, "coding").find_map(|coding| written(coding, "display")))
        .or_else(|| tried(value, "coding").find_map(|coding| written(coding, "code")))
        .or_else(|| written(value, "code"))
}

/// The words of the concept at a path.
pub(crate) fn concept_at(value: &Value, path: &str) -> Option<String> {
    concept(dig(value, path)?)
}

/// The first coding of a CodeableConcept that has a code.
pub(crate) fn coding(value: &Value) -> Option<Coding> {
    let value = first(value)?;
    let read = |v: &Value| {
        let code = clean(v.get("code")?.as_str()?, 64);
        let part = |key| {
            clean(
                v.get(key).and_then(Value::as_str).unwrap_or_default(),
                TITLE_CHARS,
            )
        };
        (!code.is_empty()).then(|| Coding {
            system: part("system"),
            code,
            display: part("display"),
        })
    };
    tried(value, "coding")
        .find_map(read)
        .or_else(|| read(value))
}

/// Whether a concept has this code, under any system.
pub(crate) fn has_code(value: &Value, code: &str) -> bool {
    tried(value, "coding").any(|coding| coding.get("code").and_then(Value::as_str) == Some(code))
}

/// The reference strings at a key (`Reference` or a list of them).
pub(crate) fn references<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    each(value, key).filter_map(|item| item.get("reference")?.as_str())
}

/// One line of harmless text: white space collapsed; control, zero-width and direction-changing
/// characters dropped; clipped to `most` characters with an ellipsis.
///
/// Direction overrides are dropped because a title that reads differently from its bytes can
/// disguise one record as another.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut gap = false;
    // What is skipped counts too: a name of a million spaces is read no further than this.
    for c in text.chars().take(4 * most + 4096) {
        if c.is_whitespace() {
            gap = count > 0;
            continue;
        }
        if unsafe_to_show(c) {
            continue;
        }
        if count + usize::from(gap) >= most {
            out.push('…');
            return out;
        }
        if gap {
            out.push(' ');
            count += 1;
            gap = false;
        }
        out.push(c);
        count += 1;
    }
    out
}

/// Characters that change how neighbours are read without being seen themselves.
pub(crate) fn unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_one_safe_line() {
        assert_eq!(clean("  a\n\tb\u{202e}c\u{200b}  ", 10), "a bc");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("ab cd", 3), "ab…");
        assert_eq!(clean("\u{0}\u{7}", 3), "");
    }

    #[test]
    fn paths_enter_lists_and_survive_wrong_types() {
        let value = json!({"name": [{"given": ["Ana"]}], "n": 3, "empty": []});
        assert_eq!(text_at(&value, "name.given"), Some("Ana"));
        assert_eq!(text_at(&value, "n.given"), None);
        assert_eq!(text_at(&value, "empty"), None);
        assert_eq!(each(&value, "n").count(), 1);
    }

    #[test]
    fn a_concept_falls_back_to_its_codings() {
        let value = json!({"coding": [{"code": "a"}, {"display": "Asthma"}]});
        assert_eq!(concept(&value).as_deref(), Some("Asthma"));
        assert_eq!(coding(&value).map(|c| c.code).as_deref(), Some("a"));
        assert_eq!(concept(&json!(7)), None);
    }
}
