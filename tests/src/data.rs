//! Input for imports: real files that lie beside a clone of this repository, where they do, and large
//! ones made up.

use crate::built::root;
use serde_json::json;
use std::path::PathBuf;

/// A file of `../shared/data`, or nothing after saying that the test skips.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {name} is not there");
    None
}

/// A FHIR bundle of one person with so many conditions, each of which becomes a record.
pub fn conditions(count: usize) -> Vec<u8> {
    let patient =
        json!({ "resourceType": "Patient", "id": "p", "name": [{ "text": "Ana Made-Up" }] });
    let condition = |n: usize| {
        json!({
            "resourceType": "Condition",
            "id": format!("c{n}"),
            "subject": { "reference": "urn:uuid:p" },
            "code": { "text": format!("Condition number {n}") },
            "onsetDateTime": format!("{}-04-01", 1950 + n % 70),
        })
    };
    let entries: Vec<_> = std::iter::once(patient)
        .chain((0..count).map(condition))
        .map(|resource| json!({ "resource": resource }))
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    bundle.to_string().into_bytes()
}
