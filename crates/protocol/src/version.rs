//! Versions of records: what an author signs, and what an owner signs to file one. Must not know
//! keys or plaintext.

use crate::statement::{Statement, labelled_hash};
use minicbor::{Decode, Encode};
use salus_types::api::{Adopt, PartSource, Placement, VersionAdd};
use salus_types::{AccountId, CompartmentId, Hash, RecordId};

/// A sealed part: main content is part 0, attachments follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Part {
    /// [`part_root`] over its pieces.
    #[n(0)]
    pub root: Hash,
    /// Sealed size in bytes.
    #[n(1)]
    pub size: u64,
}

/// Hash of a sealed part from its size and the SHA-256 of each 1 MiB piece in order, so that pieces
/// can be checked as they arrive.
pub fn part_root(size: u64, pieces: &[Hash]) -> Hash {
    let mut bytes = Vec::with_capacity(8 + pieces.len() * 32);
    bytes.extend_from_slice(&size.to_be_bytes());
    for piece in pieces {
        bytes.extend_from_slice(piece.as_bytes());
    }
    labelled_hash("salus/v1/part", &bytes)
}

/// How the author left a version that could not be filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DropBox {
    /// SHA-256 of the envelope with the keys.
    #[n(0)]
    pub envelope: Hash,
    /// The owner's key link whose sealing key it is for.
    #[n(1)]
    pub owner_link: Hash,
    /// The compartment the author suggests.
    #[n(2)]
    pub suggested: Option<CompartmentId>,
}

/// A version, as its author signs it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Version {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// In whose account.
    #[n(1)]
    pub owner: AccountId,
    /// Which record.
    #[n(2)]
    pub record: RecordId,
    /// Which version, from 1.
    #[n(3)]
    pub version: u32,
    /// Hash of the previous version's statement; absent in version 1.
    #[n(4)]
    pub previous: Option<Hash>,
    /// Who wrote it.
    #[n(5)]
    pub author: AccountId,
    /// The author's genesis fingerprint; also in the contexts the parts are sealed under.
    #[n(6)]
    pub author_genesis: Hash,
    /// The author's key link that signs.
    #[n(7)]
    pub author_link: Hash,
    /// kid of the descriptor's key.
    #[n(8)]
    pub descriptor_kid: Hash,
    /// kid of the content's key.
    #[n(9)]
    pub content_kid: Hash,
    /// SHA-256 of the sealed descriptor.
    #[n(10)]
    pub descriptor: Hash,
    /// Content and attachments.
    #[n(11)]
    pub parts: Vec<Part>,
    /// Hiding commitment to the plaintext; its salt is in the descriptor.
    #[n(12)]
    pub commitment: Hash,
    /// Present when it is left in the drop box.
    #[n(13)]
    pub drop_box: Option<DropBox>,
    /// When it was signed, ms since 1970.
    #[n(14)]
    pub at: u64,
}

impl Statement for Version {
    const LABEL: &'static str = "salus/v1/version";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}

/// Bytes that a version takes of `limits::BATCH_BYTES`.
pub fn batch_bytes(add: &VersionAdd) -> u64 {
    let parts = add.parts.iter().map(|part| match part {
        PartSource::Inline(bytes) => bytes.len(),
        PartSource::Upload(id) => id.as_bytes().len(),
    });
    let keys = match &add.placement {
        Placement::Filed(filing) => filing.wrap_descriptor.len() + filing.wrap_content.len(),
        Placement::DropBox { envelope, .. } => envelope.len(),
    };
    let signed = add.statement.statement.len() + add.statement.signature.len();
    (signed + add.descriptor.len() + keys + parts.sum::<usize>()) as u64
}

/// Bytes that an order to file takes of `limits::BATCH_BYTES`.
pub fn adoption_bytes(adopt: &Adopt) -> u64 {
    let signed = adopt.statement.statement.len() + adopt.statement.signature.len();
    let keys = adopt.filing.wrap_descriptor.len() + adopt.filing.wrap_content.len();
    (signed + keys) as u64
}

/// An owner's order to file a version: from the drop box, anew under the current epoch, or in another
/// compartment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Adoption {
    /// The vault canister.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub vault: Vec<u8>,
    /// Whose record.
    #[n(1)]
    pub owner: AccountId,
    /// The owner's key link that signs.
    #[n(2)]
    pub owner_link: Hash,
    /// Which record.
    #[n(3)]
    pub record: RecordId,
    /// Which version.
    #[n(4)]
    pub version: u32,
    /// Hash of the version's statement.
    #[n(5)]
    pub statement: Hash,
    /// Where it goes.
    #[n(6)]
    pub compartment: CompartmentId,
    /// Under which epoch.
    #[n(7)]
    pub epoch: u32,
    /// SHA-256 of the wrapped descriptor key.
    #[n(8)]
    pub wrap_descriptor: Hash,
    /// SHA-256 of the wrapped content key.
    #[n(9)]
    pub wrap_content: Hash,
    /// When it was signed, ms since 1970.
    #[n(10)]
    pub at: u64,
}

impl Statement for Adoption {
    const LABEL: &'static str = "salus/v1/adoption";
    fn vault(&self) -> &[u8] {
        &self.vault
    }
}
