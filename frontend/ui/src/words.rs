//! View models in plain words: kinds, people, dates, sizes, failures.
//! Must not know where on the page they appear.

use crate::browser::format_date;
use crate::texts::{Language, Texts};
use salus_messages::{
    Actor, AuditEntry, AuditKind, Category, Defect, Failure, FailureKind, Flag, GrantStatus,
    Millis, NotificationKind, Person, Qr, RecordKind, RequestStatus, Rights, SlotKind, Stage,
    Trust,
};
use std::fmt::Write as _;

/// `text` with each `{name}` replaced.
pub(crate) fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        if let Some((_, value)) = blanks.iter().find(|(blank, _)| *blank == name) {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// One of two texts by number, with `{n}` filled in.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    fill(if n == 1 { one } else { many }, &[("n", &n.to_string())])
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times in milliseconds stay far below 2^53"
)]
fn float(millis: Millis) -> f64 {
    millis as f64
}

/// "12 March 2026".
pub(crate) fn day(language: Language, at: Millis) -> String {
    format_date(
        float(at),
        language,
        &[("day", "numeric"), ("month", "long"), ("year", "numeric")],
    )
}

/// "12 March 2026, 14:05".
pub(crate) fn moment(language: Language, at: Millis) -> String {
    format_date(
        float(at),
        language,
        &[
            ("day", "numeric"),
            ("month", "long"),
            ("year", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
        ],
    )
}

/// "14:05".
pub(crate) fn time(language: Language, at: Millis) -> String {
    let whole = format_date(
        float(at),
        language,
        &[
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("day", "2-digit"),
        ],
    );
    // Date formatting always leads with the day when asked for a time alone.
    whole
        .split_once([',', ' '])
        .map_or(whole.clone(), |(_, time)| time.trim().to_owned())
}

/// A FHIR date, as exact as it is.
pub(crate) fn clinical_date(language: Language, date: &str) -> String {
    let day = date.split('T').next().unwrap_or_default();
    let options: &[(&str, &str)] = match day.len() {
        10 => &[
            ("day", "numeric"),
            ("month", "long"),
            ("year", "numeric"),
            ("timeZone", "UTC"),
        ],
        7 => &[("month", "long"), ("year", "numeric"), ("timeZone", "UTC")],
        _ => return day.to_owned(),
    };
    let millis = js_sys::Date::parse(day);
    if millis.is_nan() {
        day.to_owned()
    } else {
        format_date(millis, language, options)
    }
}

/// "3.4 MB", in powers of 1000 as file listings have it.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes.saturating_mul(10) / unit;
            return if tenths >= 100 || tenths % 10 == 0 {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} B")
}

/// "42 %".
pub(crate) fn percent(done: u64, total: u64) -> String {
    let share = u128::from(done.min(total)) * 100 / u128::from(total.max(1));
    format!("{share} %")
}

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

/// Up to two letters for a round badge.
pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter(|word| !word.ends_with('.'))
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

