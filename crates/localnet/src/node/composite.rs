//! Queries. A composite query may ask queries of this and other canisters, whose answers come back
//! in callbacks; nothing any of them changes is kept. Runs on the pool's threads, on whatever is
//! committed when a canister is asked. Callbacks must see what the query saw, so commits of a
//! canister wait while a composite query of it runs; for other queries they do not.

use super::Node;
use super::calls::QUERY_INSTRUCTIONS;
use super::loaded::Loaded;
use super::query::{Question, closed, did_not_reply, host, no_code, no_method, not_found};
use crate::exec::host::{CertificateSource, Closure, Facts, Host, Mode, OutgoingCall, Trap};
use crate::exec::run::{Entry, Finished, Heap, HeapChange, run};
use crate::exec::stable::Run;
use crate::management;
use crate::management::access::reads_log;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use std::collections::VecDeque;
use std::sync::{Arc, RwLockReadGuard, TryLockError};
use std::time::{Duration, Instant};

/// Instructions counted for asking, whatever the answer costs; deepest nesting; and longest
/// evaluation: the replica's limits (`dfinity/ic`, `rs/config/src/execution_environment.rs`).
const ASKING_INSTRUCTIONS: u64 = 50_000_000;
const MAX_DEPTH: usize = 6;
const MAX_TIME: Duration = Duration::from_secs(10);
/// Largest reply to a canister, bytes.
const MAX_NESTED_REPLY: usize = 2 << 20;
/// How long a canister that is committing is waited for before everything is asked again, and how
/// often that is done.
const PATIENCE: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 100;

/// The canisters being asked, innermost first: one that asks itself must not be locked again.
struct Asked<'a> {
    loaded: &'a Loaded,
    outer: Option<&'a Asked<'a>>,
    depth: usize,
}

impl<'a> Asked<'a> {
    fn find(&self, id: Principal) -> Option<&'a Loaded> {
        if self.loaded.state.id == id {
            return Some(self.loaded);
        }
        self.outer.and_then(|outer| outer.find(id))
    }
}

/// What is left for one query and all it asks.
struct Evaluation<'n> {
    node: &'n Arc<Node>,
    instructions: u64,
    end: Instant,
    /// Whether a canister was committing for too long: then nothing said counts.
    disturbed: bool,
}

/// What a composite query has changed so far.
struct Changed {
    heap: HeapChange,
    stable_pages: u64,
    stable: Vec<Run>,
}

/// The name a composite query is exported under.
fn composite(method: &str) -> String {
    format!("canister_composite_query {method}")
}

impl Node {
    /// Answers a query. Runs canister code on this thread.
    pub(crate) fn query(self: &Arc<Self>, question: Question) -> CallResult {
        if question.canister == Principal::management_canister() {
            return management::answer(self, question.caller, &question.method, &question.arg);
        }
        let end = Instant::now() + MAX_TIME;
        for _ in 0..ATTEMPTS {
            let mut evaluation = Evaluation {
                node: self,
                instructions: QUERY_INSTRUCTIONS,
                end,
                disturbed: false,
            };
            let result = evaluation.ask(&question, None);
            if !evaluation.disturbed {
                return result;
            }
        }
        Err(Reject::new(2, "IC0500", "a canister asked is busy"))
    }
}

