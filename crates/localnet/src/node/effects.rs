//! Takes over what an execution changed and asked for, once it is known to have ended well.

use super::state::{Callback, Cycles, Task};
use super::transaction::Transaction;
use crate::exec::host::{Host, Mode, Trap};
use crate::exec::prices;
use crate::exec::run::HeapChange;
use candid::Principal;
use std::sync::Arc;

impl Transaction<'_> {
    /// Takes over everything; of a replicated query, only the cycles.
    pub(super) fn take_over(
        &mut self,
        id: Principal,
        context: u64,
        mode: Mode,
        mut host: Host,
        heap: Option<HeapChange>,
    ) -> Result<(), Trap> {
        if mode != Mode::REPLICATED_QUERY {
            self.send_calls(id, context, &mut host);
            return self.keep(id, host, heap);
        }
        if let Some(loaded) = self.canister(id) {
            loaded.state.version += 1;
            loaded.state.cycles.0 = host.balance;
        }
        Ok(())
    }

    fn send_calls(&mut self, id: Principal, context: u64, host: &mut Host) {
        for call in std::mem::take(&mut host.effects.calls) {
            let Some(loaded) = self.canister(id) else {
                return;
            };
            let deadline = super::deadlines::of(host.facts.time, call.timeout);
            let callback = loaded.state.number();
            loaded.state.callbacks.insert(
                callback,
                Callback {
                    context,
                    on_reply: call.on_reply,
                    on_reject: call.on_reject,
                    on_cleanup: call.on_cleanup,
                    callee: Some(call.callee),
                    deadline,
                    prepaid: Cycles(prices::call_answer()),
                },
            );
            self.tasks.push(Task::Request {
                from: id,
                callback,
                to: call.callee,
                method: call.method,
                arg: call.arg,
                cycles: Cycles(call.cycles),
                deadline,
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
        self.note_wasm_memory(id);
        Ok(())
    }
}
