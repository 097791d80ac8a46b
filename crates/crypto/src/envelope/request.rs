//! What a request tells the patient.

use crate::context::{self, VaultScope};
use crate::error::{OpenError, SealError};
use crate::hpke::{self, PublicKey, SecretSeed};
use crate::pad;
use crate::wire;
use minicbor::{Decode, Encode};
use salus_protocol::canonical;
use salus_types::{AccountId, CompartmentId, Hash, RecordId, RequestId, limits};
use zeroize::Zeroizing;

/// The contents of a request's envelope.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
#[cbor(map)]
pub struct RequestContents {
    /// What access is wanted for, in words.
    #[n(0)]
    pub purpose: String,
    /// Opens the request's commitment to its purpose.
    #[cbor(n(1), with = "wire::salt")]
    pub purpose_salt: [u8; 32],
    /// Who asks.
    #[n(2)]
    pub requester_name: String,
    /// In what capacity.
    #[n(3)]
    pub specialty: Option<String>,
    /// A message to the patient.
    #[n(4)]
    pub message: Option<String>,
    /// The patient's one-time code, if there was an invitation.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub invitation_code: Option<Vec<u8>>,
    /// What access is wished for.
    #[n(6)]
    pub wish: RequestWish,
    /// Rights wished for, as in a grant: `salus_protocol::grant::{READ, APPEND}`, or'ed.
    #[n(7)]
    pub rights: u8,
    /// For how long, in seconds from approval on.
    #[n(8)]
    pub duration_s: u64,
}

/// What a requester wishes access to. A stranger knows no ids, and so asks by category.
#[derive(Clone, Debug, Decode, Encode, PartialEq, Eq)]
pub enum RequestWish {
    /// All records.
    #[n(0)]
    Everything,
    /// Compartments of these categories, by their ids or names.
    #[n(1)]
    Categories(#[n(0)] Vec<String>),
    /// These compartments, known from an earlier grant.
    #[n(2)]
    Compartments(#[n(0)] Vec<CompartmentId>),
    /// These records, known from an earlier grant.
    #[n(3)]
    Records(#[n(0)] Vec<RecordId>),
}

impl RequestContents {
    /// Seals to the patient, whose account is the scope's.
    ///
    /// # Errors
    /// [`SealError::TooLarge`] above [`limits::ENVELOPE_BYTES`]; [`SealError::Random`].
    pub fn seal(
        &self,
        patient: &PublicKey,
        scope: VaultScope<'_>,
        request: RequestId,
        requester: AccountId,
        requester_genesis: Hash,
    ) -> Result<Vec<u8>, SealError> {
        let context = context::request_envelope(scope, request, requester, requester_genesis);
        super::seal_contents(patient, &context, &self.encode(), limits::ENVELOPE_BYTES)
    }

    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(canonical::encode(self))
    }

    /// Opens a request's envelope.
    ///
    /// # Errors
    /// [`OpenError`]
    pub fn open(
        seed: &SecretSeed,
        scope: VaultScope<'_>,
        request: RequestId,
        requester: AccountId,
        requester_genesis: Hash,
        envelope: &[u8],
    ) -> Result<Self, OpenError> {
        let context = context::request_envelope(scope, request, requester, requester_genesis);
        let padded = hpke::open_with(seed, &context, envelope)?;
        canonical::decode(pad::unpad(&padded)?).map_err(|_| OpenError::Malformed)
    }
}
