//! How a row becomes bytes: one version byte, then CBOR with numbered fields. New fields are
//! optional and take new numbers; a change that old readers would misread takes a new version.
//! Must not know any particular row.

use super::StorageError;
use super::layout::Table;
use minicbor::{Decode, Encode};

/// The row format this build writes.
const VERSION: u8 = 1;

/// A stored type, tied to the one table it lives in.
pub trait Row: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// Where it lives.
    const TABLE: Table;
}

/// Bytes of a row.
pub fn to_bytes<R: Row>(row: &R) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    // Writing to a Vec cannot fail; a derived encoder has no error of its own.
    let _written = minicbor::encode(row, &mut bytes);
    bytes
}

/// A row from its bytes.
pub fn from_bytes<R: Row>(bytes: &[u8]) -> Result<R, StorageError> {
    let corrupt = StorageError::Corrupt(R::TABLE);
    match bytes.split_first() {
        Some((&VERSION, cbor)) => minicbor::decode(cbor).map_err(|_| corrupt),
        _ => Err(corrupt),
    }
}
