//! Its routes.

use crate::http::App;
use axum::Router;
use std::sync::Arc;

/// All routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
}
