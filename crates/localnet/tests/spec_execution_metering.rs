//! What executions are counted as: the published weights, to the instruction; and interface
//! specification, "Performance counter". Also what traps say.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{CandidType, Encode, Principal};
use common::imports::canister;
use common::{IC, Net, reject_message};
use ic_agent::Agent;
use serde::Deserialize;

/// A page written, a system call's fixed part, `performance_counter`'s.
const PAGE: u64 = 1_000;
const CALL: u64 = 500;
/// `msg_reply` and the call of it; the function itself.
const REPLY: u64 = CALL + 5;
const FUNCTION: u64 = 1;

struct Meter {
    net: Net,
    agent: Agent,
    id: Principal,
}

impl Meter {
    /// A canister with an update and a query "work" of this body, which replies at the end.
    async fn of(body: &str, more: &str) -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let text = canister(&format!(
            r#"{more}
            (func (export "canister_update work") {body} (call $msg_reply))
            (func (export "canister_query look") {body} (call $msg_reply))"#
        ));
        let id = net.install(&agent, &text, b"").await;
        Self { net, agent, id }
    }

    /// What one update costs beside replying.
    async fn update(&self) -> u64 {
        self.agent
            .update(&self.id, "work")
            .call_and_wait()
            .await
            .unwrap();
        self.last().await - REPLY - FUNCTION
    }

    /// What one query costs beside replying.
    async fn query(&self) -> u64 {
        self.agent.query(&self.id, "look").call().await.unwrap();
        self.last().await - REPLY - FUNCTION
    }

    async fn last(&self) -> u64 {
        self.net.costs(self.id).await.last().unwrap().1
    }
}

/// What a body costs in an update, and in a query.
async fn costs(body: &str) -> (u64, u64) {
    let meter = Meter::of(body, "").await;
    (meter.update().await, meter.query().await)
}

/// What a body costs that writes nothing.
async fn cost(body: &str) -> u64 {
    let (update, query) = costs(body).await;
    assert_eq!(update, query, "{body}");
    update
}

