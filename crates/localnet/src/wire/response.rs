//! The CBOR answers agents expect, and the message a node signs under a query's answer.

use super::value::{self, Fields, Hash};
use candid::Principal;
use serde::{Deserialize, Serialize};
use serde_cbor::Value;

/// Why a call was not answered with a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reject {
    /// 1 system fatal, 2 system transient, 3 destination invalid, 4 canister reject, 5 canister error.
    pub(crate) code: u8,
    /// For people.
    pub(crate) message: String,
    /// For programs, as the interface specification lists them ("IC0503").
    pub(crate) error_code: String,
}

impl Reject {
    /// A reject.
    pub(crate) fn new(code: u8, error_code: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            error_code: error_code.to_owned(),
        }
    }
}

/// How a call ended.
pub(crate) type CallResult = Result<Vec<u8>, Reject>;

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

/// Encodes a map with the self-describing tag.
pub(crate) fn encode(entries: Vec<(&str, Value)>) -> Vec<u8> {
    let map = Value::Map(entries.into_iter().map(|(k, v)| (text(k), v)).collect());
    let mut out = vec![0xd9, 0xd9, 0xf7];
    out.extend(serde_cbor::to_vec(&map).unwrap_or_default());
    out
}

/// The body of `/api/v2/status`.
pub(crate) fn status(root_key: &[u8]) -> Vec<u8> {
    encode(vec![
        (
            "impl_version",
            text(concat!("salus-localnet ", env!("CARGO_PKG_VERSION"))),
        ),
        ("replica_health_status", text("healthy")),
        ("root_key", Value::Bytes(root_key.to_vec())),
    ])
}

/// The body of a `read_state` answer.
pub(crate) fn read_state(certificate: Vec<u8>) -> Vec<u8> {
    encode(vec![("certificate", Value::Bytes(certificate))])
}

/// The body of a synchronous call's answer.
pub(crate) fn call_certified(certificate: Vec<u8>) -> Vec<u8> {
    encode(vec![
        ("status", text("replied")),
        ("certificate", Value::Bytes(certificate)),
    ])
}

/// The body of the answer to a call that was never executed; version 2 says no status.
pub(crate) fn call_refused(reject: &Reject, synchronous: bool) -> Vec<u8> {
    let mut entries = reject_entries(reject);
    if synchronous {
        entries.push(("status", text("non_replicated_rejection")));
    }
    encode(entries)
}

fn reject_entries(reject: &Reject) -> Vec<(&'static str, Value)> {
    vec![
        ("reject_code", Value::Integer(reject.code.into())),
        ("reject_message", text(&reject.message)),
        ("error_code", text(&reject.error_code)),
    ]
}

/// The body of a query's answer, signed by `sign` in the name of node `node`.
pub(crate) fn query(
    result: &CallResult,
    request_id: &Hash,
    timestamp: u64,
    node: Principal,
    sign: impl Fn(&[u8]) -> [u8; 64],
) -> Vec<u8> {
    let mut entries = match result {
        Ok(arg) => vec![("status", text("replied")), ("reply", reply(arg))],
        Err(reject) => {
            let mut entries = vec![("status", text("rejected"))];
            entries.extend(reject_entries(reject));
            entries
        }
    };
    let mut signed: Fields = entries
        .iter()
        .map(|(k, v)| ((*k).to_owned(), v.clone()))
        .collect();
    signed.insert("timestamp".into(), Value::Integer(timestamp.into()));
    signed.insert("request_id".into(), Value::Bytes(request_id.to_vec()));
    // Every value put in above is hashable.
    let hash = value::hash_of_map(&signed).unwrap_or_default();
    let message = [b"\x0Bic-response".as_slice(), &hash].concat();
    let signature = Value::Map(
        [
            (text("timestamp"), Value::Integer(timestamp.into())),
            (text("signature"), Value::Bytes(sign(&message).to_vec())),
            (text("identity"), Value::Bytes(node.as_slice().to_vec())),
        ]
        .into(),
    );
    entries.push(("signatures", Value::Array(vec![signature])));
    encode(entries)
}

fn reply(arg: &[u8]) -> Value {
    Value::Map([(text("arg"), Value::Bytes(arg.to_vec()))].into())
}
