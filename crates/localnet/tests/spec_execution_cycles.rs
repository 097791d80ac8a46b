//! Interface specification, "Cycles" and "Cycle cost calculation": what executions, messages and
//! memory cost, and what a canister may do that has too little.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::{CandidType, Decode, Encode, Nat, Principal};
use common::imports::canister;
use common::{IC, Net, reject_message, until};
use ic_agent::Agent;
use serde::Deserialize;

#[derive(CandidType)]
struct Id {
    canister_id: Principal,
}

#[derive(CandidType)]
struct TopUp {
    canister_id: Principal,
    amount: Nat,
}

#[derive(CandidType, Deserialize)]
struct Status {
    cycles: Nat,
}

const BODY: &str = r#"
  (elem (i32.const 0) $done)
  (func $done (param i32) (call $balance))
  (func $balance
    (call $canister_cycle_balance128 (i32.const 16384))
    (call $canister_liquid_cycle_balance128 (i32.const 16400))
    (call $msg_reply_data_append (i32.const 16384) (i32.const 32)) (call $msg_reply))
  (func $spin (local $i i32)
    (loop (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
      (i32.const 1000000)))))
  (func (export "canister_update work") (call $msg_reply))
  (func (export "canister_update spin") (call $spin) (call $msg_reply))
  (func (export "canister_update spin_and_fail") (call $spin) (call $fail))
  (func (export "canister_query balance") (call $balance))
  (func (export "canister_update burn")
    (call $cycles_burn128 (i64.const 0) (i64.const 1000000000) (i32.const 16384))
    (call $msg_reply_data_append (i32.const 16384) (i32.const 16)) (call $msg_reply))
  (func (export "canister_update burn_all")
    (call $cycles_burn128 (i64.const -1) (i64.const -1) (i32.const 16384)) (call $msg_reply))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_update call")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))
  (func (export "canister_query cost")
    (call $cost_call (i64.const 10) (i64.const 90) (i32.const 16384))
    (call $msg_reply_data_append (i32.const 16384) (i32.const 16)) (call $msg_reply))
  (func (export "canister_update keep")
    (drop (call $stable64_grow (i64.const 16384))) (call $msg_reply))
  (func (export "canister_update try_to_call")
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0))
    (call $reply_i32 (call $call_perform)))"#;

struct Case {
    net: Net,
    agent: Agent,
    id: Principal,
}

impl Case {
    async fn start() -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let id = net.install(&agent, &canister(BODY), b"").await;
        Self { net, agent, id }
    }

    async fn update(&self, method: &str) -> Result<Vec<u8>, String> {
        let call = self.agent.update(&self.id, method);
        call.call_and_wait().await.map_err(|e| reject_message(&e))
    }

    /// Its cycles, and those it may spend.
    async fn balance(&self) -> (u128, u128) {
        let reply = self.agent.query(&self.id, "balance").call().await.unwrap();
        numbers(&reply)
    }

    async fn status(&self) -> u128 {
        let arg = Encode!(&Id {
            canister_id: self.id
        })
        .unwrap();
        let call = self.agent.update(&IC, "canister_status").with_arg(arg);
        let reply = call
            .with_effective_canister_id(self.id)
            .call_and_wait()
            .await;
        let status = Decode!(&reply.unwrap(), Status).unwrap();
        u128::try_from(status.cycles.0).unwrap()
    }

    /// What an update takes from the canister.
    async fn cost(&self, method: &str) -> u128 {
        let before = self.balance().await.0;
        let _ = self.update(method).await;
        before - self.balance().await.0
    }
}

fn numbers(reply: &[u8]) -> (u128, u128) {
    (
        u128::from_le_bytes(reply[..16].try_into().unwrap()),
        u128::from_le_bytes(reply[16..].try_into().unwrap()),
    )
}

/// A request costs 1.2 M and 2,000 a byte, an execution 5 M and 1 an instruction, also when it
/// traps. (Keeping this canister costs some hundred cycles a second.)
#[tokio::test(flavor = "multi_thread")]
async fn requests_and_executions_are_paid_for() {
    let case = Case::start().await;
    let about = |cost: u128, expected: u128| {
        assert!(
            (expected..expected + 1_000_000).contains(&cost),
            "{cost}, not {expected}"
        );
    };
    about(case.cost("work").await, 1_200_000 + 4 * 2_000 + 5_000_000);
    let spin = 7_000_000;
    let spun = case.cost("spin").await;
    assert!(spun > 1_200_000 + 8_000 + 5_000_000 + spin, "{spun}");
    let failed = case.cost("spin_and_fail").await;
    assert!(failed > 1_200_000 + 5_000_000 + spin, "{failed}");
    assert!(failed < 2 * spun, "{failed}");
}

