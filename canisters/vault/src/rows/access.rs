//! Rows about grants, requests and invitations.

use crate::storage::key::Key;
use crate::storage::large::Large;
use crate::storage::layout::Table;
use crate::storage::row::Row;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, GrantId, Hash, InvitationId, RecordId, RequestId};

/// A grant, its newest revision.
#[derive(Clone, Debug, Encode, Decode)]
pub struct GrantRow {
    /// `Grant`, as signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Its signature.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// HPKE envelope to the grantee.
    #[n(2)]
    pub envelope: Large,
    /// Note sealed for the owner.
    #[n(3)]
    pub note: Large,
    /// Number of the grantee's account.
    #[n(4)]
    pub grantee: u64,
    /// When it was revoked.
    #[n(5)]
    pub revoked: Option<u64>,
    /// Its place among the grants its owner gave.
    #[n(6)]
    pub given: u64,
    /// Its place among the grants its grantee received.
    #[n(7)]
    pub received: u64,
}

impl Row for GrantRow {
    const TABLE: Table = Table::Grants;
}

impl GrantRow {
    /// Key of a grant.
    pub fn key(owner: u64, grant: &GrantId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(grant.as_bytes())
    }
}

/// A grant in the order its owner gave them.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct GrantGivenRow(#[n(0)] pub GrantId);

impl Row for GrantGivenRow {
    const TABLE: Table = Table::GrantsGiven;
}

impl GrantGivenRow {
    /// Key of the n-th grant of an owner.
    pub fn key(owner: u64, seq: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner).u64(seq)
    }
}

/// A grant in the order its grantee received them.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct GrantReceivedRow {
    /// Whose.
    #[n(0)]
    pub owner: u64,
    /// Which.
    #[n(1)]
    pub grant: GrantId,
}

impl Row for GrantReceivedRow {
    const TABLE: Table = Table::GrantsReceived;
}

impl GrantReceivedRow {
    /// Key of the n-th grant of a grantee.
    pub fn key(grantee: u64, seq: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(grantee).u64(seq)
    }
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RequestStatusRow {
    /// Waits.
    #[n(0)]
    Pending,
    /// Approved.
    #[n(1)]
    Approved(#[n(0)] GrantId),
    /// Denied.
    #[n(2)]
    Denied,
}

/// A request.
#[derive(Clone, Debug, Encode, Decode)]
pub struct RequestRow {
    /// `Request`, as signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Its signature.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// HPKE envelope to the patient.
    #[n(2)]
    pub envelope: Large,
    /// Number of the requester's account.
    #[n(3)]
    pub requester: u64,
    /// How it stands.
    #[n(4)]
    pub status: RequestStatusRow,
    /// When the vault got it.
    #[n(5)]
    pub at: u64,
}

impl Row for RequestRow {
    const TABLE: Table = Table::Requests;
}

impl RequestRow {
    /// Key of a request.
    pub fn key(patient: u64, request: &RequestId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(patient)
            .bytes(request.as_bytes())
    }
}

/// A request in the order they came.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct RequestReceivedRow(#[n(0)] pub RequestId);

impl Row for RequestReceivedRow {
    const TABLE: Table = Table::RequestsReceived;
}

impl RequestReceivedRow {
    /// Key of the n-th request to a patient.
    pub fn key(patient: u64, seq: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(patient).u64(seq)
    }
}

/// A request in the order they were made.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct RequestMadeRow {
    /// Of whom.
    #[n(0)]
    pub patient: u64,
    /// Which.
    #[n(1)]
    pub request: RequestId,
}

impl Row for RequestMadeRow {
    const TABLE: Table = Table::RequestsMade;
}

impl RequestMadeRow {
    /// Key of the n-th request of a requester.
    pub fn key(requester: u64, seq: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(requester).u64(seq)
    }
}

/// An invitation.
#[derive(Clone, Debug, Encode, Decode)]
pub struct InvitationRow {
    /// Until when it may be used.
    #[n(0)]
    pub expires: u64,
    /// Which request used it.
    #[n(1)]
    pub used: Option<RequestId>,
    /// `Invitation`, as signed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
}

impl Row for InvitationRow {
    const TABLE: Table = Table::Invitations;
}

impl InvitationRow {
    /// Key of an invitation.
    pub fn key(patient: u64, invitation: &InvitationId) -> Key {
        Self::prefix(patient).bytes(invitation.as_bytes())
    }

    /// Prefix of a patient's invitations.
    pub fn prefix(patient: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(patient)
    }
}

/// What is between two accounts.
#[derive(Clone, Debug, Default, Encode, Decode)]
pub struct TieRow {
    /// Grants that were not revoked.
    #[n(0)]
    pub grants: Vec<GrantId>,
    /// The latest expiry among them, ms since 1970.
    #[n(1)]
    pub until: u64,
    /// Requests that wait for a decision.
    #[n(2)]
    pub pending: u32,
}

impl Row for TieRow {
    const TABLE: Table = Table::Ties;
}

impl TieRow {
    /// Key: who gave, who holds.
    pub fn key(owner: u64, grantee: u64) -> Key {
        Key::new(Self::TABLE.tag()).u64(owner).u64(grantee)
    }
}

/// Whose keys an owner recorded as compared or accepted: the genesis fingerprint.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PinRow(#[n(0)] pub Hash);

impl Row for PinRow {
    const TABLE: Table = Table::Pins;
}

impl PinRow {
    /// Key: who recorded, of whom.
    pub fn key(owner: u64, account: &AccountId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(account.as_bytes())
    }
}

/// A version that was released with its keys, whose ciphertext may therefore be fetched.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct OpenedRow;

impl Row for OpenedRow {
    const TABLE: Table = Table::Opened;
}

impl OpenedRow {
    /// Key: whose, under which grant, which version.
    pub fn key(owner: u64, grant: &GrantId, record: &RecordId, version: u32) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(grant.as_bytes())
            .bytes(record.as_bytes())
            .u32(version)
    }
}
