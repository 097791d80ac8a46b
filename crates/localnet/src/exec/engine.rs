//! The WebAssembly engine and compiled modules, shared by everything in this process: compiling
//! is the dearest thing this program does, and tests start many nodes.

use super::host::Host;
use super::imports;
use super::memory::{HEAP_GUARD, HEAP_RESERVATION, HeapCreator};
use super::module::{self, Anatomy, ModuleError};
use super::weights;
use crate::wire::value::{Hash, sha256};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wasmtime::{Config, Engine, InstancePre, Linker, Module};

/// Native stack canister code may use, bytes: as much as the engine accepts, and far less than
/// the threads have.
const MAX_WASM_STACK: usize = 2 << 20;

/// Most functions a backtrace names: the replica's number.
const BACKTRACE_FRAMES: NonZeroUsize = NonZeroUsize::new(20).unwrap();

/// A module ready to be instantiated.
pub(crate) struct CanisterModule {
    /// SHA-256 of the Wasm as it was uploaded, compressed or not.
    pub(crate) hash: Hash,
    /// Bytes of the Wasm as it was uploaded.
    pub(crate) size: usize,
    /// What is in it.
    pub(crate) anatomy: Anatomy,
    /// The compiled code with the system API bound to it.
    pub(crate) code: InstancePre<Host>,
}

impl CanisterModule {
    /// Whether it exports a function of this name.
    pub(crate) fn exports(&self, name: &str) -> bool {
        self.anatomy.functions.contains(name)
    }
}

struct Shared {
    engine: Engine,
    linker: Linker<Host>,
    modules: Mutex<HashMap<Hash, Arc<CanisterModule>>>,
}

fn shared() -> Result<&'static Shared, ModuleError> {
    static SHARED: OnceLock<Result<Shared, String>> = OnceLock::new();
    SHARED
        .get_or_init(|| build().map_err(|e| format!("{e:#}")))
        .as_ref()
        .map_err(|e| ModuleError::Compile(format!("the engine does not start: {e}")))
}

fn build() -> wasmtime::Result<Shared> {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .operator_cost(weights::operator_cost())
        .max_wasm_stack(MAX_WASM_STACK)
        .memory_init_cow(false)
        .memory_may_move(false)
        .memory_reservation(HEAP_RESERVATION as u64)
        .memory_guard_size(HEAP_GUARD as u64)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES))
        .with_host_memory(Arc::new(HeapCreator));
    let engine = Engine::new(&config)?;
    let mut linker = Linker::new(&engine);
    imports::bind(&mut linker)?;
    Ok(Shared {
        engine,
        linker,
        modules: Mutex::default(),
    })
}

/// The engine.
pub(crate) fn engine() -> Result<&'static Engine, ModuleError> {
    Ok(&shared()?.engine)
}

/// Checks and compiles a module, gzip or not; modules seen before in this process are ready.
pub(crate) fn compile(uploaded: &[u8]) -> Result<Arc<CanisterModule>, ModuleError> {
    let shared = shared()?;
    let hash = sha256(uploaded);
    let cached = || {
        shared
            .modules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(module) = cached().get(&hash) {
        return Ok(Arc::clone(module));
    }
    let wasm = module::decompress(uploaded)?;
    let (wasm, anatomy) = module::dissect(&wasm, |name| imports::NAMES.contains(&name))?;
    let compiled =
        Module::new(&shared.engine, &wasm).map_err(|e| ModuleError::Compile(format!("{e:#}")))?;
    let code = shared
        .linker
        .instantiate_pre(&compiled)
        .map_err(|e| ModuleError::Compile(format!("{e:#}")))?;
    let module = Arc::new(CanisterModule {
        hash,
        size: uploaded.len(),
        anatomy,
        code,
    });
    cached().insert(hash, Arc::clone(&module));
    Ok(module)
}
