//! The key chain: which identity keys an account has had, and who may change them.
//!
//! Genesis is signed by the recovery key it names; a rotation by its predecessor's signing key or by
//! the recovery key. A recovery-signed link may follow any earlier link and so discards what a thief
//! appended; nothing may discard a recovery-signed link but another after it. Every link also shows
//! possession of its own new signing key. Must not know how keys are stored or derived.

use crate::statement::{self, Statement, StatementError};
use minicbor::{Decode, Encode};
use salus_types::api::SignedLink;
use salus_types::{AccountId, Hash};

/// Length of an X-Wing public key in bytes (draft-connolly-cfrg-xwing-kem).
pub const SEALING_KEY_BYTES: usize = 1216;
/// Links of a chain at most; a person rotates rarely, a thief must not fill the vault.
pub const LINKS: usize = 256;
/// Label of the possession signature.
pub const POSSESSION_LABEL: &str = "salus/v1/key-possession";

/// Who authorised a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Authority {
    /// The recovery key: genesis, and rotations that override.
    #[n(0)]
    Recovery,
    /// The predecessor's signing key.
    #[n(1)]
    Identity,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyLink {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Whose keys.
    #[n(1)]
    pub account: AccountId,
    /// Place in the chain, from 0.
    #[n(2)]
    pub index: u32,
    /// Hash of the link before; absent in genesis.
    #[n(3)]
    pub previous: Option<Hash>,
    /// Ed25519 public key that signs for the account from here on.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signing: [u8; 32],
    /// X-Wing public key that things are sealed to from here on.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub sealing: Vec<u8>,
    /// Ed25519 public key of recovery. Only a recovery-signed link may change it.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub recovery: [u8; 32],
    /// Who authorised this link.
    #[n(7)]
    pub by: Authority,
    /// When it was made, ms since 1970.
    #[n(8)]
    pub at: u64,
}

impl Statement for KeyLink {
    const LABEL: &'static str = "salus/v1/key-link";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// A link that was verified in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLink {
    /// The link.
    pub link: KeyLink,
    /// Its hash, which statements name.
    pub hash: Hash,
}

/// Why a chain or link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A statement in it is refused.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// No link at all.
    #[error("empty key chain")]
    Empty,
    /// More than [`LINKS`].
    #[error("key chain too long")]
    TooLong,
    /// Another account's link.
    #[error("a link of another account")]
    ForeignAccount,
    /// Index, predecessor or authority do not fit the place.
    #[error("a link out of place")]
    OutOfPlace,
    /// An identity-signed link changes the recovery key.
    #[error("only the recovery key may change the recovery key")]
    RecoveryChanged,
    /// A public key no one may have.
    #[error("malformed public key")]
    MalformedKey,
    /// A chain that neither extends what is pinned nor overrides it with the recovery key.
    #[error("the key chain does not extend the one known before")]
    Diverged,
}

/// A verified chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChain {
    links: Vec<VerifiedLink>,
}

fn check_keys(link: &KeyLink) -> Result<(), ChainError> {
    let sealing_ok = link.sealing.len() == SEALING_KEY_BYTES
        && link
            .sealing
            .last_chunk::<32>()
            .is_some_and(|x25519| x25519.iter().any(|b| *b != 0));
    if sealing_ok {
        Ok(())
    } else {
        Err(ChainError::MalformedKey)
    }
}

fn open_link(
    signed: &SignedLink,
    vault: &[u8],
    authoriser: impl FnOnce(&KeyLink) -> Result<[u8; 32], ChainError>,
) -> Result<VerifiedLink, ChainError> {
    let link: KeyLink = statement::decode_for(&signed.statement, vault)?;
    check_keys(&link)?;
    let key = authoriser(&link)?;
    let message = statement::signing_bytes(KeyLink::LABEL, &signed.statement);
    if !statement::signature_is_valid(&key, &message, &signed.signature) {
        return Err(StatementError::BadSignature(KeyLink::LABEL).into());
    }
    let possession = statement::signing_bytes(POSSESSION_LABEL, &signed.statement);
    if !statement::signature_is_valid(&link.signing, &possession, &signed.possession) {
        return Err(StatementError::BadSignature(POSSESSION_LABEL).into());
    }
    Ok(VerifiedLink {
        hash: statement::hash_of::<KeyLink>(&signed.statement),
        link,
    })
}

impl KeyChain {
    /// Verifies a genesis link.
    ///
    /// # Errors
    /// Any [`ChainError`] but [`ChainError::Diverged`].
    pub fn genesis(signed: &SignedLink, vault: &[u8]) -> Result<Self, ChainError> {
        let first = open_link(signed, vault, |link| {
            if link.index == 0 && link.previous.is_none() && link.by == Authority::Recovery {
                Ok(link.recovery)
            } else {
                Err(ChainError::OutOfPlace)
            }
        })?;
        Ok(Self { links: vec![first] })
    }

