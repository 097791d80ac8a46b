//! How fast an audit chain is verified natively. The entries are synthetic and each different.

use crate::report::Report;
use anyhow::{Result, ensure};
use salus_protocol::canonical;
use salus_protocol::chain::{
    AUDIT_LABEL, AuditEntry, AuditEvent, EMPTY, Link, entry_hash, extend, follow_audit, pseudonym,
};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId};
use std::time::{Duration, Instant};

/// Entries in all, and at a time as a client gets them.
const ENTRIES: u64 = 1_000_000;
const PAGE: u64 = 1_000;

fn entry(seq: u64) -> AuditEntry {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&seq.to_be_bytes());
    AuditEntry {
        seq,
        at: 1_800_000_000_000 + seq,
        event: AuditEvent::Opened,
        actor: Some(pseudonym(&[3; 32], &AccountId([4; 16]))),
        other: None,
        grant: Some(GrantId([5; 16])),
        request: None,
        compartment: Some(CompartmentId([6; 16])),
        record: Some(RecordId(id)),
        version: Some(1),
        slot: None,
        count: None,
        subject: Some(Hash([7; 32])),
    }
}

/// Measures how fast a chain of a million entries is verified.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let (mut made, mut head) = (EMPTY, EMPTY);
    let mut spent = Duration::ZERO;
    for page in 0..ENTRIES / PAGE {
        let entries: Vec<Vec<u8>> = (page * PAGE..(page + 1) * PAGE)
            .map(|seq| canonical::encode(&entry(seq)))
            .collect();
        for bytes in &entries {
            made = extend(AUDIT_LABEL, &made, &entry_hash(bytes));
        }
        let began = Instant::now();
        let (read, next) = follow_audit(&head, entries.iter().map(|e| Link::Entry(e)))?;
        spent += began.elapsed();
        ensure!(read.len() as u64 == PAGE, "entries were lost");
        head = next;
    }
    ensure!(head == made, "the chain does not end in its head");
    report.budgeted(
        "verification, native",
        "audit chain of 1,000,000 entries",
        ENTRIES as f64 / spent.as_secs_f64(),
        "entries/s",
        200_000.0,
    );
    Ok(())
}
