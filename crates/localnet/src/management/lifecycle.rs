//! Creating, configuring, starting, stopping, describing and deleting canisters.

use super::{About, Call, encode, nothing, refuse};
use crate::certify::layout::{canister_id, canister_number};
use crate::exec::stable::WASM_PAGE;
use crate::node::state::{Canister, Cycles, Loaded, Places, Run, Settings};
use crate::wire::response::{CallResult, Reject};
use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CanisterStatusResult, CanisterStatusType,
    CreateCanisterArgs, DefiniteCanisterSettings, EnvironmentVariable, LogVisibility,
    MemoryMetrics, ProvisionalCreateCanisterWithCyclesArgs, ProvisionalTopUpCanisterArgs,
    QueryStats, UpdateSettingsArgs,
};

/// What a canister gets when nobody says how much: 100 T (interface specification).
const DEFAULT_CYCLES: u128 = 100_000_000_000_000;
/// Most controllers (interface specification).
const MAX_CONTROLLERS: usize = 10;

fn number<T: TryFrom<Nat>>(name: &str, value: Nat) -> Result<T, Reject> {
    let text = value.to_string();
    T::try_from(value).map_err(|_| refuse(format!("{name}: {text} is too large")))
}

struct Number(u128);

impl TryFrom<Nat> for Number {
    type Error = ();

    fn try_from(value: Nat) -> Result<Self, ()> {
        u128::try_from(value.0).map(Self).map_err(|_| ())
    }
}

fn small(name: &str, value: Nat) -> Result<u64, Reject> {
    let Number(wide) = number(name, value)?;
    u64::try_from(wide).map_err(|_| refuse(format!("{name}: {wide} is too large")))
}

/// Applies settings; nothing is changed when one is refused.
fn apply(state: &mut Canister, new: CanisterSettings) -> Result<(), Reject> {
    let mut settings: Settings = state.settings.clone();
    let mut controllers = state.controllers.clone();
    if let Some(mut wanted) = new.controllers {
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() > MAX_CONTROLLERS {
            return Err(refuse(format!("more than {MAX_CONTROLLERS} controllers")));
        }
        controllers = wanted;
    }
    if let Some(value) = new.compute_allocation {
        settings.compute_allocation = small("compute_allocation", value)?;
        if settings.compute_allocation > 100 {
            return Err(refuse("compute_allocation is above 100"));
        }
    }
    if let Some(value) = new.memory_allocation {
        settings.memory_allocation = small("memory_allocation", value)?;
    }
    if let Some(value) = new.freezing_threshold {
        settings.freezing_threshold = small("freezing_threshold", value)?;
    }
    if let Some(value) = new.reserved_cycles_limit {
        let Number(value) = number("reserved_cycles_limit", value)?;
        settings.reserved_cycles_limit = Cycles(value);
    }
    if let Some(value) = new.wasm_memory_limit {
        settings.wasm_memory_limit = small("wasm_memory_limit", value)?;
    }
    if let Some(value) = new.wasm_memory_threshold {
        settings.wasm_memory_threshold = small("wasm_memory_threshold", value)?;
    }
    if let Some(variables) = new.environment_variables {
        settings.environment = variables.into_iter().map(|v| (v.name, v.value)).collect();
    }
    state.settings = settings;
    state.controllers = controllers;
    state.version += 1;
    Ok(())
}

impl Call<'_, '_> {
    pub(super) fn create_canister(&mut self) -> CallResult {
        let settings = if self.arg.is_empty() {
            None
        } else {
            let (args,): (CreateCanisterArgs,) = self.decode()?;
            args.settings
        };
        let cycles = std::mem::take(&mut self.cycles);
        self.create(None, settings, cycles)
    }

    pub(super) fn provisional_create(&mut self) -> CallResult {
        let (args,): (ProvisionalCreateCanisterWithCyclesArgs,) = self.decode()?;
        let cycles = match args.amount {
            None => DEFAULT_CYCLES,
            Some(amount) => number::<Number>("amount", amount)?.0,
        };
        self.create(args.specified_id, args.settings, cycles)
    }

    fn create(
        &mut self,
        wanted: Option<Principal>,
        settings: Option<CanisterSettings>,
        cycles: u128,
    ) -> CallResult {
        let id = match wanted {
            Some(id) => {
                if canister_number(id).is_none() {
                    return Err(refuse(format!("{id} is not a canister id of this subnet")));
                }
                if self.transaction.exists(id) {
                    return Err(refuse(format!("canister {id} exists already")));
                }
                id
            }
            None => loop {
                let id = canister_id(self.transaction.next_canister);
                self.transaction.next_canister += 1;
                if !self.transaction.exists(id) {
                    break id;
                }
            },
        };
        let mut state = Canister::new(id, vec![self.caller], cycles);
        if let Some(settings) = settings {
            apply(&mut state, settings)?;
        }
        let loaded = Loaded::open(&self.transaction.node.dir, state, None)
            .map_err(|e| Reject::new(1, "IC0500", format!("the canister cannot be kept: {e}")))?;
        self.transaction.create(loaded);
        encode((CanisterIdRecord { canister_id: id },))
    }

    pub(super) fn provisional_top_up(&mut self) -> CallResult {
        let (args,): (ProvisionalTopUpCanisterArgs,) = self.decode()?;
        let Number(amount) = number("amount", args.amount)?;
        let id = args.canister_id;
        let loaded = self
            .transaction
            .canister(id)
            .ok_or_else(|| crate::node::query::not_found(id))?;
        loaded.state.cycles.0 += amount;
        Ok(nothing())
    }

