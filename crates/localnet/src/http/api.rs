//! The agents' interface: status, call, query, read_state.

use super::{Refusal, Shared, cbor, mainnet_delay, refuse};
use crate::certify::{Path, labels};
use crate::http::App;
use crate::node::Node;
use crate::node::clock::Clock;
use crate::node::executor::Submission;
use crate::node::query::Question;
use crate::wire::auth;
use crate::wire::envelope::{self, Ask, Envelope, MethodCall};
use crate::wire::response;
use crate::wire::value::Hash;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use candid::Principal;
use std::sync::Arc;
use std::time::Duration;

/// Largest request, bytes (interface specification: 2 MiB of ingress message).
const MAX_INGRESS: usize = 2 << 20;
/// How long a synchronous call is waited for before the agent is told to poll.
const SYNC_WAIT: Duration = Duration::from_secs(10);
/// Most paths in one `read_state` (interface specification).
const MAX_PATHS: usize = 1_000;

pub(super) async fn status(State(app): Shared) -> Response {
    cbor(StatusCode::OK, response::status(&app.node.keys.root_der))
}

/// Parses and authenticates a request.
async fn open(app: &App, body: &Bytes) -> Result<Envelope, Response> {
    if body.len() > MAX_INGRESS {
        let why = format!(
            "Request is too large: {} bytes, at most {MAX_INGRESS}",
            body.len()
        );
        return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    let parsed = envelope::parse(body).map_err(|e| refuse(StatusCode::BAD_REQUEST, e))?;
    let node = Arc::clone(&app.node);
    let check = move || {
        let checked = auth::check(&parsed, Clock::wire(), &node.keys.root_raw);
        checked.map(|()| parsed)
    };
    match app.node.pool.run(check).await {
        Some(Ok(envelope)) => Ok(envelope),
        Some(Err(e)) => Err(refuse(StatusCode::BAD_REQUEST, e)),
        None => Err(refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the node is ending",
        )),
    }
}

/// The effective canister id in the URL must be the canister called; management calls carry the
/// id they are about, and creation any id of the subnet.
fn check_effective(effective: &str, call: &MethodCall, node: &Node) -> Result<(), Refusal> {
    let effective = Principal::from_text(effective).map_err(|e| {
        (
            StatusCode::BAD_REQUEST,
            format!("effective canister id: {e}"),
        )
    })?;
    let management = call.canister == Principal::management_canister();
    if effective == call.canister || management || effective == node.keys.subnet {
        Ok(())
    } else {
        let why = format!(
            "the effective canister id {effective} is not the canister called, {}",
            call.canister
        );
        Err((StatusCode::BAD_REQUEST, why))
    }
}

pub(super) async fn call(
    State(app): Shared,
    UrlPath((version, effective)): UrlPath<(String, String)>,
    body: Bytes,
) -> Response {
    let synchronous = match version.as_str() {
        "v2" => false,
        "v3" | "v4" => true,
        _ => return refuse(StatusCode::NOT_FOUND, "there is no such version of call"),
    };
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::Call(call) = envelope.ask else {
        return refuse(StatusCode::BAD_REQUEST, "request_type must be \"call\"");
    };
    if let Err(refusal) = check_effective(&effective, &call, &app.node) {
        return refusal.into_response();
    }
    let id = envelope.request_id;
    let submission = Submission {
        id,
        sender: envelope.sender,
        canister: call.canister,
        method: call.method,
        arg: call.arg,
    };
    if let Err(reject) = app.node.submit(submission, envelope.ingress_expiry).await {
        mainnet_delay(&app, false).await;
        return cbor(StatusCode::OK, response::call_refused(&reject));
    }
    if !synchronous {
        return accepted(&app, id).await;
    }
    let ended = app.node.core().ingress.wait(&id);
    let delay = mainnet_delay(&app, true);
    let (ended, ()) = tokio::join!(tokio::time::timeout(SYNC_WAIT, ended), delay);
    if !matches!(ended, Ok(Ok(()))) {
        return accepted(&app, id).await;
    }
    let node = Arc::clone(&app.node);
    let certify = move || node.certificate(&[labels!["request_status", id]]);
    match app.node.pool.run(certify).await {
        Some(certificate) => cbor(StatusCode::OK, response::call_certified(certificate)),
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the node is ending"),
    }
}

/// Tells the agent to poll, once that can be relied on.
async fn accepted(app: &App, id: Hash) -> Response {
    let node = Arc::clone(&app.node);
    match app.node.pool.run(move || node.keep_waiting(&id)).await {
        Some(Ok(())) => StatusCode::ACCEPTED.into_response(),
        Some(Err(error)) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error),
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the node is ending"),
    }
}

