//! Interface specification, "Entry points": what a trap discards, before and after an await, and
//! what queries and failed installations leave behind: nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::imports::canister;
use common::{Net, reject_message, until};
use ic_agent::Agent;
use ic_certification::{Certificate, LookupResult};

/// Everything a canister has: `change` adds one to each part. A part is a number, so that a part
/// that was not taken back is seen.
#[derive(Debug, PartialEq, Eq)]
struct State {
    heap: u32,
    far_heap: u32,
    global: u32,
    exported_global: u32,
    stable: u32,
    stable_pages: u32,
    heap_pages: u32,
    timer: u32,
    certified_data: Vec<u8>,
}

impl State {
    /// After so many changes.
    fn after(changes: u32) -> Self {
        Self {
            heap: changes,
            far_heap: changes,
            global: changes,
            exported_global: changes,
            stable: changes,
            stable_pages: 1 + changes,
            heap_pages: 1 + changes,
            timer: changes,
            certified_data: if changes == 0 {
                vec![]
            } else {
                changes.to_le_bytes().to_vec()
            },
        }
    }
}

/// When timers are due: the number counted is in the lower half.
const FAR: u64 = 0x7000_0000_0000_0000;

fn changing(more: &str) -> String {
    canister(&format!(
        r#"
  (elem (i32.const 0) $change_and_reply $change_and_fail $change_only $fail_only $reply_only)
  (global $exported (export "exported") (mut i64) (i64.const 0))
  (func $change
    (i32.store (i32.const 16384) (i32.add (i32.load (i32.const 16384)) (i32.const 1)))
    (i32.store (i32.const 65532) (i32.add (i32.load (i32.const 65532)) (i32.const 1)))
    (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (global.set $exported (i64.add (global.get $exported) (i64.const 1)))
    (call $stable64_read (i64.const 16388) (i64.const 0) (i64.const 4))
    (i32.store (i32.const 16388) (i32.add (i32.load (i32.const 16388)) (i32.const 1)))
    (call $stable64_write (i64.const 0) (i64.const 16388) (i64.const 4))
    (drop (call $stable64_grow (i64.const 1)))
    (drop (memory.grow (i32.const 1))))
  (func $change_timer
    (drop (call $global_timer_set
      (i64.add (i64.const {FAR}) (i64.extend_i32_u (i32.load (i32.const 16384)))))))
  (func $certify (call $certified_data_set (i32.const 16384) (i32.const 4)))
  (func $change_all (call $change) (call $change_timer) (call $certify))
  (func $change_and_reply (param i32) (call $change_all) (call $msg_reply))
  (func $change_and_fail (param i32) (call $change_all) (call $fail))
  ;; A cleanup callback may not certify.
  (func $change_only (param i32) (call $change) (call $change_timer))
  (func $fail_only (param i32) (call $change) (call $change_timer) (call $fail))
  (func $reply_only (param i32) (call $msg_reply))
  (func (export "canister_init") (drop (call $stable64_grow (i64.const 1))))
  (func (export "canister_update change") (call $change_all) (call $msg_reply))
  (func (export "canister_update change_and_fail")
    (call $change_all) (call $msg_reply) (call $fail))
  (func (export "canister_query query") (call $change) (call $msg_reply))
  (func (export "canister_query query_and_fail") (call $change) (call $fail))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_update reply_trap") (call $change_all)
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 4)) (call $go))
  (func (export "canister_update reject_trap") (call $change_all)
    (call $to_self (i32.const 110) (i32.const 7) (i32.const 4) (i32.const 1)) (call $go))
  (func (export "canister_update reply_well") (call $change_all)
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 4)) (call $go))
  (func (export "canister_update cleanup") (call $change_all)
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 4))
    (call $call_on_cleanup (i32.const 2) (i32.const 0)) (call $go))
  (func (export "canister_update cleanup_trap") (call $change_all)
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 4))
    (call $call_on_cleanup (i32.const 3) (i32.const 0)) (call $go))
  (func (export "canister_composite_query composed") (call $change)
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 4) (i32.const 4)) (call $go))
  ;; Everything but certified data, and the timer, which only an update may look at.
  (func (export "canister_query parts")
    (call $stable64_read (i64.const 16404) (i64.const 0) (i64.const 4))
    (i32.store (i32.const 16388) (i32.load (i32.const 65532)))
    (i32.store (i32.const 16392) (global.get $g))
    (i32.store (i32.const 16396) (i32.wrap_i64 (global.get $exported)))
    (i32.store (i32.const 16400) (i32.load (i32.const 16404)))
    (i32.store (i32.const 16404) (i32.wrap_i64 (call $stable64_size)))
    (i32.store (i32.const 16408) (memory.size))
    (call $msg_reply_data_append (i32.const 16384) (i32.const 28))
    (call $msg_reply))
  (func (export "canister_query certificate")
    (call $data_certificate_copy (i32.const 20000) (i32.const 0) (call $data_certificate_size))
    (call $msg_reply_data_append (i32.const 20000) (call $data_certificate_size))
    (call $msg_reply))
  (func (export "canister_update timer") (local $at i64)
    (local.set $at (call $global_timer_set (i64.const 0)))
    (drop (call $global_timer_set (local.get $at)))
    (call $reply_i64 (local.get $at)))
  {more}"#
    ))
}

