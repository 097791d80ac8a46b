//! Who may call what: the interface specification's rules for agents, for canisters, and for the
//! canister a call is about. This subnet has no admins.

use super::{Call, invalid};
use crate::node::Node;
use crate::node::loaded::Loaded;
use crate::node::query::not_found;
use crate::node::settings::Visibility;
use crate::node::state::Canister;
use crate::wire::response::Reject;
use candid::{CandidType, Principal};
use serde::Deserialize;
use std::sync::PoisonError;

/// Who may call a method about a canister.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callers {
    /// Its controllers.
    Controllers,
    /// Its controllers and the canister itself.
    ControllersAndItself,
    /// Whom its settings let see its status, and the canister itself.
    StatusReaders,
    /// Whom its settings let see its snapshots.
    SnapshotReaders,
    /// Whom its settings let see its logs.
    LogReaders,
    /// Everybody.
    Everybody,
}

/// How agents may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agents {
    /// By updates.
    Update,
    /// By updates and queries.
    Both,
    /// By queries.
    Query,
    /// Not at all: it is for canisters.
    Never,
}

/// The methods this node offers.
const OFFERED: &[(&str, Agents, Callers)] = &[
    ("canister_info", Agents::Query, Callers::Everybody),
    ("canister_metadata", Agents::Never, Callers::Everybody),
    ("canister_status", Agents::Both, Callers::StatusReaders),
    (
        "clear_chunk_store",
        Agents::Update,
        Callers::ControllersAndItself,
    ),
    ("create_canister", Agents::Never, Callers::Everybody),
    ("delete_canister", Agents::Update, Callers::Controllers),
    (
        "delete_canister_snapshot",
        Agents::Update,
        Callers::Controllers,
    ),
    ("deposit_cycles", Agents::Never, Callers::Everybody),
    ("fetch_canister_logs", Agents::Query, Callers::LogReaders),
    ("install_chunked_code", Agents::Update, Callers::Controllers),
    ("install_code", Agents::Update, Callers::Controllers),
    (
        "list_canister_snapshots",
        Agents::Update,
        Callers::SnapshotReaders,
    ),
    (
        "load_canister_snapshot",
        Agents::Update,
        Callers::Controllers,
    ),
    (
        "provisional_create_canister_with_cycles",
        Agents::Update,
        Callers::Everybody,
    ),
    (
        "provisional_top_up_canister",
        Agents::Update,
        Callers::Everybody,
    ),
    ("raw_rand", Agents::Never, Callers::Everybody),
    (
        "read_canister_snapshot_data",
        Agents::Update,
        Callers::SnapshotReaders,
    ),
    (
        "read_canister_snapshot_metadata",
        Agents::Update,
        Callers::SnapshotReaders,
    ),
    ("start_canister", Agents::Update, Callers::Controllers),
    ("stop_canister", Agents::Update, Callers::Controllers),
    (
        "stored_chunks",
        Agents::Update,
        Callers::ControllersAndItself,
    ),
    (
        "take_canister_snapshot",
        Agents::Update,
        Callers::Controllers,
    ),
    ("uninstall_code", Agents::Update, Callers::Controllers),
    ("update_settings", Agents::Update, Callers::Controllers),
    (
        "upload_canister_snapshot_data",
        Agents::Update,
        Callers::Controllers,
    ),
    (
        "upload_canister_snapshot_metadata",
        Agents::Update,
        Callers::Controllers,
    ),
    (
        "upload_chunk",
        Agents::Update,
        Callers::ControllersAndItself,
    ),
    ("vetkd_derive_key", Agents::Never, Callers::Everybody),
    ("vetkd_public_key", Agents::Never, Callers::Everybody),
];

/// Methods of the management canister that this node does not offer.
const NOT_OFFERED: &[&str] = &[
    "bitcoin_get_balance",
    "bitcoin_get_block_headers",
    "bitcoin_get_current_fee_percentiles",
    "bitcoin_get_utxos",
    "bitcoin_send_transaction",
    "canister_metrics",
    "ecdsa_public_key",
    "flexible_http_request",
    "http_request",
    "list_canisters",
    "node_metrics_history",
    "rename_canister",
    "schnorr_public_key",
    "sign_with_ecdsa",
    "sign_with_schnorr",
    "subnet_info",
    "subnet_metrics",
];

fn rule(method: &str) -> Result<(Agents, Callers), Reject> {
    OFFERED
        .iter()
        .find(|(name, _, _)| *name == method)
        .map(|(_, agents, callers)| (*agents, *callers))
        .ok_or_else(|| {
            let message = if NOT_OFFERED.contains(&method) {
                format!("This node does not offer the management canister's method '{method}'")
            } else {
                format!("Management canister has no method '{method}'")
            };
            Reject::new(5, "IC0536", message)
        })
}

#[derive(CandidType, Deserialize)]
struct AboutCanister {
    canister_id: Principal,
}

#[derive(CandidType, Deserialize)]
struct AboutTarget {
    target_canister: Principal,
}

