//! The default compartments a patient's records are filed into.
//!
//! Owns their stable ids and English names. Must not know compartment ids, keys or grants: a
//! vault stores opaque ids and sealed names made from these.

use serde::{Deserialize, Serialize};

/// Where a record belongs, at the granularity people share by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Medicines ordered, taken, dispensed or given.
    Medications,
    /// Allergies, intolerances and adverse reactions.
    Allergies,
    /// Diagnoses, problems, family history, risks.
    Conditions,
    /// Vaccinations given or recommended.
    Immunizations,
    /// Laboratory, imaging and other findings.
    Results,
    /// Vital signs and body measurements.
    Vitals,
    /// What was done, and devices used or implanted.
    Procedures,
    /// Encounters and appointments.
    Visits,
    /// Care plans, goals, care teams, orders and referrals.
    Plans,
    /// Notes, letters, questionnaires and anything else.
    Documents,
    /// Who the person is: demographics, contacts, social history.
    Profile,
}

impl Category {
    /// Every category, in the order an interface shows them.
    pub const ALL: [Category; 11] = [
        Category::Medications,
        Category::Allergies,
        Category::Conditions,
        Category::Immunizations,
        Category::Results,
        Category::Vitals,
        Category::Procedures,
        Category::Visits,
        Category::Plans,
        Category::Documents,
        Category::Profile,
    ];

    /// The stable id: lower-case ASCII, never changed once released.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Category::Medications => "medications",
            Category::Allergies => "allergies",
            Category::Conditions => "conditions",
            Category::Immunizations => "immunizations",
            Category::Results => "results",
            Category::Vitals => "vitals",
            Category::Procedures => "procedures",
            Category::Visits => "visits",
            Category::Plans => "plans",
            Category::Documents => "documents",
            Category::Profile => "profile",
        }
    }

    /// The English display name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Category::Medications => "Medications",
            Category::Allergies => "Allergies",
            Category::Conditions => "Conditions",
            Category::Immunizations => "Immunizations",
            Category::Results => "Results",
            Category::Vitals => "Vital signs",
            Category::Procedures => "Procedures",
            Category::Visits => "Visits",
            Category::Plans => "Care plans",
            Category::Documents => "Documents",
            Category::Profile => "Profile",
        }
    }

    /// The category with this id, if there is one.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Category> {
        Category::ALL
            .into_iter()
            .find(|category| category.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_lead_back() {
        for category in Category::ALL {
            assert_eq!(Category::from_id(category.id()), Some(category));
            assert_eq!(
                serde_json::to_value(category).unwrap(),
                serde_json::Value::from(category.id()),
                "the serialised form is the id"
            );
        }
        assert_eq!(Category::from_id("Medications"), None);
    }
}
