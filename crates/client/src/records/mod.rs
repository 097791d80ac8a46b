//! Records: writing them, listing them, opening them, and noticing when one is withheld. Must not
//! know FHIR, files of the system, or who may see what.

mod adopt;
mod feed;
mod journal;
mod list;
mod many;
mod open;
mod place;
mod read;
mod ready;
mod refile;
mod upload;

pub use journal::PendingUpload;
pub use many::{Arrived, NewRecord};
pub use open::OpenVersion;

use crate::error::Result;
use async_trait::async_trait;
use salus_crypto::record::{Coding, Descriptor};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId};
use std::rc::Rc;

/// A file could not be read or written, or is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(pub String);

/// Where a part's bytes come from. Read twice: to hash and to seal; and again when an upload is
/// resumed. Bytes that changed in between are noticed and refused.
#[async_trait(?Send)]
pub trait PartSource {
    /// Length in bytes.
    fn len(&self) -> u64;
    /// Whether there is nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Exactly `len` bytes from `offset`.
    async fn read(&self, offset: u64, len: usize) -> std::result::Result<Vec<u8>, SourceError>;
}

/// Bytes in memory.
#[derive(Clone, Debug)]
pub struct Bytes(pub Vec<u8>);

#[async_trait(?Send)]
impl PartSource for Bytes {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    async fn read(&self, offset: u64, len: usize) -> std::result::Result<Vec<u8>, SourceError> {
        usize::try_from(offset)
            .ok()
            .and_then(|from| self.0.get(from..from.checked_add(len)?))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| SourceError("read beyond the end".into()))
    }
}

/// What a version says about itself; sealed as its descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Title.
    pub title: String,
    /// What kind of document or resource it is.
    pub coding: Option<Coding>,
    /// The category its author suggests.
    pub category: Option<String>,
    /// A FHIR dateTime, as precise as it is known.
    pub clinical_date: Option<String>,
    /// Where it came from, in words.
    pub source: Option<String>,
}

/// A part before it is sealed.
#[derive(Clone)]
pub struct PartDraft {
    /// Name, as of a file.
    pub name: String,
    /// Media type (RFC 6838).
    pub media_type: String,
    /// Its bytes.
    pub source: Rc<dyn PartSource>,
}

impl PartDraft {
    /// A part that is in memory.
    pub fn of_bytes(
        name: impl Into<String>,
        media_type: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            name: name.into(),
            media_type: media_type.into(),
            source: Rc::new(Bytes(bytes.into())),
        }
    }
}

/// What was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which record.
    pub record: RecordId,
    /// Which version.
    pub version: u32,
    /// It waits in the owner's drop box.
    pub unfiled: bool,
}

/// How far a version's author is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorship {
    /// Written with this account's own keys.
    Own,
    /// The signature verifies under the author's key chain.
    Verified,
    /// The author's key chain is not this account's to see, or no longer has the key.
    Unknown,
}

/// Who wrote a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Whose account.
    pub account: AccountId,
    /// Their published name, if known.
    pub name: Option<String>,
    /// How far the signature is verified.
    pub authorship: Authorship,
}

/// A version in a list: its descriptor, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordItem {
    /// Whose record.
    pub owner: AccountId,
    /// Under which grant it was listed; absent for one's own.
    pub grant: Option<GrantId>,
    /// Which record.
    pub record: RecordId,
    /// Which version, from 1.
    pub version: u32,
    /// The newest version there is.
    pub latest: u32,
    /// Where it is filed; absent while it waits in the drop box.
    pub compartment: Option<CompartmentId>,
    /// The compartment its author suggests, if it waits in the drop box.
    pub suggested: Option<CompartmentId>,
    /// What it says about itself.
    pub descriptor: Descriptor,
    /// Who wrote it.
    pub author: Author,
    /// When the vault stored it, ms since 1970.
    pub at: u64,
    /// When its author signed it, ms since 1970.
    pub signed_at: u64,
    /// Hash of the author's statement.
    pub statement: Hash,
}

pub(crate) use feed::FeedView;
pub(crate) use read::{Authors, Shown, check_kids, check_view, item};
pub(crate) use refile::Survey;

/// Where a new version goes on from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    pub(crate) record: RecordId,
    pub(crate) version: u32,
    pub(crate) previous: Option<Hash>,
}

impl Base {
    pub(crate) fn fresh() -> Result<Self> {
        Ok(Self {
            record: RecordId(salus_crypto::random_id()?),
            version: 1,
            previous: None,
        })
    }

    pub(crate) fn after(item: &RecordItem) -> Self {
        Self {
            record: item.record,
            version: item.version.saturating_add(1),
            previous: Some(item.statement),
        }
    }
}
