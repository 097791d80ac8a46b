//! Envelopes: round trips and refusals.

use crate::fixture::*;
use salus_crypto::hpke::{OVERHEAD, PUBLIC_KEY_LEN, PublicKey, SecretSeed, open_with, seal_to};
use salus_crypto::{Context, OpenError, PublicKeyError, context};

fn here() -> Context {
    context::drop_box(&at())
}

fn sealed(text: &[u8]) -> Vec<u8> {
    seal_to(&seed("owner").public().unwrap(), &here(), text).unwrap()
}

#[test]
fn opens_what_was_sealed_to_it() {
    for len in [0, 1, 64, 5_000] {
        let text = stream("envelope", len);
        let envelope = sealed(&text);
        assert_eq!(envelope.len(), len + OVERHEAD);
        assert_eq!(
            open_with(&seed("owner"), &here(), &envelope).unwrap()[..],
            text
        );
    }
}

#[test]
fn every_envelope_has_its_own_encapsulation() {
    let envelopes: std::collections::HashSet<_> =
        (0..20).map(|_| sealed(b"same")[..1122].to_vec()).collect();
    assert_eq!(envelopes.len(), 20);
}

#[test]
fn an_unknown_suite_is_refused() {
    let envelope = sealed(b"text");
    for suite in [0u16, 2, 0x0100, 0x647a, 0xffff] {
        let mut other = envelope.clone();
        other[..2].copy_from_slice(&suite.to_be_bytes());
        let error = open_with(&seed("owner"), &here(), &other).unwrap_err();
        assert_eq!(error, OpenError::UnknownSuite(suite));
    }
}

#[test]
fn a_flipped_bit_is_refused_in_every_region() {
    let envelope = sealed(b"text");
    for (name, byte) in [
        ("first of the ML-KEM ciphertext", 2),
        ("last of the ML-KEM ciphertext", 1089),
        ("first of the X25519 share", 1090),
        ("ciphertext", 1122),
        ("tag", envelope.len() - 1),
    ] {
        let damaged = flipped(&envelope, byte * 8);
        let error = open_with(&seed("owner"), &here(), &damaged).unwrap_err();
        assert_eq!(error, OpenError::Envelope, "{name}");
    }
}

#[test]
fn a_cut_or_extended_envelope_is_refused() {
    let envelope = sealed(b"text");
    for cut in [0, 1, 2, 3, 1121, 1122, OVERHEAD - 1] {
        let error = open_with(&seed("owner"), &here(), &envelope[..cut]).unwrap_err();
        assert_eq!(error, OpenError::TooShort, "{cut}");
    }
    for cut in [OVERHEAD, envelope.len() - 1] {
        let error = open_with(&seed("owner"), &here(), &envelope[..cut]).unwrap_err();
        assert_eq!(error, OpenError::Envelope, "{cut}");
    }
    let extended = [envelope.as_slice(), &[0]].concat();
    let error = open_with(&seed("owner"), &here(), &extended).unwrap_err();
    assert_eq!(error, OpenError::Envelope);
}

#[test]
fn another_key_or_context_is_refused() {
    let envelope = sealed(b"text");
    let error = open_with(&seed("other"), &here(), &envelope).unwrap_err();
    assert_eq!(error, OpenError::Envelope);
    let error = open_with(&seed("owner"), &context::descriptor(&at()), &envelope).unwrap_err();
    assert_eq!(error, OpenError::Envelope);
}

#[test]
fn a_public_key_comes_back_as_it_went() {
    let public = seed("owner").public().unwrap();
    assert_eq!(PublicKey::from_bytes(public.as_bytes()).unwrap(), public);
    let fresh = SecretSeed::generate().unwrap();
    assert_ne!(fresh, SecretSeed::generate().unwrap());
    assert_eq!(fresh.public().unwrap().as_bytes().len(), PUBLIC_KEY_LEN);
}

#[test]
fn a_public_key_of_another_length_is_refused() {
    let public = seed("owner").public().unwrap();
    let extended = [public.as_bytes(), &[1]].concat();
    for len in [0, 1, 32, 1184, 1215, 1217] {
        let bytes = &extended[..len.min(extended.len())];
        assert_eq!(
            PublicKey::from_bytes(bytes),
            Err(PublicKeyError::Length(len))
        );
    }
}

#[test]
fn a_zero_x25519_half_is_refused() {
    let mut bytes = seed("owner").public().unwrap().as_bytes().to_vec();
    bytes[1184..].fill(0);
    assert_eq!(
        PublicKey::from_bytes(&bytes),
        Err(PublicKeyError::WeakX25519)
    );
    // The same u-coordinate with the bit that X25519 ignores.
    bytes[1215] = 0x80;
    assert_eq!(
        PublicKey::from_bytes(&bytes),
        Err(PublicKeyError::WeakX25519)
    );
}

#[test]
fn an_x25519_half_of_small_order_is_refused() {
    let mut bytes = seed("owner").public().unwrap().as_bytes().to_vec();
    // u = 1, and p - 1, p, p + 1 with p = 2^255 - 19, little-endian.
    let mut p = [0xff; 32];
    p[31] = 0x7f;
    for low in [0xec, 0xed, 0xee] {
        p[0] = low;
        bytes[1184..].copy_from_slice(&p);
        assert_eq!(
            PublicKey::from_bytes(&bytes),
            Err(PublicKeyError::WeakX25519)
        );
    }
    bytes[1184..].fill(0);
    bytes[1184] = 1;
    assert_eq!(
        PublicKey::from_bytes(&bytes),
        Err(PublicKeyError::WeakX25519)
    );
}

#[test]
fn a_ml_kem_half_out_of_range_is_refused() {
    let mut bytes = seed("owner").public().unwrap().as_bytes().to_vec();
    // Twelve-bit coefficients of 4095; the modulus is 3329.
    bytes[..3].fill(0xff);
    assert_eq!(PublicKey::from_bytes(&bytes), Err(PublicKeyError::MlKem));
}
