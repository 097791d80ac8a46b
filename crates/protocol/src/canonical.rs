//! Deterministic CBOR: one value, one encoding. Must not know what it encodes.
//!
//! Types use numbered fields in maps (`#[cbor(map)]`): keys ascend, absent options are left out,
//! integers are shortest, lengths definite. A decoder encodes again and compares, so that every
//! statement has exactly one byte form.

use minicbor::{Decode, Encode};

/// The bytes are not the one encoding of a value of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical encoding")]
pub struct NotCanonical;

/// The one encoding of a value.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing into a Vec cannot fail, and our types have no failing encoders; were one to fail, the
    // empty output decodes to nothing.
    if minicbor::encode(value, &mut out).is_err() {
        out.clear();
    }
    out
}

/// The value these bytes are the one encoding of.
///
/// # Errors
/// [`NotCanonical`] if they do not decode, have trailing bytes, or are another encoding.
pub fn decode<T>(bytes: &[u8]) -> Result<T, NotCanonical>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let value: T = minicbor::decode(bytes).map_err(|_| NotCanonical)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(NotCanonical)
    }
}
