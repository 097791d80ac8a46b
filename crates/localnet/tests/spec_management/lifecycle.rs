//! Creating, starting, stopping and deleting canisters, and cycles: "IC method create_canister",
//! "stop_canister", "start_canister", "delete_canister", "uninstall_code", "deposit_cycles",
//! "provisional_create_canister_with_cycles", "provisional_top_up_canister", "raw_rand".

use crate::common::management::{
    PROXY, about, call, events, forward, forward_to, refused, status, with,
};
use crate::common::{CALLS, COUNTER, IC, Net, until};
use candid::{Encode, Nat, Principal};
use ic_agent::Agent;
use ic_management_canister_types::{
    CanisterIdRecord, CanisterStatusType, ChangeDetails, ChangeOrigin, CreateCanisterArgs,
    ProvisionalCreateCanisterWithCyclesArgs, ProvisionalTopUpCanisterArgs,
};

const FEE: u64 = 500_000_000_000;

async fn cycles(agent: &Agent, id: Principal) -> Nat {
    status(agent, id).await.unwrap().cycles
}

/// §create_canister: the fee is taken from the cycles that come along; the caller controls the
/// new canister, and is named in its history.
#[tokio::test(flavor = "multi_thread")]
async fn creation_costs_cycles_that_come_along() {
    let (_net, agent, proxy) = with(PROXY).await;
    let args = || CreateCanisterArgs::default();
    let (answer, refunded) =
        forward::<(CanisterIdRecord,)>(&agent, proxy, "create_canister", (args(),), FEE - 1).await;
    let (code, message) = answer.unwrap_err();
    assert_eq!((code, refunded), (4, u128::from(FEE - 1)));
    assert!(message.contains("requires a fee"), "{message}");
    let before = cycles(&agent, proxy).await;
    let (answer, refunded) =
        forward::<(CanisterIdRecord,)>(&agent, proxy, "create_canister", (args(),), FEE + 9).await;
    let (created,) = answer.unwrap();
    assert_eq!(refunded, 0);
    // Besides, it paid for executing and calling.
    assert!(before - cycles(&agent, proxy).await >= FEE + 9);
    let info = crate::common::management::info(&agent, created.canister_id, 1).await;
    assert_eq!(info.controllers, [proxy]);
    assert!(matches!(
        &info.recent_changes[0].origin,
        ChangeOrigin::FromCanister(origin) if origin.canister_id == proxy
    ));
    let error = status(&agent, created.canister_id).await.unwrap_err();
    error.is(5, "IC0512", "Only controllers");
    let args = CanisterIdRecord {
        canister_id: created.canister_id,
    };
    let (answer, _) = forward::<(ic_management_canister_types::CanisterStatusResult,)>(
        &agent,
        proxy,
        "canister_status",
        (args,),
        0,
    )
    .await;
    assert_eq!(answer.unwrap().0.cycles, Nat::from(9_u8));
}

/// §provisional_create_canister_with_cycles: 100 T unless an amount is named; an id of this subnet
/// may be asked for, once and for all.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_given_once_even_when_its_canister_is_gone() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 42, 1, 1]);
    let create = async |specified_id, amount: Option<u64>| {
        let args = ProvisionalCreateCanisterWithCyclesArgs {
            specified_id: Some(specified_id),
            amount: amount.map(Nat::from),
            ..ProvisionalCreateCanisterWithCyclesArgs::default()
        };
        let method = "provisional_create_canister_with_cycles";
        call::<(CanisterIdRecord,)>(&agent, IC, method, (args,)).await
    };
    let (created,) = create(id, Some(5)).await.unwrap();
    assert_eq!(created.canister_id, id);
    assert_eq!(cycles(&agent, id).await, Nat::from(5_u8));
    let error = create(id, None).await.unwrap_err();
    error.is(2, "IC0205", "already exists");
    about::<()>(&agent, id, "stop_canister").await.unwrap();
    about::<()>(&agent, id, "delete_canister").await.unwrap();
    let error = create(id, None).await.unwrap_err();
    error.is(2, "IC0205", "already exists");
    let net = net.restart().await;
    let again = net.create_as(&net.agent().await, Some(id)).await;
    refused(again.unwrap_err()).is(2, "IC0205", "already exists");
    let error = net
        .create_as(&net.agent().await, Some(Principal::anonymous()))
        .await
        .unwrap_err();
    refused(error).is(4, "IC0405", "not a canister id of this subnet");
    let agent = net.agent().await;
    let other = net.create(&agent).await;
    assert_eq!(
        cycles(&agent, other).await,
        Nat::from(100_000_000_000_000_u64)
    );
}

