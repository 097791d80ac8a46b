//! Interface specification, "Public methods", "Ingress message inspection", "Certified data" and
//! the query calls of "Abstract behavior": queries, composite queries and inspection.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::imports::canister;
use common::{Net, reject_message};
use ic_agent::Agent;

/// Composite queries that ask "work" of the canister in the argument, or themselves.
const ASKING: &str = r#"
  (elem (i32.const 0) $on_reply $on_reject $count $fail_again $cleanup $present)
  (func $on_reply (param i32)
    (call $msg_arg_data_copy (i32.const 16384) (i32.const 0) (call $msg_arg_data_size))
    (call $msg_reply_data_append (i32.const 16384) (call $msg_arg_data_size))
    (call $msg_reply))
  (func $on_reject (param i32)
    (i32.store (i32.const 16384) (call $msg_reject_code))
    (call $msg_reject_msg_copy (i32.const 16388) (i32.const 0) (call $msg_reject_msg_size))
    (call $msg_reply_data_append (i32.const 16384)
      (i32.add (i32.const 4) (call $msg_reject_msg_size)))
    (call $msg_reply))
  ;; Counts in global and heap, and replies when all four have come.
  (func $count (param i32)
    (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (i32.store (i32.const 16384) (i32.add (i32.load (i32.const 16384)) (i32.const 1)))
    (if (i32.eq (global.get $g) (i32.const 4)) (then
      (call $reply_i32 (i32.add (i32.mul (global.get $g) (i32.const 100))
        (i32.load (i32.const 16384)))))))
  (func $fail_again (param i32) (global.set $g (i32.const 50)) (call $fail))
  (func $cleanup (param i32) (global.set $g (i32.add (global.get $g) (i32.const 1))))
  (func $present (param i32) (call $reply_i32 (call $data_certificate_present)))
  (func (export "canister_composite_query ask")
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 0) (i32.const 1)) (call $go))
  (func (export "canister_composite_query ask_four")
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 2) (i32.const 1)) (call $go)
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 2) (i32.const 1)) (call $go)
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 2) (i32.const 1)) (call $go)
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 2) (i32.const 1)) (call $go))
  ;; The first callback traps after changing the global; its cleanup and the second count.
  (func (export "canister_composite_query cleaned")
    (global.set $g (i32.const 2))
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 3) (i32.const 1))
    (call $call_on_cleanup (i32.const 4) (i32.const 0)) (call $go)
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 2) (i32.const 1)) (call $go))
  (func (export "canister_composite_query traps")
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 3) (i32.const 1)) (call $go))
  ;; Asks itself the same without end.
  (data (i32.const 200) "deeper")
  (func (export "canister_composite_query deeper")
    (call $to_self (i32.const 200) (i32.const 6) (i32.const 0) (i32.const 1)) (call $go))
  ;; Asks a hundred and fifty times.
  (func (export "canister_composite_query wide") (local $i i32)
    (loop
      (call $to_arg (i32.const 120) (i32.const 4) (i32.const 4) (i32.const 4)) (call $go)
      (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
        (i32.const 150)))))
  (func (export "canister_composite_query present_here")
    (call $reply_i32 (call $data_certificate_present)))
  (func (export "canister_composite_query present_after")
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const 5) (i32.const 1)) (call $go))
  (func (export "canister_composite_query silent"))
  (func (export "canister_query count") (call $reply_i32 (global.get $g)))
  (func (export "canister_query mode") (call $reply_i32 (call $in_replicated_execution)))"#;

struct Case {
    net: Net,
    agent: Agent,
    asking: Principal,
    asked: Principal,
}

