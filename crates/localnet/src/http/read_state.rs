//! Which parts of the state tree a `read_state` may ask for: the interface specification's list
//! of paths and conditions.

use super::Refusal;
use super::effective::Effective;
use crate::certify::Path;
use crate::node::Node;
use crate::wire::envelope::Envelope;
use crate::wire::value::Hash;
use axum::http::StatusCode;
use candid::Principal;
use std::sync::PoisonError;

/// Where the question was put.
pub(super) struct Place {
    /// What the URL names.
    pub(super) effective: Effective,
    /// Whether it was version 2, which shows the older list of canister ranges.
    pub(super) older: bool,
}

fn bad(why: impl Into<String>) -> Refusal {
    (StatusCode::BAD_REQUEST, why.into())
}

fn forbidden(why: impl Into<String>) -> Refusal {
    (StatusCode::FORBIDDEN, why.into())
}

fn unknown(path: &Path, why: &str) -> Refusal {
    let shown: Vec<String> = path
        .iter()
        .take(8)
        .map(|label| match std::str::from_utf8(label) {
            Ok(text) if label.len() <= 64 && text.chars().all(|c| c.is_ascii_graphic()) => {
                text.to_owned()
            }
            _ => hex::encode(&label[..label.len().min(32)]),
        })
        .collect();
    let why = format!("the path /{} cannot be read{why}", shown.join("/"));
    (StatusCode::NOT_FOUND, why)
}

/// Whether the sender may read all these paths.
pub(super) fn check(
    node: &Node,
    place: &Place,
    envelope: &Envelope,
    paths: &[Path],
) -> Result<(), Refusal> {
    let mut request: Option<&[u8]> = None;
    let mut ranges: Option<&[u8]> = None;
    for path in paths {
        let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
        match labels.as_slice() {
            [b"request_status", id, ..] => same(&mut request, id, "request id")?,
            [b"canister_ranges", id, ..] => same(&mut ranges, id, "subnet id")?,
            _ => {}
        }
        check_one(node, place, envelope, path, &labels)?;
    }
    Ok(())
}

/// All paths of a kind must be about the same id.
fn same<'a>(seen: &mut Option<&'a [u8]>, id: &'a [u8], what: &str) -> Result<(), Refusal> {
    match seen.replace(id) {
        Some(before) if before != id => Err(bad(format!("the paths name more than one {what}"))),
        _ => Ok(()),
    }
}

fn check_one(
    node: &Node,
    place: &Place,
    envelope: &Envelope,
    path: &Path,
    labels: &[&[u8]],
) -> Result<(), Refusal> {
    let at_subnet = place.effective == Effective::Subnet;
    match labels {
        [b"time"] | [b"api_boundary_nodes"] | [b"api_boundary_nodes", _] | [b"subnet"] => Ok(()),
        [
            b"api_boundary_nodes",
            _,
            b"domain" | b"ipv4_address" | b"ipv6_address",
        ] => Ok(()),
        [b"subnet", _] | [b"subnet", _, b"public_key" | b"type" | b"node"] => Ok(()),
        [b"subnet", _, b"node", _] | [b"subnet", _, b"node", _, b"public_key"] => Ok(()),
        [b"subnet", subnet, b"canister_ranges"] => {
            // This node's subnet is the root subnet.
            if place.older || *subnet == node.keys.subnet.as_slice() {
                Ok(())
            } else {
                Err(unknown(path, " at version 3: ask for /canister_ranges"))
            }
        }
        [b"subnet", _, b"metrics"] => Err(unknown(path, ": this node keeps no metrics")),
        [b"canister_ranges", _] if at_subnet => Ok(()),
        [b"canister_ranges", ..] => Err(unknown(path, " here, but at /subnet/ID/read_state")),
        [
            b"canister",
            id,
            b"module_hash"
            | b"controllers"
            | b"canister_creation_timestamp"
            | b"last_install_timestamp",
        ] => its_own(place, id).map(|_| ()),
        [b"canister", id, b"metadata", name] => {
            let id = its_own(place, id)?;
            let name = std::str::from_utf8(name)
                .map_err(|_| bad("the name of a custom section is not UTF-8"))?;
            if private_metadata(node, id, name, envelope.sender) {
                let why = format!("the metadata {name:.64} of {id} is for its controllers");
                return Err(forbidden(why));
            }
            Ok(())
        }
        [b"request_status", id]
        | [
            b"request_status",
            id,
            b"status" | b"reply" | b"reject_code" | b"reject_message" | b"error_code",
        ] => status_of(node, place, envelope, id),
        _ => Err(unknown(path, "")),
    }
}

/// The canister of a path, which must be the one of the URL.
fn its_own(place: &Place, id: &[u8]) -> Result<Principal, Refusal> {
    let id = Principal::try_from_slice(id).map_err(|_| bad("a path names no principal"))?;
    if place.effective == Effective::Canister(id) {
        Ok(id)
    } else {
        let why = format!("a path is about {id}, which is not the effective canister id");
        Err(bad(why))
    }
}

/// A request's status is for who made it, asked for where it was made.
fn status_of(node: &Node, place: &Place, envelope: &Envelope, id: &[u8]) -> Result<(), Refusal> {
    let id = <&Hash>::try_from(id).map_err(|_| bad("a request id has 32 bytes"))?;
    let request = {
        let core = node.core();
        core.ingress
            .get(id)
            .map(|request| (request.sender, request.canister, request.effective))
    };
    let Some((sender, canister, effective)) = request else {
        return Ok(());
    };
    if sender != envelope.sender {
        return Err(forbidden("the request was made by somebody else"));
    }
    if effective.is_some_and(|effective| effective != place.effective.id(node)) {
        let why = "the request was made with another effective canister id";
        return Err(forbidden(why));
    }
    if canister.is_some_and(|canister| !envelope.may_touch(canister)) {
        let why = "the request called a canister that is not one of the delegation's targets";
        return Err(forbidden(why));
    }
    Ok(())
}

fn private_metadata(node: &Node, id: Principal, name: &str, sender: Principal) -> bool {
    let Some(cell) = node.cell(id) else {
        return false;
    };
    let loaded = cell
        .committed
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let section = loaded
        .module
        .as_ref()
        .and_then(|module| module.anatomy.metadata.get(name));
    section.is_some_and(|section| !section.public) && !loaded.state.controllers.contains(&sender)
}
