//! The development identity provider: people anybody may sign in as, and delegations in their
//! name. It speaks what Internet Identity speaks, so that applications need no other code; it
//! keeps nobody out and must never run anywhere but on loopback.

mod canister_signature;
pub(crate) mod page;
mod people;
pub(crate) mod routes;

use crate::node::Node;
use crate::wire::value::{Fields, hash_of_map};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use candid::Principal;
use people::{PeopleError, Person};
use serde::{Deserialize, Serialize};
use serde_cbor::Value;

/// How long a delegation lasts when nobody says: 30 minutes, as Internet Identity's, ns.
const DEFAULT_TTL_NS: u64 = 30 * 60 * 1_000_000_000;
/// How long it lasts at most: 30 days, as Internet Identity's, ns.
const MAX_TTL_NS: u64 = 30 * 24 * 60 * 60 * 1_000_000_000;

/// What signs for a person.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Root {
    /// An Ed25519 key.
    #[default]
    Ed25519,
    /// A canister's signature, as with Internet Identity.
    Canister,
}

/// A request for a delegation.
#[derive(Debug, Deserialize)]
pub(crate) struct DelegationRequest {
    /// Who signs in.
    person: String,
    /// The session's public key, DER in base64.
    public_key: String,
    /// The application's origin: everybody is somebody else to every origin.
    origin: String,
    /// How long, ns.
    max_time_to_live_ns: Option<Number>,
    /// What signs.
    #[serde(default)]
    root: Root,
    /// The canisters it is good for; any when missing.
    targets: Option<Vec<Principal>>,
}

/// A number that may be too large for JavaScript's.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u64),
    Text(String),
}

/// A delegation chain as ICRC-34 shapes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Chain {
    /// The person's public key at this origin, DER in base64.
    public_key: String,
    /// The chain.
    signer_delegation: Vec<SignedDelegation>,
}

#[derive(Debug, Serialize)]
struct SignedDelegation {
    delegation: Delegation,
    /// Base64.
    signature: String,
}

#[derive(Debug, Serialize)]
struct Delegation {
    /// DER in base64.
    pubkey: String,
    /// ns since 1970.
    expiration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<Principal>>,
}

/// Why there is no delegation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// Nobody of that name, or names nobody may have.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// The key.
    #[error("public_key: not base64 of a DER public key")]
    PublicKey,
    /// The time.
    #[error("max_time_to_live_ns: not a number")]
    Ttl,
    /// The origin.
    #[error("origin: not an origin")]
    Origin,
    /// The node.
    #[error("the node cannot sign: {0}")]
    Signing(String),
}

/// Makes a delegation at `now` (ns).
pub(crate) fn delegate(
    node: &Node,
    request: DelegationRequest,
    now: u64,
) -> Result<Chain, IdentityError> {
    let session = BASE64
        .decode(request.public_key.trim())
        .map_err(|_| IdentityError::PublicKey)?;
    if crate::wire::der::read_public_key(&session).is_err() {
        return Err(IdentityError::PublicKey);
    }
    if !page::is_origin(&request.origin) {
        return Err(IdentityError::Origin);
    }
    let ttl = match request.max_time_to_live_ns {
        None => DEFAULT_TTL_NS,
        Some(Number::Number(ns)) => ns,
        Some(Number::Text(text)) => text.parse().map_err(|_| IdentityError::Ttl)?,
    };
    let expiration = now.saturating_add(ttl.min(MAX_TTL_NS));
    let person = people::find(node, &request.person)?;
    let message = signable(&session, expiration, request.targets.as_deref());
    let (public_key, signature) = sign(node, &person, &request.origin, request.root, &message)?;
    Ok(Chain {
        public_key: BASE64.encode(public_key),
        signer_delegation: vec![SignedDelegation {
            delegation: Delegation {
                pubkey: BASE64.encode(&session),
                expiration: expiration.to_string(),
                targets: request.targets,
            },
            signature: BASE64.encode(signature),
        }],
    })
}

/// What is signed under a delegation: the domain separator and the hash of the map.
fn signable(session: &[u8], expiration: u64, targets: Option<&[Principal]>) -> Vec<u8> {
    let mut map = Fields::from([
        ("pubkey".to_owned(), Value::Bytes(session.to_vec())),
        ("expiration".to_owned(), Value::Integer(expiration.into())),
    ]);
    if let Some(targets) = targets {
        let targets = targets.iter().map(|t| Value::Bytes(t.as_slice().to_vec()));
        map.insert("targets".to_owned(), Value::Array(targets.collect()));
    }
    // Every value put in above is hashable.
    let hash = hash_of_map(&map).unwrap_or_default();
    [b"\x1Aic-request-auth-delegation".as_slice(), &hash].concat()
}

/// The person's public key at an origin and its signature.
fn sign(
    node: &Node,
    person: &Person,
    origin: &str,
    root: Root,
    message: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), IdentityError> {
    match root {
        Root::Ed25519 => {
            let seed = person.seed("ed25519", origin);
            let key = ic_ed25519::PrivateKey::deserialize_raw(&seed)
                .map_err(|e| IdentityError::Signing(format!("{e:?}")))?;
            let public = key.public_key().serialize_rfc8410_der();
            Ok((public, key.sign_message(message).to_vec()))
        }
        Root::Canister => {
            let seed = person.seed("canister", origin);
            Ok(canister_signature::sign(node, &seed, message))
        }
    }
}
