//! "Signatures": every scheme, and keys and signatures of the wrong form.

use crate::common::{CALLS, COUNTER, Net};
use crate::raw::{
    Signer, asking, assertion, bit_string, blob, call, cose, cose_der, map, nat, send, sequence,
    signed, tagged, text,
};
use candid::Principal;
use serde_cbor::Value;

const OID_ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
const OID_EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_SECP256K1: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];

async fn scene() -> (Net, Principal) {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, COUNTER, b"").await;
    (net, id)
}

fn spki(oids: &[&[u8]], key: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&oids.concat()), bit_string(key)].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scheme_signs_and_its_key_is_the_caller() {
    let net = Net::start().await;
    let agent = net.agent().await;
    let id = net.install(&agent, CALLS, b"").await;
    for signer in [
        Signer::ed25519(),
        Signer::secp256k1(),
        Signer::p256(),
        Signer::webauthn_es256(),
        Signer::webauthn_eddsa(),
    ] {
        let fields = asking("query", signer.principal(), id, "whoami");
        let answer = send(&net, id, &signed(&fields, &signer)).await.fields();
        let arg = map([("arg", blob(signer.principal()))]);
        assert_eq!(answer["reply"], arg);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_for_its_request_its_key_and_its_length() {
    let (net, id) = scene().await;
    for signer in [
        Signer::ed25519(),
        Signer::secp256k1(),
        Signer::p256(),
        Signer::webauthn_es256(),
        Signer::webauthn_eddsa(),
    ] {
        let fields = asking("call", signer.principal(), id, "inc");
        let good = signed(&fields, &signer);
        let Value::Bytes(signature) = good["sender_sig"].clone() else {
            unreachable!()
        };
        let other = signed(&asking("call", signer.principal(), id, "inc"), &signer);
        let mut flipped = signature.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let short = signature[..signature.len() - 1].to_vec();
        let long = [signature.as_slice(), &[0]].concat();
        let others = [flipped, short, long, Vec::new(), vec![0; 64]];
        let mut wrong: Vec<Value> = others.into_iter().map(Value::Bytes).collect();
        wrong.push(other["sender_sig"].clone());
        for signature in wrong {
            let mut envelope = good.clone();
            envelope.insert("sender_sig".into(), signature);
            let answer = send(&net, id, &envelope).await;
            answer.refused(400, "request: ");
        }
        // The domain separator is part of what is signed.
        let bare = crate::raw::hash_of_map(&fields);
        let mut envelope = good.clone();
        envelope.insert("sender_sig".into(), blob(signer.sign(&bare)));
        send(&net, id, &envelope).await.refused(400, "request: ");
        assert_eq!(send(&net, id, &good).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_keys_are_der_of_the_right_form() {
    let (net, id) = scene().await;
    let ed25519 = ic_ed25519::PrivateKey::generate().public_key();
    let p256 = ic_secp256r1::PrivateKey::generate().public_key();
    let k1 = ic_secp256k1::PrivateKey::generate().public_key();
    let good = ed25519.serialize_rfc8410_der();
    let rsa = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
    ];
    let sha = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let mut off_curve = p256.serialize_sec1(false);
    off_curve[40] ^= 1;
    for (der, why) in [
        (Vec::new(), "DER"),
        (ed25519.serialize_raw().to_vec(), "DER"),
        ([good.as_slice(), &[0]].concat(), "DER"),
        (good[..good.len() - 1].to_vec(), "DER"),
        ([&[0x30, 0x81, 0x2a], &good[2..]].concat(), "DER"),
        (spki(&[OID_ED25519], &[1; 31]), "32 bytes"),
        (spki(&[OID_ED25519], &[255; 32]), "does not verify"),
        (spki(&[OID_ED25519, OID_P256], &[1; 32]), "not supported"),
        (
            spki(&[OID_EC, OID_P256], &p256.serialize_sec1(true)),
            "uncompressed",
        ),
        (
            spki(&[OID_EC, OID_SECP256K1], &k1.serialize_sec1(true)),
            "uncompressed",
        ),
        (spki(&[OID_EC, OID_P256], &off_curve), "does not verify"),
        // A hash function must not be named.
        (
            spki(&[OID_EC, OID_P256, &sha], &p256.serialize_sec1(false)),
            "not supported",
        ),
        (
            spki(&[OID_EC], &p256.serialize_sec1(false)),
            "not supported",
        ),
        (spki(&[&rsa, &[5, 0]], &[1; 140]), "not supported"),
    ] {
        let signer = Signer::new(der, |_| vec![0; 64]);
        call(&net, &signer, id, "inc").await.refused(400, why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_authentication_is_for_its_challenge() {
    let (net, id) = scene().await;
    let with = |make: fn(&[u8], &ic_secp256r1::PrivateKey) -> Vec<u8>| {
        let key = ic_secp256r1::PrivateKey::generate();
        let point = key.public_key().serialize_sec1(false);
        let cose = cose([
            (1, Value::Integer(2)),
            (3, Value::Integer(-7)),
            (-1, Value::Integer(1)),
            (-2, blob(&point[1..33])),
            (-3, blob(&point[33..])),
        ]);
        Signer::new(cose_der(&cose), move |message| make(message, &key))
    };
    fn es256<'k>(key: &'k ic_secp256r1::PrivateKey) -> impl Fn(&[u8]) -> Vec<u8> + 'k {
        |signed| key.sign_message_with_der_encoded_sig(signed)
    }
    let good = with(|message, key| assertion("webauthn.get", message, es256(key)));
    assert_eq!(call(&net, &good, id, "inc").await.status, 200);
    for (signer, why) in [
        // Another challenge, another ceremony, a signature that is not in DER.
        (
            with(|_, key| assertion("webauthn.get", b"x", es256(key))),
            "client data",
        ),
        (
            with(|message, key| assertion("webauthn.create", message, es256(key))),
            "client data",
        ),
        (
            with(|message, key| {
                assertion("webauthn.get", message, |s| key.sign_message(s).to_vec())
            }),
            "does not verify",
        ),
        // Not tagged; not CBOR; a field missing; client data that is no text.
        (
            with(|message, key| assertion("webauthn.get", message, es256(key))[3..].to_vec()),
            "tag 55799 is missing",
        ),
        (with(|_, _| vec![0; 64]), "tag 55799 is missing"),
        (
            with(|_, _| tagged(&map([("signature", blob([0; 70]))]))),
            "authenticator_data is missing",
        ),
        (
            with(|_, _| {
                tagged(&map([
                    ("authenticator_data", blob([0; 37])),
                    ("client_data_json", blob(b"{}")),
                    ("signature", blob([0; 70])),
                ]))
            }),
            "client_data_json: expected a text",
        ),
        (
            with(|_, _| {
                tagged(&map([
                    ("authenticator_data", blob([0; 37])),
                    ("client_data_json", text("{")),
                    ("signature", blob([0; 70])),
                ]))
            }),
            "client data",
        ),
    ] {
        call(&net, &signer, id, "inc").await.refused(400, why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_cose_keys_are_refused_and_rsa_by_name() {
    let (net, id) = scene().await;
    let rsa = cose([
        (1, nat(3)),
        (3, Value::Integer(-257)),
        (-1, blob([0xc6; 256])),
        (-2, blob([1, 0, 1])),
    ]);
    let es384 = cose([
        (1, nat(2)),
        (3, Value::Integer(-35)),
        (-1, nat(2)),
        (-2, blob([1; 48])),
        (-3, blob([1; 48])),
    ]);
    let no_point = cose([
        (1, nat(2)),
        (3, Value::Integer(-7)),
        (-1, nat(1)),
        (-2, blob([1; 32])),
        (-3, blob([1; 32])),
    ]);
    let neither = "neither one for ES256 nor one for EdDSA";
    for (cose, why) in [
        (rsa, "RSA keys of WebAuthn (RS256) are not supported"),
        (es384, neither),
        (no_point, neither),
        (cose([(1, nat(2))]), neither),
        (Vec::new(), "malformed CBOR"),
        (vec![0xa0, 0], "malformed CBOR"),
        (b"\xa2\x01\x02\x01\x02".to_vec(), "occurs twice"),
    ] {
        let sign = |message: &[u8]| assertion("webauthn.get", message, |_| vec![0; 70]);
        let signer = Signer::new(cose_der(&cose), sign);
        call(&net, &signer, id, "inc").await.refused(400, why);
    }
}

/// Whole canister signatures are signed by the identity provider; these are what is not one.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_canister_signature_is_refused() {
    let (net, id) = scene().await;
    let oid = [
        0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02,
    ];
    let key = [&[10][..], id.as_slice(), b"seed"].concat();
    let der = spki(&[&oid], &key);
    for (signature, why) in [
        (vec![0; 64], "self-describing tag"),
        (tagged(&map([])), "signature CBOR"),
        (
            tagged(&map([
                ("certificate", blob(b"\xd9\xd9\xf7\xa0")),
                ("tree", Value::Array(vec![nat(0)])),
            ])),
            "certificate CBOR",
        ),
    ] {
        let signer = Signer::new(der.clone(), move |_| signature.clone());
        call(&net, &signer, id, "inc").await.refused(400, why);
    }
    for key in [&b""[..], &[30], &[29, 1, 2]] {
        let signer = Signer::new(spki(&[&oid], key), |_| Vec::new());
        let answer = call(&net, &signer, id, "inc").await;
        answer.refused(400, "not a canister's id");
    }
}
