//! What a client keeps on its own device, sealed: upload journals and caches. The key changes with
//! the account master key, so that a removed device's leftovers stay closed.

use crate::context::{self, VaultScope};
use crate::error::{OpenError, SealError};
use crate::hierarchy::Amk;
use crate::kdf::derive_key;
use crate::key::Key;
use crate::seal;
use salus_types::UploadId;
use zeroize::Zeroizing;

/// The key for what is kept on this device.
#[derive(Clone, Debug)]
pub struct LocalKey(Key);

impl LocalKey {
    /// Derives it from the account master key.
    pub fn derive(amk: &Amk, scope: VaultScope<'_>) -> Self {
        let context = context::local_key(scope, amk.generation());
        Self(derive_key(amk.key(), &context))
    }

    /// Seals an upload's journal.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn seal_journal(
        &self,
        scope: VaultScope<'_>,
        upload: UploadId,
        journal: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        seal::seal(&self.0, &context::upload_journal(scope, upload), journal)
    }

    /// Opens an upload's journal.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_journal(
        &self,
        scope: VaultScope<'_>,
        upload: UploadId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        seal::open(&self.0, &context::upload_journal(scope, upload), sealed).map(Zeroizing::new)
    }

    /// Seals a cache under its name.
    ///
    /// # Errors
    /// [`SealError::Random`]
    pub fn seal_cache(
        &self,
        scope: VaultScope<'_>,
        name: &[u8],
        cache: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        seal::seal(&self.0, &context::sealed_cache(scope, name), cache)
    }

    /// Opens a cache.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open_cache(
        &self,
        scope: VaultScope<'_>,
        name: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        seal::open(&self.0, &context::sealed_cache(scope, name), sealed).map(Zeroizing::new)
    }
}
