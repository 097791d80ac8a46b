//! "Authentication": senders, keys and expiries.

use crate::common::{CALLS, COUNTER, Net};
use crate::raw::{
    MINUTE, SECOND, Signer, anonymous, asking, blob, bytes, nat, now, post, reading, send, signed,
};
use candid::Principal;
use serde_cbor::Value;

async fn counter() -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    (net, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_sender_signs_with_a_key_that_is_its_own() {
    let (net, id) = counter().await;
    let (signer, other) = (Signer::ed25519(), Signer::ed25519());
    let fields = asking("call", signer.principal(), id, "inc");
    let good = signed(&fields, &signer);
    for missing in ["sender_pubkey", "sender_sig"] {
        let mut envelope = good.clone();
        envelope.remove(missing);
        send(&net, id, &envelope).await.refused(400, "not signed");
    }
    let foreign = signed(&fields, &other);
    let answer = send(&net, id, &foreign).await;
    answer.refused(400, "not the principal of its public key");
    let mut swapped = good.clone();
    swapped.insert("sender_sig".into(), foreign["sender_sig"].clone());
    send(&net, id, &swapped)
        .await
        .refused(400, "does not verify");
    assert_eq!(send(&net, id, &good).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_request_carries_no_key_signature_or_delegation() {
    let (net, id) = counter().await;
    let fields = asking("call", Principal::anonymous(), id, "inc");
    let good = anonymous(&fields);
    for (name, value) in [
        ("sender_pubkey", blob(Signer::ed25519().der)),
        ("sender_sig", blob([0; 64])),
        ("sender_delegation", Value::Array(Vec::new())),
    ] {
        let mut envelope = good.clone();
        envelope.insert(name.into(), value);
        send(&net, id, &envelope).await.refused(400, "anonymous");
    }
    assert_eq!(send(&net, id, &good).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_taken_after_its_expiry_or_long_before_it() {
    let (net, id) = counter().await;
    let signer = Signer::ed25519();
    let paths = [crate::path!["time"]];
    for expiry in [
        0,
        now() - SECOND,
        now() + 5 * MINUTE + 10 * SECOND,
        u64::MAX,
    ] {
        for mut fields in [
            asking("call", signer.principal(), id, "inc"),
            asking("query", signer.principal(), id, "get"),
            reading(signer.principal(), &paths),
        ] {
            fields.insert("ingress_expiry".into(), nat(expiry));
            let answer = send(&net, id, &signed(&fields, &signer)).await;
            answer.refused(400, "ingress_expiry not within expected range");
        }
    }
    for ahead in [SECOND * 20, 5 * MINUTE - SECOND] {
        let mut fields = asking("call", signer.principal(), id, "inc");
        fields.insert("ingress_expiry".into(), nat(now() + ahead));
        let answer = send(&net, id, &signed(&fields, &signer)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_anonymous_queries_and_read_states_may_have_any_expiry() {
    let (net, id) = counter().await;
    let anyone = Principal::anonymous();
    let paths = [crate::path!["time"]];
    for expiry in [0, 1, u64::MAX] {
        for mut fields in [asking("query", anyone, id, "get"), reading(anyone, &paths)] {
            fields.insert("ingress_expiry".into(), nat(expiry));
            let answer = send(&net, id, &anonymous(&fields)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let mut fields = asking("call", anyone, id, "inc");
        fields.insert("ingress_expiry".into(), nat(expiry));
        let answer = send(&net, id, &anonymous(&fields)).await;
        answer.refused(400, "ingress_expiry");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_has_at_most_32_bytes() {
    let (net, id) = counter().await;
    let signer = Signer::ed25519();
    for (len, status) in [(0, 200), (1, 200), (32, 200), (33, 400), (1_000, 400)] {
        let mut fields = asking("call", signer.principal(), id, "inc");
        fields.insert("nonce".into(), blob(vec![1; len]));
        let answer = send(&net, id, &signed(&fields, &signer)).await;
        assert_eq!(answer.status, status, "{len}: {}", answer.text());
    }
    let mut fields = asking("call", signer.principal(), id, "inc");
    fields.remove("nonce");
    assert_eq!(send(&net, id, &signed(&fields, &signer)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn principals_have_at_most_29_bytes() {
    let (net, id) = counter().await;
    for name in ["sender", "canister_id"] {
        let mut fields = asking("query", Principal::anonymous(), id, "get");
        fields.insert(name.into(), blob([4; 30]));
        let answer = send(&net, id, &anonymous(&fields)).await;
        answer.refused(400, &format!("{name}: not a principal"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_at_most_two_mebibytes() {
    let (net, id) = counter().await;
    let signer = Signer::ed25519();
    let mut fields = asking("call", signer.principal(), id, "inc");
    for (len, status) in [((2 << 20) - 1_000, 200), (2 << 20, 413), (4 << 20, 413)] {
        fields.insert("arg".into(), blob(vec![0; len]));
        let answer = send(&net, id, &signed(&fields, &signer)).await;
        assert_eq!(answer.status, status, "{len}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_of_the_content_is_who_the_canister_sees() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    let signer = Signer::ed25519();
    let fields = asking("query", signer.principal(), id, "whoami");
    let path = format!("v3/canister/{id}/query");
    let answer = post(&net, &path, bytes(&signed(&fields, &signer))).await;
    let reply = answer.fields()["reply"].clone();
    let Value::Map(reply) = reply else {
        unreachable!()
    };
    assert_eq!(reply[&Value::Text("arg".into())], blob(signer.principal()));
}
