//! Epoch keys: one for each epoch of a compartment.

use super::{Amk, VersionKeys, WrappedVersionKeys};
use crate::context::{self, VaultScope};
use crate::error::{OpenError, SealError};
use crate::kdf;
use crate::key::Key;
use crate::random::RandomError;
use crate::seal;
use salus_types::{CompartmentId, Hash, RecordId};

/// A compartment's key of one epoch; it opens the keys of every version filed under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochKey {
    /// Which compartment.
    pub compartment: CompartmentId,
    /// Which epoch; the first is 1.
    pub epoch: u32,
    /// The key.
    pub key: Key,
}

impl EpochKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`RandomError`]
    pub fn generate(compartment: CompartmentId, epoch: u32) -> Result<Self, RandomError> {
        Key::generate().map(|key| Self {
            compartment,
            epoch,
            key,
        })
    }

    /// Identifies the key without revealing it.
    pub fn kid(&self, scope: VaultScope<'_>) -> Hash {
        kdf::derive_epoch_kid(scope, self.compartment, self.epoch, &self.key)
    }

    /// Seals the key under the account master key.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn wrap(&self, amk: &Amk, scope: VaultScope<'_>) -> Result<Vec<u8>, SealError> {
        let context = context::epoch_wrap(scope, self.compartment, self.epoch, amk.generation());
        seal::seal(amk.key(), &context, self.key.expose())
    }

    /// Opens a key sealed by [`Self::wrap`]. The caller compares its kid with the ledger's.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn unwrap(
        amk: &Amk,
        scope: VaultScope<'_>,
        compartment: CompartmentId,
        epoch: u32,
        sealed: &[u8],
    ) -> Result<Self, OpenError> {
        let context = context::epoch_wrap(scope, compartment, epoch, amk.generation());
        let key = open_key(amk.key(), &context, sealed)?;
        Ok(Self {
            compartment,
            epoch,
            key,
        })
    }

    /// Seals a version's keys under this key.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn wrap_version_keys(
        &self,
        scope: VaultScope<'_>,
        record: RecordId,
        version: u32,
        keys: &VersionKeys,
    ) -> Result<WrappedVersionKeys, SealError> {
        let descriptor =
            context::descriptor_key_wrap(scope, record, version, self.compartment, self.epoch);
        let content =
            context::content_key_wrap(scope, record, version, self.compartment, self.epoch);
        Ok(WrappedVersionKeys {
            descriptor: seal::seal(&self.key, &descriptor, keys.descriptor.expose())?,
            content: seal::seal(&self.key, &content, keys.content.expose())?,
        })
    }

    /// Opens a version's descriptor key: listing.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn unwrap_descriptor_key(
        &self,
        scope: VaultScope<'_>,
        record: RecordId,
        version: u32,
        sealed: &[u8],
    ) -> Result<Key, OpenError> {
        let context =
            context::descriptor_key_wrap(scope, record, version, self.compartment, self.epoch);
        open_key(&self.key, &context, sealed)
    }

    /// Opens a version's content key: reading.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn unwrap_content_key(
        &self,
        scope: VaultScope<'_>,
        record: RecordId,
        version: u32,
        sealed: &[u8],
    ) -> Result<Key, OpenError> {
        let context =
            context::content_key_wrap(scope, record, version, self.compartment, self.epoch);
        open_key(&self.key, &context, sealed)
    }

    /// Opens both keys of a version.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn unwrap_version_keys(
        &self,
        scope: VaultScope<'_>,
        record: RecordId,
        version: u32,
        wrapped: &WrappedVersionKeys,
    ) -> Result<VersionKeys, OpenError> {
        Ok(VersionKeys {
            descriptor: self.unwrap_descriptor_key(scope, record, version, &wrapped.descriptor)?,
            content: self.unwrap_content_key(scope, record, version, &wrapped.content)?,
        })
    }
}

fn open_key(key: &Key, context: &context::Context, sealed: &[u8]) -> Result<Key, OpenError> {
    let bytes = zeroize::Zeroizing::new(seal::open(key, context, sealed)?);
    Key::from_slice(&bytes).map_err(|_| OpenError::Malformed)
}
