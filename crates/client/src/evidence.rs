//! What a client has to show for a refusal: the newest certificate remembered of an account, the one
//! that contradicts it, and a file of both that anyone verifies without a network. Must not decide what
//! is refused, nor know keys.
//!
//! The file is canonical CBOR, a map of numbered fields:
//!
//! | key | value |
//! |---|---|
//! | 0 | format, `1` |
//! | 1 | vault canister, bytes |
//! | 2 | account, 16 bytes |
//! | 3 | the account's dense number |
//! | 4 | what was remembered: a map of 0 certificate, 1 witness |
//! | 5 | what was shown later: the same |
//! | 6 | the root key both verify under, DER |

use crate::certificate::{self, CertificateError};
use crate::error::{Chain, IntegrityError};
use candid::Principal;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_protocol::certified::{CertifiedAccount, read_witness};
use salus_types::AccountId;
use salus_types::api::Head;

const FORMAT: u32 = 1;

/// A certificate and the witness from its certified data to an account's leaves, as they came.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Proof {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) certificate: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) witness: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct File {
    #[n(0)]
    format: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    vault: Vec<u8>,
    #[n(2)]
    account: AccountId,
    #[n(3)]
    number: u64,
    #[n(4)]
    before: Proof,
    #[n(5)]
    after: Proof,
    #[cbor(n(6), with = "minicbor::bytes")]
    root_key: Vec<u8>,
}

/// Why a file is no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not a file of evidence.
    #[error("not a file of evidence")]
    Malformed,
    /// Of a newer format.
    #[error("made by a newer version")]
    Format,
    /// Verifies under another root key than was asked for.
    #[error("certified by another network")]
    OtherNetwork,
    /// A certificate is not valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A witness does not fit, or speaks of another account.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
    /// Both may be true: the vault went on from the one to the other, as far as they show.
    #[error("the two certificates do not contradict each other")]
    NoContradiction,
}

/// A chain of which two certificates cannot both be honest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// Which.
    pub chain: Chain,
    /// What the earlier certificate says.
    pub before: Head,
    /// What the later one says: fewer entries, or another hash after as many.
    pub after: Head,
}

impl Contradiction {
    /// As a refusal.
    pub(crate) const fn error(&self) -> IntegrityError {
        if self.after.count < self.before.count {
            IntegrityError::RolledBack {
                chain: self.chain,
                known: self.before.count,
                seen: self.after.count,
            }
        } else {
            IntegrityError::Forked {
                chain: self.chain,
                at: self.before.count.saturating_sub(1),
            }
        }
    }
}

/// Evidence, verified.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The vault canister.
    pub vault: Principal,
    /// Whose account.
    pub account: AccountId,
    /// When the earlier certificate was made, ms since 1970.
    pub before_at: u64,
    /// When the later one was.
    pub after_at: u64,
    /// What does not go together.
    pub contradiction: Contradiction,
    /// The root key both are certified under, DER.
    pub root_key: Vec<u8>,
}

/// The first chain of an account of which `after` cannot follow from `before`, as far as both show it.
/// Key chains may become shorter, by a recovery; the others never do.
pub(crate) fn contradiction(
    before: &CertifiedAccount,
    after: &CertifiedAccount,
) -> Option<Contradiction> {
    let ledger = (Chain::Ledger, &before.ledger, &after.ledger);
    let audit = (Chain::Audit, &before.audit, &after.audit);
    let single = [ledger, audit]
        .into_iter()
        .filter_map(|(chain, before, after)| Some((chain, before.as_ref()?, after.as_ref()?)));
    let feeds = before.feeds.iter().filter_map(|(compartment, before)| {
        Some((
            Chain::Feed(*compartment),
            before,
            after.feeds.get(compartment)?,
        ))
    });
    single
        .chain(feeds)
        .find(|(_, before, after)| {
            after.count < before.count || (after.count == before.count && after.hash != before.hash)
        })
        .map(|(chain, before, after)| Contradiction {
            chain,
            before: before.clone(),
            after: after.clone(),
        })
}

/// A file of two proofs.
pub(crate) fn file(
    vault: &[u8],
    account: AccountId,
    number: u64,
    proofs: (Proof, Proof),
    root_key: Vec<u8>,
) -> Vec<u8> {
    canonical::encode(&File {
        format: FORMAT,
        vault: vault.to_vec(),
        account,
        number,
        before: proofs.0,
        after: proofs.1,
        root_key,
    })
}

/// Verifies a file of evidence, without a network. `root_key` (DER) is the one to trust; without it the
/// file's own is used, and [`Evidence::root_key`] is for the reader to judge.
///
/// # Errors
/// Any [`EvidenceError`].
pub fn verify_evidence(bytes: &[u8], root_key: Option<&[u8]>) -> Result<Evidence, EvidenceError> {
    let file: File = canonical::decode(bytes).map_err(|_| EvidenceError::Malformed)?;
    if file.format != FORMAT {
        return Err(EvidenceError::Format);
    }
    if root_key.is_some_and(|key| key != file.root_key) {
        return Err(EvidenceError::OtherNetwork);
    }
    let vault = Principal::try_from_slice(&file.vault).map_err(|_| EvidenceError::Malformed)?;
    let read = |proof: &Proof| -> Result<(u64, CertifiedAccount), EvidenceError> {
        let data = certificate::verify(&proof.certificate, &file.root_key, vault)?;
        let seen = read_witness(&proof.witness, &data.data, file.number);
        let seen = seen.map_err(IntegrityError::from)?;
        if seen.account == file.account {
            Ok((data.at, seen))
        } else {
            Err(IntegrityError::OtherAccount.into())
        }
    };
    let (before_at, before) = read(&file.before)?;
    let (after_at, after) = read(&file.after)?;
    // What was certified earlier may well be less.
    if before_at >= after_at {
        return Err(EvidenceError::NoContradiction);
    }
    let found = contradiction(&before, &after).ok_or(EvidenceError::NoContradiction)?;
    Ok(Evidence {
        vault,
        account: file.account,
        before_at,
        after_at,
        contradiction: found,
        root_key: file.root_key,
    })
}
