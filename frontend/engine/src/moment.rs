//! Whether something was a moment ago, by two clocks of which neither is to be trusted alone. Must not know
//! what it was.

/// How long a proof is good for: 5 minutes.
const GOOD_FOR_MS: f64 = 5.0 * 60_000.0;

/// A moment by two clocks, in milliseconds. The one can be set back; the other may stand still while
/// the machine sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Since 1970.
    pub(crate) wall: f64,
    /// Since the worker began.
    pub(crate) steady: f64,
}

impl Moment {
    /// Whether it is no longer ago than a proof is good for, by both clocks. What is still to come by
    /// either is not.
    pub(crate) fn is_fresh(self, now: Self) -> bool {
        let good = 0.0..=GOOD_FOR_MS;
        good.contains(&(now.wall - self.wall)) && good.contains(&(now.steady - self.steady))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: f64 = 60_000.0;

    fn after(wall: f64, steady: f64) -> bool {
        let at = Moment {
            wall: 1e12,
            steady: 1e6,
        };
        let now = Moment {
            wall: at.wall + wall,
            steady: at.steady + steady,
        };
        at.is_fresh(now)
    }

    #[test]
    fn a_proof_is_good_for_five_minutes_by_both_clocks() {
        assert!(after(0.0, 0.0) && after(5.0 * MINUTE, 5.0 * MINUTE));
        // Slept, or set back.
        assert!(!after(6.0 * MINUTE, 1.0));
        assert!(!after(1.0, 6.0 * MINUTE));
        assert!(!after(-3.0 * MINUTE, 6.0 * MINUTE));
    }

    #[test]
    fn a_proof_from_the_future_is_none() {
        assert!(!after(-1.0, 1.0) && !after(1.0, -1.0));
        assert!(!after(0.0, f64::NAN));
    }
}