/// The canister a management call is about, and so its effective canister id; none for calls
/// that create one.
fn about(method: &str, arg: &[u8]) -> Result<Option<Principal>, Reject> {
    if matches!(
        method,
        "create_canister" | "provisional_create_canister_with_cycles" | "raw_rand"
    ) {
        return Ok(None);
    }
    let decoded = if method == "install_chunked_code" {
        candid::decode_args::<(AboutTarget,)>(arg).map(|(about,)| about.target_canister)
    } else {
        candid::decode_args::<(AboutCanister,)>(arg).map(|(about,)| about.canister_id)
    };
    decoded
        .map(Some)
        .map_err(|e| invalid(format!("Error decoding candid: {e:#}")))
}

/// Whether an agent's update call to the management canister is let in.
pub(crate) fn admit(
    node: &Node,
    sender: Principal,
    method: &str,
    arg: &[u8],
) -> Result<(), Reject> {
    let (agents, callers) = rule(method)?;
    match agents {
        Agents::Update | Agents::Both => {}
        Agents::Never => return Err(canisters_only(method)),
        Agents::Query => {
            let message = format!("Agents can call ic00 method {method} by queries only");
            return Err(Reject::new(4, "IC0406", message));
        }
    }
    if callers == Callers::Everybody {
        return Ok(());
    }
    let Some(id) = about(method, arg)? else {
        return Ok(());
    };
    let cell = node.cell(id).ok_or_else(|| not_found(id))?;
    let loaded = cell
        .committed
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    check(&loaded.state, callers, sender, method)
}

/// Whether an agent may ask this of the management canister by a query about a canister.
pub(super) fn admit_query(
    canister: &Canister,
    sender: Principal,
    method: &str,
) -> Result<(), Reject> {
    let (_, callers) = rule(method)?;
    check(canister, callers, sender, method)
}

/// Whether agents may call a method by queries.
pub(super) fn by_query(method: &str) -> Result<(), Reject> {
    match rule(method)?.0 {
        Agents::Query | Agents::Both => Ok(()),
        Agents::Never => Err(canisters_only(method)),
        Agents::Update => {
            let message = format!("Management canister has no query method '{method}'");
            Err(Reject::new(5, "IC0536", message))
        }
    }
}

fn canisters_only(method: &str) -> Reject {
    let message = format!("Only canisters can call ic00 method {method}");
    Reject::new(4, "IC0406", message)
}

/// Whether a visibility includes somebody.
fn includes(visibility: &Visibility, canister: &Canister, caller: Principal) -> bool {
    let controls = canister.controllers.contains(&caller);
    match visibility {
        Visibility::Public => true,
        Visibility::Controllers => controls,
        Visibility::Viewers(viewers) => controls || viewers.contains(&caller),
    }
}

/// Whether somebody may read a canister's log, and so hear which functions ran when it trapped.
pub(crate) fn reads_log(canister: &Canister, caller: Principal) -> bool {
    includes(&canister.settings.log_visibility, canister, caller)
}

fn check(
    canister: &Canister,
    callers: Callers,
    caller: Principal,
    method: &str,
) -> Result<(), Reject> {
    let settings = &canister.settings;
    let allowed = match callers {
        Callers::Everybody => true,
        Callers::Controllers => canister.controllers.contains(&caller),
        Callers::ControllersAndItself => {
            canister.controllers.contains(&caller) || caller == canister.id
        }
        Callers::StatusReaders => {
            includes(&settings.status_visibility, canister, caller) || caller == canister.id
        }
        Callers::SnapshotReaders => includes(&settings.snapshot_visibility, canister, caller),
        Callers::LogReaders => includes(&settings.log_visibility, canister, caller),
    };
    if allowed {
        return Ok(());
    }
    if callers == Callers::LogReaders {
        let message = format!("Caller {caller} is not allowed to access canister logs");
        return Err(Reject::new(4, "IC0406", message));
    }
    let message = format!(
        "Only controllers of canister {} can call ic00 method {method}",
        canister.id
    );
    Err(Reject::new(5, "IC0512", message))
}

impl Call<'_, '_> {
    /// Whether the method is offered, to whoever called it in the way it was called.
    pub(super) fn admitted(&self, from_agent: bool) -> Result<(), Reject> {
        let (agents, _) = rule(&self.method)?;
        if from_agent && matches!(agents, Agents::Never | Agents::Query) {
            return Err(canisters_only(&self.method));
        }
        Ok(())
    }

    /// The canister, if there is one.
    pub(super) fn existing(&mut self, id: Principal) -> Result<&mut Loaded, Reject> {
        self.transaction.canister(id).ok_or_else(|| not_found(id))
    }

    /// The canister, if the caller may call this method about it.
    pub(super) fn allowed(&mut self, id: Principal) -> Result<&mut Loaded, Reject> {
        let (caller, method) = (self.caller, self.method.clone());
        let (_, callers) = rule(&method)?;
        let loaded = self.existing(id)?;
        check(&loaded.state, callers, caller, &method)?;
        Ok(loaded)
    }

    /// The canister whose chunk store is used, if the caller may list it.
    pub(super) fn chunk_store(&mut self, id: Principal) -> Result<&mut Loaded, Reject> {
        let (caller, method) = (self.caller, self.method.clone());
        let loaded = self.existing(id)?;
        check(
            &loaded.state,
            Callers::ControllersAndItself,
            caller,
            &method,
        )?;
        Ok(loaded)
    }
}
