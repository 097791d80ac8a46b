//! Records of whose keys an owner compared or accepted.

use super::accounts::rotation;
use super::release::{audit, events};
use crate::api;
use crate::testing::*;
use salus_protocol::chain::AuditEvent;
use salus_protocol::grant::{READ, Scope};
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{Change, Pin, PinnedBy};
use salus_types::{AccountId, Error, Hash};

fn pin(of: &Person, by: PinnedBy) -> Pin {
    Pin {
        account: of.id,
        genesis: of.genesis,
        link: of.link,
        by: Some(by),
    }
}

fn record(vault: &mut TestVault, owner: &mut Person, pin: Pin) -> salus_types::Result<()> {
    owner
        .append(vault, Change::Pin { pin }, Vec::new())
        .map(drop)
}

#[test]
fn keys_in_force_of_someone_dealt_with_are_recorded_under_a_pseudonym() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let mut bob = Person::opened(&mut vault, 2);
    let stranger = Person::opened(&mut vault, 3);
    // Who has nothing to do with her answers as who does not exist.
    for nobody in [stranger.id, AccountId([200; 16])] {
        let pin = Pin {
            account: nobody,
            ..pin(&stranger, PinnedBy::Digits)
        };
        vault.settle();
        let error = record(&mut vault, &mut alice, pin).unwrap_err();
        assert_eq!(error, Error::NotFound);
        assert!(!vault.is_unsettled());
    }
    alice.give(&mut vault, &bob, Scope::Everything, READ);
    for (name, wrong) in [
        (
            "another genesis",
            Pin {
                genesis: Hash([1; 32]),
                ..pin(&bob, PinnedBy::Digits)
            },
        ),
        (
            "another link",
            Pin {
                link: Hash([1; 32]),
                ..pin(&bob, PinnedBy::Digits)
            },
        ),
        (
            "no reason",
            Pin {
                by: None,
                ..pin(&bob, PinnedBy::Digits)
            },
        ),
        ("her own", pin(&alice, PinnedBy::Digits)),
    ] {
        vault.settle();
        let error = record(&mut vault, &mut alice, wrong).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{name}: {error:?}");
        assert!(!vault.is_unsettled(), "{name}");
    }
    let compared = pin(&bob, PinnedBy::Digits);
    record(&mut vault, &mut alice, compared).unwrap();
    let rotated = rotation(&mut bob, Authority::Identity, 50);
    api::key_rotate(&mut vault, &bob.call(), rotated).unwrap();
    let accepted = pin(&bob, PinnedBy::Acceptance);
    record(&mut vault, &mut alice, accepted).unwrap();

    let trail = audit(&vault, &alice, &alice);
    let [.., first, second] = trail.as_slice() else {
        panic!("entries")
    };
    let both = [first, second];
    assert_eq!(events(&trail)[trail.len() - 2..], [AuditEvent::Pinned; 2]);
    assert!(both.iter().all(|entry| entry.other.is_some()));
    assert_eq!((first.other, first.subject), (second.other, None));
}

#[test]
fn an_account_recorded_twice_counts_once_and_grants_go_on() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    alice.give(&mut vault, &bob, Scope::Everything, READ);
    record(&mut vault, &mut alice, pin(&bob, PinnedBy::Code)).unwrap();
    let number = vault.account_number(&alice.id).unwrap().unwrap();
    assert_eq!(vault.account(number).unwrap().pins, Some(1));
    assert_eq!(vault.pinned(number, &bob.id).unwrap(), Some(bob.genesis));
    record(&mut vault, &mut alice, pin(&bob, PinnedBy::Digits)).unwrap();
    assert_eq!(vault.account(number).unwrap().pins, Some(1), "counted once");
    alice.give(&mut vault, &bob, Scope::Everything, READ);
}