    pub(super) fn deposit_cycles(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let loaded = self
            .transaction
            .canister(id)
            .ok_or_else(|| crate::node::query::not_found(id))?;
        loaded.state.cycles.0 += std::mem::take(&mut self.cycles);
        Ok(nothing())
    }

    pub(super) fn update_settings(&mut self) -> CallResult {
        let (args,): (UpdateSettingsArgs,) = self.decode()?;
        let loaded = self.controlled(args.canister_id)?;
        apply(&mut loaded.state, args.settings)?;
        Ok(nothing())
    }

    pub(super) fn start_canister(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let loaded = self.controlled(about.canister_id)?;
        let before = std::mem::replace(&mut loaded.state.run, Run::Running);
        loaded.state.version += 1;
        if let Run::Stopping(waiting) = before {
            for origin in waiting {
                let reject = Reject::new(4, "IC0510", "the canister was started again");
                self.transaction.respond(&origin, Err(reject), 0);
            }
        }
        Ok(nothing())
    }

    /// None when calls must end first.
    pub(super) fn stop_canister(&mut self) -> Result<Option<Vec<u8>>, Reject> {
        let (about,): (About,) = self.decode()?;
        let origin = self.origin.clone();
        let loaded = self.controlled(about.canister_id)?;
        let idle = loaded.state.contexts.is_empty();
        match &mut loaded.state.run {
            Run::Stopped => {}
            Run::Stopping(waiting) => {
                waiting.push(origin);
                return Ok(None);
            }
            Run::Running if idle => loaded.state.run = Run::Stopped,
            Run::Running => {
                loaded.state.run = Run::Stopping(vec![origin]);
                return Ok(None);
            }
        }
        loaded.state.version += 1;
        Ok(Some(nothing()))
    }

    pub(super) fn delete_canister(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let loaded = self.controlled(id)?;
        if loaded.state.run != Run::Stopped {
            let message = format!("Canister {id} must be stopped before it is deleted");
            return Err(Reject::new(5, "IC0510", message));
        }
        let dir = Places::new(&self.transaction.node.dir, id).dir;
        self.transaction.delete(id);
        self.transaction.remove_later(dir);
        Ok(nothing())
    }

    pub(super) fn canister_status(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let caller = self.caller;
        // A canister may look at itself.
        let loaded = if caller == about.canister_id {
            self.transaction
                .canister(caller)
                .ok_or_else(|| crate::node::query::not_found(caller))?
        } else {
            self.controlled(about.canister_id)?
        };
        encode((status(loaded),))
    }
}

fn status(loaded: &Loaded) -> CanisterStatusResult {
    let state = &loaded.state;
    let nat = |n: u64| Nat::from(n);
    let stable = state.stable.pages * WASM_PAGE;
    let binary = loaded.module.as_ref().map_or(0, |m| m.size as u64);
    let custom = loaded
        .module
        .as_ref()
        .map_or(0, |m| m.anatomy.custom_bytes as u64);
    let chunks: u64 = state.chunks.values().sum();
    CanisterStatusResult {
        status: match state.run {
            Run::Running => CanisterStatusType::Running,
            Run::Stopping(_) => CanisterStatusType::Stopping,
            Run::Stopped => CanisterStatusType::Stopped,
        },
        ready_for_migration: false,
        version: state.version,
        settings: definite(state),
        module_hash: state.module.map(|hash| hash.to_vec()),
        memory_size: nat(state.heap.len + stable + binary + chunks),
        memory_metrics: MemoryMetrics {
            wasm_memory_size: nat(state.heap.len),
            stable_memory_size: nat(stable),
            global_memory_size: nat(8 * state.heap.globals.len() as u64),
            wasm_binary_size: nat(binary),
            custom_sections_size: nat(custom),
            canister_history_size: nat(0),
            wasm_chunk_store_size: nat(chunks),
            snapshots_size: nat(0),
            log_memory_store_size: nat(0),
        },
        cycles: Nat::from(state.cycles.0),
        reserved_cycles: nat(0),
        idle_cycles_burned_per_day: nat(0),
        query_stats: QueryStats {
            num_calls_total: nat(0),
            num_instructions_total: nat(0),
            request_payload_bytes_total: nat(0),
            response_payload_bytes_total: nat(0),
        },
    }
}

fn definite(state: &Canister) -> DefiniteCanisterSettings {
    let settings = &state.settings;
    DefiniteCanisterSettings {
        controllers: state.controllers.clone(),
        compute_allocation: settings.compute_allocation.into(),
        memory_allocation: settings.memory_allocation.into(),
        freezing_threshold: settings.freezing_threshold.into(),
        reserved_cycles_limit: settings.reserved_cycles_limit.0.into(),
        minimum_incoming_canister_call_cycles: 0_u64.into(),
        log_visibility: LogVisibility::default(),
        log_memory_limit: 0_u64.into(),
        snapshot_visibility: Default::default(),
        status_visibility: Default::default(),
        wasm_memory_limit: settings.wasm_memory_limit.into(),
        wasm_memory_threshold: settings.wasm_memory_threshold.into(),
        environment_variables: settings
            .environment
            .iter()
            .map(|(name, value)| EnvironmentVariable {
                name: name.clone(),
                value: value.clone(),
            })
            .collect(),
    }
}
