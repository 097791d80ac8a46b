//! Whoever controls the vault on a network, and can take it back to what it was. Must not know what
//! anybody notices of it.

use crate::network::Network;
use anyhow::Result;
use candid::{CandidType, Deserialize, Encode, Principal};
use salus_client::agent::PemIdentity;
use salus_client::agent::ic_agent::Agent;
use std::fs;

#[derive(CandidType)]
struct Of {
    canister_id: Principal,
}

#[derive(CandidType, Deserialize)]
struct Taken {
    id: serde_bytes::ByteBuf,
}

#[derive(CandidType)]
struct Load {
    canister_id: Principal,
    snapshot_id: serde_bytes::ByteBuf,
}

/// Who controls the vault.
pub struct Controller {
    agent: Agent,
    vault: Principal,
}

impl Controller {
    /// With the key that the network was installed with.
    ///
    /// # Errors
    /// When the network does not answer.
    pub async fn of(network: &Network) -> Result<Self> {
        let key = fs::read(network.admin_key())?;
        let identity = PemIdentity::parse(&key)?;
        let agent = Agent::builder()
            .with_url(network.url())
            .with_arc_identity(identity.identity())
            .build()?;
        agent.set_root_key(network.root_key()?);
        let vault = Principal::from_text(network.vault())?;
        Ok(Self { agent, vault })
    }

    async fn call(&self, method: &str, arg: Vec<u8>) -> Result<Vec<u8>> {
        let management = Principal::management_canister();
        let call = self.agent.update(&management, method);
        let call = call.with_effective_canister_id(self.vault).with_arg(arg);
        Ok(call.call_and_wait().await?)
    }

    async fn about(&self, method: &str) -> Result<Vec<u8>> {
        let of = Of {
            canister_id: self.vault,
        };
        self.call(method, Encode!(&of)?).await
    }

    /// Keeps all that the vault holds.
    ///
    /// # Errors
    /// When the network does not.
    pub async fn snapshot(&self) -> Result<serde_bytes::ByteBuf> {
        let taken = self.about("take_canister_snapshot").await?;
        Ok(candid::decode_one::<Taken>(&taken)?.id)
    }

    /// Puts that in the place of what the vault holds now.
    ///
    /// # Errors
    /// When the network does not.
    pub async fn roll_back(&self, to: serde_bytes::ByteBuf) -> Result<()> {
        let load = Load {
            canister_id: self.vault,
            snapshot_id: to,
        };
        self.about("stop_canister").await?;
        self.call("load_canister_snapshot", Encode!(&load)?).await?;
        self.about("start_canister").await?;
        Ok(())
    }
}
