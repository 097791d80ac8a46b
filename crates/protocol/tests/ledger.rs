//! Which operations may follow which.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::*;
use salus_protocol::canonical;
use salus_protocol::chain::EMPTY;
use salus_protocol::ledger::*;
use salus_types::api::Head;
use salus_types::{CompartmentId, GrantId, Hash, RequestId, SlotId, limits};

const LINK: Hash = Hash([1; 32]);
const LINKS: Links = Links {
    before: LINK,
    in_force: LINK,
};

#[derive(Clone)]
struct Ledger {
    state: LedgerState,
    head: Head,
}

impl Ledger {
    fn opened() -> Self {
        let mut ledger = Self {
            state: LedgerState::default(),
            head: EMPTY,
        };
        ledger.push(opening()).expect("open");
        ledger
    }

    fn push(&mut self, change: Change) -> Result<(), LedgerError> {
        let previous = (self.head.count > 0).then_some(self.head.hash);
        let op = op(self.head.count, previous, LINK, change);
        let before = self.state.clone();
        match self
            .state
            .apply(&self.head, &LINKS, &op, &canonical::encode(&op))
        {
            Ok(folded) => {
                assert!(!folded.false_checkpoint);
                self.head = folded.head;
                Ok(())
            }
            Err(e) => {
                assert_eq!(before, self.state, "a refused operation changes nothing");
                Err(e)
            }
        }
    }
}

fn advance(n: u8, epoch: u32) -> EpochAdvance {
    EpochAdvance {
        compartment: CompartmentId([n; 16]),
        epoch,
        kid: Hash([n; 32]),
        wrap: vec![n; 100],
    }
}

#[test]
fn an_account_opens_once_with_a_recovery_slot() {
    let mut ledger = Ledger {
        state: LedgerState::default(),
        head: EMPTY,
    };
    assert_eq!(ledger.push(granting(1)), Err(LedgerError::Open));
    let without = Change::Open {
        slots: vec![slot(2, SlotKind::Browser)],
        bundle: vec![1],
        compartments: vec![],
    };
    assert_eq!(ledger.push(without), Err(LedgerError::Recovery));
    ledger.push(opening()).expect("open");
    assert_eq!(ledger.push(opening()), Err(LedgerError::Open));
    assert_eq!(ledger.state.generation, 1);
}

#[test]
fn an_operation_names_the_head_and_the_link_in_force() {
    let mut ledger = Ledger::opened();
    let deny = Change::Deny {
        request: RequestId([1; 16]),
    };
    for (seq, previous, link, expected) in [
        (0, None, LINK, LedgerError::Stale),
        (2, Some(ledger.head.hash), LINK, LedgerError::Stale),
        (1, None, LINK, LedgerError::Stale),
        (1, Some(Hash([7; 32])), LINK, LedgerError::Stale),
        (1, Some(ledger.head.hash), Hash([7; 32]), LedgerError::Link),
    ] {
        let op = op(seq, previous, link, deny.clone());
        let got = ledger
            .state
            .apply(&ledger.head, &LINKS, &op, &canonical::encode(&op));
        assert_eq!(got, Err(expected));
    }
    ledger.push(deny).expect("the right one");
}

#[test]
fn a_grant_is_given_once_reissued_in_order_and_revoked_once() {
    let mut ledger = Ledger::opened();
    ledger.push(granting(1)).expect("grant");
    assert_eq!(ledger.push(granting(1)), Err(LedgerError::Exists("grant")));
    let reissue = |revision| Change::Reissue {
        reissues: vec![entry(1, revision)],
    };
    assert_eq!(
        ledger.push(reissue(3)),
        Err(LedgerError::Sequence("revision"))
    );
    ledger.push(reissue(2)).expect("second revision");
    let mut other = entry(1, 3);
    other.grantee = account(9);
    assert_eq!(
        ledger.push(Change::Reissue {
            reissues: vec![other]
        }),
        Err(LedgerError::Malformed("grant"))
    );
    let revoke = Change::Revoke {
        grant: GrantId([1; 16]),
        epochs: vec![advance(1, 2)],
        reissues: vec![],
    };
    ledger.push(revoke.clone()).expect("revoke");
    assert_eq!(ledger.state.epoch(&CompartmentId([1; 16])), Some(2));
    assert_eq!(ledger.push(revoke), Err(LedgerError::Unknown("grant")));
    assert_eq!(ledger.push(reissue(3)), Err(LedgerError::Unknown("grant")));
    assert_eq!(ledger.state.live_grants(), 0);
}

