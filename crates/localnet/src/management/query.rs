//! What agents may ask the management canister by queries: answered beside the executor, from
//! what is committed.

use super::access::{admit_query, by_query};
use super::{decode, encode, history, logs, status};
use crate::node::Node;
use crate::node::query::not_found;
use crate::wire::response::CallResult;
use candid::Principal;
use ic_management_canister_types::{CanisterIdRecord, CanisterInfoArgs, FetchCanisterLogsArgs};
use std::sync::PoisonError;

/// Answers a query to the management canister.
pub(crate) fn answer(node: &Node, sender: Principal, method: &str, arg: &[u8]) -> CallResult {
    by_query(method)?;
    match method {
        "canister_info" => {
            let (args,): (CanisterInfoArgs,) = decode(arg)?;
            look(node, sender, method, args.canister_id, |loaded| {
                encode((history::info(loaded, args.num_requested_changes),))
            })
        }
        "fetch_canister_logs" => {
            let (args,): (FetchCanisterLogsArgs,) = decode(arg)?;
            look(node, sender, method, args.canister_id, |loaded| {
                encode((logs::fetch(&loaded.logs, args.filter.as_ref()),))
            })
        }
        _ => {
            let (args,): (CanisterIdRecord,) = decode(arg)?;
            look(node, sender, method, args.canister_id, |loaded| {
                encode((status::status(loaded),))
            })
        }
    }
}

fn look(
    node: &Node,
    sender: Principal,
    method: &str,
    id: Principal,
    show: impl FnOnce(&crate::node::loaded::Loaded) -> CallResult,
) -> CallResult {
    let cell = node.cell(id).ok_or_else(|| not_found(id))?;
    let loaded = cell
        .committed
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    admit_query(&loaded.state, sender, method)?;
    show(&loaded)
}
