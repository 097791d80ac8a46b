//! Other people: their key chains, verified, and how far they are known. Must not know what is shared
//! with them.

use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::session::Unlocked;
pub use crate::trust::{KeyChange, Trust};
use crate::trust::{Standing, since_remembered};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use salus_crypto::hpke::PublicKey;
use salus_protocol::KeyChain;
use salus_protocol::keychain::VerifiedLink;
use salus_protocol::ledger::Pin;
use salus_protocol::request::DirectoryEntry;
use salus_protocol::safety::{self, CodeError, Party, SafetyCode};
use salus_protocol::statement;
use salus_types::api::{Counterparty, Signed, SignedLink};
use salus_types::{AccountId, Hash};

/// What the text of a safety code begins with; base64url without padding (RFC 4648) follows.
const CODE_SCHEME: &str = "salus:safety/";

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
    /// The links of the chain, as they were signed.
    pub(crate) links: Vec<SignedLink>,
    /// The chain this device remembered before.
    pub(crate) remembered: Option<KeyChain>,
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

    /// Whether the keys are others than those known before, and not accepted.
    pub const fn is_changed(&self) -> bool {
        matches!(self.trust, Trust::Changed(_))
    }

    pub(crate) const fn check_accepted(&self) -> Result<()> {
        match self.trust {
            Trust::Changed(change) => Err(ClientError::KeysChanged {
                account: self.account,
                change,
            }),
            _ => Ok(()),
        }
    }

    /// Whether the device had already seen what the owner recorded.
    pub(crate) fn remembers(&self, pin: &Pin) -> bool {
        let known = self.remembered.as_ref();
        known.is_some_and(|known| known.link(&pin.link).is_some())
    }

    /// The key to seal to: the only way to it, so that nothing is sealed to keys that changed.
    pub(crate) fn sealing(&self) -> Result<PublicKey> {
        self.check_accepted()?;
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

/// A safety code as it is scanned, pasted or printed.
pub fn safety_code_text(code: &SafetyCode) -> String {
    format!("{CODE_SCHEME}{}", URL_SAFE_NO_PAD.encode(code.to_bytes()))
}

impl Unlocked {
    /// The number that this account and someone else's have in common: both see the same, unless the
    /// vault shows one of them other keys. It stays the same while either rotates keys.
    pub fn safety_number_with(&self, contact: &Contact) -> String {
        safety::number(&self.genesis(), &contact.genesis())
    }

    /// The text of what the other person scans, to find out the same without reading digits.
    pub fn safety_code_for(&self, contact: &Contact) -> String {
        let code = SafetyCode {
            vault: self.client().vault_bytes().to_vec(),
            by: self.party(),
            of: contact.party(),
        };
        safety_code_text(&code)
    }

    /// Compares the text of a code that someone shows with the keys that the vault shows of them, and with one's
    /// own.
    ///
    /// # Errors
    /// [`CodeError`]: says whose keys are wrong.
    pub fn check_safety_code(
        &self,
        contact: &Contact,
        scanned: &str,
    ) -> std::result::Result<(), CodeError> {
        let text = scanned.trim();
        let text = text.strip_prefix(CODE_SCHEME).unwrap_or(text);
        let bytes = URL_SAFE_NO_PAD.decode(text);
        let code = SafetyCode::from_bytes(&bytes.map_err(|_| CodeError::NotACode)?)?;
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
    /// Verifies what the vault shows of someone against what is remembered of them. Keys that changed
    /// are shown as such, and are not remembered.
    pub(crate) async fn contact(&self, shown: &Counterparty) -> Result<Contact> {
        let chain = KeyChain::verify(&shown.chain, self.vault_bytes())?;
        if chain.account() != shown.account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let remembered = self.known_chain(shown.account).await?;
        let standing = remembered
            .as_ref()
            .map(|known| since_remembered(&chain, known));
        let trust = match standing {
            None => Trust::FirstSeen,
            Some(Standing::Extends) => Trust::Pinned,
            Some(Standing::Changed(change)) => Trust::Changed(change),
            Some(Standing::Behind) => {
                let known = remembered.as_ref().map_or(0, |known| known.links().len());
                return Err(IntegrityError::RolledBack {
                    chain: Chain::Keys(shown.account),
                    known: known as u64,
                    seen: chain.links().len() as u64,
                }
                .into());
            }
        };
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
        if !matches!(trust, Trust::Changed(_)) && remembered.as_ref() != Some(&chain) {
            self.remember_links(shown.account, &shown.chain).await?;
        }
        Ok(Contact {
            account: shown.account,
            number: shown.number,
            chain,
            directory,
            trust,
            links: shown.chain.clone(),
            remembered,
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
