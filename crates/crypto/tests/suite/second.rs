//! The same formats by a second implementation (`ring`, `hkdf`), in both directions; and a text
//! forged to open under two keys.

use crate::fixture::*;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes256Gcm, Nonce};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce as RingNonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, HKDF_SHA512, KeyType, Prk, Salt};
use salus_crypto::{Key, OpenError, hazmat, kdf};
use salus_types::Hash;

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

struct Derived {
    key: LessSafeKey,
    nonce: [u8; 12],
    commitment: Vec<u8>,
}

fn derive(key: &Key, context: &[u8], salt: &[u8]) -> Derived {
    let mut okm = [0; 76];
    let info: [&[u8]; 5] = [
        b"c2sp.org/chunked-encryption@v1+",
        b"AEAD_AES_256_GCM",
        &[0],
        salt,
        context,
    ];
    let prk = Prk::new_less_safe(HKDF_SHA512, key.expose());
    prk.expand(&info, Len(76)).unwrap().fill(&mut okm).unwrap();
    Derived {
        key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &okm[..32]).unwrap()),
        nonce: okm[32..44].try_into().unwrap(),
        commitment: okm[44..].to_vec(),
    }
}

fn nonce(base: [u8; 12], chunk: usize) -> RingNonce {
    let number = u128::from_be_bytes([[0; 4].as_slice(), &base].concat().try_into().unwrap());
    let bytes = (number ^ chunk as u128).to_be_bytes();
    RingNonce::assume_unique_for_key(bytes[4..].try_into().unwrap())
}

fn seal(key: &Key, context: &[u8], text: &[u8], salt: [u8; 24]) -> Vec<u8> {
    let derived = derive(key, context, &salt);
    let mut out = [salt.as_slice(), &derived.commitment].concat();
    for chunk in 0..=text.len() / 16_384 {
        let mut piece = text[chunk * 16_384..].to_vec();
        piece.truncate(16_384);
        let nonce = nonce(derived.nonce, chunk);
        let aad = Aad::empty();
        derived
            .key
            .seal_in_place_append_tag(nonce, aad, &mut piece)
            .unwrap();
        out.extend(piece);
    }
    out
}

fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Vec<u8> {
    let derived = derive(key, context, &sealed[..24]);
    assert_eq!(derived.commitment, sealed[24..56]);
    let mut out = Vec::new();
    for (i, chunk) in sealed[56..].chunks(16_400).enumerate() {
        let mut piece = chunk.to_vec();
        let nonce = nonce(derived.nonce, i);
        out.extend_from_slice(
            derived
                .key
                .open_in_place(nonce, Aad::empty(), &mut piece)
                .unwrap(),
        );
    }
    out
}

#[test]
fn a_second_implementation_seals_the_same_bytes_and_opens_ours() {
    for len in [0, 1, 5_000, 16_384, 16_385, 5_000_000] {
        let text = stream("second", len);
        let context = stream("context", len % 97);
        let salt = bytes("second salt");
        let ours = hazmat::seal::seal_with_salt(&key("k"), &context, &text, salt).unwrap();
        assert!(
            ours == seal(&key("k"), &context, &text, salt),
            "length {len}"
        );
        assert!(open(&key("k"), &context, &ours) == text, "length {len}");
    }
}

#[test]
fn expand_agrees_with_hmac_written_out() {
    for name in ["a", "b", "c"] {
        let prk: [u8; 32] = bytes(name);
        let info = stream("info", 200);
        let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA512, &prk);
        let first = ring::hmac::sign(&hmac, &[info.as_slice(), &[1]].concat());
        let second = ring::hmac::sign(&hmac, &[first.as_ref(), &info, &[2]].concat());
        let expected = [first.as_ref(), &second.as_ref()[..12]].concat();
        assert_eq!(
            hazmat::hkdf::expand_sha512(&prk, &[&info[..9], &info[9..]])[..],
            expected
        );
    }
}

