//! Signatures made by a WebAuthn authenticator: ES256 and EdDSA on Ed25519. RSA, the third scheme
//! of the interface specification, is refused by name.

use super::cbor;
use super::value::{self, ValueError};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_cbor::Value;

/// Why a WebAuthn signature is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebAuthnError {
    /// The CBOR has the wrong shape.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The key is of no scheme.
    #[error("the COSE key is neither one for ES256 nor one for EdDSA on Ed25519")]
    Key,
    /// The key is for RSA.
    #[error("RSA keys of WebAuthn (RS256) are not supported by this node")]
    Rsa,
    /// The client data is not JSON, of another ceremony, or for another challenge.
    #[error("the client data does not belong to this message")]
    ClientData,
    /// The signature does not verify.
    #[error("the authenticator's signature does not verify")]
    Signature,
}

enum Key {
    Es256(ic_secp256r1::PublicKey),
    EdDsa(ic_ed25519::PublicKey),
}

/// Verifies `signature` (CBOR of authenticator data, client data and signature) over `message`.
pub(crate) fn verify(cose: &[u8], message: &[u8], signature: &[u8]) -> Result<(), WebAuthnError> {
    let key = read_key(cose)?;
    let mut parts = value::parse_map(signature)?;
    let authenticator = value::take_bytes(&mut parts, "authenticator_data")?;
    let client_data = value::take_text(&mut parts, "client_data_json")?;
    let inner = value::take_bytes(&mut parts, "signature")?;
    value::nothing_else(&parts)?;
    let json: serde_json::Value =
        serde_json::from_str(&client_data).map_err(|_| WebAuthnError::ClientData)?;
    let challenge = URL_SAFE_NO_PAD.encode(message);
    if json.get("type").and_then(|t| t.as_str()) != Some("webauthn.get")
        || json.get("challenge").and_then(|c| c.as_str()) != Some(challenge.as_str())
    {
        return Err(WebAuthnError::ClientData);
    }
    let signed = [
        authenticator,
        value::sha256(client_data.as_bytes()).to_vec(),
    ]
    .concat();
    let holds = match key {
        Key::Es256(key) => key.verify_signature_with_der_encoded_sig(&signed, &inner),
        Key::EdDsa(key) => key.verify_signature(&signed, &inner).is_ok(),
    };
    if holds {
        Ok(())
    } else {
        Err(WebAuthnError::Signature)
    }
}

/// Reads the COSE key: `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` for ES256, `{1: 1, 3: -8, -1: 6,
/// -2: x}` for EdDSA.
fn read_key(cose: &[u8]) -> Result<Key, WebAuthnError> {
    let Value::Map(map) = cbor::parse_plain(cose).map_err(ValueError::from)? else {
        return Err(WebAuthnError::Key);
    };
    let at = |n: i128| map.get(&Value::Integer(n));
    let integer = |n: i128| match at(n) {
        Some(Value::Integer(value)) => Some(*value),
        _ => None,
    };
    match (integer(1), integer(3), integer(-1), at(-2), at(-3)) {
        (Some(2), Some(-7), Some(1), Some(Value::Bytes(x)), Some(Value::Bytes(y))) => {
            ic_secp256r1::PublicKey::deserialize_from_xy(x, y)
                .map(Key::Es256)
                .map_err(|_| WebAuthnError::Key)
        }
        (Some(1), Some(-8), Some(6), Some(Value::Bytes(x)), None) => {
            ic_ed25519::PublicKey::deserialize_raw(x)
                .map(Key::EdDsa)
                .map_err(|_| WebAuthnError::Key)
        }
        (Some(3), ..) => Err(WebAuthnError::Rsa),
        _ => Err(WebAuthnError::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_secp256r1::PrivateKey;

    fn cose(key: &PrivateKey) -> Vec<u8> {
        let point = key.public_key().serialize_sec1(false);
        let number = |n: i128| Value::Integer(n);
        let map = [
            (number(1), number(2)),
            (number(3), number(-7)),
            (number(-1), number(1)),
            (number(-2), Value::Bytes(point[1..33].to_vec())),
            (number(-3), Value::Bytes(point[33..].to_vec())),
        ];
        serde_cbor::to_vec(&Value::Map(map.into())).unwrap()
    }

    fn sign(key: &PrivateKey, kind: &str, message: &[u8]) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(message);
        let json = format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"http://a"}}"#);
        let data = vec![1; 37];
        let signed = [data.clone(), value::sha256(json.as_bytes()).to_vec()].concat();
        let text = |t: &str| Value::Text(t.to_owned());
        let map = [
            (text("authenticator_data"), Value::Bytes(data)),
            (text("client_data_json"), text(&json)),
            (
                text("signature"),
                Value::Bytes(key.sign_message_with_der_encoded_sig(&signed)),
            ),
        ];
        let mut tagged = vec![0xd9, 0xd9, 0xf7];
        tagged.extend(serde_cbor::to_vec(&Value::Map(map.into())).unwrap());
        tagged
    }

    #[test]
    fn an_assertion_is_good_for_its_message_only() {
        let key = PrivateKey::generate();
        let good = sign(&key, "webauthn.get", b"message");
        verify(&cose(&key), b"message", &good).unwrap();
        verify(&cose(&key), b"another", &good).unwrap_err();
        verify(&cose(&PrivateKey::generate()), b"message", &good).unwrap_err();
        let creation = sign(&key, "webauthn.create", b"message");
        verify(&cose(&key), b"message", &creation).unwrap_err();
    }
}
