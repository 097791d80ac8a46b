//! Interface specification, "Inter-canister method calls", "Responding" and "Cycles": call
//! contexts, answers, bounded and unbounded waits, and the cycles that go along.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::imports::canister;
use common::{Net, reject_message, until};
use ic_agent::{Agent, AgentError};

/// Calls "work" of the canister in the argument in several ways, with 1,000 cycles, and replies:
/// 0 and the cycles that came back and what was replied, or the reject code and message.
const CALLER: &str = r#"
  (elem (i32.const 0) $on_reply $on_reject $quiet)
  (func $on_reply (param i32)
    (i32.store (i32.const 16384) (call $msg_reject_code))
    (i64.store (i32.const 16388) (call $msg_cycles_refunded))
    (call $msg_arg_data_copy (i32.const 16396) (i32.const 0) (call $msg_arg_data_size))
    (call $msg_reply_data_append (i32.const 16384)
      (i32.add (i32.const 12) (call $msg_arg_data_size)))
    (call $msg_reply))
  (func $on_reject (param i32)
    (i32.store (i32.const 16384) (call $msg_reject_code))
    (i64.store (i32.const 16388) (call $msg_cycles_refunded))
    (call $msg_reject_msg_copy (i32.const 16396) (i32.const 0) (call $msg_reject_msg_size))
    (call $msg_reply_data_append (i32.const 16384)
      (i32.add (i32.const 12) (call $msg_reject_msg_size)))
    (call $msg_reply))
  (func $quiet (param i32) (global.set $g (i32.add (global.get $g) (i32.const 1))))
  (func $to_work (call $to_arg (i32.const 120) (i32.const 4) (i32.const 0) (i32.const 1)))
  (func (export "canister_update call") (call $to_work)
    (call $call_cycles_add (i64.const 1000)) (call $go))
  (func (export "canister_update call_bounded") (call $to_work)
    (call $call_with_best_effort_response (i32.const 100)) (call $go))
  (func (export "canister_update call_long") (call $to_work)
    (call $call_with_best_effort_response (i32.const -1)) (call $go))
  (func (export "canister_update one_way")
    (call $to_arg (i32.const 120) (i32.const 4) (i32.const -1) (i32.const -1)) (call $go)
    (call $msg_reply))
  (func (export "canister_update two") (call $to_work) (call $go) (call $to_work) (call $go))
  (func (export "canister_query count") (call $reply_i32 (global.get $g)))
  (func (export "canister_update twice") (call $to_work)
    (call $call_with_best_effort_response (i32.const 1))
    (call $call_with_best_effort_response (i32.const 1)))
  (func (export "canister_update cleanup_twice") (call $to_work)
    (call $call_on_cleanup (i32.const 2) (i32.const 0))
    (call $call_on_cleanup (i32.const 2) (i32.const 0)))
  (func (export "canister_update unbegun") (call $call_data_append (i32.const 0) (i32.const 0)))
  (func (export "canister_update performed_twice") (call $to_work) (call $go) (call $go))
  (func (export "canister_update abandoned") (local $before i64)
    (local.set $before (call $canister_cycle_balance))
    (call $to_work) (call $call_cycles_add (i64.const 1000)) (call $to_work)
    (call $reply_i64 (i64.sub (local.get $before) (call $canister_cycle_balance))))
  (func (export "canister_update too_dear") (call $to_work)
    (call $call_cycles_add128 (i64.const 1) (i64.const 0)))
  ;; How many calls to itself can be under way.
  (func (export "canister_update many") (local $i i32)
    (loop
      (call $to_self (i32.const 100) (i32.const 3) (i32.const 2) (i32.const 2))
      (if (i32.eqz (call $call_perform)) (then
        (local.set $i (i32.add (local.get $i) (i32.const 1))) (br 1))))
    (call $reply_i32 (local.get $i)))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_update work") (call $msg_reply))"#;

struct Case {
    net: Net,
    agent: Agent,
    caller: Principal,
    callee: Principal,
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: u32,
    refund: u64,
    said: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.said).into_owned()
    }
}

impl Case {
    /// A caller, and a callee with this code.
    async fn of(callee: &str) -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let caller = net.install(&agent, &canister(CALLER), b"").await;
        let callee = net.install(&agent, &canister(callee), b"").await;
        Self {
            net,
            agent,
            caller,
            callee,
        }
    }

    async fn update(&self, method: &str) -> Result<Vec<u8>, AgentError> {
        let call = self.agent.update(&self.caller, method);
        call.with_arg(self.callee.as_slice()).call_and_wait().await
    }

    async fn answer(&self, method: &str) -> Answer {
        let reply = self.update(method).await.unwrap();
        Answer {
            code: u32::from_le_bytes(reply[..4].try_into().unwrap()),
            refund: u64::from_le_bytes(reply[4..12].try_into().unwrap()),
            said: reply[12..].to_vec(),
        }
    }

    async fn refusal(&self, method: &str) -> String {
        reject_message(&self.update(method).await.unwrap_err())
    }
}

