//! Serves canisters' web sites as the IC's gateways do: finds the canister a request is for, asks
//! its `http_request`, verifies the answer's certification, and sends on only what is certified.
//!
//! Where the HTTP gateway protocol leaves a choice: there are no raw addresses; a body is passed
//! on only once it is whole and verified, up to 64 MiB in 1,000 parts; the answer to an update is
//! not streamed, since nothing would certify its parts; no headers are added.

mod address;
mod body;
pub(crate) mod page;
mod protocol;
mod verify;

use crate::http::{App, Refusal, Shared};
use crate::node::Node;
use crate::node::clock::Clock;
use crate::node::executor::Submission;
use crate::node::query::Question;
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use address::Address;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use candid::Principal;
use protocol::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;

/// Largest request body passed to a canister, bytes.
const MAX_BODY: usize = 2 << 20;
/// How long an update by a canister is waited for.
const UPDATE_WAIT: Duration = Duration::from_secs(60);
/// Headers that are about one connection, or that the server counts for itself.
const NOT_SENT_ON: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Why there is no response to send on.
type Failure = Refusal;

/// Answers what no other route does.
pub(crate) async fn handle(State(app): Shared, request: Request) -> Response {
    let headers = request.headers().clone();
    match serve(&app, request).await {
        Ok(response) => response,
        Err((status, why)) => page::explain(status, &why, &headers),
    }
}

async fn serve(app: &App, request: Request) -> Result<Response, Failure> {
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        let why = format!("{} is not passed on", request.method());
        return Err((StatusCode::METHOD_NOT_ALLOWED, why));
    }
    let canister = match address::find(request.uri(), request.headers()) {
        Address::Canister(canister) => canister,
        Address::Raw => {
            let why = "this gateway verifies every response: there are no raw addresses";
            return Err((StatusCode::BAD_REQUEST, why.into()));
        }
        Address::Unknown => {
            let why = "which canister? Use http://CANISTER.localhost:PORT/ or ?canisterId=CANISTER";
            return Err((StatusCode::NOT_FOUND, why.into()));
        }
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        let why = "the body is larger than 2 MiB".to_owned();
        (StatusCode::PAYLOAD_TOO_LARGE, why)
    })?;
    ask(app, canister, HttpRequest::new(&parts, body.to_vec())).await
}

async fn ask(app: &App, canister: Principal, question: HttpRequest) -> Result<Response, Failure> {
    let bad = |why: String| (StatusCode::BAD_GATEWAY, why);
    let asked = query(&app.node, canister, "http_request", question.encode());
    let (bytes, ()) = tokio::join!(asked, crate::http::mainnet_delay(app, false));
    let bytes = bytes?;
    let mut answer = decode(&bytes)?;
    if answer.upgrade == Some(true) {
        let update = update(app, canister, &question);
        let (answer, ()) = tokio::join!(update, crate::http::mainnet_delay(app, true));
        let answer = decode(&answer?)?;
        if answer.streaming_strategy.is_some() {
            let why = "the answer to an update is to be streamed, and its parts, got by queries, \
                       would not be certified";
            return Err(bad(why.into()));
        }
        // The answer to an update is agreed on by all nodes: nothing is left to verify.
        return send(answer);
    }
    if answer.streaming_strategy.is_some() {
        body::complete(&app.node, canister, &bytes, &mut answer.body).await?;
    }
    let node = Arc::clone(&app.node);
    let checked = app
        .node
        .pool
        .run(move || verify::certified(&node, &question, answer, canister, Clock::wire()))
        .await
        .ok_or_else(|| bad("the node is ending".into()))?;
    send(checked.map_err(|e| bad(format!("the response of {canister} is not certified: {e}")))?)
}

