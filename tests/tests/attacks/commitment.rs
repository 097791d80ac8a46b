//! 5: a ciphertext made so that AES-GCM opens it under two keys. Only the commitment to the key says
//! which of them it is for.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::Aead;
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{BlockCipherEncrypt, KeyInit};
use salus_crypto::hazmat::hkdf::expand_sha512;
use salus_crypto::{Key, OpenError, VaultScope, VersionScope, context, seal};
use salus_types::{AccountId, Hash, RecordId};

const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
const SALT: [u8; 24] = [7; 24];

/// What sealing derives from a key: `docs/format.md` §3, written again.
struct Derived {
    key: [u8; 32],
    nonce: [u8; 12],
    commitment: [u8; 32],
}

fn derive(key: &Key, context: &salus_crypto::Context) -> Derived {
    let okm = expand_sha512(key.expose(), &[INFO, &SALT, context.as_bytes()]);
    Derived {
        key: okm[..32].try_into().unwrap(),
        nonce: okm[32..44].try_into().unwrap(),
        commitment: okm[44..].try_into().unwrap(),
    }
}

/// The product in GCM's field of 2^128 elements, bits as SP 800-38D has them.
fn times(x: u128, y: u128) -> u128 {
    let (mut sum, mut power) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            sum ^= power;
        }
        let carry = power & 1;
        power >>= 1;
        if carry == 1 {
            power ^= 0xe1 << 120;
        }
    }
    sum
}

/// The inverse: the power 2^128 − 2.
fn inverse(x: u128) -> u128 {
    let (mut out, mut square) = (1 << 127, x);
    for _ in 1..128 {
        square = times(square, square);
        out = times(out, square);
    }
    out
}

impl Derived {
    fn block(&self, block: [u8; 16]) -> u128 {
        let mut block = block.into();
        Aes256::new(&self.key.into()).encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    }

    /// The hash key, and what masks the tag.
    fn hash_and_mask(&self) -> (u128, u128) {
        let mut counter = [0; 16];
        counter[..12].copy_from_slice(&self.nonce);
        counter[15] = 1;
        (self.block([0; 16]), self.block(counter))
    }

    fn opens(&self, chunk: &[u8]) -> bool {
        let cipher = Aes256Gcm::new(&self.key.into());
        cipher.decrypt(&self.nonce.into(), chunk).is_ok()
    }
}

/// One block whose tag is the same under both keys, and that tag.
fn chunk_for_both(one: &Derived, other: &Derived) -> Vec<u8> {
    let ((h1, e1), (h2, e2)) = (one.hash_and_mask(), other.hash_and_mask());
    // A block of 128 bits after no associated data.
    let lengths = 128u128;
    let wanted = e1 ^ e2 ^ times(lengths, h1 ^ h2);
    let block = times(wanted, inverse(times(h1, h1) ^ times(h2, h2)));
    let tag = times(times(block, h1) ^ lengths, h1) ^ e1;
    [block.to_be_bytes(), tag.to_be_bytes()].concat()
}

#[test]
fn a05_a_ciphertext_that_opens_under_two_keys() {
    let scope = VersionScope {
        scope: VaultScope {
            vault: &[1; 10],
            account: AccountId([2; 16]),
        },
        record: RecordId([3; 16]),
        version: 1,
        author: Hash([4; 32]),
    };
    let context = context::content(&scope, 0);
    let keys = [[5; 32], [6; 32]].map(Key::from_bytes);
    let derived = [derive(&keys[0], &context), derive(&keys[1], &context)];
    let chunk = chunk_for_both(&derived[0], &derived[1]);
    assert!(derived.iter().all(|d| d.opens(&chunk)), "the attack works");

    for (own, other) in [(0, 1), (1, 0)] {
        let sealed = [&SALT[..], &derived[own].commitment, &chunk].concat();
        assert!(seal::open(&keys[own], &context, &sealed).is_ok());
        let refused = seal::open(&keys[other], &context, &sealed);
        assert_eq!(refused, Err(OpenError::WrongKeyOrContext));
        let header = &sealed[..seal::HEADER_LEN];
        let opener = seal::Opener::new(&keys[other], &context, header);
        assert_eq!(opener.err(), Some(OpenError::WrongKeyOrContext));
    }
}
