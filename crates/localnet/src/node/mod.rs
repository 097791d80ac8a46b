//! The node: committed state, certificates over it, queries, and the way into the executor.
//! Knows nothing of HTTP.

pub(crate) mod admin;
pub(crate) mod calls;
pub(crate) mod clock;
pub(crate) mod composite;
pub(crate) mod costs;
pub(crate) mod counts;
pub(crate) mod cycles;
pub(crate) mod deadlines;
pub(crate) mod effects;
pub(crate) mod executor;
pub(crate) mod history;
pub(crate) mod ingress;
pub(crate) mod load;
pub(crate) mod loaded;
pub(crate) mod logs;
pub(crate) mod places;
pub(crate) mod query;
pub(crate) mod said;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod tasks;
pub(crate) mod transaction;

use crate::certify::keys::{KeyError, Keys};
use crate::certify::{self, Path, StateTree};
use crate::exec::pool::Pool;
use crate::persist::{PersistError, Store};
use candid::Principal;
use clock::Clock;
use ingress::Ingress;
use loaded::Cell;
use schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A certificate over one canister's data is reused this long while nothing changes: agents
/// accept certificates that are minutes old, and a signature costs more than most queries.
const CERTIFICATE_AGE: Duration = Duration::from_millis(500);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The state folder.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// The keys.
    #[error("keys: {0}")]
    Keys(String),
    /// A file or thread.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A stored canister cannot be brought back.
    #[error("canister {0}: {1}")]
    Canister(Principal, String),
}

impl From<KeyError> for NodeError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error.to_string())
    }
}

/// What is shared and changes.
#[derive(Default)]
pub(crate) struct Core {
    /// Canisters by id.
    pub(crate) canisters: BTreeMap<Principal, Arc<Cell>>,
    /// Ids of canisters that were deleted: they are never given again.
    pub(crate) deleted: BTreeSet<Principal>,
    /// The state tree.
    pub(crate) tree: StateTree,
    /// Requests.
    pub(crate) ingress: Ingress,
}

/// The first canister gets this number: the one development networks customarily begin with.
const FIRST_CANISTER: u64 = 0x8000_0000_0010_0000;

/// What numbers what is made. Held by whoever commits.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Numbers {
    /// The number of the next canister.
    pub(crate) next_canister: u64,
    /// The number of the latest message between canisters.
    #[serde(skip)]
    pub(crate) next_task: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            next_canister: FIRST_CANISTER,
            next_task: 0,
        }
    }
}

/// What is to be done.
#[derive(Default)]
pub(crate) struct Plan {
    /// By whom and in which order.
    pub(crate) schedule: Schedule,
    /// Whether nothing more is to be begun.
    pub(crate) stopping: bool,
}

struct Cached {
    version: u64,
    made: Instant,
    bytes: Vec<u8>,
}

/// The node.
///
/// Locks, in the order in which they may be taken together: `numbers`, a canister's cell, then
/// one of `core`, `store` and `plan`.
pub(crate) struct Node {
    /// The state folder.
    pub(crate) dir: PathBuf,
    /// Its keys.
    pub(crate) keys: Keys,
    /// When it started.
    pub(crate) started: Instant,
    /// Its clocks.
    pub(crate) clock: Clock,
    /// What executions cost.
    pub(crate) costs: costs::Costs,
    /// Threads for what is always short: signatures and certificates.
    pub(crate) pool: Pool,
    /// Threads for canister code that keeps nothing.
    pub(crate) queries: Pool,
    core: Mutex<Core>,
    store: Mutex<Store>,
    numbers: Mutex<Numbers>,
    plan: Mutex<Plan>,
    planned: Condvar,
    certificates: Mutex<HashMap<Principal, Cached>>,
}

impl Node {
    /// What is shared.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What numbers what is made; whoever holds it commits.
    pub(crate) fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done.
    pub(crate) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A canister's cell.
    pub(crate) fn cell(&self, id: Principal) -> Option<Arc<Cell>> {
        self.core().canisters.get(&id).cloned()
    }

    /// A certificate over the paths.
    pub(crate) fn certificate(&self, paths: &[Path]) -> Vec<u8> {
        let witness = self.core().tree.witness(paths, Clock::wire());
        certify::certify(&self.keys, &witness)
    }

    /// A certificate over a canister's certified data, perhaps a moment old.
    pub(crate) fn data_certificate(&self, id: Principal) -> Vec<u8> {
        let (version, witness) = {
            let mut core = self.core();
            let version = core.tree.version();
            let cached = self.cached();
            if let Some(cached) = cached.get(&id)
                && cached.version == version
                && cached.made.elapsed() < CERTIFICATE_AGE
            {
                return cached.bytes.clone();
            }
            drop(cached);
            let path = certify::labels!["canister", id, "certified_data"];
            (version, core.tree.witness(&[path], Clock::wire()))
        };
        let bytes = certify::certify(&self.keys, &witness);
        self.cached().insert(
            id,
            Cached {
                version,
                made: Instant::now(),
                bytes: bytes.clone(),
            },
        );
        bytes
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<Principal, Cached>> {
        self.certificates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
