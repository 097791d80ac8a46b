//! A browser's identity: the identity provider delegates to a key of the browser that signs
//! asynchronously, and that key, for a short time, to an Ed25519 key in memory, because an agent
//! signs synchronously. Must not know where the browser keeps anything.
//!
//! One flat chain, root → browser key → session key: nested delegated identities come out reversed.

use candid::Principal;
use ic_agent::Identity;
use ic_agent::identity::{BasicIdentity, DelegatedIdentity, Delegation, SignedDelegation};
use std::sync::Arc;
use zeroize::Zeroizing;

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

/// A session key that waits for the browser key's signature.
pub struct SessionRequest {
    secret: Zeroizing<[u8; 32]>,
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
        let secret =
            Zeroizing::new(salus_crypto::random_salt().map_err(|_| SessionError::NoRandomness)?);
        let public = BasicIdentity::from_raw_key(&secret).public_key();
        Ok(Self {
            delegation: Delegation {
                pubkey: public.ok_or(SessionError::NotValid)?,
                expiration: until_ms.saturating_mul(1_000_000),
                targets: None,
                permissions: None,
            },
            secret,
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
        let session = BasicIdentity::from_raw_key(&self.secret);
        let (root, session) = (sign_in.root.clone(), Box::new(session));
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
