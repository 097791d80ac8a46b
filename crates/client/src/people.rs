//! Other people: their key chains, verified, and how far they are known. Must not know what is shared
//! with them.

use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::session::Unlocked;
use salus_crypto::hpke::PublicKey;
use salus_protocol::KeyChain;
use salus_protocol::keychain::VerifiedLink;
use salus_protocol::request::DirectoryEntry;
use salus_protocol::safety::{self, CodeError, Party, SafetyCode};
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

    fn party(&self) -> Party {
        Party {
            account: self.account,
            genesis: self.genesis(),
        }
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

/// A fingerprint as 30 decimal digits (99 bits) in groups of five: one account's half of the number
/// that two people compare.
pub fn safety_number(genesis: &Hash) -> String {
    safety::half(genesis)
}

impl Unlocked {
    /// The number that this account and someone else's have in common: both see the same, unless the
    /// vault shows one of them other keys. It stays the same while either rotates keys.
    pub fn safety_number_with(&self, contact: &Contact) -> String {
        safety::number(&self.genesis(), &contact.genesis())
    }

    /// What the other person scans, to find out the same without reading digits.
    pub fn safety_code_for(&self, contact: &Contact) -> Vec<u8> {
        let code = SafetyCode {
            vault: self.client().vault_bytes().to_vec(),
            by: self.party(),
            of: contact.party(),
        };
        code.to_bytes()
    }

    /// Compares a code that someone shows with the keys that the vault shows of them, and with one's
    /// own.
    ///
    /// # Errors
    /// [`CodeError`]: says whose keys are wrong.
    pub fn check_safety_code(
        &self,
        contact: &Contact,
        scanned: &[u8],
    ) -> std::result::Result<(), CodeError> {
        let code = SafetyCode::from_bytes(scanned)?;
        let vault = self.client().vault_bytes();
        code.confirms(vault, &contact.party(), &self.party())
    }

    fn party(&self) -> Party {
        Party {
            account: self.account(),
            genesis: self.genesis(),
        }
    }
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
