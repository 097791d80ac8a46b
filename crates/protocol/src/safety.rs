//! Safety numbers and codes: how two people make sure that the vault shows each the other's own keys.
//! Must not know how they are shown, typed or scanned.
//!
//! Both are made of genesis fingerprints alone: they stay the same while keys are rotated, and are
//! others for another account, whoever it claims to belong to.

use crate::canonical;
use crate::statement::labelled_hash;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, Hash};

/// Groups of five digits that stand for one account.
const GROUPS: usize = 6;
/// What a code's bytes begin with.
const CODE_LABEL: &[u8] = b"salus/v1/safety-code\0";

/// An account's half of a safety number: 30 digits (99 bits) in groups of five.
pub fn half(genesis: &Hash) -> String {
    let hash = labelled_hash("salus/v1/safety-number", genesis.as_bytes());
    let bytes = hash.0.iter().take(16);
    let mut value = bytes.fold(0u128, |value, byte| (value << 8) | u128::from(*byte));
    let mut groups = Vec::with_capacity(GROUPS);
    for _ in 0..GROUPS {
        groups.push(format!("{:05}", value % 100_000));
        value /= 100_000;
    }
    groups.join(" ")
}

/// The safety number of two accounts, the same from either side: 60 digits in groups of five, the half
/// of the smaller fingerprint first.
pub fn number(one: &Hash, other: &Hash) -> String {
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    format!("{} {}", half(first), half(second))
}

/// Whether what someone typed or read out is this number: digits count, nothing else does.
pub fn is_number(typed: &str, number: &str) -> bool {
    let digits = |text: &str| -> Vec<char> { text.chars().filter(char::is_ascii_digit).collect() };
    let sound = typed
        .chars()
        .all(|c| c.is_ascii_digit() || c.is_whitespace() || c == '-');
    sound && digits(typed) == digits(number)
}

/// An account as a code names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Party {
    /// Which.
    #[n(0)]
    pub account: AccountId,
    /// Its genesis fingerprint.
    #[n(1)]
    pub genesis: Hash,
}

/// What one person shows to be scanned by another: who they are, and whom they take the other for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SafetyCode {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Who shows it.
    #[n(1)]
    pub by: Party,
    /// Whom they see.
    #[n(2)]
    pub of: Party,
}

/// Why a code does not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not a code of this version.
    #[error("this is not a safety code")]
    NotACode,
    /// Of another vault.
    #[error("this safety code belongs to another vault")]
    OtherVault,
    /// Shown by someone else than the one who was to be compared.
    #[error("this safety code is shown by another account")]
    OtherAccount,
    /// Made for someone else to scan.
    #[error("this safety code is meant for another account")]
    NotForYou,
    /// The keys shown here are not those of the person who shows the code.
    #[error("their keys are not those that the vault shows you: someone may be in between")]
    TheirKeys,
    /// The keys they were shown are not one's own.
    #[error("the vault shows them other keys than yours: someone may be in between")]
    YourKeys,
}

impl SafetyCode {
    /// As it is shown.
    pub fn to_bytes(&self) -> Vec<u8> {
        [CODE_LABEL, &canonical::encode(self)].concat()
    }

    /// From what was scanned.
    ///
    /// # Errors
    /// [`CodeError::NotACode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodeError> {
        let body = bytes.strip_prefix(CODE_LABEL);
        let body = body.ok_or(CodeError::NotACode)?;
        canonical::decode(body).map_err(|_| CodeError::NotACode)
    }

    /// Compares it with whom one sees, and with oneself: both must be right.
    ///
    /// # Errors
    /// The first [`CodeError`] that applies.
    pub fn confirms(&self, vault: &[u8], seen: &Party, own: &Party) -> Result<(), CodeError> {
        if self.vault != vault {
            return Err(CodeError::OtherVault);
        }
        if self.by.account != seen.account {
            return Err(CodeError::OtherAccount);
        }
        if self.of.account != own.account {
            return Err(CodeError::NotForYou);
        }
        if self.by.genesis != seen.genesis {
            return Err(CodeError::TheirKeys);
        }
        if self.of.genesis != own.genesis {
            return Err(CodeError::YourKeys);
        }
        Ok(())
    }
}
