//! "IC method update_settings" and "IC method canister_status": what may be set, and who sees it.

use crate::common::management::{
    PROXY, about, events, forward, increase, query, set, status, take, with,
};
use crate::common::{COUNTER, Net};
use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterSettings, CanisterStatusResult, CanisterStatusType,
    EnvironmentVariable, LogVisibility, SnapshotVisibility, StatusVisibility,
};

fn nat(n: u128) -> Option<Nat> {
    Some(Nat::from(n))
}

/// §update_settings: every setting is kept and shown, and what is not named stays.
#[tokio::test(flavor = "multi_thread")]
async fn every_setting_is_kept_and_shown() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let me = agent.get_principal().unwrap();
    let id = net.create(&agent).await;
    let variables = vec![EnvironmentVariable {
        name: "name".into(),
        value: "value".into(),
    }];
    let all = CanisterSettings {
        controllers: Some(vec![me, id]),
        compute_allocation: nat(7),
        memory_allocation: nat(1 << 30),
        freezing_threshold: nat(u64::MAX.into()),
        reserved_cycles_limit: nat(u128::MAX),
        minimum_incoming_canister_call_cycles: nat(5),
        log_visibility: Some(LogVisibility::Public),
        log_memory_limit: nat(5000),
        snapshot_visibility: Some(SnapshotVisibility::Public),
        status_visibility: Some(StatusVisibility::AllowedViewers(vec![me])),
        wasm_memory_limit: nat((1 << 48) - 1),
        wasm_memory_threshold: nat(9),
        environment_variables: Some(variables.clone()),
    };
    set(&agent, id, all.clone()).await.unwrap();
    set(&agent, id, CanisterSettings::default()).await.unwrap();
    let shown = status(&agent, id).await.unwrap().settings;
    let mut controllers = vec![me, id];
    controllers.sort_unstable();
    assert_eq!(shown.controllers, controllers);
    assert_eq!(Some(shown.compute_allocation), all.compute_allocation);
    assert_eq!(Some(shown.memory_allocation), all.memory_allocation);
    assert_eq!(Some(shown.freezing_threshold), all.freezing_threshold);
    assert_eq!(Some(shown.reserved_cycles_limit), all.reserved_cycles_limit);
    assert_eq!(
        Some(shown.minimum_incoming_canister_call_cycles),
        all.minimum_incoming_canister_call_cycles
    );
    assert_eq!(Some(shown.log_visibility), all.log_visibility);
    assert_eq!(Some(shown.log_memory_limit), all.log_memory_limit);
    assert_eq!(Some(shown.snapshot_visibility), all.snapshot_visibility);
    assert_eq!(Some(shown.status_visibility), all.status_visibility);
    assert_eq!(Some(shown.wasm_memory_limit), all.wasm_memory_limit);
    assert_eq!(Some(shown.wasm_memory_threshold), all.wasm_memory_threshold);
    assert_eq!(shown.environment_variables, variables);
}

/// §create_canister, "settings": what is out of range is refused, and with it everything else that
/// was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_out_of_range_changes_nothing() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.create(&agent).await;
    let before = status(&agent, id).await.unwrap();
    let base = || CanisterSettings {
        freezing_threshold: nat(1),
        ..CanisterSettings::default()
    };
    let variable = |name: String, value: String| EnvironmentVariable { name, value };
    let many = (0..21)
        .map(|i| variable(i.to_string(), String::new()))
        .collect();
    let twice = vec![variable("a".into(), "1".into()); 2];
    let long = "x".repeat(129);
    let mut bad: Vec<(CanisterSettings, u32, &str, &str)> = Vec::new();
    let mut add = |change: &dyn Fn(&mut CanisterSettings), code, error_code, part| {
        let mut settings = base();
        change(&mut settings);
        bad.push((settings, code, error_code, part));
    };
    let eleven: Vec<Principal> = (0..11).map(|i| Principal::from_slice(&[i, 9])).collect();
    add(
        &|s| s.compute_allocation = nat(101),
        5,
        "IC0504",
        "compute_allocation",
    );
    add(
        &|s| s.memory_allocation = nat((2 << 40) + 1),
        1,
        "IC0101",
        "memory",
    );
    add(
        &|s| s.memory_allocation = nat(1),
        4,
        "IC0402",
        "memory allocation",
    );
    add(
        &|s| s.freezing_threshold = nat(1 << 64),
        5,
        "IC0504",
        "freezing_threshold",
    );
    add(
        &|s| s.wasm_memory_limit = nat(1 << 48),
        5,
        "IC0504",
        "wasm_memory_limit",
    );
    add(
        &|s| s.wasm_memory_threshold = nat((1 << 48) + 1),
        5,
        "IC0504",
        "threshold",
    );
    add(
        &|s| s.controllers = Some(eleven.clone()),
        4,
        "IC0408",
        "controllers",
    );
    add(
        &|s| s.environment_variables = Some(twice.clone()),
        4,
        "IC0408",
        "more than once",
    );
    let named = vec![variable(long.clone(), String::new())];
    add(
        &|s| s.environment_variables = Some(named.clone()),
        4,
        "IC0408",
        "name",
    );
    let valued = vec![variable("a".into(), long.clone())];
    add(
        &|s| s.environment_variables = Some(valued.clone()),
        4,
        "IC0408",
        "value",
    );
    let many: Vec<EnvironmentVariable> = many;
    add(
        &|s| s.environment_variables = Some(many.clone()),
        4,
        "IC0408",
        "Too many",
    );
    for (settings, code, error_code, part) in bad {
        let error = set(&agent, id, settings).await.unwrap_err();
        error.is(code, error_code, part);
    }
    let after = status(&agent, id).await.unwrap();
    assert_eq!(after.settings, before.settings);
    assert_eq!(after.version, before.version);
    assert_eq!(events(&agent, id).await.len(), 1);
}