async fn state(agent: &Agent, id: Principal) -> State {
    let parts = agent.query(&id, "parts").call().await.unwrap();
    let part = |i: usize| u32::from_le_bytes(parts[4 * i..4 * i + 4].try_into().unwrap());
    let timer = agent.update(&id, "timer").call_and_wait().await.unwrap();
    let timer = u64::from_le_bytes(timer.try_into().unwrap());
    let certificate = agent.query(&id, "certificate").call().await.unwrap();
    let certificate: Certificate = serde_cbor::from_slice(&certificate).unwrap();
    let path = [b"canister".as_slice(), id.as_slice(), b"certified_data"];
    let certified_data = match certificate.tree.lookup_path(path) {
        LookupResult::Found(data) => data.to_vec(),
        _ => vec![],
    };
    State {
        heap: part(0),
        far_heap: part(1),
        global: part(2),
        exported_global: part(3),
        stable: part(4),
        stable_pages: part(5),
        heap_pages: part(6),
        timer: u32::try_from(timer.saturating_sub(FAR)).unwrap(),
        certified_data,
    }
}

struct Case {
    net: Net,
    agent: Agent,
    id: Principal,
}

impl Case {
    /// A canister changed once.
    async fn changed_once(more: &str) -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let id = net.install(&agent, &changing(more), b"").await;
        let case = Self { net, agent, id };
        case.update("change").await.unwrap();
        assert_eq!(case.state().await, State::after(1));
        case
    }

    async fn state(&self) -> State {
        state(&self.agent, self.id).await
    }

    async fn update(&self, method: &str) -> Result<Vec<u8>, String> {
        let call = self.agent.update(&self.id, method);
        call.call_and_wait().await.map_err(|e| reject_message(&e))
    }

    async fn query(&self, method: &str) -> Result<Vec<u8>, String> {
        let call = self.agent.query(&self.id, method);
        call.call().await.map_err(|e| reject_message(&e))
    }
}

/// "Entry points": all changes to the WebAssembly state and the effect of any system call are
/// discarded when an update traps, its reply included.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_traps_changes_nothing() {
    let case = Case::changed_once("").await;
    let error = case.update("change_and_fail").await.unwrap_err();
    assert!(error.contains("'fail'"), "{error}");
    assert_eq!(case.state().await, State::after(1));
    case.update("change").await.unwrap();
    assert_eq!(case.state().await, State::after(2));
}

/// And nothing comes back after a restart that was discarded before.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_trap_discarded_stays_away_after_a_restart() {
    let case = Case::changed_once("").await;
    case.update("change_and_fail").await.unwrap_err();
    let (net, id) = (case.net.restart().await, case.id);
    assert_eq!(state(&net.agent().await, id).await, State::after(1));
}

/// "Public methods": queries keep nothing, in either mode of execution, whether they trap or not.
#[tokio::test(flavor = "multi_thread")]
async fn queries_keep_nothing() {
    let case = Case::changed_once("").await;
    case.query("query").await.unwrap();
    case.query("query_and_fail").await.unwrap_err();
    case.query("composed").await.unwrap();
    case.update("query").await.unwrap();
    case.update("query_and_fail").await.unwrap_err();
    assert_eq!(case.state().await, State::after(1));
}

/// "Callbacks": a trapping reply callback loses its own changes; those made before the await stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_callback_that_traps_loses_only_its_own_changes() {
    let case = Case::changed_once("").await;
    let error = case.update("reply_trap").await.unwrap_err();
    assert!(error.contains("'fail'"), "{error}");
    assert_eq!(case.state().await, State::after(2));
    case.update("reply_well").await.unwrap();
    assert_eq!(case.state().await, State::after(4));
}

/// The same for a reject callback.
#[tokio::test(flavor = "multi_thread")]
async fn a_reject_callback_that_traps_loses_only_its_own_changes() {
    let case = Case::changed_once("").await;
    case.update("reject_trap").await.unwrap_err();
    assert_eq!(case.state().await, State::after(2));
}

/// "Inter-canister method calls", `call_on_cleanup`: the cleanup callback runs when a callback
/// trapped, on the state before it, and its changes stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_callback_keeps_its_changes() {
    let case = Case::changed_once("").await;
    let error = case.update("cleanup").await.unwrap_err();
    assert!(error.contains("'fail'"), "{error}");
    let expected = State {
        certified_data: 2_u32.to_le_bytes().to_vec(),
        ..State::after(3)
    };
    assert_eq!(case.state().await, expected);
}

