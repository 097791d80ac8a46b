//! Notes written in Salus: plain text in a FHIR DocumentReference.
//!
//! Owns how a note is written down, for patients and providers alike. A DocumentReference rather
//! than a Composition, because its text is an attachment any other system can open as it is, and
//! because it carries no XHTML. Must not know who may write to whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::category::Category;
use crate::dates::is_date;
use crate::fhir::{LINE_CHARS, TITLE_CHARS, clean};
use crate::import::RecordDraft;

/// LOINC's code for a note of any kind.
const NOTE_CODE: &str = "34109-9";

/// A note to be written down.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    /// One line; empty means "Note".
    pub title: &'a str,
    /// The note itself, any length, lines kept.
    pub text: &'a str,
    /// The display name of who wrote it; empty if unknown. The record's signature is what proves
    /// the author; this is for other systems.
    pub author: &'a str,
    /// When it was written, as a FHIR date or instant; anything else is left out.
    pub date: &'a str,
}

/// The note as a FHIR R4 DocumentReference.
#[must_use]
pub fn note(note: &Note<'_>) -> Value {
    let title = title(note);
    let mut attachment = json!({
        "contentType": "text/plain; charset=utf-8",
        "data": STANDARD.encode(note.text),
        "title": title,
    });
    let mut document = json!({
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {
            "coding": [{"system": "http://loinc.org", "code": NOTE_CODE, "display": "Note"}],
            "text": "Note",
        },
        "description": title,
    });
    if is_date(note.date) {
        attachment["creation"] = json!(note.date);
        // `date` is an instant: a mere day goes where FHIR has room for one.
        if note.date.contains('T') {
            document["date"] = json!(note.date);
        } else {
            document["context"] = json!({"period": {"start": note.date, "end": note.date}});
        }
    }
    let author = clean(note.author, TITLE_CHARS);
    if !author.is_empty() {
        document["author"] = json!([{"display": author}]);
    }
    document["content"] = json!([{"attachment": attachment}]);
    document
}

/// The note as a record draft, its content a collection Bundle like an imported record's.
#[must_use]
pub fn note_draft(written: &Note<'_>) -> RecordDraft {
    let document = note(written);
    let content =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document}]});
    let author = clean(written.author, TITLE_CHARS);
    RecordDraft {
        category: Category::Documents,
        title: title(written),
        type_code: Some(crate::fhir::Coding {
            system: "http://loinc.org".to_owned(),
            code: NOTE_CODE.to_owned(),
            display: "Note".to_owned(),
        }),
        clinical_date: is_date(written.date).then(|| written.date.to_owned()),
        author: (!author.is_empty()).then_some(author),
        summary: clean(written.text, LINE_CHARS / 2),
        content: content.to_string().into_bytes(),
        entries: vec![0],
    }
}

fn title(note: &Note<'_>) -> String {
    let title = clean(note.title, TITLE_CHARS);
    if title.is_empty() {
        "Note".to_owned()
    } else {
        title
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_word_for_word() {
        let text = "Seen today.\n\n<b>No</b> complaints — \"fine\".";
        let draft = note_draft(&Note {
            title: "Follow-up",
            text,
            author: "Dr. Iva Novak",
            date: "2026-03-04T09:30:00Z",
        });
        let view = crate::view::view(&draft.content).unwrap();
        assert_eq!(view.title, "Follow-up");
        assert_eq!(view.narrative.as_deref(), Some(text));
        assert_eq!(view.author.as_deref(), Some("Dr. Iva Novak"));
        assert_eq!(view.date.as_deref(), Some("2026-03-04T09:30:00Z"));

        let again = crate::import(&draft.content).unwrap();
        assert_eq!(again.drafts.len(), 1);
        assert_eq!(again.drafts[0].title, draft.title);
        assert_eq!(again.drafts[0].clinical_date, draft.clinical_date);
        assert_eq!(again.drafts[0].category, draft.category);
    }

    #[test]
    fn a_bare_note_is_still_a_note() {
        let draft = note_draft(&Note {
            title: " \n",
            text: "",
            author: "",
            date: "yesterday",
        });
        assert_eq!((draft.title.as_str(), draft.clinical_date), ("Note", None));
        assert_eq!(crate::view::view(&draft.content).unwrap().narrative, None);
    }
}
