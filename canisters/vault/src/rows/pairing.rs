//! Rows about pairings: how a new device gets a slot by help of one that is unlocked.

use crate::storage::key::Key;
use crate::storage::layout::Table;
use crate::storage::row::Row;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use salus_protocol::pairing::PairingCode;
use salus_types::{Hash, SlotId};

/// A pairing, as far as it has come.
#[derive(Clone, Debug, Encode, Decode)]
pub struct PairingRow {
    /// Principal of the new device.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub beginner: Vec<u8>,
    /// When it is dropped.
    #[n(1)]
    pub expires: u64,
    /// What the unlocked device answered.
    #[n(2)]
    pub answer: Option<PairingAnswerRow>,
    /// What the new device offers.
    #[n(3)]
    pub offer: Option<PairingOfferRow>,
    /// What opens the answer's commitment.
    #[n(4)]
    pub nonce: Option<ByteArray<32>>,
    /// How it came out well.
    #[n(5)]
    pub finish: Option<PairingFinishRow>,
    /// When one side ended it instead.
    #[n(6)]
    pub ended: Option<u64>,
}

/// Whose account answered.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PairingAnswerRow {
    /// Its number.
    #[n(0)]
    pub owner: u64,
    /// What binds the device to its answer.
    #[n(1)]
    pub commitment: Hash,
}

/// A slot to be.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PairingOfferRow {
    /// Which.
    #[n(0)]
    pub slot: SlotId,
    /// Its kind, by the ledger's number.
    #[n(1)]
    pub kind: u8,
    /// Its public key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealing: Vec<u8>,
    /// Its sealed anchor.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub anchor: Vec<u8>,
    /// The new device's random bytes.
    #[n(4)]
    pub nonce: ByteArray<32>,
}

/// What the new device still needs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PairingFinishRow {
    /// A claim for its principal, if that is new to the account.
    #[n(0)]
    pub claim: Option<PairingClaimRow>,
}

/// A signed claim.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PairingClaimRow {
    /// `Claim`, as signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Its signature.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl Row for PairingRow {
    const TABLE: Table = Table::Pairings;
}

impl PairingRow {
    /// Key of a code.
    pub fn key(code: PairingCode) -> Key {
        Key::new(Self::TABLE.tag()).u64(code.number())
    }
}

/// Which pairings a principal has begun.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PairingBegunRow;

impl Row for PairingBegunRow {
    const TABLE: Table = Table::PairingsBegun;
}

impl PairingBegunRow {
    /// Key: by whom, which.
    pub fn key(beginner: &[u8], code: PairingCode) -> Key {
        Self::prefix(beginner).u64(code.number())
    }

    /// Prefix of one principal's: its length goes first, so that none is the beginning of another.
    pub fn prefix(beginner: &[u8]) -> Key {
        let len = u8::try_from(beginner.len()).unwrap_or(u8::MAX);
        Key::new(Self::TABLE.tag()).bytes(&[len]).bytes(beginner)
    }

    /// Which.
    pub fn code(key: &Key) -> Option<PairingCode> {
        let code = key.as_slice().last_chunk::<8>()?;
        PairingCode::new(u64::from_be_bytes(*code))
    }
}

/// Which pairings to drop, and when.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PairingExpiryRow;

impl Row for PairingExpiryRow {
    const TABLE: Table = Table::PairingExpiry;
}

impl PairingExpiryRow {
    /// Key: when, which.
    pub fn key(expires: u64, code: PairingCode) -> Key {
        Self::prefix().u64(expires).u64(code.number())
    }

    /// Prefix of all.
    pub fn prefix() -> Key {
        Key::new(Self::TABLE.tag())
    }

    /// When, which.
    pub fn parse(key: &Key) -> Option<(u64, PairingCode)> {
        Some((key.u64_at(1)?, PairingCode::new(key.u64_at(9)?)?))
    }
}
