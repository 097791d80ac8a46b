//! What tests need and the IC does not have: its status, stopping, and with `--admin` reaching into stable
//! memory, moving canisters' clock and reading what calls cost. Loopback only, like everything here.

use super::{App, Refusal, Shared, refuse};
use crate::identity::page::is_own;
use crate::node::admin::{AdminError, ClockChange};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use candid::Principal;
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/_/stop", post(stop))
        .route("/_/status", get(status))
        .route("/_/time", post(time))
        .route("/_/canister/{id}/costs", get(costs))
        .route(
            "/_/canister/{id}/stable",
            get(stable)
                .put(put_stable)
                .layer(DefaultBodyLimit::disable()),
        )
}

/// Programs send no such headers; browsers cannot leave them out.
fn from_a_page(app: &App, headers: &HeaderMap) -> Option<Refusal> {
    let page = headers.contains_key("sec-fetch-site")
        || headers.contains_key(header::ORIGIN)
        || !is_own(headers, app.port);
    page.then(|| {
        (
            StatusCode::FORBIDDEN,
            "for programs, at http://localhost".into(),
        )
    })
}

async fn stop(State(app): Shared, headers: HeaderMap) -> Response {
    if let Some(refusal) = from_a_page(&app, &headers) {
        return refusal.into_response();
    }
    let _ = app.stop.send(true);
    StatusCode::ACCEPTED.into_response()
}

/// For the node's own page, too.
async fn status(State(app): Shared, headers: HeaderMap) -> Response {
    if !is_own(&headers, app.port) {
        return refuse(StatusCode::FORBIDDEN, "at http://localhost only");
    }
    axum::Json(app.node.status()).into_response()
}

fn allowed(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    if let Some(refusal) = from_a_page(app, headers) {
        return Err(refusal);
    }
    if app.admin {
        Ok(())
    } else {
        let why = "only when localnet was started with --admin";
        Err((StatusCode::FORBIDDEN, why.into()))
    }
}

fn failed(error: &AdminError) -> Response {
    let status = match error {
        AdminError::NoCanister(_) => StatusCode::NOT_FOUND,
        AdminError::Past => StatusCode::CONFLICT,
        AdminError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refuse(status, error)
}

/// How canisters' clock is to change: one of the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Change {
    AdvanceNs(u64),
    StandAtNs(u64),
    Go(bool),
}

async fn time(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = allowed(&app, &headers) {
        return refusal.into_response();
    }
    let change = match serde_json::from_slice(&body) {
        Ok(Change::AdvanceNs(ns)) => ClockChange::Advance(ns),
        Ok(Change::StandAtNs(at)) => ClockChange::Stand(at),
        Ok(Change::Go(true)) => ClockChange::Go,
        _ => {
            let why =
                "expected {\"advance_ns\": number}, {\"stand_at_ns\": number} or {\"go\": true}";
            return refuse(StatusCode::BAD_REQUEST, why);
        }
    };
    match app.node.set_clock(change).await {
        Ok(now) => axum::Json(serde_json::json!({ "time_ns": now })).into_response(),
        Err(error) => failed(&error),
    }
}

/// The stable memory as it is now, piece by piece: it may be larger than this machine's memory.
async fn stable(State(app): Shared, headers: HeaderMap, Path(id): Path<Principal>) -> Response {
    if let Err(refusal) = allowed(&app, &headers) {
        return refusal.into_response();
    }
    let image = match app.node.image(id) {
        Ok(image) => image,
        Err(error) => return failed(&error),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, image.len().to_string()),
    ];
    let pieces = stream::try_unfold(image, async |mut image| {
        Ok::<_, AdminError>(image.next()?.map(|piece| (piece, image)))
    });
    (headers, Body::from_stream(pieces)).into_response()
}

/// `[{"method", "kind", "instructions"}]`, oldest first.
async fn costs(State(app): Shared, headers: HeaderMap, Path(id): Path<Principal>) -> Response {
    if let Err(refusal) = allowed(&app, &headers) {
        return refusal.into_response();
    }
    axum::Json(app.node.costs.of(id)).into_response()
}

async fn put_stable(
    State(app): Shared,
    headers: HeaderMap,
    Path(id): Path<Principal>,
    body: Body,
) -> Response {
    if let Err(refusal) = allowed(&app, &headers) {
        return refusal.into_response();
    }
    match take_image(&app, id, body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(response) => response,
    }
}

async fn take_image(app: &App, id: Principal, body: Body) -> Result<(), Response> {
    let mut upload = app.node.upload(id).map_err(|e| failed(&e))?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| refuse(StatusCode::BAD_REQUEST, e))?;
        upload.add(&piece).map_err(|e| failed(&e))?;
    }
    app.node.put(upload).await.map_err(|e| failed(&e))
}
