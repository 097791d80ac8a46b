//! What crosses the wire: ids, Candid types and the one error type of the vault's interface.
//!
//! Owns the shapes that `candid/vault.did` describes. Must not know: cryptography, storage, how
//! statements are encoded or verified, or any platform API.

pub mod api;
pub mod error;
pub mod ids;
pub mod limits;

pub use error::{Error, Result};
pub use ids::{
    AccountId, CompartmentId, GrantId, Hash, InvitationId, RecordId, RequestId, SlotId, UploadId,
};
