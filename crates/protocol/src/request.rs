//! Statements by which people find and ask each other: requests, invitations, directory entries, and
//! claims of a principal. Must not know how they are stored or sealed.

use crate::statement::Statement;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, Hash, InvitationId, RequestId};

/// A provider asks a patient. What is asked, for how long and why stands in the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Which request.
    #[n(1)]
    pub id: RequestId,
    /// Who asks.
    #[n(2)]
    pub requester: AccountId,
    /// The requester's genesis fingerprint.
    #[n(3)]
    pub requester_genesis: Hash,
    /// The requester's key link that signs.
    #[n(4)]
    pub requester_link: Hash,
    /// Whom.
    #[n(5)]
    pub patient: AccountId,
    /// The patient's genesis fingerprint.
    #[n(6)]
    pub patient_genesis: Hash,
    /// The patient's key link whose sealing key the envelope is for.
    #[n(7)]
    pub patient_link: Hash,
    /// SHA-256 of the envelope.
    #[n(8)]
    pub envelope: Hash,
    /// When it was signed, ms since 1970.
    #[n(9)]
    pub at: u64,
}

impl Statement for Request {
    const LABEL: &'static str = "salus/v1/request";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// A patient lets whoever holds a one-time code see the patient's key chain and ask once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Invitation {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Whose.
    #[n(1)]
    pub account: AccountId,
    /// The key link that signs.
    #[n(2)]
    pub link: Hash,
    /// [`invitation_id`] of the code.
    #[n(3)]
    pub id: InvitationId,
    /// Until when, ms since 1970.
    #[n(4)]
    pub expires: u64,
    /// When it was signed, ms since 1970.
    #[n(5)]
    pub at: u64,
}

impl Statement for Invitation {
    const LABEL: &'static str = "salus/v1/invitation";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// The id of an invitation: the first 16 bytes of the labelled SHA-256 of its code. The vault keeps
/// the id, never the code.
pub fn invitation_id(code: &[u8]) -> InvitationId {
    let hash = crate::statement::labelled_hash("salus/v1/invitation-code", code);
    let mut id = [0u8; 16];
    for (to, from) in id.iter_mut().zip(hash.0) {
        *to = from;
    }
    InvitationId(id)
}

/// A provider's public entry in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DirectoryEntry {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Whose.
    #[n(1)]
    pub account: AccountId,
    /// The key link that signs.
    #[n(2)]
    pub link: Hash,
    /// Published name.
    #[n(3)]
    pub name: String,
    /// Published specialty.
    #[n(4)]
    pub specialty: String,
    /// When it was signed, ms since 1970.
    #[n(5)]
    pub at: u64,
}

impl Statement for DirectoryEntry {
    const LABEL: &'static str = "salus/v1/directory-entry";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// Who authorises a claim.
pub use crate::keychain::Authority;

/// Lets a principal call for an account from now on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Which account.
    #[n(1)]
    pub account: AccountId,
    /// Who: must be the caller.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub principal: Vec<u8>,
    /// Which key of the chain's current link signs.
    #[n(3)]
    pub by: Authority,
    /// When it was signed, ms since 1970.
    #[n(4)]
    pub at: u64,
}

impl Statement for Claim {
    const LABEL: &'static str = "salus/v1/claim";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// Ends a principal's right to call for an account.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Disclaim {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Which account.
    #[n(1)]
    pub account: AccountId,
    /// Who.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub principal: Vec<u8>,
    /// Which key of the chain's current link signs.
    #[n(3)]
    pub by: Authority,
    /// When it was signed, ms since 1970.
    #[n(4)]
    pub at: u64,
}

impl Statement for Disclaim {
    const LABEL: &'static str = "salus/v1/disclaim";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}
