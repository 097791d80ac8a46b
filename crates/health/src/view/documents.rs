//! Documents: running text, sections of a Composition, and files inside a record.
//!
//! Owns what is text and what is a file. Text is decoded and stripped; files are listed and handed
//! out as bytes, never interpreted.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::say::line;
use super::{AttachmentView, Page, Row, ViewError, parse};
use crate::fhir::{TITLE_CHARS, clean, concept, each, text_at};
use crate::narrative::{plain, strip};
use crate::resources::{Item, Resources};
use crate::words;

/// Most files of a record that are listed.
const FILES: usize = 100;
/// Deepest nesting of a Composition's sections that is shown.
const SECTION_DEPTH: usize = 4;

/// Forgiving about padding and unused bits, since sources differ and nothing is compared.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

struct File<'v> {
    title: String,
    media_type: String,
    data: &'v str,
}

impl File<'_> {
    fn bytes(&self) -> Option<Vec<u8>> {
        if self.data.bytes().any(|b| b.is_ascii_whitespace()) {
            let dense: String = self.data.split_ascii_whitespace().collect();
            return BASE64.decode(dense).ok();
        }
        BASE64.decode(self.data).ok()
    }

    fn is(&self, media_type: &str) -> bool {
        self.media_type
            .split(';')
            .next()
            .is_some_and(|t| t.trim().eq_ignore_ascii_case(media_type))
    }
}

/// Every file of a record: attachments of its resources, then Binary resources.
fn files<'v>(resources: &Resources<'v>) -> Vec<File<'v>> {
    let mut files = Vec::new();
    for item in &resources.items {
        let value = item.value;
        if item.kind == "Binary" {
            files.push(File {
                title: "File".to_owned(),
                media_type: clean(text_at(value, "contentType").unwrap_or_default(), 100),
                data: text_at(value, "data").unwrap_or_default(),
            });
        }
        let attachments = each(value, "content")
            .map(|content| content.get("attachment").unwrap_or(content))
            .chain(each(value, "presentedForm"))
            .chain(each(value, "photo"));
        for attachment in attachments
            .filter(|attachment| attachment.is_object())
            .take(FILES)
        {
            // A linked Binary in the same record is listed by itself.
            let linked = text_at(attachment, "url").and_then(|url| resources.find(url));
            if linked.is_some_and(|linked| linked.kind == "Binary") {
                continue;
            }
            let title = text_at(attachment, "title").map(|title| clean(title, TITLE_CHARS));
            files.push(File {
                title: title
                    .filter(|title| !title.is_empty())
                    .unwrap_or_else(|| "File".to_owned()),
                media_type: clean(text_at(attachment, "contentType").unwrap_or_default(), 100),
                data: text_at(attachment, "data").unwrap_or_default(),
            });
        }
        if files.len() >= FILES {
            files.truncate(FILES);
            break;
        }
    }
    files
}

/// The files of a record as an interface lists them.
pub(super) fn list(resources: &Resources<'_>) -> Vec<AttachmentView> {
    let view = |file: &File<'_>| {
        let digits = file
            .data
            .bytes()
            .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
            .count();
        AttachmentView {
            title: file.title.clone(),
            media_type: file.media_type.clone(),
            bytes: digits * 3 / 4,
        }
    };
    files(resources).iter().map(view).collect()
}

/// The bytes of the file at a position of [`super::RecordView::attachments`].
///
/// # Errors
/// As [`super::view`]; [`ViewError::NoResource`] if there is no such file, or it is only linked
/// to, or its encoding is broken.
pub fn attachment(content: &[u8], position: usize) -> Result<Vec<u8>, ViewError> {
    let value = parse(content)?;
    let resources = Resources::of(&value);
    let files = files(&resources);
    let file = files.get(position).filter(|file| !file.data.is_empty());
    file.and_then(File::bytes).ok_or(ViewError::NoResource)
}

/// The running text of a record: attached text first, else the narrative of its first resource.
pub(super) fn narrative(resources: &Resources<'_>, has_rows: bool) -> Option<String> {
    let texts = files(resources).into_iter().filter_map(|file| {
        if file.data.is_empty() {
            return None;
        }
        if file.is("text/plain") || file.is("text/markdown") {
            return Some(plain(&String::from_utf8_lossy(&file.bytes()?)));
        }
        if file.is("text/html") || file.is("application/xhtml+xml") {
            return Some(strip(&String::from_utf8_lossy(&file.bytes()?)));
        }
        None
    });
    let attached: Vec<String> = texts.filter(|text| !text.is_empty()).take(8).collect();
    if !attached.is_empty() {
        return Some(plain(&attached.join("\n\n")));
    }
    let head = resources.items.first()?;
    // FHIR's word for a narrative that says nothing beyond the fields, which are shown already.
    if has_rows && text_at(head.value, "text.status") == Some("generated") {
        return None;
    }
    let div = text_at(head.value, "text.div")?;
    let text = strip(div);
    (!text.is_empty()).then_some(text)
}

/// A Composition: its particulars, then each section under its own heading.
pub(super) fn composition(resources: &Resources<'_>, item: &Item<'_>, page: &mut Page) {
    for (label, path) in [
        ("Kind", "type"),
        ("Status", "status"),
        ("Date", "date"),
        ("Author", "author"),
        ("Signed by", "attester.party"),
        ("Keeper", "custodian"),
    ] {
        page.say("Details", label, line(resources, item.value, path));
    }
    let mut open: Vec<(&Value, usize)> = Vec::new();
    open.extend(
        each(item.value, "section")
            .rev()
            .map(|section| (section, 1)),
    );
    while let Some((section, depth)) = open.pop() {
        let heading = text_at(section, "title")
            .map(|title| clean(title, TITLE_CHARS))
            .or_else(|| {
                section
                    .get("code")
                    .and_then(concept)
                    .map(|text| words::term(&text))
            })
            .filter(|heading| !heading.is_empty())
            .unwrap_or_else(|| "Section".to_owned());
        let text = text_at(section, "text.div")
            .map(strip)
            .filter(|text| !text.is_empty());
        let empty = line(resources, section, "emptyReason")
            .map(|why| format!("Empty: {}", words::lower_first(&why)));
        let said = text.or(empty);
        let has_text = said.is_some();
        page.say(&heading, "", said);
        if !has_text {
            for entry in each(section, "entry") {
                let shown = super::say::one(resources, entry);
                page.add(
                    &heading,
                    Row {
                        label: shown.unwrap_or_default(),
                        ..Row::default()
                    },
                );
            }
        }
        if depth < SECTION_DEPTH {
            open.extend(
                each(section, "section")
                    .rev()
                    .map(|inner| (inner, depth + 1)),
            );
        }
    }
}