/// §deposit_cycles, §provisional_top_up_canister.
#[tokio::test(flavor = "multi_thread")]
async fn cycles_are_given() {
    let (net, agent, proxy) = with(PROXY).await;
    let id = net.create(&agent).await;
    let before = cycles(&agent, id).await;
    let args = CanisterIdRecord { canister_id: id };
    let (done, refunded) = forward::<()>(&agent, proxy, "deposit_cycles", (args,), 123).await;
    done.unwrap();
    assert_eq!(refunded, 0);
    assert_eq!(cycles(&agent, id).await - before.clone(), Nat::from(123_u8));
    let args = ProvisionalTopUpCanisterArgs {
        canister_id: id,
        amount: Nat::from(7_u8),
    };
    let stranger = net.agent().await;
    call::<()>(&stranger, id, "provisional_top_up_canister", (args,))
        .await
        .unwrap();
    assert_eq!(cycles(&agent, id).await - before, Nat::from(130_u8));
    let missing = Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 43, 1, 1]);
    let args = CanisterIdRecord {
        canister_id: missing,
    };
    let (answer, refunded) = forward::<()>(&agent, proxy, "deposit_cycles", (args,), 123).await;
    assert_eq!((answer.unwrap_err().0, refunded), (3, 123));
}

/// §stop_canister, §start_canister: a stopped canister takes no calls; the version counts every
/// change of status.
#[tokio::test(flavor = "multi_thread")]
async fn stopped_canisters_take_no_calls() {
    let (_net, agent, id) = with(COUNTER).await;
    let version = status(&agent, id).await.unwrap().version;
    about::<()>(&agent, id, "stop_canister").await.unwrap();
    let stopped = status(&agent, id).await.unwrap();
    assert_eq!(stopped.status, CanisterStatusType::Stopped);
    assert!(stopped.version > version);
    let error = agent.update(&id, "inc").call_and_wait().await.unwrap_err();
    refused(error).is(5, "IC0508", "is stopped");
    let error = agent.query(&id, "get").call().await.unwrap_err();
    refused(error).is(5, "IC0508", "is stopped");
    // Stopping and starting again do no harm.
    about::<()>(&agent, id, "stop_canister").await.unwrap();
    about::<()>(&agent, id, "start_canister").await.unwrap();
    about::<()>(&agent, id, "start_canister").await.unwrap();
    agent.update(&id, "inc").call_and_wait().await.unwrap();
}

/// Somebody whose call to `proxy` stays open until `holder` is released.
async fn hold(agent: &Agent, proxy: Principal, holder: Principal) -> tokio::task::JoinHandle<()> {
    let caller = agent.clone();
    let held = tokio::spawn(async move {
        forward_to(&caller, proxy, holder, "hold", b"", 0)
            .await
            .0
            .unwrap();
    });
    until(async || agent.query(&holder, "held").call().await.unwrap() == [1]).await;
    held
}

/// §stop_canister: with calls open the canister is stopping, rejects new ones, and is stopped,
/// and the stop call answered, when they have ended.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_open_calls() {
    let (net, agent, proxy) = with(PROXY).await;
    let holder = net.install(&agent, PROXY, b"").await;
    let held = hold(&agent, proxy, holder).await;
    let stopper = agent.clone();
    let stop = tokio::spawn(async move { about::<()>(&stopper, proxy, "stop_canister").await });
    until(async || status(&agent, proxy).await.unwrap().status == CanisterStatusType::Stopping)
        .await;
    let error = agent.update(&proxy, "release").call_and_wait().await;
    refused(error.unwrap_err()).is(5, "IC0509", "is stopping");
    agent
        .update(&holder, "release")
        .call_and_wait()
        .await
        .unwrap();
    stop.await.unwrap().unwrap();
    held.await.unwrap();
    let stopped = status(&agent, proxy).await.unwrap();
    assert_eq!(stopped.status, CanisterStatusType::Stopped);
}

/// §start_canister: starting a canister that is stopping rejects the calls that wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn starting_cancels_stopping() {
    let (net, agent, proxy) = with(PROXY).await;
    let holder = net.install(&agent, PROXY, b"").await;
    let held = hold(&agent, proxy, holder).await;
    let stopper = agent.clone();
    let stop = tokio::spawn(async move { about::<()>(&stopper, proxy, "stop_canister").await });
    until(async || status(&agent, proxy).await.unwrap().status == CanisterStatusType::Stopping)
        .await;
    about::<()>(&agent, proxy, "start_canister").await.unwrap();
    stop.await
        .unwrap()
        .unwrap_err()
        .is(5, "IC0511", "cancelled");
    agent
        .update(&holder, "release")
        .call_and_wait()
        .await
        .unwrap();
    held.await.unwrap();
}

