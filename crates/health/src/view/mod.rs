//! A record's content as an interface shows it: sections of labelled rows, and plain text.
//!
//! Owns the display model and its limits. Every string in it is text, never markup, with control
//! and direction-changing characters removed. Must not know layout, locale or where content is
//! kept; its words are English.

mod documents;
mod fields;
mod findings;
mod say;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fhir::{TITLE_CHARS, clean};
use crate::names;
use crate::resources::{Item, Resources};
use crate::titles;
use crate::words;

pub use documents::attachment;

/// Most bytes of one record's content that are shown. An attachment of its own has no such limit.
pub const MAX_VIEW_BYTES: usize = 24 * 1024 * 1024;
/// Most rows of a view, over all sections.
pub const MAX_ROWS: usize = 1000;

/// One record, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Plain words, one line.
    pub title: String,
    /// What kind of thing it is: "Diagnostic report", "Immunization".
    pub kind: String,
    /// When it happened, as FHIR wrote it; [`crate::plain_date`] says it in words.
    pub date: Option<String>,
    /// Who stands behind it, as the content says; a record's verified author is its signer.
    pub author: Option<String>,
    /// Labelled rows under headings.
    pub sections: Vec<Section>,
    /// Running text: a note, or a resource's narrative stripped of markup.
    pub narrative: Option<String>,
    /// Files inside the content; [`attachment`] gives their bytes.
    pub attachments: Vec<AttachmentView>,
    /// Rows, or whole resources, left out because there were more than [`MAX_ROWS`] rows.
    pub more_rows: usize,
}

/// Rows under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Plain words.
    pub heading: String,
    /// At least one.
    pub rows: Vec<Row>,
}

/// One labelled value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// The value in words; may be empty if only its label is known.
    pub value: String,
    /// The unit, apart from the value so that columns align; may be empty.
    pub unit: String,
    /// Reference range, comment or state of the value.
    pub note: Option<String>,
    /// How the value stands to what is usual.
    pub flag: Option<Flag>,
}

/// How a value stands to what is usual, by its source or its reference range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flag {
    /// Within the usual range.
    Normal,
    /// Below it.
    Low,
    /// Above it.
    High,
    /// Dangerously below it.
    CriticallyLow,
    /// Dangerously above it.
    CriticallyHigh,
    /// Unusual in another way.
    Abnormal,
}

/// A file inside a record's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// Its title, or its kind in words.
    pub title: String,
    /// Its media type as the source gave it; untrusted, never to be rendered by it blindly.
    pub media_type: String,
    /// Its size in bytes; 0 if it is only linked to and not included.
    pub bytes: usize,
}

/// Why content cannot be shown as a health record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Over [`MAX_VIEW_BYTES`].
    #[error("the record has {size} bytes; at most {limit} can be shown")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes that can be shown.
        limit: usize,
    },
    /// No JSON, or JSON nested deeper than FHIR ever is.
    #[error("the record is not readable as health data")]
    NotJson,
    /// JSON without any FHIR resource.
    #[error("the record contains no health data")]
    NoResource,
}

/// The view of a record's FHIR content: a collection Bundle or a single resource.
///
/// # Errors
/// [`ViewError`]; never panics, whatever the bytes.
pub fn view(content: &[u8]) -> Result<RecordView, ViewError> {
    let value = parse(content)?;
    let resources = Resources::of(&value);
    view_resources(&resources).ok_or(ViewError::NoResource)
}

/// The view of a record that is plain text rather than FHIR.
#[must_use]
pub fn view_text(title: &str, text: &[u8]) -> RecordView {
    let text = crate::narrative::plain(&String::from_utf8_lossy(text));
    RecordView {
        title: clean(title, TITLE_CHARS),
        kind: "Text".to_owned(),
        date: None,
        author: None,
        sections: Vec::new(),
        narrative: (!text.is_empty()).then_some(text),
        attachments: Vec::new(),
        more_rows: 0,
    }
}

fn parse(content: &[u8]) -> Result<Value, ViewError> {
    if content.len() > MAX_VIEW_BYTES {
        return Err(ViewError::TooLarge {
            size: content.len(),
            limit: MAX_VIEW_BYTES,
        });
    }
    serde_json::from_slice(content).map_err(|_| ViewError::NotJson)
}

fn view_resources(resources: &Resources<'_>) -> Option<RecordView> {
    let head = resources.items.first()?;
    let mut page = Page::default();
    for (at, item) in resources.items.iter().enumerate() {
        if page.rows >= MAX_ROWS {
            // Not even read any more: what will not be shown must not cost.
            page.more += 1;
            continue;
        }
        section(resources, item, at == 0, &mut page);
    }
    if !matches!(head.kind, "Encounter" | "Patient") {
        page.say(
            "Details",
            "Visit",
            say::line(resources, head.value, "encounter"),
        );
    }
    let narrative = documents::narrative(resources, page.rows > 0);
    Some(RecordView {
        title: titles::title(resources, head),
        kind: words::type_words(head.kind),
        date: resources
            .items
            .iter()
            .find_map(|item| titles::date(item.value)),
        author: resources
            .items
            .iter()
            .find_map(|item| names::author(resources, item)),
        sections: page.sections,
        narrative,
        attachments: documents::list(resources),
        more_rows: page.more,
    })
}

fn section(resources: &Resources<'_>, item: &Item<'_>, is_head: bool, page: &mut Page) {
    match item.kind {
        "Observation" => findings::observation(resources, item, page),
        "DiagnosticReport" => findings::report(resources, item, page),
        "ImagingStudy" => findings::imaging(resources, item, page),
        "Goal" => fields::goal(resources, item, page),
        "Composition" => documents::composition(resources, item, page),
        _ => {
            let heading = if is_head {
                "Details".to_owned()
            } else {
                words::type_words(item.kind)
            };
            fields::section(resources, item, &heading, page);
        }
    }
}

/// Sections under construction, within [`MAX_ROWS`].
#[derive(Default)]
struct Page {
    sections: Vec<Section>,
    rows: usize,
    more: usize,
}

impl Page {
    /// Adds a row under a heading: to the last section of that heading, or to a new one.
    fn add(&mut self, heading: &str, row: Row) {
        if row.value.is_empty() && row.label.is_empty() {
            return;
        }
        if self.rows >= MAX_ROWS {
            self.more += 1;
            return;
        }
        self.rows += 1;
        match self
            .sections
            .iter_mut()
            .rev()
            .take(8)
            .find(|section| section.heading == heading)
        {
            Some(section) => section.rows.push(row),
            None => self.sections.push(Section {
                heading: heading.to_owned(),
                rows: vec![row],
            }),
        }
    }

    /// Adds a labelled value if there is one.
    fn say(&mut self, heading: &str, label: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(
                heading,
                Row {
                    label: label.to_owned(),
                    value,
                    ..Row::default()
                },
            );
        }
    }
}

#[cfg(test)]
mod tests;
