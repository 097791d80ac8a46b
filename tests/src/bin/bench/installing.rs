//! Canisters that are there only to be measured. Must not know what is measured.

use anyhow::Result;
use candid::{CandidType, Nat, Principal};
use salus_client::agent::ic_agent::Agent;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_tests::network::Network;
use serde::Deserialize;
use serde_bytes::ByteBuf;

const MANAGEMENT: Principal = Principal::management_canister();
/// Cycles for a local canister: 100 T, plenty.
const CYCLES: u64 = 100_000_000_000_000;

#[derive(CandidType)]
struct Create {
    amount: Option<Nat>,
}

#[derive(CandidType, Deserialize)]
struct Created {
    canister_id: Principal,
}

#[derive(CandidType, Deserialize)]
enum Mode {
    #[serde(rename = "install")]
    Install,
}

#[derive(CandidType)]
struct Install {
    mode: Mode,
    canister_id: Principal,
    wasm_module: ByteBuf,
    arg: ByteBuf,
}

/// An agent with all its checks on.
pub(crate) fn agent(network: &Network, key: u8) -> Result<Agent> {
    let agent = Agent::builder()
        .with_url(network.url())
        .with_identity(BasicIdentity::from_raw_key(&[key; 32]))
        .build()?;
    agent.set_root_key(network.root_key()?);
    Ok(agent)
}

/// Installs a canister of its own for somebody.
pub(crate) async fn install(agent: &Agent, wasm: Vec<u8>) -> Result<Principal> {
    let create = Create {
        amount: Some(Nat::from(CYCLES)),
    };
    let answer = agent
        .update(&MANAGEMENT, "provisional_create_canister_with_cycles")
        .with_effective_canister_id(MANAGEMENT)
        .with_arg(candid::encode_one(create)?)
        .call_and_wait()
        .await?;
    let Created { canister_id: id } = candid::decode_one(&answer)?;
    let install = Install {
        mode: Mode::Install,
        canister_id: id,
        wasm_module: ByteBuf::from(wasm),
        arg: ByteBuf::new(),
    };
    agent
        .update(&MANAGEMENT, "install_code")
        .with_effective_canister_id(id)
        .with_arg(candid::encode_one(install)?)
        .call_and_wait()
        .await?;
    Ok(id)
}