#[test]
fn epochs_advance_by_one() {
    let mut ledger = Ledger::opened();
    ledger.push(granting(1)).expect("grant");
    for (epochs, expected) in [
        (vec![advance(1, 1)], LedgerError::Sequence("epoch")),
        (vec![advance(1, 3)], LedgerError::Sequence("epoch")),
        (vec![advance(9, 2)], LedgerError::Unknown("compartment")),
        (
            vec![advance(1, 2), advance(1, 2)],
            LedgerError::Exists("epoch"),
        ),
    ] {
        let change = Change::Revoke {
            grant: GrantId([1; 16]),
            epochs,
            reissues: vec![],
        };
        assert_eq!(ledger.push(change), Err(expected));
    }
}

#[test]
fn live_grants_are_bounded() {
    let mut ledger = Ledger::opened();
    let mut given = 0u64;
    loop {
        let mut entry = entry(1, 1);
        entry.id.0[..8].copy_from_slice(&given.to_be_bytes());
        let change = Change::Grant {
            grant: entry,
            request: None,
            pin: Pin {
                account: account(2),
                genesis: LINK,
                link: LINK,
                by: None,
            },
        };
        match ledger.push(change) {
            Ok(()) => given += 1,
            Err(LedgerError::Checkpoint) => {
                let state = ledger.state.fingerprint();
                ledger
                    .push(Change::Checkpoint { state })
                    .expect("checkpoint when due");
            }
            Err(e) => {
                assert_eq!(
                    (e, given),
                    (LedgerError::TooMany("grants"), limits::LIVE_GRANTS)
                );
                return;
            }
        }
    }
}

#[test]
fn a_checkpoint_vouches_for_the_state_and_stands_where_it_is_due() {
    let mut ledger = Ledger::opened();
    let state = ledger.state.fingerprint();
    assert_eq!(
        ledger.push(Change::Checkpoint { state }),
        Err(LedgerError::Checkpoint)
    );
    while ledger.head.count < limits::CHECKPOINT_EVERY {
        ledger
            .push(Change::Deny {
                request: RequestId([1; 16]),
            })
            .expect("filler");
    }
    assert_eq!(
        ledger.push(Change::Deny {
            request: RequestId([1; 16])
        }),
        Err(LedgerError::Checkpoint)
    );
    // A false one changes nothing, and is told.
    let mut falsified = ledger.clone();
    let state = Hash([0; 32]);
    let op = op(
        ledger.head.count,
        Some(ledger.head.hash),
        LINK,
        Change::Checkpoint { state },
    );
    let bytes = canonical::encode(&op);
    let folded = falsified.state.apply(&ledger.head, &LINKS, &op, &bytes);
    assert!(folded.expect("what the vault takes").false_checkpoint);
    assert_eq!(falsified.state, ledger.state);
    // A thief who could refuse the checkpoint must not keep the recovery key from rotating.
    let mut overridden = ledger.clone();
    overridden
        .push(Change::Rotate {
            link: LINK,
            bundle: vec![1],
        })
        .expect("rotation");
    let state = ledger.state.fingerprint();
    ledger
        .push(Change::Checkpoint { state })
        .expect("checkpoint");
}

#[test]
fn a_rotation_to_the_link_in_force_changes_nothing() {
    let mut ledger = Ledger::opened();
    let next = Hash([2; 32]);
    for (before, changes) in [(next, false), (LINK, true)] {
        let mut state = ledger.state.clone();
        let links = Links {
            before,
            in_force: next,
        };
        let rotate = Change::Rotate {
            link: next,
            bundle: vec![9; 9],
        };
        let op = op(ledger.head.count, Some(ledger.head.hash), next, rotate);
        let folded = state.apply(&ledger.head, &links, &op, &canonical::encode(&op));
        assert_eq!(folded.expect("rotation").head.count, 2);
        assert_eq!(state != ledger.state, changes);
    }
    ledger.push(granting(1)).expect("what follows");
}

