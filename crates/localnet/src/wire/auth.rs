//! Who sent a request: signature, delegation chain, expiry. The principal comes from the
//! outermost key. Knows nothing of canisters.

use super::der::{self, KeyError, KeyKind};
use super::envelope::{Ask, Envelope};
use super::webauthn;
use candid::Principal;
use std::collections::BTreeSet;

/// How far ahead `ingress_expiry` may lie: five minutes. The IC's nodes allow for some drift of
/// clocks beyond that; agents of this node have the same clock.
const MAX_EXPIRY_AHEAD_NS: u64 = 5 * 60 * 1_000_000_000;

/// Why a request is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// The request has expired, or ends too far ahead.
    #[error(
        "Invalid request expiry: Specified ingress_expiry not within expected range: \
         now is {now}, ingress_expiry is {expiry}, and it may lie at most {MAX_EXPIRY_AHEAD_NS} ns ahead"
    )]
    Expiry {
        /// The node's clock.
        now: u64,
        /// What was asked.
        expiry: u64,
    },
    /// The anonymous principal does not sign.
    #[error("an anonymous request carries a key, a signature or a delegation")]
    AnonymousSigned,
    /// A named sender must sign.
    #[error("the request is not signed")]
    Unsigned,
    /// The sender is not the principal of the key.
    #[error("sender {sender} is not the principal of its public key, which is {key}")]
    WrongSender {
        /// Who the request names.
        sender: Principal,
        /// Whose key it is.
        key: Principal,
    },
    /// A key no scheme knows.
    #[error("{0}: the public key: {1}")]
    Key(&'static str, KeyError),
    /// A signature does not verify.
    #[error("{0}: the signature does not verify: {1}")]
    BadSignature(&'static str, String),
    /// A key occurs twice in a chain.
    #[error("the delegation chain has a cycle")]
    Cycle,
    /// A delegation has expired.
    #[error("a delegation expired at {0}")]
    DelegationExpired(u64),
    /// The delegation is for other canisters.
    #[error("canister {0} is not one of the delegation's targets")]
    Target(Principal),
    /// The delegation is for queries only.
    #[error("the delegation permits queries only")]
    QueriesOnly,
}

/// Checks an envelope at `now` (ns); `root_key` is the raw BLS key that canister signatures
/// must lead to.
pub(crate) fn check(envelope: &Envelope, now: u64, root_key: &[u8]) -> Result<(), AuthError> {
    let expiry = envelope.ingress_expiry;
    let anonymous = envelope.sender == Principal::anonymous();
    // Anonymous queries and read_states may come with any expiry, as on the IC.
    let expires = !anonymous || matches!(envelope.ask, Ask::Call(_));
    if expires && (expiry < now || expiry > now + MAX_EXPIRY_AHEAD_NS) {
        return Err(AuthError::Expiry { now, expiry });
    }
    if anonymous {
        if envelope.public_key.is_some()
            || envelope.signature.is_some()
            || envelope.delegations.is_some()
        {
            return Err(AuthError::AnonymousSigned);
        }
        return Ok(());
    }
    let (Some(outermost), Some(signature)) = (&envelope.public_key, &envelope.signature) else {
        return Err(AuthError::Unsigned);
    };
    let principal = Principal::self_authenticating(outermost);
    if principal != envelope.sender {
        return Err(AuthError::WrongSender {
            sender: envelope.sender,
            key: principal,
        });
    }
    let key = follow_delegations(envelope, outermost, now, root_key)?;
    let message = [b"\x0Aic-request".as_slice(), &envelope.request_id].concat();
    verify("request", key, &message, signature, root_key)
}

/// Verifies the chain and yields the key that must have signed the request.
fn follow_delegations<'a>(
    envelope: &'a Envelope,
    outermost: &'a [u8],
    now: u64,
    root_key: &[u8],
) -> Result<&'a [u8], AuthError> {
    let mut seen = BTreeSet::from([outermost]);
    let mut key = outermost;
    for delegation in envelope.delegations.iter().flatten() {
        if delegation.expiration < now {
            return Err(AuthError::DelegationExpired(delegation.expiration));
        }
        if let Some(targets) = &delegation.targets
            && let Ask::Call(call) | Ask::Query(call) = &envelope.ask
            && !targets.contains(&call.canister)
        {
            return Err(AuthError::Target(call.canister));
        }
        if delegation.queries_only && matches!(envelope.ask, Ask::Call(_)) {
            return Err(AuthError::QueriesOnly);
        }
        let message = [
            b"\x1Aic-request-auth-delegation".as_slice(),
            &delegation.hash,
        ]
        .concat();
        verify("delegation", key, &message, &delegation.signature, root_key)?;
        key = &delegation.public_key;
        if !seen.insert(key) {
            return Err(AuthError::Cycle);
        }
    }
    Ok(key)
}

/// Verifies one signature by whichever scheme the key is of.
pub(crate) fn verify(
    what: &'static str,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
    root_key: &[u8],
) -> Result<(), AuthError> {
    let (kind, raw) = der::read_public_key(key).map_err(|e| AuthError::Key(what, e))?;
    let bad = |why: String| AuthError::BadSignature(what, why);
    let holds = match kind {
        KeyKind::Ed25519 => ic_ed25519::PublicKey::deserialize_raw(raw)
            .map_err(|e| bad(format!("{e:?}")))?
            .verify_signature(message, signature)
            .is_ok(),
        KeyKind::Secp256k1 => ic_secp256k1::PublicKey::deserialize_sec1(raw)
            .map_err(|e| bad(format!("{e:?}")))?
            .verify_ecdsa_signature_with_malleability(message, signature),
        KeyKind::P256 => ic_secp256r1::PublicKey::deserialize_sec1(raw)
            .map_err(|e| bad(format!("{e:?}")))?
            .verify_signature(message, signature),
        KeyKind::Cose => {
            return webauthn::verify(raw, message, signature).map_err(|e| bad(e.to_string()));
        }
        KeyKind::Canister => {
            return ic_signature_verification::verify_canister_sig(
                message, signature, key, root_key,
            )
            .map_err(bad);
        }
    };
    if holds {
        Ok(())
    } else {
        Err(bad("it is another key's or another message's".into()))
    }
}
