//! Interface specification, "Overview of imports": every system call, from every context.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::imports::{ALL, IMPORTS, Import, call_with_zeroes, canister};
use common::{Net, reject_message, until};
use ic_agent::Agent;

/// A canister that calls the import whose number lies in stable memory, from anywhere: `$do`.
/// Stable memory: 0 the number, 4 whether from timers only, 8 how many timers ended well.
fn prober() -> String {
    let cases: String = IMPORTS
        .iter()
        .enumerate()
        .map(|(i, import)| {
            let call = call_with_zeroes(import);
            format!("(if (i32.eq (local.get 0) (i32.const {i})) (then {call}))\n")
        })
        .collect();
    canister(&format!(
        r#"
  (elem (i32.const 0) $do_callback $fail_callback $do_cleanup)
  (func $number (result i32)
    (if (i64.eqz (call $stable64_size)) (then (return (i32.const -1))))
    (call $stable64_read (i64.const 16384) (i64.const 0) (i64.const 4))
    (i32.load (i32.const 16384)))
  (func $timers_only (result i32)
    (if (i64.eqz (call $stable64_size)) (then (return (i32.const 0))))
    (call $stable64_read (i64.const 16384) (i64.const 4) (i64.const 4))
    (i32.load (i32.const 16384)))
  (func $run (param i32) {cases})
  (func $do (if (i32.eqz (call $timers_only)) (then (call $run (call $number)))))
  (func $do_callback (param i32) (call $do) (call $fail))
  (func $fail_callback (param i32) (call $fail))
  (func $do_cleanup (param i32) (call $do))
  (start $do)
  (func (export "canister_init")
    (if (call $msg_arg_data_size) (then
      (call $msg_arg_data_copy (i32.const 16384) (i32.const 0) (i32.const 4))
      (call $run (i32.load (i32.const 16384)))))
    (drop (call $stable64_grow (i64.const 1)))
    (i32.store (i32.const 16384) (i32.const -1))
    (call $stable64_write (i64.const 0) (i64.const 16384) (i64.const 4)))
  ;; The argument: where the call is made ('s' start, 'G' before or 'I' after the upgrade).
  (func (export "canister_pre_upgrade")
    (call $stable64_read (i64.const 16384) (i64.const 12) (i64.const 4))
    (if (i32.eq (i32.load (i32.const 16384)) (i32.const 71)) (then (call $do))))
  (func (export "canister_inspect_message")
    (if (i32.eq (call $msg_method_name_size) (i32.const 1)) (then (call $do))
      (else (call $accept_message))))
  (func (export "canister_update set")
    (call $msg_arg_data_copy (i32.const 16384) (i32.const 0) (i32.const 8))
    (call $stable64_write (i64.const 0) (i64.const 16384) (i64.const 8))
    (call $msg_reply))
  (func (export "canister_update set_phase")
    (call $msg_arg_data_copy (i32.const 16384) (i32.const 0) (i32.const 4))
    (call $stable64_write (i64.const 12) (i64.const 16384) (i64.const 4))
    (call $msg_reply))
  (func (export "canister_update f"))
  (func (export "canister_update in_U") (call $do) (call $fail))
  (func (export "canister_query in_Q") (call $do) (call $fail))
  (func (export "canister_composite_query in_CQ") (call $do) (call $fail))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_update in_Ry")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 1)) (call $go))
  (func (export "canister_update in_Rt")
    (call $to_self (i32.const 110) (i32.const 7) (i32.const 1) (i32.const 0)) (call $go))
  (func (export "canister_update in_C")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 1))
    (call $call_on_cleanup (i32.const 2) (i32.const 0)) (call $go))
  (func (export "canister_composite_query in_CRy")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 1)) (call $go))
  (func (export "canister_composite_query in_CRt")
    (call $to_self (i32.const 110) (i32.const 7) (i32.const 1) (i32.const 0)) (call $go))
  (func (export "canister_composite_query in_CC")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 1))
    (call $call_on_cleanup (i32.const 2) (i32.const 0)) (call $go))
  (func (export "canister_update arm")
    (drop (call $global_timer_set (call $time))) (call $msg_reply))
  (func (export "canister_global_timer")
    (call $stable64_read (i64.const 16384) (i64.const 0) (i64.const 12))
    ;; Calls that are put together need one that is begun.
    (if (call $msg_arg_needed (i32.load (i32.const 16384))) (then
      (call $to_self (i32.const 100) (i32.const 3) (i32.const 1) (i32.const 1))))
    (call $run (i32.load (i32.const 16384)))
    (i32.store (i32.const 16392) (i32.add (i32.load (i32.const 16392)) (i32.const 1)))
    (call $stable64_write (i64.const 8) (i64.const 16392) (i64.const 4)))
  (func $msg_arg_needed (param i32) (result i32) {begun} (i32.const 0))
  (func (export "canister_query timers")
    (call $stable64_read (i64.const 16384) (i64.const 8) (i64.const 4))
    (call $reply_i32 (i32.load (i32.const 16384))))"#,
        begun = IMPORTS
            .iter()
            .enumerate()
            .filter(|(_, (name, ..))| name.starts_with("call_") && *name != "call_new")
            .map(|(i, _)| format!(
                "(if (i32.eq (local.get 0) (i32.const {i})) (then (return (i32.const 1))))\n"
            ))
            .collect::<String>()
    ))
}

struct Probe<'a> {
    net: &'a Net,
    agent: &'a Agent,
    id: Principal,
}