#[test]
fn a_rekey_reaches_every_slot_that_stays_and_never_drops_recovery() {
    let rewrap = |n: u8| CompartmentRewrap {
        compartment: CompartmentId([n; 16]),
        name: vec![n; 10],
        wraps: vec![Wrap(vec![n; 10])],
    };
    let wrap = |n: u8| SlotWrap {
        slot: SlotId([n; 16]),
        wrap: vec![n + 100; 40],
    };
    let rekey = |generation, removed: &[u8], slots: Vec<SlotWrap>, compartments| Change::Rekey {
        generation,
        removed: removed.iter().map(|n| SlotId([*n; 16])).collect(),
        slots,
        bundle: vec![8; 10],
        compartments,
    };
    let both = || vec![rewrap(1), rewrap(2)];
    let mut ledger = Ledger::opened();
    for (change, expected) in [
        (
            rekey(1, &[2], vec![wrap(1)], both()),
            LedgerError::Sequence("generation"),
        ),
        (
            rekey(3, &[2], vec![wrap(1)], both()),
            LedgerError::Sequence("generation"),
        ),
        (
            rekey(2, &[9], vec![wrap(1)], both()),
            LedgerError::Unknown("slot"),
        ),
        (
            rekey(2, &[], vec![wrap(1)], both()),
            LedgerError::Incomplete("slots"),
        ),
        (
            rekey(2, &[2], vec![wrap(1), wrap(2)], both()),
            LedgerError::Incomplete("slots"),
        ),
        (rekey(2, &[1], vec![wrap(2)], both()), LedgerError::Recovery),
        (
            rekey(2, &[2], vec![wrap(1)], vec![rewrap(1)]),
            LedgerError::Incomplete("compartments"),
        ),
    ] {
        assert_eq!(ledger.push(change), Err(expected));
    }
    ledger
        .push(rekey(2, &[2], vec![wrap(1)], both()))
        .expect("rekey");
    assert_eq!(ledger.state.generation, 2);
    assert_eq!(ledger.state.slots.len(), 1);
    assert_eq!(ledger.state.slots[&SlotId([1; 16])].wrap, vec![101; 40]);

    // An epoch's key may stay as it is, and under which master key that is is kept.
    for (generation, sealed, kept) in [
        (3, vec![], Some(2)),
        (4, vec![], Some(2)),
        (5, vec![8; 10], None),
    ] {
        let first = CompartmentRewrap {
            wraps: vec![Wrap(sealed.clone())],
            ..rewrap(1)
        };
        let change = rekey(generation, &[], vec![wrap(1)], vec![first, rewrap(2)]);
        ledger.push(change).expect("rekey");
        let epoch = &ledger.state.compartments[&CompartmentId([1; 16])].epochs[0];
        assert_eq!(epoch.generation, kept);
        let expected = if kept.is_some() { vec![1; 10] } else { sealed };
        assert_eq!(epoch.wrap, expected);
    }
}

#[test]
fn no_compartment_may_be_the_drop_box() {
    let mut ledger = Ledger::opened();
    let compartment = NewCompartment {
        id: CompartmentId::DROP_BOX,
        ..compartment(3)
    };
    assert_eq!(
        ledger.push(Change::AddCompartment {
            compartment,
            reissues: vec![]
        }),
        Err(LedgerError::Malformed("compartment"))
    );
}

#[test]
fn epochs_advance_one_by_one_without_a_revocation() {
    let mut ledger = Ledger::opened();
    ledger.push(granting(1)).expect("grant");
    let push =
        |ledger: &mut Ledger, epochs, reissues| ledger.push(Change::Advance { epochs, reissues });
    let incomplete = push(&mut ledger, vec![], vec![]);
    assert_eq!(incomplete, Err(LedgerError::Incomplete("epochs")));
    let skipped = push(&mut ledger, vec![advance(1, 3)], vec![]);
    assert_eq!(skipped, Err(LedgerError::Sequence("epoch")));
    let unknown = push(&mut ledger, vec![advance(9, 2)], vec![]);
    assert_eq!(unknown, Err(LedgerError::Unknown("compartment")));
    let twice = push(&mut ledger, vec![advance(1, 2), advance(1, 2)], vec![]);
    assert_eq!(twice, Err(LedgerError::Exists("epoch")));
    let unsealed = EpochAdvance {
        wrap: vec![],
        ..advance(1, 2)
    };
    let unsealed = push(&mut ledger, vec![unsealed], vec![]);
    assert_eq!(unsealed, Err(LedgerError::Malformed("epoch key")));
    let order = push(&mut ledger, vec![advance(1, 2)], vec![entry(1, 3)]);
    assert_eq!(order, Err(LedgerError::Sequence("revision")));
    push(&mut ledger, vec![advance(1, 2)], vec![entry(1, 2)]).expect("advance");
    let compartment = &ledger.state.compartments[&CompartmentId([1; 16])];
    assert_eq!(compartment.epochs.len(), 2);
    let grant = &ledger.state.grants[&GrantId([1; 16])];
    assert_eq!((grant.entry.revision, grant.revoked), (2, false));
}

