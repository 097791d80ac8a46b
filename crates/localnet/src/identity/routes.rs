//! Its routes under `/_/identity/`.

use super::page::{self, POLICY};
use super::{DelegationRequest, IdentityError, people};
use crate::gateway;
use crate::http::{App, Refusal, Shared, refuse};
use crate::node::clock::Clock;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use candid::Principal;
use people::PeopleError;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const HTML: &str = include_str!("static/authorize.html");
const SCRIPT: &str = include_str!("static/authorize.js");
const STYLE: &str = include_str!("static/authorize.css");
const ICON: &str = include_str!("static/icon.svg");

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/_/identity/authorize", get(authorize))
        .route("/_/identity/authorize.js", get(script))
        .route("/_/identity/authorize.css", get(style))
        .route("/_/identity/icon.svg", get(icon))
        .route("/_/identity/people", get(list).post(add))
        .route("/_/identity/delegation", post(delegation))
        .route("/_/identity/derivation", post(derivation))
}

fn own(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    if page::is_own(headers, app.port) {
        return Ok(());
    }
    let why = "only for the identity page itself and for programs, at http://localhost";
    Err((StatusCode::FORBIDDEN, why.into()))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ],
        text,
    )
        .into_response()
}

async fn authorize(State(app): Shared, headers: HeaderMap) -> Response {
    match own(&app, &headers) {
        Ok(()) => file("text/html; charset=utf-8", HTML),
        Err(refusal) => refusal.into_response(),
    }
}

async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

async fn icon() -> Response {
    file("image/svg+xml", ICON)
}

fn failed(error: &IdentityError) -> Response {
    let status = match error {
        IdentityError::People(PeopleError::Nobody(_)) => StatusCode::NOT_FOUND,
        IdentityError::People(
            PeopleError::Damaged(_) | PeopleError::Random(_) | PeopleError::Persist(_),
        )
        | IdentityError::Signing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    refuse(status, error)
}

async fn list(State(app): Shared, headers: HeaderMap) -> Response {
    if let Err(refusal) = own(&app, &headers) {
        return refusal.into_response();
    }
    Json(json!({ "people": people::names(&app.node) })).into_response()
}

#[derive(Deserialize)]
struct New {
    name: String,
}

async fn add(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = own(&app, &headers) {
        return refusal.into_response();
    }
    let Ok(New { name }) = serde_json::from_slice(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "expected {\"name\": text}");
    };
    match people::add(&app.node, &name) {
        Ok(name) => (StatusCode::CREATED, Json(json!({ "name": name }))).into_response(),
        Err(error) => failed(&error.into()),
    }
}

async fn delegation(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = own(&app, &headers) {
        return refusal.into_response();
    }
    let request: DelegationRequest = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(e) => return refuse(StatusCode::BAD_REQUEST, e),
    };
    let node = Arc::clone(&app.node);
    let signing = move || super::delegate(&node, request, Clock::wire());
    match app.node.pool.run(signing).await {
        Some(Ok(chain)) => Json(chain).into_response(),
        Some(Err(error)) => failed(&error),
        None => refuse(StatusCode::INTERNAL_SERVER_ERROR, "the node is ending"),
    }
}

#[derive(Deserialize)]
struct Derivation {
    origin: String,
    derivation_origin: String,
}

#[derive(Deserialize)]
struct Alternatives {
    #[serde(rename = "alternativeOrigins")]
    origins: Vec<String>,
}

/// Whether `origin` may get the identities of `derivation_origin`: that site, which must be one
/// of this node's, has to list it in `/.well-known/ii-alternative-origins`.
async fn derivation(State(app): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = own(&app, &headers) {
        return refusal.into_response();
    }
    let Ok(asked) = serde_json::from_slice::<Derivation>(&body) else {
        let why = "expected {\"origin\": text, \"derivation_origin\": text}";
        return refuse(StatusCode::BAD_REQUEST, why);
    };
    let allowed = asked.origin == asked.derivation_origin || listed(&app, &asked).await;
    Json(json!({ "allowed": allowed })).into_response()
}

async fn listed(app: &App, asked: &Derivation) -> bool {
    let suffix = format!(".localhost:{}", app.port);
    let canister = asked
        .derivation_origin
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix(&suffix))
        .and_then(|id| Principal::from_text(id).ok());
    let Some(canister) = canister else {
        return false;
    };
    let url = "/.well-known/ii-alternative-origins";
    let Some(body) = gateway::fetch(&app.node, canister, url).await else {
        return false;
    };
    serde_json::from_slice::<Alternatives>(&body)
        .is_ok_and(|alternatives| alternatives.origins.contains(&asked.origin))
}
