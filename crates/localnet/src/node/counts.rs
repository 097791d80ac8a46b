//! Counts the queries a canister answers. Queries commit nothing: what is counted since the last
//! message that did is lost when the process ends, as the interface specification lets it.

use crate::wire::response::CallResult;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// Totals of queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// How many.
    pub(crate) calls: u64,
    /// Instructions they spent.
    pub(crate) instructions: u64,
    /// Bytes of their arguments.
    pub(crate) request_bytes: u64,
    /// Bytes of their replies and reject messages.
    pub(crate) response_bytes: u64,
}

/// Counters of queries.
#[derive(Debug, Default)]
pub(crate) struct QueryCounts {
    calls: AtomicU64,
    instructions: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
}

impl QueryCounts {
    /// Goes on from these.
    pub(crate) fn from(totals: Totals) -> Self {
        Self {
            calls: totals.calls.into(),
            instructions: totals.instructions.into(),
            request_bytes: totals.request_bytes.into(),
            response_bytes: totals.response_bytes.into(),
        }
    }

    /// Counts a query.
    pub(crate) fn add(&self, request_bytes: usize, instructions: u64, result: &CallResult) {
        let response = match result {
            Ok(reply) => reply.len(),
            Err(reject) => reject.message.len(),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.instructions.fetch_add(instructions, Ordering::Relaxed);
        self.request_bytes
            .fetch_add(request_bytes as u64, Ordering::Relaxed);
        self.response_bytes
            .fetch_add(response as u64, Ordering::Relaxed);
    }

    /// What was counted.
    pub(crate) fn total(&self) -> Totals {
        Totals {
            calls: self.calls.load(Ordering::Relaxed),
            instructions: self.instructions.load(Ordering::Relaxed),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            response_bytes: self.response_bytes.load(Ordering::Relaxed),
        }
    }
}
