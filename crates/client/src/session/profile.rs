//! The profile: what the person wants to be called, and preferences, sealed. Must not know what the
//! preferences mean.

use super::Unlocked;
use crate::error::{ClientError, Result};
use minicbor::{Decode, Encode};
use salus_crypto::hierarchy::Amk;
use salus_crypto::{SealError, VaultScope, note};
use salus_protocol::canonical;
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

/// What the person wants to be called, and preferences. Sealed it may take 3 KiB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Profile {
    /// Private display name; may be empty.
    #[n(0)]
    pub display_name: String,
    /// Preferences by name.
    #[n(1)]
    pub preferences: BTreeMap<String, String>,
}

impl Profile {
    pub(super) fn seal(
        &self,
        amk: &Amk,
        scope: VaultScope<'_>,
    ) -> std::result::Result<Vec<u8>, SealError> {
        note::seal_profile_note(amk, scope, &canonical::encode(self))
    }
}

impl Unlocked {
    /// The profile.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn profile(&self) -> Result<Profile> {
        self.core
            .profile
            .borrow()
            .clone()
            .ok_or(ClientError::Locked)
    }

    /// Replaces the profile.
    ///
    /// # Errors
    /// [`ClientError::Locked`]; [`ClientError::Seal`] if it is too long; the vault's.
    pub async fn set_profile(&self, profile: &Profile) -> Result<()> {
        let sealed = self.with(|keys| Ok(profile.seal(&keys.amk, self.scope())?))?;
        let () = self
            .client
            .update("profile_set", (ByteBuf::from(sealed),))
            .await?;
        if self.is_unlocked() {
            self.core.profile.replace(Some(profile.clone()));
        }
        Ok(())
    }

    /// Seals the profile under the account master key in force, as another browser may have left it.
    pub(crate) async fn reseal_profile(&self) -> Result<()> {
        let info = self.client.account().await?.ok_or(ClientError::NoAccount)?;
        let profile = match self.open_profile(&info.profile)? {
            Some(profile) => {
                self.heed(&profile)?;
                profile
            }
            None => self.profile()?,
        };
        self.set_profile(&profile).await
    }

    /// Whether the profile lies sealed under the account master key in force.
    pub(crate) async fn profile_is_new(&self) -> Result<bool> {
        let info = self.client.account().await?.ok_or(ClientError::NoAccount)?;
        self.is_new(&info.profile)
    }

    /// The same, of what was shown.
    pub(crate) fn is_new(&self, sealed: &[u8]) -> Result<bool> {
        self.with(|keys| {
            let opened = note::open_profile_note(&keys.amk, self.scope(), sealed);
            Ok(opened.is_ok())
        })
    }

    pub(super) fn open_profile(&self, sealed: &[u8]) -> Result<Option<Profile>> {
        let opened = self.with(|keys| {
            Ok(keys.open_note(|amk| note::open_profile_note(amk, self.scope(), sealed)))
        })?;
        let bytes = opened.ok();
        Ok(bytes.and_then(|bytes| canonical::decode(&bytes).ok()))
    }

    /// Opens the profile note. One that does not open, for instance because someone with a stolen
    /// session overwrote it, must not keep the owner out: it is taken as empty.
    pub(super) fn read_profile(&self, sealed: &[u8]) -> Result<()> {
        let profile = self.open_profile(sealed)?.unwrap_or_default();
        self.core.profile.replace(Some(profile));
        Ok(())
    }
}
