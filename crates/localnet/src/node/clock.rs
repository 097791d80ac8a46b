//! Two clocks. Agents and certificates live by the machine's; canisters by one that tests may
//! move ahead, so that expiry inside a canister can be tried without breaking the protocol
//! around it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clocks.
pub(crate) struct Clock {
    ahead: AtomicU64,
    /// Where canisters' clock stands; zero while it goes.
    standing: AtomicU64,
    last: AtomicU64,
}

impl Clock {
    /// Canisters' clock `ahead` ns before the machine's.
    pub(crate) fn new(ahead: u64) -> Self {
        Self {
            ahead: AtomicU64::new(ahead),
            standing: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// ns since 1970 by the machine.
    pub(crate) fn wire() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }

    /// ns since 1970 as canisters see it; grows with every call.
    pub(crate) fn canisters(&self) -> u64 {
        let now = match self.standing.load(Ordering::SeqCst) {
            0 => Self::wire().saturating_add(self.ahead.load(Ordering::SeqCst)),
            standing => standing,
        };
        let before = self.last.fetch_max(now, Ordering::SeqCst);
        if before >= now {
            self.last.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            now
        }
    }

    /// How far canisters' clock is ahead, ns.
    pub(crate) fn ahead(&self) -> u64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Moves canisters' clock; how far ahead it is now, when it goes.
    pub(crate) fn advance(&self, ns: u64) -> u64 {
        if self.standing.load(Ordering::SeqCst) != 0 {
            self.standing.fetch_add(ns, Ordering::SeqCst);
            return self.ahead();
        }
        self.ahead.fetch_add(ns, Ordering::SeqCst) + ns
    }

    /// Has canisters' clock stand at a moment, but for the nanosecond it grows with every look;
    /// false when canisters have seen a later one.
    pub(crate) fn stand(&self, at: u64) -> bool {
        let possible = at > self.last.load(Ordering::SeqCst);
        if possible {
            self.standing.store(at, Ordering::SeqCst);
        }
        possible
    }

    /// Has canisters' clock go on from where it stands; how far ahead it is now.
    pub(crate) fn go(&self) -> u64 {
        let standing = self.standing.swap(0, Ordering::SeqCst);
        if standing != 0 {
            let ahead = standing.saturating_sub(Self::wire());
            self.ahead.store(ahead, Ordering::SeqCst);
        }
        self.ahead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_moves_and_goes_on() {
        let clock = Clock::new(0);
        let at = Clock::wire() + 3_600_000_000_000;
        assert!(clock.stand(at));
        assert_eq!(clock.canisters(), at);
        assert_eq!(clock.canisters(), at + 1);
        clock.advance(1_000);
        assert_eq!(clock.canisters(), at + 1_000);
        assert!(!clock.stand(at), "time does not go back");
        let ahead = clock.go();
        assert!(ahead <= 3_600_000_001_000);
        assert!(clock.canisters() > at + 1_000);
    }
}