/// §stop_canister: the call is rejected after a while, and the canister goes on stopping.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_call_gives_up() {
    let (net, agent, proxy) = with(PROXY).await;
    let holder = net.install(&agent, PROXY, b"").await;
    let held = hold(&agent, proxy, holder).await;
    let stopper = agent.clone();
    let stop = tokio::spawn(async move { about::<()>(&stopper, proxy, "stop_canister").await });
    until(async || status(&agent, proxy).await.unwrap().status == CanisterStatusType::Stopping)
        .await;
    net.localnet.advance_time(301_000_000_000).await.unwrap();
    stop.await
        .unwrap()
        .unwrap_err()
        .is(2, "IC0206", "timed out");
    let stopping = status(&agent, proxy).await.unwrap();
    assert_eq!(stopping.status, CanisterStatusType::Stopping);
    agent
        .update(&holder, "release")
        .call_and_wait()
        .await
        .unwrap();
    held.await.unwrap();
    let stopped = status(&agent, proxy).await.unwrap();
    assert_eq!(stopped.status, CanisterStatusType::Stopped);
}

/// §delete_canister: stopped canisters only, and none deletes itself.
#[tokio::test(flavor = "multi_thread")]
async fn only_stopped_canisters_are_deleted_and_by_others() {
    let (_net, agent, id) = with(COUNTER).await;
    let error = about::<()>(&agent, id, "delete_canister")
        .await
        .unwrap_err();
    error.is(5, "IC0510", "must be stopped");
    about::<()>(&agent, id, "stop_canister").await.unwrap();
    about::<()>(&agent, id, "delete_canister").await.unwrap();
    let error = status(&agent, id).await.unwrap_err();
    error.is(3, "IC0301", "not found");
    let error = about::<()>(&agent, id, "delete_canister")
        .await
        .unwrap_err();
    error.is(3, "IC0301", "not found");

    let proxy = crate::common::install(&agent, PROXY).await;
    let args = CanisterIdRecord { canister_id: proxy };
    let (answer, _) = forward::<()>(&agent, proxy, "delete_canister", (args,), 0).await;
    let (code, message) = answer.unwrap_err();
    assert_eq!(code, 5);
    assert!(message.contains("cannot delete itself"), "{message}");
}

/// §uninstall_code: open calls are rejected with all their cycles, certified data, timer, memories
/// and chunk store are gone, and the canister keeps its cycles, controllers and status.
#[tokio::test(flavor = "multi_thread")]
async fn uninstalling_rejects_open_calls_and_empties() {
    let (net, agent, holder) = with(PROXY).await;
    let proxy = net.install(&agent, PROXY, b"").await;
    let caller = agent.clone();
    let open =
        tokio::spawn(async move { forward_to(&caller, proxy, holder, "hold", b"", 777).await });
    until(async || agent.query(&holder, "held").call().await.unwrap() == [1]).await;
    let before = cycles(&agent, holder).await;
    about::<()>(&agent, holder, "uninstall_code").await.unwrap();
    let (answer, refunded) = open.await.unwrap();
    let (code, message) = answer.unwrap_err();
    assert_eq!((code, refunded), (4, 777));
    assert!(message.contains("uninstalled"), "{message}");
    let empty = status(&agent, holder).await.unwrap();
    assert_eq!(empty.module_hash, None);
    assert!(empty.cycles >= before);
    assert_eq!(empty.status, CanisterStatusType::Running);
    assert_eq!(empty.memory_metrics.wasm_memory_size, Nat::from(0_u8));
    let past = events(&agent, holder).await;
    assert_eq!(past.last(), Some(&ChangeDetails::CodeUninstall));
    let error = agent.update(&holder, "release").call_and_wait().await;
    refused(error.unwrap_err()).is(5, "IC0537", "no Wasm module");

    // Its timer does not fire for the code that comes after.
    let id = net.install(&agent, CALLS, b"").await;
    agent
        .update(&id, "set_timer_far")
        .call_and_wait()
        .await
        .unwrap();
    about::<()>(&agent, id, "uninstall_code").await.unwrap();
    crate::common::upload(&agent, id, "install", CALLS, b"")
        .await
        .unwrap();
    net.localnet.advance_time(7_200_000_000_000).await.unwrap();
    agent.update(&id, "rand").call_and_wait().await.unwrap();
    let state = agent.query(&id, "state").call().await.unwrap();
    assert_eq!(state[8..12], [0; 4]);
}

/// §raw_rand: 32 new bytes for every call, for canisters only, and it takes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn randomness_is_new_every_time() {
    let (_net, agent, proxy) = with(PROXY).await;
    let draw = async || {
        let (answer, _) =
            forward::<(serde_bytes::ByteBuf,)>(&agent, proxy, "raw_rand", (), 0).await;
        answer.unwrap().0
    };
    let first = draw().await;
    assert_eq!(first.len(), 32);
    assert_ne!(first, draw().await);
    let error = agent
        .update(&IC, "raw_rand")
        .with_effective_canister_id(proxy)
        .with_arg(Encode!().unwrap())
        .call_and_wait()
        .await
        .unwrap_err();
    refused(error).is(4, "IC0406", "Only canisters");
}
