//! When the ways to unlock were last used.

use super::release::audit;
use crate::api;
use crate::runtime::Call;
use crate::testing::*;
use candid::Principal;
use salus_protocol::chain::AuditEvent;
use salus_types::api::SlotUse;
use salus_types::{Error, SlotId, limits};

fn unlocks(vault: &TestVault, person: &Person) -> Vec<(u64, Option<SlotId>)> {
    let entries = audit(vault, person, person);
    let unlocks = entries.iter().filter(|e| e.event == AuditEvent::Unlocked);
    unlocks.map(|e| (e.at, e.slot)).collect()
}

#[test]
fn a_slots_use_is_noted_once_an_hour_by_its_owner_alone() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let (own, others) = (SlotId([1; 16]), SlotId([2; 16]));
    let shown = |vault: &TestVault, who: &Person| {
        let info = api::account_show(vault, &who.call()).unwrap();
        info.slots
    };
    assert_eq!(shown(&vault, &alice), []);

    api::slot_used(&mut vault, &alice.call(), own).unwrap();
    let used = |at| [SlotUse { slot: own, at }];
    assert_eq!(shown(&vault, &alice), used(NOW));
    assert_eq!(unlocks(&vault, &alice), [(NOW, Some(own))]);

    // Once more within the hour changes nothing, however often.
    let last = NOW + limits::SLOT_USE_MS - 1;
    let before = api::account_show(&vault, &alice.call()).unwrap();
    for now in [NOW, NOW + 1, last] {
        vault.settle();
        api::slot_used(&mut vault, &alice.call_at(now), own).unwrap();
        assert!(!vault.is_unsettled());
    }
    assert_eq!(api::account_show(&vault, &alice.call()).unwrap(), before);
    let next = last + 1;
    api::slot_used(&mut vault, &alice.call_at(next), own).unwrap();
    assert_eq!(shown(&vault, &alice), used(next));
    assert_eq!(
        unlocks(&vault, &alice),
        [(NOW, Some(own)), (next, Some(own))]
    );

    // A slot that is another's, or nobody's; a stranger; nobody.
    let stranger = Principal::from_slice(&[88; 29]);
    for (caller, slot, expected) in [
        (alice.principal, others, Error::NotFound),
        (alice.principal, SlotId([9; 16]), Error::NotFound),
        (bob.principal, own, Error::NotFound),
        (stranger, own, Error::NotFound),
        (Principal::anonymous(), own, Error::Anonymous),
    ] {
        let call = Call {
            caller,
            now: next + limits::SLOT_USE_MS,
        };
        let error = refused(&mut vault, |v| api::slot_used(v, &call, slot));
        assert_eq!(error, expected);
    }
    assert_eq!(unlocks(&vault, &alice).len(), 2);
    assert_eq!(unlocks(&vault, &bob), []);
}
