//! The management canister `aaaaa-aa`. One function per method, each working on a transaction;
//! what this node does not offer is refused by name.

mod chunks;
mod code;
mod lifecycle;

use crate::node::calls::Delivery;
use crate::node::state::{Loaded, Origin};
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
}

/// The answer `()`.
pub(crate) fn nothing() -> Vec<u8> {
    b"DIDL\0\0".to_vec()
}

/// The canister a management call by an agent is about: only its controllers get through.
#[derive(CandidType, Deserialize)]
struct About {
    canister_id: Principal,
}

/// Methods agents may call; the rest is for canisters.
const FOR_AGENTS: &[&str] = &[
    "canister_status",
    "clear_chunk_store",
    "delete_canister",
    "install_chunked_code",
    "install_code",
    "provisional_create_canister_with_cycles",
    "provisional_top_up_canister",
    "start_canister",
    "stop_canister",
    "stored_chunks",
    "uninstall_code",
    "update_settings",
    "upload_chunk",
];

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

/// Handles a management call.
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
    };
    if from_agent && !FOR_AGENTS.contains(&call.method.as_str()) {
        return Outcome::Answer(Err(call.unknown()), sent);
    }
    let method = call.method.clone();
    let result = match method.as_str() {
        "raw_rand" => call.raw_rand(),
        "create_canister" => call.create_canister(),
        "provisional_create_canister_with_cycles" => call.provisional_create(),
        "provisional_top_up_canister" => call.provisional_top_up(),
        "deposit_cycles" => call.deposit_cycles(),
        "update_settings" => call.update_settings(),
        "canister_status" => call.canister_status(),
        "start_canister" => call.start_canister(),
        "stop_canister" => match call.stop_canister() {
            Ok(None) => return Outcome::Later,
            Ok(Some(reply)) => Ok(reply),
            Err(reject) => Err(reject),
        },
        "delete_canister" => call.delete_canister(),
        "uninstall_code" => call.uninstall_code(),
        "install_code" => call.install_code(),
        "install_chunked_code" => call.install_chunked_code(),
        "upload_chunk" => call.upload_chunk(),
        "clear_chunk_store" => call.clear_chunk_store(),
        "stored_chunks" => call.stored_chunks(),
        _ => Err(call.unknown()),
    };
    let refund = call.cycles;
    Outcome::Answer(result, refund)
}

impl Call<'_, '_> {
    fn unknown(&self) -> Reject {
        let message = format!(
            "Management canister has no method '{}' on this node for this caller",
            self.method
        );
        Reject::new(3, "IC0536", message)
    }

    fn decode<T: for<'a> ArgumentDecoder<'a>>(&self) -> Result<T, Reject> {
        candid::decode_args(&self.arg).map_err(|e| {
            let message = format!("Error decoding candid: {e:#}");
            Reject::new(5, "IC0506", message)
        })
    }

    /// The canister, if the caller controls it.
    fn controlled(&mut self, id: Principal) -> Result<&mut Loaded, Reject> {
        let (caller, method) = (self.caller, self.method.clone());
        let loaded = self
            .transaction
            .canister(id)
            .ok_or_else(|| crate::node::query::not_found(id))?;
        if loaded.state.controllers.contains(&caller) {
            Ok(loaded)
        } else {
            let message =
                format!("Only controllers of canister {id} can call ic00 method {method}");
            Err(Reject::new(5, "IC0512", message))
        }
    }

    fn raw_rand(&mut self) -> CallResult {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|e| Reject::new(1, "IC0500", format!("no randomness: {e}")))?;
        encode((serde_bytes::ByteBuf::from(bytes),))
    }
}

/// Encodes an answer.
fn encode(values: impl ArgumentEncoder) -> CallResult {
    candid::encode_args(values)
        .map_err(|e| Reject::new(1, "IC0500", format!("the answer cannot be encoded: {e}")))
}

/// A refusal of a request that makes no sense.
fn refuse(message: impl Into<String>) -> Reject {
    Reject::new(5, "IC0406", message)
}