fn code(error: &AgentError) -> (u64, String) {
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => (
            reject.reject_code as u64,
            reject.error_code.clone().unwrap_or_default(),
        ),
        _ => (0, String::new()),
    }
}

/// "Responding": a reply, an explicit reject (CANISTER_REJECT), and silence (CANISTER_ERROR).
#[tokio::test(flavor = "multi_thread")]
async fn answers_and_their_codes() {
    let case = Case::of(
        r#"(func (export "canister_update work") (call $msg_reject (i32.const 120) (i32.const 4)))
        (func (export "canister_update silent"))
        (func (export "canister_update fail") (call $fail))"#,
    )
    .await;
    let answer = case.answer("call").await;
    assert_eq!((answer.code, answer.text()), (4, "work".into()));
    for (method, expected) in [
        ("work", (4, "IC0406")),
        ("silent", (5, "IC0506")),
        ("fail", (5, "IC0503")),
        ("missing", (5, "IC0536")),
    ] {
        let call = case.agent.update(&case.callee, method).call_and_wait();
        let (reject, error) = code(&call.await.unwrap_err());
        assert_eq!((reject, error.as_str()), expected, "{method}");
    }
}

/// "Responding": answering twice traps, in one message as in a callback after the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_answered_once() {
    let case = Case::of(
        r#"(elem (i32.const 0) $again)
        (func $again (param i32)
          (global.set $g (i32.const 1)) (call $msg_reply))
        (func (export "canister_update work") (call $msg_reply) (call $msg_reply))
        (func (export "canister_update append") (call $msg_reply)
          (call $msg_reply_data_append (i32.const 0) (i32.const 0)))
        (func (export "canister_update later") (call $msg_reply)
          (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))
        (func (export "canister_query nop") (call $msg_reply))
        (func (export "canister_query kept") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    let answer = case.answer("call").await;
    assert_eq!(answer.code, 5);
    assert!(
        answer.text().contains("already replied"),
        "{}",
        answer.text()
    );
    let update = async |method: &str| {
        let call = case.agent.update(&case.callee, method);
        call.call_and_wait().await
    };
    update("append").await.unwrap_err();
    update("later").await.unwrap();
    until(async || case.net.runs(case.callee, "callback").await == 1).await;
    let kept = case.agent.query(&case.callee, "kept").call().await.unwrap();
    assert_eq!(kept, 0_u32.to_le_bytes());
}

/// "Cycles": what is not accepted comes back, all of it when the callee rejects or traps.
#[tokio::test(flavor = "multi_thread")]
async fn cycles_are_accepted_and_refunded() {
    let accept = "(drop (call $msg_cycles_accept (i64.const 400)))";
    for (body, expected) in [
        (
            format!("{accept} (call $reply_i64 (call $msg_cycles_available))"),
            (0, 600),
        ),
        (
            format!("{accept} (call $msg_reject (i32.const 0) (i32.const 0))"),
            (4, 600),
        ),
        (format!("{accept} (call $fail)"), (5, 1_000)),
        (
            "(drop (call $msg_cycles_accept (i64.const 5000))) (call $msg_reply)".into(),
            (0, 0),
        ),
    ] {
        let work = format!(r#"(func (export "canister_update work") {body})"#);
        let case = Case::of(&work).await;
        let answer = case.answer("call").await;
        assert_eq!((answer.code, answer.refund), expected, "{body}");
        if body.contains("available") {
            assert_eq!(answer.said, 600_u64.to_le_bytes());
        }
    }
}

/// "Cycles": when the call is responded to, the cycles that are left are refunded, and none are
/// available any more.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_no_cycles_are_available() {
    let case = Case::of(
        r#"(func (export "canister_update work")
          (call $msg_reply)
          (global.set $g (i32.wrap_i64 (i64.add (call $msg_cycles_available)
            (call $msg_cycles_accept (i64.const 1000))))))
        (func (export "canister_query left") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    assert_eq!(case.answer("call").await.refund, 1_000);
    let left = case.agent.query(&case.callee, "left").call().await.unwrap();
    assert_eq!(left, 0_u32.to_le_bytes());
}

/// Queries called by canisters are run in replicated mode: they may accept cycles and keep nothing
/// else.
#[tokio::test(flavor = "multi_thread")]
async fn replicated_queries_may_be_paid() {
    let case = Case::of(
        r#"(func (export "canister_query work") (global.set $g (i32.const 7))
          (drop (call $msg_cycles_accept (i64.const 300)))
          (call $reply_i32 (call $in_replicated_execution)))
        (func (export "canister_query kept") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    let answer = case.answer("call").await;
    assert_eq!((answer.code, answer.refund), (0, 700));
    assert_eq!(answer.said, 1_u32.to_le_bytes());
    let kept = case.agent.query(&case.callee, "kept").call().await.unwrap();
    assert_eq!(kept, 0_u32.to_le_bytes());
}

/// Composite queries are for query calls only.
#[tokio::test(flavor = "multi_thread")]
async fn composite_queries_are_not_run_in_replicated_mode() {
    let work = r#"(func (export "canister_composite_query work") (call $msg_reply))"#;
    let answer = Case::of(work).await.answer("call").await;
    assert_eq!(answer.code, 5);
    assert!(
        answer.text().contains("replicated mode"),
        "{}",
        answer.text()
    );
}

/// Calls to canisters that are gone, empty, stopped.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_cannot_be_delivered() {
    let case = Case::of(r#"(func (export "canister_update other") (call $msg_reply))"#).await;
    let said = async |code: u32, words: &str| {
        let answer = case.answer("call").await;
        assert_eq!(
            (answer.code, answer.refund),
            (code, 1_000),
            "{}",
            answer.text()
        );
        assert!(answer.text().contains(words), "{}", answer.text());
    };
    said(5, "has no update method 'work'").await;
    case.net
        .manage(&case.agent, case.callee, "stop_canister")
        .await
        .unwrap();
    said(5, "is stopped").await;
    case.net
        .manage(&case.agent, case.callee, "start_canister")
        .await
        .unwrap();
    case.net
        .manage(&case.agent, case.callee, "uninstall_code")
        .await
        .unwrap();
    said(5, "no Wasm module").await;
    case.net
        .manage(&case.agent, case.callee, "stop_canister")
        .await
        .unwrap();
    case.net
        .manage(&case.agent, case.callee, "delete_canister")
        .await
        .unwrap();
    said(3, "not found").await;
}

/// One-way calls: the answer goes to functions that are not there, and nobody minds.
#[tokio::test(flavor = "multi_thread")]
async fn one_way_calls_end_quietly() {
    let case = Case::of(
        r#"(func (export "canister_update work")
          (global.set $g (i32.add (global.get $g) (i32.const 1))) (call $msg_reply))
        (func (export "canister_query count") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    case.update("one_way").await.unwrap();
    until(async || case.net.runs(case.caller, "callback").await == 1).await;
    let count = case
        .agent
        .query(&case.callee, "count")
        .call()
        .await
        .unwrap();
    assert_eq!(count, 1_u32.to_le_bytes());
    // The caller goes on as before: its call context is closed.
    case.net
        .manage(&case.agent, case.caller, "stop_canister")
        .await
        .unwrap();
}

/// A canister may call itself; two calls are answered by one reply.
#[tokio::test(flavor = "multi_thread")]
async fn self_calls_are_calls() {
    let mut case = Case::of("").await;
    case.callee = case.caller;
    assert_eq!(case.answer("call").await.code, 0);
    case.update("two").await.unwrap();
}

/// "call_perform" says when too many calls are under way: 500 to one canister.
#[tokio::test(flavor = "multi_thread")]
async fn calls_under_way_are_limited() {
    let case = Case::of("").await;
    let made = case.update("many").await.unwrap();
    assert_eq!(made, 500_u32.to_le_bytes());
    until(async || case.net.runs(case.caller, "callback").await == 500).await;
    let made = case.update("many").await.unwrap();
    assert_eq!(made, 500_u32.to_le_bytes());
}

/// The order in which a call is put together is checked, and cycles of one that is not made stay.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_put_together_in_order() {
    let case = Case::of("").await;
    for (method, words) in [
        ("twice", "call_with_best_effort_response"),
        ("cleanup_twice", "only once"),
        ("unbegun", "no call is under construction"),
        ("performed_twice", "no call is under construction"),
        ("too_dear", "out of cycles"),
    ] {
        let message = case.refusal(method).await;
        assert!(message.contains(words), "{message}");
    }
    let missing = case.update("abandoned").await.unwrap();
    assert_eq!(missing, 0_u64.to_le_bytes());
}

/// Goes on calling itself until "release", then replies with the deadline.
const SLOW: &str = r#"
  (elem (i32.const 0) $again $done)
  (func $again (param i32)
    (if (global.get $g) (then (call $reply_i64 (call $msg_deadline)))
      (else (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 1)) (call $go))))
  (func $done (param i32) (call $reply_i64 (call $msg_deadline)))
  (func (export "canister_update work") (call $again (i32.const 0)))
  (func (export "canister_update release") (global.set $g (i32.const 1)) (call $msg_reply))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_query time") (call $reply_i64 (call $time)))"#;

/// "call_with_best_effort_response": the callee sees the deadline, bounded by 300 seconds; others
/// see none.
#[tokio::test(flavor = "multi_thread")]
async fn bounded_calls_have_deadlines() {
    let case = Case::of(
        r#"(func (export "canister_update work")
          (i64.store (i32.const 16384) (call $msg_deadline))
          (i64.store (i32.const 16392) (call $time))
          (call $msg_reply_data_append (i32.const 16384) (i32.const 16)) (call $msg_reply))"#,
    )
    .await;
    let seconds_left = async |method: &str| {
        let said = case.answer(method).await.said;
        let number = |i: usize| u64::from_le_bytes(said[8 * i..8 * i + 8].try_into().unwrap());
        (number(0) != 0).then(|| number(0).saturating_sub(number(1)).div_ceil(1_000_000_000))
    };
    assert_eq!(seconds_left("call").await, None);
    assert!(
        seconds_left("call_bounded")
            .await
            .is_some_and(|s| (1..=100).contains(&s))
    );
    assert!(
        seconds_left("call_long")
            .await
            .is_some_and(|s| (201..=300).contains(&s))
    );
}

/// A caller that waited long enough hears SYS_UNKNOWN; the late answer changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn bounded_calls_expire() {
    let case = Case::of(SLOW).await;
    let waiting = case.answer("call_bounded");
    let clock = async {
        until(async || case.net.runs(case.callee, "callback").await > 2).await;
        case.net
            .localnet
            .advance_time(101_000_000_000)
            .await
            .unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, clock);
    assert_eq!(answer.code, 6, "{}", answer.text());
    let before = case.net.runs(case.caller, "callback").await;
    case.agent
        .update(&case.callee, "release")
        .call_and_wait()
        .await
        .unwrap();
    // The callee ends its call and the caller is none the wiser.
    case.net
        .manage(&case.agent, case.callee, "stop_canister")
        .await
        .unwrap();
    assert_eq!(case.net.runs(case.caller, "callback").await, before);
    case.net
        .manage(&case.agent, case.caller, "stop_canister")
        .await
        .unwrap();
}

