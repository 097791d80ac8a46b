//! "Status endpoint" and the endpoints there are.

use crate::common::Net;
use crate::raw::{blob, post};
use serde_cbor::Value;

#[tokio::test(flavor = "multi_thread")]
async fn status_says_the_root_key() {
    let net = Net::start().await;
    let url = format!("{}/api/v2/status", net.localnet.url());
    let response = reqwest::get(url).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/cbor");
    let body = response.bytes().await.unwrap();
    assert_eq!(body[..3], [0xd9, 0xd9, 0xf7]);
    let Value::Map(fields) = serde_cbor::from_slice(&body[3..]).unwrap() else {
        unreachable!()
    };
    let field = |name: &str| fields[&Value::Text(name.into())].clone();
    assert_eq!(field("root_key"), blob(net.localnet.root_key()));
    assert_eq!(net.localnet.root_key().len(), 133);
    assert_eq!(
        field("replica_health_status"),
        Value::Text("healthy".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_other_versions() {
    let net = Net::start().await;
    for path in [
        "v1/canister/aaaaa-aa/call",
        "v5/canister/aaaaa-aa/call",
        "v1/canister/aaaaa-aa/query",
        "v4/canister/aaaaa-aa/query",
        "v4/canister/aaaaa-aa/read_state",
        "v2/node/aaaaa-aa/read_state",
    ] {
        assert_eq!(post(&net, path, Vec::new()).await.status, 404, "{path}");
    }
    let subnet = candid::Principal::self_authenticating(net.localnet.root_key());
    for path in [
        "v2/subnet/ID/call",
        "v3/subnet/ID/call",
        "v2/subnet/ID/query",
    ] {
        let path = path.replace("ID", &subnet.to_text());
        assert_eq!(post(&net, &path, Vec::new()).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_posted() {
    let net = Net::start().await;
    let client = reqwest::Client::new();
    for endpoint in ["call", "query", "read_state"] {
        let url = format!("{}/api/v3/canister/aaaaa-aa/{endpoint}", net.localnet.url());
        assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
        assert_eq!(client.put(&url).send().await.unwrap().status(), 405);
    }
    let url = format!("{}/api/v2/status", net.localnet.url());
    assert_eq!(client.post(&url).send().await.unwrap().status(), 405);
}
