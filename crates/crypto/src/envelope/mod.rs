//! What travels inside the envelopes of grants and requests. Canonical CBOR, padded, sealed to one
//! HPKE key. Must not know the statements that sign the envelopes' hashes.

mod grant;
mod request;

pub use grant::{GrantContents, GrantedCompartment, GrantedEpoch, GrantedRecord};
pub use request::{RequestContents, RequestWish};
