//! What is kept of a canister. Data only: rules of execution and management are elsewhere, as are
//! its files.

use crate::exec::host::Closure;
use crate::exec::run::Global;
use crate::node::counts::Totals;
use crate::node::history::History;
use crate::node::settings::Settings;
use crate::node::snapshot::Snapshot;
use crate::wire::response::{CallResult, Reject};
use crate::wire::value::Hash;
use candid::Principal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number of cycles. CBOR integers end at 64 bits, so it is kept as 16 bytes, little end first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[u8; 16]", into = "[u8; 16]")]
pub(crate) struct Cycles(pub(crate) u128);

impl From<[u8; 16]> for Cycles {
    fn from(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

impl From<Cycles> for [u8; 16] {
    fn from(cycles: Cycles) -> Self {
        cycles.0.to_le_bytes()
    }
}

/// Who waits for the end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// An agent.
    Ingress(Hash),
    /// A canister's callback.
    Canister {
        /// The canister.
        id: Principal,
        /// Its callback.
        callback: u64,
    },
    /// Nobody: a timer.
    System,
}

/// Somebody who waits for a canister to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// Who.
    pub(crate) origin: Origin,
    /// Cycles that came along.
    pub(crate) cycles: Cycles,
    /// When to give up, ns.
    pub(crate) until: u64,
}

/// Whether a canister takes calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Run {
    /// It does.
    Running,
    /// It finishes what it began; these wait for that.
    Stopping(Vec<Waiting>),
    /// It does not.
    Stopped,
}

/// A call being worked on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CallContext {
    /// Who waits.
    pub(crate) origin: Origin,
    /// Who called.
    pub(crate) caller: Principal,
    /// Whether it is answered.
    pub(crate) responded: bool,
    /// Cycles that came along and were not accepted.
    pub(crate) available: Cycles,
    /// Instructions spent so far.
    pub(crate) spent: u64,
    /// When the caller stops waiting, ns; zero for never.
    #[serde(default)]
    pub(crate) deadline: u64,
}

/// What to do when a call made comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    /// The call context it belongs to.
    pub(crate) context: u64,
    /// Run on a reply.
    pub(crate) on_reply: Closure,
    /// Run on a reject.
    pub(crate) on_reject: Closure,
    /// Run when either trapped.
    pub(crate) on_cleanup: Option<Closure>,
    /// Who was called.
    #[serde(default)]
    pub(crate) callee: Option<Principal>,
    /// When the answer is no longer waited for, ns; zero for never.
    #[serde(default)]
    pub(crate) deadline: u64,
    /// Cycles put aside for the answer.
    #[serde(default)]
    pub(crate) prepaid: Cycles,
}

/// A message between canisters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// A call.
    Request {
        /// Who calls.
        from: Principal,
        /// Its callback.
        callback: u64,
        /// Who is called.
        to: Principal,
        /// Its method.
        method: String,
        /// The argument.
        #[serde(with = "serde_bytes")]
        arg: Vec<u8>,
        /// Cycles sent along.
        cycles: Cycles,
        /// When the caller stops waiting, ns; zero for never.
        #[serde(default)]
        deadline: u64,
    },
    /// A run of `canister_on_low_wasm_memory`.
    LowWasmMemory {
        /// The canister.
        to: Principal,
    },
    /// An answer.
    Response {
        /// Who called.
        to: Principal,
        /// Its callback.
        callback: u64,
        /// The answer.
        result: StoredResult,
        /// Cycles that come back.
        refund: Cycles,
    },
}

/// A call's result as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum StoredResult {
    /// A reply.
    Reply(#[serde(with = "serde_bytes")] Vec<u8>),
    /// A reject.
    Reject(Reject),
}

impl From<CallResult> for StoredResult {
    fn from(result: CallResult) -> Self {
        match result {
            Ok(reply) => Self::Reply(reply),
            Err(reject) => Self::Reject(reject),
        }
    }
}

impl From<StoredResult> for CallResult {
    fn from(result: StoredResult) -> Self {
        match result {
            StoredResult::Reply(reply) => Ok(reply),
            StoredResult::Reject(reject) => Err(reject),
        }
    }
}

/// A committed heap.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct HeapState {
    /// Which file: a new one for every installation.
    pub(crate) generation: u64,
    /// Bytes.
    pub(crate) len: u64,
    /// Mutable globals.
    pub(crate) globals: Vec<Global>,
}

/// Committed stable memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct StableState {
    /// Which file: a new one whenever it is cleared.
    pub(crate) generation: u64,
    /// WebAssembly pages.
    pub(crate) pages: u64,
}

/// What is kept of a canister.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Canister {
    /// Its id.
    pub(crate) id: Principal,
    /// Who may change it.
    pub(crate) controllers: Vec<Principal>,
    /// Whether it takes calls.
    pub(crate) run: Run,
    /// Hash of the Wasm as uploaded, when there is any.
    pub(crate) module: Option<Hash>,
    /// Its heap.
    pub(crate) heap: HeapState,
    /// Its stable memory.
    pub(crate) stable: StableState,
    /// At most 32 bytes.
    #[serde(with = "serde_bytes")]
    pub(crate) certified_data: Vec<u8>,
    /// When the global timer is due, ns; zero for never.
    pub(crate) timer: u64,
    /// Its cycles.
    pub(crate) cycles: Cycles,
    /// Counts its changes.
    pub(crate) version: u64,
    /// Its settings.
    pub(crate) settings: Settings,
    /// Calls being worked on.
    pub(crate) contexts: BTreeMap<u64, CallContext>,
    /// Calls made and not answered.
    pub(crate) callbacks: BTreeMap<u64, Callback>,
    /// Numbers contexts and callbacks.
    pub(crate) next: u64,
    /// Whether its heap has little room left and it was told.
    #[serde(default)]
    pub(crate) low_wasm_memory: bool,
    /// When it last had a heartbeat, ns.
    #[serde(default)]
    pub(crate) last_beat: u64,
    /// Until when it has paid for what it keeps, ns; zero when it never did.
    #[serde(default)]
    pub(crate) paid_until: u64,
    /// Uploaded chunks: hash and length.
    pub(crate) chunks: BTreeMap<Hash, u64>,
    /// Its past.
    #[serde(default)]
    pub(crate) history: History,
    /// Its snapshots by number.
    #[serde(default)]
    pub(crate) snapshots: BTreeMap<u64, Snapshot>,
    /// Numbers snapshots.
    #[serde(default)]
    pub(crate) next_snapshot: u64,
    /// Queries answered until the last commit.
    #[serde(default)]
    pub(crate) queries: Totals,
}

impl Canister {
    /// A canister without code.
    pub(crate) fn new(id: Principal, controllers: Vec<Principal>, cycles: u128) -> Self {
        Self {
            id,
            controllers,
            run: Run::Running,
            module: None,
            heap: HeapState::default(),
            stable: StableState::default(),
            certified_data: Vec::new(),
            timer: 0,
            cycles: Cycles(cycles),
            version: 0,
            settings: Settings::default(),
            contexts: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            next: 1,
            low_wasm_memory: false,
            last_beat: 0,
            paid_until: 0,
            chunks: BTreeMap::new(),
            history: History::default(),
            snapshots: BTreeMap::new(),
            next_snapshot: 0,
            queries: Totals::default(),
        }
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// What `ic0.canister_status` says.
    pub(crate) fn status_code(&self) -> u32 {
        match self.run {
            Run::Running => 1,
            Run::Stopping(_) => 2,
            Run::Stopped => 3,
        }
    }
}
