//! Signed statements: what is signed, how it is hashed, how it is verified. Must not know what any
//! statement means, nor hold a secret key.
//!
//! Signed bytes = label ‖ 0x00 ‖ canonical CBOR. A statement's hash is SHA-256 of the same bytes, so
//! that neither a signature nor a hash of one kind can stand for another kind.

use crate::canonical;
use ed25519_dalek::{Signature, VerifyingKey};
use minicbor::{Decode, Encode};
use salus_types::Hash;
use salus_types::api::Signed;
use sha2::{Digest, Sha256};

/// Prefix of every label of this version of the formats.
pub const LABEL_PREFIX: &str = "salus/v1/";

/// Something that is signed.
pub trait Statement: Encode<()> + for<'b> Decode<'b, ()> {
    /// Its label: [`LABEL_PREFIX`] and a name no other statement has.
    const LABEL: &'static str;

    /// The vault it was made for: the canister's principal.
    fn vault(&self) -> &[u8];
}

/// Why a statement is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not the canonical encoding of this kind.
    #[error("{0}: not canonical")]
    NotCanonical(&'static str),
    /// The signature does not verify, or the key is no acceptable key.
    #[error("{0}: bad signature")]
    BadSignature(&'static str),
    /// Made for another vault.
    #[error("{0}: made for another vault")]
    ForeignVault(&'static str),
}

/// The bytes a signature is made over.
pub fn signing_bytes(label: &str, cbor: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(label.len() + 1 + cbor.len());
    out.extend_from_slice(label.as_bytes());
    out.push(0);
    out.extend_from_slice(cbor);
    out
}

/// A statement's hash, from its canonical bytes.
pub fn hash_of<T: Statement>(cbor: &[u8]) -> Hash {
    labelled_hash(T::LABEL, cbor)
}

/// SHA-256 of label ‖ 0x00 ‖ bytes.
pub fn labelled_hash(label: &str, bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(label.as_bytes());
    hasher.update([0]);
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

/// Plain SHA-256, for ciphertexts and envelopes named inside statements.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Whether a signature verifies (`verify_strict`; keys of small order are refused).
pub fn signature_is_valid(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        VerifyingKey::from_bytes(key),
        Signature::from_slice(signature),
    ) else {
        return false;
    };
    !key.is_weak() && key.verify_strict(message, &signature).is_ok()
}

/// Decodes a statement for this vault without looking at its signature: to find out whose key it
/// needs, or where something already verified covers its hash.
///
/// # Errors
/// [`StatementError::NotCanonical`], [`StatementError::ForeignVault`].
pub fn decode_for<T: Statement>(cbor: &[u8], vault: &[u8]) -> Result<T, StatementError> {
    let value: T = canonical::decode(cbor).map_err(|_| StatementError::NotCanonical(T::LABEL))?;
    if value.vault() != vault {
        return Err(StatementError::ForeignVault(T::LABEL));
    }
    Ok(value)
}

/// Decodes a statement for this vault and verifies its signature.
///
/// # Errors
/// Any [`StatementError`].
pub fn verify<T: Statement>(
    signed: &Signed,
    vault: &[u8],
    key: &[u8; 32],
) -> Result<T, StatementError> {
    let value = decode_for::<T>(&signed.statement, vault)?;
    let message = signing_bytes(T::LABEL, &signed.statement);
    if signature_is_valid(key, &message, &signed.signature) {
        Ok(value)
    } else {
        Err(StatementError::BadSignature(T::LABEL))
    }
}
