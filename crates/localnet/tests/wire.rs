//! The HTTP interface itself: who is believed, what is refused, and how.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CALLS, COUNTER, Net};
use ic_agent::Agent;
use ic_agent::Identity;
use ic_agent::agent::RequestStatusResponse;
use ic_agent::identity::{AnonymousIdentity, Prime256v1Identity, Secp256k1Identity};
use ic_transport_types::signed::SignedUpdate;
use std::time::{Duration, SystemTime};

async fn post(net: &Net, path: &str, body: Vec<u8>) -> reqwest::Response {
    let url = format!("{}/api/{path}", net.localnet.url());
    let request = reqwest::Client::new().post(url).body(body);
    request.send().await.unwrap()
}

async fn refused(net: &Net, path: &str, body: Vec<u8>) -> String {
    let response = post(net, path, body).await;
    assert_eq!(response.status(), 400);
    response.text().await.unwrap()
}

fn inc(agent: &Agent, id: &candid::Principal) -> SignedUpdate {
    agent.update(id, "inc").sign().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_runs_once() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let signed = inc(&agent, &id);
    for version in ["v3", "v4", "v3"] {
        let path = format!("{version}/canister/{id}/call");
        assert_eq!(
            post(&net, &path, signed.signed_update.clone())
                .await
                .status(),
            200
        );
    }
    let path = format!("v2/canister/{id}/call");
    assert_eq!(
        post(&net, &path, signed.signed_update.clone())
            .await
            .status(),
        202
    );
    let reply = agent.query(&id, "get").call().await.unwrap();
    assert_eq!(reply, 1_u32.to_le_bytes());
    let net = net.restart().await;
    assert_eq!(post(&net, &path, signed.signed_update).await.status(), 202);
    let agent = net.agent().await;
    let reply = agent.query(&id, "get").call().await.unwrap();
    assert_eq!(reply, 1_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_polled_for_by_who_asked_and_nobody_else() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let signed = inc(&agent, &id);
    let path = format!("v2/canister/{id}/call");
    assert_eq!(post(&net, &path, signed.signed_update).await.status(), 202);
    common::until(async || {
        let (status, _) = agent
            .request_status_raw(&signed.request_id, id)
            .await
            .unwrap();
        matches!(status, RequestStatusResponse::Replied(_))
    })
    .await;
    let stranger = net.agent().await;
    let error = stranger
        .request_status_raw(&signed.request_id, id)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
    let unknown = inc(&agent, &id).request_id;
    let (status, _) = agent.request_status_raw(&unknown, id).await.unwrap();
    assert!(matches!(status, RequestStatusResponse::Unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_request_is_refused() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let signed = inc(&agent, &id).signed_update;
    let path = format!("v3/canister/{id}/call");
    for what in [b"inc".as_slice(), b"call", id.as_slice()] {
        let at = signed
            .windows(what.len())
            .position(|part| part == what)
            .unwrap();
        let mut changed = signed.clone();
        changed[at + what.len() - 1] ^= 1;
        refused(&net, &path, changed).await;
    }
    for len in [0, 1, signed.len() / 2, signed.len() - 1] {
        refused(&net, &path, signed[..len].to_vec()).await;
    }
    let why = refused(&net, &format!("v3/canister/{id}/query"), signed.clone()).await;
    assert!(why.contains("query"), "{why}");
    let other = net.create(&agent).await;
    let why = refused(&net, &format!("v3/canister/{other}/call"), signed).await;
    assert!(why.contains("effective"), "{why}");
    let reply = agent.query(&id, "get").call().await.unwrap();
    assert_eq!(reply, 0_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_requests_and_ones_for_the_far_future_are_refused() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    let path = format!("v3/canister/{id}/call");
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    for at in [
        now - Duration::from_secs(1),
        now + Duration::from_secs(3_600),
    ] {
        let at = time(at);
        let signed = agent.update(&id, "inc").expire_at(at).sign().unwrap();
        let why = refused(&net, &path, signed.signed_update).await;
        assert!(why.contains("ingress_expiry"), "{why}");
    }
}

fn time(since: Duration) -> std::time::SystemTime {
    SystemTime::UNIX_EPOCH + since
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_key_is_believed() {
    let net = Net::start().await;
    let owner = net.agent().await;
    let id = net.install(&owner, CALLS, b"").await;
    let k1 = ic_secp256k1::PrivateKey::generate().serialize_rfc5915_pem();
    let r1 = ic_secp256r1::PrivateKey::generate().serialize_rfc5915_pem();
    let k1 = Secp256k1Identity::from_pem(k1.as_bytes()).unwrap();
    let r1 = Prime256v1Identity::from_pem(r1.as_bytes()).unwrap();
    let identities: [Box<dyn Identity>; 3] =
        [Box::new(k1), Box::new(r1), Box::new(AnonymousIdentity)];
    for identity in identities {
        let principal = identity.sender().unwrap();
        let agent = net.agent_as(identity).await;
        let seen = agent.update(&id, "whoami").call_and_wait().await.unwrap();
        assert_eq!(seen, principal.as_slice());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_may_ask_from_anywhere() {
    let net = Net::start().await;
    let url = format!("{}/api/v2/status", net.localnet.url());
    let client = reqwest::Client::new();
    let request = client.request(reqwest::Method::OPTIONS, &url);
    let allowed = request.send().await.unwrap();
    assert!(allowed.status().is_success());
    assert_eq!(allowed.headers()["access-control-allow-origin"], "*");
    assert_eq!(
        allowed.headers()["access-control-allow-headers"],
        "content-type"
    );
    let status = client.get(&url).send().await.unwrap();
    assert_eq!(status.headers()["access-control-allow-origin"], "*");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_certification_is_not_served() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let plain = response(false, b"plain");
    let upgrading = response(true, b"");
    let text = |query: &[u8], update: &[u8]| {
        let escape = |b: &[u8]| b.iter().map(|b| format!("\\{b:02x}")).collect::<String>();
        format!(
            r#"(module
              (import "ic0" "msg_reply" (func $reply))
              (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
              (memory 1)
              (data (i32.const 0) "{}") (data (i32.const 1000) "{}")
              (func (export "canister_query http_request")
                (call $append (i32.const 0) (i32.const {})) (call $reply))
              (func (export "canister_update http_request_update")
                (call $append (i32.const 1000) (i32.const {})) (call $reply)))"#,
            escape(query),
            escape(update),
            query.len(),
            update.len()
        )
    };
    let get = async |id: candid::Principal| {
        let url = format!("{}/x?canisterId={id}", net.localnet.url());
        reqwest::get(url).await.unwrap()
    };
    let id = net.install(&agent, &text(&plain, &plain), b"").await;
    let answer = get(id).await;
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("not certified"));
    let id = net.install(&agent, &text(&upgrading, &plain), b"").await;
    let answer = get(id).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-test"], "yes");
    assert_eq!(answer.text().await.unwrap(), "plain");
    let nobody = candid::Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    assert_eq!(get(nobody).await.status(), 404);
}

fn response(upgrade: bool, body: &[u8]) -> Vec<u8> {
    #[derive(candid::CandidType)]
    struct Response {
        status_code: u16,
        headers: Vec<(String, String)>,
        body: serde_bytes::ByteBuf,
        upgrade: Option<bool>,
    }
    candid::encode_one(Response {
        status_code: 200,
        headers: vec![("x-test".into(), "yes".into())],
        body: body.to_vec().into(),
        upgrade: Some(upgrade),
    })
    .unwrap()
}