/// "If this traps, the state changes from the cleanup function are discarded."
#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_callback_that_traps_changes_nothing() {
    let case = Case::changed_once("").await;
    let error = case.update("cleanup_trap").await.unwrap_err();
    assert!(error.contains("call_on_cleanup also failed"), "{error}");
    assert_eq!(case.state().await, State::after(2));
}

/// "Ingress message inspection": what it changes is not kept.
#[tokio::test(flavor = "multi_thread")]
async fn inspection_keeps_nothing() {
    let inspect = r#"(func (export "canister_inspect_message")
      (call $change) (call $accept_message)
      (if (i32.eq (call $msg_method_name_size) (i32.const 3)) (then (call $fail))))"#;
    let case = Case::changed_once(inspect).await;
    case.update("nop").await.unwrap_err();
    assert_eq!(case.state().await, State::after(1));
}

/// "Global timer": a timer that traps changes nothing, but is switched off all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_traps_changes_nothing_and_stays_off() {
    let timer = r#"(func (export "canister_global_timer") (call $change_all) (call $fail))
      (func (export "canister_update arm")
        (drop (call $global_timer_set (call $time))) (call $msg_reply))"#;
    let case = Case::changed_once(timer).await;
    case.update("arm").await.unwrap();
    until(async || case.net.runs(case.id, "timer").await == 1).await;
    let expected = State {
        timer: 0,
        ..State::after(1)
    };
    assert_eq!(case.state().await, expected);
}

async fn refuses(case: &Case, mode: &str, text: &str) {
    let arg = b"bad";
    let result = case.net.upload(&case.agent, case.id, mode, text, arg).await;
    let error = reject_message(&result.unwrap_err());
    assert!(error.contains("'fail'"), "{error}");
}

/// What an installation must leave when it fails: module, memories, certified data, timer.
async fn untouched_by(mode: &str, text: &str) {
    let case = Case::changed_once("").await;
    let hash = case.agent.read_state_canister_info(case.id, "module_hash");
    let before = hash.await.unwrap();
    refuses(&case, mode, text).await;
    let hash = case.agent.read_state_canister_info(case.id, "module_hash");
    assert_eq!(hash.await.unwrap(), before);
    assert_eq!(case.state().await, State::after(1));
    let (net, id) = (case.net.restart().await, case.id);
    assert_eq!(state(&net.agent().await, id).await, State::after(1));
}

/// "Canister initialization": when `canister_init` traps the canister is what it was before.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_init_undoes_a_reinstallation() {
    let text = changing("").replace(
        r#"(export "canister_init") (drop (call $stable64_grow (i64.const 1)))"#,
        r#"(export "canister_init") (drop (call $stable64_grow (i64.const 9)))
          (call $change_all) (call $fail)"#,
    );
    untouched_by("reinstall", &text).await;
}

/// The same for an installation into an empty canister, which stays empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_init_leaves_an_empty_canister_empty() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let text = canister(r#"(func (export "canister_init") (call $fail))"#);
    let result = net.upload(&agent, id, "install", &text, b"").await;
    result.unwrap_err();
    agent
        .read_state_canister_info(id, "module_hash")
        .await
        .unwrap_err();
    net.upload(&agent, id, "install", &changing(""), b"")
        .await
        .unwrap();
    assert_eq!(state(&agent, id).await, State::after(0));
}

/// "Canister upgrades": `canister_pre_upgrade` and `canister_post_upgrade` are atomic together.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_post_upgrade_undoes_everything() {
    let hook = r#"(func (export "canister_post_upgrade") (call $change_all) (call $fail))"#;
    untouched_by("upgrade", &changing(hook)).await;
}

/// The same when what fails is the start function of the new module.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_start_function_undoes_everything() {
    let hook = "(func $begin (call $change) (call $fail)) (start $begin)";
    untouched_by("upgrade", &changing(hook)).await;
}

/// The same when `canister_pre_upgrade` of the old module fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_pre_upgrade_undoes_everything() {
    let hook = r#"(func (export "canister_pre_upgrade") (call $change_all) (call $fail))"#;
    let case = Case::changed_once(hook).await;
    refuses(&case, "upgrade", &changing("")).await;
    assert_eq!(case.state().await, State::after(1));
}

/// What `canister_pre_upgrade` did is gone when `canister_post_upgrade` fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_post_upgrade_undoes_the_pre_upgrade() {
    let before = r#"(func (export "canister_pre_upgrade") (call $change_all))"#;
    let after = r#"(func (export "canister_post_upgrade") (call $fail))"#;
    let case = Case::changed_once(before).await;
    refuses(&case, "upgrade", &changing(after)).await;
    assert_eq!(case.state().await, State::after(1));
}

/// "Canister upgrades": stable memory stays, heap, globals, certified data and timer do not.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_stable_memory_only() {
    let case = Case::changed_once("").await;
    case.net
        .upgrade(&case.agent, case.id, &changing(""), b"")
        .await
        .unwrap();
    let expected = State {
        stable: 1,
        stable_pages: 2,
        ..State::after(0)
    };
    assert_eq!(case.state().await, expected);
}
