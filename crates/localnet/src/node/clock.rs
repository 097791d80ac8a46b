//! Two clocks. Agents and certificates live by the machine's; canisters by one that tests may
//! move ahead, so that expiry inside a canister can be tried without breaking the protocol
//! around it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clocks.
pub(crate) struct Clock {
    ahead: AtomicU64,
    last: AtomicU64,
}

impl Clock {
    /// Canisters' clock `ahead` ns before the machine's.
    pub(crate) fn new(ahead: u64) -> Self {
        Self {
            ahead: AtomicU64::new(ahead),
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
        let now = Self::wire().saturating_add(self.ahead.load(Ordering::SeqCst));
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

    /// Moves canisters' clock; how far ahead it is now.
    pub(crate) fn advance(&self, ns: u64) -> u64 {
        self.ahead.fetch_add(ns, Ordering::SeqCst) + ns
    }
}
