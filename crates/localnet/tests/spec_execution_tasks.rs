//! Interface specification, "Heartbeat", "Global timer" and "On Low Wasm Memory".
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{CandidType, Encode, Nat, Principal};
use common::imports::canister;
use common::{IC, Net, until};
use ic_agent::Agent;

#[derive(CandidType)]
struct Settings {
    wasm_memory_limit: Option<Nat>,
    wasm_memory_threshold: Option<Nat>,
}

#[derive(CandidType)]
struct UpdateSettings {
    canister_id: Principal,
    settings: Settings,
}

struct Case {
    net: Net,
    agent: Agent,
    id: Principal,
}

impl Case {
    async fn of(body: &str) -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let id = net.install(&agent, &canister(body), b"").await;
        Self { net, agent, id }
    }

    async fn update(&self, method: &str) -> Vec<u8> {
        let call = self.agent.update(&self.id, method);
        call.call_and_wait().await.unwrap()
    }

    async fn count(&self) -> u32 {
        let reply = self.agent.query(&self.id, "count").call().await.unwrap();
        u32::from_le_bytes(reply.try_into().unwrap())
    }
}

/// Timers count in the global and note what they are told.
const TIMERS: &str = r#"
  (elem (i32.const 0) $called)
  (func $called (param i32) (global.set $g (i32.add (global.get $g) (i32.const 100))))
  (func (export "canister_global_timer")
    (i32.store (i32.const 16384) (call $msg_caller_size))
    (i64.store (i32.const 16392) (call $global_timer_set (i64.const 0)))
    (global.set $g (i32.add (global.get $g) (i32.const 1))))
  (func (export "canister_update now")
    (call $reply_i64 (call $global_timer_set (call $time))))
  (func (export "canister_update far")
    (call $reply_i64 (call $global_timer_set
      (i64.add (call $time) (i64.const 3600000000000)))))
  (func (export "canister_update off")
    (call $reply_i64 (call $global_timer_set (i64.const 0))))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_query count") (call $reply_i32 (global.get $g)))
  (func (export "canister_query noted")
    (call $msg_reply_data_append (i32.const 16384) (i32.const 16)) (call $msg_reply))"#;

/// Called once when the time has passed, by the management canister, with the timer off.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_runs_once_and_is_off_then() {
    let case = Case::of(TIMERS).await;
    assert_eq!(case.update("now").await, 0_u64.to_le_bytes());
    until(async || case.count().await == 1).await;
    let noted = case.agent.query(&case.id, "noted").call().await.unwrap();
    // The management canister's principal is empty; the timer was off when it ran.
    assert_eq!(noted, [0; 16]);
    assert_eq!(case.update("off").await, 0_u64.to_le_bytes());
}

/// Setting returns what was set before; zero deactivates; only the last setting counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_set_and_unset() {
    let case = Case::of(TIMERS).await;
    assert_eq!(case.update("far").await, 0_u64.to_le_bytes());
    let before = u64::from_le_bytes(case.update("off").await.try_into().unwrap());
    assert!(before > 0);
    case.net
        .localnet
        .advance_time(7_200_000_000_000)
        .await
        .unwrap();
    case.update("far").await;
    assert_eq!(case.count().await, 0);
    case.net
        .localnet
        .advance_time(3_600_000_000_000)
        .await
        .unwrap();
    until(async || case.count().await == 1).await;
}