#[test]
fn derived_keys_agree_with_two_other_implementations() {
    for name in ["a", "b", "c"] {
        let ikm: [u8; 32] = bytes(name);
        let info = stream(name, 150);
        let ours = hazmat::hkdf::derive_sha256(&ikm, &info);
        let mut theirs = [0; 32];
        hkdf::Hkdf::<sha2::Sha256>::new(None, &ikm)
            .expand(&info, &mut theirs)
            .unwrap();
        assert_eq!(*ours, theirs);
        let prk = Salt::new(HKDF_SHA256, &[]).extract(&ikm);
        prk.expand(&[&info], Len(32))
            .unwrap()
            .fill(&mut theirs)
            .unwrap();
        assert_eq!(*ours, theirs);
    }
}

#[test]
fn a_kid_is_the_derivation_written_out() {
    let label = b"salus/v1/epoch-kid";
    let mut info = vec![];
    for field in [
        label.as_slice(),
        VAULT,
        scope().account.as_bytes(),
        COMPARTMENT.as_bytes(),
        &5u32.to_be_bytes(),
    ] {
        info.extend((field.len() as u32).to_be_bytes());
        info.extend(field);
    }
    let mut expected = [0; 32];
    let prk = Salt::new(HKDF_SHA256, &[]).extract(key("k").expose());
    prk.expand(&[&info], Len(32))
        .unwrap()
        .fill(&mut expected)
        .unwrap();
    assert_eq!(
        kdf::derive_epoch_kid(scope(), COMPARTMENT, 5, &key("k")),
        Hash(expected)
    );
}

// GF(2^128) as GCM has it: bit 0 is the most significant bit of the first byte.
fn multiply(x: u128, y: u128) -> u128 {
    let (mut product, mut v) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= v;
        }
        v = (v >> 1) ^ if v & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

fn inverse(x: u128) -> u128 {
    // x^(2^128 - 2) = product of x^(2^i) for i = 1..=127.
    let (mut square, mut out) = (x, 1u128 << 127);
    for _ in 1..128 {
        square = multiply(square, square);
        out = multiply(out, square);
    }
    out
}

fn block(key: &[u8], input: u128) -> u128 {
    let mut block = input.to_be_bytes().into();
    Aes256::new_from_slice(key)
        .unwrap()
        .encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

#[test]
fn a_text_made_to_open_under_two_keys_opens_under_neither_by_anothers_commitment() {
    let (one, two) = (key("one"), key("two"));
    let context = b"context".as_slice();
    let salt: [u8; 24] = bytes("two-key salt");
    let info: [&[u8]; 3] = [
        b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00",
        &salt,
        context,
    ];
    let d = [&one, &two].map(|key| hazmat::hkdf::expand_sha512(key.expose(), &info));
    // One ciphertext block c with tag(k1) = tag(k2): c·H1² + L·H1 + E1 = c·H2² + L·H2 + E2.
    let hash_key = [0, 1].map(|i| block(&d[i][..32], 0));
    let mask = [0, 1].map(|i| {
        let counter = [&d[i][32..44], &[0, 0, 0, 1]].concat();
        block(
            &d[i][..32],
            u128::from_be_bytes(counter.try_into().unwrap()),
        )
    });
    let lengths = 128u128;
    let squares = [0, 1].map(|i| multiply(hash_key[i], hash_key[i]));
    let right = multiply(lengths, hash_key[0] ^ hash_key[1]) ^ mask[0] ^ mask[1];
    let c = multiply(right, inverse(squares[0] ^ squares[1]));
    let tag = multiply(c, squares[0]) ^ multiply(lengths, hash_key[0]) ^ mask[0];
    let chunk = [c.to_be_bytes(), tag.to_be_bytes()].concat();

    // Plain AES-GCM takes it under both keys: without the commitment so would we.
    let texts = [0, 1].map(|i| {
        let aead = Aes256Gcm::new_from_slice(&d[i][..32]).unwrap();
        let nonce = Nonce::try_from(&d[i][32..44]).unwrap();
        aead.decrypt(&nonce, chunk.as_slice()).unwrap()
    });
    assert_ne!(texts[0], texts[1]);

    for (mine, yours, expected, i) in [(&one, &two, &texts[0], 0), (&two, &one, &texts[1], 1)] {
        let sealed = [salt.as_slice(), &d[i][44..], &chunk].concat();
        assert_eq!(
            &hazmat::seal::open_raw(mine, context, &sealed).unwrap(),
            expected
        );
        let refused = hazmat::seal::open_raw(yours, context, &sealed);
        assert_eq!(refused, Err(OpenError::WrongKeyOrContext));
    }
}
