//! What a reference is called where its target is not in the same record.
//!
//! Owns how much one record says about another. People and places are named, findings are titled,
//! visits give their date only: a reader who was granted immunizations learns from a label when,
//! but not why, there was a visit. The patient is never named.

use crate::dates::plain_date;
use crate::fhir::clean;
use crate::names;
use crate::resources::{Item, Resources};
use crate::titles;
use crate::words;

const LABEL_CHARS: usize = 80;

/// One label per entry, made once: labels are asked for once per reference.
pub(super) fn all(resources: &Resources<'_>) -> Vec<String> {
    resources
        .items
        .iter()
        .map(|item| clean(&one(resources, item), LABEL_CHARS))
        .collect()
}

fn one(resources: &Resources<'_>, item: &Item<'_>) -> String {
    match item.kind {
        "" => "Unreadable entry".to_owned(),
        "Patient" => "Patient".to_owned(),
        "Encounter" => match titles::date(item.value).and_then(|date| plain_date(&date)) {
            Some(date) => format!("Visit on {date}"),
            None => "Visit".to_owned(),
        },
        _ => names::of(resources, item).unwrap_or_else(|| titles::title(resources, item)),
    }
}

/// The label of a reference that leads nowhere in this source.
pub(super) fn unresolved(reference: &str) -> String {
    let plain = reference.split("/_history/").next().unwrap_or(reference);
    let plain = plain.split('?').next().unwrap_or(plain);
    let mut ends = plain.rsplit('/');
    let last = ends.next().unwrap_or_default();
    let kind = [ends.next().unwrap_or_default(), last]
        .into_iter()
        .find(|part| {
            part.starts_with(|c: char| c.is_ascii_uppercase())
                && part.bytes().all(|b| b.is_ascii_alphabetic())
        });
    match kind {
        Some(kind) => clean(
            &format!("{} (not included)", words::type_words(kind)),
            LABEL_CHARS,
        ),
        None => "Not included".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_nowhere_is_called_by_its_type() {
        for (reference, label) in [
            ("Practitioner/123", "Practitioner (not included)"),
            (
                "https://example.org/fhir/Practitioner/123/_history/1",
                "Practitioner (not included)",
            ),
            ("Organization?identifier=a|b", "Organization (not included)"),
            ("urn:uuid:0", "Not included"),
            ("#x", "Not included"),
            ("", "Not included"),
        ] {
            assert_eq!(unresolved(reference), label, "{reference}");
        }
    }
}
