//! What plain operations of the same size cost on the same network: the yardstick canister. Must
//! not know the vault.

use crate::report::Report;
use anyhow::{Context as _, Result};
use candid::utils::ArgumentEncoder;
use candid::{CandidType, Nat, Principal};
use salus_client::agent::ic_agent::Agent;
use salus_client::agent::ic_agent::identity::BasicIdentity;
use salus_crypto::sign::SigningKey;
use salus_tests::built;
use salus_tests::network::Network;
use serde::Deserialize;
use serde_bytes::ByteBuf;

const GROUP: &str = "plain operations";
const MANAGEMENT: Principal = Principal::management_canister();
/// Cycles for a local canister: 100 T, plenty.
const CYCLES: u64 = 100_000_000_000_000;
/// As often as a B-tree needs to have nodes to split; the last one counts.
const TIMES: usize = 40;

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

struct Yardstick {
    agent: Agent,
    id: Principal,
}

impl Yardstick {
    async fn install(network: &Network) -> Result<Self> {
        let agent = Agent::builder()
            .with_url(network.url())
            .with_identity(BasicIdentity::from_raw_key(&[0x59; 32]))
            .build()?;
        agent.set_root_key(network.root_key()?);
        let path = built::canisters()?.join("yardstick.wasm.gz");
        let wasm = std::fs::read(&path)
            .with_context(|| format!("{}: build it with `cargo xtask bench`", path.display()))?;
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
        Ok(Self { agent, id })
    }

    async fn cost(&self, method: &str, args: impl ArgumentEncoder) -> Result<u64> {
        let answer = self
            .agent
            .update(&self.id, method)
            .with_arg(candid::encode_args(args)?)
            .call_and_wait()
            .await?;
        Ok(candid::decode_one(&answer)?)
    }
}

/// Measures plain operations.
pub(crate) async fn measure(report: &mut Report, network: &Network) -> Result<()> {
    let yardstick = Yardstick::install(network).await?;
    for (size, bytes) in [("4 KiB", 4 << 10), ("1 MiB", 1 << 20)] {
        let content = ByteBuf::from(vec![7; bytes]);
        for (what, method) in [
            ("raw stable write", "raw_write"),
            ("SHA-256", "sha256"),
            ("B-tree insert", "tree_insert"),
        ] {
            let times = if bytes > 4096 { 1 } else { TIMES };
            let mut cost = 0;
            for _ in 0..times {
                cost = yardstick.cost(method, (&content,)).await?;
            }
            let name = format!("{what}, {size}");
            report.known(GROUP, &name, cost as f64, "instructions");
        }
    }
    let key = SigningKey::from_seed(&[3; 32]);
    let message = [5; 200];
    let args = (
        ByteBuf::from(key.public()),
        ByteBuf::from(message),
        ByteBuf::from(key.sign(&message)),
    );
    let cost = yardstick.cost("verify", args).await?;
    anyhow::ensure!(cost > 0, "the yardstick found a signature not valid");
    report.known(
        GROUP,
        "one Ed25519 verification",
        cost as f64,
        "instructions",
    );
    Ok(())
}
