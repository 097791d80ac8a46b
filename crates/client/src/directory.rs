//! The directory of providers: signed entries, and their keys and principals compared with what is
//! certified. Must not judge a licence.

use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::ledger::sign;
use crate::people::{Contact, Trust};
use crate::session::Unlocked;
use candid::Principal;
use salus_protocol::request::DirectoryEntry;
use salus_types::Error;
use salus_types::api::{DirectoryItem, DirectoryPage};

impl Unlocked {
    /// Publishes name and specialty under one's own signature, or replaces what was published.
    ///
    /// # Errors
    /// The vault's.
    pub async fn register_provider(&self, name: &str, specialty: &str) -> Result<()> {
        let statement = self.with(|keys| {
            let entry = DirectoryEntry {
                vault: self.vault(),
                account: self.account(),
                link: keys.link()?.hash,
                name: name.into(),
                specialty: specialty.into(),
                at: self.client().now(),
            };
            Ok(sign(&entry, &keys.bundle.current.signing))
        })?;
        self.client()
            .update("provider_register", (statement,))
            .await
    }
}

impl Client {
    /// A provider by principal; keys and principal are those the network certifies.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`IntegrityError`].
    pub async fn provider(&self, principal: Principal) -> Result<Contact> {
        let found: DirectoryItem = match self.query("directory_get", (principal,)).await {
            Err(ClientError::Vault(Error::NotFound)) => {
                return Err(ClientError::NotFound("provider"));
            }
            other => other?,
        };
        if found.principal != principal {
            return Err(IntegrityError::OtherAccount.into());
        }
        let contact = self.directory_contact(&found).await?;
        self.confirm(contact, Some(principal)).await
    }

    /// A page of the directory, its signatures verified: principal and provider. Keys are not yet
    /// compared with what is certified: see [`Self::confirm`].
    ///
    /// # Errors
    /// [`IntegrityError`].
    pub async fn directory(
        &self,
        cursor: Option<u64>,
    ) -> Result<(Vec<(Principal, Contact)>, Option<u64>)> {
        let page: DirectoryPage = self.query("directory_page", (cursor,)).await?;
        let mut out = Vec::with_capacity(page.items.len());
        for found in &page.items {
            out.push((found.principal, self.directory_contact(found).await?));
        }
        if page.next.is_some() && (page.items.is_empty() || page.next == cursor) {
            return Err(IntegrityError::Malformed("a page that leads nowhere").into());
        }
        Ok((out, page.next))
    }

    async fn directory_contact(&self, found: &DirectoryItem) -> Result<Contact> {
        let contact = self.contact(&found.counterparty).await?;
        if contact.directory.is_none() {
            return Err(IntegrityError::Malformed("a provider without an entry").into());
        }
        Ok(contact)
    }

    /// Compares someone's keys with what the network certifies, and their principal if one is given.
    ///
    /// # Errors
    /// [`IntegrityError::NotCertified`], [`IntegrityError::OtherAccount`].
    pub async fn confirm(
        &self,
        mut contact: Contact,
        principal: Option<Principal>,
    ) -> Result<Contact> {
        let heads = self.heads(contact.account).await?;
        if heads.certified.genesis != contact.genesis()
            || heads.certified.keys.as_ref() != Some(&contact.chain.head())
        {
            return Err(IntegrityError::NotCertified {
                chain: Chain::Keys(contact.account),
            }
            .into());
        }
        let who = &heads.certified.who;
        if principal.is_some_and(|p| !who.iter().any(|w| w == p.as_slice())) {
            return Err(IntegrityError::OtherAccount.into());
        }
        contact.trust = contact.trust.max(Trust::Certified);
        Ok(contact)
    }
}
