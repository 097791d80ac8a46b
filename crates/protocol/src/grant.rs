//! Grants: what one account lets another see or write, and whether a given access is covered.
//!
//! A grant stands on its own: a grantee verifies it without the owner's ledger. Must not know how it
//! is stored, released or sealed.

use crate::statement::Statement;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId};

/// May read: list, open, fetch.
pub const READ: u8 = 1;
/// May append: leave versions in the drop box.
pub const APPEND: u8 = 2;

/// What a grant is about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Scope {
    /// All compartments, those to come included.
    #[n(0)]
    Everything,
    /// These compartments, ascending.
    #[n(1)]
    Compartments(#[n(0)] Vec<CompartmentId>),
    /// These versions of single records, ascending.
    #[n(2)]
    Records(#[n(0)] Vec<VersionRef>),
}

/// A version of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct VersionRef {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// Which version, from 1.
    #[n(1)]
    pub version: u32,
}

/// Identifies a key the envelope conveys.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Conveyed {
    /// A compartment's epoch key.
    #[n(0)]
    Epoch {
        /// Which compartment.
        #[n(0)]
        compartment: CompartmentId,
        /// Which epoch.
        #[n(1)]
        epoch: u32,
        /// The key's kid.
        #[n(2)]
        kid: Hash,
    },
    /// A version's two keys.
    #[n(1)]
    Version {
        /// Which version.
        #[n(0)]
        version: VersionRef,
        /// The descriptor key's kid.
        #[n(1)]
        descriptor: Hash,
        /// The content key's kid.
        #[n(2)]
        content: Hash,
    },
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grant {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Which grant.
    #[n(1)]
    pub id: GrantId,
    /// Re-issue number, from 1: new epochs are conveyed by a higher one.
    #[n(2)]
    pub revision: u32,
    /// Who grants.
    #[n(3)]
    pub owner: AccountId,
    /// The owner's genesis fingerprint.
    #[n(4)]
    pub owner_genesis: Hash,
    /// The owner's key link that signs.
    #[n(5)]
    pub owner_link: Hash,
    /// To whom.
    #[n(6)]
    pub grantee: AccountId,
    /// The grantee's genesis fingerprint.
    #[n(7)]
    pub grantee_genesis: Hash,
    /// The grantee's key link whose sealing key the envelope is for.
    #[n(8)]
    pub grantee_link: Hash,
    /// What it is about.
    #[n(9)]
    pub scope: Scope,
    /// [`READ`] and [`APPEND`], or'ed; not empty.
    #[n(10)]
    pub rights: u8,
    /// Keys the envelope conveys. Empty without [`READ`].
    #[n(11)]
    pub conveys: Vec<Conveyed>,
    /// From when, ms since 1970.
    #[n(12)]
    pub not_before: u64,
    /// Until when: at this very millisecond it is over.
    #[n(13)]
    pub expires: u64,
    /// Commitment to the purpose, whose words are in the envelope.
    #[n(14)]
    pub purpose: Hash,
    /// SHA-256 of the envelope.
    #[n(15)]
    pub envelope: Hash,
    /// The request it answers.
    #[n(16)]
    pub request: Option<RequestId>,
    /// When this revision was signed, ms since 1970.
    #[n(17)]
    pub at: u64,
    /// Whether later versions of the records it names are granted too: the owner's client names and
    /// conveys them by re-issues. Present, and true, only if so; see [`Grant::follows`].
    #[n(18)]
    pub follows: Option<bool>,
}

impl Statement for Grant {
    const LABEL: &'static str = "salus/v1/grant";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// What someone wants to do under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// List or follow a compartment.
    ListCompartment(CompartmentId),
    /// List what a grant over single records names.
    ListRecords,
    /// Read a version that lies in a compartment.
    Read(CompartmentId, VersionRef),
    /// Leave a first version in the drop box.
    Append,
    /// Leave a next version of a record that lies in a compartment.
    Amend(CompartmentId, RecordId),
}

/// Why a grant does not cover an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Not in force yet.
    #[error("not in force yet")]
    TooEarly,
    /// Over.
    #[error("expired")]
    Expired,
    /// The grant gives no such right.
    #[error("no such right")]
    Right,
    /// Outside what the grant is about.
    #[error("outside the scope")]
    Scope,
}

impl Grant {
    /// Whether later versions of the records it names are granted too.
    pub fn follows(&self) -> bool {
        self.follows == Some(true)
    }

    /// Whether the statement is sound in itself: rights known and not empty, times in order, lists
    /// ascending, conveyed keys within the scope and only with [`READ`], following only single
    /// records that may be read.
    pub fn is_well_formed(&self) -> bool {
        let rights_ok = self.rights != 0 && self.rights & !(READ | APPEND) == 0;
        let times_ok = self.not_before < self.expires;
        let scope_ok = match &self.scope {
            Scope::Everything => true,
            Scope::Compartments(list) => !list.is_empty() && list.is_sorted_by(|a, b| a < b),
            Scope::Records(list) => !list.is_empty() && list.is_sorted_by(|a, b| a < b),
        };
        let conveys_ok = if self.rights & READ == 0 {
            self.conveys.is_empty()
        } else {
            self.conveys.iter().all(|c| match (c, &self.scope) {
                (Conveyed::Epoch { .. }, Scope::Everything) => true,
                (Conveyed::Epoch { compartment, .. }, Scope::Compartments(list)) => {
                    list.binary_search(compartment).is_ok()
                }
                (Conveyed::Version { version, .. }, Scope::Records(list)) => {
                    list.binary_search(version).is_ok()
                }
                _ => false,
            })
        };
        let follows_ok = match self.follows {
            None => true,
            Some(true) => self.rights & READ != 0 && matches!(self.scope, Scope::Records(_)),
            // Not following is said by saying nothing: one meaning, one encoding.
            Some(false) => false,
        };
        rights_ok && times_ok && scope_ok && conveys_ok && follows_ok && self.revision > 0
    }

    /// Whether the grant covers an access at a time. Revocation is the vault's to know.
    ///
    /// # Errors
    /// The first [`Denial`] that applies.
    pub fn covers(&self, access: Access, now: u64) -> Result<(), Denial> {
        if now < self.not_before {
            return Err(Denial::TooEarly);
        }
        if now >= self.expires {
            return Err(Denial::Expired);
        }
        let right = match access {
            Access::Append | Access::Amend(..) => APPEND,
            _ => READ,
        };
        if self.rights & right == 0 {
            return Err(Denial::Right);
        }
        let inside = match (&self.scope, access) {
            (Scope::Everything, Access::ListRecords) => false,
            (Scope::Everything, _) => true,
            (
                Scope::Compartments(list),
                Access::ListCompartment(c) | Access::Read(c, _) | Access::Amend(c, _),
            ) => list.binary_search(&c).is_ok(),
            (Scope::Compartments(_), Access::Append) => true,
            (Scope::Compartments(_), Access::ListRecords) => false,
            (Scope::Records(_), Access::ListRecords) => true,
            (Scope::Records(list), Access::Read(_, version)) => {
                list.binary_search(&version).is_ok()
            }
            (Scope::Records(list), Access::Amend(_, record)) => {
                list.iter().any(|v| v.record == record)
            }
            (Scope::Records(_), Access::ListCompartment(_) | Access::Append) => false,
        };
        if inside { Ok(()) } else { Err(Denial::Scope) }
    }
}
