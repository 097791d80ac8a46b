//! Starts a node on a state folder: brings back what was kept and starts the executor.

use super::clock::Clock;
use super::executor::{Executor, Queue};
use super::ingress::Request;
use super::state::{Canister, Cell, Loaded, module_path};
use super::transaction::show;
use super::{Core, Node, NodeError};
use crate::certify::keys::{Keys, Secrets};
use crate::certify::layout;
use crate::exec::engine;
use crate::exec::pool::{Pool, STACK};
use crate::persist::{Batch, PersistError, Store};
use crate::wire::value::Hash;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;

/// Keys of values in the store.
pub(crate) mod key {
    /// The secrets.
    pub(crate) const SECRETS: &str = "secrets";
    /// How far canisters' clock is ahead.
    pub(crate) const CLOCK: &str = "clock";
    /// Messages between canisters, and the next canister id.
    pub(crate) const QUEUE: &str = "queue";
    /// Before a canister's id.
    pub(crate) const CANISTER: &str = "canister/";
    /// Before a request's id in hexadecimal.
    pub(crate) const INGRESS: &str = "ingress/";
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
    /// Opens a state folder and starts the executor; its thread ends on `Event::Stop`.
    pub(crate) fn start(dir: &Path) -> Result<(Arc<Self>, JoinHandle<()>), NodeError> {
        let mut store = Store::open(dir)?;
        std::fs::create_dir_all(dir.join("modules"))?;
        let secrets: Secrets = match store.get(key::SECRETS) {
            Some(bytes) => decode(dir, bytes)?,
            None => {
                let secrets = Secrets::generate()?;
                store.commit(&Batch {
                    values: vec![(key::SECRETS.into(), Some(encode(&secrets)))],
                    pages: Vec::new(),
                })?;
                secrets
            }
        };
        let keys = Keys::new(&secrets)?;
        let ahead = match store.get(key::CLOCK) {
            Some(bytes) => decode(dir, bytes)?,
            None => 0,
        };
        let queue: Queue = match store.get(key::QUEUE) {
            Some(bytes) => decode(dir, bytes)?,
            None => Queue::default(),
        };
        let core = load_core(dir, &store, &keys)?;
        let (inbox, events) = mpsc::channel();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let node = Arc::new(Self {
            dir: dir.to_owned(),
            keys,
            clock: Clock::new(ahead),
            costs: super::costs::Costs::default(),
            pool: Pool::new(threads.max(4))?,
            core: Mutex::new(core),
            store: Mutex::new(store),
            inbox: Mutex::new(inbox),
            certificates: Mutex::default(),
        });
        let thread = spawn_executor(Arc::clone(&node), queue, events)?;
        Ok((node, thread))
    }
}

fn spawn_executor(
    node: Arc<Node>,
    queue: Queue,
    events: Receiver<super::Event>,
) -> Result<JoinHandle<()>, NodeError> {
    Ok(std::thread::Builder::new()
        .name("localnet-executor".into())
        .stack_size(STACK)
        .spawn(move || Executor::new(node, queue).work(&events))?)
}

fn load_core(dir: &Path, store: &Store, keys: &Keys) -> Result<Core, NodeError> {
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
        let loaded = Loaded::open(dir, state, module)?;
        remove_leftovers(dir, &loaded)?;
        show(&mut core.tree, &loaded);
        let cell = Cell {
            committed: RwLock::new(loaded),
        };
        core.canisters.insert(id, Arc::new(cell));
    }
    for (name, bytes) in store.with_prefix(key::INGRESS) {
        let request: Request = decode(dir, bytes)?;
        let name = name.strip_prefix(key::INGRESS).unwrap_or(name);
        let mut id = Hash::default();
        if hex::decode_to_slice(name, &mut id).is_ok() {
            core.ingress.restore(&mut core.tree, id, request);
        }
    }
    Ok(core)
}

/// Removes files of installations that never ended.
fn remove_leftovers(dir: &Path, loaded: &Loaded) -> Result<(), NodeError> {
    let places = super::state::Places::new(dir, loaded.state.id);
    for entry in std::fs::read_dir(&places.dir)? {
        let path = entry?.path();
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