/// "Deactivated upon changes to the canister's Wasm module", and while the canister is stopped it
/// does not run.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_does_not_outlive_its_module() {
    let case = Case::of(TIMERS).await;
    for mode in ["upgrade", "reinstall"] {
        case.update("far").await;
        let text = canister(TIMERS);
        case.net
            .upload(&case.agent, case.id, mode, &text, b"")
            .await
            .unwrap();
        assert_eq!(case.update("off").await, 0_u64.to_le_bytes(), "{mode}");
    }
    case.update("far").await;
    case.net
        .manage(&case.agent, case.id, "stop_canister")
        .await
        .unwrap();
    case.net
        .localnet
        .advance_time(7_200_000_000_000)
        .await
        .unwrap();
    case.net
        .manage(&case.agent, case.id, "canister_status")
        .await
        .unwrap();
    assert_eq!(case.net.runs(case.id, "timer").await, 0);
    case.net
        .manage(&case.agent, case.id, "start_canister")
        .await
        .unwrap();
    until(async || case.net.runs(case.id, "timer").await == 1).await;
}

/// A system task may make calls, and has nobody to answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_may_call_and_not_reply() {
    let body = r#"
      (elem (i32.const 0) $called)
      (func $called (param i32)
        (global.set $g (i32.const 1)))
      (func (export "canister_global_timer")
        (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))
      (func (export "canister_update now")
        (drop (call $global_timer_set (call $time))) (call $msg_reply))
      (func (export "canister_query nop") (call $msg_reply))
      (func (export "canister_query count") (call $reply_i32 (global.get $g)))"#;
    let case = Case::of(body).await;
    case.update("now").await;
    until(async || case.count().await == 1).await;
    // A callback of a task has nobody to answer either.
    let replying = body.replace("(global.set $g (i32.const 1))", "(call $msg_reply)");
    let case = Case::of(&replying).await;
    case.update("now").await;
    until(async || case.net.runs(case.id, "callback").await == 1).await;
    case.net
        .manage(&case.agent, case.id, "stop_canister")
        .await
        .unwrap();
}

/// "Heartbeat": again and again while the canister runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_heart_beats() {
    let case = Case::of(
        r#"(func (export "canister_heartbeat")
          (global.set $g (i32.add (global.get $g) (i32.const 1))))
        (func (export "canister_query count") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    until(async || case.count().await >= 1).await;
    let before = case.count().await;
    case.net.localnet.advance_time(1_000_000_000).await.unwrap();
    until(async || case.count().await > before).await;
    case.net
        .manage(&case.agent, case.id, "stop_canister")
        .await
        .unwrap();
    let beats = case.net.runs(case.id, "heartbeat").await;
    case.net.localnet.advance_time(5_000_000_000).await.unwrap();
    case.net
        .manage(&case.agent, case.id, "canister_status")
        .await
        .unwrap();
    assert_eq!(case.net.runs(case.id, "heartbeat").await, beats);
}

/// "On Low Wasm Memory": once, when the room left falls below the threshold, and again only after
/// there was more.
#[tokio::test(flavor = "multi_thread")]
async fn a_heap_that_fills_up_is_told_of() {
    let case = Case::of(
        r#"(func (export "canister_on_low_wasm_memory")
          (global.set $g (i32.add (global.get $g) (i32.const 1))))
        (func (export "canister_update grow")
          (drop (memory.grow (i32.const 10))) (call $msg_reply))
        (func (export "canister_query count") (call $reply_i32 (global.get $g)))"#,
    )
    .await;
    let pages = |n: u64| Some(Nat::from(n * 65_536));
    let arg = UpdateSettings {
        canister_id: case.id,
        settings: Settings {
            wasm_memory_limit: pages(100),
            wasm_memory_threshold: pages(75),
        },
    };
    case.agent
        .update(&IC, "update_settings")
        .with_effective_canister_id(case.id)
        .with_arg(Encode!(&arg).unwrap())
        .call_and_wait()
        .await
        .unwrap();
    case.update("grow").await;
    case.update("grow").await;
    assert_eq!(case.net.runs(case.id, "low_wasm_memory").await, 0);
    case.update("grow").await;
    until(async || case.count().await == 1).await;
    case.update("grow").await;
    case.update("grow").await;
    assert_eq!(case.count().await, 1);
    assert_eq!(case.net.runs(case.id, "low_wasm_memory").await, 1);
}
