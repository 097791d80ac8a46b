//! Where things stand in the state tree, as the interface specification lays it out.

use super::keys::Keys;
use super::{Path, StateTree, labels};
use crate::exec::module::Metadata;
use crate::wire::response::CallResult;
use crate::wire::value::{Hash, leb128};
use candid::Principal;
use serde_cbor::Value;

/// First and last canister id of this subnet: all opaque ids of eight bytes.
pub(crate) const FIRST: u64 = 0;
const LAST: u64 = u64::MAX;

/// The opaque id number `n`.
pub(crate) fn canister_id(n: u64) -> Principal {
    let mut bytes = [1; 10];
    let (number, _) = bytes.split_at_mut(8);
    number.copy_from_slice(&n.to_be_bytes());
    Principal::from_slice(&bytes)
}

/// The number of an opaque id, when it is one of this subnet's.
pub(crate) fn canister_number(id: Principal) -> Option<u64> {
    match id.as_slice().split_first_chunk::<8>() {
        Some((number, [1, 1])) => Some(u64::from_be_bytes(*number)),
        _ => None,
    }
}

/// Whether an id lies in this subnet's canister ranges, which are ranges of byte strings.
pub(crate) fn hosts(id: Principal) -> bool {
    (canister_id(FIRST).as_slice()..=canister_id(LAST).as_slice()).contains(&id.as_slice())
}

/// Puts the subnet and its node into the tree.
pub(crate) fn set_subnet(tree: &mut StateTree, keys: &Keys) {
    let subnet = keys.subnet;
    let bytes = |id: Principal| Value::Bytes(id.as_slice().to_vec());
    let ranges = Value::Array(vec![Value::Array(vec![
        bytes(canister_id(FIRST)),
        bytes(canister_id(LAST)),
    ])]);
    let mut encoded = vec![0xd9, 0xd9, 0xf7];
    encoded.extend(serde_cbor::to_vec(&ranges).unwrap_or_default());
    let at = |rest: &[&[u8]]| -> Path {
        let mut path = labels!["subnet", subnet];
        path.extend(rest.iter().map(|label| label.to_vec()));
        path
    };
    tree.set(&at(&[b"public_key"]), &keys.root_der);
    tree.set(&at(&[b"type"]), b"application");
    tree.set(&at(&[b"canister_ranges"]), &encoded);
    tree.set(
        &at(&[b"node", keys.node_id.as_slice(), b"public_key"]),
        &keys.node_der,
    );
    tree.set(
        &labels!["canister_ranges", subnet, canister_id(FIRST)],
        &encoded,
    );
}

/// What the tree shows of a canister.
pub(crate) struct Shown<'a> {
    /// Its id.
    pub(crate) id: Principal,
    /// Its controllers.
    pub(crate) controllers: &'a [Principal],
    /// Its certified data.
    pub(crate) certified_data: &'a [u8],
    /// When it was created, ns.
    pub(crate) created: Option<u64>,
    /// When it last got code, ns.
    pub(crate) deployed: Option<u64>,
    /// Module hash and metadata, when it has code.
    pub(crate) module: Option<(Hash, Vec<(&'a str, &'a Metadata)>)>,
}

/// Puts a canister into the tree.
pub(crate) fn set_canister(tree: &mut StateTree, shown: &Shown<'_>) {
    let id = shown.id;
    let controllers = Value::Array(
        shown
            .controllers
            .iter()
            .map(|c| Value::Bytes(c.as_slice().to_vec()))
            .collect(),
    );
    let mut encoded = vec![0xd9, 0xd9, 0xf7];
    encoded.extend(serde_cbor::to_vec(&controllers).unwrap_or_default());
    tree.set(&labels!["canister", id, "controllers"], &encoded);
    let deployed = shown.module.as_ref().and(shown.deployed);
    for (name, time) in [
        ("canister_creation_timestamp", shown.created),
        ("last_install_timestamp", deployed),
    ] {
        let at = labels!["canister", id, name];
        match time {
            Some(time) => tree.set(&at, &leb128(time.into())),
            None => tree.remove(&at),
        }
    }
    let hash_at = labels!["canister", id, "module_hash"];
    match &shown.module {
        None => {
            tree.remove(&hash_at);
            tree.remove(&labels!["canister", id, "certified_data"]);
            tree.remove(&labels!["canister", id, "metadata"]);
        }
        Some((hash, metadata)) => {
            if tree.tree.get(&hash_at).is_none_or(|old| old != hash) {
                tree.remove(&labels!["canister", id, "metadata"]);
                for (name, section) in metadata {
                    tree.set(&labels!["canister", id, "metadata", name], &section.content);
                }
                tree.set(&hash_at, hash);
            }
            tree.set(
                &labels!["canister", id, "certified_data"],
                shown.certified_data,
            );
        }
    }
}

/// Takes a canister out of the tree.
pub(crate) fn remove_canister(tree: &mut StateTree, id: Principal) {
    tree.remove(&labels!["canister", id]);
}

/// Puts a request that is not answered yet into the tree.
pub(crate) fn set_pending(tree: &mut StateTree, id: &Hash, status: &str) {
    tree.set(&labels!["request_status", id, "status"], status.as_bytes());
}

/// Puts an answer into the tree.
pub(crate) fn set_answer(tree: &mut StateTree, id: &Hash, result: &CallResult) {
    let at = |label: &str| labels!["request_status", id, label];
    match result {
        Ok(reply) => {
            tree.set(&at("reply"), reply);
            tree.set(&at("status"), b"replied");
        }
        Err(reject) => {
            tree.set(&at("reject_code"), &leb128(reject.code.into()));
            tree.set(&at("reject_message"), reject.message.as_bytes());
            tree.set(&at("error_code"), reject.error_code.as_bytes());
            tree.set(&at("status"), b"rejected");
        }
    }
}

/// Forgets an answer but not that there was one.
pub(crate) fn set_done(tree: &mut StateTree, id: &Hash) {
    remove_request(tree, id);
    set_pending(tree, id, "done");
}

/// Forgets a request.
pub(crate) fn remove_request(tree: &mut StateTree, id: &Hash) {
    tree.remove(&labels!["request_status", id]);
}
