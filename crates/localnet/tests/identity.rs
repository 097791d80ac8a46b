//! The development identity provider, used as an application uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use candid::Principal;
use common::{CALLS, Net};
use ic_agent::Identity as _;
use ic_agent::identity::{BasicIdentity, DelegatedIdentity, Delegation, SignedDelegation};
use serde_json::{Value, json};

struct Session {
    key: BasicIdentity,
    public: Vec<u8>,
}

fn session() -> Session {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    let key = BasicIdentity::from_raw_key(&seed);
    let public = key.public_key().unwrap();
    Session { key, public }
}

async fn post(net: &Net, path: &str, body: Value) -> reqwest::Response {
    reqwest::Client::new()
        .post(format!("{}/_/identity/{path}", net.localnet.url()))
        .body(body.to_string())
        .send()
        .await
        .unwrap()
}

/// Signs in as `person`; the identity and its principal.
async fn sign_in(net: &Net, request: Value) -> (DelegatedIdentity, Principal) {
    let session = session();
    let mut body = request;
    body["public_key"] = json!(BASE64.encode(&session.public));
    let response = post(net, "delegation", body).await;
    assert_eq!(response.status(), 200);
    let chain: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let bytes = |v: &Value| BASE64.decode(v.as_str().unwrap()).unwrap();
    let root = bytes(&chain["publicKey"]);
    let link = &chain["signerDelegation"][0];
    let targets = link["delegation"].get("targets").map(|targets| {
        let texts = targets.as_array().unwrap().iter();
        texts
            .map(|t| Principal::from_text(t.as_str().unwrap()).unwrap())
            .collect()
    });
    let delegation = SignedDelegation {
        delegation: Delegation {
            pubkey: bytes(&link["delegation"]["pubkey"]),
            expiration: link["delegation"]["expiration"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
            targets,
            permissions: None,
        },
        signature: bytes(&link["signature"]),
    };
    let principal = Principal::self_authenticating(&root);
    let identity = DelegatedIdentity::new_unchecked(root, Box::new(session.key), vec![delegation]);
    (identity, principal)
}

async fn whoami(net: &Net, id: Principal, identity: DelegatedIdentity) -> Principal {
    let agent = net.agent_as(identity).await;
    let bytes = agent.query(&id, "whoami").call().await.unwrap();
    let by_update = agent.update(&id, "whoami").call_and_wait().await.unwrap();
    assert_eq!(bytes, by_update);
    Principal::from_slice(&bytes)
}

fn ask(person: &str, origin: &str, root: &str) -> Value {
    json!({ "person": person, "origin": origin, "root": root, "max_time_to_live_ns": "600000000000" })
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_key_and_by_canister() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    assert_eq!(
        post(&net, "people", json!({ "name": "Ana" }))
            .await
            .status(),
        201
    );
    assert_eq!(
        post(&net, "people", json!({ "name": "Ben" }))
            .await
            .status(),
        201
    );
    let mut seen = Vec::new();
    for root in ["ed25519", "canister"] {
        for (person, origin) in [
            ("Ana", "http://a.localhost:1"),
            ("Ana", "http://b.localhost:1"),
            ("Ben", "http://a.localhost:1"),
        ] {
            let (identity, principal) = sign_in(&net, ask(person, origin, root)).await;
            assert_eq!(whoami(&net, id, identity).await, principal);
            let (_, again) = sign_in(&net, ask(person, origin, root)).await;
            assert_eq!(again, principal);
            assert!(!seen.contains(&principal));
            seen.push(principal);
        }
    }
    let net = net.restart().await;
    let (identity, principal) = sign_in(&net, ask("Ana", "http://a.localhost:1", "ed25519")).await;
    assert_eq!(principal, seen[0]);
    assert_eq!(whoami(&net, id, identity).await, principal);
}

#[tokio::test(flavor = "multi_thread")]
async fn delegations_are_held_to_their_expiry_and_targets() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    post(&net, "people", json!({ "name": "Ana" })).await;
    let mut expired = ask("Ana", "http://a", "ed25519");
    expired["max_time_to_live_ns"] = json!(0);
    let mut elsewhere = ask("Ana", "http://a", "ed25519");
    elsewhere["targets"] = json!(["aaaaa-aa"]);
    for (request, why) in [(expired, "expired"), (elsewhere, "targets")] {
        let (identity, _) = sign_in(&net, request).await;
        let agent = net.agent_as(identity).await;
        let error = agent.query(&id, "whoami").call().await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_get_nothing() {
    let net = Net::start().await;
    post(&net, "people", json!({ "name": "Ana" })).await;
    let client = reqwest::Client::new();
    let url = format!("{}/_/identity/people", net.localnet.url());
    let own = client
        .get(&url)
        .header("origin", net.localnet.url())
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), 200);
    let other = client
        .get(&url)
        .header("origin", "http://x.localhost:1")
        .send()
        .await
        .unwrap();
    assert_eq!(other.status(), 403);
    assert!(other.headers().get("access-control-allow-origin").is_none());
    let host = format!(
        "bkyz2-fmaaa-aaaaa-qaaaq-cai.localhost:{}",
        net.localnet.port()
    );
    let site = client.get(&url).header("host", host).send().await.unwrap();
    assert_eq!(site.status(), 403);
    let page = client
        .get(format!("{}/_/identity/authorize", net.localnet.url()))
        .send()
        .await
        .unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'"));
    assert!(page.headers().get("cross-origin-opener-policy").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused() {
    let net = Net::start().await;
    post(&net, "people", json!({ "name": "Ana" })).await;
    let key = BASE64.encode(session().public);
    for (body, status) in [
        (
            json!({ "person": "Nobody", "origin": "http://a", "public_key": key }),
            404,
        ),
        (
            json!({ "person": "Ana", "origin": "a", "public_key": key }),
            400,
        ),
        (
            json!({ "person": "Ana", "origin": "http://a", "public_key": "AAAA" }),
            400,
        ),
        (json!({ "person": "Ana" }), 400),
    ] {
        assert_eq!(post(&net, "delegation", body).await.status(), status);
    }
    assert_eq!(
        post(&net, "people", json!({ "name": " " })).await.status(),
        400
    );
}
