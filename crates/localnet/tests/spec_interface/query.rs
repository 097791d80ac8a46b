//! "Request: Query call": answers and the node's signature under them.

use crate::common::{COUNTER, Net};
use crate::raw::{
    Fields, Signer, anonymous, asking, at, bytes, certified, hash_of_map, now, post, reading, send,
    signed, text,
};
use candid::Principal;
use serde_cbor::Value;

async fn counter() -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    (net, id)
}

fn entry(value: &Value, name: &str) -> Value {
    let Value::Map(entries) = value else {
        unreachable!("{value:?} is no map");
    };
    entries[&text(name)].clone()
}

/// `verify_node_signatures` of the interface specification, with the key the state tree shows.
async fn check_signature(net: &Net, id: Principal, query: &Fields, answer: &Fields) {
    let Value::Array(signatures) = &answer["signatures"] else {
        unreachable!()
    };
    assert_eq!(signatures.len(), 1);
    let (timestamp, signature, identity) = (
        entry(&signatures[0], "timestamp"),
        entry(&signatures[0], "signature"),
        entry(&signatures[0], "identity"),
    );
    let mut signed_fields = answer.clone();
    signed_fields.remove("signatures");
    signed_fields.insert("timestamp".into(), timestamp.clone());
    signed_fields.insert(
        "request_id".into(),
        Value::Bytes(hash_of_map(query).to_vec()),
    );
    let message = [b"\x0Bic-response".as_slice(), &hash_of_map(&signed_fields)].concat();
    let (Value::Bytes(signature), Value::Bytes(identity), Value::Integer(timestamp)) =
        (signature, identity, timestamp)
    else {
        unreachable!()
    };
    let age = i128::from(now()) - timestamp;
    assert!((0..60_000_000_000).contains(&age), "{age}");
    let fields = reading(Principal::anonymous(), &[crate::path!["subnet"]]);
    let state = send(net, id, &anonymous(&fields)).await.fields();
    let tree = certified(net, &state["certificate"]);
    let subnet = crate::effective::subnet(net);
    let path = crate::path!["subnet", subnet, "node", identity, "public_key"];
    let der = at(&tree, &path).unwrap();
    let key = ic_ed25519::PublicKey::deserialize_rfc8410_der(der).unwrap();
    key.verify_signature(&message, &signature).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_signed_by_a_node_of_the_subnet() {
    let (net, id) = counter().await;
    let signer = Signer::ed25519();
    for version in ["v2", "v3"] {
        let query = asking("query", signer.principal(), id, "get");
        let path = format!("{version}/canister/{id}/query");
        let answer = post(&net, &path, bytes(&signed(&query, &signer))).await;
        let answer = answer.fields();
        let names: Vec<&str> = answer.keys().map(String::as_str).collect();
        assert_eq!(names, ["reply", "signatures", "status"]);
        assert_eq!(answer["status"], text("replied"));
        check_signature(&net, id, &query, &answer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_is_signed_too() {
    let (net, id) = counter().await;
    let query = asking("query", Principal::anonymous(), id, "no_such_method");
    let answer = send(&net, id, &anonymous(&query)).await.fields();
    let names: Vec<&str> = answer.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "error_code",
            "reject_code",
            "reject_message",
            "signatures",
            "status"
        ]
    );
    assert_eq!(answer["status"], text("rejected"));
    check_signature(&net, id, &query, &answer).await;
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    let query = asking("query", Principal::anonymous(), nobody, "get");
    let answer = send(&net, nobody, &anonymous(&query)).await.fields();
    assert_eq!(answer["reject_code"], crate::raw::nat(3));
    check_signature(&net, nobody, &query, &answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_method_is_not_queried() {
    let (net, id) = counter().await;
    let query = asking("query", Principal::anonymous(), id, "inc");
    let answer = send(&net, id, &anonymous(&query)).await.fields();
    assert_eq!(answer["status"], text("rejected"));
    let after = asking("query", Principal::anonymous(), id, "get");
    let answer = send(&net, id, &anonymous(&after)).await.fields();
    assert_eq!(entry(&answer["reply"], "arg"), crate::raw::blob([0; 4]));
}
