//! Installing and upgrading code. An installation happens whole or not at all: new memories are
//! new files, and only a committed transaction makes them the canister's.

use super::{Call, contract, node_failed, nothing};
use crate::exec::engine::{CanisterModule, compile};
use crate::exec::host::{Facts, Host, Mode, Trap};
use crate::exec::memory::{BackingFile, HeapSource};
use crate::exec::prices;
use crate::exec::run::{Entry, Finished, Heap, HeapChange, run};
use crate::exec::stable::StableView;
use crate::node::calls;
use crate::node::history::{Deployment, Event};
use crate::node::loaded::Loaded;
use crate::node::places::{Places, module_path};
use crate::node::said::Said;
use crate::node::snapshot;
use crate::node::state::HeapState;
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_management_canister_types::{CanisterInstallMode, InstallCodeArgs, WasmMemoryPersistence};
use std::sync::Arc;

/// Instructions an installation may spend, pre- and post-upgrade together.
const INSTALL_INSTRUCTIONS: u64 = 300_000_000_000;
/// The private section of modules whose heap may be kept (interface specification).
const KEEPING_SECTION: &str = "enhanced-orthogonal-persistence";

/// What is to be installed.
pub(super) struct Order<'a> {
    /// Where.
    pub(super) id: Principal,
    /// How.
    pub(super) mode: CanisterInstallMode,
    /// The module, gzip or not.
    pub(super) wasm: &'a [u8],
    /// The hook's argument.
    pub(super) arg: Vec<u8>,
    /// The caller's version, when it says so.
    pub(super) caller_version: Option<u64>,
}

/// How an installation treats what is there.
#[derive(Clone, Copy)]
struct Plan {
    deployment: Deployment,
    runs_pre_upgrade: bool,
    keeps_heap: bool,
}

/// Why an installation failed.
enum Failure {
    Trap(Trap),
    Refused(Reject),
}

impl From<Trap> for Failure {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(node_failed(error))
    }
}

/// What an installation made.
struct Made {
    host: Host,
    heap: HeapChange,
    heap_file: Arc<BackingFile>,
    stable_file: Arc<BackingFile>,
    heap_generation: u64,
    heap_len: u64,
    stable_generation: u64,
}

impl Call<'_, '_> {
    pub(super) fn install_code(&mut self) -> CallResult {
        let (args,): (InstallCodeArgs,) = self.decode()?;
        self.install(Order {
            id: args.canister_id,
            mode: args.mode,
            wasm: &args.wasm_module,
            arg: args.arg,
            caller_version: args.sender_canister_version,
        })
    }

    pub(super) fn install(&mut self, order: Order<'_>) -> CallResult {
        let Order { id, mode, .. } = order;
        let node = self.transaction.node;
        let loaded = self.allowed(id)?.clone();
        check_mode(id, mode, loaded.module.is_some())?;
        let module = compile(order.wasm)
            .map_err(|e| Reject::new(5, "IC0505", format!("Error from Canister {id}: {e}")))?;
        let plan = plan(mode, loaded.module.as_deref(), &module)?;
        let path = module_path(&node.dir, &module.hash);
        if !path.exists() {
            persist::replace(&path, order.wasm).map_err(node_failed)?;
        }
        let places = Places::new(&node.dir, id);
        let made = self.make(&loaded, &module, plan, order.arg, &places);
        let made = made.map_err(|failure| match failure {
            Failure::Trap(trap) => trap.reject(id),
            Failure::Refused(reject) => reject,
        })?;
        let hash = module.hash;
        self.replace(&loaded, module, plan, made, &places)?;
        let event = Event::Deployed(plan.deployment, hash);
        self.record(id, order.caller_version, event)?;
        Ok(nothing())
    }

