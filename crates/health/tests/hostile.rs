//! Input made to break things: mangled bundles, wrong types, depth and size. Nothing may panic,
//! every entry must be accounted for, and what comes out must stay within its bounds.
//!
//! `SALUS_SEED` repeats a run; the seed is printed whenever one fails (and with `--nocapture`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's own functions, where a panic is the failure"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use salus_health::demo::{self, Person};
use salus_health::import::Tally;
use salus_health::view::{attachment, view};
use salus_health::{import, medication_list};
use serde_json::{Map, Value, json};

struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("SALUS_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| since.as_nanos() as u64)
        });
        println!("SALUS_SEED={seed}");
        // Xorshift would stay at 0 for ever.
        Dice(seed.max(1))
    }

    /// Xorshift; below `limit`, which must not be 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn odd_value(&mut self) -> Value {
        match self.below(14) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(-1),
            3 => json!(1e308),
            4 => json!(""),
            5 => json!("\u{202e}\u{0}<script>alert(1)</script>&#x110000;"),
            6 => json!("9".repeat(500)),
            7 => json!([]),
            8 => json!({}),
            9 => json!([[[{"coding": [{"code": 7}]}]]]),
            10 => json!({"reference": "#"}),
            11 => json!({"reference": format!("{}/é", "Observation/".repeat(20))}),
            12 => json!("2020-13-45T99:99"),
            _ => json!("é".repeat(70)),
        }
    }

    /// Replaces, removes or duplicates something somewhere.
    fn mangle(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) if !fields.is_empty() && self.below(8) > 0 => {
                let nth = self.below(fields.len());
                let key = fields.keys().nth(nth).cloned().unwrap();
                match self.below(10) {
                    0 => drop(fields.remove(&key)),
                    1 => drop(fields.insert(key, self.odd_value())),
                    2 => {
                        let moved = fields.remove(&key).unwrap();
                        let keys = [
                            "reference",
                            "display",
                            "text",
                            "coding",
                            "resourceType",
                            "component",
                        ];
                        fields.insert(keys[self.below(keys.len())].to_owned(), moved);
                    }
                    _ => self.mangle(fields.get_mut(&key).unwrap()),
                }
            }
            Value::Array(items) if !items.is_empty() && self.below(8) > 0 => {
                let nth = self.below(items.len());
                match self.below(12) {
                    0 => drop(items.remove(nth)),
                    1 => items.push(items[nth].clone()),
                    2 => items[nth] = self.odd_value(),
                    _ => self.mangle(&mut items[nth]),
                }
            }
            other => *other = self.odd_value(),
        }
    }
}

/// Imports, views and lists; panics only if a promise is broken.
fn exercise(bytes: &[u8]) {
    let _ = view(bytes);
    let _ = medication_list([bytes]);
    let Ok(import) = import(bytes) else { return };
    assert_eq!(
        import.tallies.values().map(Tally::total).sum::<usize>(),
        import.entries()
    );
    for draft in &import.drafts {
        assert!(
            !draft.title.is_empty() && draft.title.chars().count() <= 122,
            "{:?}",
            draft.title
        );
        assert!(draft.summary.chars().count() <= 401);
        for text in [&draft.title, &draft.summary] {
            assert!(!text.contains(['\u{202e}', '\u{0}', '\n']), "{text:?}");
        }
        let content: Value =
            serde_json::from_slice(&draft.content).expect("a draft's content is JSON");
        assert!(
            content["entry"]
                .as_array()
                .is_some_and(|entries| !entries.is_empty())
        );
        let shown = view(&draft.content).expect("a draft can be shown");
        let rows = shown.sections.iter().flat_map(|section| &section.rows);
        for text in rows
            .flat_map(|row| [&row.label, &row.value, &row.unit])
            .chain(shown.narrative.iter())
        {
            assert!(!text.contains(['\u{202e}', '\u{0}']), "{text:?}");
            assert!(text.chars().count() <= 64 * 1024 + 1);
        }
        for file in 0..shown.attachments.len() {
            let _ = attachment(&draft.content, file);
        }
    }
}

#[test]
fn mangled_bundles_never_panic_and_lose_nothing() {
    let mut dice = Dice::new();
    for person in Person::ALL {
        let whole = demo::bundle(person);
        let entries = whole["entry"].as_array().unwrap();
        for _ in 0..400 {
            // A slice of the bundle keeps a round cheap while every type gets its turn.
            let some: Vec<Value> = (0..12)
                .map(|_| entries[dice.below(entries.len())].clone())
                .collect();
            let mut bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": some});
            for _ in 0..1 + dice.below(12) {
                dice.mangle(&mut bundle["entry"]);
            }
            exercise(bundle.to_string().as_bytes());
        }
    }
}

