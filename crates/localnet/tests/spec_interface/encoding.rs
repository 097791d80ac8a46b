//! "CBOR encoding of requests and responses": what is not encoded so is refused.

use crate::common::{COUNTER, Net};
use crate::raw::{
    Answer, Signer, anonymous, asking, blob, bytes, content, nat, now, post, reading, send, signed,
    tagged, text,
};
use candid::Principal;
use serde_cbor::Value;

async fn counter() -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    (net, id)
}

async fn query(net: &Net, id: Principal, body: Vec<u8>) -> Answer {
    post(net, &format!("v3/canister/{id}/query"), body).await
}

/// The IC's nodes take requests without the tag as well, and there are agents that leave it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_begins_with_the_self_describing_tag_and_no_other() {
    let (net, id) = counter().await;
    let fields = asking("query", Principal::anonymous(), id, "get");
    let good = bytes(&anonymous(&fields));
    assert_eq!(query(&net, id, good.clone()).await.status, 200);
    assert_eq!(query(&net, id, good[3..].to_vec()).await.status, 200);
    let twice = [&good[..3], &good].concat();
    let answer = query(&net, id, twice).await;
    answer.refused(400, "the tag 55799 has no place");
    let other = [&[0xd9, 0xd9, 0xf8], &good[3..]].concat();
    let answer = query(&net, id, other).await;
    answer.refused(400, "the tag 55800 has no place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_whole_document() {
    let (net, id) = counter().await;
    let good = bytes(&anonymous(&asking(
        "query",
        Principal::anonymous(),
        id,
        "get",
    )));
    for len in 0..good.len() {
        assert_eq!(query(&net, id, good[..len].to_vec()).await.status, 400);
    }
    let trailing = [good.as_slice(), &[0]].concat();
    query(&net, id, trailing).await.refused(400, "bytes after");
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_keys_are_prohibited() {
    let (net, id) = counter().await;
    let fields = asking("query", Principal::anonymous(), id, "get");
    let inner = serde_cbor::to_vec(&content(&fields)).unwrap();
    // {"content": inner, "content": inner}
    let mut envelope = vec![0xd9, 0xd9, 0xf7, 0xa2];
    for _ in 0..2 {
        envelope.extend(b"\x67content");
        envelope.extend(&inner);
    }
    query(&net, id, envelope).await.refused(400, "occurs twice");
    // The content with one more entry than before, its first one again.
    let mut doubled = inner.clone();
    doubled[0] += 1;
    doubled.extend(b"\x63arg\x40");
    let mut envelope = b"\xd9\xd9\xf7\xa1\x67content".to_vec();
    envelope.extend(doubled);
    query(&net, id, envelope).await.refused(400, "occurs twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_whole_and_not_negative() {
    let (net, id) = counter().await;
    let fields = asking("query", Principal::anonymous(), id, "get");
    let changed = |value: Value| {
        let mut fields = fields.clone();
        fields.insert("ingress_expiry".into(), value);
        bytes(&anonymous(&fields))
    };
    let float = changed(Value::Float(now() as f64));
    query(&net, id, float).await.refused(400, "floating-point");
    // A negative number has no hash, so that it is refused before anything looks at it.
    assert_eq!(
        query(&net, id, changed(Value::Integer(-1))).await.status,
        400
    );
    let quoted = changed(text("1700000000000000000"));
    query(&net, id, quoted).await.refused(400, "ingress_expiry");
    // 2^64 as a bignum.
    let mut big = changed(nat(7));
    let at = big
        .windows(16)
        .position(|part| part == b"\x6eingress_expiry\x07")
        .unwrap()
        + 15;
    big.splice(at..=at, [0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    query(&net, id, big)
        .await
        .refused(400, "the tag 2 has no place");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_have_the_types_they_are_given() {
    let (net, id) = counter().await;
    let anyone = Principal::anonymous();
    for (name, wrong) in [
        ("request_type", blob(b"query")),
        ("sender", text("2vxsx-fae")),
        ("nonce", text("nonce")),
        ("canister_id", text("aaaaa-aa")),
        ("method_name", blob(b"get")),
        ("arg", Value::Array(Vec::new())),
        ("arg", nat(0)),
    ] {
        let mut fields = asking("query", anyone, id, "get");
        fields.insert(name.into(), wrong);
        let answer = query(&net, id, bytes(&anonymous(&fields))).await;
        answer.refused(400, &format!("{name}: expected"));
    }
    for wrong in [
        text("time"),
        Value::Array(vec![blob(b"time")]),
        Value::Array(vec![Value::Array(vec![text("time")])]),
    ] {
        let mut fields = reading(anyone, &[]);
        fields.insert("paths".into(), wrong);
        let answer = send(&net, id, &anonymous(&fields)).await;
        answer.refused(400, "paths: expected");
    }
    for wrong in [Value::Array(Vec::new()), nat(1), blob(b"")] {
        query(&net, id, tagged(&wrong))
            .await
            .refused(400, "expected a map");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_required_field_is_required() {
    let (net, id) = counter().await;
    let anyone = Principal::anonymous();
    for name in [
        "sender",
        "ingress_expiry",
        "canister_id",
        "method_name",
        "arg",
        "request_type",
    ] {
        let mut fields = asking("query", anyone, id, "get");
        fields.remove(name);
        let answer = query(&net, id, bytes(&anonymous(&fields))).await;
        answer.refused(400, &format!("{name} is missing"));
    }
    let mut fields = reading(anyone, &[]);
    fields.remove("paths");
    let answer = send(&net, id, &anonymous(&fields)).await;
    answer.refused(400, "paths is missing");
    let empty = Value::Map([].into());
    query(&net, id, tagged(&empty))
        .await
        .refused(400, "content is missing");
}

/// A field this node does not know may change what is asked: it is refused by its name, and so is
/// `sender_info`.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_are_refused_by_name() {
    let (net, id) = counter().await;
    let signer = Signer::ed25519();
    let mut fields = asking("query", signer.principal(), id, "get");
    fields.insert("priority".into(), nat(1));
    let answer = send(&net, id, &signed(&fields, &signer)).await;
    answer.refused(400, "\"priority\" is unknown");
    fields.remove("priority");
    fields.insert("sender_info".into(), Value::Map([].into()));
    let answer = send(&net, id, &signed(&fields, &signer)).await;
    answer.refused(400, "sender_info is not supported");
    fields.remove("sender_info");
    let mut envelope = signed(&fields, &signer);
    envelope.insert("comment".into(), text("x"));
    send(&net, id, &envelope)
        .await
        .refused(400, "\"comment\" is unknown");
    // The fields of one request have no place in another.
    fields.insert("paths".into(), Value::Array(Vec::new()));
    let answer = send(&net, id, &signed(&fields, &signer)).await;
    answer.refused(400, "\"paths\" is unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_nesting_and_endless_lengths_are_refused() {
    let (net, id) = counter().await;
    let deep = [vec![0xd9, 0xd9, 0xf7], vec![0x81; 1 << 20]].concat();
    query(&net, id, deep).await.refused(400, "nested deeper");
    let tags = [vec![0xd9, 0xd9, 0xf7], vec![0xc1; 1 << 20]].concat();
    query(&net, id, tags).await.refused(400, "has no place");
    let many = [
        b"\xd9\xd9\xf7\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        vec![0; 1 << 20],
    ]
    .concat();
    query(&net, id, many)
        .await
        .refused(400, "more than 262144 values");
    let huge = b"\xd9\xd9\xf7\xa1\x67content\x5b\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec();
    query(&net, id, huge).await.refused(400, "end inside");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_a_request_is_that_of_its_endpoint() {
    let (net, id) = counter().await;
    let anyone = Principal::anonymous();
    let call = bytes(&anonymous(&asking("call", anyone, id, "inc")));
    let ask = bytes(&anonymous(&asking("query", anyone, id, "get")));
    let read = bytes(&anonymous(&reading(anyone, &[])));
    for (endpoint, wrong) in [
        ("call", [&ask, &read]),
        ("query", [&call, &read]),
        ("read_state", [&call, &ask]),
    ] {
        for body in wrong {
            let path = format!("v3/canister/{id}/{endpoint}");
            let answer = post(&net, &path, body.clone()).await;
            answer.refused(400, "request_type must be");
        }
    }
    let odd = bytes(&anonymous(&asking("status", anyone, id, "get")));
    query(&net, id, odd)
        .await
        .refused(400, "\"status\" is unknown");
}
