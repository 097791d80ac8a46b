//! How fast the local network answers, through an agent that verifies everything. Must not know
//! the vault.

use crate::installing::{agent, install};
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use candid::Principal;
use salus_client::agent::ic_agent::Agent;
use salus_tests::network::{Network, Options};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const GROUP: &str = "local network";
const QUERIES: usize = 1_000;
const UPDATES: usize = 300;
const CLIENTS: u8 = 100;
/// What each of many clients does.
const EACH: usize = 20;
/// Stable memory of the large canister: 4 GiB, in WebAssembly pages and in MiB.
const LARGE: u64 = 65_536;
const FILLED: u64 = 4_096;
/// Budgets, ms.
const QUERY: f64 = 1.0;
const UPDATE: f64 = 5.0;
/// How much dearer a message may be beside 4 GiB than beside 64 KiB: noise only.
const GROWTH: f64 = 1.25;

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

async fn query(agent: &Agent, id: Principal) -> Result<Duration> {
    let began = Instant::now();
    agent.query(&id, "look").call().await?;
    Ok(began.elapsed())
}

async fn update(agent: &Agent, id: Principal, method: &str, arg: u64) -> Result<Duration> {
    let began = Instant::now();
    let call = agent.update(&id, method).with_arg(arg.to_le_bytes());
    call.call_and_wait().await?;
    Ok(began.elapsed())
}

async fn queries(agent: &Agent, id: Principal) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(QUERIES);
    for _ in 0..QUERIES {
        times.push(query(agent, id).await?);
    }
    Ok(times)
}

async fn updates(agent: &Agent, id: Principal) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(UPDATES);
    for _ in 0..UPDATES {
        times.push(update(agent, id, "count", 0).await?);
    }
    Ok(times)
}

/// Measures the network.
pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let network = Network::start(Options::default())?;
    let agent = agent(&network, 1)?;
    let wasm = wat::parse_str(include_str!("localnet.wat"))?;
    let small = install(&agent, wasm.clone()).await?;
    // The first query fetches the node's keys.
    query(&agent, small).await?;

    let mut looked = queries(&agent, small).await?;
    let median = percentile(&mut looked, 50);
    report.budgeted(GROUP, "query, p50", median, "ms", QUERY);
    let slowest = percentile(&mut looked, 99);
    report.known(GROUP, "query, p99", slowest, "ms");
    let mut counted = updates(&agent, small).await?;
    let median = percentile(&mut counted, 50);
    report.budgeted(GROUP, "small update, p50", median, "ms", UPDATE);
    let slowest = percentile(&mut counted, 99);
    report.known(GROUP, "small update, p99", slowest, "ms");

    many_clients(report, &network, small).await?;

    let large = install(&agent, wasm.clone()).await?;
    update(&agent, large, "grow", LARGE).await?;
    for part in 0..FILLED {
        update(&agent, large, "fill", part).await?;
    }
    // By turns, so that whatever else the machine does weighs on both.
    let (mut looked, mut counted) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..UPDATES {
        for (at, id) in [small, large].into_iter().enumerate() {
            counted[at].push(update(&agent, id, "count", 0).await?);
            for _ in 0..QUERIES / UPDATES {
                looked[at].push(query(&agent, id).await?);
            }
        }
    }
    let [small_query, looked] = looked.map(|mut times| percentile(&mut times, 50));
    let [small_update, counted] = counted.map(|mut times| percentile(&mut times, 50));
    let beside = "beside 4 GiB of stable memory, p50";
    report.budgeted(GROUP, &format!("query {beside}"), looked, "ms", QUERY);
    report.budgeted(
        GROUP,
        &format!("small update {beside}"),
        counted,
        "ms",
        UPDATE,
    );
    let more = "as much as beside 64 KiB";
    report.budgeted(GROUP, "that query", looked / small_query, more, GROWTH);
    report.budgeted(GROUP, "that update", counted / small_update, more, GROWTH);

    beside_a_long_update(report, &agent, wasm, small).await
}

/// A hundred clients at once, each an identity of its own.
async fn many_clients(report: &mut Report, network: &Network, id: Principal) -> Result<()> {
    let mut clients = JoinSet::new();
    for key in 0..CLIENTS {
        let agent = agent(network, key.wrapping_add(100))?;
        clients.spawn(async move {
            let mut times = (Vec::new(), Vec::new());
            for _ in 0..EACH {
                times.0.push(query(&agent, id).await?);
                times.1.push(update(&agent, id, "count", 0).await?);
            }
            anyhow::Ok(times)
        });
    }
    let began = Instant::now();
    let (mut looked, mut counted) = (Vec::new(), Vec::new());
    let mut failed = 0.0;
    while let Some(client) = clients.join_next().await {
        match client.context("a client")? {
            Ok(times) => {
                looked.extend(times.0);
                counted.extend(times.1);
            }
            Err(error) => {
                eprintln!("a client of many: {error:#}");
                failed += 1.0;
            }
        }
    }
    let rate = (looked.len() + counted.len()) as f64 / began.elapsed().as_secs_f64();
    let name = format!("{CLIENTS} clients at once");
    report.budgeted(
        GROUP,
        &format!("{name}, not served"),
        failed,
        "clients",
        0.0,
    );
    report.known(GROUP, &name, rate, "calls/s");
    let slowest = percentile(&mut looked, 99);
    report.known(GROUP, &format!("{name}: query, p99"), slowest, "ms");
    let slowest = percentile(&mut counted, 99);
    report.known(GROUP, &format!("{name}: update, p99"), slowest, "ms");
    Ok(())
}

/// Calls of one canister while another spends all the instructions of an update.
async fn beside_a_long_update(
    report: &mut Report,
    agent: &Agent,
    wasm: Vec<u8>,
    id: Principal,
) -> Result<()> {
    let busy = install(agent, wasm).await?;
    let long = {
        let agent = agent.clone();
        tokio::spawn(async move { update(&agent, busy, "forever", 0).await })
    };
    // Once it is answered that the long one is on its way: the agent polls for it.
    update(agent, id, "count", 0).await?;
    let looked = percentile(&mut queries(agent, id).await?, 50);
    let counted = percentile(&mut updates(agent, id).await?, 50);
    ensure!(!long.is_finished(), "the long update was over too early");
    let beside = "beside an update of 40 G instructions, p50";
    report.budgeted(GROUP, &format!("query {beside}"), looked, "ms", QUERY);
    report.budgeted(
        GROUP,
        &format!("small update {beside}"),
        counted,
        "ms",
        UPDATE,
    );
    long.abort();
    Ok(())
}
