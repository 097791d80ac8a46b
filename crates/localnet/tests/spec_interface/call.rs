//! "Request: Call", "Request: Asynchronous Call" and "Overview of canister calling".

use crate::common::{self, CALLS, COUNTER, IC, Net};
use crate::raw::{
    Answer, Fields, SECOND, Signer, asking, at, bytes, call, certified, hash_of_map, map, nat, now,
    post, reading, send, signed, text,
};
use candid::{CandidType, Encode, Principal};

const PENDING: &str = include_str!("pending.wat");

async fn with(code: &str) -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, code, b"").await;
    (net, id)
}

async fn at_version(net: &Net, version: &str, id: Principal, envelope: &Fields) -> Answer {
    let path = format!("{version}/canister/{id}/call");
    post(net, &path, bytes(envelope)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_in_time_is_answered_with_a_certificate() {
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    for (version, counted) in [("v3", 1_u32), ("v4", 2)] {
        let fields = asking("call", signer.principal(), id, "inc");
        let answer = at_version(&net, version, id, &signed(&fields, &signer)).await;
        let answer = answer.fields();
        assert_eq!(answer.len(), 2);
        assert_eq!(answer["status"], text("replied"));
        let tree = certified(&net, &answer["certificate"]);
        let request = hash_of_map(&fields);
        let path = |name: &str| crate::path!["request_status", request, name];
        assert_eq!(at(&tree, &path("status")), Some(b"replied".as_slice()));
        assert_eq!(at(&tree, &path("reply")), Some(&counted.to_le_bytes()[..]));
        assert!(at(&tree, &crate::path!["time"]).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_by_the_canister_is_certified_with_code_and_message() {
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    let fields = asking("call", signer.principal(), id, "inc_and_trap");
    let answer = at_version(&net, "v4", id, &signed(&fields, &signer)).await;
    let answer = answer.fields();
    assert_eq!(answer["status"], text("replied"));
    let tree = certified(&net, &answer["certificate"]);
    let request = hash_of_map(&fields);
    let says = |name: &str| at(&tree, &crate::path!["request_status", request, name]);
    assert_eq!(says("status"), Some(b"rejected".as_slice()));
    assert_eq!(says("reject_code"), Some([5].as_slice()));
    let message = String::from_utf8_lossy(says("reject_message").unwrap()).into_owned();
    assert!(message.contains("went wrong"), "{message}");
    assert!(says("error_code").unwrap().starts_with(b"IC"));
    assert_eq!(says("reply"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_let_in_is_a_rejection_without_a_certificate() {
    let (net, id) = with(CALLS).await;
    let signer = Signer::ed25519();
    // Inspection by the canister, a method that is not there, a canister that is not there.
    let nobody = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 1]);
    for (to, method, code, error_code) in [
        (id, "guard", 4, "IC0406"),
        (id, "no_such", 5, "IC0536"),
        (nobody, "x", 3, "IC0301"),
    ] {
        let envelope = signed(&asking("call", signer.principal(), to, method), &signer);
        for version in ["v3", "v4"] {
            let answer = at_version(&net, version, to, &envelope).await.fields();
            assert_eq!(answer["status"], text("non_replicated_rejection"));
            assert_eq!(answer["reject_code"], nat(code));
            assert_eq!(answer["error_code"], text(error_code));
            assert!(answer.contains_key("reject_message"));
            assert!(!answer.contains_key("certificate"));
        }
        // The asynchronous form has these fields and no others.
        let answer = at_version(&net, "v2", to, &envelope).await.fields();
        let names: Vec<&str> = answer.keys().map(String::as_str).collect();
        assert_eq!(names, ["error_code", "reject_code", "reject_message"]);
        assert_eq!(answer["reject_code"], nat(code));
        assert_eq!(answer["error_code"], text(error_code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn management_calls_by_others_than_controllers_are_not_let_in() {
    #[derive(CandidType)]
    struct About {
        canister_id: Principal,
    }
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    let mut fields = asking("call", signer.principal(), IC, "stop_canister");
    let arg = Encode!(&About { canister_id: id }).unwrap();
    fields.insert("arg".into(), crate::raw::blob(arg));
    let answer = at_version(&net, "v4", id, &signed(&fields, &signer)).await;
    let answer = answer.fields();
    if let Some(certificate) = answer.get("certificate") {
        // Rejected later than need be, but rejected.
        let tree = certified(&net, certificate);
        let path = crate::path!["request_status", hash_of_map(&fields), "reject_code"];
        assert_eq!(at(&tree, &path), Some([5].as_slice()));
    } else {
        assert_eq!(answer["status"], text("non_replicated_rejection"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_call_is_accepted_with_an_empty_body() {
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    let fields = asking("call", signer.principal(), id, "inc");
    let answer = at_version(&net, "v2", id, &signed(&fields, &signer)).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let request = hash_of_map(&fields);
    common::until(async || status(&net, id, &signer, request).await == "replied").await;
}

/// What the state tree says of a request, empty when nothing.
async fn status(net: &Net, id: Principal, signer: &Signer, request: [u8; 32]) -> String {
    let path = crate::path!["request_status", request, "status"];
    let fields = reading(signer.principal(), std::slice::from_ref(&path));
    let answer = send(net, id, &signed(&fields, signer)).await.fields();
    let tree = certified(net, &answer["certificate"]);
    let said = at(&tree, &path).unwrap_or_default();
    String::from_utf8_lossy(said).into_owned()
}

/// A call that waits for another is told to poll after ten seconds, and ends when that comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_does_not_end_in_time_is_accepted_and_polled_for() {
    let (net, id) = with(PENDING).await;
    let signer = Signer::ed25519();
    let fields = asking("call", signer.principal(), id, "wait");
    let answer = at_version(&net, "v4", id, &signed(&fields, &signer)).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0));
    let request = hash_of_map(&fields);
    let pending = status(&net, id, &signer, request).await;
    assert!(
        matches!(pending.as_str(), "received" | "processing"),
        "{pending}"
    );
    assert_eq!(call(&net, &signer, id, "finish").await.status, 200);
    common::until(async || status(&net, id, &signer, request).await == "replied").await;
    // Asked again, the same request is answered with what it came to.
    let again = at_version(&net, "v4", id, &signed(&fields, &signer))
        .await
        .fields();
    let tree = certified(&net, &again["certificate"]);
    let path = crate::path!["request_status", request, "reply"];
    assert_eq!(at(&tree, &path), Some(b"done".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_is_executed_once_and_answered_the_same() {
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    let fields = asking("call", signer.principal(), id, "inc");
    let envelope = signed(&fields, &signer);
    let path = crate::path!["request_status", hash_of_map(&fields), "reply"];
    let (one, two) = tokio::join!(
        at_version(&net, "v3", id, &envelope),
        at_version(&net, "v4", id, &envelope)
    );
    let three = at_version(&net, "v4", id, &envelope).await;
    for answer in [one, two, three] {
        let tree = certified(&net, &answer.fields()["certificate"]);
        assert_eq!(at(&tree, &path), Some(1_u32.to_le_bytes().as_slice()));
    }
    assert_eq!(at_version(&net, "v2", id, &envelope).await.status, 202);
    // Another nonce makes another request.
    let answer = call(&net, &signer, id, "inc").await.fields();
    let tree = format!("{:?}", certified(&net, &answer["certificate"]));
    assert!(tree.contains("02000000"), "{tree}");
}

/// "The canister will not start processing a call past its `ingress_expiry`."
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_expires_while_it_waits_is_rejected_and_not_executed() {
    let (net, id) = with(PENDING).await;
    let signer = Signer::ed25519();
    let busy = asking("call", signer.principal(), id, "busy");
    let answer = at_version(&net, "v2", id, &signed(&busy, &signer)).await;
    assert_eq!(answer.status, 202);
    let mut fields = asking("call", signer.principal(), id, "finish");
    fields.insert("ingress_expiry".into(), nat(now() + SECOND / 2));
    let answer = at_version(&net, "v2", id, &signed(&fields, &signer)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let request = hash_of_map(&fields);
    common::until(async || status(&net, id, &signer, request).await == "rejected").await;
    let path = crate::path!["request_status", request];
    let read = reading(signer.principal(), &[path]);
    let answer = send(&net, id, &signed(&read, &signer)).await.fields();
    let tree = certified(&net, &answer["certificate"]);
    let code = crate::path!["request_status", request, "reject_code"];
    assert_eq!(at(&tree, &code), Some([2].as_slice()));
    let finished = asking("query", signer.principal(), id, "finished");
    let answer = send(&net, id, &signed(&finished, &signer)).await.fields();
    assert_eq!(answer["reply"], map([("arg", crate::raw::blob([0; 4]))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_method_may_be_called_and_changes_nothing() {
    let (net, id) = with(COUNTER).await;
    let signer = Signer::ed25519();
    for _ in 0..2 {
        let fields = asking("call", signer.principal(), id, "inc_query");
        let answer = at_version(&net, "v4", id, &signed(&fields, &signer)).await;
        let tree = certified(&net, &answer.fields()["certificate"]);
        let path = crate::path!["request_status", hash_of_map(&fields), "reply"];
        assert_eq!(at(&tree, &path), Some(1_u32.to_le_bytes().as_slice()));
    }
}
