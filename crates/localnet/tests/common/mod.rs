//! A localnet of its own for every test, agents, and canisters in text.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::panic, reason = "a test that cannot go on fails")]

pub(crate) mod imports;
pub(crate) mod management;
pub(crate) mod process;

use candid::{CandidType, Decode, Encode, Nat, Principal};
use ic_agent::hash_tree::LookupResult;
use ic_agent::identity::BasicIdentity;
use ic_agent::{Agent, AgentError, Certificate};
use salus_localnet::{Config, Localnet};
use serde::Deserialize;
use tempfile::TempDir;

/// Counts in heap, global and stable memory; certifies on upgrade; fails on demand.
pub(crate) const COUNTER: &str = include_str!("counter.wat");

pub(crate) struct Net {
    pub(crate) localnet: Localnet,
    pub(crate) dir: TempDir,
}

#[derive(CandidType, Deserialize)]
struct Id {
    canister_id: Principal,
}

#[derive(CandidType)]
struct Create {
    amount: Option<Nat>,
    settings: Option<()>,
    specified_id: Option<Principal>,
}

#[derive(CandidType, Deserialize)]
enum Mode {
    #[serde(rename = "install")]
    Install,
    #[serde(rename = "reinstall")]
    Reinstall,
    #[serde(rename = "upgrade")]
    Upgrade,
}

#[derive(CandidType)]
struct Install {
    mode: Mode,
    canister_id: Principal,
    wasm_module: serde_bytes::ByteBuf,
    arg: serde_bytes::ByteBuf,
}

pub(crate) const IC: Principal = Principal::management_canister();

impl Net {
    pub(crate) async fn start() -> Self {
        Self::on(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn on(dir: TempDir) -> Self {
        let config = Config {
            state_dir: dir.path().to_owned(),
            admin: true,
            portable: module_path!().starts_with("portable::"),
            ..Config::default()
        };
        let localnet = Localnet::start(config).await.unwrap();
        Self { localnet, dir }
    }

    pub(crate) async fn restart(self) -> Self {
        self.localnet.stop().await;
        Self::on(self.dir).await
    }

    pub(crate) async fn agent(&self) -> Agent {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).unwrap();
        self.agent_as(BasicIdentity::from_raw_key(&seed)).await
    }

    pub(crate) async fn agent_as(&self, identity: impl ic_agent::Identity + 'static) -> Agent {
        let agent = Agent::builder()
            .with_url(self.localnet.url())
            .with_identity(identity)
            .build()
            .unwrap();
        agent.fetch_root_key().await.unwrap();
        assert_eq!(agent.read_root_key(), self.localnet.root_key());
        agent
    }

    pub(crate) async fn create(&self, agent: &Agent) -> Principal {
        self.create_as(agent, None).await.unwrap()
    }

    pub(crate) async fn create_as(
        &self,
        agent: &Agent,
        specified_id: Option<Principal>,
    ) -> Result<Principal, AgentError> {
        create(agent, specified_id).await
    }
    pub(crate) async fn install(&self, agent: &Agent, text: &str, arg: &[u8]) -> Principal {
        let id = self.create(agent).await;
        self.upload(agent, id, "install", text, arg).await.unwrap();
        id
    }

    pub(crate) async fn upgrade(
        &self,
        agent: &Agent,
        id: Principal,
        text: &str,
        arg: &[u8],
    ) -> Result<Vec<u8>, AgentError> {
        self.upload(agent, id, "upgrade", text, arg).await
    }

    pub(crate) async fn upload(
        &self,
        agent: &Agent,
        id: Principal,
        mode: &str,
        text: &str,
        arg: &[u8],
    ) -> Result<Vec<u8>, AgentError> {
        upload(agent, id, mode, text, arg).await
    }

    /// How many executions of a kind a canister has had.
    pub(crate) async fn runs(&self, id: Principal, kind: &str) -> usize {
        self.costs(id)
            .await
            .iter()
            .filter(|(k, _)| k == kind)
            .count()
    }

    /// Kind and instructions of a canister's executions, oldest first.
    pub(crate) async fn costs(&self, id: Principal) -> Vec<(String, u64)> {
        let url = format!("{}/_/canister/{id}/costs", self.localnet.url());
        let body = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        let costs: Vec<serde_json::Value> = serde_json::from_slice(&body).unwrap();
        let costs = costs.iter();
        costs
            .map(|cost| {
                let kind = cost["kind"].as_str().unwrap().to_owned();
                (kind, cost["instructions"].as_u64().unwrap())
            })
            .collect()
    }

    /// A management call about a canister.
    pub(crate) async fn manage(
        &self,
        agent: &Agent,
        id: Principal,
        method: &str,
    ) -> Result<Vec<u8>, AgentError> {
        agent
            .update(&IC, method)
            .with_effective_canister_id(id)
            .with_arg(Encode!(&Id { canister_id: id }).unwrap())
            .call_and_wait()
            .await
    }
}

pub(crate) fn reject_message(error: &AgentError) -> String {
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => reject.reject_message.clone(),
        other => format!("{other:?}"),
    }
}

