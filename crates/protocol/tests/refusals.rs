//! What is refused, each case named by its defect.

mod common;

use common::*;
use salus_protocol::canonical;
use salus_protocol::grant::{Grant, READ, Scope};
use salus_protocol::keychain::KeyLink;
use salus_protocol::ledger::LedgerOp;
use salus_protocol::request::*;
use salus_protocol::statement::*;
use salus_protocol::version::*;
use salus_types::Hash;
use salus_types::api::Signed;

/// Offers a statement to the verifier of another kind, with an honest signature of its own kind.
fn accepts<T: Statement>(signed: &Signed) -> bool {
    verify::<T>(signed, VAULT, &public(1)).is_ok()
}

/// Whether a verifier of kind `T` takes these bytes at all when they are signed under *its* label by
/// the right key: even then only its own kind's shape may pass.
fn signed_all() -> Vec<(&'static str, Signed)> {
    vec![
        (KeyLink::LABEL, sign(&genesis(1, 1), 1)),
        (
            LedgerOp::LABEL,
            sign(&op(0, None, Hash([1; 32]), opening()), 1),
        ),
        (Grant::LABEL, sign(&grant(Scope::Everything, READ), 1)),
        (Version::LABEL, sign(&version(), 1)),
        (Adoption::LABEL, sign(&adoption(), 1)),
        (Request::LABEL, sign(&request(), 1)),
        (Invitation::LABEL, sign(&invitation(), 1)),
        (DirectoryEntry::LABEL, sign(&directory_entry(), 1)),
        (Claim::LABEL, sign(&claim(), 1)),
        (Disclaim::LABEL, sign(&disclaim(), 1)),
    ]
}

type Verifier = (&'static str, fn(&Signed) -> bool);

#[test]
fn every_signed_type_offered_as_every_other_is_refused() {
    let verifiers: Vec<Verifier> = vec![
        (KeyLink::LABEL, accepts::<KeyLink>),
        (LedgerOp::LABEL, accepts::<LedgerOp>),
        (Grant::LABEL, accepts::<Grant>),
        (Version::LABEL, accepts::<Version>),
        (Adoption::LABEL, accepts::<Adoption>),
        (Request::LABEL, accepts::<Request>),
        (Invitation::LABEL, accepts::<Invitation>),
        (DirectoryEntry::LABEL, accepts::<DirectoryEntry>),
        (Claim::LABEL, accepts::<Claim>),
        (Disclaim::LABEL, accepts::<Disclaim>),
    ];
    let mut labels: Vec<&str> = verifiers.iter().map(|v| v.0).collect();
    labels.dedup();
    assert_eq!(labels.len(), verifiers.len(), "labels are distinct");
    for (made_as, signed) in signed_all() {
        for (offered_as, verifier) in &verifiers {
            assert_eq!(
                verifier(&signed),
                made_as == *offered_as,
                "{made_as} as {offered_as}"
            );
        }
    }
}

#[test]
fn a_claim_with_the_bytes_of_a_disclaim_needs_its_own_signature() {
    // The two have the same shape: only the label keeps them apart.
    let signed = sign(&disclaim(), 1);
    assert!(canonical::decode::<Claim>(&signed.statement).is_ok());
    assert!(!accepts::<Claim>(&signed));
}

#[test]
fn any_flipped_bit_is_refused() {
    let signed = sign(&version(), 1);
    for i in 0..signed.statement.len() {
        for bit in 0..8 {
            let mut bad = signed.clone();
            bad.statement[i] ^= 1 << bit;
            assert!(!accepts::<Version>(&bad), "statement byte {i} bit {bit}");
        }
    }
    for i in 0..64 {
        let mut bad = signed.clone();
        bad.signature[i] ^= 1;
        assert!(!accepts::<Version>(&bad), "signature byte {i}");
    }
}

#[test]
fn truncated_and_extended_statements_are_refused() {
    let signed = sign(&request(), 1);
    for end in 0..signed.statement.len() {
        assert!(canonical::decode::<Request>(&signed.statement[..end]).is_err());
    }
    let mut longer = signed.statement.to_vec();
    longer.push(0);
    assert!(canonical::decode::<Request>(&longer).is_err());
}

#[test]
fn another_encoding_of_the_same_value_is_refused() {
    let bytes = canonical::encode(&claim());
    // Map header a5 (5 entries) as b8 05, which most decoders read alike.
    assert_eq!(bytes[0], 0xa5);
    let mut other = vec![0xb8, 0x05];
    other.extend_from_slice(&bytes[1..]);
    assert!(minicbor::decode::<Claim>(&other).is_ok(), "it does decode");
    assert!(canonical::decode::<Claim>(&other).is_err());
    // An indefinite-length map.
    let mut other = vec![0xbf];
    other.extend_from_slice(&bytes[1..]);
    other.push(0xff);
    assert!(canonical::decode::<Claim>(&other).is_err());
    // An unknown field at the end.
    let mut other = vec![0xa6];
    other.extend_from_slice(&bytes[1..]);
    other.extend_from_slice(&[0x18, 0x63, 0x00]);
    assert!(canonical::decode::<Claim>(&other).is_err());
}

#[test]
fn a_statement_for_another_vault_is_refused() {
    let signed = sign(&version(), 1);
    assert_eq!(
        verify::<Version>(&signed, &[9], &public(1)),
        Err(StatementError::ForeignVault(Version::LABEL))
    );
}

#[test]
fn a_key_of_small_order_signs_nothing() {
    // The identity point: with it, a zero-s signature would verify for any message non-strictly.
    let mut weak = [0u8; 32];
    weak[0] = 1;
    let mut signature = [0u8; 64];
    signature[0] = 1;
    assert!(!signature_is_valid(&weak, b"anything", &signature));
}
