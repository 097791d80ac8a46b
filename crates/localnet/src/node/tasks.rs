//! System tasks: the global timer, heartbeats, and the hook for a heap that fills up. They have no
//! caller to answer, but may make calls.

use super::calls::{UPDATE_INSTRUCTIONS, execute};
use super::loaded::Loaded;
use super::state::{CallContext, Canister, Cycles, Origin, Run, Task};
use super::transaction::Transaction;
use crate::exec::host::Mode;
use crate::exec::prices;
use crate::exec::run::Entry;
use crate::management;
use candid::Principal;

/// Largest heap there can be, bytes.
const MAX_HEAP: u64 = 4 << 30;

/// Time between two heartbeats of a canister, ns: about a round of the IC.
const HEARTBEAT_EVERY: u64 = 1_000_000_000;

/// When a canister is to be looked at although nobody calls it: for its global timer, for a call
/// that is no longer waited for, for its heartbeat, for calls that wait for it to stop.
pub(crate) fn due(loaded: &Loaded) -> Option<u64> {
    let running = matches!(loaded.state.run, Run::Running);
    [
        timer(loaded).filter(|_| running),
        heartbeat(loaded).filter(|_| running),
        loaded.state.next_deadline(),
        stop_timeout(loaded),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// Whether a heap of this many bytes leaves a canister less room than its threshold.
pub(crate) fn is_low(state: &Canister, heap_len: u64) -> bool {
    let limit = match state.settings.wasm_memory_limit {
        0 => MAX_HEAP,
        limit => limit.min(MAX_HEAP),
    };
    limit.saturating_sub(heap_len) < state.settings.wasm_memory_threshold
}

fn timer(loaded: &Loaded) -> Option<u64> {
    (loaded.state.timer != 0).then_some(loaded.state.timer)
}

fn stop_timeout(loaded: &Loaded) -> Option<u64> {
    match &loaded.state.run {
        Run::Stopping(waiting) => waiting.iter().map(|waiting| waiting.until).min(),
        Run::Running | Run::Stopped => None,
    }
}

fn heartbeat(loaded: &Loaded) -> Option<u64> {
    let module = loaded.module.as_ref();
    let beats = module.is_some_and(|module| module.exports("canister_heartbeat"));
    beats.then(|| loaded.state.last_beat + HEARTBEAT_EVERY)
}

impl Transaction<'_> {
    /// Does what is due in a canister.
    pub(crate) fn by_the_clock(&mut self, id: Principal) {
        let now = self.node.clock.canisters();
        self.expire(id, now);
        management::give_up_stopping(self, id, now);
        let Some(loaded) = self.canister(id) else {
            return;
        };
        if !matches!(loaded.state.run, Run::Running) {
            return;
        }
        let is_due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        let (timer, heartbeat) = (is_due(timer(loaded)), is_due(heartbeat(loaded)));
        if timer {
            loaded.state.timer = 0;
        }
        if heartbeat {
            loaded.state.last_beat = now;
        }
        if timer {
            self.run_task(id, Mode::TIMER);
        }
        if heartbeat {
            self.run_task(id, Mode::HEARTBEAT);
        }
    }

    /// Tells a canister that its heap has little room left, when that is still so.
    pub(crate) fn warn_of_low_memory(&mut self, id: Principal) {
        if self.canister(id).is_some_and(|l| l.state.low_wasm_memory) {
            self.run_task(id, Mode::LOW_WASM_MEMORY);
        }
    }

    /// Sees whether the room left for the heap fell below the threshold, and plans the hook.
    pub(super) fn note_wasm_memory(&mut self, id: Principal) {
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let low = is_low(&loaded.state, loaded.state.heap.len);
        let before = std::mem::replace(&mut loaded.state.low_wasm_memory, low);
        if low && !before {
            self.tasks.push(Task::LowWasmMemory { to: id });
        }
    }

    fn run_task(&mut self, id: Principal, mode: Mode) {
        let hook = match mode {
            Mode::TIMER => "canister_global_timer",
            Mode::HEARTBEAT => "canister_heartbeat",
            _ => "canister_on_low_wasm_memory",
        };
        let node = self.node;
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let exported = loaded.module.as_ref().is_some_and(|m| m.exports(hook));
        if !exported {
            return;
        }
        if loaded.prepay(UPDATE_INSTRUCTIONS).is_err() {
            // Told again when it has the cycles for it.
            loaded.state.low_wasm_memory &= mode != Mode::LOW_WASM_MEMORY;
            return;
        }
        let caller = Principal::management_canister();
        let mut facts = node.facts(loaded, caller, Vec::new());
        facts.answered = true;
        let context = loaded.state.number();
        loaded.state.contexts.insert(
            context,
            CallContext {
                origin: Origin::System,
                caller,
                responded: true,
                available: Cycles(0),
                spent: 0,
                deadline: 0,
            },
        );
        let finished = execute(loaded, mode, facts, Entry::Method(hook));
        let kind = match mode {
            Mode::TIMER => "timer",
            Mode::HEARTBEAT => "heartbeat",
            _ => "low_wasm_memory",
        };
        node.costs.note(id, kind, "", &finished);
        self.remember(id, &finished);
        let reserve = prices::execution(UPDATE_INSTRUCTIONS);
        self.conclude(id, context, mode, finished, reserve);
    }
}
