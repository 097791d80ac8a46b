//! The node's status for people, at `/_/`: what `/_/status` says, as a page without scripts. Only
//! at this machine's own name; under a canister's name the path is that site's.

use super::{App, Shared};
use crate::gateway::{self, page::escape};
use crate::identity::page::is_own;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use serde_json::Value;
use std::sync::Arc;

const STYLE: &str = include_str!("static/status.css");

/// The page's own style and nothing else, in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/_/", any(page))
        .route("/_/status.css", get(style))
}

async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], STYLE).into_response()
}

async fn page(State(app): Shared, request: Request) -> Response {
    if !is_own(request.headers(), app.port) {
        return gateway::handle(State(app), request).await;
    }
    let status = serde_json::to_value(app.node.status()).unwrap_or_default();
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ],
        html(&status, app.delay, app.port),
    )
        .into_response()
}

/// A value as people read it: digits in groups, text as it is.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Number(number) => grouped(&number.to_string()),
        Value::String(text) if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) => {
            grouped(text)
        }
        Value::String(text) => escape(text),
        other => escape(&other.to_string()),
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn html(status: &Value, delay: bool, port: u16) -> String {
    let fact = |name: &str, value: &str| format!("<dt>{name}</dt><dd>{value}</dd>");
    let seconds = |name: &str| status[name].as_u64().unwrap_or_default();
    let ahead = status["clock_ahead_ns"].as_u64().unwrap_or_default() / 1_000_000_000;
    let facts = [
        fact("Version", &shown(&status["version"])),
        fact(
            "Running for",
            &format!("{} s", grouped(&seconds("uptime_seconds").to_string())),
        ),
        fact(
            "State",
            &format!("<code>{}</code>", shown(&status["state"])),
        ),
        fact(
            "Canisters’ clock",
            &format!("{} s ahead", grouped(&ahead.to_string())),
        ),
        fact("Delay", if delay { "as on mainnet" } else { "none" }),
        fact("Messages waiting", &shown(&status["waiting"])),
        fact(
            "Queries",
            &format!(
                "{} running, {} waiting",
                shown(&status["queries"]["running"]),
                shown(&status["queries"]["waiting"])
            ),
        ),
    ]
    .concat();
    let rows: String = status["canisters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|canister| row(canister, port))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Localnet</title>\
         <link rel=\"stylesheet\" href=\"/_/status.css\"></head>\n\
         <body><main><h1>Local Internet Computer</h1><dl>{facts}</dl>\n<h2>Canisters</h2>\
         <section><table><thead><tr><th>Canister</th><th>Status</th><th>Module, SHA-256</th>\
         <th>Heap, bytes</th><th>Stable memory, bytes</th><th>Cycles</th><th>Waiting</th></tr></thead>\n\
         <tbody>{rows}</tbody></table></section>\
         <p>The same as JSON: <a href=\"/_/status\">/_/status</a></p></main></body></html>\n"
    )
}

fn row(canister: &Value, port: u16) -> String {
    let id = shown(&canister["id"]);
    let number = |name: &str| format!("<td class=\"number\">{}</td>", shown(&canister[name]));
    format!(
        "<tr><td><a href=\"http://{id}.localhost:{port}/\"><code>{id}</code></a></td>\
         <td>{}</td><td><code>{}</code></td>{}{}{}{}</tr>\n",
        shown(&canister["status"]),
        // A hash is not a number, even one without letters.
        escape(canister["module_hash"].as_str().unwrap_or("–")),
        number("heap_bytes"),
        number("stable_bytes"),
        number("cycles"),
        number("waiting"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_and_text_is_escaped() {
        assert_eq!(grouped("7"), "7");
        assert_eq!(grouped("1234567"), "1\u{202f}234\u{202f}567");
        assert_eq!(shown(&Value::from("<a>")), "&lt;a&gt;");
        assert_eq!(shown(&Value::from("1000")), "1\u{202f}000");
        assert_eq!(shown(&Value::Null), "–");
    }
}
