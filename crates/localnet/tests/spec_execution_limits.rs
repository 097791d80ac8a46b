//! Limits: "WebAssembly module requirements", sizes of messages and replies, memories and their
//! settings. What one execution may spend and touch is in `spec_execution_exhaustion`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{CandidType, Encode, Nat, Principal};
use common::imports::canister;
use common::management::refused as refusal;
use common::{IC, Net, reject_message};
use ic_agent::Agent;

#[derive(CandidType, Default)]
struct Settings {
    memory_allocation: Option<Nat>,
    wasm_memory_limit: Option<Nat>,
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

    async fn set(&self, settings: Settings) {
        let arg = UpdateSettings {
            canister_id: self.id,
            settings,
        };
        self.agent
            .update(&IC, "update_settings")
            .with_effective_canister_id(self.id)
            .with_arg(Encode!(&arg).unwrap())
            .call_and_wait()
            .await
            .unwrap();
    }

    async fn update(&self, method: &str) -> Result<Vec<u8>, String> {
        let call = self.agent.update(&self.id, method);
        call.call_and_wait().await.map_err(said)
    }

    async fn query(&self, method: &str) -> Result<Vec<u8>, String> {
        let call = self.agent.query(&self.id, method);
        call.call().await.map_err(said)
    }
}

/// The code of a rejection and what it says.
fn said(error: ic_agent::AgentError) -> String {
    let refused = refusal(error);
    format!("{} {}", refused.error_code, refused.message)
}

/// Checks code and words of a rejection.
#[track_caller]
fn says(result: Result<Vec<u8>, String>, code: &str, words: &str) {
    let said = result.unwrap_err();
    assert!(said.starts_with(code) && said.contains(words), "{said}");
}

/// Installs modules that must not be taken, each with words of the refusal.
async fn refused(modules: &[(String, &str)]) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    for (text, words) in modules {
        let result = net.upload(&agent, id, "install", text, b"").await;
        let message = reject_message(&result.unwrap_err());
        let shown: String = text.chars().take(200).collect();
        assert!(message.contains(words), "{shown}: {message}");
    }
    let fine = r#"(module (func (export "canister_init")))"#;
    net.upload(&agent, id, "install", fine, b"").await.unwrap();
}

fn module(body: impl AsRef<str>) -> String {
    format!("(module {})", body.as_ref())
}

fn many(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect()
}

/// "WebAssembly module requirements": what may be exported, and with which type.
#[tokio::test(flavor = "multi_thread")]
async fn entry_points_have_known_names_and_types() {
    let typed = |name: &str| {
        let text = format!("(func (export \"{name}\") (param i32))");
        (module(text), "() -> ()")
    };
    refused(&[
        typed("canister_init"),
        typed("canister_inspect_message"),
        typed("canister_pre_upgrade"),
        typed("canister_post_upgrade"),
        typed("canister_heartbeat"),
        typed("canister_on_low_wasm_memory"),
        typed("canister_global_timer"),
        typed("canister_update x"),
        typed("canister_query x"),
        typed("canister_composite_query x"),
        (
            module(r#"(func (export "canister_else"))"#),
            "reserved prefix",
        ),
        (
            module(r#"(func (export "canister_update x")) (func (export "canister_query x"))"#),
            "more than once",
        ),
        (
            module(
                r#"(func (export "canister_composite_query x"))
                (func (export "canister_query x"))"#,
            ),
            "more than once",
        ),
    ])
    .await;
}

/// "The IC may reject WebAssembly modules that ...": as many as that, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn modules_declare_so_much_and_no_more() {
    let methods = |n| many(n, |i| format!("(export \"canister_query {i}\" (func $f))"));
    let long = "x".repeat(20_001);
    let sections = |n| many(n, |i| format!("(@custom \"icp:public {i}\" \"x\")"));
    let large = "x".repeat(1 << 20);
    refused(&[
        (module(many(50_001, |_| "(func)".into())), "functions"),
        (
            module(many(1_001, |_| "(global i32 (i32.const 0))".into())),
            "globals",
        ),
        (module(format!("(func $f) {}", methods(1_001))), "methods"),
        (
            module(format!("(func (export \"canister_query {long}\"))")),
            "names of methods",
        ),
        (module(sections(17)), "custom sections"),
        (
            module(format!("(@custom \"icp:private x\" \"{large}\")")),
            "bytes in custom sections",
        ),
        (
            module("(@custom \"icp:public x\" \"\") (@custom \"icp:private x\" \"\")"),
            "more than once",
        ),
        (
            module("(@custom \"icp:secret x\" \"\")"),
            "neither public nor private",
        ),
        (module("(table 1000001 funcref)"), "table elements"),
        (module("(table 1 funcref) (table 1 funcref)"), "tables"),
        (module("(memory 1) (memory 1)"), "memory"),
        (module("(memory i64 1)"), "64-bit"),
        (
            module("(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))"),
            "table.set",
        ),
        (
            module(format!("(func {})", many(20_001, |_| "(block)".into()))),
            "complexity",
        ),
        (module("(func (return_call 0))"), "tail calls"),
    ])
    .await;
    let net = Net::start().await;
    let agent = net.agent().await;
    let most = module(format!(
        "(func $f) {} {} {}",
        many(1_000, |_| "(global i32 (i32.const 0))".into()),
        methods(1_000),
        sections(16),
    ));
    net.install(&agent, &most, b"").await;
}

/// Replies of 2 MiB in updates, 3 MiB in queries; calls between canisters of 2 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_so_large_and_no_larger() {
    let mib = 1 << 20;
    let reply = |name: &str, size: usize| {
        format!(
            "(func (export \"canister_{name}\")
              (call $msg_reply_data_append (i32.const 0) (i32.const {size})) (call $msg_reply))"
        )
    };
    let call = |name: &str, size: usize| {
        format!(
            "(func (export \"canister_update {name}\")
              (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0))
              (call $call_data_append (i32.const 0) (i32.const {size})) (call $go))"
        )
    };
    let body = [
        "(func $grow (drop (memory.grow (i32.const 64)))) (start $grow)
         (elem (i32.const 0) $done)
         (func $done (param i32) (call $msg_reply))
         (func (export \"canister_query nop\") (call $msg_reply))"
            .to_owned(),
        reply("update fits", 2 * mib),
        reply("update too_large", 2 * mib + 1),
        reply("query look", 3 * mib),
        reply("query look_too_large", 3 * mib + 1),
        call("call", 2 * mib),
        call("call_too_large", 2 * mib + 1),
    ]
    .concat();
    let case = Case::of(&body).await;
    assert_eq!(case.update("fits").await.unwrap().len(), 2 * mib);
    says(case.update("too_large").await, "IC0504", "larger");
    assert_eq!(case.query("look").await.unwrap().len(), 3 * mib);
    says(case.query("look_too_large").await, "IC0504", "larger");
    // As an update, the query has an update's reply.
    says(case.update("look").await, "IC0504", "larger");
    case.update("call").await.unwrap();
    says(case.update("call_too_large").await, "IC0504", "larger");
}

/// Growing by a page, in every way; `$size` replies with the pages there are.
const GROWING: &str = r#"
  (func $size (call $reply_i32 (memory.size)))
  (func $grow (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)))
  (elem (i32.const 0) $in_callback)
  (func $in_callback (param i32) (call $grow) (call $size))
  (func (export "canister_update grow") (call $grow) (call $size))
  (func (export "canister_query grow_in_query") (call $grow) (call $size))
  (func (export "canister_update nop") (call $msg_reply))
  (func (export "canister_query pages") (call $size))
  (func (export "canister_update grow_in_callback")
    (call $to_self (i32.const 210) (i32.const 5) (i32.const 0) (i32.const 0)) (call $go))
  (data (i32.const 210) "pages")
  (func (export "canister_update grow_stable")
    (call $reply_i64 (call $stable64_grow (i64.const 16))))
  (func (export "canister_update beyond_4_gib")
    (call $reply_i32 (memory.grow (i32.const 65536))))"#;

