//! View models in plain words: kinds, people, standing, rights.
//! Must not know where on the page they appear.

mod browsers;
mod events;
mod failing;
mod shape;

pub(crate) use browsers::browser_name;
pub(crate) use events::{actor, audit, defect, notification};
pub(crate) use failing::{failure, failure_name};
pub(crate) use shape::{clinical_date, count, day, fill, moment, percent, qr_path, size, time};

use crate::texts::Texts;
use salus_messages::{
    Category, Flag, GrantStatus, KeyChange, Person, RecordKind, Remembered, RequestStatus, Rights,
    SlotKind, SlotView, Stage, Trust,
};

/// A principal, short enough for a line.
pub(crate) fn short(principal: &str) -> String {
    let parts: Vec<&str> = principal.split('-').collect();
    match parts.as_slice() {
        [first, .., last] if parts.len() > 3 => format!("{first}…{last}"),
        _ => principal.to_owned(),
    }
}

/// What to call someone.
pub(crate) fn person(t: &Texts, person: &Person) -> String {
    if person.trust == Trust::Own {
        t.you.to_owned()
    } else if !person.name.is_empty() {
        person.name.clone()
    } else if !person.principal.is_empty() {
        short(&person.principal)
    } else {
        t.someone.to_owned()
    }
}

/// Their specialty, and who they are to the network when the name is only claimed.
pub(crate) fn specialty(t: &Texts, person: &Person) -> String {
    let code = short(&person.principal);
    match (person.specialty.is_empty(), person.name.is_empty()) {
        (false, _) if person.principal.is_empty() => person.specialty.clone(),
        (false, _) => format!("{} · {code}", person.specialty),
        (true, false) => code,
        (true, true) => t.no_name.to_owned(),
    }
}

/// Up to two letters for a round badge; the style sheet makes them capitals.
pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter(|word| !word.ends_with('.'))
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect()
}

/// How far a key is known, and a name for tests.
pub(crate) fn trust(t: &'static Texts, trust: Trust) -> (&'static str, &'static str) {
    match trust {
        Trust::Own => (t.trust_own, "own"),
        Trust::Pinned => (t.trust_pinned, "pinned"),
        Trust::Certified => (t.trust_certified, "certified"),
        Trust::Unknown => (t.trust_unknown, "unknown"),
        Trust::Changed => (t.trust_changed, "changed"),
        Trust::Verified => (t.trust_verified, "verified"),
    }
}

/// What changed keys mean, what accepting them says, and a name for tests.
pub(crate) fn key_change(
    t: &'static Texts,
    change: KeyChange,
) -> (&'static str, &'static str, &'static str) {
    match change {
        KeyChange::Recovered => (t.changed_recovered, t.changed_accept, "recovered"),
        KeyChange::Diverged => (t.changed_diverged, t.changed_accept, "diverged"),
        KeyChange::OtherAccount => (t.changed_other, t.changed_accept_other, "other-account"),
    }
}

