//! Calls under way: how many there are, how long bounded-wait calls are waited for, and what
//! happens when that is over.

use super::state::Canister;
use super::transaction::Transaction;
use crate::wire::response::Reject;
use candid::Principal;
use std::collections::BTreeMap;

const SECOND: u64 = 1_000_000_000;

/// When a call made at `now` (ns) is no longer waited for; zero for never.
pub(super) fn of(now: u64, timeout: Option<u32>) -> u64 {
    timeout.map_or(0, |seconds| now + u64::from(seconds) * SECOND)
}

/// The reject a caller gets who waited long enough: the call may or may not have been processed.
pub(super) fn expired() -> Reject {
    Reject::new(6, "IC0601", "Call deadline has expired.")
}

impl Canister {
    /// Calls under way, by whom they were made to.
    pub(crate) fn open_calls(&self) -> BTreeMap<Principal, usize> {
        let mut open = BTreeMap::new();
        for callee in self.callbacks.values().filter_map(|c| c.callee) {
            *open.entry(callee).or_default() += 1;
        }
        open
    }

    /// When the next answer is no longer waited for, ns.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let deadlines = self.callbacks.values().map(|callback| callback.deadline);
        deadlines.filter(|deadline| *deadline != 0).min()
    }
}

impl Transaction<'_> {
    /// Answers the calls of a canister whose deadlines are over.
    pub(super) fn expire(&mut self, id: Principal, now: u64) {
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let over: Vec<u64> = loaded
            .state
            .callbacks
            .iter()
            .filter(|(_, callback)| callback.deadline != 0 && callback.deadline <= now)
            .map(|(number, _)| *number)
            .collect();
        for callback in over {
            self.resume(id, callback, Err(expired()), 0);
        }
    }
}