fn passkey(credential: usize) -> SlotParameters {
    SlotParameters::Passkey(PasskeyParameters {
        credential: vec![1; credential],
        salt: [2; 32],
    })
}

fn passphrase(memory_kib: u32, passes: u32) -> SlotParameters {
    SlotParameters::Passphrase(PassphraseParameters {
        memory_kib,
        passes,
        salt: [3; 32],
        second: SecondSecretKind::Sheet,
    })
}

#[test]
fn a_slot_has_the_parameters_its_kind_needs_and_no_others() {
    use ParametersError::*;
    let (memory, passes) = (limits::PASSPHRASE_MEMORY_KIB, limits::PASSPHRASE_PASSES);
    let fine = || passphrase(memory.0, passes.0);
    for (kind, parameters, expected) in [
        (SlotKind::Passkey, None, Missing),
        (SlotKind::Passphrase, None, Missing),
        (SlotKind::Passkey, Some(fine()), Kind),
        (SlotKind::Passphrase, Some(passkey(16)), Kind),
        (SlotKind::Recovery, Some(fine()), Kind),
        (SlotKind::Browser, Some(passkey(16)), Kind),
        (SlotKind::File, Some(fine()), Kind),
        (SlotKind::Passkey, Some(passkey(0)), Credential),
        (SlotKind::Passkey, Some(passkey(1024)), Credential),
        (
            SlotKind::Passphrase,
            Some(passphrase(memory.0 - 1, passes.0)),
            BelowFloor,
        ),
        (
            SlotKind::Passphrase,
            Some(passphrase(memory.0, passes.0 - 1)),
            BelowFloor,
        ),
        (
            SlotKind::Passphrase,
            Some(passphrase(memory.1 + 1, passes.0)),
            AboveCeiling,
        ),
        (
            SlotKind::Passphrase,
            Some(passphrase(memory.0, passes.1 + 1)),
            AboveCeiling,
        ),
    ] {
        let slot = Slot {
            parameters,
            ..slot(3, kind)
        };
        let mut ledger = Ledger::opened();
        let add = Change::AddSlot { slot: slot.clone() };
        assert_eq!(ledger.push(add), Err(LedgerError::Parameters(expected)));
        // An account opens with no such slot either.
        let mut fresh = Ledger {
            state: LedgerState::default(),
            head: EMPTY,
        };
        let Change::Open {
            mut slots,
            bundle,
            compartments,
        } = opening()
        else {
            unreachable!("an opening opens");
        };
        slots.push(slot);
        let open = Change::Open {
            slots,
            bundle,
            compartments,
        };
        assert_eq!(fresh.push(open), Err(LedgerError::Parameters(expected)));
    }
    for (n, kind, parameters) in [
        (3, SlotKind::Passkey, passkey(1)),
        (4, SlotKind::Passkey, passkey(1023)),
        (5, SlotKind::Passphrase, fine()),
        (6, SlotKind::Passphrase, passphrase(memory.1, passes.1)),
    ] {
        let mut ledger = Ledger::opened();
        let slot = Slot {
            parameters: Some(parameters.clone()),
            ..slot(n, kind)
        };
        let id = slot.id;
        ledger.push(Change::AddSlot { slot }).expect("slot");
        let kept = &ledger.state.slots[&id].parameters;
        assert_eq!(kept.as_ref(), Some(&parameters));
    }
}

