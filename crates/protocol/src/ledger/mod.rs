//! The owner ledger: every decision of an account's owner, signed, numbered and hash-chained.
//!
//! Owns the operations and the checks that decide whether one may follow another; canister and client
//! run the same code over their own [`LedgerView`]. Must not know where state is stored.

mod check;
mod parameters;
mod state;

pub use check::{Effect, LedgerError, LedgerView, check};
pub use parameters::{
    ParametersError, PasskeyParameters, PassphraseParameters, SecondSecretKind, SlotParameters,
};
pub use state::{CompartmentState, EpochState, Folded, GrantState, LedgerState, Links};

use crate::statement::Statement;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RequestId, SlotId};

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LedgerOp {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Whose ledger.
    #[n(1)]
    pub account: AccountId,
    /// Place in the ledger, from 0.
    #[n(2)]
    pub seq: u64,
    /// Hash of the operation before; absent in operation 0.
    #[n(3)]
    pub previous: Option<Hash>,
    /// The key link in force, whose signing key signs this.
    #[n(4)]
    pub link: Hash,
    /// When it was signed, ms since 1970.
    #[n(5)]
    pub at: u64,
    /// What changes.
    #[n(6)]
    pub change: Change,
}

impl Statement for LedgerOp {
    const LABEL: &'static str = "salus/v1/ledger-op";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// How a slot is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SlotKind {
    /// Recovery phrase of 24 words.
    #[n(0)]
    Recovery,
    /// A key this browser keeps and never shows.
    #[n(1)]
    Browser,
    /// A passkey with the PRF extension.
    #[n(2)]
    Passkey,
    /// A passphrase and a second secret.
    #[n(3)]
    Passphrase,
    /// A file of the command line's.
    #[n(4)]
    File,
}

/// A way to unlock the account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Slot {
    /// Which.
    #[n(0)]
    pub id: SlotId,
    /// How it is opened.
    #[n(1)]
    pub kind: SlotKind,
    /// X-Wing public key the account master key is sealed to.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealing: Vec<u8>,
    /// The genesis fingerprint, sealed under the slot's secret.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub anchor: Vec<u8>,
    /// The account master key of the current generation, sealed to `sealing`.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
    /// A sealed label ("Firefox on the laptop"), may be empty.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub label: Vec<u8>,
    /// What its secret is computed with, for kinds that need it and for no other.
    #[n(6)]
    pub parameters: Option<SlotParameters>,
}

/// The account master key sealed anew to a slot that stays.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SlotWrap {
    /// Which slot.
    #[n(0)]
    pub slot: SlotId,
    /// The new generation's key, sealed to it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
}

/// A new compartment, at epoch 1.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NewCompartment {
    /// Which.
    #[n(0)]
    pub id: CompartmentId,
    /// Its name, sealed for the owner.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub name: Vec<u8>,
    /// kid of its first epoch key.
    #[n(2)]
    pub kid: Hash,
    /// That key, sealed under the account master key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
}

/// A compartment's next epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochAdvance {
    /// Which compartment.
    #[n(0)]
    pub compartment: CompartmentId,
    /// Its new epoch: one more than before.
    #[n(1)]
    pub epoch: u32,
    /// kid of the new key.
    #[n(2)]
    pub kid: Hash,
    /// The new key, sealed under the account master key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub wrap: Vec<u8>,
}

/// A compartment's sealed things under a new account master key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CompartmentRewrap {
    /// Which compartment.
    #[n(0)]
    pub compartment: CompartmentId,
    /// Its name, sealed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub name: Vec<u8>,
    /// All its epoch keys from epoch 1 on, sealed; an empty one stays as it is, under the account master
    /// key that it is sealed under.
    #[n(2)]
    pub wraps: Vec<Wrap>,
}

/// A sealed key.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Wrap(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// A grant as the ledger names it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantEntry {
    /// Which.
    #[n(0)]
    pub id: GrantId,
    /// 1 when given, one more at each re-issue.
    #[n(1)]
    pub revision: u32,
    /// Hash of the grant's statement.
    #[n(2)]
    pub statement: Hash,
    /// To whom.
    #[n(3)]
    pub grantee: AccountId,
    /// Until when, ms since 1970.
    #[n(4)]
    pub expires: u64,
}

/// How the owner came to record someone's keys, other than by giving them access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum PinnedBy {
    /// Both compared the digits of their safety number.
    #[n(0)]
    Digits,
    /// The owner scanned the other's safety code.
    #[n(1)]
    Code,
    /// The keys had changed, and the owner accepted the new ones.
    #[n(2)]
    Acceptance,
}

/// Someone's key chain as the owner met it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pin {
    /// Whose.
    #[n(0)]
    pub account: AccountId,
    /// Genesis fingerprint.
    #[n(1)]
    pub genesis: Hash,
    /// Key link in force then.
    #[n(2)]
    pub link: Hash,
    /// How it was recorded; absent in a grant.
    #[n(3)]
    pub by: Option<PinnedBy>,
}

