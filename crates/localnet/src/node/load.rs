//! Starts a node on a state folder: brings back what was kept and starts the executor.

use super::clock::Clock;
use super::executor::{self, Submission, Work};
use super::ingress::Request;
use super::loaded::{Cell, Loaded};
use super::places::module_path;
use super::state::{Canister, Task};
use super::transaction::show;
use super::{Core, Node, NodeError, Numbers, Plan};
use crate::certify::keys::{Keys, Secrets};
use crate::certify::layout;
use crate::exec::engine;
use crate::exec::pool::Pool;
use crate::persist::{Batch, PersistError, Store};
use crate::wire::value::Hash;
use candid::Principal;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;

/// Queries that run beside each other; those of one canister get a quarter.
const QUERIES: usize = 64;

/// Keys of values in the store.
pub(crate) mod key {
    use crate::wire::value::Hash;

    /// The secrets.
    pub(crate) const SECRETS: &str = "secrets";
    /// How far canisters' clock is ahead.
    pub(crate) const CLOCK: &str = "clock";
    /// What numbers canisters.
    pub(crate) const NUMBERS: &str = "numbers";
    /// Before the number of a message between canisters.
    pub(crate) const TASK: &str = "task/";
    /// Before a canister's id.
    pub(crate) const CANISTER: &str = "canister/";
    /// Before the id of a canister whose logs they are.
    pub(crate) const LOGS: &str = "logs/";
    /// Before the id of a canister that was deleted.
    pub(crate) const DELETED: &str = "deleted/";
    /// Before a request's id in hexadecimal.
    pub(crate) const INGRESS: &str = "ingress/";
    /// Before the id, in hexadecimal, of a request that was acknowledged and not begun.
    pub(crate) const WAITING: &str = "waiting/";

    /// A message between canisters.
    pub(crate) fn task(number: u64) -> String {
        format!("{TASK}{number:016x}")
    }

    /// A request.
    pub(crate) fn ingress(id: &Hash) -> String {
        format!("{INGRESS}{}", hex::encode(id))
    }

    /// A request that waits.
    pub(crate) fn waiting(id: &Hash) -> String {
        format!("{WAITING}{}", hex::encode(id))
    }
}

/// Encodes a value for the store.
pub(crate) fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Serialising our own types to memory cannot fail.
    serde_cbor::to_vec(value).unwrap_or_default()
}

fn decode<T: serde::de::DeserializeOwned>(dir: &Path, bytes: &[u8]) -> Result<T, NodeError> {
    serde_cbor::from_slice(bytes).map_err(|_| PersistError::Damaged(dir.join("values")).into())
}

impl Node {
    /// Opens a state folder and starts the executor; its threads end on `Event::Stop`.
    pub(crate) fn start(dir: &Path) -> Result<(Arc<Self>, Vec<JoinHandle<()>>), NodeError> {
        let mut store = Store::open(dir)?;
        std::fs::create_dir_all(dir.join("modules"))?;
        let mut secrets: Secrets = match store.get(key::SECRETS) {
            Some(bytes) => decode(dir, bytes)?,
            None => Secrets::generate()?,
        };
        if secrets.complete()? {
            store.commit(&Batch {
                values: vec![(key::SECRETS.into(), Some(encode(&secrets)))],
                pages: Vec::new(),
            })?;
        }
        let keys = Keys::new(&secrets)?;
        let ahead = match store.get(key::CLOCK) {
            Some(bytes) => decode(dir, bytes)?,
            None => 0,
        };
        let mut numbers: Numbers = match store.get(key::NUMBERS) {
            Some(bytes) => decode(dir, bytes)?,
            None => Numbers::default(),
        };
        let mut plan = Plan::default();
        let core = load_core(dir, &store, &keys, &mut plan)?;
        for (name, bytes) in store.with_prefix(key::TASK) {
            let task: Task = decode(dir, bytes)?;
            let number = name.strip_prefix(key::TASK).unwrap_or(name);
            let number = u64::from_str_radix(number, 16)
                .map_err(|_| PersistError::Damaged(dir.join("values")))?;
            numbers.next_task = number;
            plan.schedule
                .add(Work::lane_of(&task), Work::Task(number, task));
        }
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let node = Arc::new(Self {
            dir: dir.to_owned(),
            keys,
            started: Instant::now(),
            clock: Clock::new(ahead),
            costs: super::costs::Costs::default(),
            pool: Pool::new(threads.max(4), threads.max(4)),
            queries: Pool::new(QUERIES, QUERIES / 4),
            core: Mutex::new(core),
            store: Mutex::new(store),
            numbers: Mutex::new(numbers),
            plan: Mutex::new(plan),
            planned: Condvar::new(),
            certificates: Mutex::default(),
        });
        let threads = executor::start(&node)?;
        Ok((node, threads))
    }

