//! Rotation, override and theft, as the key chain decides them.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::*;
use salus_protocol::keychain::{Authority, ChainError, KeyChain, KeyLink};
use salus_protocol::statement::StatementError;

const OWNER: u8 = 1;
const RECOVERY: u8 = 2;
const THIEF: u8 = 66;

fn chain() -> (KeyChain, KeyLink) {
    let first = genesis(OWNER, RECOVERY);
    let chain = KeyChain::genesis(&sign_link(&first, RECOVERY, OWNER), VAULT).expect("genesis");
    (chain, first)
}

#[test]
fn genesis_needs_the_recovery_key_and_possession() {
    let first = genesis(OWNER, RECOVERY);
    for (authoriser, own) in [(OWNER, OWNER), (RECOVERY, RECOVERY), (THIEF, OWNER)] {
        assert!(matches!(
            KeyChain::genesis(&sign_link(&first, authoriser, own), VAULT),
            Err(ChainError::Statement(StatementError::BadSignature(_)))
        ));
    }
}

#[test]
fn a_zero_x25519_half_or_a_short_key_is_refused() {
    for sealing in [vec![], vec![9; 1215], [vec![9; 1184], vec![0; 32]].concat()] {
        let link = KeyLink {
            sealing,
            ..genesis(OWNER, RECOVERY)
        };
        assert_eq!(
            KeyChain::genesis(&sign_link(&link, RECOVERY, OWNER), VAULT),
            Err(ChainError::MalformedKey)
        );
    }
}

#[test]
fn rotation_is_signed_by_the_predecessor() {
    let (mut chain, first) = chain();
    let second = next(&first, 3, Authority::Identity);
    assert!(
        chain
            .clone()
            .append(&sign_link(&second, THIEF, 3), VAULT)
            .is_err()
    );
    assert!(
        chain
            .clone()
            .append(&sign_link(&second, RECOVERY, 3), VAULT)
            .is_err()
    );
    assert_eq!(chain.append(&sign_link(&second, OWNER, 3), VAULT), Ok(1));
    let third = next(&second, 4, Authority::Identity);
    assert!(
        chain.append(&sign_link(&third, OWNER, 4), VAULT).is_err(),
        "the old key is out"
    );
    assert_eq!(chain.append(&sign_link(&third, 3, 4), VAULT), Ok(2));
}

#[test]
fn a_thief_cannot_change_the_recovery_key() {
    let (mut chain, first) = chain();
    let stolen = KeyLink {
        recovery: public(THIEF),
        ..next(&first, THIEF, Authority::Identity)
    };
    assert_eq!(
        chain.append(&sign_link(&stolen, OWNER, THIEF), VAULT),
        Err(ChainError::RecoveryChanged)
    );
}

#[test]
fn a_thief_who_rotates_first_is_overruled_and_stays_out() {
    let (mut chain, first) = chain();
    let stolen = next(&first, THIEF, Authority::Identity);
    chain
        .append(&sign_link(&stolen, OWNER, THIEF), VAULT)
        .expect("the thief holds the key");
    let more = next(&stolen, THIEF + 1, Authority::Identity);
    chain
        .append(&sign_link(&more, THIEF, THIEF + 1), VAULT)
        .expect("and again");
    let (pinned, recovery_at) = chain.pin();

    let rescue = next(&first, 5, Authority::Recovery);
    assert_eq!(chain.append(&sign_link(&rescue, RECOVERY, 5), VAULT), Ok(1));
    assert_eq!(chain.links().len(), 2);
    chain
        .check_pinned(&pinned, recovery_at)
        .expect("counterparties follow the override");

    for by in [THIEF, THIEF + 1, OWNER] {
        let again = next(&rescue, THIEF, Authority::Identity);
        assert!(chain.append(&sign_link(&again, by, THIEF), VAULT).is_err());
    }
    // Who has seen the rescue cannot be led back to the thief's chain.
    let (pinned, recovery_at) = chain.pin();
    let thiefs = KeyChain::verify(
        &[
            sign_link(&first, RECOVERY, OWNER),
            sign_link(&stolen, OWNER, THIEF),
        ],
        VAULT,
    )
    .expect("valid on its own");
    assert_eq!(
        thiefs.check_pinned(&pinned, recovery_at),
        Err(ChainError::Diverged)
    );
}

#[test]
fn nothing_overrides_a_recovery_link() {
    let (mut chain, first) = chain();
    let rescue = next(&first, 5, Authority::Recovery);
    chain
        .append(&sign_link(&rescue, RECOVERY, 5), VAULT)
        .expect("rescue");
    let other = next(&first, 6, Authority::Recovery);
    assert_eq!(
        chain.append(&sign_link(&other, RECOVERY, 6), VAULT),
        Err(ChainError::OutOfPlace)
    );
}

#[test]
fn a_rolled_back_or_foreign_chain_is_not_what_was_pinned() {
    let (mut chain, first) = chain();
    let second = next(&first, 3, Authority::Identity);
    chain
        .append(&sign_link(&second, OWNER, 3), VAULT)
        .expect("rotate");
    let (pinned, recovery_at) = chain.pin();
    let old = KeyChain::verify(&[sign_link(&first, RECOVERY, OWNER)], VAULT).expect("prefix");
    assert_eq!(
        old.check_pinned(&pinned, recovery_at),
        Err(ChainError::Diverged)
    );
    let stranger = genesis(7, 8);
    let other = KeyChain::verify(&[sign_link(&stranger, 8, 7)], VAULT).expect("valid");
    assert_eq!(
        other.check_pinned(&pinned, recovery_at),
        Err(ChainError::Diverged)
    );
}
