//! Pairings: who may take which step, once, and how many are kept for how long.

use crate::api;
use crate::runtime::Call;
use crate::testing::*;
use candid::Principal;
use salus_protocol::chain::AuditEvent;
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{Change, Slot, SlotKind};
use salus_protocol::pairing::{Answer, PairingCode};
use salus_protocol::request::Claim;
use salus_types::api::{PairingAnswer, PairingFinish, PairingOffer, PairingReveal, Signed};
use salus_types::{Error, Hash, SlotId, limits};
use serde_bytes::ByteBuf;

/// The n-th code there is.
fn code(n: usize) -> u64 {
    let codes = (1..).filter_map(PairingCode::new);
    codes.map(PairingCode::number).nth(n).unwrap()
}

fn device(n: u8, now: u64) -> Call {
    Call {
        caller: Principal::from_slice(&[200, n]),
        now,
    }
}

fn answer(person: &Person, code: u64) -> Answer {
    Answer {
        vault: vault_id().as_slice().to_vec(),
        code,
        account: person.id,
        genesis: person.genesis,
        nonce: [4; 32],
    }
}

fn answering(person: &Person, code: u64) -> PairingAnswer {
    PairingAnswer {
        code,
        commitment: answer(person, code).commitment(),
    }
}

fn offering(code: u64) -> PairingOffer {
    PairingOffer {
        code,
        slot: SlotId([7; 16]),
        kind: 1,
        sealing: ByteBuf::from(sealing_key()),
        anchor: ByteBuf::from(vec![8; 104]),
        nonce: ByteBuf::from(vec![9; 32]),
    }
}

fn revealing(code: u64) -> PairingReveal {
    PairingReveal {
        code,
        nonce: ByteBuf::from(vec![4; 32]),
    }
}

fn finishing(code: u64, claim: Option<Signed>) -> PairingFinish {
    PairingFinish { code, claim }
}

fn claim(person: &Person, principal: &Principal) -> Signed {
    let claim = Claim {
        vault: vault_id().as_slice().to_vec(),
        account: person.id,
        principal: principal.as_slice().to_vec(),
        by: Authority::Identity,
        at: NOW,
    };
    sign(&person.signing, &claim)
}

pub(super) fn slot() -> Change {
    Change::AddSlot {
        slot: Slot {
            id: SlotId([7; 16]),
            kind: SlotKind::Browser,
            sealing: sealing_key(),
            anchor: vec![8; 104],
            wrap: vec![2; 80],
            label: Vec::new(),
            parameters: None,
        },
    }
}

fn conflict() -> Error {
    Error::Conflict {
        what: "pairing".into(),
    }
}

/// As far as the slot that was added.
fn revealed(vault: &mut TestVault, alice: &mut Person, new: &Call, code: u64) {
    api::pairing_begin(vault, new, code).unwrap();
    api::pairing_answer(vault, &alice.call(), answering(alice, code)).unwrap();
    api::pairing_offer(vault, new, offering(code)).unwrap();
    api::pairing_reveal(vault, &alice.call(), revealing(code)).unwrap();
}

