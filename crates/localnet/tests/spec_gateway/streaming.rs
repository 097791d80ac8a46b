//! "Response Body Streaming".

use crate::common::{self, Net};
use crate::serving::{Said, get};
use crate::site::{Answer, Certified, Part, Site, Strategy, stream};
use candid::Principal;
use std::io::Write as _;

fn part(body: &[u8], token: Option<u64>) -> Part {
    Part {
        body: body.to_vec().into(),
        token,
    }
}

/// What becomes of a body that comes in these parts after "one ", certified as a whole, when the
/// strategy names this canister or another.
async fn streamed(whole: &[u8], parts: Vec<Part>, elsewhere: bool) -> Said {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let callee = if elsewhere {
        Principal::management_canister()
    } else {
        id
    };
    let answer = Answer {
        streaming_strategy: stream(callee),
        ..Answer::plain(b"one ")
    };
    let site = Site {
        parts,
        ..Site::default()
    };
    let site = site.page("/a", Certified::Response, answer).of(whole);
    let module = compressed(&site.code());
    common::upload_wasm(&agent, id, "install", module, b"")
        .await
        .unwrap();
    get(&net, id, "/a").await
}

fn compressed(code: &str) -> Vec<u8> {
    let mut module = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    module.write_all(&wat::parse_str(code).unwrap()).unwrap();
    module.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_put_together_and_verified_as_a_whole() {
    let parts = vec![part(b"two ", Some(1)), part(b"three", None)];
    let said = streamed(b"one two three", parts, false).await;
    assert_eq!(
        (said.status, said.body.as_slice()),
        (200, &b"one two three"[..])
    );
}

/// Three parts of a megabyte and more, together larger than any one reply.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_be_larger_than_a_reply() {
    let megabyte = vec![7; 1_500_000];
    let whole = [b"one ".as_slice(), &megabyte, &megabyte, &megabyte].concat();
    let parts = vec![
        part(&megabyte, Some(1)),
        part(&megabyte, Some(2)),
        part(&megabyte, None),
    ];
    let said = streamed(&whole, parts, false).await;
    assert_eq!(said.status, 200);
    assert!(said.body == whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_part_that_is_not_certified_is_passed_on() {
    for parts in [
        vec![part(b"two ", Some(1)), part(b"four!", None)],
        vec![part(b"two ", None)],
        vec![
            part(b"two ", Some(1)),
            part(b"three", Some(2)),
            part(b"x", None),
        ],
    ] {
        let said = streamed(b"one two three", parts, false).await;
        said.refused(502, "is not certified");
        assert!(!said.body.starts_with(b"one"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callback_is_a_method_of_the_canister_that_was_asked() {
    let said = streamed(b"one two", vec![part(b"two", None)], true).await;
    said.refused(502, "not a method of the canister");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_is_given_up() {
    let said = streamed(b"one ", vec![part(b"", Some(0))], false).await;
    said.refused(502, "more than 1000 parts");
}

/// The parts of an update's answer are got by queries: nothing would certify them.
#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_an_update_is_not_streamed() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let ask_again = Answer {
        upgrade: Some(true),
        ..Answer::default()
    };
    let strategy: Option<Strategy> = stream(id);
    let site = Site {
        update: Some(Answer {
            streaming_strategy: strategy,
            ..Answer::plain(b"one ")
        }),
        parts: vec![part(b"two", None)],
        ..Site::default()
    };
    let site = site.page("/a", Certified::No, ask_again);
    net.upload(&agent, id, "install", &site.code(), b"")
        .await
        .unwrap();
    let said = get(&net, id, "/a").await;
    said.refused(502, "would not be certified");
}
