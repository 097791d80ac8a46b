//! The management canister `aaaaa-aa`. One function per method, each working on a transaction;
//! what this node does not offer is refused by name.

pub(crate) mod access;
mod chunks;
mod code;
mod history;
mod lifecycle;
mod logs;
mod query;
mod settings;
mod snapshots;
mod status;
mod transfer;
mod uninstall;
mod vetkd;

pub(crate) use access::admit;
pub(crate) use lifecycle::give_up_stopping;
pub(crate) use query::answer;

use crate::node::calls::Delivery;
use crate::node::said::Said;
use crate::node::state::Origin;
use crate::node::transaction::Transaction;
use crate::wire::response::{CallResult, Reject};
use candid::utils::{ArgumentDecoder, ArgumentEncoder};
use candid::{CandidType, Principal};
use serde::Deserialize;

/// How a management call goes on.
pub(crate) enum Outcome {
    /// It ends now, with this answer and these cycles given back.
    Answer(CallResult, u128),
    /// It ends later.
    Later,
}

/// A management call being handled.
struct Call<'t, 'n> {
    transaction: &'t mut Transaction<'n>,
    origin: Origin,
    caller: Principal,
    method: String,
    arg: Vec<u8>,
    cycles: u128,
    /// What code that ran for it printed: kept even when it fails.
    said: Vec<Said>,
}

/// The answer `()`.
pub(crate) fn nothing() -> Vec<u8> {
    b"DIDL\0\0".to_vec()
}

/// The canister a management call is about.
#[derive(CandidType, Deserialize)]
struct About {
    canister_id: Principal,
}

/// The one canister a management call is about, as far as its argument says.
pub(crate) fn target(arg: &[u8]) -> Option<Principal> {
    #[derive(CandidType, Deserialize)]
    struct Target {
        canister_id: Option<Principal>,
        target_canister: Option<Principal>,
    }
    let (target,): (Target,) = candid::decode_args(arg).ok()?;
    target.canister_id.or(target.target_canister)
}

/// Handles a management call. A reject gives all cycles back and changes nothing.
pub(crate) fn handle(transaction: &mut Transaction<'_>, delivery: Delivery) -> Outcome {
    let from_agent = matches!(delivery.origin, Origin::Ingress(_));
    let sent = delivery.cycles;
    let mut call = Call {
        transaction,
        origin: delivery.origin,
        caller: delivery.caller,
        method: delivery.method,
        arg: delivery.arg,
        cycles: delivery.cycles,
        said: Vec::new(),
    };
    let answer = call.admitted(from_agent).and_then(|()| call.answer());
    if answer.is_err() {
        call.transaction.abandon();
    }
    for said in std::mem::take(&mut call.said) {
        call.transaction.write_down(said);
    }
    match answer {
        Ok(None) => Outcome::Later,
        Ok(Some(reply)) => Outcome::Answer(Ok(reply), call.cycles),
        Err(reject) => Outcome::Answer(Err(reject), sent),
    }
}

impl Call<'_, '_> {
    /// None when the answer comes later.
    fn answer(&mut self) -> Result<Option<Vec<u8>>, Reject> {
        let method = self.method.clone();
        match method.as_str() {
            "canister_info" => self.canister_info(),
            "canister_metadata" => self.canister_metadata(),
            "canister_status" => self.canister_status(),
            "clear_chunk_store" => self.clear_chunk_store(),
            "create_canister" => self.create_canister(),
            "delete_canister" => self.delete_canister(),
            "delete_canister_snapshot" => self.delete_snapshot(),
            "deposit_cycles" => self.deposit_cycles(),
            "fetch_canister_logs" => self.fetch_logs(),
            "install_chunked_code" => self.install_chunked_code(),
            "install_code" => self.install_code(),
            "list_canister_snapshots" => self.list_snapshots(),
            "load_canister_snapshot" => self.load_snapshot(),
            "provisional_create_canister_with_cycles" => self.provisional_create(),
            "provisional_top_up_canister" => self.provisional_top_up(),
            "raw_rand" => self.raw_rand(),
            "read_canister_snapshot_data" => self.read_snapshot_data(),
            "read_canister_snapshot_metadata" => self.read_snapshot_metadata(),
            "start_canister" => self.start_canister(),
            "stop_canister" => return self.stop_canister(),
            "stored_chunks" => self.stored_chunks(),
            "take_canister_snapshot" => self.take_snapshot(),
            "uninstall_code" => self.uninstall_code(),
            "update_settings" => self.update_settings(),
            "upload_canister_snapshot_data" => self.upload_snapshot_data(),
            "upload_canister_snapshot_metadata" => self.upload_snapshot_metadata(),
            "upload_chunk" => self.upload_chunk(),
            "vetkd_derive_key" => self.vetkd_derive_key(),
            "vetkd_public_key" => self.vetkd_public_key(),
            other => {
                let message = format!("Management canister has no method '{other}'");
                Err(Reject::new(5, "IC0536", message))
            }
        }
        .map(Some)
    }

    fn decode<T: for<'a> ArgumentDecoder<'a>>(&self) -> Result<T, Reject> {
        decode(&self.arg)
    }

    /// The time canisters see, ns.
    fn now(&self) -> u64 {
        self.transaction.node.clock.canisters()
    }

    fn raw_rand(&mut self) -> CallResult {
        let (): () = self.decode()?;
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes).map_err(node_failed)?;
        encode((serde_bytes::ByteBuf::from(bytes),))
    }
}

/// Decodes an argument.
fn decode<T: for<'a> ArgumentDecoder<'a>>(arg: &[u8]) -> Result<T, Reject> {
    candid::decode_args(arg).map_err(|e| invalid(format!("Error decoding candid: {e:#}")))
}

/// Encodes an answer.
fn encode(values: impl ArgumentEncoder) -> CallResult {
    candid::encode_args(values).map_err(|e| node_failed(format!("an answer: {e}")))
}

/// A refusal of an argument that makes no sense.
fn invalid(message: impl Into<String>) -> Reject {
    Reject::new(4, "IC0408", message)
}

/// A refusal of something the canister's state does not allow.
fn refuse(message: impl Into<String>) -> Reject {
    Reject::new(4, "IC0406", message)
}

/// A refusal of something that breaks a canister's or its code's contract.
fn contract(message: impl Into<String>) -> Reject {
    Reject::new(5, "IC0504", message)
}

/// A fault of this node.
fn node_failed(error: impl std::fmt::Display) -> Reject {
    Reject::new(1, "IC0500", format!("the node failed: {error}"))
}
