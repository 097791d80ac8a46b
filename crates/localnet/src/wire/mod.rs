//! What agents send and receive: CBOR values, request ids, envelopes and their authentication,
//! and the shapes of answers. Knows nothing of canisters' state or of execution.

pub(crate) mod auth;
pub(crate) mod cbor;
pub(crate) mod der;
pub(crate) mod envelope;
pub(crate) mod response;
pub(crate) mod value;
pub(crate) mod webauthn;