/// What a canister answers to a request by query, not verified: for the node's own use.
pub(crate) async fn fetch(node: &Arc<Node>, canister: Principal, url: &str) -> Option<Vec<u8>> {
    let question = HttpRequest::get(url).encode();
    let answer = query(node, canister, "http_request", question).await.ok()?;
    let answer = decode(&answer).ok()?;
    (answer.status_code == 200).then_some(answer.body.into_vec())
}

async fn query(
    node: &Arc<Node>,
    canister: Principal,
    method: &str,
    arg: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let asked = Question {
        canister,
        caller: Principal::anonymous(),
        method: method.into(),
        arg,
    };
    let asking = Arc::clone(node);
    let answer = node
        .queries
        .run_for(canister.as_slice(), move || asking.query(asked))
        .await;
    reply(answer)
}

async fn update(
    app: &App,
    canister: Principal,
    question: &HttpRequest,
) -> Result<Vec<u8>, Failure> {
    let mut id = Hash::default();
    getrandom::fill(&mut id).map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    let submission = Submission {
        id,
        sender: Principal::anonymous(),
        canister,
        method: "http_request_update".into(),
        arg: question.encode_update(),
        effective: canister,
        expiry: Clock::wire() + UPDATE_WAIT.as_nanos() as u64,
    };
    if let Err(reject) = app.node.submit(submission).await {
        return reply(Some(Err(reject)));
    }
    let ended = app.node.core().ingress.wait(&id);
    if tokio::time::timeout(UPDATE_WAIT, ended).await.is_err() {
        return Err((
            StatusCode::GATEWAY_TIMEOUT,
            "the canister takes too long".into(),
        ));
    }
    let answer = app.node.core().ingress.answer_of(&id);
    reply(answer)
}

fn reply(answer: Option<CallResult>) -> Result<Vec<u8>, Failure> {
    let reject = match answer {
        Some(Ok(bytes)) => return Ok(bytes),
        Some(Err(reject)) => reject,
        None => return Err((StatusCode::BAD_GATEWAY, "the node did not answer".into())),
    };
    let status = match (reject.code, reject.error_code.as_str()) {
        (3, _) => StatusCode::NOT_FOUND,
        // Frozen or otherwise for a while; stopped; stopping.
        (2, _) | (_, "IC0508" | "IC0509") => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    };
    Err((status, reject.message))
}

fn decode(bytes: &[u8]) -> Result<HttpResponse, Failure> {
    HttpResponse::decode(bytes).map_err(|e| {
        let why = format!("not an HTTP response: {e}");
        (StatusCode::BAD_GATEWAY, why)
    })
}

fn send(answer: HttpResponse) -> Result<Response, Failure> {
    let bad = |why: &str| (StatusCode::BAD_GATEWAY, why.to_owned());
    let status = StatusCode::from_u16(answer.status_code)
        .ok()
        .filter(|status| !status.is_informational())
        .ok_or_else(|| bad("the canister answered with an impossible status"))?;
    let mut response = Response::new(Body::from(answer.body.into_vec()));
    *response.status_mut() = status;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("the canister answered with an impossible header"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| bad("the canister answered with an impossible header"))?;
        if !NOT_SENT_ON.contains(&name) && name != "keep-alive" {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// Reads an answer by a canister in every way it may be read; whether there is one.
pub(crate) fn reads(bytes: &[u8]) -> bool {
    let whole = HttpResponse::decode(bytes).is_ok();
    let callback = protocol::Callback::of(bytes).is_some();
    let part = protocol::Part::decode(bytes).is_ok();
    whole || callback || part
}

/// Verifies a page `ok` with these headers.
pub(crate) fn verifies(
    url: &str,
    headers: Vec<(String, String)>,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<(), String> {
    let answer = HttpResponse {
        status_code: 200,
        headers,
        body: b"ok".to_vec().into(),
        upgrade: None,
        streaming_strategy: None,
    };
    let question = HttpRequest::get(url);
    verify::verified(&question, answer, canister, root_key, now)
        .map(|_| ())
        .map_err(|e| e.to_string())
}
