//! What a new device and an unlocked one say to each other by the vault. Must not know what it means.

use super::Signed;
use crate::ids::{AccountId, Hash, SlotId};
use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

wire! {
/// An unlocked device answers a code. Account and genesis fingerprint are those of the caller.
pub struct PairingAnswer {
    /// The code's number.
    pub code: u64,
    /// `pairing::Answer::commitment`.
    pub commitment: Hash,
}

/// The new device offers its slot.
pub struct PairingOffer {
    /// The code's number.
    pub code: u64,
    /// Which slot.
    pub slot: SlotId,
    /// How it will be opened, by the number of a slot's kind in the ledger.
    pub kind: u8,
    /// X-Wing public key, 1216 bytes.
    pub sealing: ByteBuf,
    /// The genesis fingerprint, sealed under the slot's secret.
    pub anchor: ByteBuf,
    /// 32 random bytes.
    pub nonce: ByteBuf,
}

/// The unlocked device opens its commitment.
pub struct PairingReveal {
    /// The code's number.
    pub code: u64,
    /// 32 random bytes.
    pub nonce: ByteBuf,
}

/// The unlocked device has added the slot that was offered.
pub struct PairingFinish {
    /// The code's number.
    pub code: u64,
    /// `Claim` for the new device's principal, if it is new to the account.
    pub claim: Option<Signed>,
}

/// Who answered a code.
pub struct PairingAnswered {
    /// Whose account.
    pub account: AccountId,
    /// Its genesis fingerprint.
    pub genesis: Hash,
    /// What binds the device to its answer.
    pub commitment: Hash,
}

/// A pairing as both sides see it.
pub struct PairingView {
    /// Until when it has to be finished.
    pub expires: u64,
    /// Whether a side has ended it.
    pub ended: bool,
    /// The principal that the new device calls with.
    pub principal: Principal,
    /// Once the code was answered.
    pub answer: Option<PairingAnswered>,
    /// Once the new device has offered its slot.
    pub offer: Option<PairingOffer>,
    /// Once the unlocked device has opened its commitment: 32 bytes.
    pub nonce: Option<ByteBuf>,
    /// Whether the slot was added.
    pub finished: bool,
    /// `Claim` for the new device's principal, if it was new to the account.
    pub claim: Option<Signed>,
}
}
