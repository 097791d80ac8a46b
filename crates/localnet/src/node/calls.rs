//! Delivers messages to canisters: updates, callbacks, and what becomes of their calls and
//! answers. The interface specification's call contexts live here; system tasks are in `tasks`,
//! cycles in `cycles`.

use super::loaded::Loaded;
use super::query::{closed, did_not_reply, no_code, no_method, not_found};
use super::state::{CallContext, Cycles, Origin, Run, Waiting};
use super::transaction::Transaction;
use crate::exec::host::{Closure, Effects, Facts, Host, Mode, Printed, Trap};
use crate::exec::prices;
use crate::exec::run::{Entry, Finished, Heap, run};
use crate::exec::stable::StableView;
use crate::management::access::reads_log;
use crate::management::{self, Outcome};
use crate::wire::response::{CallResult, Reject};
use candid::Principal;

/// Instructions an update, callback or system task may spend (interface specification).
pub(crate) const UPDATE_INSTRUCTIONS: u64 = 40_000_000_000;
/// Instructions a query may spend, called as one or as an update, and a composite query with all
/// it asks (interface specification; `dfinity/ic`, `rs/config/src/subnet_config.rs`).
pub(crate) const QUERY_INSTRUCTIONS: u64 = 5_000_000_000;
/// Largest reply of an update, bytes.
const MAX_REPLY: usize = 2 << 20;

/// A call to be delivered.
pub(crate) struct Delivery {
    /// Who waits for the answer.
    pub(crate) origin: Origin,
    /// Who calls.
    pub(crate) caller: Principal,
    /// Who is called.
    pub(crate) to: Principal,
    /// The method.
    pub(crate) method: String,
    /// The argument.
    pub(crate) arg: Vec<u8>,
    /// Cycles sent along.
    pub(crate) cycles: u128,
    /// When the caller stops waiting, ns; zero for never.
    pub(crate) deadline: u64,
}