impl Case {
    async fn of(asked: &str) -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let asking = net.install(&agent, &canister(ASKING), b"").await;
        let asked = net.install(&agent, &canister(asked), b"").await;
        Self {
            net,
            agent,
            asking,
            asked,
        }
    }

    async fn ask(&self, method: &str) -> Result<Vec<u8>, String> {
        let query = self.agent.query(&self.asking, method);
        let answer = query.with_arg(self.asked.as_slice()).call().await;
        answer.map_err(|e| reject_message(&e))
    }

    /// The answer, a number.
    async fn number(&self, method: &str) -> u32 {
        u32::from_le_bytes(self.ask(method).await.unwrap().try_into().unwrap())
    }
}

const WORK: &str = r#"(func (export "canister_query work") (call $reply_i32 (i32.const 7)))"#;

#[tokio::test(flavor = "multi_thread")]
async fn composite_queries_ask_other_canisters() {
    let case = Case::of(WORK).await;
    assert_eq!(case.number("ask").await, 7);
    let caller = r#"(func (export "canister_query work")
        (call $msg_caller_copy (i32.const 16384) (i32.const 0) (call $msg_caller_size))
        (call $msg_reply_data_append (i32.const 16384) (call $msg_caller_size))
        (call $msg_reply))"#;
    let case = Case::of(caller).await;
    assert_eq!(case.ask("ask").await.unwrap(), case.asking.as_slice());
}