pub(crate) fn trust(t: &'static Texts, trust: Trust) -> &'static str {
    match trust {
        Trust::Own => t.trust_own,
        Trust::Pinned => t.trust_pinned,
        Trust::Certified => t.trust_certified,
        Trust::Unknown => t.trust_unknown,
        Trust::Changed => t.trust_changed,
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
pub(crate) const CATEGORIES: [Category; 7] = [
    Category::Conditions,
    Category::Medications,
    Category::Results,
    Category::Immunizations,
    Category::Visits,
    Category::Documents,
    Category::General,
];

pub(crate) fn category(t: &'static Texts, category: Category) -> &'static str {
    match category {
        Category::Conditions => t.category_conditions,
        Category::Medications => t.category_medications,
        Category::Results => t.category_results,
        Category::Immunizations => t.category_immunizations,
        Category::Visits => t.category_visits,
        Category::Documents => t.category_documents,
        Category::General => t.category_general,
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

pub(crate) fn actor(t: &'static Texts, actor: &Actor) -> String {
    match actor {
        Actor::You => t.you.to_owned(),
        Actor::Person(who) => person(t, who),
        Actor::Pseudonym(code) => fill(t.actor_pseudonym, &[("code", code)]),
        Actor::Vault => t.actor_vault.to_owned(),
        Actor::Admin => t.actor_admin.to_owned(),
    }
}

/// An audit entry as a sentence without its actor, and a name for tests.
pub(crate) fn audit(t: &'static Texts, entry: &AuditEntry) -> (String, &'static str) {
    let n = u64::from(entry.count);
    let (text, name) = match entry.kind {
        AuditKind::AccountCreated => (t.audit_account_created, "account-created"),
        AuditKind::SlotAdded => (t.audit_slot_added, "slot-added"),
        AuditKind::SlotRemoved => (t.audit_slot_removed, "slot-removed"),
        AuditKind::IdentityRotated => (t.audit_identity_rotated, "identity-rotated"),
        AuditKind::PrincipalsChanged => (t.audit_principals_changed, "principals-changed"),
        AuditKind::CompartmentAdded => (t.audit_compartment_added, "compartment-added"),
        AuditKind::EpochAdvanced => (t.audit_epoch_advanced, "epoch-advanced"),
        AuditKind::RecordAdded => (t.audit_record_added, "record-added"),
        AuditKind::RecordAmended => (t.audit_record_amended, "record-amended"),
        AuditKind::RecordFiled => (t.audit_record_filed, "record-filed"),
        AuditKind::RecordErased => (t.audit_record_erased, "record-erased"),
        AuditKind::RecordsListed => {
            return (
                count(n, t.audit_listed_one, t.audit_listed_many),
                "records-listed",
            );
        }
        AuditKind::RecordOpened => (t.audit_record_opened, "record-opened"),
        AuditKind::AccessAsked => (t.audit_access_asked, "access-asked"),
        AuditKind::RequestApproved => (t.audit_request_approved, "request-approved"),
        AuditKind::RequestDenied => (t.audit_request_denied, "request-denied"),
        AuditKind::GrantGiven => (t.audit_grant_given, "grant-given"),
        AuditKind::GrantRevoked => (t.audit_grant_revoked, "grant-revoked"),
        AuditKind::Refused => (t.audit_refused, "refused"),
        AuditKind::Invited => (t.audit_invited, "invited"),
        AuditKind::ProviderRegistered => (t.audit_provider_registered, "provider-registered"),
        AuditKind::VaultChanged => (t.audit_vault_changed, "vault-changed"),
        AuditKind::Other => (t.audit_other, "other"),
    };
    (text.to_owned(), name)
}

/// A defect in plain words, and a name for tests.
pub(crate) fn defect(t: &'static Texts, defect: &Defect) -> (String, &'static str) {
    let at = |text: &str, sequence: &u64| fill(text, &[("n", &sequence.to_string())]);
    match defect {
        Defect::BrokenLink { sequence } => (at(t.defect_broken, sequence), "broken-link"),
        Defect::Gap { sequence } => (at(t.defect_gap, sequence), "gap"),
        Defect::RolledBack { sequence } => (at(t.defect_rolled_back, sequence), "rolled-back"),
        Defect::Certificate => (t.defect_certificate.to_owned(), "certificate"),
        Defect::Stale => (t.defect_stale.to_owned(), "stale"),
        Defect::HeadMismatch => (t.defect_head.to_owned(), "head-mismatch"),
    }
}

/// A notification with its person filled in, and a name for tests.
pub(crate) fn notification(
    t: &'static Texts,
    kind: NotificationKind,
    who: &str,
) -> (String, &'static str) {
    let (text, name) = match kind {
        NotificationKind::RequestReceived => (t.note_request_received, "request-received"),
        NotificationKind::RequestApproved => (t.note_request_approved, "request-approved"),
        NotificationKind::RequestDenied => (t.note_request_denied, "request-denied"),
        NotificationKind::GrantReceived => (t.note_grant_received, "grant-received"),
        NotificationKind::GrantRevoked => (t.note_grant_revoked, "grant-revoked"),
        NotificationKind::RecordReceived => (t.note_record_received, "record-received"),
        NotificationKind::RecordOpened => (t.note_record_opened, "record-opened"),
        NotificationKind::SecurityChanged => (t.note_security_changed, "security-changed"),
        NotificationKind::Other => (t.note_other, "other"),
    };
    (fill(text, &[("who", who)]), name)
}

/// A failure's title and what to do about it.
pub(crate) fn failure(t: &'static Texts, failure: &Failure) -> (String, String) {
    let (title, advice) = match &failure.kind {
        FailureKind::NotSignedIn => (t.failure_not_signed_in, t.failure_not_signed_in_advice),
        FailureKind::Locked => (t.failure_locked, t.failure_locked_advice),
        FailureKind::WrongPhrase => (t.failure_wrong_phrase, t.failure_wrong_phrase_advice),
        FailureKind::NotFound => (t.failure_not_found, t.failure_not_found_advice),
        FailureKind::Expired => (t.failure_expired, t.failure_expired_advice),
        FailureKind::Conflict => (t.failure_conflict, t.failure_conflict_advice),
        FailureKind::StaleHead => (t.failure_stale, t.failure_stale_advice),
        FailureKind::Quota => (t.failure_quota, t.failure_quota_advice),
        FailureKind::TooLarge { limit } => {
            let advice = fill(t.failure_too_large_advice, &[("limit", &size(*limit))]);
            return (t.failure_too_large.to_owned(), advice);
        }
        FailureKind::Network => (t.failure_network, t.failure_network_advice),
        FailureKind::Integrity => (t.failure_integrity, t.failure_integrity_advice),
        FailureKind::Invalid { .. } => (t.failure_invalid, t.failure_invalid_advice),
        FailureKind::Cancelled => (t.failure_cancelled, t.failure_cancelled_advice),
        FailureKind::Unsupported => (t.failure_unsupported, t.failure_unsupported_advice),
        FailureKind::Internal => (t.failure_internal, t.failure_internal_advice),
        FailureKind::Refused => (t.failure_refused, t.failure_refused_advice),
    };
    match failure.message_key.as_str() {
        "failure-popup" => (
            t.failure_popup.to_owned(),
            t.failure_popup_advice.to_owned(),
        ),
        "failure-window-closed" => (
            t.failure_window.to_owned(),
            t.failure_window_advice.to_owned(),
        ),
        "failure-start" => (
            t.failure_start.to_owned(),
            t.failure_start_advice.to_owned(),
        ),
        _ => (title.to_owned(), advice.to_owned()),
    }
}

/// A kind of failure as tests name it.
pub(crate) fn failure_name(kind: &FailureKind) -> &'static str {
    match kind {
        FailureKind::NotSignedIn => "not-signed-in",
        FailureKind::Locked => "locked",
        FailureKind::WrongPhrase => "wrong-phrase",
        FailureKind::NotFound => "not-found",
        FailureKind::Expired => "expired",
        FailureKind::Conflict => "conflict",
        FailureKind::StaleHead => "stale-head",
        FailureKind::Quota => "quota",
        FailureKind::TooLarge { .. } => "too-large",
        FailureKind::Network => "network",
        FailureKind::Integrity => "integrity",
        FailureKind::Invalid { .. } => "invalid",
        FailureKind::Cancelled => "cancelled",
        FailureKind::Unsupported => "unsupported",
        FailureKind::Internal => "internal",
        FailureKind::Refused => "refused",
    }
}

/// The dark modules of a QR code as the path of an SVG, four modules in from each side.
pub(crate) fn qr_path(qr: &Qr) -> String {
    let side = usize::from(qr.side);
    let dark = |place: usize| {
        qr.modules
            .get(place / 8)
            .is_some_and(|byte| byte & (0x80 >> (place % 8)) != 0)
    };
    let mut path = String::new();
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let start = x;
            while x < side && dark(y * side + x) {
                x += 1;
            }
            if x > start {
                // Writing to a string cannot fail.
                let _ = write!(
                    path,
                    "M{} {}h{}v1h-{}z",
                    start + 4,
                    y + 4,
                    x - start,
                    x - start
                );
            }
            x += 1;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_filled_and_stray_braces_survive() {
        assert_eq!(
            fill("a {x} b {y}", &[("x", "1"), ("y", "{x}")]),
            "a 1 b {x}"
        );
        assert_eq!(fill("a { b", &[]), "a { b");
        assert_eq!(fill("{gone}!", &[]), "!");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1 KB");
        assert_eq!(size(1_250_000), "1.2 MB");
        assert_eq!(size(26_214_400), "26 MB");
    }

    #[test]
    fn percent_never_exceeds_a_hundred() {
        assert_eq!(percent(1, 3), "33 %");
        assert_eq!(percent(9, 3), "100 %");
        assert_eq!(percent(0, 0), "0 %");
    }

    #[test]
    fn initials_pass_over_titles() {
        assert_eq!(initials("Dr. María Ruiz"), "MR");
        assert_eq!(initials("ana"), "A");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn principals_are_shortened_in_the_middle() {
        assert_eq!(short("aaaaa-bbbbb-ccccc-ddddd-eee"), "aaaaa…eee");
        assert_eq!(short("aaaaa-aa"), "aaaaa-aa");
    }

    #[test]
    fn qr_modules_become_runs() {
        // Two rows of two: dark dark / light dark.
        let qr = Qr {
            side: 2,
            modules: vec![0b1101_0000],
        };
        assert_eq!(qr_path(&qr), "M4 4h2v1h-2zM5 5h1v1h-1z");
    }
}
