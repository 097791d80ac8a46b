//! The audit trail, its verification, and the inbox, in plain words.
//! Must not know how chains are hashed or certified.

use crate::{Millis, Person, RecordId, RequestId};
use serde::{Deserialize, Serialize};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The person who reads this.
    You,
    /// Someone known.
    Person(Person),
    /// Someone whose name is not known or was erased; a short pseudonym.
    Pseudonym(String),
    /// The vault itself.
    Vault,
    /// An administrator of the vault.
    Admin,
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, from 0.
    pub sequence: u64,
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: AuditKind,
    /// The title, name or person it was about, as far as known; may be empty.
    pub subject: String,
    /// The record it was about.
    pub record: Option<RecordId>,
    /// How many records were listed, opened or added.
    pub count: u32,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuditKind {
    /// The account was made.
    AccountCreated,
    /// A way to unlock was added.
    SlotAdded,
    /// A way to unlock was removed.
    SlotRemoved,
    /// Identity keys changed.
    IdentityRotated,
    /// A principal was added or removed.
    PrincipalsChanged,
    /// A compartment was added.
    CompartmentAdded,
    /// Someone with access got new keys: those of a compartment, or of later versions of a record.
    KeysPassedOn,
    /// A record was added.
    RecordAdded,
    /// A record got a new version.
    RecordAmended,
    /// A record was filed from the drop box, or moved.
    RecordFiled,
    /// A record was erased.
    RecordErased,
    /// Someone was given a list of records.
    RecordsListed,
    /// Someone was given the keys of a record.
    RecordOpened,
    /// Access was asked for.
    AccessAsked,
    /// A request was approved.
    RequestApproved,
    /// A request was denied.
    RequestDenied,
    /// A grant was made.
    GrantGiven,
    /// A grant was withdrawn.
    GrantRevoked,
    /// Someone tried what they may not.
    Refused,
    /// An invitation was made.
    Invited,
    /// A provider profile was published.
    ProviderRegistered,
    /// The vault was upgraded or its settings changed.
    VaultChanged,
    /// The account was unlocked.
    Unlocked,
    /// Anything else; the subject says what.
    Other,
    /// Compartments got new keys.
    EpochsAdvanced,
    /// Someone's keys were compared, or accepted after they had changed.
    KeysPinned,
    /// Another device was let in.
    DevicePaired,
    /// Letting a device in was ended before it was.
    PairingEnded,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Entries whose hashes were recomputed.
    pub entries: u64,
    /// The chain's head in hexadecimal.
    pub head: String,
    /// The time in the network's certificate over that head.
    pub certified_at: Option<Millis>,
    /// `None`: everything fits.
    pub defect: Option<Defect>,
}

/// Why a chain cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Defect {
    /// An entry does not follow from the one before.
    BrokenLink {
        /// Its number.
        sequence: u64,
    },
    /// Entries are missing.
    Gap {
        /// The first missing number.
        sequence: u64,
    },
    /// The chain is shorter than, or differs from, what this browser remembers.
    RolledBack {
        /// The number remembered.
        sequence: u64,
    },
    /// The certificate is not valid.
    Certificate,
    /// The certificate is older than allowed.
    Stale,
    /// The certified head is not this chain's head.
    HeadMismatch,
}

/// Something to know about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its number in the inbox.
    pub number: u64,
    /// When.
    pub at: Millis,
    /// What.
    pub kind: NotificationKind,
    /// Whom it concerns.
    pub other: Option<Person>,
    /// The request it concerns.
    pub request: Option<RequestId>,
    /// The record it concerns.
    pub record: Option<RecordId>,
    /// Not seen yet.
    pub unread: bool,
}

/// Kinds of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotificationKind {
    /// Someone asks this patient for access.
    RequestReceived,
    /// A patient approved this provider's request.
    RequestApproved,
    /// A patient denied this provider's request.
    RequestDenied,
    /// A patient gave this provider access.
    GrantReceived,
    /// A patient ended this provider's access.
    GrantRevoked,
    /// Someone wrote a record for this patient.
    RecordReceived,
    /// A record was opened by someone.
    RecordOpened,
    /// Keys or ways to unlock changed.
    SecurityChanged,
    /// Anything else.
    Other,
}
