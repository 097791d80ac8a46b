//! Installing, upgrading and removing code. An installation happens whole or not at all: new
//! memories are new files, and only a committed transaction makes them the canister's.

use super::{About, Call, nothing, refuse};
use crate::exec::engine::{CanisterModule, compile};
use crate::exec::host::{Host, Mode, Trap};
use crate::exec::memory::{BackingFile, HeapSource};
use crate::exec::prices;
use crate::exec::run::{Entry, Finished, Heap, HeapChange, run};
use crate::exec::stable::StableView;
use crate::node::calls;
use crate::node::state::{HeapState, Loaded, Places, StableState, module_path};
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use candid::Principal;
use ic_management_canister_types::{
    CanisterInstallMode, InstallCodeArgs, UpgradeFlags, WasmMemoryPersistence,
};
use std::sync::Arc;

/// Instructions an installation may spend, pre- and post-upgrade together.
const INSTALL_INSTRUCTIONS: u64 = 300_000_000_000;

fn node_failed(error: impl std::fmt::Display) -> Reject {
    Reject::new(1, "IC0500", format!("the node failed: {error}"))
}

/// What an installation made.
struct Made {
    host: Host,
    heap: HeapChange,
    heap_file: Arc<BackingFile>,
    stable_file: Arc<BackingFile>,
    heap_generation: u64,
    stable_generation: u64,
}

impl Call<'_, '_> {
    pub(super) fn install_code(&mut self) -> CallResult {
        let (args,): (InstallCodeArgs,) = self.decode()?;
        self.install(args.canister_id, args.mode, &args.wasm_module, args.arg)
    }

    /// Installs `wasm` (gzip or not).
    pub(super) fn install(
        &mut self,
        id: Principal,
        mode: CanisterInstallMode,
        wasm: &[u8],
        arg: Vec<u8>,
    ) -> CallResult {
        let caller = self.caller;
        let node = self.transaction.node;
        let loaded = self.controlled(id)?.clone();
        let upgrade = match (mode, loaded.module.is_some()) {
            (CanisterInstallMode::Install, true) => {
                let message =
                    format!("Canister {id} cannot be installed because the canister is not empty");
                return Err(Reject::new(5, "IC0514", message));
            }
            (CanisterInstallMode::Install, false) | (CanisterInstallMode::Reinstall, _) => None,
            (CanisterInstallMode::Upgrade(_), false) => {
                return Err(crate::node::query::no_code(id));
            }
            (CanisterInstallMode::Upgrade(flags), true) => Some(skips_pre_upgrade(flags)?),
        };
        let module = compile(wasm).map_err(|e| {
            let message = format!("Canister {id}: {e}");
            Reject::new(5, "IC0505", message)
        })?;
        let path = module_path(&node.dir, &module.hash);
        if !path.exists() {
            persist::replace(&path, wasm).map_err(node_failed)?;
        }
        let places = Places::new(&node.dir, id);
        let made = self
            .make(&loaded, &module, upgrade, caller, arg, &places)
            .map_err(|e| e.unwrap_or_else(|trap| trap.reject(id)))?;
        self.replace(id, &loaded, module, upgrade.is_none(), made, &places)?;
        Ok(nothing())
    }