impl Transaction<'_> {
    /// Delivers a call.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        let (origin, cycles) = (delivery.origin.clone(), delivery.cycles);
        if delivery.deadline != 0 && delivery.deadline < self.node.clock.canisters() {
            self.respond(&origin, Err(super::deadlines::expired()), cycles);
            return;
        }
        if delivery.to == Principal::management_canister() {
            match management::handle(self, delivery) {
                Outcome::Answer(result, refund) => self.respond(&origin, result, refund),
                Outcome::Later => {}
            }
            return;
        }
        if let Err(reject) = self.update(delivery) {
            self.respond(&origin, Err(reject), cycles);
        }
    }

    fn update(&mut self, delivery: Delivery) -> Result<(), Reject> {
        let id = delivery.to;
        let node = self.node;
        let loaded = self.canister(id).ok_or_else(|| not_found(id))?;
        if let Some(reject) = closed(loaded) {
            return Err(reject);
        }
        if let Origin::Canister { id: from, .. } = delivery.origin
            && from != id
            && delivery.cycles < loaded.state.settings.minimum_incoming.0
        {
            return Err(too_few_cycles(id, loaded.state.settings.minimum_incoming.0));
        }
        let module = loaded.module.as_ref().ok_or_else(|| no_code(id))?;
        let name = |kind: &str| format!("canister_{kind} {}", delivery.method);
        let (update, query) = (name("update"), name("query"));
        let (mode, name) = if module.exports(&update) {
            (Mode::UPDATE, update)
        } else if module.exports(&query) {
            (Mode::REPLICATED_QUERY, query)
        } else if module.exports(&name("composite_query")) {
            let message = "Composite query cannot be called in replicated mode";
            return Err(Reject::new(5, "IC0527", message));
        } else {
            return Err(no_method(id, "update", &delivery.method));
        };
        let used = loaded.state.heap.len;
        let limit = loaded.state.settings.wasm_memory_limit;
        if mode == Mode::UPDATE && limit != 0 && used > limit {
            return Err(Trap::WasmMemoryLimit { limit, used }.reject(id));
        }
        if matches!(delivery.origin, Origin::Ingress(_)) {
            loaded.pay_for_ingress(&delivery.method, &delivery.arg)?;
        }
        let limit = instructions(mode);
        loaded.prepay(limit)?;
        let mut facts = node.facts(loaded, delivery.caller, delivery.arg);
        facts.cycles_available = delivery.cycles;
        if mode == Mode::UPDATE {
            facts.deadline = delivery.deadline;
        }
        let context = loaded.state.number();
        loaded.state.contexts.insert(
            context,
            CallContext {
                origin: delivery.origin,
                caller: delivery.caller,
                responded: false,
                available: Cycles(delivery.cycles),
                spent: 0,
                deadline: facts.deadline,
            },
        );
        let finished = execute(loaded, mode, facts, Entry::Method(&name));
        let kind = if mode == Mode::UPDATE {
            "update"
        } else {
            "replicated_query"
        };
        node.costs.note(id, kind, &delivery.method, &finished);
        self.remember(id, &finished);
        self.conclude(id, context, mode, finished, prices::execution(limit));
        Ok(())
    }

    /// Delivers the answer to a call a canister made.
    pub(crate) fn resume(
        &mut self,
        id: Principal,
        callback: u64,
        result: CallResult,
        refund: u128,
    ) {
        let node = self.node;
        let Some(loaded) = self.canister(id) else {
            return;
        };
        loaded.state.cycles.0 += refund;
        let Some(callback) = loaded.state.callbacks.remove(&callback) else {
            return;
        };
        let answered = result.as_ref().map_or_else(|r| r.message.len(), Vec::len);
        let prepaid = callback.prepaid.0;
        let reserve = loaded.pay_for_answer(prepaid, answered);
        let Some(context) = loaded.state.contexts.get(&callback.context).cloned() else {
            loaded.state.cycles.0 += reserve;
            return;
        };
        let mut facts = node.facts(loaded, context.caller, Vec::new());
        facts.cycles_available = context.available.0;
        facts.cycles_refunded = refund;
        facts.spent_before = context.spent;
        facts.answered = context.responded;
        facts.deadline = context.deadline;
        let (mode, closure) = match result {
            Ok(reply) => {
                facts.arg = reply;
                (Mode::REPLY, callback.on_reply)
            }
            Err(reject) => {
                facts.reject = Some(reject);
                (Mode::REJECT, callback.on_reject)
            }
        };
        let mut finished = execute(loaded, mode, facts.clone(), Entry::Callback(closure));
        node.costs.note(id, "callback", "", &finished);
        self.remember(id, &finished);
        if let Some(cleanup) = callback.on_cleanup {
            finished = self.clean_up(id, facts, cleanup, finished);
        }
        self.conclude(id, callback.context, mode, finished, reserve);
    }

    /// Runs a cleanup callback when the callback trapped: its changes stay although the callback's
    /// own are gone.
    fn clean_up(
        &mut self,
        id: Principal,
        facts: Facts,
        cleanup: Closure,
        mut finished: Result<Finished, Trap>,
    ) -> Result<Finished, Trap> {
        let Ok(Finished {
            outcome: Err(callback),
            instructions,
            ..
        }) = &mut finished
        else {
            return finished;
        };
        let Some(loaded) = self.canister(id) else {
            return finished;
        };
        let cleaned = execute(loaded, Mode::CLEANUP, facts, Entry::Callback(cleanup));
        self.node.costs.note(id, "cleanup", "", &cleaned);
        self.remember(id, &cleaned);
        let failed = match cleaned {
            Ok(cleaned) => {
                *instructions = instructions.saturating_add(cleaned.instructions);
                match cleaned.outcome {
                    Ok(heap) => self.keep(id, cleaned.host, heap).err(),
                    Err(trap) => Some(trap),
                }
            }
            Err(trap) => Some(trap),
        };
        if let Some(cleanup) = failed {
            *callback = Trap::Cleanup {
                callback: Box::new(callback.clone()),
                cleanup: Box::new(cleanup),
            };
        }
        finished
    }

    /// Takes over what an execution changed, sends its calls and answers, gives back what it had
    /// put aside and did not spend, and ends the call context when nothing more can come of it.
    pub(super) fn conclude(
        &mut self,
        id: Principal,
        context: u64,
        mode: Mode,
        finished: Result<Finished, Trap>,
        reserve: u128,
    ) {
        let mut spent = 0;
        let mut response = None;
        let mut accepted = 0;
        let trap = match finished {
            Err(trap) => Some(trap),
            Ok(finished) => {
                spent = finished.instructions;
                match finished.outcome {
                    Err(trap) => Some(trap),
                    Ok(heap) => {
                        let mut host = finished.host;
                        response = host.effects.response.take();
                        accepted = host.effects.cycles_accepted;
                        self.take_over(id, context, mode, host, heap).err()
                    }
                }
            }
        };
        if let Some(trap) = &trap {
            log(id, "message", trap);
        }
        let Some(loaded) = self.canister(id) else {
            return;
        };
        loaded.state.cycles.0 += reserve.saturating_sub(prices::execution(spent));
        let open = loaded
            .state
            .callbacks
            .values()
            .any(|callback| callback.context == context);
        let caller = loaded.state.contexts.get(&context).map(|c| c.caller);
        let sees = caller.is_some_and(|caller| reads_log(&loaded.state, caller));
        let Some(entry) = loaded.state.contexts.get_mut(&context) else {
            return;
        };
        entry.spent += spent;
        entry.available.0 -= accepted.min(entry.available.0);
        if response.is_none() && !entry.responded && !open {
            response = Some(Err(match trap {
                Some(trap) if sees => trap.reject(id),
                Some(trap) => trap.untraced().reject(id),
                None => did_not_reply(id),
            }));
        }
        if let Some(result) = response
            && !entry.responded
        {
            entry.responded = true;
            let origin = entry.origin.clone();
            let refund = std::mem::take(&mut entry.available).0;
            self.respond(&origin, result, refund);
        }
        self.close_context(id, context, open);
    }

    fn close_context(&mut self, id: Principal, context: u64, open: bool) {
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let state = &mut loaded.state;
        if !open && state.contexts.get(&context).is_some_and(|c| c.responded) {
            state.contexts.remove(&context);
        }
        self.stop_when_idle(id);
    }

    /// Ends stopping when no call is being worked on any more.
    pub(crate) fn stop_when_idle(&mut self, id: Principal) {
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let state = &mut loaded.state;
        if state.contexts.is_empty()
            && let Run::Stopping(waiting) = &mut state.run
        {
            let waiting = std::mem::take(waiting);
            state.run = Run::Stopped;
            state.version += 1;
            for Waiting { origin, cycles, .. } in waiting {
                self.respond(&origin, Ok(management::nothing()), cycles.0);
            }
        }
    }
}

