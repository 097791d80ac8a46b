//! What happened, in sentences: the audit trail, its defects, notifications. Each also has
//! a name that tests go by.

use crate::texts::Texts;
use crate::words::{count, fill, person};
use salus_messages::{Actor, AuditEntry, AuditKind, Defect, NotificationKind};

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
        AuditKind::KeysPassedOn => (t.audit_keys_passed_on, "keys-passed-on"),
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
        AuditKind::EpochsAdvanced => (t.audit_epochs_advanced, "epochs-advanced"),
        AuditKind::KeysPinned => (t.audit_keys_pinned, "keys-pinned"),
        AuditKind::Unlocked => (t.audit_unlocked, "unlocked"),
        AuditKind::Other => (t.audit_other, "other"),
        AuditKind::DevicePaired => (t.audit_device_paired, "device-paired"),
        AuditKind::PairingEnded => (t.audit_pairing_ended, "pairing-ended"),
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
