//! A canister's settings: what may be set, to what, and how they are shown.

use super::{Call, contract, invalid, nothing, refuse};
use crate::node::history::Event;
use crate::node::loaded::Loaded;
use crate::node::settings::{Settings, Visibility};
use crate::node::state::{Canister, Cycles};
use crate::wire::response::{CallResult, Reject};
use crate::wire::value::Hash;
use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterSettings, DefiniteCanisterSettings, EnvironmentVariable, LogVisibility,
    SnapshotVisibility, StatusVisibility, UpdateSettingsArgs,
};
use ic_representation_independent_hash::{Value, representation_independent_hash};

/// Most controllers, and most principals a visibility may name (interface specification).
const MAX_PRINCIPALS: usize = 10;
/// Largest limits on the heap that may be set, bytes (interface specification).
const MAX_HEAP_LIMIT: u64 = (1 << 48) - 1;
/// Memory the subnet has, bytes (published limits).
const SUBNET_MEMORY: u64 = 2 << 40;
/// Most environment variables, and the longest name and value, bytes (published limits).
const MAX_VARIABLES: usize = 20;
const MAX_VARIABLE_LEN: usize = 128;
/// Least and most memory for logs, bytes (interface specification); zero is allowed too.
const MIN_LOG: u64 = 4 << 10;
const MAX_LOG: u64 = 2 << 20;

/// A number of cycles.
pub(super) fn cycles(name: &str, value: &Nat) -> Result<u128, Reject> {
    u128::try_from(value.0.clone()).map_err(|_| out_of_range(name, value, "2^128-1"))
}

fn number(name: &str, value: &Nat, max: u64) -> Result<u64, Reject> {
    u64::try_from(value.0.clone())
        .ok()
        .filter(|number| *number <= max)
        .ok_or_else(|| out_of_range(name, value, &max.to_string()))
}

fn out_of_range(name: &str, value: &Nat, max: &str) -> Reject {
    contract(format!(
        "{name} expected to be in the range of [0..{max}], got {value}"
    ))
}

fn viewers_of(name: &str, viewers: Vec<Principal>) -> Result<Visibility, Reject> {
    if viewers.len() > MAX_PRINCIPALS {
        return Err(invalid(format!(
            "{name} names more than {MAX_PRINCIPALS} principals"
        )));
    }
    Ok(Visibility::Viewers(viewers))
}

