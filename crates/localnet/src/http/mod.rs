//! The HTTP side: routes, limits and headers. Translates between HTTP and the node.
//!
//! What is known to differ from the interface specification, all of it refused by name:
//! `sender_info`, RSA keys of WebAuthn, a subnet's metrics, and what only a subnet's admins may do
//! at `/subnet/`. Stricter than the IC's nodes: fields nobody knows are refused instead of
//! overlooked, and `ingress_expiry` lies at most five minutes ahead without any allowance for
//! drift. As on other development networks, `aaaaa-aa` does as effective canister id where any
//! id does. There is one node, which is its own root subnet: certificates carry no delegation.

pub(crate) mod admin;
mod api;
mod effective;
mod read_state;
mod status_page;

pub(crate) use effective::subject;

use crate::gateway;
use crate::identity;
use crate::node::Node;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Largest body taken from anybody, bytes; what agents may send is limited further.
const MAX_BODY: usize = 5 << 20;

/// What requests are handled with.
pub(crate) struct App {
    /// The node.
    pub(crate) node: Arc<Node>,
    /// Whether answers wait as long as mainnet's.
    pub(crate) delay: bool,
    /// Whether tests may reach into canisters.
    pub(crate) admin: bool,
    /// The port it listens on.
    pub(crate) port: u16,
    /// Tells the server to end.
    pub(crate) stop: watch::Sender<bool>,
}

/// A handler's state.
pub(crate) type Shared = State<Arc<App>>;

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v2/status", get(api::status))
        .route("/api/{version}/{kind}/{id}/call", post(api::call))
        .route("/api/{version}/{kind}/{id}/query", post(api::query))
        .route(
            "/api/{version}/{kind}/{id}/read_state",
            post(api::read_state),
        )
        .merge(identity::routes::routes())
        .merge(admin::routes())
        .merge(status_page::routes())
        .fallback(any(gateway::handle))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(cross_origin))
        .with_state(app)
}

/// Agents in pages of any origin may talk to the API; the rest decides for itself.
async fn cross_origin(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = if api && request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    if api {
        let headers = response.headers_mut();
        let any = HeaderValue::from_static("*");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, HEAD, OPTIONS"),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("7200"),
        );
    }
    response
}

/// A CBOR answer.
fn cbor(status: StatusCode, body: Vec<u8>) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/cbor")],
        Body::from(body),
    )
        .into_response()
}

/// A refusal that is still to be sent: its status and why.
pub(crate) type Refusal = (StatusCode, String);

/// A refusal in words.
pub(crate) fn refuse(status: StatusCode, why: impl std::fmt::Display) -> Response {
    (status, format!("{why}\n")).into_response()
}

/// Waits as long as mainnet would: updates 1.4 to 2.2 s, queries 0.17 s.
pub(crate) async fn mainnet_delay(app: &App, update: bool) {
    if !app.delay {
        return;
    }
    let ms = if update {
        let mut random = [0; 2];
        let _ = getrandom::fill(&mut random);
        1_400 + u64::from(u16::from_le_bytes(random)) * 800 / 65_536
    } else {
        170
    };
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
