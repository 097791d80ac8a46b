//! What a canister is and uses, for those who may know.

use super::settings::definite;
use super::{About, Call, encode};
use crate::exec::stable::WASM_PAGE;
use crate::node::history::{Change, Event};
use crate::node::loaded::Loaded;
use crate::node::state::{Canister, Run};
use crate::wire::response::CallResult;
use candid::Nat;
use ic_management_canister_types::{
    CanisterStatusResult, CanisterStatusType, MemoryMetrics, QueryStats,
};

/// What a GiB of memory and a percent of compute allocation cost a second, cycles (published
/// prices of a 13-node subnet).
const GIB_SECOND: u128 = 127_000;
const PERCENT_SECOND: u128 = 10_000_000;
const DAY: u128 = 24 * 60 * 60;
/// Bytes counted for a chunk: each takes the place of the largest one (interface specification).
pub(super) const CHUNK_PLACE: u64 = 1 << 20;
/// Bytes counted for a change in the history, and for each principal in it.
const CHANGE: u64 = 128;
const PRINCIPAL: u64 = 29;

impl Call<'_, '_> {
    pub(super) fn canister_status(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let loaded = self.allowed(about.canister_id)?;
        encode((status(loaded),))
    }
}

struct Sizes {
    heap: u64,
    stable: u64,
    globals: u64,
    binary: u64,
    custom: u64,
    history: u64,
    chunks: u64,
    snapshots: u64,
    logs: u64,
}

impl Sizes {
    fn of(loaded: &Loaded) -> Self {
        let state = &loaded.state;
        let module = loaded.module.as_ref();
        Self {
            heap: state.heap.len,
            stable: state.stable.pages * WASM_PAGE,
            globals: 8 * state.heap.globals.len() as u64,
            binary: module.map_or(0, |module| module.size as u64),
            custom: module.map_or(0, |module| module.anatomy.custom_bytes as u64),
            history: state.history.recent.iter().map(change_size).sum(),
            chunks: CHUNK_PLACE * state.chunks.len() as u64,
            snapshots: state.snapshots.values().map(|s| s.size()).sum(),
            logs: loaded.logs.bytes(),
        }
    }

    fn total(&self) -> u64 {
        // Custom sections are part of the binary.
        self.heap
            + self.stable
            + self.globals
            + self.binary
            + self.history
            + self.chunks
            + self.snapshots
            + self.logs
    }
}

fn change_size(change: &Change) -> u64 {
    let principals = match &change.event {
        Event::Created(controllers, _) | Event::Controllers(controllers) => controllers.len(),
        Event::Uninstalled | Event::Deployed(..) | Event::Loaded { .. } => 0,
    };
    CHANGE + PRINCIPAL * principals as u64
}

/// Bytes a canister takes in all.
pub(super) fn memory_size(loaded: &Loaded) -> u64 {
    Sizes::of(loaded).total()
}

/// What a canister costs a day when it does nothing, cycles.
fn idle_cost(state: &Canister, used: u64) -> u128 {
    let bytes = u128::from(used.max(state.settings.memory_allocation));
    let percent = u128::from(state.settings.compute_allocation);
    DAY * (bytes * GIB_SECOND / (1 << 30) + percent * PERCENT_SECOND)
}

/// A canister's status.
pub(super) fn status(loaded: &Loaded) -> CanisterStatusResult {
    let state = &loaded.state;
    let sizes = Sizes::of(loaded);
    let stopped = state.run == Run::Stopped;
    let queries = loaded.queries.total();
    CanisterStatusResult {
        status: match state.run {
            Run::Running => CanisterStatusType::Running,
            Run::Stopping(_) => CanisterStatusType::Stopping,
            Run::Stopped => CanisterStatusType::Stopped,
        },
        ready_for_migration: stopped && state.callbacks.is_empty(),
        version: state.version,
        settings: definite(state),
        module_hash: state.module.map(|hash| hash.to_vec()),
        memory_size: sizes.total().into(),
        memory_metrics: MemoryMetrics {
            wasm_memory_size: sizes.heap.into(),
            stable_memory_size: sizes.stable.into(),
            global_memory_size: sizes.globals.into(),
            wasm_binary_size: sizes.binary.into(),
            custom_sections_size: sizes.custom.into(),
            canister_history_size: sizes.history.into(),
            wasm_chunk_store_size: sizes.chunks.into(),
            snapshots_size: sizes.snapshots.into(),
            log_memory_store_size: sizes.logs.into(),
        },
        cycles: state.cycles.0.into(),
        // Storage is reserved on crowded subnets only.
        reserved_cycles: Nat::from(0_u8),
        idle_cycles_burned_per_day: idle_cost(state, sizes.total()).into(),
        query_stats: QueryStats {
            num_calls_total: queries.calls.into(),
            num_instructions_total: queries.instructions.into(),
            request_payload_bytes_total: queries.request_bytes.into(),
            response_payload_bytes_total: queries.response_bytes.into(),
        },
    }
}
