//! What executions leave in their canisters' logs: what was printed, and why they trapped.

use super::transaction::Transaction;
use crate::exec::host::Trap;
use crate::exec::run::Finished;
use candid::Principal;

/// What an execution leaves in its canister's log.
pub(crate) struct Said {
    id: Principal,
    at: u64,
    lines: Vec<Vec<u8>>,
}

impl Said {
    /// What a canister printed, and why it trapped.
    pub(crate) fn of(id: Principal, finished: &Finished) -> Self {
        let mut lines: Vec<Vec<u8>> = finished.host.printed.lines().cloned().collect();
        if let Err(trap) = &finished.outcome {
            lines.extend(trap.log_line());
        }
        let at = finished.host.facts.time;
        Self { id, at, lines }
    }
}

impl Transaction<'_> {
    /// Keeps what an execution printed and why it trapped, whether or not anything else of it
    /// is kept.
    pub(super) fn remember(&mut self, id: Principal, finished: &Result<Finished, Trap>) {
        if let Ok(finished) = finished {
            self.write_down(Said::of(id, finished));
        }
    }

    /// Puts lines into a canister's log.
    pub(crate) fn write_down(&mut self, said: Said) {
        let Said { id, at, lines } = said;
        let Some(loaded) = self.canister(id).filter(|_| !lines.is_empty()) else {
            return;
        };
        let limit = loaded.state.settings.log_limit;
        self.logs(id, |logs| {
            for line in lines {
                logs.add(line, at, limit);
            }
        });
    }
}