impl Pin {
    /// Whether the two compared their safety number or code.
    pub const fn is_verified(&self) -> bool {
        matches!(self.by, Some(PinnedBy::Digits | PinnedBy::Code))
    }
}

/// What an operation changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// Operation 0: the account as it begins, at generation 1.
    #[n(0)]
    #[cbor(map)]
    Open {
        /// Ways to unlock; one of them the recovery phrase.
        #[n(0)]
        slots: Vec<Slot>,
        /// Identity bundle, sealed under the account master key.
        #[cbor(n(1), with = "minicbor::bytes")]
        bundle: Vec<u8>,
        /// First compartments.
        #[n(2)]
        compartments: Vec<NewCompartment>,
    },
    /// Adds a way to unlock.
    #[n(1)]
    #[cbor(map)]
    AddSlot {
        /// The slot, with the current generation's key.
        #[n(0)]
        slot: Slot,
    },
    /// A new account master key: the named slots go, all others get it.
    #[n(2)]
    #[cbor(map)]
    Rekey {
        /// One more than before.
        #[n(0)]
        generation: u32,
        /// Slots that go.
        #[n(1)]
        removed: Vec<SlotId>,
        /// Every slot that stays.
        #[n(2)]
        slots: Vec<SlotWrap>,
        /// Identity bundle, sealed anew.
        #[cbor(n(3), with = "minicbor::bytes")]
        bundle: Vec<u8>,
        /// Every compartment.
        #[n(4)]
        compartments: Vec<CompartmentRewrap>,
    },
    /// Adds a compartment; grants over everything are re-issued to convey its key.
    #[n(3)]
    #[cbor(map)]
    AddCompartment {
        /// The compartment.
        #[n(0)]
        compartment: NewCompartment,
        /// Grants re-issued.
        #[n(1)]
        reissues: Vec<GrantEntry>,
    },
    /// Gives a compartment another name.
    #[n(4)]
    #[cbor(map)]
    RenameCompartment {
        /// Which.
        #[n(0)]
        compartment: CompartmentId,
        /// Its new name, sealed.
        #[cbor(n(1), with = "minicbor::bytes")]
        name: Vec<u8>,
    },
    /// Gives access, and pins the grantee's keys.
    #[n(5)]
    #[cbor(map)]
    Grant {
        /// The grant.
        #[n(0)]
        grant: GrantEntry,
        /// The request it answers.
        #[n(1)]
        request: Option<RequestId>,
        /// The grantee's keys.
        #[n(2)]
        pin: Pin,
    },
    /// Re-issues grants, for instance to convey a record's new version.
    #[n(6)]
    #[cbor(map)]
    Reissue {
        /// Grants re-issued.
        #[n(0)]
        reissues: Vec<GrantEntry>,
    },
    /// Takes access back, advances the epochs it reached, and re-issues the grants that remain.
    #[n(7)]
    #[cbor(map)]
    Revoke {
        /// Which grant.
        #[n(0)]
        grant: GrantId,
        /// New epochs.
        #[n(1)]
        epochs: Vec<EpochAdvance>,
        /// Grants re-issued.
        #[n(2)]
        reissues: Vec<GrantEntry>,
    },
    /// Denies a request.
    #[n(8)]
    #[cbor(map)]
    Deny {
        /// Which.
        #[n(0)]
        request: RequestId,
    },
    /// The identity keys were rotated: this is the first operation under the new link.
    #[n(9)]
    #[cbor(map)]
    Rotate {
        /// The new key link.
        #[n(0)]
        link: Hash,
        /// Identity bundle with the new seeds and, for what was sealed before, the old ones.
        #[cbor(n(1), with = "minicbor::bytes")]
        bundle: Vec<u8>,
    },
    /// The owner vouches for the state the ledger folds to. Stands at every multiple of
    /// [`salus_types::limits::CHECKPOINT_EVERY`], unless a rotation stands there.
    #[n(10)]
    #[cbor(map)]
    Checkpoint {
        /// [`LedgerState::fingerprint`] before this operation.
        #[n(0)]
        state: Hash,
    },
    /// Advances epochs without taking anything back, and re-issues grants to convey the new ones.
    #[n(11)]
    #[cbor(map)]
    Advance {
        /// New epochs, at least one.
        #[n(0)]
        epochs: Vec<EpochAdvance>,
        /// Grants re-issued.
        #[n(1)]
        reissues: Vec<GrantEntry>,
    },
    /// Records that someone's keys were compared, or accepted after they had changed.
    #[n(12)]
    #[cbor(map)]
    Pin {
        /// Their keys, and how they were recorded.
        #[n(0)]
        pin: Pin,
    },
}

impl Change {
    /// Grants the change issues or re-issues, in the order their payloads are given.
    pub fn grants(&self) -> &[GrantEntry] {
        match self {
            Self::Grant { grant, .. } => std::slice::from_ref(grant),
            Self::AddCompartment { reissues, .. }
            | Self::Reissue { reissues }
            | Self::Revoke { reissues, .. }
            | Self::Advance { reissues, .. } => reissues,
            _ => &[],
        }
    }
}