/// What there is less of, or something else.
pub(crate) fn remembered(t: &'static Texts, of: Remembered) -> &'static str {
    match of {
        Remembered::Decisions => t.remembered_decisions,
        Remembered::Activity => t.remembered_activity,
        Remembered::Records => t.remembered_records,
        Remembered::Keys => t.remembered_keys,
    }
}

pub(crate) fn stage(t: &'static Texts, stage: Stage) -> &'static str {
    match stage {
        Stage::Reading => t.stage_reading,
        Stage::Sealing => t.stage_sealing,
        Stage::Uploading => t.stage_uploading,
        Stage::Confirming => t.stage_confirming,
        Stage::Downloading => t.stage_downloading,
        Stage::Opening => t.stage_opening,
        Stage::Checking => t.stage_checking,
    }
}

pub(crate) fn kind(t: &'static Texts, kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Note => t.kind_note,
        RecordKind::Document => t.kind_document,
        RecordKind::Condition => t.kind_condition,
        RecordKind::Allergy => t.kind_allergy,
        RecordKind::Medication => t.kind_medication,
        RecordKind::Immunization => t.kind_immunization,
        RecordKind::Laboratory => t.kind_laboratory,
        RecordKind::Vitals => t.kind_vitals,
        RecordKind::Procedure => t.kind_procedure,
        RecordKind::Encounter => t.kind_encounter,
        RecordKind::CarePlan => t.kind_care_plan,
        RecordKind::Imaging => t.kind_imaging,
        RecordKind::Demographics => t.kind_demographics,
        RecordKind::Other => t.kind_other,
    }
}

/// Kinds a person chooses from, with a value for a form.
pub(crate) const KINDS: [(RecordKind, &str); 13] = [
    (RecordKind::Note, "note"),
    (RecordKind::Document, "document"),
    (RecordKind::Condition, "condition"),
    (RecordKind::Allergy, "allergy"),
    (RecordKind::Medication, "medication"),
    (RecordKind::Immunization, "immunization"),
    (RecordKind::Laboratory, "laboratory"),
    (RecordKind::Vitals, "vitals"),
    (RecordKind::Procedure, "procedure"),
    (RecordKind::Encounter, "encounter"),
    (RecordKind::CarePlan, "care-plan"),
    (RecordKind::Imaging, "imaging"),
    (RecordKind::Other, "other"),
];

/// Every category, in the order in which a new vault gets its compartments.
pub(crate) const CATEGORIES: [Category; 11] = [
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

pub(crate) fn category(t: &'static Texts, category: Category) -> &'static str {
    match category {
        Category::Medications => t.category_medications,
        Category::Allergies => t.category_allergies,
        Category::Conditions => t.category_conditions,
        Category::Immunizations => t.category_immunizations,
        Category::Results => t.category_results,
        Category::Vitals => t.category_vitals,
        Category::Procedures => t.category_procedures,
        Category::Visits => t.category_visits,
        Category::Plans => t.category_plans,
        Category::Documents => t.category_documents,
        Category::Profile => t.category_profile,
    }
}

/// The id of a category's box in the form of a request.
pub(crate) fn wish_id(category: Category) -> &'static str {
    match category {
        Category::Medications => "wish-medications",
        Category::Allergies => "wish-allergies",
        Category::Conditions => "wish-conditions",
        Category::Immunizations => "wish-immunizations",
        Category::Results => "wish-results",
        Category::Vitals => "wish-vitals",
        Category::Procedures => "wish-procedures",
        Category::Visits => "wish-visits",
        Category::Plans => "wish-plans",
        Category::Documents => "wish-documents",
        Category::Profile => "wish-profile",
    }
}

pub(crate) fn flag(t: &'static Texts, flag: Flag) -> &'static str {
    match flag {
        Flag::High => t.flag_high,
        Flag::Low => t.flag_low,
        Flag::Abnormal => t.flag_abnormal,
        Flag::Critical => t.flag_critical,
    }
}

pub(crate) fn rights(t: &'static Texts, rights: Rights) -> &'static str {
    match (rights.read, rights.append) {
        (true, true) => t.rights_both,
        (false, true) => t.rights_append,
        _ => t.rights_read,
    }
}

pub(crate) fn days(t: &Texts, days: u32) -> String {
    match days {
        365 => t.one_year.to_owned(),
        _ => count(u64::from(days), t.days_one, t.days_many),
    }
}

pub(crate) fn slot(t: &'static Texts, kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Recovery => t.slot_recovery,
        SlotKind::Browser => t.slot_browser,
        SlotKind::Passkey => t.slot_passkey,
        SlotKind::Passphrase => t.slot_passphrase,
        SlotKind::File => t.slot_file,
    }
}

/// What a way to unlock is called: by its owner, else by its kind.
pub(crate) fn slot_name(t: &'static Texts, view: &SlotView) -> String {
    if view.label.is_empty() {
        slot(t, view.kind).to_owned()
    } else {
        view.label.clone()
    }
}

/// Where a grant stands: a word, a tone, a name for tests.
pub(crate) fn grant_status(
    t: &'static Texts,
    status: GrantStatus,
) -> (&'static str, &'static str, &'static str) {
    match status {
        GrantStatus::Active => (t.status_active, "good", "active"),
        GrantStatus::Upcoming => (t.status_upcoming, "fair", "upcoming"),
        GrantStatus::Expired => (t.status_expired, "past", "expired"),
        GrantStatus::Revoked { .. } => (t.status_revoked, "past", "revoked"),
    }
}

/// Where a request stands: a word, a tone, a name for tests.
pub(crate) fn request_status(
    t: &'static Texts,
    status: RequestStatus,
) -> (&'static str, &'static str, &'static str) {
    match status {
        RequestStatus::Waiting => (t.status_waiting, "fair", "waiting"),
        RequestStatus::Approved => (t.status_approved, "good", "approved"),
        RequestStatus::Denied => (t.status_denied, "past", "denied"),
        RequestStatus::Expired => (t.status_expired, "past", "expired"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_pass_over_titles() {
        assert_eq!(initials("Dr. María Ruiz"), "MR");
        assert_eq!(initials("ana"), "a");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn principals_are_shortened_in_the_middle() {
        assert_eq!(short("aaaaa-bbbbb-ccccc-ddddd-eee"), "aaaaa…eee");
        assert_eq!(short("aaaaa-aa"), "aaaaa-aa");
    }
}
