//! What canister code sees of the world during one execution, and what it asks to change.
//! Plain data with its rules; the bindings to WebAssembly are in `imports`.

use super::stable::{StableError, StableView};
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use std::sync::Arc;

/// In which of the interface specification's contexts code runs; each is one bit, so that a
/// system call can name the set it is allowed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u16);

impl Mode {
    /// `canister_init` and `canister_post_upgrade` ("I").
    pub(crate) const INIT: Self = Self(1);
    /// `canister_pre_upgrade` ("G").
    pub(crate) const PRE_UPGRADE: Self = Self(1 << 1);
    /// Updates ("U").
    pub(crate) const UPDATE: Self = Self(1 << 2);
    /// Queries run as updates ("RQ").
    pub(crate) const REPLICATED_QUERY: Self = Self(1 << 3);
    /// Queries ("NRQ").
    pub(crate) const QUERY: Self = Self(1 << 4);
    /// Reply callbacks ("Ry").
    pub(crate) const REPLY: Self = Self(1 << 5);
    /// Reject callbacks ("Rt").
    pub(crate) const REJECT: Self = Self(1 << 6);
    /// Cleanup callbacks ("C").
    pub(crate) const CLEANUP: Self = Self(1 << 7);
    /// `canister_inspect_message` ("F").
    pub(crate) const INSPECT: Self = Self(1 << 8);
    /// Timers ("T").
    pub(crate) const TASK: Self = Self(1 << 9);
    /// The start function ("s").
    pub(crate) const START: Self = Self(1 << 10);
    /// Every context but the start function ("*").
    pub(crate) const ALL: Self = Self(Self::START.0 - 1);
    /// Every context.
    pub(crate) const ALL_AND_START: Self = Self(Self::ALL.0 | Self::START.0);

    /// The union.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two share a context.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether what happens here is agreed on by all nodes and kept.
    pub(crate) const fn is_replicated(self) -> bool {
        !self.meets(Self::QUERY.or(Self::INSPECT))
    }
}

/// Why execution ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trap {
    /// The canister called `trap`.
    #[error("Canister called `ic0.trap` with message: '{0}'")]
    Explicit(String),
    /// WebAssembly trapped.
    #[error("Canister trapped: {0}")]
    Wasm(String),
    /// Out of instructions.
    #[error("Canister exceeded the limit of {0} instructions for single message execution.")]
    Instructions(u64),
    /// The system API was used against its contract.
    #[error("Canister violated contract: {0}")]
    Contract(String),
    /// No such function.
    #[error("Canister has no {0}")]
    MethodNotFound(String),
    /// This node failed, not the canister.
    #[error("the node failed: {0}")]
    Node(String),
}

impl Trap {
    /// As a reject of the call that trapped.
    pub(crate) fn reject(&self, canister: Principal) -> Reject {
        let code = match self {
            Self::Explicit(_) => "IC0503",
            Self::Wasm(_) => "IC0502",
            Self::Instructions(_) => "IC0522",
            Self::Contract(_) => "IC0504",
            Self::MethodNotFound(_) => "IC0536",
            Self::Node(_) => "IC0500",
        };
        Reject::new(5, code, format!("Error from Canister {canister}: {self}"))
    }
}

impl From<StableError> for Trap {
    fn from(error: StableError) -> Self {
        match error {
            StableError::Bounds => Self::Wasm(error.to_string()),
            StableError::Io(e) => Self::Node(e.to_string()),
        }
    }
}

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
}

impl Host {
    /// Cycles that may still be accepted.
    pub(crate) fn cycles_available(&self) -> u128 {
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
