//! Hiding commitments: SHA-256 over a label, a random salt and what is committed to, encoded as
//! contexts are. Opened by giving the salt. Must not know keys.

use crate::context::{Kind, labelled};
use salus_types::Hash;
use sha2::{Digest, Sha256};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Commits to the purpose of a request or a grant.
pub fn commit_purpose(salt: &[u8; 32], purpose: &str) -> Hash {
    sha256(&labelled(Kind::Purpose, &[salt, purpose.as_bytes()]))
}

/// Commits to a version's plaintext: SHA-256 of the encoded descriptor (which holds the salt), then
/// SHA-256 of each part without padding, in order. Outlives re-encryption and export.
pub fn commit_plaintext(salt: &[u8; 32], descriptor: Hash, parts: &[Hash]) -> Hash {
    let mut fields: Vec<&[u8]> = vec![salt, descriptor.as_bytes()];
    fields.extend(parts.iter().map(|part| part.as_bytes().as_slice()));
    sha256(&labelled(Kind::Plaintext, &fields))
}
