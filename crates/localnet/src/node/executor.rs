//! The threads that change anything: take requests by agents, messages between canisters and
//! timers, each as one transaction. Canisters run beside each other, each doing one thing at a
//! time; commits follow one another.

use super::Node;
use super::calls::Delivery;
use super::clock::Clock;
use super::schedule::Turn;
use super::state::{Cycles, Origin, StoredResult, Task};
use super::transaction::Transaction;
use crate::exec::pool::STACK;
use crate::management;
use crate::wire::response::Reject;
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Canisters that may run beside each other.
const THREADS: usize = 16;

/// A request by an agent that was let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    #[serde(with = "serde_bytes")]
    pub(crate) arg: Vec<u8>,
    /// The effective canister id it came with.
    pub(crate) effective: Principal,
    /// When it expires, ns: it is not begun after that.
    pub(crate) expiry: u64,
}

/// Something to be done between messages, in a transaction.
pub(crate) type Action = Box<dyn FnOnce(&mut Transaction<'_>) + Send>;

/// What is to be done in a lane.
pub(crate) enum Work {
    /// A request by an agent.
    Ingress(Arc<Submission>),
    /// A message between canisters, stored under this number.
    Task(u64, Task),
    /// A timer that may be due.
    Timer,
    /// Something between messages.
    Between(Action),
}

impl Work {
    /// The lane of a call: that of the canister it changes. Calls of the management canister that
    /// are about one canister change that one.
    pub(crate) fn lane_of_call(to: Principal, arg: &[u8]) -> Principal {
        if to == Principal::management_canister() {
            management::target(arg).unwrap_or(to)
        } else {
            to
        }
    }

    /// The lane of a message between canisters.
    pub(crate) fn lane_of(task: &Task) -> Principal {
        match task {
            Task::Request { to, arg, .. } => Self::lane_of_call(*to, arg),
            Task::Response { to, .. } | Task::LowWasmMemory { to } => *to,
        }
    }

    /// The same once more, when it can be told that it may be needed: only calls of the
    /// management canister change others than their own.
    fn again(&self) -> Option<Self> {
        let management = Principal::management_canister();
        match self {
            Self::Ingress(submission) if submission.canister == management => {
                Some(Self::Ingress(Arc::clone(submission)))
            }
            Self::Task(number, task) => match task {
                Task::Request { to, .. } if *to == management => {
                    Some(Self::Task(*number, task.clone()))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What the executor is told.
pub(crate) enum Event {
    /// A request by an agent.
    Ingress(Arc<Submission>),
    /// Something to be done between messages of a canister.
    Between(Principal, Action),
    /// End.
    Stop,
}

/// Starts the executor's threads; they end on `Event::Stop`.
pub(crate) fn start(node: &Arc<Node>) -> std::io::Result<Vec<JoinHandle<()>>> {
    (0..THREADS)
        .map(|i| {
            let node = Arc::clone(node);
            std::thread::Builder::new()
                .name(format!("localnet-executor-{i}"))
                .stack_size(STACK)
                .spawn(move || node.work())
        })
        .collect()
}

impl Node {
    /// Hands something to the executor.
    pub(crate) fn send(&self, event: Event) {
        let mut plan = self.plan();
        match event {
            Event::Ingress(submission) => {
                let lane = Work::lane_of_call(submission.canister, &submission.arg);
                plan.schedule.add(lane, Work::Ingress(submission));
            }
            Event::Between(lane, action) => plan.schedule.add(lane, Work::Between(action)),
            Event::Stop => {
                plan.stopping = true;
                self.planned.notify_all();
            }
        }
        drop(plan);
        self.planned.notify_one();
    }

    /// Has timers looked at: the clock was moved.
    pub(crate) fn look_again(&self) {
        self.planned.notify_all();
    }

    fn work(&self) {
        while let Some(turn) = self.next_turn() {
            self.take(turn);
        }
    }

    /// Waits for something that can be done; none when the node ends.
    fn next_turn(&self) -> Option<Turn> {
        let mut plan = self.plan();
        loop {
            if plan.stopping {
                return None;
            }
            plan.schedule.fire(self.clock.canisters());
            if let Some(turn) = plan.schedule.take() {
                // Somebody else may find more, and waits for the next timer.
                self.planned.notify_one();
                return Some(turn);
            }
            plan = match plan.schedule.next_timer() {
                None => self
                    .planned
                    .wait(plan)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let wait = due.saturating_sub(self.clock.canisters());
                    self.planned
                        .wait_timeout(plan, Duration::from_nanos(wait))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    /// Does one thing and commits it. When it needs canisters that others hold, it changes
    /// nothing and waits for them.
    fn take(&self, turn: Turn) {
        let Turn { lane, work, held } = turn;
        let again = work.again();
        let about = About::of(&work);
        let mut transaction = Transaction::new(self, held);
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            transaction.run(lane, work);
        }));
        let (release, mut others) = transaction.canisters();
        if worked.is_err() {
            self.failed(about, &"it panicked");
        } else if others.is_empty() {
            if let Err(error) = transaction.commit() {
                self.failed(about, &error);
            }
        } else if again.is_none() {
            self.failed(about, &"it changes a canister that is not its own");
        }
        let mut plan = self.plan();
        plan.schedule.release(&release);
        if let Some(work) = again
            && !others.is_empty()
        {
            others.extend(release.into_iter().filter(|id| *id != lane));
            plan.schedule.put_back(lane, work, others);
        }
        drop(plan);
        self.planned.notify_one();
    }

    /// Ends something that could not be carried out: whoever asked is told. A fault of this
    /// program loses the one message it happened in, not the node.
    fn failed(&self, about: About, error: &dyn std::fmt::Display) {
        eprintln!("localnet: a message could not be committed: {error}");
        let reject = Reject::new(1, "IC0500", format!("the node failed: {error}"));
        let mut transaction = Transaction::new(self, BTreeSet::new());
        transaction.ends(about.number);
        if let Some((origin, cycles)) = about.origin {
            transaction.respond(&origin, Err(reject), cycles);
        }
        if let Err(error) = transaction.commit() {
            eprintln!("localnet: nor could that be said: {error}");
        }
    }
}

/// Whom to tell when something fails.
struct About {
    number: Option<u64>,
    origin: Option<(Origin, u128)>,
}

impl About {
    fn of(work: &Work) -> Self {
        let (number, origin) = match work {
            Work::Ingress(submission) => (None, Some((Origin::Ingress(submission.id), 0))),
            Work::Task(number, task) => (Some(*number), origin_of(task)),
            Work::Timer | Work::Between(_) => (None, None),
        };
        Self { number, origin }
    }
}

fn origin_of(task: &Task) -> Option<(Origin, u128)> {
    match task {
        Task::Request {
            from,
            callback,
            cycles,
            ..
        } => {
            let (id, callback) = (*from, *callback);
            Some((Origin::Canister { id, callback }, cycles.0))
        }
        Task::Response { .. } | Task::LowWasmMemory { .. } => None,
    }
}

impl Transaction<'_> {
    /// Does what is to be done in a lane.
    fn run(&mut self, lane: Principal, work: Work) {
        match work {
            Work::Ingress(submission) => {
                self.begins(submission.id);
                let origin = Origin::Ingress(submission.id);
                if submission.expiry < Clock::wire() {
                    let message = "the request expired while it waited for its turn";
                    let reject = Reject::new(2, "IC0202", message);
                    self.respond(&origin, Err(reject), 0);
                    return;
                }
                self.deliver(Delivery {
                    origin,
                    caller: submission.sender,
                    to: submission.canister,
                    method: submission.method.clone(),
                    arg: submission.arg.clone(),
                    cycles: 0,
                    deadline: 0,
                });
            }
            Work::Task(number, task) => {
                self.ends(Some(number));
                self.task(task);
            }
            Work::Timer => self.by_the_clock(lane),
            Work::Between(action) => action(self),
        }
    }

    fn task(&mut self, task: Task) {
        match task {
            Task::Request {
                from,
                callback,
                to,
                method,
                arg,
                cycles: Cycles(cycles),
                deadline,
            } => self.deliver(Delivery {
                origin: Origin::Canister { id: from, callback },
                caller: from,
                to,
                method,
                arg,
                cycles,
                deadline,
            }),
            Task::LowWasmMemory { to } => self.warn_of_low_memory(to),
            Task::Response {
                to,
                callback,
                result,
                refund,
            } => self.resume(to, callback, StoredResult::into(result), refund.0),
        }
    }
}
