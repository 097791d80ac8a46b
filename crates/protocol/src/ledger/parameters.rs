//! Public parameters of slots: what a browser that remembers nothing has to know before it can
//! compute a slot's secret. Owns their form and their floors and ceilings, the same for vault and
//! client. Must not know how a secret is computed.

use super::SlotKind;
use minicbor::{Decode, Encode};
use salus_types::limits;

/// Public parameters of a slot whose secret cannot be computed without any.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum SlotParameters {
    /// Of a passkey.
    #[n(2)]
    Passkey(#[n(0)] PasskeyParameters),
    /// Of a passphrase.
    #[n(3)]
    Passphrase(#[n(0)] PassphraseParameters),
}

/// With what a passkey is asked for its secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PasskeyParameters {
    /// The credential's id, 1 to 1,023 bytes (WebAuthn Level 3, section 4).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub credential: Vec<u8>,
    /// What the PRF extension is evaluated at (`eval.first`).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 32],
}

/// How a passphrase is stretched, by Argon2id version 0x13 with one lane, and what it is combined
/// with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PassphraseParameters {
    /// Memory in KiB.
    #[n(0)]
    pub memory_kib: u32,
    /// Passes over it.
    #[n(1)]
    pub passes: u32,
    /// Salt.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The second secret it takes.
    #[n(3)]
    pub second: SecondSecretKind,
}

/// What a passphrase is combined with, so that nobody can guess it who has not that too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SecondSecretKind {
    /// The key printed on the recovery sheet.
    #[n(0)]
    Sheet,
    /// A key that this browser, or this machine, keeps.
    #[n(1)]
    Device,
}

/// What is wrong with a slot's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// This kind of slot needs them.
    #[error("the parameters of the slot are missing")]
    Missing,
    /// They belong to another kind of slot, or to none.
    #[error("parameters of another kind of slot")]
    Kind,
    /// The credential's id is empty or too long.
    #[error("a credential id has 1 to 1023 bytes")]
    Credential,
    /// Less work than anyone may accept: a passphrase could be guessed.
    #[error("stretching is below the floor of 64 MiB and 3 passes")]
    BelowFloor,
    /// More work than anyone should do.
    #[error("stretching is above the ceiling of 1 GiB and 16 passes")]
    AboveCeiling,
}

impl PasskeyParameters {
    /// Whether they may be used.
    ///
    /// # Errors
    /// [`ParametersError::Credential`].
    pub const fn check(&self) -> Result<(), ParametersError> {
        if self.credential.is_empty() || self.credential.len() as u64 > limits::CREDENTIAL_BYTES {
            Err(ParametersError::Credential)
        } else {
            Ok(())
        }
    }
}

impl PassphraseParameters {
    /// Whether they may be used: to be asked before any memory is taken.
    ///
    /// # Errors
    /// [`ParametersError::BelowFloor`], [`ParametersError::AboveCeiling`].
    pub const fn check(&self) -> Result<(), ParametersError> {
        if self.memory_kib < limits::PASSPHRASE_MEMORY_KIB.0
            || self.passes < limits::PASSPHRASE_PASSES.0
        {
            Err(ParametersError::BelowFloor)
        } else if self.memory_kib > limits::PASSPHRASE_MEMORY_KIB.1
            || self.passes > limits::PASSPHRASE_PASSES.1
        {
            Err(ParametersError::AboveCeiling)
        } else {
            Ok(())
        }
    }
}

/// Whether a slot of this kind may have these parameters.
pub(super) fn check_parameters(
    kind: SlotKind,
    parameters: Option<&SlotParameters>,
) -> Result<(), ParametersError> {
    match (kind, parameters) {
        (SlotKind::Passkey, Some(SlotParameters::Passkey(parameters))) => parameters.check(),
        (SlotKind::Passphrase, Some(SlotParameters::Passphrase(parameters))) => parameters.check(),
        (SlotKind::Passkey | SlotKind::Passphrase, None) => Err(ParametersError::Missing),
        (SlotKind::Recovery | SlotKind::Browser | SlotKind::File, None) => Ok(()),
        (_, Some(_)) => Err(ParametersError::Kind),
    }
}
