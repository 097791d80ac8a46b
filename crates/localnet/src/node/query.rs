//! The way in for agents' calls: facts about a canister, rejects, and message inspection, which
//! runs on the pool's threads beside the executor, on whatever is committed when it begins.
//! Queries are in `composite`.

use super::executor::{Event, Submission};
use super::loaded::Loaded;
use super::state::Run;
use super::{Core, Node};
use crate::exec::host::{Facts, Host, Mode, Trap};
use crate::exec::run::{Entry, Finished, Heap, run};
use crate::management;
use crate::management::access::reads_log;
use crate::wire::response::Reject;
use candid::Principal;
use std::sync::Arc;

/// Instructions an inspection may spend.
const INSPECT_INSTRUCTIONS: u64 = 200_000_000;
/// Largest reply of a query, bytes.
const MAX_REPLY: usize = 3 << 20;

/// A call that is not replicated.
pub(crate) struct Question {
    /// The canister.
    pub(crate) canister: Principal,
    /// Who asks.
    pub(crate) caller: Principal,
    /// The method.
    pub(crate) method: String,
    /// The argument.
    pub(crate) arg: Vec<u8>,
}

/// The reject for a canister that is not there.
pub(crate) fn not_found(canister: Principal) -> Reject {
    Reject::new(3, "IC0301", format!("Canister {canister} not found"))
}

/// The reject for a canister without code.
pub(crate) fn no_code(canister: Principal) -> Reject {
    let message = format!("Canister {canister} has no Wasm module and cannot execute messages");
    Reject::new(5, "IC0537", message)
}

/// The reject for a method that is not there.
pub(crate) fn no_method(canister: Principal, kind: &str, method: &str) -> Reject {
    let message =
        format!("Error from Canister {canister}: Canister has no {kind} method '{method}'");
    Reject::new(5, "IC0536", message)
}

/// Why a canister takes no calls now.
pub(crate) fn closed(loaded: &Loaded) -> Option<Reject> {
    let id = loaded.state.id;
    match loaded.state.run {
        Run::Running => None,
        Run::Stopping(_) => Some(Reject::new(
            5,
            "IC0509",
            format!("Canister {id} is stopping"),
        )),
        Run::Stopped => Some(Reject::new(
            5,
            "IC0508",
            format!("Canister {id} is stopped"),
        )),
    }
}

impl Node {
    /// The facts of an execution of this canister.
    pub(crate) fn facts(&self, loaded: &Loaded, caller: Principal, arg: Vec<u8>) -> Facts {
        let state = &loaded.state;
        Facts {
            canister: state.id,
            subnet: self.keys.subnet,
            root_key: Arc::clone(&self.keys.root_der),
            caller,
            arg,
            method: String::new(),
            reject: None,
            time: self.clock.canisters(),
            controllers: state.controllers.clone(),
            status: state.status_code(),
            version: state.version,
            cycles_available: 0,
            cycles_refunded: 0,
            spent_before: 0,
            answered: false,
            deadline: 0,
            log_limit: state.settings.log_limit,
            open_calls: state.open_calls(),
            environment: state.settings.environment.clone(),
        }
    }

    /// Whether a canister lets a call in; runs `canister_inspect_message` on this thread.
    pub(crate) fn inspect(&self, question: Question) -> Result<(), Reject> {
        let id = question.canister;
        let cell = self.cell(id).ok_or_else(|| not_found(id))?;
        let loaded = cell.look();
        if let Some(reject) = closed(&loaded) {
            return Err(reject);
        }
        loaded.can_pay_for_ingress(&question.method, &question.arg)?;
        let module = loaded.module.as_ref().ok_or_else(|| no_code(id))?;
        let has = |kind: &str| module.exports(&format!("canister_{kind} {}", question.method));
        if !has("update") && !has("query") && !has("composite_query") {
            return Err(no_method(id, "update", &question.method));
        }
        let hook = "canister_inspect_message";
        if !module.exports(hook) {
            return Ok(());
        }
        let mut facts = self.facts(&loaded, question.caller, question.arg);
        facts.method.clone_from(&question.method);
        let finished = look(&loaded, facts, Entry::Method(hook));
        self.costs.note(id, "inspect", &question.method, &finished);
        let sees = reads_log(&loaded.state, question.caller);
        let reject = |trap: Trap| match sees {
            true => trap.reject(id),
            false => trap.untraced().reject(id),
        };
        let finished = finished.map_err(reject)?;
        finished.outcome.map_err(reject)?;
        if finished.host.effects.accepted {
            Ok(())
        } else {
            let message = format!("Canister {id} rejected the message");
            Err(Reject::new(4, "IC0406", message))
        }
    }
}

impl Node {
    /// Lets a call in and hands it to the executor, unless it is known already.
    pub(crate) async fn submit(self: &Arc<Self>, submission: Submission) -> Result<(), Reject> {
        let submission = Arc::new(submission);
        if self.core().ingress.get(&submission.id).is_some() {
            return Ok(());
        }
        if submission.canister == Principal::management_canister() {
            let (sender, method) = (submission.sender, &submission.method);
            management::admit(self, sender, method, &submission.arg)?;
        } else {
            let question = Question {
                canister: submission.canister,
                caller: submission.sender,
                method: submission.method.clone(),
                arg: submission.arg.clone(),
            };
            let node = Arc::clone(self);
            let canister = question.canister;
            let inspected = self
                .queries
                .run_for(canister.as_slice(), move || node.inspect(question))
                .await;
            inspected.unwrap_or_else(|| Err(Reject::new(2, "IC0500", "the node is ending")))?;
        }
        let begun = {
            let mut core = self.core();
            let Core { tree, ingress, .. } = &mut *core;
            ingress.begin(tree, &submission)
        };
        if begun {
            self.send(Event::Ingress(submission));
        }
        Ok(())
    }
}

/// The reject for a call that ended without an answer.
pub(crate) fn did_not_reply(canister: Principal) -> Reject {
    let message = format!("Error from Canister {canister}: Canister did not produce a response");
    Reject::new(5, "IC0506", message)
}

/// A host for an execution that keeps nothing.
pub(super) fn host(loaded: &Loaded, mode: Mode, facts: Facts, limit: u64) -> Host {
    Host {
        max_reply: MAX_REPLY,
        ..super::calls::host(loaded, loaded.stable_view(), mode, facts, limit)
    }
}

/// Runs the inspection.
fn look(loaded: &Loaded, facts: Facts, entry: Entry<'_>) -> Result<Finished, Trap> {
    let (Some(module), Some(heap)) = (&loaded.module, loaded.heap_source()) else {
        return Err(Trap::Node("there is no heap".into()));
    };
    let host = host(loaded, Mode::INSPECT, facts, INSPECT_INSTRUCTIONS);
    let heap = Heap::Committed(heap, &loaded.state.heap.globals);
    run(module, heap, host, entry, false)
}
