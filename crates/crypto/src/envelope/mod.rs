//! What travels inside the envelopes of grants and requests. Canonical CBOR, padded, sealed to one
//! HPKE key. Must not know the statements that sign the envelopes' hashes.

mod grant;
mod request;

pub use grant::{GrantContents, GrantedCompartment, GrantedEpoch, GrantedRecord};
pub use request::{RequestContents, RequestWish};

use crate::context::Context;
use crate::error::SealError;
use crate::hpke::{self, PublicKey};
use crate::pad;

/// Pads and seals contents whose envelope may have `limit` bytes.
fn seal_contents(
    public: &PublicKey,
    context: &Context,
    contents: &[u8],
    limit: u64,
) -> Result<Vec<u8>, SealError> {
    let size = pad::padded_len(contents.len() as u64).saturating_add(hpke::OVERHEAD as u64);
    if size > limit {
        return Err(SealError::TooLarge { size, limit });
    }
    hpke::seal_to(public, context, &pad::pad(contents))
}