/// Calls, awaits, timers, certificates, inspection.
pub(crate) const CALLS: &str = include_str!("calls.wat");

/// Waits until `condition` holds; fails after a minute, which is long on a busy machine too.
pub(crate) async fn until<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) {
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !condition().await {
        assert!(tokio::time::Instant::now() < limit, "waited a minute");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn create(
    agent: &Agent,
    specified_id: Option<Principal>,
) -> Result<Principal, AgentError> {
    let reply = agent
        .update(&IC, "provisional_create_canister_with_cycles")
        .with_effective_canister_id(Principal::from_text("aaaaa-aa").unwrap())
        .with_arg(create_arg(specified_id))
        .call_and_wait()
        .await?;
    Ok(created(&reply))
}

/// The id in the answer of creation.
pub(crate) fn created(reply: &[u8]) -> Principal {
    Decode!(reply, Id).unwrap().canister_id
}

pub(crate) async fn upload(
    agent: &Agent,
    id: Principal,
    mode: &str,
    text: &str,
    arg: &[u8],
) -> Result<Vec<u8>, AgentError> {
    upload_wasm(agent, id, mode, wat::parse_str(text).unwrap(), arg).await
}

pub(crate) async fn upload_wasm(
    agent: &Agent,
    id: Principal,
    mode: &str,
    wasm: Vec<u8>,
    arg: &[u8],
) -> Result<Vec<u8>, AgentError> {
    agent
        .update(&IC, "install_code")
        .with_effective_canister_id(id)
        .with_arg(install_arg(id, mode, wasm, arg))
        .call_and_wait()
        .await
}

/// The argument of `install_code`.
pub(crate) fn install_arg(id: Principal, mode: &str, wasm: Vec<u8>, arg: &[u8]) -> Vec<u8> {
    let install = Install {
        mode: match mode {
            "install" => Mode::Install,
            "reinstall" => Mode::Reinstall,
            _ => Mode::Upgrade,
        },
        canister_id: id,
        wasm_module: wasm.into(),
        arg: arg.to_vec().into(),
    };
    Encode!(&install).unwrap()
}

/// The argument of `provisional_create_canister_with_cycles`.
pub(crate) fn create_arg(specified_id: Option<Principal>) -> Vec<u8> {
    let arg = Create {
        amount: None,
        settings: None,
        specified_id,
    };
    Encode!(&arg).unwrap()
}

/// The argument of management calls about one canister.
pub(crate) fn about(id: Principal) -> Vec<u8> {
    Encode!(&Id { canister_id: id }).unwrap()
}

/// A canister's certified data, by the certificate its query `certificate` answers with:
/// `read_state` does not show it.
pub(crate) async fn certified_data(agent: &Agent, id: Principal) -> Vec<u8> {
    let bytes = agent.query(&id, "certificate").call().await.unwrap();
    let certificate: Certificate = serde_cbor::from_slice(&bytes).unwrap();
    agent.verify(&certificate, id).unwrap();
    let path = [b"canister".as_slice(), id.as_slice(), b"certified_data"];
    match certificate.tree.lookup_path(path) {
        LookupResult::Found(data) => data.to_vec(),
        other => panic!("no certified data: {other:?}"),
    }
}

pub(crate) async fn install(agent: &Agent, text: &str) -> Principal {
    let id = create(agent, None).await.unwrap();
    upload(agent, id, "install", text, b"").await.unwrap();
    id
}