    /// Runs the code's hooks on new memories.
    fn make(
        &mut self,
        loaded: &Loaded,
        module: &Arc<CanisterModule>,
        plan: Plan,
        arg: Vec<u8>,
        places: &Places,
    ) -> Result<Made, Failure> {
        let node = self.transaction.node;
        let mut paying = loaded.clone();
        paying
            .prepay(INSTALL_INSTRUCTIONS)
            .map_err(Failure::Refused)?;
        let loaded = &paying;
        let mut remaining = INSTALL_INSTRUCTIONS;
        let mut stable = loaded.stable_view();
        let mut kept = Vec::new();
        let mut heap_len = loaded.state.heap.len;
        if plan.runs_pre_upgrade {
            let before = node.facts(loaded, self.caller, Vec::new());
            let finished = self.hook(loaded, "pre_upgrade", || {
                pre_upgrade(loaded, stable, before, remaining, plan.keeps_heap)
            })?;
            remaining = remaining.saturating_sub(finished.instructions);
            stable = finished.host.stable;
            if let Ok(Some(heap)) = finished.outcome {
                heap_len = heap.len as u64;
                kept = heap.runs;
            }
        }
        let heap_generation = loaded.state.heap.generation + 1;
        let path = places.heap(heap_generation);
        let heap_len = if plan.keeps_heap { heap_len } else { 0 };
        if plan.keeps_heap {
            snapshot::copy(&places.heap(heap_generation - 1), &path, heap_len)?;
        }
        let heap_file = BackingFile::open(&path, heap_len)?;
        for (offset, bytes) in kept {
            heap_file.write(offset, &bytes)?;
        }
        let upgrades = plan.deployment == Deployment::Upgrade;
        let stable_generation = loaded.state.stable.generation + u64::from(!upgrades);
        if !upgrades {
            let file = BackingFile::open(&places.stable(stable_generation), 0)?;
            stable = StableView::new(file, 0);
        }
        let heap = if plan.keeps_heap {
            let len = usize::try_from(heap_len).unwrap_or(usize::MAX);
            Heap::Kept(HeapSource::committed(Arc::clone(&heap_file), len)?)
        } else {
            Heap::Fresh(HeapSource::empty(Arc::clone(&heap_file)))
        };
        let (kind, hook) = if upgrades {
            ("post_upgrade", "canister_post_upgrade")
        } else {
            ("install", "canister_init")
        };
        let stable_file = Arc::clone(stable.file());
        let mut facts = node.facts(loaded, self.caller, arg);
        facts.version += 1;
        let mut host = calls::host(loaded, stable, Mode::INIT, facts, remaining);
        host.timer = 0;
        let finished = self.hook(loaded, kind, || {
            run(module, heap, host, Entry::Hook(hook), true)
        })?;
        let heap = finished
            .outcome?
            .ok_or_else(|| Trap::Node("no heap was kept".into()))?;
        let mut host = finished.host;
        let (used, limit) = (heap.len as u64, host.room.heap_limit);
        if limit != 0 && used > limit {
            return Err(Trap::WasmMemoryLimit { limit, used }.into());
        }
        let unspent = u128::from(remaining.saturating_sub(finished.instructions));
        host.balance += prices::INSTRUCTION * unspent;
        Ok(Made {
            host,
            heap,
            heap_file,
            stable_file,
            heap_generation,
            heap_len,
            stable_generation,
        })
    }

    /// Runs a hook, and remembers what it printed and why it trapped.
    fn hook(
        &mut self,
        loaded: &Loaded,
        kind: &'static str,
        run: impl FnOnce() -> Result<Finished, Trap>,
    ) -> Result<Finished, Failure> {
        let id = loaded.state.id;
        let finished = run();
        self.transaction.node.costs.note(id, kind, "", &finished);
        let mut finished = finished?;
        self.said.push(Said::of(id, &finished));
        match finished.outcome {
            Ok(heap) => {
                finished.outcome = Ok(heap);
                Ok(finished)
            }
            Err(trap) => Err(trap.into()),
        }
    }

