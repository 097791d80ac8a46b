//! The envelope around every request: its content, request id, signature and delegations.
//! Parses and hashes; whether the signature holds is `auth`'s concern.

use super::cbor;
use super::value::{self, Fields, Hash, ValueError};
use candid::Principal;

/// Longest nonce, bytes (interface specification, "Authentication").
const MAX_NONCE: usize = 32;
/// Most delegations in one chain (same place).
const MAX_DELEGATIONS: usize = 20;
/// Most targets in one delegation (same place).
const MAX_TARGETS: usize = 1_000;
/// Most paths in one `read_state` (interface specification, "Request: Read state").
const MAX_PATHS: usize = 1_000;
/// Most labels in one path (same place).
const MAX_LABELS: usize = 127;

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Ask {
    /// An update call.
    Call(MethodCall),
    /// A query call.
    Query(MethodCall),
    /// Parts of the state tree.
    ReadState {
        /// The paths asked for.
        paths: Vec<Vec<Vec<u8>>>,
    },
}

/// Canister, method and argument of a call.
#[derive(Debug)]
pub(crate) struct MethodCall {
    /// The canister called.
    pub(crate) canister: Principal,
    /// The method's name.
    pub(crate) method: String,
    /// The raw argument.
    pub(crate) arg: Vec<u8>,
}

/// One signed delegation.
#[derive(Debug)]
pub(crate) struct SignedDelegation {
    /// The key delegated to, DER.
    pub(crate) public_key: Vec<u8>,
    /// When it ends, ns since 1970.
    pub(crate) expiration: u64,
    /// The canisters it is good for, when limited.
    pub(crate) targets: Option<Vec<Principal>>,
    /// Whether it is good for queries only.
    pub(crate) queries_only: bool,
    /// Hash of the delegation as received.
    pub(crate) hash: Hash,
    /// The signature by the key before it in the chain.
    pub(crate) signature: Vec<u8>,
}

/// A request as received.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// What is asked.
    pub(crate) ask: Ask,
    /// Who says they ask.
    pub(crate) sender: Principal,
    /// When the request ends to be valid, ns since 1970.
    pub(crate) ingress_expiry: u64,
    /// Hash of the content.
    pub(crate) request_id: Hash,
    /// The outermost key, DER.
    pub(crate) public_key: Option<Vec<u8>>,
    /// The signature over the request id.
    pub(crate) signature: Option<Vec<u8>>,
    /// The delegation chain, outermost first.
    pub(crate) delegations: Option<Vec<SignedDelegation>>,
}

impl Envelope {
    /// Whether every delegation of the chain is good for this canister.
    pub(crate) fn may_touch(&self, canister: Principal) -> bool {
        let mut limits = self.delegations.iter().flatten();
        limits.all(|delegation| {
            let targets = delegation.targets.as_ref();
            targets.is_none_or(|targets| targets.contains(&canister))
        })
    }
}

/// Why an envelope is refused before its signature is looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    /// The CBOR has the wrong shape.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A principal has the wrong length.
    #[error("{0}: not a principal")]
    Principal(&'static str),
    /// A request type nobody knows.
    #[error("request_type {0:?} is unknown")]
    Kind(String),
    /// A nonce above 32 bytes.
    #[error("the nonce is longer than {MAX_NONCE} bytes")]
    Nonce,
    /// Too many delegations.
    #[error("more than {MAX_DELEGATIONS} delegations")]
    ChainTooLong,
    /// Too many targets.
    #[error("a delegation has more than {MAX_TARGETS} targets")]
    TooManyTargets,
    /// Too many paths.
    #[error("more than {MAX_PATHS} paths")]
    TooManyPaths,
    /// A path that is too long.
    #[error("a path has more than {MAX_LABELS} labels")]
    LongPath,
    /// Sender information certified by a canister.
    #[error("sender_info is not supported by this node")]
    SenderInfo,
    /// An unknown value of a delegation's permissions.
    #[error("delegation permissions {0:?} are unknown")]
    Permissions(String),
}

