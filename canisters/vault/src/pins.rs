//! Whose keys an owner recorded as compared or accepted, as far as the next ledger check needs it. Must
//! not judge keys: that is what clients of the owner do with the record.

use crate::rows::PinRow;
use crate::runtime::Runtime;
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_protocol::ledger::Pin;
use salus_types::{AccountId, Error, Hash, Result};

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// The number of the account that a record is about: one that its owner may see, with the keys it
    /// has now.
    pub(crate) fn check_pin(&self, owner: &Owner, pin: &Pin, now: u64) -> Result<u64> {
        let number = self.may_see_keys(owner.number, &pin.account, now)?;
        let other = self.account(number)?;
        if (other.genesis, other.link) == (pin.genesis, pin.link) {
            Ok(number)
        } else {
            Err(Error::invalid("pin", "names other keys than are in force"))
        }
    }

    /// The genesis fingerprint recorded of an account.
    pub(crate) fn pinned(&self, owner: u64, account: &AccountId) -> Result<Option<Hash>> {
        let row: Option<PinRow> = self.store.get(&PinRow::key(owner, account))?;
        Ok(row.map(|row| row.0))
    }

    /// Keeps a record; that of a grant is the operation's alone.
    pub(crate) fn keep_pin(&mut self, owner: &mut Owner, pin: &Pin) -> Result<()> {
        if pin.by.is_none() {
            return Ok(());
        }
        if self.pinned(owner.number, &pin.account)?.is_none() {
            let pins = owner.account.pins.get_or_insert(0);
            *pins = pins.saturating_add(1);
        }
        let key = PinRow::key(owner.number, &pin.account);
        self.store.put(key, &PinRow(pin.genesis));
        Ok(())
    }
}