impl Evaluation<'_> {
    fn ask(&mut self, question: &Question, outer: Option<&Asked<'_>>) -> CallResult {
        let id = question.canister;
        let depth = outer.map_or(0, |outer| outer.depth + 1);
        if depth >= MAX_DEPTH {
            let message = format!("Composite query call graph exceeds the depth of {MAX_DEPTH}");
            return Err(Reject::new(5, "IC0525", message));
        }
        if let Some(loaded) = outer.and_then(|outer| outer.find(id)) {
            let asked = Asked {
                loaded,
                outer,
                depth,
            };
            return self.answer(question, &asked);
        }
        let cell = self.node.cell(id).ok_or_else(|| not_found(id))?;
        let loaded = cell.look();
        if loaded.exports(&composite(&question.method)) {
            let Some(loaded) = self.lock(&cell.committed, outer.is_none()) else {
                self.disturbed = true;
                return Err(not_found(id));
            };
            let loaded = &*loaded;
            let asked = Asked {
                loaded,
                outer,
                depth,
            };
            return self.answer(question, &asked);
        }
        let loaded = &loaded;
        let asked = Asked {
            loaded,
            outer: None,
            depth,
        };
        self.answer(question, &asked)
    }

    /// Locks a canister. While others are locked, one that is committing is not waited for long:
    /// its commit may wait for what we hold.
    fn lock<'c>(
        &self,
        cell: &'c std::sync::RwLock<Loaded>,
        first: bool,
    ) -> Option<RwLockReadGuard<'c, Loaded>> {
        if first {
            return Some(
                cell.read()
                    .unwrap_or_else(std::sync::PoisonError::into_inner),
            );
        }
        let patience = Instant::now() + PATIENCE;
        loop {
            match cell.try_read() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                    std::thread::sleep(Duration::from_micros(100));
                }
                Err(TryLockError::WouldBlock) => return None,
            }
        }
    }

    fn answer(&mut self, question: &Question, asked: &Asked<'_>) -> CallResult {
        let before = self.instructions;
        let result = self.evaluate(question, asked);
        let spent = before.saturating_sub(self.instructions);
        let counts = &asked.loaded.queries;
        counts.add(question.arg.len(), spent, &result);
        result
    }

    fn evaluate(&mut self, question: &Question, asked: &Asked<'_>) -> CallResult {
        let (loaded, id) = (asked.loaded, question.canister);
        if let Some(reject) = closed(loaded) {
            return Err(reject);
        }
        if loaded.is_frozen() {
            return Err(super::cycles::frozen(id));
        }
        let module = loaded.module.as_ref().ok_or_else(|| no_code(id))?;
        let query = format!("canister_query {}", question.method);
        let composite = composite(&question.method);
        let facts = self
            .node
            .facts(loaded, question.caller, question.arg.clone());
        if module.exports(&query) {
            let finished = self.execute(asked, Mode::QUERY, facts, Entry::Method(&query), None);
            self.note(id, "query", &question.method, &finished);
            let host = finished.and_then(|finished| finished.outcome.map(|_| finished.host));
            let host = host.map_err(|trap| self.reject(asked, question.caller, trap))?;
            let response = host.effects.response;
            return response.unwrap_or_else(|| Err(did_not_reply(id)));
        }
        if !module.exports(&composite) {
            return Err(no_method(id, "query", &question.method));
        }
        self.compose(question, &composite, facts, asked)
    }

    /// Runs a composite query, asks what it asks, and runs its callbacks.
    fn compose(
        &mut self,
        question: &Question,
        method: &str,
        mut facts: Facts,
        asked: &Asked<'_>,
    ) -> CallResult {
        let id = question.canister;
        let entry = Entry::Method(method);
        let finished = self.execute(asked, Mode::COMPOSITE, facts.clone(), entry, None);
        self.note(id, "composite_query", &question.method, &finished);
        let (mut changed, mut host, spent) =
            changes(finished).map_err(|trap| self.reject(asked, question.caller, trap))?;
        facts.spent_before += spent;
        let mut response = host.effects.response.take();
        let mut calls = VecDeque::from(std::mem::take(&mut host.effects.calls));
        let mut failure = None;
        while let Some(call) = calls.pop_front() {
            self.spend(ASKING_INSTRUCTIONS);
            self.check_instructions()?;
            if Instant::now() > self.end {
                let message = "Composite query call exceeded the time limit";
                return Err(Reject::new(5, "IC0528", message));
            }
            let inner = Question {
                canister: call.callee,
                caller: id,
                method: call.method.clone(),
                arg: call.arg.clone(),
            };
            let result = self.ask(&inner, Some(asked));
            if self.disturbed {
                return result;
            }
            self.check_instructions()?;
            facts.answered = response.is_some();
            match self.call_back(asked, &mut facts, &call, result, &mut changed) {
                Ok(mut host) => {
                    response = response.or(host.effects.response.take());
                    calls.extend(std::mem::take(&mut host.effects.calls));
                }
                Err(trap) => failure = Some(trap),
            }
        }
        response.unwrap_or_else(|| {
            Err(match failure {
                Some(trap) => self.reject(asked, question.caller, trap),
                None => did_not_reply(id),
            })
        })
    }

    /// Runs a callback on what the query changed before, and its cleanup when it traps.
    fn call_back(
        &mut self,
        asked: &Asked<'_>,
        facts: &mut Facts,
        call: &OutgoingCall,
        result: CallResult,
        changed: &mut Changed,
    ) -> Result<Host, Trap> {
        let (mode, closure) = match result {
            Ok(reply) => {
                facts.arg = reply;
                facts.reject = None;
                (Mode::COMPOSITE_REPLY, call.on_reply)
            }
            Err(reject) => {
                facts.arg = Vec::new();
                facts.reject = Some(reject);
                (Mode::COMPOSITE_REJECT, call.on_reject)
            }
        };
        let mut run = |mode, closure: Closure, changed: &Changed| {
            let entry = Entry::Callback(closure);
            let finished = self.execute(asked, mode, facts.clone(), entry, Some(changed));
            self.note(asked.loaded.state.id, "callback", "", &finished);
            if let Ok(finished) = &finished {
                facts.spent_before += finished.instructions;
            }
            changes(finished)
        };
        match run(mode, closure, changed) {
            Ok((after, host, _)) => {
                *changed = after;
                Ok(host)
            }
            Err(trap) => {
                let Some(cleanup) = call.on_cleanup else {
                    return Err(trap);
                };
                match run(Mode::COMPOSITE_CLEANUP, cleanup, changed) {
                    Ok((after, ..)) => {
                        *changed = after;
                        Err(trap)
                    }
                    Err(cleanup) => Err(Trap::Cleanup {
                        callback: Box::new(trap),
                        cleanup: Box::new(cleanup),
                    }),
                }
            }
        }
    }

    fn execute(
        &mut self,
        asked: &Asked<'_>,
        mode: Mode,
        facts: Facts,
        entry: Entry<'_>,
        changed: Option<&Changed>,
    ) -> Result<Finished, Trap> {
        let loaded = asked.loaded;
        let (Some(module), Some(source)) = (&loaded.module, loaded.heap_source()) else {
            return Err(Trap::Node("there is no heap".into()));
        };
        let mut host = host(
            loaded,
            mode,
            facts,
            self.instructions.min(QUERY_INSTRUCTIONS),
        );
        if asked.depth > 0 {
            host.max_reply = MAX_NESTED_REPLY;
        } else if mode == Mode::QUERY || mode == Mode::COMPOSITE {
            let (node, id) = (Arc::clone(self.node), loaded.state.id);
            let source: CertificateSource = Box::new(move || Some(node.data_certificate(id)));
            host.certificate = Some(source);
        }
        let heap = match changed {
            None => Heap::Committed(source, &loaded.state.heap.globals),
            Some(changed) => {
                host.stable.resume(changed.stable_pages, &changed.stable)?;
                Heap::Changed(source, &changed.heap)
            }
        };
        let keep = mode != Mode::QUERY;
        let finished = run(module, heap, host, entry, keep);
        if let Ok(finished) = &finished {
            self.spend(finished.instructions);
        }
        finished
    }

    fn check_instructions(&self) -> Result<(), Reject> {
        if self.instructions > 0 {
            return Ok(());
        }
        let message = "Query call graph exceeded its limit of instructions in total";
        Err(Reject::new(5, "IC0526", message))
    }

    fn spend(&mut self, instructions: u64) {
        self.instructions = self.instructions.saturating_sub(instructions);
    }

    fn note(&self, id: Principal, kind: &'static str, method: &str, f: &Result<Finished, Trap>) {
        self.node.costs.note(id, kind, method, f);
    }

    fn reject(&self, asked: &Asked<'_>, caller: Principal, trap: Trap) -> Reject {
        let state = &asked.loaded.state;
        if reads_log(state, caller) {
            trap.reject(state.id)
        } else {
            trap.untraced().reject(state.id)
        }
    }
}

/// What an execution changed, its host, and the instructions it spent.
fn changes(finished: Result<Finished, Trap>) -> Result<(Changed, Host, u64), Trap> {
    let mut finished = finished?;
    let heap = finished
        .outcome?
        .ok_or_else(|| Trap::Node("no heap was kept".into()))?;
    let changed = Changed {
        heap,
        stable_pages: finished.host.stable.pages(),
        stable: finished.host.stable.changes()?,
    };
    Ok((changed, finished.host, finished.instructions))
}
