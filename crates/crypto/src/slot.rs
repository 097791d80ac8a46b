//! Slots: the ways to unlock an account. A slot's secret gives an X-Wing key, to which the account
//! master key is sealed, and an anchor key, which seals the account's genesis fingerprint.
//!
//! Must not know the ledger, which says what slots an account has.

use crate::context::{self, VaultScope};
use crate::error::{OpenError, PublicKeyError, SealError};
use crate::hazmat::hkdf::derive_sha256;
use crate::hierarchy::Amk;
use crate::hpke::{self, PublicKey, SecretSeed};
use crate::kdf::derive_key;
use crate::key::Key;
use crate::random::{RandomError, secret32};
use crate::seal;
use salus_protocol::ledger::PasskeyParameters;
use salus_types::{Hash, SlotId};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a sealed anchor.
pub const ANCHOR_LEN: usize = seal::HEADER_LEN + 32 + 16;
/// Bytes of the account master key sealed to a slot.
pub const WRAP_LEN: usize = hpke::OVERHEAD + 32;

/// Where a slot's secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// The recovery phrase.
    Recovery,
    /// A browser's non-extractable HMAC key.
    Browser,
    /// A passkey's PRF output.
    Passkey,
    /// A passphrase and a second secret.
    Passphrase,
    /// A file that only its owner can read.
    File,
}

impl SlotKind {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Recovery,
        Self::Browser,
        Self::Passkey,
        Self::Passphrase,
        Self::File,
    ];

    /// The field that stands for it in contexts.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Browser => "browser",
            Self::Passkey => "passkey",
            Self::Passphrase => "passphrase",
            Self::File => "file",
        }
    }
}

/// A slot's secret, with its kind. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SlotSecret {
    #[zeroize(skip)]
    kind: SlotKind,
    bytes: [u8; 32],
}

impl SlotSecret {
    pub(crate) const fn from_bytes(kind: SlotKind, bytes: [u8; 32]) -> Self {
        Self { kind, bytes }
    }

    /// The secret of a browser slot: HMAC-SHA-256 by the browser's key over
    /// [`context::browser_slot`].
    pub const fn from_browser_hmac(output: [u8; 32]) -> Self {
        Self::from_bytes(SlotKind::Browser, output)
    }

    /// The secret of a passkey slot: HKDF-SHA-256 of the PRF output with an empty salt and
    /// [`context::passkey_slot`] as info, 32 bytes. For a browser, where Web Crypto computes it from
    /// a key that it does not give out.
    pub const fn from_passkey_hkdf(output: [u8; 32]) -> Self {
        Self::from_bytes(SlotKind::Passkey, output)
    }

    /// The secret of a passkey slot from the PRF output itself.
    pub fn derive_from_prf(
        prf: &[u8; 32],
        scope: VaultScope<'_>,
        slot: SlotId,
        parameters: &PasskeyParameters,
    ) -> Self {
        let context = context::passkey_slot(scope, slot, parameters);
        Self::from_passkey_hkdf(*derive_sha256(prf, context.as_bytes()))
    }

    /// The secret that a file holds.
    pub const fn from_file(bytes: [u8; 32]) -> Self {
        Self::from_bytes(SlotKind::File, bytes)
    }

    /// A fresh secret for a file.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate_for_file() -> Result<Self, RandomError> {
        secret32().map(|bytes| Self::from_file(*bytes))
    }

    /// What kind of slot it is for.
    pub const fn kind(&self) -> SlotKind {
        self.kind
    }

    /// The secret bytes: for writing them to the file, and for nothing else.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The keys it gives for a slot of an account.
    ///
    /// # Errors
    /// [`PublicKeyError`], which does not happen.
    pub fn derive_keys(
        &self,
        scope: VaultScope<'_>,
        slot: SlotId,
    ) -> Result<SlotKeys, PublicKeyError> {
        let secret = Key::from_bytes(self.bytes);
        let tag = self.kind.tag().as_bytes();
        let seed = derive_key(&secret, &context::slot_seed(scope, slot, tag));
        let seed = SecretSeed::from_bytes(*seed.expose());
        let anchor = derive_key(&secret, &context::slot_anchor_key(scope, slot, tag));
        let public = seed.public()?;
        Ok(SlotKeys {
            seed,
            public,
            anchor,
        })
    }
}

impl std::fmt::Debug for SlotSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SlotSecret({}, secret)", self.kind.tag())
    }
}

/// The keys of one slot of one account.
#[derive(Clone, Debug)]
pub struct SlotKeys {
    seed: SecretSeed,
    public: PublicKey,
    anchor: Key,
}

impl SlotKeys {
    /// The public half, which stands in the ledger.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Seals the account's genesis fingerprint.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn seal_anchor(
        &self,
        scope: VaultScope<'_>,
        slot: SlotId,
        genesis: Hash,
    ) -> Result<Vec<u8>, SealError> {
        let context = context::slot_anchor(scope, slot);
        seal::seal(&self.anchor, &context, genesis.as_bytes())
    }

    /// Opens the anchor: what a fresh client trusts about the account before anything else.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_anchor(
        &self,
        scope: VaultScope<'_>,
        slot: SlotId,
        sealed: &[u8],
    ) -> Result<Hash, OpenError> {
        let context = context::slot_anchor(scope, slot);
        let bytes = seal::open(&self.anchor, &context, sealed)?;
        bytes.try_into().map(Hash).map_err(|_| OpenError::Malformed)
    }

    /// Opens the account master key of a generation.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn unwrap_amk(
        &self,
        scope: VaultScope<'_>,
        slot: SlotId,
        generation: u32,
        envelope: &[u8],
    ) -> Result<Amk, OpenError> {
        let context = context::slot_wrap(scope, slot, generation);
        let bytes = hpke::open_with(&self.seed, &context, envelope)?;
        let key = Key::from_slice(&bytes).map_err(|_| OpenError::Malformed)?;
        Ok(Amk::from_parts(generation, key))
    }
}

/// Seals the account master key to a slot; needs only the slot's public key.
///
/// # Errors
/// [`SealError`]
pub fn wrap_amk(
    public: &PublicKey,
    scope: VaultScope<'_>,
    slot: SlotId,
    amk: &Amk,
) -> Result<Vec<u8>, SealError> {
    let context = context::slot_wrap(scope, slot, amk.generation());
    hpke::seal_to(public, &context, amk.key().expose())
}