#[test]
fn every_step_is_taken_once_and_the_same_again_changes_nothing() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let (new, code) = (device(1, NOW), code(0));
    for _ in 0..2 {
        let until = api::pairing_begin(&mut vault, &new, code).unwrap();
        assert_eq!(until, NOW + limits::PAIRING_LIFE_MS);
    }
    let error = refused(&mut vault, |v| api::pairing_offer(v, &new, offering(code)));
    assert_eq!(error, conflict(), "before an answer");
    for _ in 0..2 {
        api::pairing_answer(&mut vault, &alice.call(), answering(&alice, code)).unwrap();
    }
    let reveal = revealing(code);
    let error = refused(&mut vault, |v| {
        api::pairing_reveal(v, &alice.call(), reveal)
    });
    assert_eq!(error, conflict(), "before an offer");
    let mut other = answering(&alice, code);
    other.commitment = Hash([1; 32]);
    let error = refused(&mut vault, |v| api::pairing_answer(v, &alice.call(), other));
    assert_eq!(error, conflict(), "another answer");
    for _ in 0..2 {
        api::pairing_offer(&mut vault, &new, offering(code)).unwrap();
    }
    let mut other = offering(code);
    other.nonce[0] ^= 1;
    let error = refused(&mut vault, |v| api::pairing_offer(v, &new, other));
    assert_eq!(error, conflict(), "another offer");
    let mut other = revealing(code);
    other.nonce[0] ^= 1;
    let error = refused(&mut vault, |v| api::pairing_reveal(v, &alice.call(), other));
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let finish = finishing(code, None);
    let error = refused(&mut vault, |v| {
        api::pairing_finish(v, &alice.call(), finish)
    });
    assert_eq!(error, conflict(), "before it is revealed");
    for _ in 0..2 {
        api::pairing_reveal(&mut vault, &alice.call(), revealing(code)).unwrap();
    }
    let finish = finishing(code, None);
    let error = refused(&mut vault, |v| {
        api::pairing_finish(v, &alice.call(), finish)
    });
    assert_eq!(error, conflict(), "before the slot is added");
    alice.append(&mut vault, slot(), Vec::new()).unwrap();
    let mallory = claim(&alice, &alice.principal);
    let finish = finishing(code, Some(mallory));
    let error = refused(&mut vault, |v| {
        api::pairing_finish(v, &alice.call(), finish)
    });
    assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    let audit = api::account_show(&vault, &alice.call())
        .unwrap()
        .audit
        .count;
    for _ in 0..2 {
        let finish = finishing(code, Some(claim(&alice, &new.caller)));
        api::pairing_finish(&mut vault, &alice.call(), finish).unwrap();
        let now = api::account_show(&vault, &alice.call())
            .unwrap()
            .audit
            .count;
        assert_eq!(now, audit + 1);
    }
    for party in [&new, &alice.call()] {
        let error = refused(&mut vault, |v| api::pairing_end(v, party, code));
        assert_eq!(error, conflict(), "once it is finished");
    }
    let view = api::pairing_show(&vault, &new, code).unwrap();
    assert!(view.finished && !view.ended);
    api::principal_claim(&mut vault, &new, view.claim.unwrap()).unwrap();
    assert_eq!(api::account_show(&vault, &new).unwrap().account, alice.id);
}

#[test]
fn nobody_but_the_two_parties_takes_a_step_or_sees_one() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    let (new, code) = (device(1, NOW), code(0));
    revealed(&mut vault, &mut alice, &new, code);
    let stranger = device(2, NOW);
    let error = refused(&mut vault, |v| api::pairing_begin(v, &stranger, code));
    assert_eq!(error, conflict());
    let error = refused(&mut vault, |v| {
        api::pairing_answer(v, &stranger, answering(&alice, code))
    });
    assert_eq!(error, Error::NotFound, "without an account");
    for other in [stranger, bob.call()] {
        let error = refused(&mut vault, |v| {
            api::pairing_offer(v, &other, offering(code))
        });
        assert_eq!(error, Error::NotFound);
        let error = refused(&mut vault, |v| api::pairing_end(v, &other, code));
        assert_eq!(error, Error::NotFound);
        let error = refused(&mut vault, |v| {
            api::pairing_reveal(v, &other, revealing(code))
        });
        assert_eq!(error, Error::NotFound);
        let error = refused(&mut vault, |v| {
            api::pairing_finish(v, &other, finishing(code, None))
        });
        assert_eq!(error, Error::NotFound);
        let error = api::pairing_show(&vault, &other, code).unwrap_err();
        assert_eq!(error, Error::NotFound);
    }
    let anonymous = Call {
        caller: Principal::anonymous(),
        now: NOW,
    };
    let error = refused(&mut vault, |v| api::pairing_begin(v, &anonymous, code));
    assert_eq!(error, Error::Anonymous);
    let error = api::pairing_show(&vault, &anonymous, code).unwrap_err();
    assert_eq!(error, Error::Anonymous);
}

#[test]
fn what_is_no_code_and_no_slot_is_refused() {
    let mut vault = new_vault();
    let alice = Person::opened(&mut vault, 1);
    let (new, code) = (device(1, NOW), code(0));
    let none = (0..).find(|n| PairingCode::new(*n).is_none()).unwrap();
    for number in [none, 1 << 40, u64::MAX] {
        let error = refused(&mut vault, |v| api::pairing_begin(v, &new, number));
        assert!(matches!(error, Error::Invalid { .. }), "{error:?}");
    }
    api::pairing_begin(&mut vault, &new, code).unwrap();
    api::pairing_answer(&mut vault, &alice.call(), answering(&alice, code)).unwrap();
    let changes: [fn(&mut PairingOffer); 5] = [
        |offer| offer.kind = 0,
        |offer| offer.kind = 200,
        |offer| offer.sealing.truncate(1215),
        |offer| offer.anchor.resize(105, 0),
        |offer| offer.nonce.truncate(31),
    ];
    for change in changes {
        let mut offer = offering(code);
        change(&mut offer);
        refused(&mut vault, |v| api::pairing_offer(v, &new, offer));
    }
}

