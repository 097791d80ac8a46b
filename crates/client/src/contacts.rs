//! What the owner recorded of other people's keys: weighed against what the vault shows, and recorded
//! anew when the two compared, or when changed keys are accepted. Must not know how either is shown.

use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::people::{Contact, Trust};
use crate::session::Unlocked;
use crate::trust::since_pin;
use candid::Principal;
use salus_protocol::ledger::{Change, Pin, PinnedBy};
use salus_protocol::safety;
use salus_types::AccountId;

/// How often keys are read and compared with the certified ones before they are said not to be those:
/// the one may be a moment older than the other.
const READ: usize = 3;

/// What someone else showed or read out.
#[derive(Clone, Copy, Debug)]
pub enum Comparison<'a> {
    /// The digits of the safety number, as typed.
    Number(&'a str),
    /// The text of their safety code, as scanned or pasted.
    Code(&'a str),
}

impl Unlocked {
    /// Compares someone's keys with what the ledger records of them. What the owner recorded stands
    /// above what this device happens to remember, if it is not older.
    ///
    /// # Errors
    /// [`ClientError::Locked`], [`ClientError::Memory`].
    pub async fn weigh(&self, mut contact: Contact) -> Result<Contact> {
        let Some(pin) = self.pin(contact.account)? else {
            return Ok(contact);
        };
        let known = if pin.is_verified() {
            Trust::Verified
        } else {
            Trust::Pinned
        };
        if let Some(change) = since_pin(&contact.chain, &pin) {
            contact.trust = Trust::Changed(change);
        } else if !contact.is_changed() {
            contact.trust = contact.trust.max(known);
        } else if contact.remembers(&pin) {
            // What changed did so after it was recorded.
        } else {
            self.client().remember_contact(&contact).await?;
            contact.trust = known;
        }
        Ok(contact)
    }

    fn pin(&self, account: AccountId) -> Result<Option<Pin>> {
        self.with(|keys| Ok(keys.ledger.state.pins.get(&account).cloned()))
    }

    /// Someone this account deals with, or who is in the directory.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] and whatever does not verify.
    pub async fn person(&self, account: AccountId) -> Result<Contact> {
        self.weigh(self.client().person(account).await?).await
    }

    /// A provider by principal; keys and principal are those the network certifies.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`IntegrityError`].
    pub async fn provider(&self, principal: Principal) -> Result<Contact> {
        self.weigh(self.client().provider(principal).await?).await
    }

    /// Everyone whose keys the ledger records, and who gave or asked for access; each once, by account.
    ///
    /// # Errors
    /// As [`Self::received`] and [`Self::incoming_requests`].
    pub async fn contacts(&self) -> Result<Vec<Contact>> {
        let mut out: Vec<Contact> = Vec::new();
        let received = self.received().await?;
        out.extend(received.into_iter().map(|grant| grant.owner));
        let incoming = self.incoming_requests().await?;
        out.extend(incoming.into_iter().map(|request| request.requester));
        let outgoing = self.outgoing_requests().await?;
        out.extend(outgoing.into_iter().map(|request| request.patient));
        let pinned: Vec<AccountId> =
            self.with(|keys| Ok(keys.ledger.state.pins.keys().copied().collect()))?;
        for account in pinned {
            if out.iter().all(|contact| contact.account != account) {
                match self.person(account).await {
                    Err(ClientError::NotFound(_)) => {}
                    other => out.push(other?),
                }
            }
        }
        out.sort_by_key(|contact| contact.account);
        out.dedup_by_key(|contact| contact.account);
        Ok(out)
    }

    /// Records that the two compared their safety number or code, after comparing it.
    ///
    /// # Errors
    /// [`ClientError::OtherNumber`], [`ClientError::Code`]; [`ClientError::KeysChanged`]: changed keys
    /// are to be accepted first; [`ClientError::Conflict`] if the keys are not those of `contact` any
    /// more; [`IntegrityError::NotCertified`]; whatever an append may give.
    pub async fn verify_contact(
        &self,
        contact: &Contact,
        shown: Comparison<'_>,
    ) -> Result<Contact> {
        let by = match shown {
            Comparison::Number(typed) => {
                if !safety::is_number(typed, &self.safety_number_with(contact)) {
                    return Err(ClientError::OtherNumber);
                }
                PinnedBy::Digits
            }
            Comparison::Code(text) => {
                self.check_safety_code(contact, text)?;
                PinnedBy::Code
            }
        };
        let contact = self.weigh(contact.clone()).await?;
        contact.check_accepted()?;
        self.record_keys(&contact, by).await
    }

    /// Accepts keys that changed: from now on they are the ones known, and no longer verified. Grants
    /// in force that were sealed to the keys before are made anew.
    ///
    /// Of keys that did not change, it only makes those grants anew, so that it may be repeated where
    /// it was interrupted.
    ///
    /// # Errors
    /// As [`Self::verify_contact`]; as [`Self::grants`].
    pub async fn accept_key_change(&self, contact: &Contact) -> Result<Contact> {
        let contact = self.weigh(contact.clone()).await?;
        let contact = if contact.is_changed() {
            self.record_keys(&contact, PinnedBy::Acceptance).await?
        } else {
            contact
        };
        self.renew_grants_of(&contact).await?;
        Ok(contact)
    }

    /// Appends a record of someone's keys, which must still be those that are shown and certified.
    async fn record_keys(&self, contact: &Contact, by: PinnedBy) -> Result<Contact> {
        let fresh = self.certified_contact(contact.account).await?;
        if fresh.chain != contact.chain {
            return Err(ClientError::Conflict("their keys"));
        }
        let pin = Pin {
            account: fresh.account,
            genesis: fresh.genesis(),
            link: fresh.current()?.hash,
            by: Some(by),
        };
        if self.pin(fresh.account)?.as_ref() != Some(&pin) {
            self.append(|_| Ok((Change::Pin { pin: pin.clone() }, Vec::new())))
                .await?;
        }
        self.client().remember_contact(&fresh).await?;
        self.person(fresh.account).await
    }

    /// Someone with the keys that the network certifies now.
    async fn certified_contact(&self, account: AccountId) -> Result<Contact> {
        let mut left = READ;
        loop {
            left -= 1;
            let read = async {
                let contact = self.person(account).await?;
                self.client().confirm(contact, None).await
            };
            match read.await {
                Err(ClientError::Integrity(IntegrityError::NotCertified { .. })) if left > 0 => {}
                other => return other,
            }
        }
    }
}

impl Client {
    /// Remembers someone's key chain on this device as the one known.
    async fn remember_contact(&self, contact: &Contact) -> Result<()> {
        self.remember_links(contact.account, &contact.links).await
    }
}
