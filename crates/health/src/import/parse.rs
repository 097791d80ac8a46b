//! From bytes to entries: recognising FHIR JSON and keeping each resource's own text.
//!
//! Owns input limits and errors. Must not know what resources mean. Each resource keeps the slice
//! it was parsed from, because numbers read through a float would lose digits a clinician wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::resources::{Item, Resources};

/// Most bytes an import reads. Synthea's largest bundles are about 30 MB; a browser's worker
/// holds roughly eight times the input while it splits it.
pub const MAX_BYTES: usize = 48 * 1024 * 1024;
/// Most entries of one bundle.
pub const MAX_ENTRIES: usize = 200_000;

/// Why bytes could not be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The input is over [`MAX_BYTES`].
    #[error("the file has {size} bytes; at most {limit} can be imported at once")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The input is not JSON at all.
    #[error("this is not a JSON file (line {line}, column {column})")]
    NotJson {
        /// Line of the first offence, from 1.
        line: usize,
        /// Column of the first offence, from 1.
        column: usize,
    },
    /// JSON, but without a FHIR `resourceType`.
    #[error("this JSON file is not FHIR: it names no resource type")]
    NotFhir,
    /// A FHIR Bundle whose `entry` is not a list.
    #[error("the FHIR bundle is broken: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A bundle with over [`MAX_ENTRIES`] entries.
    #[error("the bundle has {count} entries; at most {limit} can be imported at once")]
    TooManyEntries {
        /// Entries given.
        count: usize,
        /// Entries allowed.
        limit: usize,
    },
}

impl ImportError {
    /// Whether the bytes are simply some other kind of file, to be kept as they are, rather than
    /// FHIR that cannot be imported.
    #[must_use]
    pub fn is_other_file(&self) -> bool {
        matches!(self, ImportError::NotJson { .. } | ImportError::NotFhir)
    }
}

/// One entry of the source.
pub(super) struct Entry<'a> {
    pub(super) url: Option<String>,
    /// The resource type; empty if there is no readable resource.
    pub(super) kind: String,
    /// The resource's own JSON text; empty if there is no readable resource.
    pub(super) raw: &'a str,
    pub(super) value: Value,
    /// The entry names a resource that could not be read (as opposed to naming none).
    pub(super) broken: bool,
}

pub(super) struct Source<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) bytes: usize,
}

impl Source<'_> {
    /// The entries as resources, at the same positions.
    pub(super) fn resources(&self) -> Resources<'_> {
        let items = self.entries.iter().map(|entry| Item {
            url: entry.url.as_deref(),
            kind: &entry.kind,
            value: &entry.value,
        });
        Resources::new(items.collect())
    }
}

type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

pub(super) fn read(bytes: &[u8]) -> Result<Source<'_>, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::TooLarge {
            size: bytes.len(),
            limit: MAX_BYTES,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|b| **b != b'\n').count();
        ImportError::NotJson { line, column }
    })?;
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| ImportError::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let fields: Fields<'_> = serde_json::from_str(whole.get()).map_err(|_| ImportError::NotFhir)?;
    let kind = fields
        .get("resourceType")
        .and_then(|raw| string(raw))
        .filter(|kind| is_type(kind));
    let Some(kind) = kind else {
        return Err(ImportError::NotFhir);
    };
    if kind != "Bundle" {
        let entry = entry_of(None, Some(whole));
        return Ok(Source {
            entries: vec![entry],
            bytes: bytes.len(),
        });
    }
    let list: Vec<&RawValue> = match fields.get("entry") {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| ImportError::Malformed {
            what: "its entries are not a list",
        })?,
        None => Vec::new(),
    };
    if list.len() > MAX_ENTRIES {
        return Err(ImportError::TooManyEntries {
            count: list.len(),
            limit: MAX_ENTRIES,
        });
    }
    let entries = list
        .into_iter()
        .map(|raw| match serde_json::from_str::<Fields<'_>>(raw.get()) {
            Ok(fields) => {
                let url = fields.get("fullUrl").and_then(|raw| string(raw));
                entry_of(url, fields.get("resource").copied())
            }
            Err(_) => entry_of(None, Some(raw)).broken(),
        });
    Ok(Source {
        entries: entries.collect(),
        bytes: bytes.len(),
    })
}

impl Entry<'_> {
    fn broken(self) -> Self {
        Entry {
            url: self.url,
            kind: String::new(),
            raw: "",
            value: Value::Null,
            broken: true,
        }
    }
}

fn entry_of(url: Option<String>, resource: Option<&RawValue>) -> Entry<'_> {
    let Some(resource) = resource else {
        return Entry {
            url,
            kind: String::new(),
            raw: "",
            value: Value::Null,
            broken: false,
        };
    };
    // Fails on resources nested deeper than serde_json's limit of 128, which no FHIR resource is.
    let value: Value = serde_json::from_str(resource.get()).unwrap_or_default();
    let kind = value
        .get("resourceType")
        .and_then(Value::as_str)
        .filter(|kind| is_type(kind));
    let kind = kind.map(str::to_owned);
    let entry = |kind| Entry {
        url,
        kind,
        raw: resource.get(),
        value,
        broken: false,
    };
    match kind {
        Some(kind) => entry(kind),
        None => entry(String::new()).broken(),
    }
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// FHIR type names are ASCII letters, beginning with a capital.
fn is_type(kind: &str) -> bool {
    kind.len() <= 64
        && kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|b| b.is_ascii_alphabetic())
}