#[test]
fn a_device_of_another_account_and_a_full_account_are_refused() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let bob = Person::opened(&mut vault, 2);
    api::pairing_begin(&mut vault, &bob.call(), code(0)).unwrap();
    let args = answering(&alice, code(0));
    let error = refused(&mut vault, |v| api::pairing_answer(v, &alice.call(), args));
    let principal = Error::Conflict {
        what: "principal".into(),
    };
    assert_eq!(error, principal);
    for n in 0..limits::SLOTS as u8 - 1 {
        let Change::AddSlot { mut slot } = slot() else {
            panic!("a slot")
        };
        slot.id = SlotId([n + 100; 16]);
        alice
            .append(&mut vault, Change::AddSlot { slot }, Vec::new())
            .unwrap();
    }
    api::pairing_begin(&mut vault, &device(1, NOW), code(1)).unwrap();
    let args = answering(&alice, code(1));
    let error = refused(&mut vault, |v| api::pairing_answer(v, &alice.call(), args));
    assert!(matches!(error, Error::TooMany { .. }), "{error:?}");
}

#[test]
fn a_caller_has_a_few_and_the_vault_forgets_all_of_them() {
    let mut vault = new_vault();
    let most = limits::PAIRINGS_BEGUN as usize;
    for n in 0..most {
        api::pairing_begin(&mut vault, &device(1, NOW), code(n)).unwrap();
    }
    let error = refused(&mut vault, |v| {
        api::pairing_begin(v, &device(1, NOW), code(most))
    });
    assert!(matches!(error, Error::TooMany { .. }), "{error:?}");
    // Ending one does not make room: a code is used once.
    api::pairing_end(&mut vault, &device(1, NOW), code(0)).unwrap();
    refused(&mut vault, |v| {
        api::pairing_begin(v, &device(1, NOW), code(most))
    });
    api::pairing_begin(&mut vault, &device(2, NOW), code(most)).unwrap();
    let kept = vault.settings.pairings;
    assert_eq!(kept, Some(limits::PAIRINGS_BEGUN + 1));

    let later = NOW + limits::PAIRING_LIFE_MS;
    let rows = |vault: &TestVault| -> u64 { vault.store.rows().map(|(_, rows)| rows).sum() };
    let before = rows(&vault);
    api::tend(&mut vault, later - 1).unwrap();
    assert_eq!(rows(&vault), before, "not before their time");
    assert!(!api::tend(&mut vault, later).unwrap());
    assert_eq!(vault.settings.pairings, Some(0));
    assert_eq!(rows(&vault), before - 3 * (limits::PAIRINGS_BEGUN + 1));
    api::pairing_begin(&mut vault, &device(1, later), code(0)).unwrap();
}

#[test]
fn a_full_vault_says_so_and_has_room_again_later() {
    let mut vault = new_vault();
    api::pairing_begin(&mut vault, &device(1, NOW), code(0)).unwrap();
    vault.settings.pairings = Some(limits::PAIRINGS);
    let error = refused(&mut vault, |v| {
        api::pairing_begin(v, &device(2, NOW), code(1))
    });
    assert!(matches!(error, Error::Temporary { .. }), "{error:?}");
    let later = NOW + limits::PAIRING_LIFE_MS;
    api::pairing_begin(&mut vault, &device(2, later), code(1)).unwrap();
}

#[test]
fn an_account_s_trail_tells_of_a_pairing_it_ended() {
    let mut vault = new_vault();
    let mut alice = Person::opened(&mut vault, 1);
    let (new, code) = (device(1, NOW), code(0));
    revealed(&mut vault, &mut alice, &new, code);
    let before = api::account_show(&vault, &alice.call())
        .unwrap()
        .audit
        .count;
    for _ in 0..2 {
        api::pairing_end(&mut vault, &alice.call(), code).unwrap();
    }
    let view = api::pairing_show(&vault, &new, code).unwrap();
    assert!(view.ended && view.offer.is_none() && view.nonce.is_none());
    let entries = super::release::audit(&vault, &alice, &alice);
    assert_eq!(entries.len() as u64, before + 1);
    assert_eq!(entries.last().unwrap().event, AuditEvent::PairingEnded);
    alice.append(&mut vault, slot(), Vec::new()).unwrap();
    let finish = finishing(code, None);
    let error = refused(&mut vault, |v| {
        api::pairing_finish(v, &alice.call(), finish)
    });
    assert!(matches!(error, Error::Expired { .. }), "{error:?}");
}
