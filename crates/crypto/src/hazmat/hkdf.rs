//! HKDF (RFC 5869) by HMAC: SHA-256 with one output block, and Expand with SHA-512 for a 32-byte
//! pseudorandom key, which chunked encryption asks for and the `hkdf` crate refuses.
//!
//! Hazardous because contexts are raw bytes. None of the functions can fail, so no caller has to invent
//! a key when one does.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

/// Output of [`expand_sha512`]: AEAD key, nonce and commitment.
pub const SEAL_OKM_LEN: usize = 76;

// HMAC pads a key shorter than its hash's block with zeros; doing so here makes the constructor
// infallible.
pub(crate) fn hmac_sha256(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0u8; 64]);
    block[..32].copy_from_slice(key);
    <Hmac<Sha256> as KeyInit>::new((&*block).into())
}

fn hmac_sha512(key: &[u8; 32]) -> Hmac<Sha512> {
    let mut block = Zeroizing::new([0u8; 128]);
    block[..32].copy_from_slice(key);
    <Hmac<Sha512> as KeyInit>::new((&*block).into())
}

/// HKDF-SHA-256 with an empty salt: 32 bytes from a key and an info.
pub fn derive_sha256(key: &[u8; 32], info: &[u8]) -> Zeroizing<[u8; 32]> {
    derive_sha256_joined(&[key], info)
}

/// As [`derive_sha256`], from several keys joined to one. Who calls fixes their lengths by the info.
pub fn derive_sha256_joined(keys: &[&[u8]], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut extract = hmac_sha256(&[0; 32]);
    for key in keys {
        extract.update(key);
    }
    let prk: Zeroizing<[u8; 32]> = Zeroizing::new(extract.finalize().into_bytes().into());
    let mut expand = hmac_sha256(&prk);
    expand.update(info);
    expand.update(&[1]);
    Zeroizing::new(expand.finalize().into_bytes().into())
}

/// HKDF-Expand-SHA-512: 76 bytes from a pseudorandom key and an info given in pieces.
pub fn expand_sha512(prk: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; SEAL_OKM_LEN]> {
    let mut out = Zeroizing::new([0u8; SEAL_OKM_LEN]);
    let mut block = Zeroizing::new([0u8; 64]);
    for (i, piece) in out.chunks_mut(64).enumerate() {
        let mut mac = hmac_sha512(prk);
        if i > 0 {
            mac.update(block.as_ref());
        }
        for field in info {
            mac.update(field);
        }
        // Two blocks: the counter is 1, then 2.
        mac.update(&[if i == 0 { 1 } else { 2 }]);
        block.copy_from_slice(&mac.finalize().into_bytes());
        piece.copy_from_slice(&block[..piece.len()]);
    }
    out
}