    /// Keeps a request that was not begun: the agent is told to poll for its answer, so a restart
    /// must not forget it.
    pub(crate) fn keep_waiting(&self, id: &Hash) -> Result<(), PersistError> {
        let Some(submission) = self.core().ingress.asked(id) else {
            return Ok(());
        };
        let batch = Batch {
            values: vec![(key::waiting(id), Some(encode(&*submission)))],
            pages: Vec::new(),
        };
        // It may have been begun since: that is in the store then, and this must not follow it.
        self.store().commit_unless(&key::ingress(id), &batch)
    }
}

fn load_core(dir: &Path, store: &Store, keys: &Keys, plan: &mut Plan) -> Result<Core, NodeError> {
    let mut core = Core::default();
    layout::set_subnet(&mut core.tree, keys);
    for (_, bytes) in store.with_prefix(key::CANISTER) {
        let state: Canister = decode(dir, bytes)?;
        let id = state.id;
        let fail = |e: String| NodeError::Canister(id, e);
        let module = match &state.module {
            None => None,
            Some(hash) => {
                let wasm = std::fs::read(module_path(dir, hash))?;
                Some(engine::compile(&wasm).map_err(|e| fail(e.to_string()))?)
            }
        };
        let mut loaded = Loaded::open(dir, state, module)?;
        if let Some(bytes) = store.get(&format!("{}{id}", key::LOGS)) {
            loaded.logs = Arc::new(decode(dir, bytes)?);
        }
        remove_leftovers(dir, &loaded)?;
        show(&mut core.tree, &loaded);
        plan.schedule.set_timer(id, super::tasks::due(&loaded));
        let cell = Cell {
            committed: RwLock::new(loaded),
        };
        core.canisters.insert(id, Arc::new(cell));
    }
    for (_, bytes) in store.with_prefix(key::DELETED) {
        core.deleted.insert(decode(dir, bytes)?);
    }
    for (name, bytes) in store.with_prefix(key::INGRESS) {
        let request: Request = decode(dir, bytes)?;
        let name = name.strip_prefix(key::INGRESS).unwrap_or(name);
        let mut id = Hash::default();
        if hex::decode_to_slice(name, &mut id).is_ok() {
            core.ingress.restore(&mut core.tree, id, request);
        }
    }
    for (_, bytes) in store.with_prefix(key::WAITING) {
        let submission: Arc<Submission> = Arc::new(decode(dir, bytes)?);
        if submission.expiry > Clock::wire() && core.ingress.begin(&mut core.tree, &submission) {
            let lane = Work::lane_of_call(submission.canister, &submission.arg);
            plan.schedule.add(lane, Work::Ingress(submission));
        }
    }
    remove_strays(dir, &core)?;
    Ok(core)
}

/// Removes what belongs to no canister: folders of canisters whose creation was never committed
/// or whose deletion was, and modules that were being written.
fn remove_strays(dir: &Path, core: &Core) -> Result<(), NodeError> {
    let canisters = dir.join("canisters");
    std::fs::create_dir_all(&canisters)?;
    for entry in std::fs::read_dir(canisters)? {
        let entry = entry?;
        let id = entry.file_name().to_str().map(Principal::from_text);
        let known = matches!(id, Some(Ok(id)) if core.canisters.contains_key(&id));
        if !known {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    for entry in std::fs::read_dir(dir.join("modules"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Removes files of installations and snapshots that never ended.
fn remove_leftovers(dir: &Path, loaded: &Loaded) -> Result<(), NodeError> {
    let places = super::places::Places::new(dir, loaded.state.id);
    let snapshots = places.snapshots();
    if snapshots.exists() {
        let kept: Vec<_> = loaded.state.snapshots.keys().collect();
        for entry in std::fs::read_dir(&snapshots)? {
            let path = entry?.path();
            if !kept.iter().any(|id| places.snapshot(**id).dir == path) {
                std::fs::remove_dir_all(&path)?;
            }
        }
    }
    for entry in std::fs::read_dir(&places.dir)? {
        let path = entry?.path();
        if path == snapshots {
            continue;
        }
        let ours = loaded.stable.path() == path
            || loaded.heap.as_ref().is_some_and(|heap| heap.path() == path)
            || loaded
                .state
                .chunks
                .keys()
                .any(|hash| places.chunk(hash) == path);
        if !ours {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
