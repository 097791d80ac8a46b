//! How often one caller may call. Kept in the heap and forgotten by an upgrade: it bounds cost,
//! it guards nothing. Must not know what is called.

use crate::runtime::Call;
use candid::Principal;
use salus_types::{Error, Result};
use std::collections::HashMap;

/// Length of the window in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Updates of one caller in a window: 200 a second, several times what one browser uploading over
/// the platform's two-second updates can reach. A batch counts as many as it holds: what is bounded
/// is work, not messages.
const UPDATES_PER_WINDOW: u32 = 12_000;
/// Callers remembered in a window; each takes about 100 bytes of heap.
const CALLERS: usize = 200_000;

/// Counts of the current window.
#[derive(Default)]
pub(crate) struct Rates {
    since: u64,
    counts: HashMap<Principal, u32>,
}

impl Rates {
    /// Counts a call that does the work of so many. One that does not fit into what is left of the
    /// window is not counted at all.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when the caller, or everyone together, has used up the window.
    pub(crate) fn count(&mut self, call: &Call, times: u32) -> Result<()> {
        if call.now.saturating_sub(self.since) >= WINDOW_MS {
            self.since = call.now;
            self.counts.clear();
        }
        let left = (self.since + WINDOW_MS).saturating_sub(call.now);
        let limited = Error::RateLimited {
            retry_after_s: left.div_ceil(1000),
        };
        if let Some(count) = self.counts.get_mut(&call.caller) {
            if times > UPDATES_PER_WINDOW.saturating_sub(*count) {
                return Err(limited);
            }
            *count += times;
            return Ok(());
        }
        if self.counts.len() >= CALLERS {
            return Err(limited);
        }
        self.counts.insert(call.caller, times);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_limited_alone_and_for_one_window() {
        let mut rates = Rates::default();
        let call = |n: u8, now| Call {
            caller: Principal::from_slice(&[n]),
            now,
        };
        for _ in 0..UPDATES_PER_WINDOW {
            rates.count(&call(1, 100_000), 1).unwrap();
        }
        let refused = rates.count(&call(1, 100_500), 1).unwrap_err();
        assert_eq!(refused, Error::RateLimited { retry_after_s: 60 });
        rates.count(&call(2, 100_500), 1).unwrap();
        rates.count(&call(1, 160_000), 1).unwrap();
    }

    #[test]
    fn a_call_that_does_more_than_is_left_does_nothing() {
        let mut rates = Rates::default();
        let call = Call {
            caller: Principal::from_slice(&[1]),
            now: 100_000,
        };
        rates.count(&call, UPDATES_PER_WINDOW - 5).unwrap();
        rates.count(&call, 6).unwrap_err();
        rates.count(&call, 5).unwrap();
        rates.count(&call, 1).unwrap_err();
    }
}