/// `wasm_memory_limit`: updates may not grow beyond it, nor begin above it; queries, callbacks and
/// timers may.
#[tokio::test(flavor = "multi_thread")]
async fn the_wasm_memory_limit_is_for_updates() {
    let case = Case::of(GROWING).await;
    let limit = async |pages: u64| {
        case.set(Settings {
            wasm_memory_limit: Some((pages * 65_536).into()),
            ..Settings::default()
        })
        .await;
    };
    limit(20).await;
    assert_eq!(case.update("grow").await.unwrap(), 17_u32.to_le_bytes());
    let words = "Wasm memory limit of 1310720 bytes";
    says(case.update("grow").await, "IC0539", words);
    assert_eq!(case.query("pages").await.unwrap(), 17_u32.to_le_bytes());
    assert_eq!(
        case.query("grow_in_query").await.unwrap(),
        33_u32.to_le_bytes()
    );
    let grown = case.update("grow_in_callback").await.unwrap();
    assert_eq!(grown, 33_u32.to_le_bytes());
    says(case.update("nop").await, "IC0539", "Wasm memory limit");
    assert_eq!(case.update("pages").await.unwrap(), 33_u32.to_le_bytes());
    limit(0).await;
    case.update("nop").await.unwrap();
}

/// An installation that ends above the limit fails, and leaves what was there.
#[tokio::test(flavor = "multi_thread")]
async fn the_wasm_memory_limit_is_for_installations() {
    let case = Case::of(GROWING).await;
    case.set(Settings {
        wasm_memory_limit: Some((2_u64 * 65_536).into()),
        ..Settings::default()
    })
    .await;
    let larger = canister(GROWING).replace("(memory 1)", "(memory 3)");
    let result = case.net.upgrade(&case.agent, case.id, &larger, b"").await;
    says(result.map_err(said), "IC0539", "Wasm memory limit");
    assert_eq!(case.query("pages").await.unwrap(), 1_u32.to_le_bytes());
}

/// `memory_allocation`: the canister uses so much in all; and a heap never exceeds 4 GiB.
#[tokio::test(flavor = "multi_thread")]
async fn the_memory_allocation_is_for_everything() {
    let case = Case::of(GROWING).await;
    assert_eq!(
        case.update("beyond_4_gib").await.unwrap(),
        (-1_i32).to_le_bytes()
    );
    case.set(Settings {
        memory_allocation: Some((30_u64 * 65_536).into()),
        ..Settings::default()
    })
    .await;
    assert_eq!(
        case.update("grow_stable").await.unwrap(),
        0_u64.to_le_bytes()
    );
    assert_eq!(
        case.update("grow_stable").await.unwrap(),
        (-1_i64).to_le_bytes()
    );
    let words = "cannot grow its memory usage";
    says(case.update("grow").await, "IC0507", words);
    assert_eq!(case.query("pages").await.unwrap(), 1_u32.to_le_bytes());
}

/// "Certified data" is at most 32 bytes.
#[tokio::test(flavor = "multi_thread")]
async fn certified_data_is_short() {
    let case = Case::of(
        r#"(func (export "canister_update fits")
          (call $certified_data_set (i32.const 0) (i32.const 32)) (call $msg_reply))
        (func (export "canister_update too_long")
          (call $certified_data_set (i32.const 0) (i32.const 33)) (call $msg_reply))"#,
    )
    .await;
    case.update("fits").await.unwrap();
    says(case.update("too_long").await, "IC0504", "certified");
}
