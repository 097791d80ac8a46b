//! What the node is doing, for people and programs that look after it.

use super::Node;
use super::state::Run;
use candid::Principal;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::PoisonError;

use crate::exec::stable::WASM_PAGE;

/// The node at one moment.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    version: &'static str,
    uptime_seconds: u64,
    state: PathBuf,
    /// How far canisters' clock is ahead of the machine's, ns.
    clock_ahead_ns: u64,
    journal_bytes: u64,
    /// Messages that wait, all canisters together.
    waiting: usize,
    queries: Queries,
    canisters: Vec<Canister>,
}

#[derive(Debug, Serialize)]
struct Queries {
    waiting: usize,
    running: usize,
}

#[derive(Debug, Serialize)]
struct Canister {
    id: Principal,
    status: &'static str,
    module_hash: Option<String>,
    heap_bytes: u64,
    stable_bytes: u64,
    /// A number too large for most readers of JSON.
    cycles: String,
    /// Instructions spent since the node started.
    instructions: u64,
    /// Messages that wait for it.
    waiting: usize,
    /// Whether it is at work on a message.
    busy: bool,
    /// Calls it has begun and not ended.
    open_calls: usize,
}

impl Node {
    /// What the node is doing.
    pub(crate) fn status(&self) -> Status {
        let (lengths, busy) = {
            let plan = self.plan();
            (plan.schedule.waiting(), plan.schedule.busy().clone())
        };
        let cells: Vec<_> = self.core().canisters.values().cloned().collect();
        let canisters = cells.into_iter().map(|cell| {
            let loaded = cell
                .committed
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let state = &loaded.state;
            Canister {
                id: state.id,
                status: match state.run {
                    Run::Running => "running",
                    Run::Stopping(_) => "stopping",
                    Run::Stopped => "stopped",
                },
                module_hash: state.module.map(hex::encode),
                heap_bytes: state.heap.len,
                stable_bytes: state.stable.pages * WASM_PAGE,
                cycles: state.cycles.0.to_string(),
                instructions: self.costs.total(state.id),
                waiting: lengths.get(&state.id).copied().unwrap_or(0),
                busy: busy.contains(&state.id),
                open_calls: state.contexts.len(),
            }
        });
        let canisters = canisters.collect();
        let (waiting, running) = self.queries.load();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: self.started.elapsed().as_secs(),
            state: std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone()),
            clock_ahead_ns: self.clock.ahead(),
            journal_bytes: self.store().journal_len(),
            waiting: lengths.values().sum(),
            queries: Queries { waiting, running },
            canisters,
        }
    }
}
