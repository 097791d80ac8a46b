//! Why execution ended early, and how the one who called hears of it.

use super::stable::StableError;
use crate::wire::response::Reject;
use candid::Principal;

/// Why execution ended early. The words and codes are the replica's, without its advice
/// (`dfinity/ic`, `HypervisorError`).
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
    /// A callback that is not in the function table.
    #[error("Canister requested to invoke a non-existent Wasm function {0} from table 0")]
    FunctionNotFound(u32),
    /// More of stable memory touched than one execution may.
    #[error("Canister exceeded memory access limits: Exceeded {0} in a single execution")]
    MemoryAccess(String),
    /// No room for what the canister wants to keep.
    #[error("Canister cannot grow its memory usage.")]
    OutOfMemory,
    /// The heap grew beyond what the settings allow.
    #[error(
        "Canister exceeded its current Wasm memory limit of {limit} bytes. The peak Wasm memory \
         usage was {used} bytes."
    )]
    WasmMemoryLimit {
        /// Bytes allowed.
        limit: u64,
        /// Bytes wanted.
        used: u64,
    },
    /// More memory costs more cycles than there are above the freezing threshold.
    #[error(
        "Canister cannot grow memory by {bytes} bytes due to insufficient cycles. At least \
         {missing} additional cycles are required."
    )]
    MemoryCycles {
        /// Bytes wanted.
        bytes: u64,
        /// Cycles that are missing.
        missing: u128,
    },
    /// A cleanup callback trapped after a callback had.
    #[error("{callback}\n\ncall_on_cleanup also failed:\n\n{cleanup}")]
    Cleanup {
        /// Why the callback ended.
        callback: Box<Trap>,
        /// Why the cleanup callback ended.
        cleanup: Box<Trap>,
    },
    /// One of the others, with the functions that were running, innermost first.
    #[error("{trap}\nCanister Backtrace:\n{}", frames.join("\n"))]
    Traced {
        /// The trap itself.
        trap: Box<Trap>,
        /// Names of functions.
        frames: Vec<String>,
    },
    /// This node failed, not the canister.
    #[error("the node failed: {0}")]
    Node(String),
}

impl Trap {
    /// As a reject of the call that trapped.
    pub(crate) fn reject(&self, canister: Principal) -> Reject {
        let message = format!("Error from Canister {canister}: {self}");
        Reject::new(5, self.code(), message)
    }

    /// The same without the names of functions, which are for those who may read the log.
    pub(crate) fn untraced(self) -> Self {
        match self {
            Self::Traced { trap, .. } => trap.untraced(),
            Self::Cleanup { callback, cleanup } => Self::Cleanup {
                callback: Box::new(callback.untraced()),
                cleanup: Box::new(cleanup.untraced()),
            },
            other => other,
        }
    }

    /// As a line of the canister's log; none when it was this node that failed.
    pub(crate) fn log_line(&self) -> Option<Vec<u8>> {
        let reason = match self {
            Self::Explicit(message) if message.is_empty() => "(no message)".to_owned(),
            Self::Explicit(message) => message.clone(),
            Self::Traced { trap, frames } => {
                let mut line = trap.log_line()?;
                line.extend(b"\nCanister Backtrace:\n");
                line.extend(frames.join("\n").into_bytes());
                return Some(line);
            }
            Self::Node(_) => return None,
            other => other.to_string(),
        };
        Some(format!("[TRAP]: {reason}").into_bytes())
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Explicit(_) => "IC0503",
            Self::Wasm(_) => "IC0502",
            Self::Instructions(_) => "IC0522",
            Self::Contract(_) => "IC0504",
            Self::MethodNotFound(_) => "IC0536",
            Self::FunctionNotFound(_) => "IC0513",
            Self::MemoryAccess(_) => "IC0524",
            Self::OutOfMemory => "IC0507",
            Self::WasmMemoryLimit { .. } => "IC0539",
            Self::MemoryCycles { .. } => "IC0532",
            Self::Cleanup { callback, .. } => callback.code(),
            Self::Traced { trap, .. } => trap.code(),
            Self::Node(_) => "IC0500",
        }
    }
}

impl From<StableError> for Trap {
    fn from(error: StableError) -> Self {
        match error {
            StableError::Bounds => Self::Wasm(error.to_string()),
            StableError::Accessed | StableError::Modified => Self::MemoryAccess(error.to_string()),
            StableError::Io(e) => Self::Node(e.to_string()),
        }
    }
}

/// What a trap of WebAssembly itself is called.
pub(super) fn of_wasm(trap: wasmtime::Trap, limit: u64) -> Trap {
    use wasmtime::Trap as W;
    let what = match trap {
        W::OutOfFuel => return Trap::Instructions(limit),
        W::BadSignature => {
            let what = "function invocation does not match its signature";
            return Trap::Contract(what.into());
        }
        W::StackOverflow => "stack overflow",
        W::MemoryOutOfBounds => "heap out of bounds",
        W::TableOutOfBounds => "table out of bounds",
        W::IntegerDivisionByZero => "integer divide by 0",
        W::UnreachableCodeReached => "unreachable",
        _ => "unknown",
    };
    Trap::Wasm(what.into())
}

/// A trap with its backtrace, when the module tells the names of functions.
pub(super) fn traced(
    trap: Trap,
    backtrace: Option<&wasmtime::WasmBacktrace>,
    name: impl Fn(u32) -> Option<String>,
) -> Trap {
    if !matches!(trap, Trap::Explicit(_) | Trap::Wasm(_)) {
        return trap;
    }
    let indices: Vec<u32> = backtrace
        .map(|backtrace| backtrace.frames().iter().map(|f| f.func_index()).collect())
        .unwrap_or_default();
    let names: Vec<Option<String>> = indices.iter().map(|index| name(*index)).collect();
    if names.iter().all(Option::is_none) {
        return trap;
    }
    let frames = indices
        .iter()
        .zip(names)
        .map(|(index, name)| name.unwrap_or_else(|| format!("unknown function at index {index}")))
        .collect();
    Trap::Traced {
        trap: Box::new(trap),
        frames,
    }
}