/// The reject for a call that brings fewer cycles than its canister asks for.
fn too_few_cycles(id: Principal, minimum: u128) -> Reject {
    let message = format!("Canister {id} takes calls with at least {minimum} cycles only");
    Reject::new(5, "IC0520", message)
}

/// Says on stderr what an agent may never hear of.
pub(super) fn log(id: Principal, what: &str, trap: &Trap) {
    eprintln!("[{id}] {what}: {trap}");
}

/// A host for a replicated execution.
pub(crate) fn host(
    loaded: &Loaded,
    stable: StableView,
    mode: Mode,
    facts: Facts,
    limit: u64,
) -> Host {
    let mut room = loaded.room();
    if mode == Mode::INIT {
        // What is installed brings its own.
        room.used = room.used.saturating_sub(loaded.state.heap.len);
    }
    Host {
        mode,
        facts,
        limit,
        max_reply: MAX_REPLY,
        balance: loaded.state.cycles.0,
        certificate: None,
        certificate_bytes: None,
        stable,
        timer: loaded.state.timer,
        reply: Vec::new(),
        building: None,
        effects: Effects::default(),
        memory: None,
        running: false,
        room,
        printed: Printed::default(),
    }
}

/// Instructions an execution that is agreed on may spend.
fn instructions(mode: Mode) -> u64 {
    if mode == Mode::REPLICATED_QUERY {
        QUERY_INSTRUCTIONS
    } else {
        UPDATE_INSTRUCTIONS
    }
}

pub(super) fn execute(
    loaded: &Loaded,
    mode: Mode,
    facts: Facts,
    entry: Entry<'_>,
) -> Result<Finished, Trap> {
    let (Some(module), Some(source)) = (&loaded.module, loaded.heap_source()) else {
        return Err(Trap::Node("there is no heap".into()));
    };
    let stable = loaded.stable_view();
    let host = host(loaded, stable, mode, facts, instructions(mode));
    let heap = Heap::Committed(source, &loaded.state.heap.globals);
    run(module, heap, host, entry, mode != Mode::REPLICATED_QUERY)
}
