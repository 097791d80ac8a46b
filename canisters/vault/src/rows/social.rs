//! Rows about what accounts learn of each other: audit entries, pseudonyms, inbox, directory.

use crate::storage::key::Key;
use crate::storage::layout::Table;
use crate::storage::row::Row;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, GrantId, Hash, RecordId, RequestId};

/// An audit entry.
#[derive(Clone, Debug, Encode, Decode)]
pub struct AuditRow(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl Row for AuditRow {
    const TABLE: Table = Table::Audit;
}

impl AuditRow {
    /// Key of an entry.
    pub fn key(owner: u64, seq: u64) -> Key {
        Self::prefix(owner).u64(seq)
    }

    /// Prefix of a chain.
    pub fn prefix(owner: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner)
    }
}

/// With which salt a counterparty's pseudonym in one audit chain was made.
#[derive(Clone, Debug, Encode, Decode)]
pub struct SaltRow {
    /// The salt.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// The pseudonym.
    #[n(1)]
    pub pseudonym: Hash,
}

impl Row for SaltRow {
    const TABLE: Table = Table::Salts;
}

impl SaltRow {
    /// Key: whose chain, which counterparty.
    pub fn key(owner: u64, counterparty: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner).u64(counterparty)
    }
}

/// Whom a pseudonym stands for.
#[derive(Clone, Debug, Encode, Decode)]
pub struct PseudonymRow {
    /// Number of the account.
    #[n(0)]
    pub number: u64,
    /// The account.
    #[n(1)]
    pub account: AccountId,
}

impl Row for PseudonymRow {
    const TABLE: Table = Table::Pseudonyms;
}

impl PseudonymRow {
    /// Key: whose chain, which pseudonym.
    pub fn key(owner: u64, pseudonym: &Hash) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(pseudonym.as_bytes())
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub enum NoticeRow {
    /// Someone asks.
    #[n(0)]
    RequestReceived(#[n(0)] RequestId),
    /// Approved.
    #[n(1)]
    RequestApproved(#[n(0)] GrantId),
    /// Denied.
    #[n(2)]
    RequestDenied(#[n(0)] RequestId),
    /// Access was given.
    #[n(3)]
    GrantReceived(#[n(0)] GrantId),
    /// Access was taken back.
    #[n(4)]
    GrantRevoked(#[n(0)] GrantId),
    /// Something came into the drop box.
    #[n(5)]
    VersionReceived(#[n(0)] RecordId),
}

/// A notification.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct InboxRow {
    /// When.
    #[n(0)]
    pub at: u64,
    /// What.
    #[n(1)]
    pub notice: NoticeRow,
    /// Whom it came from.
    #[n(2)]
    pub from: AccountId,
}

impl Row for InboxRow {
    const TABLE: Table = Table::Inbox;
}

impl InboxRow {
    /// Key of a notification.
    pub fn key(account: u64, seq: u64) -> Key {
        Self::prefix(account).u64(seq)
    }

    /// Prefix of an inbox.
    pub fn prefix(account: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(account)
    }
}

/// A provider in the directory.
#[derive(Clone, Debug, Encode, Decode)]
pub struct DirectoryRow {
    /// Number of the account.
    #[n(0)]
    pub number: u64,
    /// `DirectoryEntry`, as signed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Its signature.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

impl Row for DirectoryRow {
    const TABLE: Table = Table::Directory;
}

impl DirectoryRow {
    /// Key by order of registration.
    pub fn key(seq: u64) -> Key {
        Self::prefix().u64(seq)
    }

    /// Prefix of all.
    pub fn prefix() -> Key {
        Key::new(Self::TABLE.tag())
    }

    /// Order of registration.
    pub fn seq(key: &Key) -> Option<u64> {
        key.u64_at(1)
    }
}
