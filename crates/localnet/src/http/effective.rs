//! The effective canister or subnet id in a request's URL: the rules of the interface
//! specification's "Effective canister id" and "Effective subnet id".

use super::Refusal;
use crate::certify::layout;
use crate::node::Node;
use crate::wire::envelope::MethodCall;
use axum::http::StatusCode;
use candid::{CandidType, DecoderConfig, Principal};
use serde::Deserialize;

/// Management calls that are about no canister yet: any id will do.
const CREATING: &[&str] = &["create_canister", "provisional_create_canister_with_cycles"];

/// What the URL of a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effective {
    /// A canister.
    Canister(Principal),
    /// This node's subnet.
    Subnet,
}

fn bad(why: String) -> Refusal {
    (StatusCode::BAD_REQUEST, why)
}

impl Effective {
    /// Reads `/canister/ID` or `/subnet/ID` of a URL.
    pub(super) fn read(kind: &str, id: &str, node: &Node) -> Result<Self, Refusal> {
        let id = Principal::from_text(id).map_err(|e| bad(format!("effective {kind} id: {e}")))?;
        match kind {
            "canister" if id == Principal::management_canister() || layout::hosts(id) => {
                Ok(Self::Canister(id))
            }
            "canister" => Err(bad(format!(
                "the effective canister id {id} is outside this subnet's canister ranges"
            ))),
            "subnet" if id == node.keys.subnet => Ok(Self::Subnet),
            "subnet" => Err(bad(format!(
                "the effective subnet id {id} is not this node's subnet, {}",
                node.keys.subnet
            ))),
            _ => Err((StatusCode::NOT_FOUND, format!("there is no /{kind}/ here"))),
        }
    }

    /// The id, as it is remembered with a call.
    pub(super) fn id(self, node: &Node) -> Principal {
        match self {
            Self::Canister(id) => id,
            Self::Subnet => node.keys.subnet,
        }
    }

    fn must_be(self, wanted: Principal) -> Result<(), Refusal> {
        match self {
            Self::Canister(id) if id == wanted => Ok(()),
            Self::Canister(id) => Err(bad(format!(
                "the effective canister id {id} is not the canister of the request, {wanted}"
            ))),
            Self::Subnet => Err(bad(
                "the effective id of this request is a canister id, not a subnet id".into(),
            )),
        }
    }
}

/// The canister a management call is about, by its argument.
pub(crate) fn subject(method: &str, arg: &[u8]) -> Option<Principal> {
    #[derive(CandidType, Deserialize)]
    struct About {
        canister_id: Principal,
    }
    #[derive(CandidType, Deserialize)]
    struct Target {
        target_canister: Principal,
    }
    // The rest of the argument is skipped: its size bounds the work, whatever it claims.
    let mut config = DecoderConfig::new();
    config
        .set_decoding_quota(1_000_000)
        .set_skipping_quota(64 * arg.len() + 1_000_000);
    if method == "install_chunked_code" {
        let (target,): (Target,) = candid::utils::decode_args_with_config(arg, &config).ok()?;
        Some(target.target_canister)
    } else {
        let (about,): (About,) = candid::utils::decode_args_with_config(arg, &config).ok()?;
        Some(about.canister_id)
    }
}

/// Whether an update call is for who its URL names.
pub(super) fn check_call(effective: Effective, call: &MethodCall) -> Result<(), Refusal> {
    if call.canister != Principal::management_canister() {
        return effective.must_be(call.canister);
    }
    if effective == Effective::Subnet {
        let why = "at /subnet/ only a subnet's admins create canisters, and this subnet has none";
        return Err(bad(why.into()));
    }
    if CREATING.contains(&call.method.as_str()) {
        return Ok(());
    }
    match subject(&call.method, &call.arg) {
        Some(canister) => effective.must_be(canister),
        // Rejected whatever the id.
        None => Ok(()),
    }
}

/// Whether a query call is for who its URL names.
pub(super) fn check_query(effective: Effective, call: &MethodCall) -> Result<(), Refusal> {
    if call.canister != Principal::management_canister() {
        return effective.must_be(call.canister);
    }
    if call.method == "list_canisters" {
        return Ok(());
    }
    match subject(&call.method, &call.arg) {
        Some(canister) => effective.must_be(canister),
        None if effective == Effective::Subnet => {
            Err(bad("at /subnet/ only list_canisters may be queried".into()))
        }
        // Rejected whatever the id.
        None => Ok(()),
    }
}
