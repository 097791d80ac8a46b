//! A browser's identity: the identity provider delegates to a key of the browser that signs
//! asynchronously, and that key, for a short time, to an Ed25519 key in memory, because an agent
//! signs synchronously. Must not know where the browser keeps anything.
//!
//! One flat chain, root → browser key → session key: nested delegated identities come out reversed.

use candid::Principal;
use ic_agent::agent::EnvelopeContent;
use ic_agent::identity::{DelegatedIdentity, Delegation, SignedDelegation};
use ic_agent::{Identity, Signature};
use salus_crypto::sign::SigningKey;
use std::sync::Arc;

/// An Ed25519 key's DER up to the key (RFC 8410).
const DER_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Why no identity came of a delegation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// It has run out.
    #[error("the sign-in has expired")]
    Expired,
    /// It does not end in this browser's key, or a signature in it is not valid.
    #[error("the sign-in is not valid for this browser")]
    NotValid,
    /// There is no randomness.
    #[error("no randomness to make a session key from")]
    NoRandomness,
}

/// One delegation, as ICRC-34 gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegated {
    /// To whom, DER.
    pub public_key: Vec<u8>,
    /// Until when, nanoseconds since 1970.
    pub expiration: u64,
    /// Canisters it is limited to.
    pub targets: Option<Vec<Principal>>,
    /// By the key before it.
    pub signature: Vec<u8>,
}

/// What the identity provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The root's public key, DER: the person's principal follows from it.
    pub root: Vec<u8>,
    /// From the root to the browser's key.
    pub delegations: Vec<Delegated>,
}

impl SignIn {
    /// Who signs in.
    pub fn principal(&self) -> Principal {
        Principal::self_authenticating(&self.root)
    }

    /// Until when, milliseconds since 1970: the first delegation to run out.
    pub fn expires_ms(&self) -> u64 {
        let first = self.delegations.iter().map(|d| d.expiration).min();
        first.unwrap_or(0) / 1_000_000
    }
}

/// A key that signs for itself. ic-agent has such an identity too, over another Ed25519 library,
/// whose tables a browser would have to load beside those of the first.
struct SessionKey {
    key: SigningKey,
    public: Vec<u8>,
}

impl SessionKey {
    fn new(key: SigningKey) -> Self {
        let public = [&DER_PREFIX[..], &key.public()].concat();
        Self { key, public }
    }
}

impl Identity for SessionKey {
    fn sender(&self) -> Result<Principal, String> {
        Ok(Principal::self_authenticating(&self.public))
    }

    fn public_key(&self) -> Option<Vec<u8>> {
        Some(self.public.clone())
    }

    fn sign(&self, content: &EnvelopeContent) -> Result<Signature, String> {
        self.sign_arbitrary(&content.to_request_id().signable())
    }

    fn sign_delegation(&self, content: &Delegation) -> Result<Signature, String> {
        self.sign_arbitrary(&content.signable())
    }

    fn sign_arbitrary(&self, content: &[u8]) -> Result<Signature, String> {
        Ok(Signature {
            public_key: self.public_key(),
            signature: Some(self.key.sign(content).to_vec()),
            delegations: None,
        })
    }
}

/// A session key that waits for the browser key's signature.
pub struct SessionRequest {
    key: SessionKey,
    delegation: Delegation,
}

impl SessionRequest {
    /// Makes a session key for at most `life_ms` milliseconds from `now_ms` on, and no longer than
    /// the sign-in lasts. `browser_key` is the DER public key that will sign.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn new(
        sign_in: &SignIn,
        browser_key: &[u8],
        now_ms: u64,
        life_ms: u64,
    ) -> Result<Self, SessionError> {
        let last = sign_in.delegations.last().ok_or(SessionError::NotValid)?;
        if last.public_key != browser_key {
            return Err(SessionError::NotValid);
        }
        let until_ms = sign_in.expires_ms().min(now_ms.saturating_add(life_ms));
        if until_ms <= now_ms {
            return Err(SessionError::Expired);
        }
        let key = SigningKey::generate().map_err(|_| SessionError::NoRandomness)?;
        let key = SessionKey::new(key);
        Ok(Self {
            delegation: Delegation {
                pubkey: key.public.clone(),
                expiration: until_ms.saturating_mul(1_000_000),
                targets: None,
                permissions: None,
            },
            key,
        })
    }

    /// What the browser key signs (ECDSA, SHA-256, r ‖ s).
    pub fn message(&self) -> Vec<u8> {
        self.delegation.signable()
    }

    /// Until when the session lasts, milliseconds since 1970.
    pub fn expires_ms(&self) -> u64 {
        self.delegation.expiration / 1_000_000
    }

    /// The identity, after checking every signature of the chain; canister signatures under
    /// `root_key` (DER), or under the Internet Computer's own without it.
    ///
    /// # Errors
    /// [`SessionError::NotValid`].
    pub fn finish(
        self,
        sign_in: &SignIn,
        signature: Vec<u8>,
        root_key: Option<&[u8]>,
    ) -> Result<Arc<dyn Identity>, SessionError> {
        let mut chain: Vec<SignedDelegation> = sign_in
            .delegations
            .iter()
            .map(|d| SignedDelegation {
                delegation: Delegation {
                    pubkey: d.public_key.clone(),
                    expiration: d.expiration,
                    targets: d.targets.clone(),
                    permissions: None,
                },
                signature: d.signature.clone(),
            })
            .collect();
        chain.push(SignedDelegation {
            delegation: self.delegation,
            signature,
        });
        let (root, session) = (sign_in.root.clone(), Box::new(self.key));
        let identity = match root_key {
            Some(key) => DelegatedIdentity::new_with_root_key(root, session, chain, key),
            None => DelegatedIdentity::new(root, session, chain),
        };
        Ok(Arc::new(identity.map_err(|_| SessionError::NotValid)?))
    }
}

impl std::fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionRequest(until {})", self.expires_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_agent::identity::BasicIdentity;

    #[test]
    fn a_session_key_signs_as_ic_agents_own_identity_does() {
        let seed = [3; 32];
        let ours = SessionKey::new(SigningKey::from_seed(&seed));
        let theirs = BasicIdentity::from_raw_key(&seed);
        assert_eq!(ours.sender(), theirs.sender());
        assert_eq!(ours.public_key(), theirs.public_key());
        let delegation = Delegation {
            pubkey: ours.public.clone(),
            expiration: 5,
            targets: None,
            permissions: None,
        };
        let content = EnvelopeContent::ReadState {
            ingress_expiry: 7,
            sender: Principal::anonymous(),
            paths: Vec::new(),
        };
        let pairs = [
            (ours.sign(&content), theirs.sign(&content)),
            (
                ours.sign_delegation(&delegation),
                theirs.sign_delegation(&delegation),
            ),
            (ours.sign_arbitrary(b"x"), theirs.sign_arbitrary(b"x")),
        ];
        for pair in pairs {
            let (Ok(ours), Ok(theirs)) = pair else {
                unreachable!("both sign");
            };
            assert_eq!(ours.signature, theirs.signature);
            assert_eq!(ours.public_key, theirs.public_key);
            assert!(ours.delegations.is_none());
        }
    }
}
