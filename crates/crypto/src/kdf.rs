//! Keys and identifiers derived from keys: HKDF-SHA-256 with an empty salt and a context as info.

use crate::context::{self, Context, VaultScope};
use crate::hazmat::hkdf::derive_sha256;
use crate::key::Key;
use salus_types::{CompartmentId, Hash, RecordId};

/// The key that `key` gives for a context.
pub fn derive_key(key: &Key, context: &Context) -> Key {
    Key::from_bytes(*derive_sha256(key.expose(), context.as_bytes()))
}

fn kid(key: &Key, context: &Context) -> Hash {
    Hash(*derive_sha256(key.expose(), context.as_bytes()))
}

/// Identifies an epoch key without revealing it.
pub fn derive_epoch_kid(
    scope: VaultScope<'_>,
    compartment: CompartmentId,
    epoch: u32,
    key: &Key,
) -> Hash {
    kid(key, &context::epoch_kid(scope, compartment, epoch))
}

/// Identifies a version's descriptor key without revealing it.
pub fn derive_descriptor_kid(
    scope: VaultScope<'_>,
    record: RecordId,
    version: u32,
    key: &Key,
) -> Hash {
    kid(key, &context::descriptor_kid(scope, record, version))
}

/// Identifies a version's content key without revealing it.
pub fn derive_content_kid(
    scope: VaultScope<'_>,
    record: RecordId,
    version: u32,
    key: &Key,
) -> Hash {
    kid(key, &context::content_kid(scope, record, version))
}