    /// Verifies a whole chain, genesis first.
    ///
    /// # Errors
    /// Any [`ChainError`] but [`ChainError::Diverged`].
    pub fn verify(links: &[SignedLink], vault: &[u8]) -> Result<Self, ChainError> {
        let (first, rest) = links.split_first().ok_or(ChainError::Empty)?;
        if links.len() > LINKS {
            return Err(ChainError::TooLong);
        }
        let mut chain = Self::genesis(first, vault)?;
        for link in rest {
            if chain.append(link, vault)? != chain.links.len() - 1 {
                return Err(ChainError::OutOfPlace);
            }
        }
        Ok(chain)
    }

    /// Appends a link after verifying it; a recovery-signed one may first discard later links.
    /// Returns the place the link took.
    ///
    /// # Errors
    /// Any [`ChainError`] but [`ChainError::Diverged`]; the chain is then unchanged.
    pub fn append(&mut self, signed: &SignedLink, vault: &[u8]) -> Result<usize, ChainError> {
        let mut keep = self.links.len();
        let account = self.account();
        let verified = open_link(signed, vault, |link| {
            if link.account != account {
                return Err(ChainError::ForeignAccount);
            }
            let place = link.index as usize;
            let before = place
                .checked_sub(1)
                .and_then(|i| self.links.get(i))
                .ok_or(ChainError::OutOfPlace)?;
            if link.previous != Some(before.hash) {
                return Err(ChainError::OutOfPlace);
            }
            match link.by {
                Authority::Identity if place == self.links.len() => {
                    if link.recovery != before.link.recovery {
                        return Err(ChainError::RecoveryChanged);
                    }
                    Ok(before.link.signing)
                }
                Authority::Identity => Err(ChainError::OutOfPlace),
                Authority::Recovery => {
                    let discards_recovery = self
                        .links
                        .iter()
                        .skip(place)
                        .any(|l| l.link.by == Authority::Recovery);
                    if discards_recovery {
                        return Err(ChainError::OutOfPlace);
                    }
                    keep = place;
                    Ok(before.link.recovery)
                }
            }
        })?;
        if keep >= LINKS {
            return Err(ChainError::TooLong);
        }
        self.links.truncate(keep);
        self.links.push(verified);
        Ok(keep)
    }

    /// Whose chain it is.
    pub fn account(&self) -> AccountId {
        self.links
            .first()
            .map_or(AccountId([0; 16]), |l| l.link.account)
    }

    /// Hash of the genesis link: the account's lasting fingerprint.
    pub fn genesis_fingerprint(&self) -> Hash {
        self.links.first().map_or(Hash([0; 32]), |l| l.hash)
    }

    /// The links, genesis first; never empty.
    pub fn links(&self) -> &[VerifiedLink] {
        &self.links
    }

    /// The link in force.
    pub fn current(&self) -> Option<&VerifiedLink> {
        self.links.last()
    }

    /// The link of that hash.
    pub fn link(&self, hash: &Hash) -> Option<&VerifiedLink> {
        self.links.iter().find(|l| l.hash == *hash)
    }

    /// Number of links and hash of the last, as it is certified.
    pub fn head(&self) -> salus_types::api::Head {
        salus_types::api::Head {
            count: self.links.len() as u64,
            hash: self.current().map_or(Hash([0; 32]), |l| l.hash),
        }
    }

    /// Whether someone who pinned `pinned` (hashes, genesis first) may accept this chain: it extends
    /// them, or first differs at a recovery-signed link where nothing recovery-signed was pinned
    /// (`pinned_recovery`: highest pinned index signed by recovery).
    ///
    /// # Errors
    /// [`ChainError::Diverged`].
    pub fn check_pinned(&self, pinned: &[Hash], pinned_recovery: usize) -> Result<(), ChainError> {
        for (i, known) in pinned.iter().enumerate() {
            match self.links.get(i) {
                Some(link) if link.hash == *known => {}
                Some(link)
                    if i > pinned_recovery && link.link.by == Authority::Recovery && i > 0 =>
                {
                    return Ok(());
                }
                _ => return Err(ChainError::Diverged),
            }
        }
        Ok(())
    }

    /// What [`KeyChain::check_pinned`] needs to remember of this chain.
    pub fn pin(&self) -> (Vec<Hash>, usize) {
        let recovery = self
            .links
            .iter()
            .rposition(|l| l.link.by == Authority::Recovery)
            .unwrap_or(0);
        (self.links.iter().map(|l| l.hash).collect(), recovery)
    }
}
