//! Rows about records, their versions, feeds and uploads.

use crate::storage::key::Key;
use crate::storage::layout::Table;
use crate::storage::row::Row;
use minicbor::{Decode, Encode};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, UploadId};

/// Where a sealed part's pieces are.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct PartRow {
    /// Blob number in the owner's account.
    #[n(0)]
    pub blob: u64,
    /// Sealed size in bytes.
    #[n(1)]
    pub size: u64,
}

/// A version filed in a compartment.
#[derive(Clone, Debug, Encode, Decode)]
pub struct FiledPlace {
    /// Which compartment.
    #[n(0)]
    pub compartment: CompartmentId,
    /// Which epoch.
    #[n(1)]
    pub epoch: u32,
    /// The descriptor's key, sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub wrap_descriptor: Vec<u8>,
    /// The content's key, sealed.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub wrap_content: Vec<u8>,
    /// When its owner signed the order that put it there; absent where it was filed as it was
    /// written.
    #[n(4)]
    pub ordered: Option<u64>,
}

/// A version in the drop box.
#[derive(Clone, Debug, Encode, Decode)]
pub struct DropPlace {
    /// Under which grant it was left.
    #[n(0)]
    pub grant: GrantId,
    /// HPKE envelope to the owner.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
}

/// A version, wherever it lies.
#[derive(Clone, Debug, Encode, Decode)]
pub struct VersionBody {
    /// Which record.
    #[n(0)]
    pub record: RecordId,
    /// Which version.
    #[n(1)]
    pub version: u32,
    /// `Version`, as signed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub statement: Vec<u8>,
    /// Its signature.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
    /// Whose account the author is.
    #[n(4)]
    pub author: AccountId,
    /// Sealed descriptor.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub descriptor: Vec<u8>,
    /// Its parts.
    #[n(6)]
    pub parts: Vec<PartRow>,
    /// When the vault stored it.
    #[n(7)]
    pub at: u64,
    /// Hash of the statement.
    #[n(8)]
    pub hash: Hash,
    /// Present when it is, or was, filed.
    #[n(9)]
    pub filed: Option<FiledPlace>,
    /// Present while it is in the drop box.
    #[n(10)]
    pub dropped: Option<DropPlace>,
}

/// The newest filed version of a record, or a version in the drop box, in filing order.
#[derive(Clone, Debug, Encode, Decode)]
pub struct CurrentRow(#[n(0)] pub VersionBody);

impl Row for CurrentRow {
    const TABLE: Table = Table::Current;
}

impl CurrentRow {
    /// Key by filing sequence, which is the number of the feed entry.
    pub fn key(owner: u64, compartment: &CompartmentId, seq: u64) -> Key {
        Self::prefix(owner, compartment).u64(seq)
    }

    /// Prefix of a compartment.
    pub fn prefix(owner: u64, compartment: &CompartmentId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(compartment.as_bytes())
    }

    /// Filing sequence in a key.
    pub fn seq(key: &Key) -> Option<u64> {
        key.u64_at(1 + 8 + 16)
    }
}

/// Where a record's newest filed version is.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct VersionPlace {
    /// In which compartment.
    #[n(0)]
    pub compartment: CompartmentId,
    /// Filing sequence.
    #[n(1)]
    pub seq: u64,
    /// Which version.
    #[n(2)]
    pub version: u32,
}

/// A record.
#[derive(Clone, Debug, Encode, Decode)]
pub struct RecordRow {
    /// Newest version, filed or in the drop box.
    #[n(0)]
    pub latest: u32,
    /// Hash of its statement.
    #[n(1)]
    pub latest_hash: Hash,
    /// The newest filed version, if any is filed.
    #[n(2)]
    pub filed: Option<VersionPlace>,
}

impl Row for RecordRow {
    const TABLE: Table = Table::Records;
}

impl RecordRow {
    /// Key of a record.
    pub fn key(owner: u64, record: &RecordId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(record.as_bytes())
    }
}

/// A version that is not its record's newest filed one.
#[derive(Clone, Debug, Encode, Decode)]
pub enum VersionRow {
    /// In the drop box, under this filing sequence.
    #[n(0)]
    Dropped(#[n(0)] u64),
    /// Superseded.
    #[n(1)]
    Superseded(#[n(0)] Box<VersionBody>),
}

impl Row for VersionRow {
    const TABLE: Table = Table::Versions;
}

impl VersionRow {
    /// Key of a version.
    pub fn key(owner: u64, record: &RecordId, version: u32) -> Key {
        Self::prefix(owner, record).u32(version)
    }

    /// Prefix of a record's versions.
    pub fn prefix(owner: u64, record: &RecordId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(record.as_bytes())
    }
}

/// A feed entry.
#[derive(Clone, Debug, Encode, Decode)]
pub struct FeedRow(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl Row for FeedRow {
    const TABLE: Table = Table::Feeds;
}

impl FeedRow {
    /// Key of an entry.
    pub fn key(owner: u64, compartment: &CompartmentId, seq: u64) -> Key {
        Self::prefix(owner, compartment).u64(seq)
    }

    /// Prefix of a feed.
    pub fn prefix(owner: u64, compartment: &CompartmentId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(owner)
            .bytes(compartment.as_bytes())
    }
}

/// An upload under way.
#[derive(Clone, Debug, Encode, Decode)]
pub struct UploadRow {
    /// In whose account the part will lie.
    #[n(0)]
    pub owner: u64,
    /// The grant under which someone else appends.
    #[n(1)]
    pub grant: Option<GrantId>,
    /// Size in bytes.
    #[n(2)]
    pub size: u64,
    /// Blob number in the owner's account.
    #[n(3)]
    pub blob: u64,
    /// When it is dropped.
    #[n(4)]
    pub expires: u64,
}

impl Row for UploadRow {
    const TABLE: Table = Table::Uploads;
}

impl UploadRow {
    /// Key of an upload.
    pub fn key(uploader: u64, upload: &UploadId) -> Key {
        Key::new(Self::TABLE.tag())
            .u64(uploader)
            .bytes(upload.as_bytes())
    }
}

/// Which uploads to drop, and when.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct UploadExpiryRow;

impl Row for UploadExpiryRow {
    const TABLE: Table = Table::UploadExpiry;
}

impl UploadExpiryRow {
    /// Key: when, whose, which.
    pub fn key(expires: u64, uploader: u64, upload: &UploadId) -> Key {
        Self::prefix()
            .u64(expires)
            .u64(uploader)
            .bytes(upload.as_bytes())
    }

    /// Prefix of all.
    pub fn prefix() -> Key {
        Key::new(Self::TABLE.tag())
    }

    /// When, whose, which.
    pub fn parse(key: &Key) -> Option<(u64, u64, UploadId)> {
        Some((key.u64_at(1)?, key.u64_at(9)?, UploadId(key.field(17)?)))
    }
}

/// A blob whose pieces are still to be freed.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub struct DiscardedRow;

impl Row for DiscardedRow {
    const TABLE: Table = Table::Discarded;
}

impl DiscardedRow {
    /// Key: whose, which.
    pub fn key(owner: u64, blob: u64) -> Key {
        Self::prefix().u64(owner).u64(blob)
    }

    /// Prefix of all.
    pub fn prefix() -> Key {
        Key::new(Self::TABLE.tag())
    }

    /// Whose, which.
    pub fn parse(key: &Key) -> Option<(u64, u64)> {
        Some((key.u64_at(1)?, key.u64_at(9)?))
    }
}
