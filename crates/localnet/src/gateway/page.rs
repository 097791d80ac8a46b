//! What is shown instead of a response that is not served: a page that says why, or a line of
//! text to who did not ask for a page.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Nothing at all.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A text in which no character means anything to HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Says why a request is not answered.
pub(super) fn explain(status: StatusCode, why: &str, headers: &HeaderMap) -> Response {
    let wants_page = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")));
    let (kind, body) = if wants_page {
        ("text/html; charset=utf-8", page(status, why))
    } else {
        ("text/plain; charset=utf-8", format!("{why}\n"))
    };
    (
        status,
        [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ],
        body,
    )
        .into_response()
}

fn page(status: StatusCode, why: &str) -> String {
    let reason = status.canonical_reason().unwrap_or("Refused");
    let meaning = match status {
        StatusCode::BAD_GATEWAY => {
            "The canister answered, but this answer must not reach you: it is not certified, or \
             not as the HTTP gateway protocol asks."
        }
        StatusCode::SERVICE_UNAVAILABLE => "The canister takes no requests now.",
        StatusCode::NOT_FOUND => "There is nothing to ask.",
        _ => "The request is not one this gateway passes on.",
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{status} {reason}</title></head>\n\
         <body><h1>{reason}</h1><p>{meaning}</p><p><code>{}</code></p>\n\
         <p>This is the HTTP gateway of a local Internet Computer.</p></body></html>\n",
        escape(why),
        status = status.as_u16(),
    )
}
