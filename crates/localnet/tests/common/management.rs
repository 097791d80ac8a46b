//! Calls of the management canister, by agents and by a canister that forwards them.

use super::{IC, Net};
use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Principal};
use ic_agent::{Agent, AgentError};
use ic_management_canister_types::{
    CanisterIdRecord, CanisterInfoArgs, CanisterInfoResult, CanisterInstallMode, CanisterLogRecord,
    CanisterSettings, CanisterStatusResult, ChangeDetails, FetchCanisterLogsArgs,
    FetchCanisterLogsResult, InstallCodeArgs, LoadCanisterSnapshotArgs, Snapshot,
    TakeCanisterSnapshotArgs, UpdateSettingsArgs,
};

/// Forwards calls, with cycles.
pub(crate) const PROXY: &str = include_str!("proxy.wat");

/// How a call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: u32,
    pub(crate) error_code: String,
    pub(crate) message: String,
}

impl Refused {
    /// Checks the codes and that the message says something.
    #[track_caller]
    pub(crate) fn is(&self, code: u32, error_code: &str, part: &str) {
        assert_eq!(
            (self.code, self.error_code.as_str()),
            (code, error_code),
            "{}",
            self.message
        );
        assert!(self.message.contains(part), "{}", self.message);
    }
}

pub(crate) fn refused(error: AgentError) -> Refused {
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => Refused {
            code: reject.reject_code as u32,
            error_code: reject.error_code.unwrap_or_default(),
            message: reject.reject_message,
        },
        other => panic!("not a reject: {other:?}"),
    }
}

fn decoded<T: for<'a> ArgumentDecoder<'a>>(reply: &[u8]) -> T {
    candid::decode_args(reply).unwrap()
}

/// A management call by an agent.
pub(crate) async fn call<T: for<'a> ArgumentDecoder<'a>>(
    agent: &Agent,
    id: Principal,
    method: &str,
    args: impl ArgumentEncoder,
) -> Result<T, Refused> {
    let arg = candid::encode_args(args).unwrap();
    let reply = agent
        .update(&IC, method)
        .with_effective_canister_id(id)
        .with_arg(arg)
        .call_and_wait()
        .await;
    reply.map(|reply| decoded(&reply)).map_err(refused)
}

/// A management call about a canister and nothing else, by an agent.
pub(crate) async fn about<T: for<'a> ArgumentDecoder<'a>>(
    agent: &Agent,
    id: Principal,
    method: &str,
) -> Result<T, Refused> {
    call(agent, id, method, (CanisterIdRecord { canister_id: id },)).await
}

/// A management query by an agent.
pub(crate) async fn query<T: for<'a> ArgumentDecoder<'a>>(
    agent: &Agent,
    id: Principal,
    method: &str,
    args: impl ArgumentEncoder,
) -> Result<T, Refused> {
    let arg = candid::encode_args(args).unwrap();
    let reply = agent
        .query(&IC, method)
        .with_effective_canister_id(id)
        .with_arg(arg)
        .call()
        .await;
    reply.map(|reply| decoded(&reply)).map_err(refused)
}

/// A call by the proxy: its answer and the cycles that came back. A canister is not told the
/// error code.
pub(crate) async fn forward_to(
    agent: &Agent,
    proxy: Principal,
    callee: Principal,
    method: &str,
    arg: &[u8],
    cycles: u64,
) -> (Result<Vec<u8>, (u32, String)>, u128) {
    let callee = callee.as_slice();
    let mut message = cycles.to_le_bytes().to_vec();
    message.push(callee.len() as u8);
    message.extend_from_slice(callee);
    message.push(method.len() as u8);
    message.extend_from_slice(method.as_bytes());
    message.extend_from_slice(arg);
    let answer = agent
        .update(&proxy, "forward")
        .with_arg(message)
        .call_and_wait()
        .await
        .unwrap();
    let (answer, refunded) = answer.split_at(answer.len() - 16);
    let refunded = u128::from_le_bytes(refunded.try_into().unwrap());
    let answer = match answer.split_first().unwrap() {
        (0, reply) => Ok(reply.to_vec()),
        (_, reject) => {
            let (code, text) = reject.split_at(4);
            let code = u32::from_le_bytes(code.try_into().unwrap());
            Err((code, String::from_utf8(text.to_vec()).unwrap()))
        }
    };
    (answer, refunded)
}

