//! Feeds and audit chains: what verifies, and every way of lying about them.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::*;
use salus_protocol::canonical;
use salus_protocol::chain::*;
use salus_types::RecordId;

fn entries(n: u64) -> Vec<Vec<u8>> {
    (0..n)
        .map(|seq| {
            canonical::encode(&AuditEntry {
                seq,
                at: seq,
                event: AuditEvent::Listed,
                actor: Some(pseudonym(&[1; 32], &account(2))),
                other: None,
                grant: None,
                request: None,
                compartment: None,
                record: Some(RecordId([1; 16])),
                version: None,
                slot: None,
                count: Some(1),
                subject: None,
            })
        })
        .collect()
}

fn full(bytes: &[Vec<u8>]) -> Vec<Link<'_>> {
    bytes.iter().map(|b| Link::Entry(b)).collect()
}

#[test]
fn hidden_entries_verify_like_visible_ones() {
    let all = entries(5);
    let (_, head) = follow_audit(&EMPTY, full(&all)).expect("follows");
    let mut some = full(&all);
    some[1] = Link::Hidden(entry_hash(&all[1]));
    some[4] = Link::Hidden(entry_hash(&all[4]));
    let (seen, same) = follow_audit(&EMPTY, some).expect("follows");
    assert_eq!((same, seen.len()), (head, 3));
}

#[test]
fn omitted_reordered_altered_and_repeated_entries_are_noticed() {
    let all = entries(4);
    let (_, head) = follow_audit(&EMPTY, full(&all)).expect("follows");
    let mut omitted = all.clone();
    omitted.remove(1);
    assert_eq!(
        follow_audit(&EMPTY, full(&omitted)),
        Err(LinkError::OutOfPlace(1))
    );
    let mut reordered = all.clone();
    reordered.swap(1, 2);
    assert_eq!(
        follow_audit(&EMPTY, full(&reordered)),
        Err(LinkError::OutOfPlace(1))
    );
    let mut altered = all.clone();
    *altered[3].last_mut().expect("bytes") ^= 2;
    assert_ne!(
        follow_audit(&EMPTY, full(&altered)).map(|f| f.1),
        Ok(head.clone())
    );
    let (_, short) = follow_audit(&EMPTY, full(&all[..3])).expect("a prefix follows");
    assert_ne!(short, head);
    // A hidden entry replaced by another hash.
    let mut forged = full(&all);
    forged[2] = Link::Hidden(salus_types::Hash([9; 32]));
    assert_ne!(follow_audit(&EMPTY, forged).map(|f| f.1), Ok(head));
}

#[test]
fn feeds_and_audit_chains_are_different_chains() {
    let entry = entry_hash(b"the same bytes");
    assert_ne!(
        extend(AUDIT_LABEL, &EMPTY, &entry),
        extend(FEED_LABEL, &EMPTY, &entry)
    );
}

#[test]
fn pseudonyms_differ_by_salt_and_account() {
    let one = pseudonym(&[1; 32], &account(1));
    assert_ne!(one, pseudonym(&[2; 32], &account(1)));
    assert_ne!(one, pseudonym(&[1; 32], &account(2)));
}
