//! Serves canisters' web sites: which canister a request is for, and its `http_request`.

use crate::http::{Shared, refuse};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

/// Answers what no other route does.
pub(crate) async fn handle(State(_app): Shared, _request: Request) -> Response {
    refuse(StatusCode::NOT_FOUND, "not found")
}
