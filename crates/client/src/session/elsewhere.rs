//! Signing out everywhere else: what opens by itself is ended, and clients that are open lock when they
//! hear of it. Must not know what they show.
//!
//! The vault cannot tell one open client of a sign-in from another, and what has the keys in memory
//! keeps them. So it is a count among the sealed preferences that honest clients heed; what a thief
//! may have read is ended by making the keys anew.

use super::Unlocked;
use super::profile::Profile;
use crate::error::{ClientError, Result};
use salus_protocol::ledger::SlotKind;
use salus_types::SlotId;
use salus_types::api::AccountInfo;

/// The preference that counts it.
const SIGNED_OUT: &str = "signed-out";

/// How often it was done.
fn count(profile: &Profile) -> u64 {
    let count = profile.preferences.get(SIGNED_OUT);
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

impl Unlocked {
    /// Ends every browser's and file's way to unlock but `here`, and locks clients that are open
    /// elsewhere as soon as they look. Phrase, passkeys and passphrases stay.
    ///
    /// # Errors
    /// As [`Self::remove_slots`].
    pub async fn sign_out_elsewhere(&self, here: Option<SlotId>) -> Result<()> {
        self.refresh().await?;
        let elsewhere: Vec<SlotId> = self
            .slots()?
            .into_iter()
            .filter(|s| matches!(s.kind, SlotKind::Browser | SlotKind::File))
            .filter(|s| !s.in_use && Some(s.id) != here)
            .map(|s| s.id)
            .collect();
        if !elsewhere.is_empty() {
            self.remove_slots(&elsewhere).await?;
        }
        self.lock_elsewhere().await
    }

    /// Locks clients that are open elsewhere as soon as they look: a lost device too, as long as nobody
    /// has tampered with it.
    ///
    /// # Errors
    /// As [`Self::set_profile`].
    pub async fn lock_elsewhere(&self) -> Result<()> {
        let mut profile = self.profile()?;
        let next = count(&profile).saturating_add(1).to_string();
        profile.preferences.insert(SIGNED_OUT.into(), next);
        self.set_profile(&profile).await
    }

    /// Whether what the vault shows of this account is something for [`Self::refresh`] to look at: the
    /// ledger moved on, or the owner signed out everywhere else.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn has_news(&self, shown: &AccountInfo) -> Result<bool> {
        let moved = self.with(|keys| Ok(keys.ledger.head != shown.ledger))?;
        let ended = match self.open_profile(&shown.profile)? {
            Some(stored) => count(&stored) > count(&self.profile()?),
            None => false,
        };
        Ok(moved || ended)
    }

    /// Locks where the owner signed out everywhere else since this was unlocked.
    pub(super) fn heed(&self, stored: &Profile) -> Result<()> {
        if count(stored) <= count(&self.profile()?) {
            return Ok(());
        }
        self.lock();
        Err(ClientError::Locked)
    }
}
