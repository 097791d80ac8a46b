//! Requests put together by hand, so that they can be wrong in any way. The hashing is written
//! down once more here: a mistake in the node's is not repeated by using it.

use crate::common::Net;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candid::Principal;
use serde_cbor::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;

/// The fields of a map.
pub(crate) type Fields = BTreeMap<String, Value>;

pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn blob(bytes: impl AsRef<[u8]>) -> Value {
    Value::Bytes(bytes.as_ref().to_vec())
}

pub(crate) fn nat(n: u64) -> Value {
    Value::Integer(n.into())
}

pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (text(key), value)).into())
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// "Representation-independent hashing of structured data".
pub(crate) fn hash_of_map(fields: &Fields) -> [u8; 32] {
    let mut pairs: Vec<Vec<u8>> = fields
        .iter()
        .map(|(key, value)| [sha256(key.as_bytes()), hash(value)].concat())
        .collect();
    pairs.sort();
    sha256(&pairs.concat())
}

fn hash(value: &Value) -> [u8; 32] {
    match value {
        Value::Bytes(bytes) => sha256(bytes),
        Value::Text(text) => sha256(text.as_bytes()),
        Value::Integer(n) => {
            let mut rest = u64::try_from(*n).unwrap();
            let mut leb = Vec::new();
            while rest >= 0x80 {
                leb.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            leb.push(rest as u8);
            sha256(&leb)
        }
        Value::Array(items) => sha256(&items.iter().map(hash).collect::<Vec<_>>().concat()),
        Value::Map(entries) => hash_of_map(&fields(entries)),
        other => unreachable!("{other:?} is never hashed"),
    }
}

fn fields(entries: &BTreeMap<Value, Value>) -> Fields {
    let keyed = entries.iter().map(|(key, value)| match key {
        Value::Text(key) => (key.clone(), value.clone()),
        other => unreachable!("{other:?} is no key"),
    });
    keyed.collect()
}

/// CBOR with the self-describing tag.
pub(crate) fn tagged(value: &Value) -> Vec<u8> {
    [vec![0xd9, 0xd9, 0xf7], serde_cbor::to_vec(value).unwrap()].concat()
}

/// What signs: a public key in DER and a function.
pub(crate) struct Signer {
    pub(crate) der: Vec<u8>,
    sign: Sign,
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

impl Signer {
    pub(crate) fn new(der: Vec<u8>, sign: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Self {
        let sign = Box::new(sign);
        Self { der, sign }
    }

    pub(crate) fn ed25519() -> Self {
        let key = ic_ed25519::PrivateKey::generate();
        Self::new(key.public_key().serialize_rfc8410_der(), move |message| {
            key.sign_message(message).to_vec()
        })
    }

    pub(crate) fn secp256k1() -> Self {
        let key = ic_secp256k1::PrivateKey::generate();
        Self::new(key.public_key().serialize_der(), move |message| {
            key.sign_message_with_ecdsa(message).to_vec()
        })
    }

    pub(crate) fn p256() -> Self {
        let key = ic_secp256r1::PrivateKey::generate();
        Self::new(key.public_key().serialize_der(), move |message| {
            key.sign_message(message).to_vec()
        })
    }

    pub(crate) fn webauthn_es256() -> Self {
        let key = ic_secp256r1::PrivateKey::generate();
        let point = key.public_key().serialize_sec1(false);
        let cose = cose([
            (1, Value::Integer(2)),
            (3, Value::Integer(-7)),
            (-1, Value::Integer(1)),
            (-2, blob(&point[1..33])),
            (-3, blob(&point[33..])),
        ]);
        Self::new(cose_der(&cose), move |message| {
            assertion("webauthn.get", message, |signed| {
                key.sign_message_with_der_encoded_sig(signed)
            })
        })
    }

    pub(crate) fn webauthn_eddsa() -> Self {
        let key = ic_ed25519::PrivateKey::generate();
        let cose = cose([
            (1, Value::Integer(1)),
            (3, Value::Integer(-8)),
            (-1, Value::Integer(6)),
            (-2, blob(key.public_key().serialize_raw())),
        ]);
        Self::new(cose_der(&cose), move |message| {
            assertion("webauthn.get", message, |signed| {
                key.sign_message(signed).to_vec()
            })
        })
    }

    pub(crate) fn principal(&self) -> Principal {
        Principal::self_authenticating(&self.der)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        (self.sign)(message)
    }
}

pub(crate) fn cose<const N: usize>(entries: [(i128, Value); N]) -> Vec<u8> {
    let entries = entries.map(|(key, value)| (Value::Integer(key), value));
    serde_cbor::to_vec(&Value::Map(entries.into())).unwrap()
}

/// A COSE key as the interface specification wraps it in DER.
pub(crate) fn cose_der(cose: &[u8]) -> Vec<u8> {
    let oid = [
        0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01,
    ];
    sequence(&[&oid, bit_string(cose).as_slice()].concat())
}

pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    [length(0x03, bytes.len() + 1), vec![0], bytes.to_vec()].concat()
}

pub(crate) fn sequence(body: &[u8]) -> Vec<u8> {
    [length(0x30, body.len()), body.to_vec()].concat()
}

fn length(tag: u8, len: usize) -> Vec<u8> {
    match len {
        0..=0x7f => vec![tag, len as u8],
        0x80..=0xff => vec![tag, 0x81, len as u8],
        _ => vec![tag, 0x82, (len >> 8) as u8, len as u8],
    }
}

/// What an authenticator signs for a challenge.
pub(crate) fn assertion(kind: &str, message: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(message);
    let json = format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"http://a"}}"#);
    let data = vec![7; 37];
    let signed = [data.as_slice(), &sha256(json.as_bytes())].concat();
    tagged(&map([
        ("authenticator_data", blob(data)),
        ("client_data_json", text(&json)),
        ("signature", blob(sign(&signed))),
    ]))
}