/// What the query and its callbacks change is seen by later callbacks, and by nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn callbacks_see_what_went_before() {
    let case = Case::of(WORK).await;
    assert_eq!(case.number("ask_four").await, 404);
    assert_eq!(case.number("ask_four").await, 404);
    assert_eq!(case.number("count").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trapping_callback_is_undone_and_cleaned_up_after() {
    let case = Case::of(WORK).await;
    assert_eq!(case.number("cleaned").await, 401);
    let error = case.ask("traps").await.unwrap_err();
    assert!(error.contains("'fail'"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_rejected() {
    let update = r#"(func (export "canister_update work") (call $msg_reply))"#;
    let trap = r#"(func (export "canister_query work") (call $fail))"#;
    for (asked, code, words) in [
        (update, 5, "has no query method 'work'"),
        (trap, 5, "'fail'"),
        (
            r#"(func (export "canister_query work") (call $msg_reject (i32.const 120) (i32.const 4)))"#,
            4,
            "work",
        ),
    ] {
        let case = Case::of(asked).await;
        let answer = case.ask("ask").await.unwrap();
        assert_eq!(answer[..4], u32::to_le_bytes(code));
        let said = String::from_utf8_lossy(&answer[4..]);
        assert!(said.contains(words), "{said}");
    }
    let case = Case::of(WORK).await;
    case.net
        .manage(&case.agent, case.asked, "stop_canister")
        .await
        .unwrap();
    let answer = case.ask("ask").await.unwrap();
    assert!(String::from_utf8_lossy(&answer[4..]).contains("is stopped"));
}

/// "The maximum nesting level of calls during evaluation of a query call": and none of it hangs.
#[tokio::test(flavor = "multi_thread")]
async fn nesting_is_bounded() {
    let case = Case::of(WORK).await;
    let answer = case.ask("deeper").await.unwrap();
    let said = String::from_utf8_lossy(&answer).into_owned();
    assert!(said.contains("depth"), "{said}");
}

/// All executions of a query call together have the instructions of one query, and asking itself
/// counts for 50 million.
#[tokio::test(flavor = "multi_thread")]
async fn instructions_are_bounded_in_total() {
    let case = Case::of(WORK).await;
    let error = case.ask("wide").await.unwrap_err();
    assert!(error.contains("instructions in total"), "{error}");
    let spinning = r#"(func (export "canister_query work") (loop (br 0)))"#;
    let error = Case::of(spinning).await.ask("ask").await.unwrap_err();
    assert!(error.contains("instructions in total"), "{error}");
}

/// "Certified data": the certificate is there for the canister the agent asked, not in callbacks,
/// and not for canisters asked by canisters; never in replicated execution.
#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_for_the_canister_that_was_asked() {
    let present = r#"(func (export "canister_query work")
        (call $reply_i32 (call $data_certificate_present)))"#;
    let case = Case::of(present).await;
    assert_eq!(case.number("present_here").await, 1);
    assert_eq!(case.number("present_after").await, 0);
    assert_eq!(case.number("ask").await, 0);
    let direct = case.agent.query(&case.asked, "work").call().await.unwrap();
    assert_eq!(direct, 1_u32.to_le_bytes());
    let update = case.agent.update(&case.asked, "work").call_and_wait().await;
    assert_eq!(update.unwrap(), 0_u32.to_le_bytes());
}

/// "Replicated execution check".
#[tokio::test(flavor = "multi_thread")]
async fn canisters_know_the_mode_of_execution() {
    let case = Case::of("").await;
    assert_eq!(case.number("mode").await, 0);
    let call = case
        .agent
        .update(&case.asking, "mode")
        .call_and_wait()
        .await;
    assert_eq!(call.unwrap(), 1_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_answered_for() {
    let error = Case::of("").await.ask("silent").await.unwrap_err();
    assert!(error.contains("did not produce a response"), "{error}");
}

/// Reads what the inspection is told of the message, and lets in what it says.
const INSPECTING: &str = r#"
  (func (export "canister_inspect_message")
    (call $msg_method_name_copy (i32.const 16384) (i32.const 0) (call $msg_method_name_size))
    (call $msg_arg_data_copy (i32.const 16400) (i32.const 0) (call $msg_arg_data_size))
    ;; 'a' accepts, 'b' twice, 't' accepts and traps, 'l' goes on without end, others: nothing.
    (if (i32.eq (i32.load8_u (i32.const 16400)) (i32.const 97)) (then (call $accept_message)))
    (if (i32.eq (i32.load8_u (i32.const 16400)) (i32.const 98)) (then
      (call $accept_message) (call $accept_message)))
    (if (i32.eq (i32.load8_u (i32.const 16400)) (i32.const 116)) (then
      (call $accept_message) (call $fail)))
    (if (i32.eq (i32.load8_u (i32.const 16400)) (i32.const 108)) (then
      (call $accept_message) (loop (br 0)))))
  (func (export "canister_update work") (call $reply_arg))
  (func (export "canister_query look") (call $reply_arg))"#;

/// "Ingress message inspection": accepted by `accept_message` once, and refused otherwise, by a
/// trap too, within 200 million instructions.
#[tokio::test(flavor = "multi_thread")]
async fn inspection_decides_who_gets_in() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &canister(INSPECTING), b"").await;
    let update = async |arg: &str| {
        let call = agent.update(&id, "work").with_arg(arg).call_and_wait();
        call.await.map_err(|e| reject_message(&e))
    };
    assert_eq!(update("a").await.unwrap(), b"a");
    for (arg, words) in [
        ("x", "rejected the message"),
        ("b", "already accepted"),
        ("t", "'fail'"),
        ("l", "200000000 instructions"),
    ] {
        let error = update(arg).await.unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(net.runs(id, "update").await, 1);
    // Not for queries.
    let look = agent.query(&id, "look").with_arg("x").call().await.unwrap();
    assert_eq!(look, b"x");
}

/// Nor for calls between canisters.
#[tokio::test(flavor = "multi_thread")]
async fn inspection_is_not_for_calls_between_canisters() {
    let case = Case::of(INSPECTING).await;
    let caller = r#"
      (elem (i32.const 0) $done $done)
      (func $done (param i32) (call $reply_i32 (call $msg_reject_code)))
      (func (export "canister_update call")
        (call $to_arg (i32.const 120) (i32.const 4) (i32.const 0) (i32.const 1)) (call $go))"#;
    let id = case.net.install(&case.agent, &canister(caller), b"").await;
    let call = case
        .agent
        .update(&id, "call")
        .with_arg(case.asked.as_slice());
    assert_eq!(call.call_and_wait().await.unwrap(), 0_u32.to_le_bytes());
}
