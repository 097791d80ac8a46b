//! Serves canisters' web sites as the IC's gateways do: finds the canister a request is for, asks
//! its `http_request`, verifies the answer's certification, and sends on only what is certified.

mod address;
mod protocol;
mod verify;

use crate::http::{App, Refusal, Shared, refuse};
use crate::node::Node;
use crate::node::clock::Clock;
use crate::node::executor::Submission;
use crate::node::query::Question;
use crate::wire::response::CallResult;
use crate::wire::value::Hash;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use candid::Principal;
use protocol::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;

/// Largest request body passed to a canister, bytes.
const MAX_BODY: usize = 2 << 20;
/// How long an update by a canister is waited for.
const UPDATE_WAIT: Duration = Duration::from_secs(60);

/// Answers what no other route does.
pub(crate) async fn handle(State(app): Shared, request: Request) -> Response {
    let Some(canister) = address::canister(request.uri(), request.headers()) else {
        let why = "which canister? Use http://CANISTER.localhost:PORT/ or ?canisterId=CANISTER";
        return refuse(StatusCode::NOT_FOUND, why);
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 2 MiB",
        );
    };
    let question = HttpRequest::new(&parts, body.to_vec());
    match ask(&app, canister, question).await {
        Ok(response) => response,
        Err((status, why)) => refuse(status, why),
    }
}

async fn ask(app: &App, canister: Principal, question: HttpRequest) -> Result<Response, Refusal> {
    let bad = |why: String| (StatusCode::BAD_GATEWAY, why);
    let query = query(&app.node, canister, &question);
    let (answer, ()) = tokio::join!(query, crate::http::mainnet_delay(app, false));
    let answer = decode(answer?)?;
    if answer.upgrade == Some(true) {
        let update = update(app, canister, &question);
        let (answer, ()) = tokio::join!(update, crate::http::mainnet_delay(app, true));
        // The answer to an update is agreed on by all nodes: nothing is left to verify.
        return send(decode(answer?)?);
    }
    let node = Arc::clone(&app.node);
    let checked = app
        .node
        .pool
        .run(move || {
            verify::certified(
                &question,
                answer,
                canister,
                &node.keys.root_der,
                Clock::wire(),
            )
        })
        .await
        .ok_or_else(|| bad("the node is ending".into()))?;
    send(checked.map_err(|e| bad(format!("the response of {canister} is not certified: {e}")))?)
}

/// What a canister answers to a request by query, not verified: for the node's own use.
pub(crate) async fn fetch(node: &Arc<Node>, canister: Principal, url: &str) -> Option<Vec<u8>> {
    let question = HttpRequest::get(url);
    let answer = decode(query(node, canister, &question).await.ok()?).ok()?;
    (answer.status_code == 200).then_some(answer.body.into_vec())
}

async fn query(
    node: &Arc<Node>,
    canister: Principal,
    question: &HttpRequest,
) -> Result<Vec<u8>, Refusal> {
    let asked = Question {
        canister,
        caller: Principal::anonymous(),
        method: "http_request".into(),
        arg: question.encode(),
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
) -> Result<Vec<u8>, Refusal> {
    let mut id = Hash::default();
    getrandom::fill(&mut id).map_err(|e| (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()))?;
    let submission = Submission {
        id,
        sender: Principal::anonymous(),
        canister,
        method: "http_request_update".into(),
        arg: question.encode(),
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

fn reply(answer: Option<CallResult>) -> Result<Vec<u8>, Refusal> {
    match answer {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(reject)) if reject.code == 3 => Err((StatusCode::NOT_FOUND, reject.message)),
        Some(Err(reject)) => Err((StatusCode::BAD_GATEWAY, reject.message)),
        None => Err((StatusCode::BAD_GATEWAY, "the node did not answer".into())),
    }
}

fn decode(bytes: Vec<u8>) -> Result<HttpResponse, Refusal> {
    let answer = HttpResponse::decode(&bytes).map_err(|e| {
        (
            StatusCode::BAD_GATEWAY,
            format!("not an HTTP response: {e}"),
        )
    })?;
    if answer.streaming_strategy.is_some() {
        let why = "streaming responses are not supported by this node".into();
        return Err((StatusCode::NOT_IMPLEMENTED, why));
    }
    Ok(answer)
}

fn send(answer: HttpResponse) -> Result<Response, Refusal> {
    let bad = |why: &str| (StatusCode::BAD_GATEWAY, why.to_owned());
    let status = StatusCode::from_u16(answer.status_code)
        .map_err(|_| bad("the canister answered with an impossible status"))?;
    let mut response = Response::new(Body::from(answer.body.into_vec()));
    *response.status_mut() = status;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("the canister answered with an impossible header"))?;
        let value = HeaderValue::from_str(value)
            .map_err(|_| bad("the canister answered with an impossible header"))?;
        // The server counts for itself.
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}