/// Unbounded calls are waited for whatever the clock says.
#[tokio::test(flavor = "multi_thread")]
async fn unbounded_calls_do_not_expire() {
    let case = Case::of(SLOW).await;
    let waiting = case.answer("call");
    let clock = async {
        until(async || case.net.runs(case.callee, "callback").await > 2).await;
        case.net
            .localnet
            .advance_time(1_000_000_000_000_000)
            .await
            .unwrap();
        case.agent
            .update(&case.callee, "release")
            .call_and_wait()
            .await
            .unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, clock);
    assert_eq!(
        (answer.code, answer.said),
        (0, 0_u64.to_le_bytes().to_vec())
    );
}

/// A stopping canister takes no calls, its own included, finishes what it began, and is stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_canister_ends_what_it_began() {
    let case = Case::of(SLOW).await;
    let waiting = case.answer("call");
    let stopping = async {
        until(async || case.net.runs(case.callee, "callback").await > 2).await;
        case.net
            .manage(&case.agent, case.callee, "stop_canister")
            .await
            .unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, stopping);
    assert_eq!(answer.code, 0, "{}", answer.text());
    assert_eq!(case.answer("call").await.code, 5);
}

/// Whoever waits for code that is uninstalled or reinstalled is told so, with the cycles.
#[tokio::test(flavor = "multi_thread")]
async fn calls_of_code_that_is_gone_are_rejected() {
    let case = Case::of(SLOW).await;
    let waiting = case.answer("call");
    let ending = async {
        until(async || case.net.runs(case.callee, "callback").await > 2).await;
        case.net
            .manage(&case.agent, case.callee, "uninstall_code")
            .await
            .unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    assert_eq!(
        (answer.code, answer.refund),
        (4, 1_000),
        "{}",
        answer.text()
    );
}
