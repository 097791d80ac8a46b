//! CBOR values as they arrive, and the representation-independent hash over them.
//!
//! The hash is taken over what was received, not over a typed reading of it: a field this
//! program does not know still counts, as it does for every other verifier.

use super::cbor::{self, CborError};
use serde_cbor::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// A CBOR map with text keys.
pub(crate) type Fields = BTreeMap<String, Value>;

/// Why a CBOR document is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    /// The bytes are not CBOR, or not of the kind this node reads.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A value has another type than its place demands.
    #[error("{field}: expected {expected}")]
    Type {
        /// The field at fault.
        field: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A required field is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field nobody knows: what it means cannot be obeyed.
    #[error("the field {0:?} is unknown to this node")]
    Unknown(String),
    /// A value that has no representation-independent hash.
    #[error("a value of this type cannot be hashed")]
    Unhashable,
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Unsigned LEB128.
pub(crate) fn leb128(mut value: u128) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

/// Reads a tagged CBOR document whose root is a map with text keys; entries that are null count as
/// absent.
pub(crate) fn parse_map(bytes: &[u8]) -> Result<Fields, ValueError> {
    fields("document", cbor::parse_tagged(bytes)?)
}

/// Refuses what is left of a map after all that is known was taken out of it.
pub(crate) fn nothing_else(map: &Fields) -> Result<(), ValueError> {
    match map.keys().next() {
        None => Ok(()),
        Some(name) => Err(ValueError::Unknown(name.chars().take(64).collect())),
    }
}

/// Takes a value as a map with text keys.
pub(crate) fn fields(field: &str, value: Value) -> Result<Fields, ValueError> {
    let Value::Map(map) = value else {
        return Err(wrong(field, "a map"));
    };
    let mut out = Fields::new();
    for (key, value) in map {
        let Value::Text(key) = key else {
            return Err(wrong(field, "a map with text keys"));
        };
        if value != Value::Null {
            out.insert(key, value);
        }
    }
    Ok(out)
}

fn wrong(field: &str, expected: &'static str) -> ValueError {
    ValueError::Type {
        field: field.to_owned(),
        expected,
    }
}

/// Takes a required byte string out of a map.
pub(crate) fn take_bytes(map: &mut Fields, name: &'static str) -> Result<Vec<u8>, ValueError> {
    optional_bytes(map, name)?.ok_or(ValueError::Missing(name))
}

/// Takes an optional byte string out of a map.
pub(crate) fn optional_bytes(
    map: &mut Fields,
    name: &'static str,
) -> Result<Option<Vec<u8>>, ValueError> {
    match map.remove(name) {
        None => Ok(None),
        Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
        Some(_) => Err(wrong(name, "a byte string")),
    }
}

/// Takes a required text out of a map.
pub(crate) fn take_text(map: &mut Fields, name: &'static str) -> Result<String, ValueError> {
    match map.remove(name) {
        None => Err(ValueError::Missing(name)),
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(wrong(name, "a text")),
    }
}

/// Takes a required unsigned 64-bit integer out of a map.
pub(crate) fn take_nat64(map: &mut Fields, name: &'static str) -> Result<u64, ValueError> {
    match map.remove(name) {
        None => Err(ValueError::Missing(name)),
        Some(Value::Integer(n)) => {
            u64::try_from(n).map_err(|_| wrong(name, "an unsigned 64-bit integer"))
        }
        Some(_) => Err(wrong(name, "an unsigned 64-bit integer")),
    }
}

/// Takes an optional array out of a map.
pub(crate) fn optional_array(
    map: &mut Fields,
    name: &'static str,
) -> Result<Option<Vec<Value>>, ValueError> {
    match map.remove(name) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(wrong(name, "an array")),
    }
}

/// Takes a value as bytes.
pub(crate) fn as_bytes(field: &str, value: Value) -> Result<Vec<u8>, ValueError> {
    match value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(wrong(field, "a byte string")),
    }
}

/// The representation-independent hash of a map, as the interface specification defines it.
pub(crate) fn hash_of_map(map: &Fields) -> Result<Hash, ValueError> {
    let mut pairs = Vec::with_capacity(map.len());
    for (key, value) in map {
        pairs.push((sha256(key.as_bytes()), hash_of_value(value)?));
    }
    pairs.sort_unstable();
    let mut hasher = Sha256::new();
    for (key, value) in pairs {
        hasher.update(key);
        hasher.update(value);
    }
    Ok(hasher.finalize().into())
}

fn hash_of_value(value: &Value) -> Result<Hash, ValueError> {
    match value {
        Value::Bytes(bytes) => Ok(sha256(bytes)),
        Value::Text(text) => Ok(sha256(text.as_bytes())),
        Value::Integer(n) => {
            let n = u128::try_from(*n).map_err(|_| ValueError::Unhashable)?;
            Ok(sha256(&leb128(n)))
        }
        Value::Array(items) => {
            let mut hasher = Sha256::new();
            for item in items {
                hasher.update(hash_of_value(item)?);
            }
            Ok(hasher.finalize().into())
        }
        Value::Map(_) => hash_of_map(&fields("map", value.clone())?),
        _ => Err(ValueError::Unhashable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_the_example_of_the_interface_specification() {
        let map = Fields::from([
            ("request_type".into(), Value::Text("call".into())),
            (
                "canister_id".into(),
                Value::Bytes(vec![0, 0, 0, 0, 0, 0, 4, 210]),
            ),
            ("method_name".into(), Value::Text("hello".into())),
            ("arg".into(), Value::Bytes(b"DIDL\x00\xFD*".to_vec())),
            ("sender".into(), Value::Bytes(vec![4])),
            (
                "ingress_expiry".into(),
                Value::Integer(1_685_570_400_000_000_000),
            ),
        ]);
        assert_eq!(
            hex::encode(hash_of_map(&map).unwrap()),
            "1d1091364d6bb8a6c16b203ee75467d59ead468f523eb058880ae8ec80e2b101"
        );
    }

    #[test]
    fn a_negative_number_has_no_hash() {
        let map = Fields::from([("x".into(), Value::Integer(-1))]);
        assert!(matches!(hash_of_map(&map), Err(ValueError::Unhashable)));
    }
}
