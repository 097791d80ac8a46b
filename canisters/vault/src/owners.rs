//! The accounts that one call works on: each is read once and written back once, however much is
//! done to it. Must not know what is done.

use crate::runtime::Runtime;
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_types::Result;

/// Accounts as a call has left them so far. Nobody else may read or write their rows until they are
/// saved.
#[derive(Default)]
pub(crate) struct Owners {
    changed: Vec<Owner>,
}

impl Owners {
    /// An account, to be worked on. What becomes of it counts only once it is [kept](Self::keep):
    /// whoever fails on the way has changed nothing.
    pub(crate) fn get<R: Runtime, M: Memory>(
        &self,
        vault: &Vault<R, M>,
        number: u64,
    ) -> Result<Owner> {
        match self.changed.iter().find(|owner| owner.number == number) {
            Some(owner) => Ok(owner.clone()),
            None => vault.load(number),
        }
    }

    /// Keeps what was done to an account.
    pub(crate) fn keep(&mut self, owner: Owner) {
        let number = owner.number;
        match self.changed.iter_mut().find(|o| o.number == number) {
            Some(before) => *before = owner,
            None => self.changed.push(owner),
        }
    }

    /// Writes all of them back, renews their certified leaves, and declares the update whole.
    pub(crate) fn save<R: Runtime, M: Memory>(&mut self, vault: &mut Vault<R, M>) -> Result<()> {
        if self.changed.is_empty() {
            return Ok(());
        }
        vault.save_all(self.changed.drain(..))
    }
}
