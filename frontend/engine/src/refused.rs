//! What this device refused because it contradicts what it remembers, and what it found in other hands, as
//! the page is told. Must not decide what is refused.

use salus_client::{Chain, CompartmentId, IntegrityError, Refusal, Verdict};
use salus_messages::{AccountId, Contradiction, FailureKind, Remembered};

/// A refusal.
pub(crate) fn refusal(refusal: &Refusal) -> FailureKind {
    if refusal.verdict == Verdict::Behind {
        return FailureKind::Behind;
    }
    let (chain, known, shown) = match refusal.error {
        IntegrityError::RolledBack { chain, known, seen } => (chain, Some(known), Some(seen)),
        IntegrityError::Forked { chain, at } => {
            let count = at.saturating_add(1);
            (chain, Some(count), Some(count))
        }
        IntegrityError::NotCertified { chain } => (chain, None, None),
        // What else is weighed is a record left out of a feed, or put into one.
        _ => (Chain::Feed(CompartmentId([0; 16])), None, None),
    };
    FailureKind::Contradicted(Box::new(Contradiction {
        account: AccountId(refusal.account.to_string()),
        of: match chain {
            Chain::Ledger => Remembered::Decisions,
            Chain::Audit => Remembered::Activity,
            Chain::Feed(_) => Remembered::Records,
            Chain::Keys(_) => Remembered::Keys,
        },
        known,
        shown,
        known_at: refusal.remembered_at,
        shown_at: refusal.certified_at,
        proven: refusal.evidence.is_some(),
    }))
}

/// Something that does not fit.
pub(crate) const fn integrity(error: &IntegrityError) -> FailureKind {
    match error {
        // The ledger is signed and certified, and still not what its owner's secret opens.
        IntegrityError::Slot { .. } | IntegrityError::Bundle => FailureKind::TakenOver,
        _ => FailureKind::Integrity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_client::SlotId;

    fn refused(verdict: Verdict, evidence: Option<Vec<u8>>) -> FailureKind {
        refusal(&Refusal {
            error: IntegrityError::RolledBack {
                chain: Chain::Audit,
                known: 7,
                seen: 5,
            },
            account: salus_client::AccountId([1; 16]),
            verdict,
            remembered_at: Some(2_000),
            certified_at: Some(3_000),
            refused_at: 4_000,
            evidence,
        })
    }

    #[test]
    fn what_is_only_behind_accuses_nobody() {
        assert_eq!(refused(Verdict::Behind, None), FailureKind::Behind);
    }

    #[test]
    fn a_rollback_is_told_in_figures_and_as_proven() {
        let FailureKind::Contradicted(what) = refused(Verdict::Vault, Some(vec![1])) else {
            panic!("not told");
        };
        assert_eq!(what.of, Remembered::Activity);
        assert_eq!((what.known, what.shown), (Some(7), Some(5)));
        assert_eq!((what.known_at, what.shown_at), (Some(2_000), Some(3_000)));
        assert!(what.proven);
        let FailureKind::Contradicted(what) = refused(Verdict::Answer, None) else {
            panic!("not told");
        };
        assert!(!what.proven);
    }

    #[test]
    fn keys_that_somebody_replaced_are_not_a_damaged_answer() {
        let slot = SlotId([2; 16]);
        for error in [IntegrityError::Slot { slot }, IntegrityError::Bundle] {
            assert_eq!(integrity(&error), FailureKind::TakenOver);
        }
        assert_eq!(
            integrity(&IntegrityError::LedgerKeys),
            FailureKind::Integrity
        );
    }
}
