//! What plain operations of the same size cost on the same network: the yardstick canister. Must
//! not know the vault.

use crate::installing;
use crate::report::Report;
use anyhow::{Context as _, Result};
use candid::Principal;
use candid::utils::ArgumentEncoder;
use salus_client::agent::ic_agent::Agent;
use salus_crypto::sign::SigningKey;
use salus_tests::built;
use salus_tests::network::Network;
use serde_bytes::ByteBuf;

const GROUP: &str = "plain operations";
/// As often as a B-tree needs to have nodes to split; the last one counts.
const TIMES: usize = 40;

struct Yardstick {
    agent: Agent,
    id: Principal,
}

impl Yardstick {
    async fn install(network: &Network) -> Result<Self> {
        let agent = installing::agent(network, 0x59)?;
        let path = built::canisters()?.join("yardstick.wasm.gz");
        let wasm = std::fs::read(&path)
            .with_context(|| format!("{}: build it with `cargo xtask bench`", path.display()))?;
        let id = installing::install(&agent, wasm).await?;
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