/// Queries cost nothing.
#[tokio::test(flavor = "multi_thread")]
async fn queries_are_free() {
    let case = Case::start().await;
    let before = case.status().await;
    for _ in 0..10 {
        case.agent.query(&case.id, "nop").call().await.unwrap();
    }
    assert!(before - case.status().await < 1_000_000);
}

/// During an execution what it may cost at most is put aside, and given back afterwards; a call
/// costs what it says and gives back what its answer did not need.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_aside_comes_back() {
    let case = Case::start().await;
    let before = case.balance().await.0;
    let (during, _) = numbers(&case.update("call").await.unwrap());
    let after = case.balance().await.0;
    assert!(before - during > 40_000_000_000, "{during}");
    assert!(before - after < 100_000_000, "{}", before - after);
    let reply = case.agent.query(&case.id, "cost").call().await.unwrap();
    let cost = u128::from_le_bytes(reply.try_into().unwrap());
    let answer = 1_000 * (2 << 20) + 5_000_000 + 40_000_000_000;
    assert_eq!(cost, 260_000 + 1_000 * 100 + answer);
}

/// `cycles_burn128` burns what it says, and at most what leaves the canister unfrozen.
#[tokio::test(flavor = "multi_thread")]
async fn cycles_can_be_burned() {
    let case = Case::start().await;
    let before = case.balance().await.0;
    let burned = case.update("burn").await.unwrap();
    assert_eq!(burned, 1_000_000_000_u128.to_le_bytes());
    assert!(before - case.balance().await.0 >= 1_000_000_000);
    case.update("burn_all").await.unwrap();
    // What the execution had put aside is still there.
    let (balance, liquid) = case.balance().await;
    assert!(balance < 50_000_000_000, "{balance}");
    assert!(balance > liquid);
}

/// Memory is paid for as time goes by: 127,000 cycles a GiB and second.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_paid_for_over_time() {
    let case = Case::start().await;
    case.update("keep").await.unwrap();
    let before = case.status().await;
    let day = 24 * 3_600;
    case.net
        .localnet
        .advance_time(day * 1_000_000_000)
        .await
        .unwrap();
    let paid = before - case.status().await;
    let expected = 127_000 * u128::from(day);
    assert!((expected..expected * 102 / 100).contains(&paid), "{paid}");
}

/// Below the freezing threshold a canister takes no updates (SYS_TRANSIENT, IC0207) and no
/// queries, and makes no calls; topped up it does again.
#[tokio::test(flavor = "multi_thread")]
async fn a_canister_without_cycles_is_frozen() {
    let case = Case::start().await;
    case.update("keep").await.unwrap();
    let (balance, liquid) = case.balance().await;
    // 30 days of a GiB and a little.
    assert!(balance - liquid > 127_000 * 30 * 24 * 3_600);
    case.update("burn_all").await.unwrap();
    let error = case.update("work").await.unwrap_err();
    assert!(error.contains("is out of cycles"), "{error}");
    // Until time has passed it can still be asked.
    case.agent.query(&case.id, "nop").call().await.unwrap();
    case.net
        .localnet
        .advance_time(30 * 24 * 3_600 * 1_000_000_000)
        .await
        .unwrap();
    case.status().await;
    let error = case.agent.query(&case.id, "nop").call().await.unwrap_err();
    assert!(reject_message(&error).contains("frozen"), "{error}");
    let arg = TopUp {
        canister_id: case.id,
        amount: 10_000_000_000_000_u64.into(),
    };
    case.agent
        .update(&IC, "provisional_top_up_canister")
        .with_effective_canister_id(case.id)
        .with_arg(Encode!(&arg).unwrap())
        .call_and_wait()
        .await
        .unwrap();
    case.update("work").await.unwrap();
    let made = case.update("try_to_call").await;
    // The call was made, so that its callback answers.
    made.unwrap();
    until(async || case.net.runs(case.id, "callback").await == 1).await;
}