/// The content of a call or query.
pub(crate) fn asking(kind: &str, sender: Principal, canister: Principal, method: &str) -> Fields {
    Fields::from([
        ("request_type".into(), text(kind)),
        ("sender".into(), blob(sender)),
        ("nonce".into(), blob(random::<16>())),
        ("ingress_expiry".into(), nat(now() + MINUTE)),
        ("canister_id".into(), blob(canister)),
        ("method_name".into(), text(method)),
        ("arg".into(), blob([])),
    ])
}

/// The content of a `read_state`.
pub(crate) fn reading(sender: Principal, paths: &[Vec<Vec<u8>>]) -> Fields {
    let paths = paths
        .iter()
        .map(|path| Value::Array(path.iter().map(blob).collect()));
    Fields::from([
        ("request_type".into(), text("read_state")),
        ("sender".into(), blob(sender)),
        ("ingress_expiry".into(), nat(now() + MINUTE)),
        ("paths".into(), Value::Array(paths.collect())),
    ])
}

/// A path of labels.
pub(crate) fn path(labels: &[&[u8]]) -> Vec<Vec<u8>> {
    labels.iter().map(|label| label.to_vec()).collect()
}

/// A path of anything that is bytes.
#[macro_export]
macro_rules! path {
    ($($label:expr),+ $(,)?) => {
        $crate::raw::path(&[$(AsRef::<[u8]>::as_ref(&$label)),+])
    };
}

pub(crate) fn content(fields: &Fields) -> Value {
    Value::Map(
        fields
            .iter()
            .map(|(key, value)| (text(key), value.clone()))
            .collect(),
    )
}

/// What goes around the content of an anonymous request.
pub(crate) fn anonymous(fields: &Fields) -> Fields {
    Fields::from([("content".into(), content(fields))])
}

/// What goes around the content of a request signed by a key.
pub(crate) fn signed(fields: &Fields, signer: &Signer) -> Fields {
    let message = [b"\x0Aic-request".as_slice(), &hash_of_map(fields)].concat();
    Fields::from([
        ("content".into(), content(fields)),
        ("sender_pubkey".into(), blob(&signer.der)),
        ("sender_sig".into(), blob(signer.sign(&message))),
    ])
}

pub(crate) fn bytes(envelope: &Fields) -> Vec<u8> {
    tagged(&content(envelope))
}

/// What a node said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The fields of a CBOR answer, which must be tagged.
    pub(crate) fn fields(&self) -> Fields {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.body[..3], [0xd9, 0xd9, 0xf7]);
        match serde_cbor::from_slice(&self.body[3..]).unwrap() {
            Value::Map(entries) => fields(&entries),
            other => unreachable!("{other:?} is no map"),
        }
    }

    /// Refused with this status and a message that says so.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, why: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.text().contains(why), "{}", self.text());
    }
}

pub(crate) async fn post(net: &Net, path: &str, body: Vec<u8>) -> Answer {
    let url = format!("{}/api/{path}", net.localnet.url());
    let request = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/cbor")
        .body(body);
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        body: response.bytes().await.unwrap().to_vec(),
    }
}

/// Calls by a key, at version 3.
pub(crate) async fn call(net: &Net, signer: &Signer, id: Principal, method: &str) -> Answer {
    let fields = asking("call", signer.principal(), id, method);
    let path = format!("v3/canister/{id}/call");
    post(net, &path, bytes(&signed(&fields, signer))).await
}

/// Sends an envelope as what it says it is, at version 3, for a canister.
pub(crate) async fn send(net: &Net, id: Principal, envelope: &Fields) -> Answer {
    let Some(Value::Map(content)) = envelope.get("content") else {
        unreachable!("an envelope without content");
    };
    let Some(Value::Text(kind)) = content.get(&text("request_type")) else {
        unreachable!("a request without a type");
    };
    post(net, &format!("v3/canister/{id}/{kind}"), bytes(envelope)).await
}

/// The tree of a certificate the node's root key signed.
pub(crate) fn certified(net: &Net, certificate: &Value) -> ic_certification::HashTree {
    let Value::Bytes(bytes) = certificate else {
        unreachable!("a certificate is a byte string");
    };
    let certificate: ic_certification::Certificate = serde_cbor::from_slice(bytes).unwrap();
    assert!(certificate.delegation.is_none());
    let message = [b"\x0Dic-state-root".as_slice(), &certificate.tree.digest()].concat();
    let root_key = net.localnet.root_key();
    ic_verify_bls_signature::verify_bls_signature(
        &certificate.signature,
        &message,
        &root_key[root_key.len() - 96..],
    )
    .unwrap();
    certificate.tree
}

/// What a tree says at a path.
pub(crate) fn at<'t>(tree: &'t ic_certification::HashTree, path: &[Vec<u8>]) -> Option<&'t [u8]> {
    match tree.lookup_path(path) {
        ic_certification::LookupResult::Found(value) => Some(value),
        _ => None,
    }
}