fn controllers(mut wanted: Vec<Principal>) -> Result<Vec<Principal>, Reject> {
    if wanted.len() > MAX_PRINCIPALS {
        return Err(invalid(format!(
            "Error decoding candid: at most {MAX_PRINCIPALS} controllers are allowed"
        )));
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

fn environment(variables: Vec<EnvironmentVariable>) -> Result<Vec<(String, String)>, Reject> {
    let count = variables.len();
    if count > MAX_VARIABLES {
        return Err(invalid(format!(
            "Too many environment variables: {count} (max: {MAX_VARIABLES})"
        )));
    }
    let mut kept: Vec<(String, String)> = Vec::with_capacity(count);
    for EnvironmentVariable { name, value } in variables {
        for (what, text) in [("name", &name), ("value", &value)] {
            if text.len() > MAX_VARIABLE_LEN {
                return Err(invalid(format!(
                    "Environment variable {what} \"{text}\" exceeds the maximum allowed length \
                     of {MAX_VARIABLE_LEN}."
                )));
            }
        }
        if kept.iter().any(|(known, _)| *known == name) {
            return Err(invalid(format!(
                "Environment variable \"{name}\" is named more than once"
            )));
        }
        kept.push((name, value));
    }
    kept.sort_unstable();
    Ok(kept)
}

fn log_limit(value: &Nat) -> Result<u64, Reject> {
    let limit = number("log_memory_limit", value, u64::MAX)?;
    if limit > MAX_LOG {
        return Err(refuse(format!(
            "The canister log memory limit {limit} is too high. It must be at most {MAX_LOG}."
        )));
    }
    if limit != 0 && limit < MIN_LOG {
        return Err(refuse(format!(
            "The canister log memory limit {limit} is too low. It must be at least {MIN_LOG}."
        )));
    }
    Ok(limit)
}

/// Applies settings; nothing is changed when one is refused.
pub(super) fn apply(state: &mut Canister, new: CanisterSettings) -> Result<(), Reject> {
    let mut settings: Settings = state.settings.clone();
    if let Some(value) = new.compute_allocation {
        settings.compute_allocation = number("compute_allocation", &value, 100)?;
    }
    if let Some(value) = new.memory_allocation {
        settings.memory_allocation = number("memory_allocation", &value, u64::MAX)?;
        if settings.memory_allocation > SUBNET_MEMORY {
            let message = format!(
                "Canister requested {value} B of memory but only {SUBNET_MEMORY} B are available \
                 in the subnet."
            );
            return Err(Reject::new(1, "IC0101", message));
        }
    }
    if let Some(value) = new.freezing_threshold {
        settings.freezing_threshold = number("freezing_threshold", &value, u64::MAX)?;
    }
    if let Some(value) = new.reserved_cycles_limit {
        settings.reserved_cycles_limit = Cycles(cycles("reserved_cycles_limit", &value)?);
    }
    if let Some(value) = new.minimum_incoming_canister_call_cycles {
        let name = "minimum_incoming_canister_call_cycles";
        settings.minimum_incoming = Cycles(cycles(name, &value)?);
    }
    if let Some(value) = new.wasm_memory_limit {
        settings.wasm_memory_limit = number("wasm_memory_limit", &value, MAX_HEAP_LIMIT)?;
    }
    if let Some(value) = new.wasm_memory_threshold {
        settings.wasm_memory_threshold =
            number("wasm_memory_threshold", &value, MAX_HEAP_LIMIT + 1)?;
    }
    if let Some(variables) = new.environment_variables {
        settings.environment = environment(variables)?;
    }
    if let Some(value) = new.log_memory_limit {
        settings.log_limit = log_limit(&value)?;
    }
    if let Some(value) = new.log_visibility {
        settings.log_visibility = match value {
            LogVisibility::Controllers => Visibility::Controllers,
            LogVisibility::Public => Visibility::Public,
            LogVisibility::AllowedViewers(viewers) => viewers_of("log_visibility", viewers)?,
        };
    }
    if let Some(value) = new.snapshot_visibility {
        settings.snapshot_visibility = match value {
            SnapshotVisibility::Controllers => Visibility::Controllers,
            SnapshotVisibility::Public => Visibility::Public,
            SnapshotVisibility::AllowedViewers(viewers) => {
                viewers_of("snapshot_visibility", viewers)?
            }
        };
    }
    if let Some(value) = new.status_visibility {
        settings.status_visibility = match value {
            StatusVisibility::Controllers => Visibility::Controllers,
            StatusVisibility::Public => Visibility::Public,
            StatusVisibility::AllowedViewers(viewers) => viewers_of("status_visibility", viewers)?,
        };
    }
    if let Some(wanted) = new.controllers {
        state.controllers = controllers(wanted)?;
    }
    state.settings = settings;
    Ok(())
}

/// The hash of environment variables in a canister's history.
pub(super) fn environment_hash(settings: &Settings) -> Hash {
    let map: Vec<(String, Value)> = settings
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    representation_independent_hash(&map)
}

impl Call<'_, '_> {
    pub(super) fn update_settings(&mut self) -> CallResult {
        let (args,): (UpdateSettingsArgs,) = self.decode()?;
        let id = args.canister_id;
        let loaded = self.allowed(id)?;
        let changes_controllers = args.settings.controllers.is_some();
        let named = (
            args.settings.memory_allocation.is_some(),
            args.settings.wasm_memory_limit.is_some(),
        );
        apply(&mut loaded.state, args.settings)?;
        check_sizes(loaded, named)?;
        loaded.state.version += 1;
        let limit = loaded.state.settings.log_limit;
        let controllers = loaded.state.controllers.clone();
        self.transaction.logs(id, |logs| logs.fit(limit));
        if changes_controllers {
            self.record(
                id,
                args.sender_canister_version,
                Event::Controllers(controllers),
            )?;
        }
        Ok(nothing())
    }
}

/// A canister that uses more already cannot be given less.
fn check_sizes(loaded: &Loaded, named: (bool, bool)) -> Result<(), Reject> {
    let settings = &loaded.state.settings;
    let (names_allocation, names_limit) = named;
    let (given, used) = (
        settings.memory_allocation,
        super::status::memory_size(loaded),
    );
    if names_allocation && given != 0 && given < used {
        let message = format!(
            "Canister was given {given} B memory allocation but at least {used} B of memory is \
             needed."
        );
        return Err(Reject::new(4, "IC0402", message));
    }
    let (limit, heap) = (settings.wasm_memory_limit, loaded.state.heap.len);
    if names_limit && limit != 0 && limit < heap {
        return Err(contract(format!(
            "Could not validate the settings: the heap takes {heap} bytes, the limit is {limit}"
        )));
    }
    Ok(())
}

/// Settings as they are shown.
pub(super) fn definite(state: &Canister) -> DefiniteCanisterSettings {
    let settings = &state.settings;
    DefiniteCanisterSettings {
        controllers: state.controllers.clone(),
        compute_allocation: settings.compute_allocation.into(),
        memory_allocation: settings.memory_allocation.into(),
        freezing_threshold: settings.freezing_threshold.into(),
        reserved_cycles_limit: settings.reserved_cycles_limit.0.into(),
        minimum_incoming_canister_call_cycles: settings.minimum_incoming.0.into(),
        log_visibility: match &settings.log_visibility {
            Visibility::Controllers => LogVisibility::Controllers,
            Visibility::Public => LogVisibility::Public,
            Visibility::Viewers(viewers) => LogVisibility::AllowedViewers(viewers.clone()),
        },
        log_memory_limit: settings.log_limit.into(),
        snapshot_visibility: match &settings.snapshot_visibility {
            Visibility::Controllers => SnapshotVisibility::Controllers,
            Visibility::Public => SnapshotVisibility::Public,
            Visibility::Viewers(viewers) => SnapshotVisibility::AllowedViewers(viewers.clone()),
        },
        status_visibility: match &settings.status_visibility {
            Visibility::Controllers => StatusVisibility::Controllers,
            Visibility::Public => StatusVisibility::Public,
            Visibility::Viewers(viewers) => StatusVisibility::AllowedViewers(viewers.clone()),
        },
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
