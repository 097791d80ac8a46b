//! The descriptor: what a list shows about a version without opening its content.

use crate::commitment::{commit_plaintext, sha256};
use crate::context::{self, VersionScope};
use crate::error::{OpenError, SealError};
use crate::key::Key;
use crate::note::{open_padded, seal_padded};
use crate::pad;
use crate::wire;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_types::Hash;
use zeroize::Zeroizing;

/// Bytes of a sealed descriptor at most.
pub const SEALED_DESCRIPTOR_LIMIT: u64 = salus_types::limits::DESCRIPTOR_BYTES;
/// Bytes of an encoded descriptor at most: the longest whose padded and sealed form fits.
pub const DESCRIPTOR_LIMIT: u64 = 7_936 - pad::PREFIX_LEN as u64;

/// A coded meaning.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct Coding {
    /// The code system's URI.
    #[n(0)]
    pub system: String,
    /// The code.
    #[n(1)]
    pub code: String,
    /// What the code means, in words.
    #[n(2)]
    pub display: Option<String>,
}

/// One part of a version.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct DescriptorPart {
    /// Name, as of a file.
    #[n(0)]
    pub name: String,
    /// Media type (RFC 6838).
    #[n(1)]
    pub media_type: String,
    /// Bytes without padding.
    #[n(2)]
    pub len: u64,
}

/// What a list shows about a version.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct Descriptor {
    /// Title.
    #[n(0)]
    pub title: String,
    /// What kind of document or resource it is.
    #[n(1)]
    pub coding: Option<Coding>,
    /// The category its author suggests.
    #[n(2)]
    pub category: Option<String>,
    /// When it was true or done: a FHIR dateTime, as precise as it is known.
    #[n(3)]
    pub clinical_date: Option<String>,
    /// Parts, in order.
    #[n(4)]
    pub parts: Vec<DescriptorPart>,
    /// Opens the author's commitment to the plaintext.
    #[cbor(n(5), with = "wire::salt")]
    pub commitment_salt: [u8; 32],
    /// Where it came from, in words.
    #[n(6)]
    pub source: Option<String>,
}

impl Descriptor {
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(canonical::encode(self))
    }

    /// The author's commitment to this descriptor and to parts with these SHA-256 values.
    pub fn commit(&self, parts: &[Hash]) -> Hash {
        commit_plaintext(&self.commitment_salt, sha256(&self.encode()), parts)
    }

    /// Seals under the version's descriptor key.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] above [`DESCRIPTOR_LIMIT`]; [`SealError::Random`].
    pub fn seal(&self, key: &Key, at: &VersionScope<'_>) -> Result<Vec<u8>, SealError> {
        seal_padded(
            key,
            &context::descriptor(at),
            &self.encode(),
            DESCRIPTOR_LIMIT,
        )
    }

    /// Opens a descriptor.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(key: &Key, at: &VersionScope<'_>, sealed: &[u8]) -> Result<Self, OpenError> {
        let bytes = open_padded(key, &context::descriptor(at), sealed)?;
        canonical::decode(&bytes).map_err(|_| OpenError::Malformed)
    }
}
