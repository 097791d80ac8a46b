//! What executions cost, in instructions: all of each canister together, and the latest one by
//! one, for benchmarks, when that is asked for. Kept in memory only; must not change what executes.

use crate::exec::host::Trap;
use crate::exec::run::Finished;
use candid::Principal;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many executions of each canister are remembered.
const REMEMBERED: usize = 10_000;

/// One execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cost {
    /// The method; empty for callbacks, timers and installations.
    pub(crate) method: String,
    /// What ran: `update`, `query`, `replicated_query`, `inspect`, `callback`, `cleanup`, `timer`,
    /// `install`, `pre_upgrade` or `post_upgrade`.
    pub(crate) kind: &'static str,
    /// Instructions spent, also by one that trapped.
    pub(crate) instructions: u64,
}

/// The latest executions.
#[derive(Default)]
pub(crate) struct Costs {
    wanted: AtomicBool,
    latest: Mutex<HashMap<Principal, VecDeque<Cost>>>,
    totals: Mutex<HashMap<Principal, u64>>,
}

impl Costs {
    /// Remembers from now on.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Notes what an execution spent.
    pub(crate) fn note(
        &self,
        id: Principal,
        kind: &'static str,
        method: &str,
        finished: &Result<Finished, Trap>,
    ) {
        if let Ok(finished) = finished {
            let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
            *totals.entry(id).or_default() += finished.instructions;
            drop(totals);
            self.add(id, kind, method, finished.instructions);
        }
    }

    fn add(&self, id: Principal, kind: &'static str, method: &str, instructions: u64) {
        if !self.wanted.load(Ordering::Relaxed) {
            return;
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = latest.entry(id).or_default();
        if of_this.len() >= REMEMBERED {
            of_this.pop_front();
        }
        of_this.push_back(Cost {
            method: method.to_owned(),
            kind,
            instructions,
        });
    }

    /// All instructions a canister spent since the node started.
    pub(crate) fn total(&self, id: Principal) -> u64 {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.get(&id).copied().unwrap_or(0)
    }

    /// The latest executions of a canister, oldest first.
    pub(crate) fn of(&self, id: Principal) -> Vec<Cost> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest
            .get(&id)
            .map(|costs| costs.iter().cloned().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_latest_only_and_only_when_wanted() {
        let costs = Costs::default();
        let id = Principal::management_canister();
        costs.add(id, "update", "early", 1);
        assert!(costs.of(id).is_empty());
        costs.want();
        for i in 0..=REMEMBERED as u64 {
            costs.add(id, "update", "m", i);
        }
        let kept = costs.of(id);
        assert_eq!(kept.len(), REMEMBERED);
        assert_eq!(kept.first().map(|cost| cost.instructions), Some(1));
    }
}