#[tokio::test(flavor = "multi_thread")]
async fn instructions_have_the_published_weights() {
    let i32s = "(i32.const 7) (i32.const 3)";
    for (body, expected) in [
        ("", 0),
        ("nop", 1),
        ("(drop (i32.const 1))", 2),
        ("(drop (i32.add (i32.const 1) (i32.const 2)))", 4),
        ("(drop (i32.div_u (i32.const 7) (i32.const 3)))", 13),
        ("(drop (f64.add (f64.const 1) (f64.const 2)))", 5),
        ("(drop (f32.div (f32.const 1) (f32.const 2)))", 6),
        ("(drop (f64.sqrt (f64.const 2)))", 10),
        ("(drop (f64.max (f64.const 1) (f64.const 2)))", 21),
        ("(drop (i64.trunc_f64_s (f64.const 2)))", 22),
        ("(drop (i32.load (i32.const 0)))", 3),
        ("(global.set $g (global.get $g))", 4),
        ("(block (br 0))", 2),
        ("(if (i32.const 1) (then nop))", 4),
        ("(loop (block (br_if 0 (i32.const 0))))", 3),
        ("(drop (memory.size))", 21),
        ("(drop (table.size 0))", 101),
        ("(drop (table.get 0 (i32.const 0)))", 7),
        // SIMD.
        (
            "(drop (i32x4.add (v128.const i64x2 1 2) (v128.const i64x2 3 4)))",
            4,
        ),
        (
            "(drop (i64x2.mul (v128.const i64x2 1 2) (v128.const i64x2 3 4)))",
            7,
        ),
        (
            "(drop (f32x4.div (v128.const i64x2 1 2) (v128.const i64x2 3 4)))",
            13,
        ),
        ("(drop (f64x2.sqrt (v128.const i64x2 1 2)))", 16),
        ("(drop (i8x16.popcnt (v128.const i64x2 1 2)))", 5),
        // More than a byte holds: 300.
        ("(drop (memory.grow (i32.const 0)))", 302),
        ("(data.drop $passive)", 300),
    ] {
        let meter = Meter::of(body, r#"(data $passive "x")"#).await;
        assert_eq!(meter.query().await, expected, "{body}");
        assert_eq!(meter.update().await, expected, "{body}");
    }
    assert_eq!(cost(&format!("{i32s} drop drop")).await, 4);
}

/// Bytes moved by bulk operations cost one each, beside the operation's 100, known or not when
/// the code is compiled.
#[tokio::test(flavor = "multi_thread")]
async fn bulk_operations_cost_their_bytes() {
    let length = "(i32.add (i32.mul (call $msg_arg_data_size) (i32.const 0)) (i32.const 4000))";
    let known = "(memory.fill (i32.const 16384) (i32.const 0) (i32.const 4000))";
    assert_eq!(costs(known).await.1, 100 + 3 + 4_000);
    let body = format!("(memory.fill (i32.const 16384) (i32.const 0) {length})");
    assert_eq!(costs(&body).await.1, 100 + 2 + 4_000 + 4 + CALL + 5);
    let body = format!("(memory.copy (i32.const 16384) (i32.const 0) {length})");
    assert_eq!(costs(&body).await.1, 100 + 2 + 4_000 + 4 + CALL + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn system_calls_cost_their_part_and_their_bytes() {
    let length = 3;
    for (body, expected) in [
        ("(drop (call $time))", CALL + 6),
        ("(drop (call $stable64_size))", 6),
        ("(drop (call $stable64_grow (i64.const 0)))", 100 + 7),
        (
            "(call $debug_print (i32.const 100) (i32.const 3))",
            100 + 7 + 52 * length,
        ),
        ("(drop (call $performance_counter (i32.const 0)))", 200 + 7),
        (
            "(drop (call $is_controller (i32.const 100) (i32.const 3)))",
            1_000 + 8 + length,
        ),
        (
            "(call $msg_reply_data_append (i32.const 100) (i32.const 3))",
            CALL + 7 + 50 * length,
        ),
        (
            "(drop (call $env_var_name_exists (i32.const 100) (i32.const 3)))",
            CALL + 8,
        ),
    ] {
        assert_eq!(cost(body).await, expected, "{body}");
    }
    let copy = "(call $canister_self_copy (i32.const 16384) (i32.const 0) (i32.const 10))";
    assert_eq!(costs(copy).await, (CALL + 8 + 10 + PAGE, CALL + 8 + 10));
}

/// A call costs 1,500 to begin and 5,000 to make, and its bytes by what leaves the canister.
#[tokio::test(flavor = "multi_thread")]
async fn calls_cost_their_parts() {
    let none = "(i32.const 0)";
    let body = format!(
        "(call $call_new {none} {none} (i32.const 100) (i32.const 3) {none} {none} {none} {none})
         (call $call_data_append (i32.const 100) (i32.const 3))
         (drop (call $call_perform))"
    );
    let meter = Meter::of(
        &body,
        "(func $callback (param i32)) (elem (i32.const 0) $callback)",
    );
    let new = 1_500 + 13 + 3;
    let append = CALL + 7 + 150;
    assert_eq!(
        meter.await.update_with_calls().await,
        new + append + 5_000 + 6
    );
}

impl Meter {
    /// As `update`, for one that is followed by a callback.
    async fn update_with_calls(&self) -> u64 {
        self.agent
            .update(&self.id, "work")
            .call_and_wait()
            .await
            .unwrap();
        let costs = self.net.costs(self.id).await;
        let update = costs.iter().find(|(kind, _)| kind == "update");
        update.unwrap().1 - REPLY - FUNCTION
    }
}

/// Every page written costs once in a message; heap pages only where changes are kept.
#[tokio::test(flavor = "multi_thread")]
async fn written_pages_are_charged_for() {
    let store = "(i32.store (i32.const 16384) (i32.const 1))
        (i32.store (i32.const 16388) (i32.const 1)) (i32.store (i32.const 20480) (i32.const 1))";
    assert_eq!(costs(store).await, (9 + 2 * PAGE, 9));
    let setup = r#"(func (export "canister_init") (drop (call $stable64_grow (i64.const 1))))"#;
    let write = "(call $stable64_write (i64.const 4090) (i64.const 0) (i64.const 10))
        (call $stable64_write (i64.const 0) (i64.const 0) (i64.const 10))";
    let meter = Meter::of(write, setup).await;
    let expected = 2 * (20 + 8 + 10) + 2 * PAGE;
    assert_eq!(meter.update().await, expected);
    assert_eq!(meter.query().await, expected);
}

/// "Performance counter": 0 counts the execution, 1 the whole call context.
#[tokio::test(flavor = "multi_thread")]
async fn counters_count_execution_and_call_context() {
    let body = r#"
      (elem (i32.const 0) $done)
      (func $done (param i32)
        (i64.store (i32.const 16384) (call $performance_counter (i32.const 0)))
        (i64.store (i32.const 16392) (call $performance_counter (i32.const 1)))
        (call $msg_reply_data_append (i32.const 16384) (i32.const 16)) (call $msg_reply))
      (func (export "canister_query nop") (call $msg_reply))
      (func $spin (local $i i32)
        (loop (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
          (i32.const 100000)))))
      (func (export "canister_update both") (call $spin)
        (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))
      (func (export "canister_composite_query compose") (call $spin)
        (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))"#;
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &canister(body), b"").await;
    let updated = agent.update(&id, "both").call_and_wait().await.unwrap();
    let asked = agent.query(&id, "compose").call().await.unwrap();
    for reply in [updated, asked] {
        let number = |i: usize| u64::from_le_bytes(reply[8 * i..8 * i + 8].try_into().unwrap());
        assert!(number(0) < 2_000, "{}", number(0));
        assert!(number(1) > 700_000, "{}", number(1));
    }
}

const TRAPPING: &str = r#"
  (func $inner unreachable)
  (func $outer (call $inner))
  (func $say (call $fail))
  (func $divide (drop (i32.div_u (i32.const 1) (global.get $g))))
  (func $beyond (drop (i32.load (i32.const 70000))))
  (func $deep (call $deep))
  (func $forever (loop (br 0)))
  (type $other (func (param i64)))
  (func $mistyped (call_indirect (type $other) (i64.const 0) (i32.const 0)))
  (elem (i32.const 0) $inner)
  (func (export "canister_update outer") (call $outer))
  (func (export "canister_query say") (call $say))
  (func (export "canister_query divide") (call $divide))
  (func (export "canister_query beyond") (call $beyond))
  (func (export "canister_query deep") (call $deep))
  (func (export "canister_query forever") (call $forever))
  (func (export "canister_query mistyped") (call $mistyped))
  (func (export "canister_query stable")
    (call $stable64_read (i64.const 0) (i64.const 0) (i64.const 1)))"#;

fn error_of(error: &ic_agent::AgentError) -> (String, String) {
    let code = match error {
        ic_agent::AgentError::CertifiedReject { reject, .. }
        | ic_agent::AgentError::UncertifiedReject { reject, .. } => reject.error_code.clone(),
        _ => None,
    };
    (code.unwrap_or_default(), reject_message(error))
}

/// What the replica says of traps, and its codes.
#[tokio::test(flavor = "multi_thread")]
async fn traps_have_the_replicas_words_and_codes() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &canister(TRAPPING), b"").await;
    let stranger = net.agent().await;
    for (method, code, words) in [
        (
            "say",
            "IC0503",
            "Canister called `ic0.trap` with message: 'fail'",
        ),
        ("divide", "IC0502", "Canister trapped: integer divide by 0"),
        ("beyond", "IC0502", "Canister trapped: heap out of bounds"),
        ("deep", "IC0502", "Canister trapped: stack overflow"),
        (
            "stable",
            "IC0502",
            "Canister trapped: stable memory out of bounds",
        ),
        (
            "mistyped",
            "IC0504",
            "Canister violated contract: function invocation",
        ),
        (
            "forever",
            "IC0522",
            "exceeded the limit of 5000000000 instructions",
        ),
    ] {
        let error = stranger.query(&id, method).call().await.unwrap_err();
        let (found, message) = error_of(&error);
        assert_eq!(found, code, "{message}");
        assert!(
            message.starts_with(&format!("Error from Canister {id}: ")),
            "{message}"
        );
        assert!(message.contains(words), "{message}");
    }
}

