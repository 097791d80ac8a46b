//! Hash chains the vault keeps: the feed of a compartment and the audit trail of a patient. Must not
//! know where entries are stored or who may read them.
//!
//! head(0) is all zero; head(n) = SHA-256(label ‖ 0x00 ‖ head(n−1) ‖ SHA-256(entry n)). An entry that
//! its reader may not see is replaced by its SHA-256, and the chain still verifies.

use crate::canonical;
use crate::statement::{labelled_hash, sha256};
use minicbor::{Decode, Encode};
use salus_types::api::Head;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId};

/// Label of the audit chain.
pub const AUDIT_LABEL: &str = "salus/v1/audit";
/// Label of feeds.
pub const FEED_LABEL: &str = "salus/v1/feed";

/// The head of an empty chain.
pub const EMPTY: Head = Head {
    count: 0,
    hash: Hash([0; 32]),
};

/// The head after one more entry, given the entry's SHA-256.
pub fn extend(label: &str, head: &Head, entry: &Hash) -> Head {
    let mut bytes = [0u8; 64];
    let (previous, current) = bytes.split_at_mut(32);
    previous.copy_from_slice(head.hash.as_bytes());
    current.copy_from_slice(entry.as_bytes());
    Head {
        count: head.count.saturating_add(1),
        hash: labelled_hash(label, &bytes),
    }
}

/// The SHA-256 under which an entry stands in its chain.
pub fn entry_hash(entry: &[u8]) -> Hash {
    sha256(entry)
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FeedEvent {
    /// A record's first version was filed.
    #[n(0)]
    Added,
    /// A next version was filed.
    #[n(1)]
    Amended,
    /// A version was left in the drop box (only in the drop box's feed).
    #[n(2)]
    Dropped,
    /// A version left the drop box (in its feed), or was filed from it (in the compartment's).
    #[n(3)]
    Adopted,
    /// The record left this compartment.
    #[n(4)]
    MovedOut,
    /// The record came from another compartment.
    #[n(5)]
    MovedIn,
    /// The record was erased.
    #[n(6)]
    Erased,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FeedEntry {
    /// Place in the feed, from 0.
    #[n(0)]
    pub seq: u64,
    /// When, ms since 1970, by the vault's clock.
    #[n(1)]
    pub at: u64,
    /// What happened.
    #[n(2)]
    pub event: FeedEvent,
    /// To which record.
    #[n(3)]
    pub record: RecordId,
    /// To which version.
    #[n(4)]
    pub version: u32,
    /// Hash of the version's statement.
    #[n(5)]
    pub statement: Hash,
}

/// What the audit trail records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum AuditEvent {
    /// The account was opened.
    #[n(0)]
    AccountOpened,
    /// A principal joined the account.
    #[n(1)]
    PrincipalAdded,
    /// A principal left the account.
    #[n(2)]
    PrincipalRemoved,
    /// The identity keys were rotated.
    #[n(3)]
    KeysRotated,
    /// A way to unlock was added.
    #[n(4)]
    SlotAdded,
    /// The account master key was renewed, ways to unlock were removed.
    #[n(5)]
    Rekeyed,
    /// A compartment was added.
    #[n(6)]
    CompartmentAdded,
    /// A compartment was renamed.
    #[n(7)]
    CompartmentRenamed,
    /// Someone asked for access.
    #[n(8)]
    Requested,
    /// A request was denied.
    #[n(9)]
    Denied,
    /// Access was given.
    #[n(10)]
    Granted,
    /// A grant was re-issued with new keys.
    #[n(11)]
    Reissued,
    /// Access was taken back.
    #[n(12)]
    Revoked,
    /// Descriptors were released.
    #[n(13)]
    Listed,
    /// A version's keys were released.
    #[n(14)]
    Opened,
    /// A version was written by its owner.
    #[n(15)]
    Written,
    /// A version was left in the drop box.
    #[n(16)]
    Appended,
    /// A version was filed from the drop box.
    #[n(17)]
    Adopted,
    /// A release or append was refused to someone who has or had a grant.
    #[n(18)]
    Refused,
    /// Strangers were refused: `count` attempts in the window before.
    #[n(19)]
    StrangersRefused,
    /// An invitation was made.
    #[n(20)]
    Invited,
    /// The vault was upgraded.
    #[n(21)]
    Upgraded,
    /// A checkpoint of the ledger was signed.
    #[n(22)]
    Checkpoint,
    /// The owner unlocked the account with a slot, by their client's own account; at most one entry
    /// for each slot and hour.
    #[n(23)]
    Unlocked,
    /// Versions' keys were filed anew: `count` of them where they lay, or one version in another
    /// compartment.
    #[n(24)]
    Refiled,
    /// Compartments, `count` of them, got new epochs without anyone's access being taken back.
    #[n(25)]
    EpochsAdvanced,
    /// Someone's keys were recorded as compared, or accepted after they had changed.
    #[n(26)]
    Pinned,
    /// A new device was paired: `slot` is its own, `subject` the SHA-256 of its principal.
    #[n(27)]
    Paired,
    /// A pairing that this account had answered was ended without a device being added.
    #[n(28)]
    PairingEnded,
}

/// An entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AuditEntry {
    /// Place in the chain, from 0.
    #[n(0)]
    pub seq: u64,
    /// When, ms since 1970, by the vault's clock.
    #[n(1)]
    pub at: u64,
    /// What.
    #[n(2)]
    pub event: AuditEvent,
    /// Who did it: a [`pseudonym`]; absent where the vault itself did.
    #[n(3)]
    pub actor: Option<Hash>,
    /// Whom it concerns besides: a [`pseudonym`].
    #[n(4)]
    pub other: Option<Hash>,
    /// Under which grant.
    #[n(5)]
    pub grant: Option<GrantId>,
    /// By which request.
    #[n(6)]
    pub request: Option<RequestId>,
    /// In which compartment.
    #[n(7)]
    pub compartment: Option<CompartmentId>,
    /// Which record.
    #[n(8)]
    pub record: Option<RecordId>,
    /// Which version.
    #[n(9)]
    pub version: Option<u32>,
    /// Which slot.
    #[n(10)]
    pub slot: Option<SlotId>,
    /// How many: descriptors listed, attempts refused, versions filed anew, epochs.
    #[n(11)]
    pub count: Option<u64>,
    /// Hash of what was decided or written: a statement's, or of what was listed or filed anew, [`listing_hash`].
    #[n(12)]
    pub subject: Option<Hash>,
}