/// A management call by the proxy.
pub(crate) async fn forward<T: for<'a> ArgumentDecoder<'a>>(
    agent: &Agent,
    proxy: Principal,
    method: &str,
    args: impl ArgumentEncoder,
    cycles: u64,
) -> (Result<T, (u32, String)>, u128) {
    let arg = candid::encode_args(args).unwrap();
    let (answer, refunded) = forward_to(agent, proxy, IC, method, &arg, cycles).await;
    (answer.map(|reply| decoded(&reply)), refunded)
}

pub(crate) async fn status(agent: &Agent, id: Principal) -> Result<CanisterStatusResult, Refused> {
    let (status,) = about(agent, id, "canister_status").await?;
    Ok(status)
}

pub(crate) async fn info(agent: &Agent, id: Principal, changes: u64) -> CanisterInfoResult {
    let args = CanisterInfoArgs {
        canister_id: id,
        num_requested_changes: Some(changes),
    };
    let (info,) = query(agent, id, "canister_info", (args,)).await.unwrap();
    info
}

pub(crate) async fn events(agent: &Agent, id: Principal) -> Vec<ChangeDetails> {
    let info = info(agent, id, 20).await;
    info.recent_changes
        .into_iter()
        .map(|change| change.details.unwrap())
        .collect()
}

pub(crate) async fn set(
    agent: &Agent,
    id: Principal,
    settings: CanisterSettings,
) -> Result<(), Refused> {
    let args = UpdateSettingsArgs {
        canister_id: id,
        settings,
        sender_canister_version: None,
    };
    call(agent, id, "update_settings", (args,)).await
}

pub(crate) async fn install_as(
    agent: &Agent,
    id: Principal,
    mode: CanisterInstallMode,
    wasm: &[u8],
) -> Result<(), Refused> {
    let args = InstallCodeArgs {
        mode,
        canister_id: id,
        wasm_module: wasm.to_vec(),
        arg: Vec::new(),
        sender_canister_version: None,
    };
    call(agent, id, "install_code", (args,)).await
}

pub(crate) async fn logs(agent: &Agent, id: Principal) -> Result<Vec<CanisterLogRecord>, Refused> {
    let args = FetchCanisterLogsArgs {
        canister_id: id,
        filter: None,
    };
    let (result,): (FetchCanisterLogsResult,) =
        query(agent, id, "fetch_canister_logs", (args,)).await?;
    Ok(result.canister_log_records)
}

pub(crate) async fn take(agent: &Agent, id: Principal) -> Result<Snapshot, Refused> {
    take_as(agent, id, None, None).await
}

pub(crate) async fn take_as(
    agent: &Agent,
    id: Principal,
    replace_snapshot: Option<Vec<u8>>,
    uninstall_code: Option<bool>,
) -> Result<Snapshot, Refused> {
    let args = TakeCanisterSnapshotArgs {
        canister_id: id,
        replace_snapshot,
        uninstall_code,
        sender_canister_version: None,
    };
    let (snapshot,) = call(agent, id, "take_canister_snapshot", (args,)).await?;
    Ok(snapshot)
}

pub(crate) async fn load(agent: &Agent, id: Principal, snapshot: &[u8]) -> Result<(), Refused> {
    let args = LoadCanisterSnapshotArgs {
        canister_id: id,
        snapshot_id: snapshot.to_vec(),
        sender_canister_version: None,
    };
    call(agent, id, "load_canister_snapshot", (args,)).await
}

pub(crate) async fn snapshots(agent: &Agent, id: Principal) -> Result<Vec<Snapshot>, Refused> {
    let (list,) = about(agent, id, "list_canister_snapshots").await?;
    Ok(list)
}

/// What a canister of `COUNTER` holds: heap, global, stable memory, and the two sizes.
pub(crate) async fn counted(agent: &Agent, id: Principal) -> Vec<u32> {
    let reply = agent.query(&id, "all").call().await.unwrap();
    let (numbers, _) = reply.as_chunks::<4>();
    numbers.iter().map(|n| u32::from_le_bytes(*n)).collect()
}

pub(crate) async fn increase(agent: &Agent, id: Principal, times: usize) {
    for _ in 0..times {
        agent.update(&id, "inc").call_and_wait().await.unwrap();
    }
}

/// A localnet, somebody, and a canister of `text`.
pub(crate) async fn with(text: &str) -> (Net, Agent, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, text, b"").await;
    (net, agent, id)
}

/// Something to encode that the real types cannot say.
pub(crate) fn encoded(value: impl CandidType) -> Vec<u8> {
    candid::encode_one(value).unwrap()
}
