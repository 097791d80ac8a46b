//! What two people compare, and what it refuses.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use salus_protocol::safety::{CodeError, Party, SafetyCode, half, is_number, number};
use salus_types::{AccountId, Hash};

fn party(n: u8) -> Party {
    Party {
        account: AccountId([n; 16]),
        genesis: Hash([n; 32]),
    }
}

#[test]
fn both_sides_see_one_number_of_sixty_digits() {
    let (one, other) = (Hash([1; 32]), Hash([2; 32]));
    let seen = number(&one, &other);
    assert_eq!(seen, number(&other, &one));
    let groups: Vec<&str> = seen.split(' ').collect();
    assert_eq!(groups.len(), 12);
    assert!(groups.iter().all(|g| g.len() == 5));
    assert_eq!(seen, format!("{} {}", half(&one), half(&other)));
    // Another account on either side gives another number.
    let third = Hash([3; 32]);
    assert_ne!(seen, number(&third, &other));
    assert_ne!(seen, number(&one, &third));
}

#[test]
fn what_is_typed_may_be_spaced_otherwise_but_not_be_otherwise() {
    let seen = number(&Hash([1; 32]), &Hash([2; 32]));
    let close: String = seen.split(' ').collect();
    assert!(is_number(&seen, &seen) && is_number(&close, &seen));
    assert!(is_number(&seen.replace(' ', "-\n"), &seen));
    let mut other = close.clone().into_bytes();
    other[59] = if other[59] == b'0' { b'1' } else { b'0' };
    let other = String::from_utf8(other).expect("digits");
    assert!(!is_number(&other, &seen));
    assert!(!is_number(&close[..55], &seen), "a part is not enough");
    assert!(!is_number(&format!("{close}x"), &seen));
    assert!(!is_number("", &seen));
}

#[test]
fn a_code_confirms_both_sides_or_says_what_is_wrong() {
    let shown = SafetyCode {
        vault: vec![7],
        by: party(1),
        of: party(2),
    };
    let code = SafetyCode::from_bytes(&shown.to_bytes()).expect("a code");
    assert_eq!(code.confirms(&[7], &party(1), &party(2)), Ok(()));
    let keys = |party: Party| Party {
        genesis: Hash([9; 32]),
        ..party
    };
    for (vault, seen, own, expected) in [
        ([8], party(1), party(2), CodeError::OtherVault),
        ([7], party(3), party(2), CodeError::OtherAccount),
        ([7], party(1), party(3), CodeError::NotForYou),
        ([7], keys(party(1)), party(2), CodeError::TheirKeys),
        ([7], party(1), keys(party(2)), CodeError::YourKeys),
    ] {
        assert_eq!(code.confirms(&vault, &seen, &own), Err(expected));
    }
}

#[test]
fn nothing_else_is_a_code() {
    let whole = SafetyCode {
        vault: vec![7],
        by: party(1),
        of: party(2),
    }
    .to_bytes();
    for cut in 0..whole.len() {
        let short = whole.get(..cut).expect("a part");
        assert_eq!(SafetyCode::from_bytes(short), Err(CodeError::NotACode));
    }
    let long = [whole.as_slice(), &[0]].concat();
    assert_eq!(SafetyCode::from_bytes(&long), Err(CodeError::NotACode));
}