impl Probe<'_> {
    async fn update(&self, method: &str, arg: Vec<u8>) -> String {
        match self
            .agent
            .update(&self.id, method)
            .with_arg(arg)
            .call_and_wait()
            .await
        {
            Ok(_) => String::new(),
            Err(error) => reject_message(&error),
        }
    }

    async fn query(&self, method: &str) -> String {
        match self.agent.query(&self.id, method).call().await {
            Ok(_) => String::new(),
            Err(error) => reject_message(&error),
        }
    }

    /// What is said when the import is called from a context.
    async fn said(&self, context: &str, number: u32) -> String {
        match context {
            "U" | "Ry" | "Rt" | "C" => self.update(&format!("in_{context}"), vec![]).await,
            "RQ" => self.update("in_Q", vec![]).await,
            "NRQ" => self.query("in_Q").await,
            "CQ" | "CRy" | "CRt" | "CC" => self.query(&format!("in_{context}")).await,
            "F" => self.update("f", vec![]).await,
            "I" => self.install("reinstall", &number.to_le_bytes()).await,
            // "G" and "s".
            _ => self.install("upgrade", b"").await,
        }
    }

    async fn install(&self, mode: &str, arg: &[u8]) -> String {
        let text = prober();
        match self.net.upload(self.agent, self.id, mode, &text, arg).await {
            Ok(_) => String::new(),
            Err(error) => reject_message(&error),
        }
    }

    async fn set(&self, number: u32, timers_only: bool) {
        let arg = [number, timers_only.into()].map(u32::to_le_bytes).concat();
        assert_eq!(self.update("set", arg).await, "");
    }
}

fn mode_name(context: &str) -> &'static str {
    match context {
        "I" => "init",
        "G" => "pre upgrade",
        "U" => "update",
        "RQ" => "replicated query",
        "NRQ" => "non replicated query",
        "CQ" => "composite query",
        "Ry" => "reply callback",
        "Rt" => "reject callback",
        "CRy" => "composite reply callback",
        "CRt" => "composite reject callback",
        "C" => "cleanup",
        "CC" => "composite cleanup",
        "F" => "inspect message",
        _ => "start",
    }
}

/// Whether what was said is a refusal of this import in this context.
fn refused(said: &str, import: &Import, context: &str) -> bool {
    let mode = mode_name(context);
    said.contains(&format!(
        "\"ic0_{}\" cannot be executed in {mode} mode",
        import.0
    ))
}

fn allowed(import: &Import, context: &str) -> bool {
    import
        .3
        .split_whitespace()
        .any(|allowed| allowed == context)
}

/// Checks the whole table but for some contexts.
async fn check(contexts: &[&str]) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &prober(), b"").await;
    let probe = Probe {
        net: &net,
        agent: &agent,
        id,
    };
    let mut wrong = Vec::new();
    for (number, import) in IMPORTS.iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        probe.set(number, false).await;
        for context in contexts {
            let said = probe.said(context, number).await;
            if refused(&said, import, context) == allowed(import, context) {
                wrong.push(format!("{} in {context}: {said}", import.0));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_messages() {
    check(&["U", "RQ", "Ry", "Rt", "C"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_queries_and_inspection() {
    check(&["NRQ", "CQ", "CRy", "CRt", "CC", "F"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_initialization() {
    check(&["I"]).await;
}

/// The start function and `canister_pre_upgrade` take the import from stable memory, which an
/// upgrade keeps.
#[tokio::test(flavor = "multi_thread")]
async fn before_an_upgrade_and_in_the_start_function() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &prober(), b"").await;
    let probe = Probe {
        net: &net,
        agent: &agent,
        id,
    };
    let mut wrong = Vec::new();
    for (context, phase) in [("s", 0_u32), ("G", 71)] {
        assert_eq!(
            probe.update("set_phase", phase.to_le_bytes().into()).await,
            ""
        );
        for (number, import) in IMPORTS.iter().enumerate() {
            probe.set(u32::try_from(number).unwrap(), false).await;
            let said = probe.said(context, 0).await;
            if refused(&said, import, context) == allowed(import, context) {
                wrong.push(format!("{} in {context}: {said}", import.0));
            }
        }
        // So that the next upgrade is not about the last import.
        probe.set(u32::MAX, false).await;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Timers answer nobody: that one ended well is seen by what it counted. Imports that trap for
/// another reason when they are called with zeroes cannot be told apart here.
#[tokio::test(flavor = "multi_thread")]
async fn in_timers() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, &prober(), b"").await;
    let probe = Probe {
        net: &net,
        agent: &agent,
        id,
    };
    let traps_anyway = |name: &str| {
        name == "trap"
            || (name.starts_with("env_var_") && name.ends_with("_size"))
            || name.starts_with("env_var_value")
            || name == "env_var_name_copy"
    };
    let mut wrong = Vec::new();
    let mut ended = 0;
    let mut ran = 0;
    for (number, import) in IMPORTS.iter().enumerate() {
        if traps_anyway(import.0) {
            continue;
        }
        probe.set(u32::try_from(number).unwrap(), true).await;
        assert_eq!(probe.update("arm", vec![]).await, "");
        ran += 1;
        until(async || net.runs(id, "timer").await == ran).await;
        let bytes = agent.query(&id, "timers").call().await.unwrap();
        let now = u32::from_le_bytes(bytes.try_into().unwrap());
        if (now == ended + 1) != allowed(import, "T") {
            wrong.push(import.0);
        }
        ended = now;
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_table_is_whole() {
    assert!(IMPORTS.iter().all(|import| {
        import
            .3
            .split_whitespace()
            .all(|c| c == "s" || ALL.split_whitespace().any(|a| a == c))
    }));
}
