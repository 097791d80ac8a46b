//! A vault that lies about the audit trail: each lie has its refusal.

use super::super::*;
use salus_types::Hash;
use salus_types::api::{AuditItem, AuditPage};

#[test]
fn an_audit_trail_that_was_cut_or_bent_is_refused() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        let lies = patient.device.lies.clone();
        lies.alter::<AuditPage>("audit_page", |page| {
            if let AuditItem::Entry(bytes) = &mut page.entries[2] {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            }
        });
        let bent = patient.own.audit_trail(&Quiet).await;
        assert!(matches!(integrity(bent), IntegrityError::Broken { .. }));
        lies.alter::<AuditPage>("audit_page", |page| {
            page.entries.remove(2);
        });
        let gap = patient.own.audit_trail(&Quiet).await;
        assert!(matches!(integrity(gap), IntegrityError::Broken { .. }));
        lies.alter::<AuditPage>("audit_page", |page| {
            page.entries[2] = AuditItem::Hidden(Hash([1; 32]));
        });
        let hidden = patient.own.audit_trail(&Quiet).await;
        assert!(matches!(integrity(hidden), IntegrityError::Broken { .. }));
        lies.alter::<AuditPage>("audit_page", |page| {
            page.names[0].account = salus_client::AccountId([9; 16]);
        });
        let renamed = patient.own.audit_trail(&Quiet).await;
        assert_eq!(integrity(renamed), IntegrityError::Pseudonym);
        lies.stop();
        let whole = patient.own.audit_trail(&Quiet).await.unwrap();
        assert!(whole.verification.entries > 3);
    });
}

#[test]
fn a_trail_cut_short_is_refused_even_by_who_remembers_nothing() {
    run(async {
        let world = World::new();
        let (patient, _, _) = granted(&world).await;
        // Entries and head cut alike, so that they agree: the certificate does not.
        patient
            .device
            .lies
            .alter::<AuditPage>("audit_page", |page| {
                let keep = if page.entries.len() > 2 { 2 } else { 0 };
                page.entries.truncate(keep);
                page.head = salus_protocol::chain::EMPTY;
                for entry in &page.entries {
                    let AuditItem::Entry(bytes) = entry else {
                        panic!("the owner sees all entries")
                    };
                    let hash = salus_protocol::chain::entry_hash(bytes);
                    let label = salus_protocol::chain::AUDIT_LABEL;
                    page.head = salus_protocol::chain::extend(label, &page.head, &hash);
                }
            });
        let cut = patient.own.audit_trail(&Quiet).await;
        assert_eq!(
            integrity(cut),
            IntegrityError::NotCertified {
                chain: Chain::Audit
            }
        );
    });
}
