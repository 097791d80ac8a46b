//! What a grant conveys to its grantee.

use crate::context::{self, VaultScope};
use crate::error::{OpenError, SealError};
use crate::hierarchy::{EpochKey, VersionKeys};
use crate::hpke::{self, PublicKey, SecretSeed};
use crate::key::Key;
use crate::pad;
use crate::wire;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, limits};
use zeroize::Zeroizing;

/// The contents of a grant's envelope.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct GrantContents {
    /// What the grant is for, in words.
    #[n(0)]
    pub purpose: String,
    /// Opens the grant's commitment to its purpose.
    #[cbor(n(1), with = "wire::salt")]
    pub purpose_salt: [u8; 32],
    /// What the owner wants to be called.
    #[n(2)]
    pub owner_name: Option<String>,
    /// Whole compartments.
    #[n(3)]
    pub compartments: Vec<GrantedCompartment>,
    /// Single versions of records.
    #[n(4)]
    pub records: Vec<GrantedRecord>,
}

/// A compartment, with the keys of the epochs that are granted.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct GrantedCompartment {
    /// Which.
    #[cbor(n(0), with = "wire::id")]
    pub compartment: CompartmentId,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Epochs, ascending.
    #[n(2)]
    pub epochs: Vec<GrantedEpoch>,
}

/// One epoch's key.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct GrantedEpoch {
    /// Which epoch.
    #[n(0)]
    pub epoch: u32,
    /// Its key.
    #[cbor(n(1), with = "wire::key")]
    pub key: Key,
}

/// One version of one record.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct GrantedRecord {
    /// Which record.
    #[cbor(n(0), with = "wire::id")]
    pub record: RecordId,
    /// Which version.
    #[n(1)]
    pub version: u32,
    /// Its descriptor key.
    #[cbor(n(2), with = "wire::key")]
    pub descriptor: Key,
    /// Its content key.
    #[cbor(n(3), with = "wire::key")]
    pub content: Key,
}

impl GrantedRecord {
    /// Both keys.
    pub fn keys(&self) -> VersionKeys {
        VersionKeys {
            descriptor: self.descriptor.clone(),
            content: self.content.clone(),
        }
    }
}

impl GrantedCompartment {
    /// The key of an epoch, if it was granted.
    pub fn epoch_key(&self, epoch: u32) -> Option<EpochKey> {
        self.epochs
            .iter()
            .find(|granted| granted.epoch == epoch)
            .map(|granted| EpochKey {
                compartment: self.compartment,
                epoch,
                key: granted.key.clone(),
            })
    }
}

impl GrantContents {
    /// Seals to the HPKE key that the link of the grantee's key chain names.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] above [`limits::GRANT_ENVELOPE_BYTES`]; [`SealError::Random`].
    pub fn seal(
        &self,
        public: &PublicKey,
        scope: VaultScope<'_>,
        grant: GrantId,
        revision: u32,
        grantee: AccountId,
        link: Hash,
    ) -> Result<Vec<u8>, SealError> {
        let context = context::grant_envelope(scope, grant, revision, grantee, link);
        super::seal_contents(
            public,
            &context,
            &self.encode(),
            limits::GRANT_ENVELOPE_BYTES,
        )
    }

    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(canonical::encode(self))
    }

    /// Opens a grant's envelope. The caller recomputes the kids and compares them with those the
    /// grant signs.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(
        seed: &SecretSeed,
        scope: VaultScope<'_>,
        grant: GrantId,
        revision: u32,
        grantee: AccountId,
        link: Hash,
        envelope: &[u8],
    ) -> Result<Self, OpenError> {
        let context = context::grant_envelope(scope, grant, revision, grantee, link);
        let padded = hpke::open_with(seed, &context, envelope)?;
        canonical::decode(pad::unpad(&padded)?).map_err(|_| OpenError::Malformed)
    }
}