/// Those who may read the canister's log also hear which functions ran; others do not.
#[tokio::test(flavor = "multi_thread")]
async fn traps_name_the_functions_that_ran() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &canister(TRAPPING), b"").await;
    let error = agent
        .update(&id, "outer")
        .call_and_wait()
        .await
        .unwrap_err();
    let message = reject_message(&error);
    assert!(
        message.contains("unreachable\nCanister Backtrace:\ninner\nouter\n"),
        "{message}"
    );
    let stranger = net.agent().await;
    let error = stranger
        .update(&id, "outer")
        .call_and_wait()
        .await
        .unwrap_err();
    assert!(!reject_message(&error).contains("Backtrace"), "{error}");
    let error = agent.query(&id, "say").call().await.unwrap_err();
    let message = reject_message(&error);
    assert!(
        message.contains("'fail'\nCanister Backtrace:\nfail\nsay\n"),
        "{message}"
    );
}

#[derive(CandidType, Deserialize)]
enum Visibility {
    #[serde(rename = "public")]
    Public,
}

#[derive(CandidType)]
struct Settings {
    log_visibility: Option<Visibility>,
}

#[derive(CandidType)]
struct UpdateSettings {
    canister_id: Principal,
    settings: Settings,
}

/// When everybody may read the log, everybody hears them.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_log_makes_backtraces_public() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &canister(TRAPPING), b"").await;
    let arg = UpdateSettings {
        canister_id: id,
        settings: Settings {
            log_visibility: Some(Visibility::Public),
        },
    };
    agent
        .update(&IC, "update_settings")
        .with_effective_canister_id(id)
        .with_arg(Encode!(&arg).unwrap())
        .call_and_wait()
        .await
        .unwrap();
    let error = net.agent().await.query(&id, "say").call().await;
    let message = reject_message(&error.unwrap_err());
    assert!(message.contains("Canister Backtrace:"), "{message}");
}

/// A module without names has no backtrace.
#[tokio::test(flavor = "multi_thread")]
async fn without_names_there_is_no_backtrace() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let text = r#"(module (func (export "canister_query q") unreachable))"#;
    let id = net.install(&agent, text, b"").await;
    let error = agent.query(&id, "q").call().await.unwrap_err();
    assert!(reject_message(&error).ends_with("unreachable"), "{error}");
}