#[test]
fn a_passkey_or_a_passphrase_is_never_the_only_way() {
    for (kind, parameters) in [
        (SlotKind::Passkey, passkey(16)),
        (SlotKind::Passphrase, passphrase(1 << 16, 3)),
    ] {
        let only = Slot {
            parameters: Some(parameters),
            ..slot(3, kind)
        };
        let mut fresh = Ledger {
            state: LedgerState::default(),
            head: EMPTY,
        };
        let open = Change::Open {
            slots: vec![only],
            bundle: vec![1],
            compartments: vec![],
        };
        assert_eq!(fresh.push(open), Err(LedgerError::Recovery));
    }
}

fn pin(n: u8, by: Option<PinnedBy>) -> Pin {
    Pin {
        account: account(n),
        genesis: Hash([n; 32]),
        link: Hash([n + 1; 32]),
        by,
    }
}

fn pinning(pin: Pin) -> Change {
    Change::Pin { pin }
}

fn granting_to(grant: u8, pin: Pin) -> Change {
    Change::Grant {
        grant: GrantEntry {
            grantee: pin.account,
            ..entry(grant, 1)
        },
        request: None,
        pin,
    }
}

#[test]
fn keys_are_pinned_with_how_and_only_someone_elses() {
    let mut ledger = Ledger::opened();
    let without = ledger.push(pinning(pin(2, None)));
    assert_eq!(without, Err(LedgerError::Malformed("pin")));
    let own = ledger.push(pinning(pin(1, Some(PinnedBy::Digits))));
    assert_eq!(own, Err(LedgerError::Malformed("pin")));
    let with_a_grant = ledger.push(granting_to(1, pin(2, Some(PinnedBy::Code))));
    assert_eq!(with_a_grant, Err(LedgerError::Malformed("pin")));
    let compared = pin(2, Some(PinnedBy::Digits));
    ledger.push(pinning(compared.clone())).expect("compared");
    assert_eq!(ledger.state.pins[&account(2)], compared);
    assert!(compared.is_verified());
    let accepted = Pin {
        genesis: Hash([9; 32]),
        ..pin(2, Some(PinnedBy::Acceptance))
    };
    ledger.push(pinning(accepted.clone())).expect("accepted");
    assert_eq!(ledger.state.pins[&account(2)], accepted);
    assert!(!accepted.is_verified());
}

#[test]
fn a_grant_keeps_what_was_compared_and_names_no_other_genesis() {
    let mut ledger = Ledger::opened();
    // Of a grant alone, another genesis is for the client to judge, as it always was.
    ledger.push(granting_to(1, pin(3, None))).expect("first");
    let other = Pin {
        genesis: Hash([9; 32]),
        ..pin(3, None)
    };
    ledger.push(granting_to(2, other)).expect("another");
    ledger
        .push(pinning(pin(2, Some(PinnedBy::Code))))
        .expect("compared");
    let other = Pin {
        genesis: Hash([9; 32]),
        ..pin(2, None)
    };
    assert_eq!(ledger.push(granting_to(3, other)), Err(LedgerError::Pinned));
    let rotated = Pin {
        link: Hash([8; 32]),
        ..pin(2, None)
    };
    ledger.push(granting_to(3, rotated)).expect("rotated");
    let kept = &ledger.state.pins[&account(2)];
    assert_eq!((kept.link, kept.by), (Hash([8; 32]), Some(PinnedBy::Code)));
}

#[test]
fn pins_are_bounded() {
    let mut ledger = Ledger::opened();
    let mut pinned = 0u64;
    loop {
        let mut pin = pin(2, Some(PinnedBy::Digits));
        pin.account.0[..8].copy_from_slice(&pinned.to_be_bytes());
        match ledger.push(pinning(pin)) {
            Ok(()) => pinned += 1,
            Err(LedgerError::Checkpoint) => {
                let state = ledger.state.fingerprint();
                let due = ledger.push(Change::Checkpoint { state });
                due.expect("checkpoint when due");
            }
            Err(e) => {
                assert_eq!((e, pinned), (LedgerError::TooMany("pins"), limits::PINS));
                break;
            }
        }
    }
    // One of them may be recorded anew, and grants are not held back.
    let mut again = pin(2, Some(PinnedBy::Acceptance));
    again.account.0[..8].copy_from_slice(&0u64.to_be_bytes());
    ledger.push(pinning(again)).expect("again");
    ledger.push(granting(1)).expect("grant");
}
