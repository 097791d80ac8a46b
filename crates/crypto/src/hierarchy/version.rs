//! A version's two keys: one for listing it, one for opening it; and the drop box, where someone
//! who may append but not read leaves them for the owner.

use crate::context::{self, VaultScope, VersionScope};
use crate::error::{OpenError, SealError};
use crate::hpke::{self, PublicKey, SecretSeed};
use crate::kdf;
use crate::key::Key;
use crate::random::RandomError;
use salus_types::{Hash, RecordId};
use zeroize::Zeroizing;

/// Bytes of a drop-box envelope.
pub const DROP_BOX_LEN: usize = hpke::OVERHEAD + 64;

/// A version's keys, fresh for every version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionKeys {
    /// Opens the descriptor.
    pub descriptor: Key,
    /// Opens the parts.
    pub content: Key,
}

/// A version's keys as they stand under an epoch key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedVersionKeys {
    /// The descriptor key, sealed.
    pub descriptor: Vec<u8>,
    /// The content key, sealed.
    pub content: Vec<u8>,
}

impl VersionKeys {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self {
            descriptor: Key::generate()?,
            content: Key::generate()?,
        })
    }

    /// Identifies the descriptor key.
    pub fn descriptor_kid(&self, scope: VaultScope<'_>, record: RecordId, version: u32) -> Hash {
        kdf::derive_descriptor_kid(scope, record, version, &self.descriptor)
    }

    /// Identifies the content key.
    pub fn content_kid(&self, scope: VaultScope<'_>, record: RecordId, version: u32) -> Hash {
        kdf::derive_content_kid(scope, record, version, &self.content)
    }

    /// Seals both keys to the owner. The author signs the envelope's hash.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn seal_to_drop_box(
        &self,
        owner: &PublicKey,
        at: &VersionScope<'_>,
    ) -> Result<Vec<u8>, SealError> {
        let mut both = Zeroizing::new([0; 64]);
        both[..32].copy_from_slice(self.descriptor.expose());
        both[32..].copy_from_slice(self.content.expose());
        hpke::seal_to(owner, &context::drop_box(at), both.as_ref())
    }

    /// Opens what [`Self::seal_to_drop_box`] sealed.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_drop_box(
        seed: &SecretSeed,
        at: &VersionScope<'_>,
        envelope: &[u8],
    ) -> Result<Self, OpenError> {
        let bytes = hpke::open_with(seed, &context::drop_box(at), envelope)?;
        let (descriptor, content) = bytes.split_at_checked(32).ok_or(OpenError::Malformed)?;
        Ok(Self {
            descriptor: Key::from_slice(descriptor).map_err(|_| OpenError::Malformed)?,
            content: Key::from_slice(content).map_err(|_| OpenError::Malformed)?,
        })
    }
}
