//! A canister's settings, as they are kept. Data only: who may change them and to what is the
//! management canister's business.

use super::state::Cycles;
use candid::Principal;
use serde::{Deserialize, Serialize};

/// Who may look at something of a canister.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Visibility {
    /// Its controllers.
    #[default]
    Controllers,
    /// Everybody.
    Public,
    /// Its controllers and these.
    Viewers(Vec<Principal>),
}

/// Settings that have no effect here but are remembered, and those that have.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Percent.
    pub(crate) compute_allocation: u64,
    /// Bytes.
    pub(crate) memory_allocation: u64,
    /// Seconds.
    pub(crate) freezing_threshold: u64,
    /// Cycles.
    pub(crate) reserved_cycles_limit: Cycles,
    /// Bytes.
    pub(crate) wasm_memory_limit: u64,
    /// Bytes.
    pub(crate) wasm_memory_threshold: u64,
    /// Name and value.
    pub(crate) environment: Vec<(String, String)>,
    /// Cycles other canisters' calls must bring along.
    pub(crate) minimum_incoming: Cycles,
    /// Who may read the logs.
    pub(crate) log_visibility: Visibility,
    /// Bytes of logs that are kept.
    pub(crate) log_limit: u64,
    /// Who may read snapshots.
    pub(crate) snapshot_visibility: Visibility,
    /// Who may read the status.
    pub(crate) status_visibility: Visibility,
}

impl Default for Settings {
    /// The defaults of the interface specification.
    fn default() -> Self {
        Self {
            compute_allocation: 0,
            memory_allocation: 0,
            freezing_threshold: 2_592_000,
            reserved_cycles_limit: Cycles(5_000_000_000_000),
            wasm_memory_limit: 3 << 30,
            wasm_memory_threshold: 0,
            environment: Vec::new(),
            minimum_incoming: Cycles(0),
            log_visibility: Visibility::Controllers,
            log_limit: 4096,
            snapshot_visibility: Visibility::Controllers,
            status_visibility: Visibility::Controllers,
        }
    }
}
