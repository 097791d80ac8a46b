//! Two demonstration patients, made up here from first to last.
//!
//! Owns synthetic records for trying Salus out. Deterministic: the same bytes in every build, no
//! clock, no randomness. Every resource is marked as test data in FHIR's own way (security label
//! `HTEST`), so that it cannot pass for a person's in any system that reads it.

mod ana;
mod build;
mod tomas;

use serde_json::Value;

/// A demonstration patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    /// 58 years old, with type 2 diabetes and high blood pressure; three years of visits.
    AnaFerreira,
    /// 32 years old, with asthma and hay fever; peak flow readings and an old fracture.
    TomasLindqvist,
}

impl Person {
    /// Every demonstration patient.
    pub const ALL: [Person; 2] = [Person::AnaFerreira, Person::TomasLindqvist];

    /// The display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Person::AnaFerreira => "Ana Ferreira",
            Person::TomasLindqvist => "Tomás Lindqvist",
        }
    }
}

/// A FHIR R4 collection Bundle of everything on record about a demonstration patient, of the kind
/// a clinic would hand out; [`crate::import()`] takes it apart.
#[must_use]
pub fn bundle(person: Person) -> Value {
    match person {
        Person::AnaFerreira => ana::bundle(),
        Person::TomasLindqvist => tomas::bundle(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Category, import, medication_list, view};

    #[test]
    fn demonstration_people_import_whole_and_fill_every_compartment() {
        for person in Person::ALL {
            let bytes = bundle(person).to_string().into_bytes();
            assert_eq!(
                bytes,
                bundle(person).to_string().into_bytes(),
                "deterministic"
            );
            let import = import(&bytes).unwrap();
            assert_eq!(import.patients, [person.name()]);
            for category in Category::ALL {
                assert!(
                    import.drafts.iter().any(|draft| draft.category == category),
                    "{person:?} has nothing under {}",
                    category.name()
                );
            }
            for (kind, tally) in &import.tallies {
                let directory = ["Practitioner", "Organization"].contains(&kind.as_str());
                assert!(tally.left_out.is_empty() || directory, "{kind}: {tally:?}");
            }
            for draft in &import.drafts {
                let shown = view(&draft.content).unwrap();
                assert!(
                    !shown.sections.is_empty() || shown.narrative.is_some(),
                    "{}",
                    draft.title
                );
                let content = String::from_utf8(draft.content.clone()).unwrap();
                assert!(content.contains("HTEST"), "{} is not marked", draft.title);
                assert!(
                    !content.contains("not included"),
                    "{} has a loose end",
                    draft.title
                );
            }
            let lines = medication_list(import.drafts.iter().map(|draft| draft.content.as_slice()));
            assert!(
                lines
                    .iter()
                    .filter(|line| line.active && line.dosage.is_some())
                    .count()
                    >= 2
            );
            assert!(
                lines.iter().any(|line| !line.active),
                "an ended course shows as ended"
            );
        }
    }

    #[test]
    fn no_two_resources_share_an_id() {
        let mut seen = std::collections::BTreeSet::new();
        for person in Person::ALL {
            for entry in bundle(person)["entry"].as_array().unwrap() {
                assert!(seen.insert(entry["fullUrl"].as_str().unwrap().to_owned()));
            }
        }
    }
}