/// Parses an envelope.
pub(crate) fn parse(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
    let document = cbor::parse_request(bytes).map_err(ValueError::from)?;
    let mut outer = value::fields("document", document)?;
    let content = outer
        .remove("content")
        .ok_or(ValueError::Missing("content"))?;
    let mut content = value::fields("content", content)?;
    let request_id = value::hash_of_map(&content)?;
    if value::optional_bytes(&mut content, "nonce")?.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
        return Err(EnvelopeError::Nonce);
    }
    if content.contains_key("sender_info") {
        return Err(EnvelopeError::SenderInfo);
    }
    let sender = principal(value::take_bytes(&mut content, "sender")?, "sender")?;
    let ingress_expiry = value::take_nat64(&mut content, "ingress_expiry")?;
    let ask = match value::take_text(&mut content, "request_type")?.as_str() {
        "call" => Ask::Call(method_call(&mut content)?),
        "query" => Ask::Query(method_call(&mut content)?),
        "read_state" => Ask::ReadState {
            paths: paths(&mut content)?,
        },
        other => return Err(EnvelopeError::Kind(other.to_owned())),
    };
    value::nothing_else(&content)?;
    let delegations = match value::optional_array(&mut outer, "sender_delegation")? {
        None => None,
        Some(chain) if chain.len() > MAX_DELEGATIONS => return Err(EnvelopeError::ChainTooLong),
        Some(chain) => Some(
            chain
                .into_iter()
                .map(delegation)
                .collect::<Result<_, _>>()?,
        ),
    };
    let envelope = Envelope {
        ask,
        sender,
        ingress_expiry,
        request_id,
        public_key: value::optional_bytes(&mut outer, "sender_pubkey")?,
        signature: value::optional_bytes(&mut outer, "sender_sig")?,
        delegations,
    };
    value::nothing_else(&outer)?;
    Ok(envelope)
}

fn principal(bytes: Vec<u8>, field: &'static str) -> Result<Principal, EnvelopeError> {
    Principal::try_from_slice(&bytes).map_err(|_| EnvelopeError::Principal(field))
}

fn method_call(content: &mut Fields) -> Result<MethodCall, EnvelopeError> {
    Ok(MethodCall {
        canister: principal(value::take_bytes(content, "canister_id")?, "canister_id")?,
        method: value::take_text(content, "method_name")?,
        arg: value::take_bytes(content, "arg")?,
    })
}

fn paths(content: &mut Fields) -> Result<Vec<Vec<Vec<u8>>>, EnvelopeError> {
    let paths = value::optional_array(content, "paths")?.ok_or(ValueError::Missing("paths"))?;
    if paths.len() > MAX_PATHS {
        return Err(EnvelopeError::TooManyPaths);
    }
    let mut out = Vec::with_capacity(paths.len());
    for path in paths {
        let serde_cbor::Value::Array(labels) = path else {
            return Err(ValueError::Type {
                field: "paths".into(),
                expected: "an array of arrays",
            }
            .into());
        };
        if labels.len() > MAX_LABELS {
            return Err(EnvelopeError::LongPath);
        }
        let labels = labels
            .into_iter()
            .map(|label| value::as_bytes("paths", label))
            .collect::<Result<_, _>>()?;
        out.push(labels);
    }
    Ok(out)
}

fn delegation(item: serde_cbor::Value) -> Result<SignedDelegation, EnvelopeError> {
    let mut outer = value::fields("sender_delegation", item)?;
    let inner = outer
        .remove("delegation")
        .ok_or(ValueError::Missing("delegation"))?;
    let mut inner = value::fields("delegation", inner)?;
    let hash = value::hash_of_map(&inner)?;
    let targets = match value::optional_array(&mut inner, "targets")? {
        None => None,
        Some(items) if items.len() > MAX_TARGETS => return Err(EnvelopeError::TooManyTargets),
        Some(items) => Some(
            items
                .into_iter()
                .map(|item| principal(value::as_bytes("targets", item)?, "targets"))
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let queries_only = match inner.remove("permissions") {
        None => false,
        Some(serde_cbor::Value::Text(text)) if text == "all" => false,
        Some(serde_cbor::Value::Text(text)) if text == "queries" => true,
        Some(other) => return Err(EnvelopeError::Permissions(format!("{other:?}"))),
    };
    let signed = SignedDelegation {
        public_key: value::take_bytes(&mut inner, "pubkey")?,
        expiration: value::take_nat64(&mut inner, "expiration")?,
        targets,
        queries_only,
        hash,
        signature: value::take_bytes(&mut outer, "signature")?,
    };
    value::nothing_else(&inner)?;
    value::nothing_else(&outer)?;
    Ok(signed)
}