    /// Makes what was installed the canister's.
    fn replace(
        &mut self,
        old: &Loaded,
        module: Arc<CanisterModule>,
        plan: Plan,
        made: Made,
        places: &Places,
    ) -> Result<(), Reject> {
        let id = old.state.id;
        let loaded = self.allowed(id)?;
        let state = &mut loaded.state;
        state.module = Some(module.hash);
        state.heap = HeapState {
            generation: made.heap_generation,
            len: made.heap_len,
            globals: Vec::new(),
        };
        state.stable.generation = made.stable_generation;
        state.certified_data = Vec::new();
        state.timer = 0;
        loaded.module = Some(module);
        loaded.heap = Some(made.heap_file);
        loaded.stable = made.stable_file;
        self.transaction
            .keep(id, made.host, Some(made.heap))
            .map_err(|trap| trap.reject(id))?;
        if old.heap.is_some() {
            let path = places.heap(old.state.heap.generation);
            self.transaction.remove_later(path);
        }
        if plan.deployment != Deployment::Upgrade {
            let path = places.stable(old.state.stable.generation);
            self.transaction.remove_later(path);
            self.transaction.logs(id, |logs| logs.clear());
        }
        Ok(())
    }
}

fn check_mode(id: Principal, mode: CanisterInstallMode, full: bool) -> Result<(), Reject> {
    match mode {
        CanisterInstallMode::Install if full => {
            let message = format!(
                "Canister {id} cannot be installed because the canister is not empty. Try \
                 installing with mode='reinstall' instead."
            );
            Err(Reject::new(5, "IC0514", message))
        }
        CanisterInstallMode::Upgrade(_) if !full => Err(crate::node::query::no_code(id)),
        _ => Ok(()),
    }
}

/// Whether a module says that its heap may be kept.
fn keeps(module: &CanisterModule) -> bool {
    let section = module.anatomy.metadata.get(KEEPING_SECTION);
    section.is_some_and(|section| !section.public)
}

fn plan(
    mode: CanisterInstallMode,
    old: Option<&CanisterModule>,
    new: &CanisterModule,
) -> Result<Plan, Reject> {
    let fresh = |deployment| Plan {
        deployment,
        runs_pre_upgrade: false,
        keeps_heap: false,
    };
    let flags = match mode {
        CanisterInstallMode::Install => return Ok(fresh(Deployment::Install)),
        CanisterInstallMode::Reinstall => return Ok(fresh(Deployment::Reinstall)),
        CanisterInstallMode::Upgrade(flags) => flags.unwrap_or_default(),
    };
    let keeps_heap = match flags.wasm_memory_persistence {
        Some(WasmMemoryPersistence::Keep) if !keeps(new) => {
            return Err(contract(
                "Invalid upgrade option: The `wasm_memory_persistence: opt Keep` upgrade option \
                 requires that the new canister module supports enhanced orthogonal persistence.",
            ));
        }
        Some(WasmMemoryPersistence::Keep) => true,
        Some(WasmMemoryPersistence::Replace) => false,
        None if old.is_some_and(keeps) => {
            return Err(contract(
                "Missing upgrade option: Enhanced orthogonal persistence requires the \
                 `wasm_memory_persistence` upgrade option.",
            ));
        }
        None => false,
    };
    Ok(Plan {
        deployment: Deployment::Upgrade,
        runs_pre_upgrade: !flags.skip_pre_upgrade.unwrap_or(false),
        keeps_heap,
    })
}

fn pre_upgrade(
    loaded: &Loaded,
    stable: StableView,
    facts: Facts,
    limit: u64,
    keeps_heap: bool,
) -> Result<Finished, Trap> {
    let (Some(module), Some(source)) = (&loaded.module, loaded.heap_source()) else {
        return Err(Trap::Node("there is no heap".into()));
    };
    let host = calls::host(loaded, stable, Mode::PRE_UPGRADE, facts, limit);
    let heap = Heap::Committed(source, &loaded.state.heap.globals);
    run(
        module,
        heap,
        host,
        Entry::Hook("canister_pre_upgrade"),
        keeps_heap,
    )
}