#[test]
fn mangled_bytes_never_panic() {
    let mut dice = Dice::new();
    let whole = demo::bundle(Person::TomasLindqvist);
    let entries = whole["entry"].as_array().unwrap();
    for _ in 0..400 {
        let some: Vec<&Value> = (0..3)
            .map(|_| &entries[dice.below(entries.len())])
            .collect();
        let mut bytes = json!({"resourceType": "Bundle", "entry": some})
            .to_string()
            .into_bytes();
        for _ in 0..1 + dice.below(4) {
            let at = dice.below(bytes.len().max(1));
            if bytes.is_empty() {
                break;
            }
            match dice.below(4) {
                0 => bytes[at] = dice.below(256) as u8,
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\"{}[],:\\0"[dice.below(9)]),
            }
        }
        exercise(&bytes);
    }
}

#[test]
fn every_type_survives_every_field_being_of_the_wrong_type() {
    let mut dice = Dice::new();
    for person in Person::ALL {
        let mut seen = std::collections::BTreeSet::new();
        for entry in demo::bundle(person)["entry"].as_array().unwrap() {
            let resource = entry["resource"].as_object().unwrap();
            if !seen.insert(resource["resourceType"].as_str().unwrap().to_owned()) {
                continue;
            }
            for key in resource.keys().filter(|key| *key != "resourceType") {
                for _ in 0..14 {
                    let mut broken: Map<String, Value> = resource.clone();
                    broken.insert(key.clone(), dice.odd_value());
                    exercise(Value::Object(broken).to_string().as_bytes());
                }
            }
        }
    }
}

/// A resource nested just within, and far beyond, what is read.
#[test]
fn depth_is_bounded() {
    for depth in [60, 120, 200, 100_000] {
        let nested = format!("{}1{}", "{\"section\":[".repeat(depth), "]}".repeat(depth));
        for kind in ["Composition", "Observation", "Basic"] {
            let bytes = format!(r#"{{"resourceType":"{kind}","section":[{nested}],"x":{nested}}}"#);
            exercise(bytes.as_bytes());
        }
    }
}

/// Inputs where careless code is quadratic: many references to one big resource, a long chain of
/// panels, a cycle, one reference repeated, and unclosed markup.
#[test]
fn work_stays_in_proportion() {
    let observation = |id: usize, members: Vec<Value>| {
        json!({"fullUrl": format!("urn:uuid:{id}"), "resource": {"resourceType": "Observation",
            "id": id.to_string(), "code": {"text": "x"}, "hasMember": members}})
    };
    let to = |id: usize| json!({"reference": format!("urn:uuid:{id}")});
    let chain: Vec<Value> = (0..5000)
        .map(|id| observation(id, vec![to((id + 1) % 5000)]))
        .collect();
    let fan: Vec<Value> = (0..100)
        .map(|id| observation(id, (0..1000).map(|n| to(n % 100)).collect()))
        .collect();
    let codings: Vec<Value> = (0..20_000)
        .map(|n| json!({"system": n.to_string()}))
        .collect();
    let mut heavy = vec![
        json!({"fullUrl": "urn:uuid:h", "resource": {"resourceType": "Condition",
        "code": {"coding": codings}}}),
    ];
    heavy.extend((0..5000).map(|_| {
        json!({"resource": {"resourceType": "Procedure",
        "reasonReference": [{"reference": "urn:uuid:h"}]}})
    }));
    let codings: Vec<Value> = (0..20_000)
        .map(|n| json!({"system": n.to_string()}))
        .collect();
    let mut named = vec![
        json!({"fullUrl": "urn:uuid:m", "resource": {"resourceType": "Medication",
        "code": {"text": " ".repeat(1_000_000), "coding": codings}}}),
    ];
    named.extend((0..5000).map(|_| {
        json!({"resource": {"resourceType": "MedicationRequest",
        "medicationReference": {"reference": "urn:uuid:m"}}})
    }));
    let markup = "<".repeat(300_000) + &"<script>".repeat(40_000) + &"</".repeat(100_000);
    let text = vec![json!({"resource": {"resourceType": "Basic", "text": {"div": markup}}})];
    for (name, entries) in [
        ("chain", chain),
        ("fan", fan),
        ("heavy", heavy),
        ("named", named),
        ("markup", text),
    ] {
        let bytes = json!({"resourceType": "Bundle", "entry": entries})
            .to_string()
            .into_bytes();
        let begun = Instant::now();
        exercise(&bytes);
        let took = begun.elapsed();
        println!("{name}: {} bytes in {took:?}", bytes.len());
        // Quadratic work on these takes minutes; the limit leaves room for a slow, busy machine.
        assert!(took < Duration::from_secs(30), "{name} took {took:?}");
        if let Ok(import) = import(&bytes) {
            let out: usize = import.drafts.iter().map(|draft| draft.content.len()).sum();
            assert!(
                out < 8 * bytes.len(),
                "{name}: {} bytes became {out}",
                bytes.len()
            );
        }
    }
}
