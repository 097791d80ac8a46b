//! The management canister's calls an installer needs, with the interface specification's names.

use anyhow::{Context as _, Result};
use candid::{CandidType, Decode, Encode, Principal};
use ic_agent::Agent;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::{Digest as _, Sha256};

/// Code and argument beyond this go in chunks: an ingress message holds 2 MiB, envelope included.
const ONE_MESSAGE: usize = 1_900_000;
/// The chunk store takes at most 1 MiB at a time.
const CHUNK: usize = 1024 * 1024;
/// Cycles for a local canister: 100 T, plenty.
const CYCLES: u128 = 100_000_000_000_000;

pub(crate) struct Management<'a> {
    pub(crate) agent: &'a Agent,
}

#[derive(CandidType)]
struct CreateArgument {
    amount: Option<candid::Nat>,
    settings: Option<Settings>,
}

#[derive(CandidType)]
struct Settings {
    controllers: Option<Vec<Principal>>,
}

#[derive(CandidType, Deserialize)]
struct CanisterId {
    canister_id: Principal,
}

#[derive(CandidType, Deserialize)]
enum InstallMode {
    #[serde(rename = "install")]
    Install,
    #[serde(rename = "upgrade")]
    Upgrade(Option<UpgradeFlags>),
}

/// Absent fields keep the system's defaults.
#[derive(CandidType, Deserialize)]
struct UpgradeFlags {
    skip_pre_upgrade: Option<bool>,
}

#[derive(CandidType)]
struct InstallArgument<'a> {
    mode: InstallMode,
    canister_id: Principal,
    wasm_module: &'a serde_bytes::Bytes,
    arg: &'a serde_bytes::Bytes,
}

#[derive(CandidType)]
struct UploadArgument<'a> {
    canister_id: Principal,
    chunk: &'a serde_bytes::Bytes,
}

#[derive(CandidType, Deserialize)]
struct ChunkHash {
    hash: ByteBuf,
}

#[derive(CandidType)]
struct ChunkedArgument<'a> {
    mode: InstallMode,
    target_canister: Principal,
    store_canister: Option<Principal>,
    chunk_hashes_list: Vec<ChunkHash>,
    wasm_module_hash: ByteBuf,
    arg: &'a serde_bytes::Bytes,
}

impl Management<'_> {
    /// `known` if the network has it, or a new canister.
    pub(crate) async fn ensure(&self, known: Option<Principal>) -> Result<Principal> {
        if let Some(id) = known {
            let controllers = self.agent.read_state_canister_controllers(id).await;
            if controllers.is_ok() {
                return Ok(id);
            }
        }
        let argument = CreateArgument {
            amount: Some(CYCLES.into()),
            settings: None,
        };
        let answer = self
            .call(
                "provisional_create_canister_with_cycles",
                Principal::management_canister(),
                Encode!(&argument)?,
            )
            .await?;
        Ok(Decode!(&answer, CanisterId)?.canister_id)
    }

    /// Installs into an empty canister, upgrades one that has code.
    pub(crate) async fn install(&self, id: Principal, wasm: &[u8], argument: &[u8]) -> Result<()> {
        let has_code = self
            .agent
            .read_state_canister_module_hash(id)
            .await
            .is_ok_and(|hash| !hash.is_empty());
        let mode = if has_code {
            InstallMode::Upgrade(None)
        } else {
            InstallMode::Install
        };
        if wasm.len() + argument.len() <= ONE_MESSAGE {
            let argument = Encode!(&InstallArgument {
                mode,
                canister_id: id,
                wasm_module: serde_bytes::Bytes::new(wasm),
                arg: serde_bytes::Bytes::new(argument),
            })?;
            self.call("install_code", id, argument).await?;
            return Ok(());
        }
        self.call(
            "clear_chunk_store",
            id,
            Encode!(&CanisterId { canister_id: id })?,
        )
        .await?;
        let mut chunk_hashes_list = Vec::new();
        for chunk in wasm.chunks(CHUNK) {
            let upload = Encode!(&UploadArgument {
                canister_id: id,
                chunk: serde_bytes::Bytes::new(chunk),
            })?;
            let answer = self.call("upload_chunk", id, upload).await?;
            chunk_hashes_list.push(Decode!(&answer, ChunkHash)?);
        }
        let argument = Encode!(&ChunkedArgument {
            mode,
            target_canister: id,
            store_canister: None,
            chunk_hashes_list,
            wasm_module_hash: ByteBuf::from(Sha256::digest(wasm).to_vec()),
            arg: serde_bytes::Bytes::new(argument),
        })?;
        self.call("install_chunked_code", id, argument).await?;
        self.call(
            "clear_chunk_store",
            id,
            Encode!(&CanisterId { canister_id: id })?,
        )
        .await?;
        Ok(())
    }

    async fn call(&self, method: &str, effective: Principal, argument: Vec<u8>) -> Result<Vec<u8>> {
        self.agent
            .update(&Principal::management_canister(), method)
            .with_effective_canister_id(effective)
            .with_arg(argument)
            .call_and_wait()
            .await
            .with_context(|| format!("{method} failed"))
    }
}
