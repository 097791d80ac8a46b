//! The one thread that changes anything: takes requests by agents, messages between canisters
//! and timers one at a time, each as one transaction.

use super::Node;
use super::state::{Cycles, Origin, Task};
use super::transaction::Transaction;
use crate::wire::response::Reject;
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// The first canister gets this number: the one development networks customarily begin with.
const FIRST_CANISTER: u64 = 0x8000_0000_0010_0000;

/// Messages between canisters that wait, and what numbers canisters.
#[derive(Serialize, Deserialize)]
pub(crate) struct Queue {
    /// Messages, first come first.
    pub(crate) tasks: VecDeque<Task>,
    /// The number of the next canister.
    pub(crate) next_canister: u64,
    /// Whether it differs from what is stored.
    #[serde(skip)]
    pub(crate) changed: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            tasks: VecDeque::new(),
            next_canister: FIRST_CANISTER,
            changed: false,
        }
    }
}

/// A request by an agent that was let in.
pub(crate) struct Submission {
    /// Its id.
    pub(crate) id: Hash,
    /// Who asks.
    pub(crate) sender: Principal,
    /// Who is called.
    pub(crate) canister: Principal,
    /// The method.
    pub(crate) method: String,
    /// The argument.
    pub(crate) arg: Vec<u8>,
}

/// What the executor is told.
pub(crate) enum Event {
    /// A request by an agent.
    Ingress(Submission),
    /// Something to be done between messages.
    Between(Box<dyn FnOnce(&mut Executor) + Send>),
    /// End.
    Stop,
}

/// The executor.
pub(crate) struct Executor {
    /// The node it works for.
    pub(crate) node: Arc<Node>,
    queue: Queue,
}

impl Executor {
    /// An executor that goes on with `queue`.
    pub(crate) fn new(node: Arc<Node>, queue: Queue) -> Self {
        Self { node, queue }
    }

    /// Works until told to stop.
    pub(crate) fn work(mut self, events: &Receiver<Event>) {
        loop {
            match self.next(events) {
                Some(Event::Stop) => return,
                Some(Event::Ingress(submission)) => self.ingress(submission),
                Some(Event::Between(action)) => action(&mut self),
                None => {}
            }
            if let Some(task) = self.queue.tasks.pop_front() {
                self.queue.changed = true;
                self.task(task);
            }
            self.timers();
        }
    }

    /// The next event; none when there is work without one.
    fn next(&self, events: &Receiver<Event>) -> Option<Event> {
        if !self.queue.tasks.is_empty() {
            return match events.try_recv() {
                Ok(event) => Some(event),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Event::Stop),
            };
        }
        let Some(due) = self.next_timer() else {
            return Some(events.recv().unwrap_or(Event::Stop));
        };
        let wait = due.saturating_sub(self.node.clock.canisters());
        match events.recv_timeout(Duration::from_nanos(wait)) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Event::Stop),
        }
    }

    fn timer_list(&self) -> Vec<(u64, Principal)> {
        let cells: Vec<_> = self.node.core().canisters.values().cloned().collect();
        let mut due = Vec::new();
        for cell in cells {
            let loaded = cell
                .committed
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            if loaded.state.timer != 0 && matches!(loaded.state.run, super::state::Run::Running) {
                due.push((loaded.state.timer, loaded.state.id));
            }
        }
        due.sort_unstable();
        due
    }

    fn next_timer(&self) -> Option<u64> {
        self.timer_list().first().map(|(at, _)| *at)
    }

    fn timers(&mut self) {
        let now = self.node.clock.canisters();
        for (at, id) in self.timer_list() {
            if at <= now {
                self.transact(None, |transaction| transaction.fire_timer(id));
            }
        }
    }

    fn ingress(&mut self, submission: Submission) {
        let origin = Origin::Ingress(submission.id);
        self.transact(Some(submission.id), |transaction| {
            transaction.deliver(super::calls::Delivery {
                origin,
                caller: submission.sender,
                to: submission.canister,
                method: submission.method,
                arg: submission.arg,
                cycles: 0,
            });
        });
    }

    fn task(&mut self, task: Task) {
        self.transact(None, |transaction| match task {
            Task::Request {
                from,
                callback,
                to,
                method,
                arg,
                cycles: Cycles(cycles),
            } => transaction.deliver(super::calls::Delivery {
                origin: Origin::Canister { id: from, callback },
                caller: from,
                to,
                method,
                arg,
                cycles,
            }),
            Task::Response {
                to,
                callback,
                result,
                refund,
            } => transaction.resume(to, callback, result.into(), refund.0),
        });
    }

    /// Runs one transaction and commits it; when that fails, the agent who asked is told. A fault
    /// of this program loses the one message it happened in, not the node.
    pub(crate) fn transact(&mut self, agent: Option<Hash>, f: impl FnOnce(&mut Transaction<'_>)) {
        let node = Arc::clone(&self.node);
        let next_canister = self.queue.next_canister;
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut transaction = Transaction::new(&node, next_canister);
            f(&mut transaction);
            transaction
        }));
        match worked {
            Ok(transaction) => {
                if let Err(error) = transaction.commit(&mut self.queue) {
                    self.failed(agent, &error);
                }
            }
            Err(_) => self.failed(agent, &"it panicked"),
        }
    }

    fn failed(&self, agent: Option<Hash>, error: &dyn std::fmt::Display) {
        eprintln!("localnet: a message could not be committed: {error}");
        if let Some(id) = agent {
            let mut core = self.node.core();
            let super::Core { tree, ingress, .. } = &mut *core;
            let reject = Reject::new(1, "IC0500", format!("the node failed: {error}"));
            ingress.answer(tree, &id, Err(reject));
        }
    }
}
