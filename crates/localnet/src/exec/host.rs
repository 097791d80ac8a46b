//! What canister code sees of the world during one execution, and what it asks to change.
//! Plain data with its rules; the bindings to WebAssembly are in `imports`.

pub(crate) use super::mode::Mode;
use super::room::Room;
use super::stable::StableView;
pub(crate) use super::trap::Trap;
use super::weights;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most calls of one canister to another that may be under way: the replica's queue capacity.
pub(crate) const MAX_OPEN_CALLS: usize = 500;

/// A function of the canister's table and its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Closure {
    /// Index in the function table.
    pub(crate) fun: u32,
    /// The argument.
    pub(crate) env: u32,
}

/// A call the canister makes.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingCall {
    /// The canister called.
    pub(crate) callee: Principal,
    /// Its method.
    pub(crate) method: String,
    /// The argument.
    pub(crate) arg: Vec<u8>,
    /// Cycles sent along.
    pub(crate) cycles: u128,
    /// Run on a reply.
    pub(crate) on_reply: Closure,
    /// Run on a reject.
    pub(crate) on_reject: Closure,
    /// Run when either of them trapped.
    pub(crate) on_cleanup: Option<Closure>,
    /// Seconds the caller waits at most; none when it waits for as long as it takes.
    pub(crate) timeout: Option<u32>,
}

/// What stays the same during an execution.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The canister.
    pub(crate) canister: Principal,
    /// Its subnet.
    pub(crate) subnet: Principal,
    /// The root key, DER.
    pub(crate) root_key: Arc<[u8]>,
    /// Who called.
    pub(crate) caller: Principal,
    /// The argument, or a callback's reply.
    pub(crate) arg: Vec<u8>,
    /// For `inspect_message`: the method called.
    pub(crate) method: String,
    /// For reject callbacks: why.
    pub(crate) reject: Option<Reject>,
    /// ns since 1970.
    pub(crate) time: u64,
    /// The canister's controllers.
    pub(crate) controllers: Vec<Principal>,
    /// 1 running, 2 stopping, 3 stopped.
    pub(crate) status: u32,
    /// Counts changes of the canister.
    pub(crate) version: u64,
    /// Cycles that came with the call and are not accepted yet.
    pub(crate) cycles_available: u128,
    /// Cycles that came back with a response.
    pub(crate) cycles_refunded: u128,
    /// Instructions spent in this call context before.
    pub(crate) spent_before: u64,
    /// Whether the call was answered before, or needs no answer.
    pub(crate) answered: bool,
    /// When the caller stops waiting, ns; zero for never.
    pub(crate) deadline: u64,
    /// Bytes the canister's log may hold.
    pub(crate) log_limit: u64,
    /// Calls under way, by whom they were made to.
    pub(crate) open_calls: BTreeMap<Principal, usize>,
    /// The canister's environment variables.
    pub(crate) environment: Vec<(String, String)>,
}

/// Where a query gets its certificate from, asked at most once.
pub(crate) type CertificateSource = Box<dyn Fn() -> Option<Vec<u8>> + Send>;

/// What an execution asks to change, kept only when it does not trap.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// The reply or reject made.
    pub(crate) response: Option<CallResult>,
    /// Calls made.
    pub(crate) calls: Vec<OutgoingCall>,
    /// New certified data.
    pub(crate) certified_data: Option<Vec<u8>>,
    /// New global timer, ns; zero switches it off.
    pub(crate) timer: Option<u64>,
    /// Whether `accept_message` was called.
    pub(crate) accepted: bool,
    /// Cycles taken from the call.
    pub(crate) cycles_accepted: u128,
    /// Cycles destroyed.
    pub(crate) cycles_burned: u128,
    /// Bytes put in the canister's log.
    pub(crate) logged: u64,
}

/// State of one execution.
pub(crate) struct Host {
    /// The context.
    pub(crate) mode: Mode,
    /// What stays the same.
    pub(crate) facts: Facts,
    /// Instructions this execution may spend.
    pub(crate) limit: u64,
    /// Largest reply, bytes.
    pub(crate) max_reply: usize,
    /// The canister's cycles as this execution has changed them.
    pub(crate) balance: u128,
    /// The certificate, for queries.
    pub(crate) certificate: Option<CertificateSource>,
    /// The certificate once it was asked for.
    pub(crate) certificate_bytes: Option<Vec<u8>>,
    /// Stable memory.
    pub(crate) stable: StableView,
    /// The global timer before.
    pub(crate) timer: u64,
    /// Reply bytes so far.
    pub(crate) reply: Vec<u8>,
    /// The call being put together.
    pub(crate) building: Option<OutgoingCall>,
    /// What was asked for.
    pub(crate) effects: Effects,
    /// The memory, once instantiated.
    pub(crate) memory: Option<wasmtime::Memory>,
    /// Whether canister code runs: the first size of its memory is no growth.
    pub(crate) running: bool,
    /// What the canister may take up.
    pub(crate) room: Room,
    /// What was printed in a replicated execution; it stays when the execution traps.
    pub(crate) printed: Printed,
}

/// Lines printed by one execution: the latest ones, up to more than any log keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printed {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Printed {
    /// Bytes of lines that are held.
    const MAX: usize = 2 << 20;

    /// Adds a line.
    pub(crate) fn add(&mut self, mut line: Vec<u8>) {
        line.truncate(Self::MAX);
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > Self::MAX + 1 {
            let Some(oldest) = self.lines.pop_front() else {
                return;
            };
            self.bytes -= oldest.len() + 1;
        }
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.lines.iter()
    }
}

impl Host {
    /// Whether nothing more can be answered.
    pub(crate) fn answered(&self) -> bool {
        self.facts.answered || self.effects.response.is_some()
    }

    /// How many more calls may be made to a canister.
    pub(crate) fn may_call(&self, callee: Principal) -> bool {
        let open = self.facts.open_calls.get(&callee).copied().unwrap_or(0);
        let made = self.effects.calls.iter();
        open + made.filter(|call| call.callee == callee).count() < MAX_OPEN_CALLS
    }

    /// Notes that `len` bytes are logged; what that costs in instructions.
    pub(crate) fn log(&mut self, len: u64) -> u64 {
        let limit = self.facts.log_limit;
        let room = limit.saturating_sub(self.effects.logged);
        self.effects.logged += len.min(room) + weights::LOG_RECORD;
        weights::LOGGED_BYTE * len.min(limit) + weights::SENT_BYTE * len.min(room)
    }

    /// Cycles that may still be accepted: those left when the call is answered go back.
    pub(crate) fn cycles_available(&self) -> u128 {
        if self.answered() {
            return 0;
        }
        self.facts
            .cycles_available
            .saturating_sub(self.effects.cycles_accepted)
    }

    /// The certificate over this canister's certified data, in queries.
    pub(crate) fn certificate(&mut self) -> Option<&[u8]> {
        if self.certificate_bytes.is_none()
            && let Some(source) = self.certificate.take()
        {
            self.certificate_bytes = source();
        }
        self.certificate_bytes.as_deref()
    }
}
