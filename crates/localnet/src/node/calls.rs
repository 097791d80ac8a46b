//! Delivers messages to canisters: updates, callbacks, timers, and what becomes of their calls
//! and answers. The interface specification's call contexts live here.

use super::query::{closed, did_not_reply, no_code, no_method, not_found};
use super::state::{CallContext, Callback, Cycles, Loaded, Origin, Run, Task};
use super::transaction::Transaction;
use crate::exec::host::{Closure, Effects, Facts, Host, Mode, Trap};
use crate::exec::run::{Entry, Finished, Heap, HeapChange, run};
use crate::exec::stable::StableView;
use crate::management::{self, Outcome};
use crate::wire::response::CallResult;
use candid::Principal;
use std::sync::Arc;

/// Instructions an update, callback or timer may spend (interface specification).
const UPDATE_INSTRUCTIONS: u64 = 40_000_000_000;
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
}

impl Transaction<'_> {
    /// Delivers a call.
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        if delivery.to == Principal::management_canister() {
            let origin = delivery.origin.clone();
            match management::handle(self, delivery) {
                Outcome::Answer(result, refund) => self.respond(&origin, result, refund),
                Outcome::Later => {}
            }
            return;
        }
        let (origin, cycles) = (delivery.origin.clone(), delivery.cycles);
        if let Err(reject) = self.update(delivery) {
            self.respond(&origin, Err(reject), cycles);
        }
    }

    fn update(&mut self, delivery: Delivery) -> Result<(), crate::wire::response::Reject> {
        let id = delivery.to;
        let node = self.node;
        let loaded = self.canister(id).ok_or_else(|| not_found(id))?;
        if let Some(reject) = closed(loaded) {
            return Err(reject);
        }
        let module = loaded.module.as_ref().ok_or_else(|| no_code(id))?;
        let update = format!("canister_update {}", delivery.method);
        let query = format!("canister_query {}", delivery.method);
        let (mode, name) = if module.exports(&update) {
            (Mode::UPDATE, update)
        } else if module.exports(&query) {
            (Mode::REPLICATED_QUERY, query)
        } else {
            return Err(no_method(id, "update", &delivery.method));
        };
        let mut facts = node.facts(loaded, delivery.caller, delivery.arg);
        facts.cycles_available = delivery.cycles;
        let context = loaded.state.number();
        loaded.state.contexts.insert(
            context,
            CallContext {
                origin: delivery.origin,
                caller: delivery.caller,
                responded: false,
                available: Cycles(delivery.cycles),
                spent: 0,
            },
        );
        let finished = execute(loaded, mode, facts, Entry::Method(&name));
        let kind = if mode == Mode::UPDATE {
            "update"
        } else {
            "replicated_query"
        };
        node.costs.note(id, kind, &delivery.method, &finished);
        self.conclude(id, context, mode, finished);
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
        let Some(context) = loaded.state.contexts.get(&callback.context).cloned() else {
            return;
        };
        let mut facts = node.facts(loaded, context.caller, Vec::new());
        facts.cycles_available = context.available.0;
        facts.cycles_refunded = refund;
        facts.spent_before = context.spent;
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
        let finished = execute(loaded, mode, facts.clone(), Entry::Callback(closure));
        node.costs.note(id, "callback", "", &finished);
        let trapped = !matches!(&finished, Ok(finished) if finished.outcome.is_ok());
        if trapped && let Some(cleanup) = callback.on_cleanup {
            self.clean_up(id, facts, cleanup);
        }
        self.conclude(id, callback.context, mode, finished);
    }

    /// Runs a cleanup callback: its changes stay although the callback's own are gone.
    fn clean_up(&mut self, id: Principal, facts: Facts, cleanup: Closure) {
        let Some(loaded) = self.canister(id) else {
            return;
        };
        let finished = execute(loaded, Mode::CLEANUP, facts, Entry::Callback(cleanup));
        self.node.costs.note(id, "cleanup", "", &finished);
        match finished {
            Ok(Finished {
                host,
                outcome: Ok(heap),
                ..
            }) => {
                if let Err(trap) = self.keep(id, host, heap) {
                    log(id, "cleanup", &trap);
                }
            }
            Ok(Finished {
                outcome: Err(trap), ..
            })
            | Err(trap) => log(id, "cleanup", &trap),
        }
    }

    /// Runs a due global timer.
    pub(crate) fn fire_timer(&mut self, id: Principal) {
        let node = self.node;
        let Some(loaded) = self.canister(id) else {
            return;
        };
        loaded.state.timer = 0;
        if loaded.module.is_none() {
            return;
        }
        let caller = Principal::management_canister();
        let facts = node.facts(loaded, caller, Vec::new());
        let context = loaded.state.number();
        loaded.state.contexts.insert(
            context,
            CallContext {
                origin: Origin::System,
                caller,
                responded: true,
                available: Cycles(0),
                spent: 0,
            },
        );
        let entry = Entry::Hook("canister_global_timer");
        let finished = execute(loaded, Mode::TASK, facts, entry);
        node.costs.note(id, "timer", "", &finished);
        self.conclude(id, context, Mode::TASK, finished);
    }

    /// Takes over what an execution changed, sends its calls and answers, and ends the call
    /// context when nothing more can come of it.
    fn conclude(
        &mut self,
        id: Principal,
        context: u64,
        mode: Mode,
        finished: Result<Finished, Trap>,
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
                        if mode == Mode::REPLICATED_QUERY {
                            None
                        } else {
                            self.send_calls(id, context, &mut host);
                            self.keep(id, host, heap).err()
                        }
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
        let open = loaded
            .state
            .callbacks
            .values()
            .any(|callback| callback.context == context);
        let Some(entry) = loaded.state.contexts.get_mut(&context) else {
            return;
        };
        entry.spent += spent;
        entry.available.0 -= accepted.min(entry.available.0);
        if response.is_none() && !entry.responded && !open {
            response = Some(Err(match trap {
                Some(trap) => trap.reject(id),
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
        if state.contexts.is_empty()
            && let Run::Stopping(waiting) = &mut state.run
        {
            let waiting = std::mem::take(waiting);
            state.run = Run::Stopped;
            for origin in waiting {
                self.respond(&origin, Ok(management::nothing()), 0);
            }
        }
    }

    fn send_calls(&mut self, id: Principal, context: u64, host: &mut Host) {
        for call in std::mem::take(&mut host.effects.calls) {
            let Some(loaded) = self.canister(id) else {
                return;
            };
            let callback = loaded.state.number();
            loaded.state.callbacks.insert(
                callback,
                Callback {
                    context,
                    on_reply: call.on_reply,
                    on_reject: call.on_reject,
                    on_cleanup: call.on_cleanup,
                },
            );
            self.tasks.push(Task::Request {
                from: id,
                callback,
                to: call.callee,
                method: call.method,
                arg: call.arg,
                cycles: Cycles(call.cycles),
            });
        }
    }

    /// Takes over memories, certified data, timer and cycles.
    pub(crate) fn keep(
        &mut self,
        id: Principal,
        mut host: Host,
        heap: Option<HeapChange>,
    ) -> Result<(), Trap> {
        let stable_runs = host.stable.changes()?;
        let stable_pages = host.stable.pages();
        let Some(loaded) = self.canister(id) else {
            return Ok(());
        };
        let state = &mut loaded.state;
        state.version += 1;
        state.cycles.0 = host.balance;
        state.stable.pages = stable_pages;
        if let Some(data) = host.effects.certified_data {
            state.certified_data = data;
        }
        if let Some(timer) = host.effects.timer {
            state.timer = timer;
        }
        if let Some(heap) = heap {
            state.heap.len = heap.len as u64;
            state.heap.globals = heap.globals;
            self.write(id, &heap.file, heap.runs);
        }
        let file = Arc::clone(host.stable.file());
        self.write(id, &file, stable_runs);
        Ok(())
    }
}

/// Says on stderr what an agent may never hear of.
fn log(id: Principal, what: &str, trap: &Trap) {
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
    }
}

fn execute(loaded: &Loaded, mode: Mode, facts: Facts, entry: Entry<'_>) -> Result<Finished, Trap> {
    let (Some(module), Some(source)) = (&loaded.module, loaded.heap_source()) else {
        return Err(Trap::Node("there is no heap".into()));
    };
    let stable = loaded.stable_view();
    let host = host(loaded, stable, mode, facts, UPDATE_INSTRUCTIONS);
    let heap = Heap::Committed(source, &loaded.state.heap.globals);
    run(module, heap, host, entry, mode != Mode::REPLICATED_QUERY)
}
