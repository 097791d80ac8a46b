//! Executions that run into a limit of their own: instructions, and pages of stable memory
//! touched. The call is rejected with the code of that limit, and nothing of the execution stays;
//! what just fits is carried out. Filling and reading much at a time gets there in seconds, because
//! it is counted by the byte.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use candid::Principal;
use common::imports::canister;
use common::management::{Refused, refused};
use common::{Net, certified_data};
use ic_agent::Agent;

/// `$change` adds one to heap, global, stable memory, its pages and what is certified; `$spend`
/// fills 32 KiB again and again; `$touch` reads so many runs of 64 KiB of stable memory, and a byte
/// of the next page when told to.
const EXHAUSTING: &str = r#"
  (elem (i32.const 0) $spend_again)
  (func $change
    (i32.store (i32.const 20000) (i32.add (i32.load (i32.const 20000)) (i32.const 1)))
    (global.set $g (i32.add (global.get $g) (i32.const 1)))
    (drop (call $stable64_grow (i64.const 1)))
    (call $stable64_write (i64.const 0) (i64.const 20000) (i64.const 4))
    (call $certified_data_set (i32.const 20000) (i32.const 4)))
  (func $args
    (call $msg_arg_data_copy (i32.const 20008) (i32.const 0) (call $msg_arg_data_size)))
  (func $spend (param $times i32)
    (if (local.get $times) (then (loop $more
      (memory.fill (i32.const 32768) (i32.const 7) (i32.const 32768))
      (br_if $more (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))))
  (func $touch (param $runs i32) (param $one_more i32) (local $at i64)
    (loop $more
      (call $stable64_read (i64.const 65536) (local.get $at) (i64.const 65536))
      (local.set $at (i64.add (local.get $at) (i64.const 65536)))
      (br_if $more (local.tee $runs (i32.sub (local.get $runs) (i32.const 1)))))
    (if (local.get $one_more)
      (then (call $stable64_read (i64.const 65536) (local.get $at) (i64.const 1)))))
  (func $spend_again (param i32)
    (call $change) (call $spend (i32.load (i32.const 20012))) (call $msg_reply))
  (func (export "canister_init")
    (drop (memory.grow (i32.const 1))) (drop (call $stable64_grow (i64.const 40000))))
  (func (export "canister_update spend")
    (call $args) (call $change) (call $spend (i32.load (i32.const 20008))) (call $msg_reply))
  (func (export "canister_update spend_and_await")
    (call $args) (call $change) (call $spend (i32.load (i32.const 20008)))
    (call $to_self (i32.const 100) (i32.const 3) (i32.const 0) (i32.const 0)) (call $go))
  (func (export "canister_query nop") (call $msg_reply))
  (func (export "canister_query look")
    (call $args) (call $spend (i32.load (i32.const 20008))) (call $msg_reply))
  (func (export "canister_update touch")
    (call $args) (call $change)
    (call $touch (i32.load (i32.const 20008)) (i32.load (i32.const 20012))) (call $msg_reply))
  (func (export "canister_query look_at")
    (call $args)
    (call $touch (i32.load (i32.const 20008)) (i32.load (i32.const 20012))) (call $msg_reply))
  (func (export "canister_query parts")
    (call $stable64_read (i64.const 20004) (i64.const 0) (i64.const 4))
    (i32.store (i32.const 20008) (global.get $g))
    (i32.store (i32.const 20012) (i32.sub (i32.wrap_i64 (call $stable64_size)) (i32.const 40000)))
    (call $msg_reply_data_append (i32.const 20000) (i32.const 16))
    (call $msg_reply))
  (func (export "canister_query certificate")
    (call $data_certificate_copy (i32.const 24000) (i32.const 0) (call $data_certificate_size))
    (call $msg_reply_data_append (i32.const 24000) (call $data_certificate_size))
    (call $msg_reply))"#;

/// Instructions, whatever the message.
const UPDATE: u64 = 40_000_000_000;
const QUERY: u64 = 5_000_000_000;
/// What one filling of 32 KiB costs, with the loop around it: a little less than this.
const FILL: u64 = 32_900;

struct Case {
    net: Net,
    agent: Agent,
    id: Principal,
}

impl Case {
    async fn new() -> Self {
        let net = Net::start().await;
        let agent = net.agent().await;
        let id = net.install(&agent, &canister(EXHAUSTING), b"").await;
        Self { net, agent, id }
    }

    async fn update(&self, method: &str, numbers: [u64; 2]) -> Result<Vec<u8>, Refused> {
        let call = self.agent.update(&self.id, method).with_arg(arg(numbers));
        call.call_and_wait().await.map_err(refused)
    }

    async fn query(&self, method: &str, numbers: [u64; 2]) -> Result<Vec<u8>, Refused> {
        let call = self.agent.query(&self.id, method).with_arg(arg(numbers));
        call.call().await.map_err(refused)
    }

    /// Checks that everything was changed so many times.
    async fn changed(&self, times: u32) {
        let parts = self.query("parts", [0; 2]).await.unwrap();
        assert_eq!(parts, times.to_le_bytes().repeat(4), "{times}");
        let data = certified_data(&self.agent, self.id).await;
        let expected = times.to_le_bytes();
        assert_eq!(data, if times == 0 { &[] } else { &expected[..] });
    }

    /// What the last execution is counted as.
    async fn last(&self) -> (String, u64) {
        self.net.costs(self.id).await.pop().unwrap()
    }
}

fn arg(numbers: [u64; 2]) -> Vec<u8> {
    let numbers = numbers.map(|number| u32::try_from(number).unwrap());
    numbers.map(u32::to_le_bytes).concat()
}

/// "Limits": an update may spend 40 billion instructions, and so may each callback after it,
/// whatever was spent before.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_spends_too_much_is_taken_back() {
    let case = Case::new().await;
    case.update("spend", [1, 0]).await.unwrap();
    case.changed(1).await;
    let too_much = UPDATE / FILL * 102 / 100;
    let error = case.update("spend", [too_much, 0]).await.unwrap_err();
    error.is(
        5,
        "IC0522",
        "exceeded the limit of 40000000000 instructions",
    );
    assert_eq!(case.last().await, ("update".to_owned(), UPDATE));
    case.changed(1).await;

    let more_than_half = UPDATE / FILL * 6 / 10;
    case.update("spend_and_await", [more_than_half; 2])
        .await
        .unwrap();
    case.changed(3).await;

    // What was done before the await stays.
    let error = case.update("spend_and_await", [1, too_much]).await;
    let words = "exceeded the limit of 40000000000 instructions";
    error.unwrap_err().is(5, "IC0522", words);
    case.changed(4).await;
    // And the canister goes on.
    case.update("spend", [1, 0]).await.unwrap();
    case.changed(5).await;
}

/// "Limits": a query may spend 5 billion instructions, called as an update too.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_spends_too_much_is_refused_however_it_is_called() {
    let case = Case::new().await;
    let (fits, too_much) = (QUERY / FILL * 98 / 100, QUERY / FILL * 102 / 100);
    let words = "exceeded the limit of 5000000000 instructions";
    case.query("look", [fits, 0]).await.unwrap();
    let error = case.query("look", [too_much, 0]).await.unwrap_err();
    error.is(5, "IC0522", words);
    assert_eq!(case.last().await, ("query".to_owned(), QUERY));
    case.update("look", [fits, 0]).await.unwrap();
    let error = case.update("look", [too_much, 0]).await.unwrap_err();
    error.is(5, "IC0522", words);
    assert_eq!(case.last().await, ("replicated_query".to_owned(), QUERY));
    case.changed(0).await;
}

/// "Limits": an update touches 2 GiB of stable memory at most, a query 1 GiB, called as an update
/// too; a byte on one more page is too much.
#[tokio::test(flavor = "multi_thread")]
async fn stable_pages_touched_are_limited() {
    let case = Case::new().await;
    let (one_gib, two_gib) = (1 << 14, 1 << 15);
    let words = "Exceeded the limit for the number of accessed pages in the stable memory";
    case.query("look_at", [one_gib, 0]).await.unwrap();
    let error = case.query("look_at", [one_gib, 1]).await.unwrap_err();
    error.is(5, "IC0524", words);
    let error = case.update("look_at", [one_gib, 1]).await.unwrap_err();
    error.is(5, "IC0524", words);
    case.update("touch", [two_gib, 0]).await.unwrap();
    case.changed(1).await;
    let error = case.update("touch", [two_gib, 1]).await.unwrap_err();
    error.is(5, "IC0524", words);
    case.changed(1).await;
}