/// §canister_status: controllers and the canister itself, unless `status_visibility` lets others;
/// by updates and by queries alike.
#[tokio::test(flavor = "multi_thread")]
async fn visibility_says_who_sees_the_status() {
    let (net, agent, proxy) = with(PROXY).await;
    let stranger = net.agent().await;
    let record = || CanisterIdRecord { canister_id: proxy };
    let ask = async |agent| {
        let asked = status(agent, proxy).await;
        let queried =
            query::<(CanisterStatusResult,)>(agent, proxy, "canister_status", (record(),)).await;
        assert_eq!(asked.is_ok(), queried.is_ok());
        asked
    };
    ask(&agent).await.unwrap();
    let error = ask(&stranger).await.unwrap_err();
    error.is(5, "IC0512", "Only controllers");
    // The canister may look at itself.
    let (own, _) =
        forward::<(CanisterStatusResult,)>(&agent, proxy, "canister_status", (record(),), 0).await;
    own.unwrap();
    let other = net.create(&agent).await;
    let args = CanisterIdRecord { canister_id: other };
    let (foreign, _) =
        forward::<(CanisterStatusResult,)>(&agent, proxy, "canister_status", (args,), 0).await;
    assert_eq!(foreign.unwrap_err().0, 5);

    let visible = |visibility| CanisterSettings {
        status_visibility: Some(visibility),
        ..CanisterSettings::default()
    };
    let viewers = StatusVisibility::AllowedViewers(vec![stranger.get_principal().unwrap()]);
    set(&agent, proxy, visible(viewers)).await.unwrap();
    ask(&stranger).await.unwrap();
    set(&agent, proxy, visible(StatusVisibility::Public))
        .await
        .unwrap();
    let anybody = net.agent().await;
    ask(&anybody).await.unwrap();
    set(&agent, proxy, visible(StatusVisibility::Controllers))
        .await
        .unwrap();
    ask(&stranger).await.unwrap_err();
}

/// §canister_status, "Memory metrics": parts add up, and queries are counted.
#[tokio::test(flavor = "multi_thread")]
async fn the_status_counts_memory_and_queries() {
    let (_net, agent, id) = with(COUNTER).await;
    increase(&agent, id, 1).await;
    let empty = status(&agent, id).await.unwrap();
    let metrics = &empty.memory_metrics;
    assert_eq!(metrics.wasm_memory_size, Nat::from(65_536_u32));
    assert_eq!(metrics.stable_memory_size, Nat::from(65_536_u32));
    assert_eq!(metrics.snapshots_size, Nat::from(0_u8));
    let binary = wat::parse_str(COUNTER).unwrap().len();
    assert_eq!(metrics.wasm_binary_size, Nat::from(binary));
    let parts = metrics.wasm_memory_size.clone()
        + metrics.stable_memory_size.clone()
        + metrics.global_memory_size.clone()
        + metrics.wasm_binary_size.clone()
        + metrics.canister_history_size.clone()
        + metrics.wasm_chunk_store_size.clone()
        + metrics.snapshots_size.clone()
        + metrics.log_memory_store_size.clone();
    assert_eq!(empty.memory_size, parts);
    assert!(empty.idle_cycles_burned_per_day > 0_u8);
    assert_eq!(empty.query_stats.num_calls_total, Nat::from(0_u8));

    let snapshot = take(&agent, id).await.unwrap();
    for _ in 0..3 {
        agent.query(&id, "get").call().await.unwrap();
    }
    let full = status(&agent, id).await.unwrap();
    assert_eq!(
        full.memory_metrics.snapshots_size,
        Nat::from(snapshot.total_size)
    );
    assert!(full.idle_cycles_burned_per_day > empty.idle_cycles_burned_per_day);
    assert_eq!(full.query_stats.num_calls_total, Nat::from(3_u8));
    assert_eq!(
        full.query_stats.response_payload_bytes_total,
        Nat::from(12_u8)
    );
    assert!(full.query_stats.num_instructions_total > 0_u8);

    assert!(!full.ready_for_migration);
    about::<()>(&agent, id, "stop_canister").await.unwrap();
    let stopped = status(&agent, id).await.unwrap();
    assert_eq!(stopped.status, CanisterStatusType::Stopped);
    assert!(stopped.ready_for_migration);
}

/// §minimum_incoming_canister_call_cycles: calls of other canisters must bring as many cycles;
/// agents and the canister itself need not.
#[tokio::test(flavor = "multi_thread")]
async fn calls_with_too_few_cycles_are_rejected() {
    let (net, agent, proxy) = with(PROXY).await;
    let id = net.install(&agent, PROXY, b"").await;
    let settings = CanisterSettings {
        minimum_incoming_canister_call_cycles: nat(1_000),
        ..CanisterSettings::default()
    };
    set(&agent, id, settings.clone()).await.unwrap();
    let call = async |cycles| {
        crate::common::management::forward_to(&agent, proxy, id, "half", b"", cycles).await
    };
    let (answer, refunded) = call(999).await;
    assert_eq!(answer.unwrap_err().0, 5);
    assert_eq!(refunded, 999);
    let (answer, refunded) = call(1_000).await;
    answer.unwrap();
    assert_eq!(refunded, 500);
    agent.update(&id, "half").call_and_wait().await.unwrap();
    set(&agent, proxy, settings).await.unwrap();
    let (answer, _) =
        crate::common::management::forward_to(&agent, proxy, proxy, "half", b"", 0).await;
    answer.unwrap();
}
