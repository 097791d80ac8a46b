//! The decoders of what comes from outside, by themselves: for fuzzing, which tries them on bytes
//! nobody meant. Not an interface for anything else.

use crate::gateway;
use crate::http;
use crate::wire::{auth, cbor, der, envelope};
use candid::Principal;

/// Reads and authenticates a request of an agent at `now` (ns); `root_key` is the raw BLS key.
///
/// # Errors
/// When the node would refuse it.
pub fn request(bytes: &[u8], now: u64, root_key: &[u8]) -> Result<(), String> {
    let envelope = envelope::parse(bytes).map_err(|e| e.to_string())?;
    auth::check(&envelope, now, root_key).map_err(|e| e.to_string())
}

/// Whether bytes are CBOR this node reads.
#[must_use]
pub fn is_cbor(bytes: &[u8]) -> bool {
    cbor::parse_request(bytes).is_ok()
}

/// Whether bytes are a public key this node knows.
#[must_use]
pub fn is_public_key(bytes: &[u8]) -> bool {
    der::read_public_key(bytes).is_ok()
}

/// Verifies a signature of any scheme.
///
/// # Errors
/// When it does not hold.
pub fn signature(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
    root_key: &[u8],
) -> Result<(), String> {
    auth::verify("signature", key, message, signature, root_key).map_err(|e| e.to_string())
}

/// The canister that the argument of a management call names.
#[must_use]
pub fn management_argument(method: &str, arg: &[u8]) -> Option<Principal> {
    http::subject(method, arg)
}

/// Reads what a canister answers the gateway, as a response and as a part of one; whether it is
/// either.
#[must_use]
pub fn site_answer(bytes: &[u8]) -> bool {
    gateway::reads(bytes)
}

/// Verifies a page of a canister's site at `now` (ns); `root_key` is DER.
///
/// # Errors
/// When it is not certified.
pub fn certification(
    url: &str,
    headers: Vec<(String, String)>,
    canister: Principal,
    root_key: &[u8],
    now: u64,
) -> Result<(), String> {
    gateway::verifies(url, headers, canister, root_key, now)
}