/// What stands for an account in one audit chain. Without the salt it says nothing.
pub fn pseudonym(salt: &[u8; 32], account: &AccountId) -> Hash {
    let mut bytes = [0u8; 48];
    let (front, back) = bytes.split_at_mut(32);
    front.copy_from_slice(salt);
    back.copy_from_slice(account.as_bytes());
    labelled_hash("salus/v1/pseudonym", &bytes)
}

/// Hash of the records and versions a listing released, in order.
pub fn listing_hash(listed: impl IntoIterator<Item = (RecordId, u32)>) -> Hash {
    let mut bytes = Vec::new();
    for (record, version) in listed {
        bytes.extend_from_slice(record.as_bytes());
        bytes.extend_from_slice(&version.to_be_bytes());
    }
    labelled_hash("salus/v1/listing", &bytes)
}

/// Why a chain is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// An entry is not canonical.
    #[error("entry {0} is not canonical")]
    NotCanonical(u64),
    /// An entry does not stand in its place.
    #[error("entry {0} is out of place")]
    OutOfPlace(u64),
    /// The chain does not end in the head that was certified or remembered.
    #[error("the chain does not end in the expected head after {0} entries")]
    WrongHead(u64),
}

/// An entry of an audit chain as a verifier has it.
#[derive(Clone, Copy, Debug)]
pub enum Link<'a> {
    /// In full.
    Entry(&'a [u8]),
    /// Only its SHA-256.
    Hidden(Hash),
}

/// Checks audit entries that follow `from` and returns them with the head after them.
///
/// # Errors
/// [`LinkError::NotCanonical`], [`LinkError::OutOfPlace`].
pub fn follow_audit<'a>(
    from: &Head,
    links: impl IntoIterator<Item = Link<'a>>,
) -> Result<(Vec<AuditEntry>, Head), LinkError> {
    let mut head = from.clone();
    let mut entries = Vec::new();
    for link in links {
        let hash = match link {
            Link::Hidden(hash) => hash,
            Link::Entry(bytes) => {
                let entry: AuditEntry =
                    canonical::decode(bytes).map_err(|_| LinkError::NotCanonical(head.count))?;
                if entry.seq != head.count {
                    return Err(LinkError::OutOfPlace(head.count));
                }
                entries.push(entry);
                entry_hash(bytes)
            }
        };
        head = extend(AUDIT_LABEL, &head, &hash);
    }
    Ok((entries, head))
}

/// Checks feed entries that follow `from` and returns them with the head after them.
///
/// # Errors
/// [`LinkError::NotCanonical`], [`LinkError::OutOfPlace`].
pub fn follow_feed<'a>(
    from: &Head,
    links: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<FeedEntry>, Head), LinkError> {
    let mut head = from.clone();
    let mut entries = Vec::new();
    for bytes in links {
        let entry: FeedEntry =
            canonical::decode(bytes).map_err(|_| LinkError::NotCanonical(head.count))?;
        if entry.seq != head.count {
            return Err(LinkError::OutOfPlace(head.count));
        }
        entries.push(entry);
        head = extend(FEED_LABEL, &head, &entry_hash(bytes));
    }
    Ok((entries, head))
}