    /// Runs the code's hooks on new memories.
    fn make(
        &mut self,
        loaded: &Loaded,
        module: &Arc<CanisterModule>,
        upgrade: Option<bool>,
        caller: Principal,
        arg: Vec<u8>,
        places: &Places,
    ) -> Result<Made, Result<Reject, Trap>> {
        let node = self.transaction.node;
        let failed = |e: std::io::Error| Ok(node_failed(e));
        let mut paying = loaded.clone();
        paying.prepay(INSTALL_INSTRUCTIONS).map_err(Ok)?;
        let loaded = &paying;
        let heap_generation = loaded.state.heap.generation + 1;
        let heap_file = BackingFile::open(&places.heap(heap_generation), 0).map_err(failed)?;
        let fresh = |file: &Arc<BackingFile>| Heap::Fresh(HeapSource::empty(Arc::clone(file)));
        let mut facts = node.facts(loaded, caller, arg);
        facts.version += 1;
        let mut remaining = INSTALL_INSTRUCTIONS;
        let (stable, hook, stable_generation) = match upgrade {
            None => {
                let generation = loaded.state.stable.generation + 1;
                let file = BackingFile::open(&places.stable(generation), 0).map_err(failed)?;
                (StableView::new(file, 0), "canister_init", generation)
            }
            Some(skip) => {
                let mut stable = loaded.stable_view();
                if !skip {
                    let mut before = facts.clone();
                    before.arg = Vec::new();
                    before.version -= 1;
                    let finished = pre_upgrade(loaded, stable, before, remaining);
                    node.costs
                        .note(loaded.state.id, "pre_upgrade", "", &finished);
                    let finished = finished.map_err(Err)?;
                    finished.outcome.map_err(Err)?;
                    remaining = remaining.saturating_sub(finished.instructions);
                    stable = finished.host.stable;
                }
                (
                    stable,
                    "canister_post_upgrade",
                    loaded.state.stable.generation,
                )
            }
        };
        let stable_file = Arc::clone(stable.file());
        let mut host = calls::host(loaded, stable, Mode::INIT, facts, remaining);
        host.timer = 0;
        let finished = run(module, fresh(&heap_file), host, Entry::Hook(hook), true);
        let kind = if upgrade.is_some() {
            "post_upgrade"
        } else {
            "install"
        };
        node.costs.note(loaded.state.id, kind, "", &finished);
        let Finished {
            mut host,
            outcome,
            instructions,
        } = finished.map_err(Err)?;
        let heap = outcome
            .map_err(Err)?
            .ok_or_else(|| Err(Trap::Node("no heap was kept".into())))?;
        let (used, limit) = (heap.len as u64, host.room.heap_limit);
        if limit != 0 && used > limit {
            return Err(Err(Trap::WasmMemoryLimit { limit, used }));
        }
        let unspent = u128::from(remaining.saturating_sub(instructions));
        host.balance += prices::INSTRUCTION * unspent;
        Ok(Made {
            host,
            heap,
            heap_file,
            stable_file,
            heap_generation,
            stable_generation,
        })
    }

    /// Makes what was installed the canister's.
    fn replace(
        &mut self,
        id: Principal,
        old: &Loaded,
        module: Arc<CanisterModule>,
        wiped: bool,
        made: Made,
        places: &Places,
    ) -> Result<(), Reject> {
        if wiped {
            self.drop_contexts(id);
        }
        let loaded = self.controlled(id)?;
        let state = &mut loaded.state;
        state.module = Some(module.hash);
        state.heap = HeapState {
            generation: made.heap_generation,
            len: 0,
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
        if wiped {
            let path = places.stable(old.state.stable.generation);
            self.transaction.remove_later(path);
        }
        Ok(())
    }

    pub(super) fn uninstall_code(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let old = self.controlled(id)?.clone();
        let places = Places::new(&self.transaction.node.dir, id);
        self.drop_contexts(id);
        let loaded = self.controlled(id)?;
        let generation = old.state.stable.generation + 1;
        loaded.stable = BackingFile::open(&places.stable(generation), 0).map_err(node_failed)?;
        loaded.heap = None;
        loaded.module = None;
        let state = &mut loaded.state;
        state.module = None;
        state.heap = HeapState {
            generation: old.state.heap.generation,
            ..HeapState::default()
        };
        state.stable = StableState {
            generation,
            pages: 0,
        };
        state.certified_data = Vec::new();
        state.timer = 0;
        state.version += 1;
        let heap = places.heap(old.state.heap.generation);
        let stable = places.stable(old.state.stable.generation);
        self.transaction.remove_later(heap);
        self.transaction.remove_later(stable);
        Ok(nothing())
    }

    /// Answers everybody who waits for code that is gone.
    fn drop_contexts(&mut self, id: Principal) {
        let Some(loaded) = self.transaction.canister(id) else {
            return;
        };
        loaded.state.callbacks.clear();
        for context in std::mem::take(&mut loaded.state.contexts).into_values() {
            if !context.responded {
                let reject = Reject::new(4, "IC0511", "Canister has been uninstalled.");
                self.transaction
                    .respond(&context.origin, Err(reject), context.available.0);
            }
        }
    }
}

fn pre_upgrade(
    loaded: &Loaded,
    stable: StableView,
    facts: crate::exec::host::Facts,
    limit: u64,
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
        false,
    )
}

fn skips_pre_upgrade(flags: Option<UpgradeFlags>) -> Result<bool, Reject> {
    let Some(flags) = flags else {
        return Ok(false);
    };
    if matches!(
        flags.wasm_memory_persistence,
        Some(WasmMemoryPersistence::Keep)
    ) {
        return Err(refuse(
            "keeping the heap in upgrades is not offered by this node",
        ));
    }
    Ok(flags.skip_pre_upgrade.unwrap_or(false))
}
