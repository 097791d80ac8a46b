//! The agents' interface: status, call, query, read_state.

use super::effective::{self, Effective};
use super::read_state::{self, Place};
use super::{Shared, cbor, mainnet_delay, refuse};
use crate::certify::labels;
use crate::http::App;
use crate::node::clock::Clock;
use crate::node::executor::Submission;
use crate::node::query::Question;
use crate::wire::auth;
use crate::wire::envelope::{self, Ask, Envelope};
use crate::wire::response;
use crate::wire::value::Hash;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::Duration;

/// Largest request, bytes (interface specification: 2 MiB of ingress message).
const MAX_INGRESS: usize = 2 << 20;
/// How long a synchronous call is waited for before the agent is told to poll.
const SYNC_WAIT: Duration = Duration::from_secs(10);

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

/// The parts of a URL: version, "canister" or "subnet", id.
type Parts = UrlPath<(String, String, String)>;

fn no_such_version() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "there is no such version of this endpoint",
    )
}

pub(super) async fn call(
    State(app): Shared,
    UrlPath((version, kind, id)): Parts,
    body: Bytes,
) -> Response {
    let synchronous = match (version.as_str(), kind.as_str()) {
        ("v2", "canister") => false,
        ("v3", "canister") | ("v4", _) => true,
        _ => return no_such_version(),
    };
    let effective = match Effective::read(&kind, &id, &app.node) {
        Ok(effective) => effective,
        Err(refusal) => return refusal.into_response(),
    };
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::Call(call) = envelope.ask else {
        return refuse(StatusCode::BAD_REQUEST, "request_type must be \"call\"");
    };
    let id = envelope.request_id;
    if let Err(refusal) = effective::check_call(effective, &call) {
        return refusal.into_response();
    }
    let submission = Submission {
        id,
        sender: envelope.sender,
        canister: call.canister,
        method: call.method,
        arg: call.arg,
        effective: effective.id(&app.node),
        expiry: envelope.ingress_expiry,
    };
    if let Err(reject) = app.node.submit(submission).await {
        mainnet_delay(&app, false).await;
        return cbor(StatusCode::OK, response::call_refused(&reject, synchronous));
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
    UrlPath((version, kind, id)): Parts,
    body: Bytes,
) -> Response {
    if !matches!(
        (version.as_str(), kind.as_str()),
        ("v2", "canister") | ("v3", _)
    ) {
        return no_such_version();
    }
    let effective = match Effective::read(&kind, &id, &app.node) {
        Ok(effective) => effective,
        Err(refusal) => return refusal.into_response(),
    };
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::Query(call) = envelope.ask else {
        return refuse(StatusCode::BAD_REQUEST, "request_type must be \"query\"");
    };
    if let Err(refusal) = effective::check_query(effective, &call) {
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
    UrlPath((version, kind, id)): Parts,
    body: Bytes,
) -> Response {
    if !matches!(version.as_str(), "v2" | "v3") {
        return no_such_version();
    }
    let place = match Effective::read(&kind, &id, &app.node) {
        Ok(effective) => Place {
            effective,
            older: version == "v2",
        },
        Err(refusal) => return refusal.into_response(),
    };
    let envelope = match open(&app, &body).await {
        Ok(envelope) => envelope,
        Err(response) => return response,
    };
    let Ask::ReadState { paths } = &envelope.ask else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "request_type must be \"read_state\"",
        );
    };
    if let Err(refusal) = read_state::check(&app.node, &place, &envelope, paths) {
        return refusal.into_response();
    }
    let paths = paths.clone();
    let node = Arc::clone(&app.node);
    let certified = app.node.pool.run(move || node.certificate(&paths));
    let (certified, ()) = tokio::join!(certified, mainnet_delay(&app, false));
    match certified {
        Some(certificate) => cbor(StatusCode::OK, response::read_state(certificate)),
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the node is ending"),
    }
}