pub(super) async fn query(
    State(app): Shared,
    UrlPath((version, effective)): UrlPath<(String, String)>,
    body: Bytes,
) -> Response {
    if !matches!(version.as_str(), "v2" | "v3") {
        return refuse(StatusCode::NOT_FOUND, "there is no such version of query");
    }
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::Query(call) = envelope.ask else {
        return refuse(StatusCode::BAD_REQUEST, "request_type must be \"query\"");
    };
    if let Err(refusal) = check_effective(&effective, &call, &app.node) {
        return refusal.into_response();
    }
    let question = Question {
        canister: call.canister,
        caller: envelope.sender,
        method: call.method,
        arg: call.arg,
    };
    let node = Arc::clone(&app.node);
    let id = envelope.request_id;
    let canister = question.canister;
    let answer = app.node.queries.run_for(canister.as_slice(), move || {
        let result = node.query(question);
        let keys = &node.keys;
        response::query(&result, &id, Clock::wire(), keys.node_id, |message| {
            keys.sign_node(message)
        })
    });
    let (answer, ()) = tokio::join!(answer, mainnet_delay(&app, false));
    match answer {
        Some(body) => cbor(StatusCode::OK, body),
        None => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the query failed in the node",
        ),
    }
}

pub(super) async fn read_state(
    State(app): Shared,
    UrlPath((version, _effective)): UrlPath<(String, String)>,
    body: Bytes,
) -> Response {
    if !matches!(version.as_str(), "v2" | "v3") {
        return refuse(
            StatusCode::NOT_FOUND,
            "there is no such version of read_state",
        );
    }
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::ReadState { paths } = envelope.ask else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "request_type must be \"read_state\"",
        );
    };
    if paths.len() > MAX_PATHS {
        return refuse(
            StatusCode::BAD_REQUEST,
            format!("more than {MAX_PATHS} paths"),
        );
    }
    for path in &paths {
        if let Err((status, why)) = may_read(&app.node, path, envelope.sender) {
            return refuse(status, why);
        }
    }
    let node = Arc::clone(&app.node);
    let certified = app.node.pool.run(move || node.certificate(&paths));
    let (certified, ()) = tokio::join!(certified, mainnet_delay(&app, false));
    match certified {
        Some(certificate) => cbor(StatusCode::OK, response::read_state(certificate)),
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the node is ending"),
    }
}

/// Whether the sender may read a path.
fn may_read(node: &Node, path: &Path, sender: Principal) -> Result<(), Refusal> {
    let labels: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    let bad = || {
        let shown: Vec<String> = path
            .iter()
            .map(|label| match std::str::from_utf8(label) {
                Ok(text) if text.chars().all(|c| c.is_ascii_graphic()) => text.to_owned(),
                _ => hex::encode(label),
            })
            .collect();
        let why = format!("the path /{} cannot be read", shown.join("/"));
        (StatusCode::BAD_REQUEST, why)
    };
    match labels.as_slice() {
        [b"time"]
        | [b"subnet", ..]
        | [b"canister_ranges", ..]
        | [b"api_boundary_nodes", ..]
        | [
            b"canister",
            _,
            b"module_hash" | b"controllers" | b"certified_data",
        ] => Ok(()),
        [b"canister", id, b"metadata", name] => {
            let id = Principal::try_from_slice(id).map_err(|_| bad())?;
            let name = std::str::from_utf8(name).map_err(|_| bad())?;
            if private_metadata(node, id, name, sender) {
                let why = format!("the metadata {name} of {id} is for its controllers");
                return Err((StatusCode::FORBIDDEN, why));
            }
            Ok(())
        }
        [b"request_status", id, ..] if labels.len() <= 3 => {
            let core = node.core();
            let id = <&[u8; 32]>::try_from(*id).map_err(|_| bad())?;
            match core.ingress.get(id) {
                Some(request) if request.sender != sender => Err((
                    StatusCode::FORBIDDEN,
                    "the request was made by somebody else".into(),
                )),
                _ => Ok(()),
            }
        }
        _ => Err(bad()),
    }
}

fn private_metadata(node: &Node, id: Principal, name: &str, sender: Principal) -> bool {
    let Some(cell) = node.cell(id) else {
        return false;
    };
    let loaded = cell
        .committed
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let section = loaded
        .module
        .as_ref()
        .and_then(|module| module.anatomy.metadata.get(name));
    section.is_some_and(|section| !section.public) && !loaded.state.controllers.contains(&sender)
}
