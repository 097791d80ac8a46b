//! AES-256-GCM over a buffer: the one loop whose speed people wait for.
//!
//! A crate of its own because generic code is compiled with whoever names its types: in a browser this
//! is compiled for speed, and `salus-crypto` around it for size. Must not know formats, nonces or what
//! is sealed; a nonce must never be used twice under a key.

use aes_gcm::aead::{AeadInOut, KeyInit, inout::InOutBuf};
use aes_gcm::{Aes256Gcm, Nonce, Tag};

/// Bytes of a tag.
pub const TAG_LEN: usize = 16;

/// A key's cipher. Wiped when dropped.
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// With this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts in place and gives the tag; `None` for what is longer than GCM allows.
    pub fn seal(&self, nonce: [u8; 12], text: &mut [u8]) -> Option<[u8; TAG_LEN]> {
        let nonce = Nonce::from(nonce);
        let buffer = InOutBuf::from(text);
        let tag = self.0.encrypt_inout_detached(&nonce, b"", buffer);
        tag.ok().map(Into::into)
    }

    /// Decrypts in place if the tag fits; otherwise `text` stays as it is.
    #[must_use]
    pub fn open(&self, nonce: [u8; 12], text: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        let nonce = Nonce::from(nonce);
        let buffer = InOutBuf::from(text);
        let opened = self
            .0
            .decrypt_inout_detached(&nonce, b"", buffer, &Tag::from(tag));
        opened.is_ok()
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_case_is_sealed_and_opened() {
        // The Galois/Counter Mode of Operation, test case 14.
        let cipher = Cipher::new(&[0; 32]);
        let mut text = [0; 16];
        let tag = cipher.seal([0; 12], &mut text);
        assert_eq!(
            u128::from_be_bytes(text),
            0xcea7_403d_4d60_6b6e_074e_c5d3_baf3_9d18
        );
        let tag = tag.map(u128::from_be_bytes);
        assert_eq!(tag, Some(0xd0d1_c8a7_9999_6bf0_265b_98b5_d48a_b919));

        let sealed = text;
        let tag = tag.map(u128::to_be_bytes).unwrap_or_default();
        let mut wrong = tag;
        wrong[15] ^= 1;
        assert!(!cipher.open([0; 12], &mut text, wrong));
        assert!(!cipher.open([1; 12], &mut text, tag));
        assert_eq!(text, sealed);
        assert!(cipher.open([0; 12], &mut text, tag));
        assert_eq!(text, [0; 16]);
    }
}
