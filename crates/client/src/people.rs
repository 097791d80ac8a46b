//! Other people: their key chains, verified, and how far they are known. Must not know what is shared
//! with them.

use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use salus_crypto::hpke::PublicKey;
use salus_protocol::KeyChain;
use salus_protocol::keychain::VerifiedLink;
use salus_protocol::request::DirectoryEntry;
use salus_protocol::statement;
use salus_types::api::{Counterparty, Signed};
use salus_types::{AccountId, Hash};

/// How far someone's keys are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// The vault showed them, for the first time.
    FirstSeen,
    /// They are those the network certifies for that principal.
    Certified,
    /// They extend those this client remembers, or the ledger pins.
    Pinned,
    /// They have the fingerprint of a link or code handed over in person.
    Fingerprint,
}

/// Someone else, their keys verified as far as `trust` says.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Their account.
    pub account: AccountId,
    /// Its dense number.
    pub number: u64,
    /// Their key chain.
    pub chain: KeyChain,
    /// Their entry in the directory, its signature verified.
    pub directory: Option<DirectoryEntry>,
    /// How far the keys are known.
    pub trust: Trust,
}

impl Contact {
    /// Their published name, if they have one.
    pub fn name(&self) -> Option<&str> {
        self.directory.as_ref().map(|d| d.name.as_str())
    }

    /// Their lasting fingerprint.
    pub fn genesis(&self) -> Hash {
        self.chain.genesis_fingerprint()
    }

    /// Digits to be compared by two people, in groups of five.
    pub fn safety_number(&self) -> String {
        safety_number(&self.genesis())
    }

    pub(crate) fn current(&self) -> Result<&VerifiedLink> {
        current(&self.chain)
    }

    pub(crate) fn sealing(&self) -> Result<PublicKey> {
        Ok(PublicKey::from_bytes(&self.current()?.link.sealing)?)
    }
}

/// The link in force.
pub(crate) fn current(chain: &KeyChain) -> Result<&VerifiedLink> {
    chain
        .current()
        .ok_or_else(|| IntegrityError::KeyChain(salus_protocol::keychain::ChainError::Empty).into())
}

/// A fingerprint as 30 decimal digits (100 bits) in groups of five.
pub fn safety_number(genesis: &Hash) -> String {
    let hash = statement::labelled_hash("salus/v1/safety-number", genesis.as_bytes());
    let mut value = u128::from_be_bytes([0; 16]);
    for byte in hash.0.iter().take(16) {
        value = (value << 8) | u128::from(*byte);
    }
    let mut groups = Vec::new();
    for _ in 0..6 {
        groups.push(format!("{:05}", value % 100_000));
        value /= 100_000;
    }
    groups.join(" ")
}

/// Verifies a statement that any link of the signer's chain may have signed, as the statement says.
pub(crate) fn verify_under<T: statement::Statement>(
    signed: &Signed,
    vault: &[u8],
    chain: &KeyChain,
    link: impl Fn(&T) -> Hash,
) -> Result<T> {
    let value: T = statement::decode_for(&signed.statement, vault)?;
    let key = chain
        .link(&link(&value))
        .ok_or(IntegrityError::KeyChanged {
            account: chain.account(),
        })?
        .link
        .signing;
    Ok(statement::verify(signed, vault, &key)?)
}

impl Client {
    /// Verifies what the vault shows of someone against what is remembered of them.
    pub(crate) async fn contact(&self, shown: &Counterparty) -> Result<Contact> {
        let (chain, pinned) = self.accept_chain(shown.account, &shown.chain).await?;
        let directory = match &shown.directory {
            None => None,
            Some(signed) => {
                let entry =
                    verify_under(signed, self.vault_bytes(), &chain, |e: &DirectoryEntry| {
                        e.link
                    })?;
                if entry.account != shown.account {
                    return Err(IntegrityError::OtherAccount.into());
                }
                Some(entry)
            }
        };
        Ok(Contact {
            account: shown.account,
            number: shown.number,
            chain,
            directory,
            trust: if pinned {
                Trust::Pinned
            } else {
                Trust::FirstSeen
            },
        })
    }

    /// Someone the caller deals with, or who is in the directory.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] and whatever does not verify.
    pub async fn person(&self, account: AccountId) -> Result<Contact> {
        let shown: Counterparty = match self.query("chain_get", (account,)).await {
            Err(ClientError::Vault(salus_types::Error::NotFound)) => {
                return Err(ClientError::NotFound("account"));
            }
            other => other?,
        };
        if shown.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        self.contact(&shown).await
    }
}
