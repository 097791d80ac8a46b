//! Comparing a secret with an account that is unlocked already. Must not know what it is asked for.

use super::Unlocked;
use crate::error::Result;
use crate::keys::{SlotHold, open_slot};
use salus_crypto::slot::SlotSecret;

impl Unlocked {
    /// Whether a secret opens one of the ways to unlock there are now: what shows that its holder is
    /// the owner. Nothing of what is unlocked changes by it.
    ///
    /// # Errors
    /// As [`Self::refresh`].
    pub async fn is_opened_by(&self, secret: &SlotSecret) -> Result<bool> {
        self.refresh().await?;
        self.with(|keys| {
            let genesis = keys.chain.genesis_fingerprint();
            for slot in keys.ledger.state.slots.keys().copied() {
                let hold = SlotHold {
                    slot,
                    keys: secret.derive_keys(self.scope(), slot)?,
                };
                if open_slot(self.scope(), &hold, genesis, &keys.ledger.state).is_ok() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}
