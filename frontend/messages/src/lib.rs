//! What the page and the worker say to each other: typed intents, replies and events.
//!
//! Owns the shapes of these messages and their bytes. Must not know a key, a canister,
//! a DOM node or a FHIR resource: it carries view models only, and depends on nothing
//! of the workspace. The one secret that passes here is a recovery phrase on its way to
//! or from the person who reads it, wrapped in [`Secret`].
//!
//! # Bytes and files
//!
//! One message is one `postMessage({ bytes, files })`. `bytes` is a `Uint8Array` whose
//! buffer is transferred and which holds a [`Request`] (page to worker) or a [`Message`]
//! (worker to page) in postcard. `files` is an array of `File` or `Blob` objects that a
//! [`FileRef`] points into by index. So the contents of files never pass through the
//! page's memory nor through postcard: the worker reads `blob.slice(a, b)` as it seals,
//! and answers a download with a `Blob` that the page only offers to save. With the intents
//! about passkeys goes a `CryptoKey` in the same place: what a passkey answered, which
//! neither page nor worker can read.
//!
//! # The worker's two exports (JavaScript names as written)
//!
//! ```text
//! start(config_json: &str, post: js_sys::Function)
//! receive(bytes: js_sys::Uint8Array, files: js_sys::Array)
//! ```
//!
//! `static/worker.js` of the ui sets `onmessage` at once and keeps what arrives, loads
//! the Wasm and `/config.json`, calls `start` with the text of that file and a function
//! `post(bytes: Uint8Array, files: Array)` that answers the page, then calls `receive`
//! for every message in order. If loading fails it tells the page so by
//! `postMessage({ failed: text })`.
//!
//! # Conversation
//!
//! Every [`Request`] carries an id chosen by the page, unique while the page lives, and
//! gets exactly one [`Message::Reply`] with that id, in any order. The id also names the
//! operation in [`Event::Progress`] and [`Intent::Cancel`]. The page's first request is
//! [`Intent::Hello`]. Which [`Reply`] answers which [`Intent`] is stated at the intent.
//!
//! Variants and fields are only ever appended: page and worker come from one build, but
//! a browser may hold an old one of either for a moment; [`VERSION`] tells.
//!
//! # Units
//!
//! Times are milliseconds since 1970-01-01 UTC ([`Millis`]), sizes bytes, durations
//! whole days. Clinical dates are FHIR dates as text, possibly partial (`2019`,
//! `2019-04`). Ids are opaque text made by the worker, safe in a URL fragment.

mod activity;
mod failure;
mod ids;
mod intent;
mod pairing;
mod records;
mod reply;
mod security;
mod session;
mod sharing;

pub use activity::{
    Actor, AuditEntry, AuditKind, Defect, Notification, NotificationKind, Verification,
};
pub use failure::{Contradiction, Failure, FailureKind, Remembered};
pub use ids::{
    AccountId, CompartmentId, Cursor, GrantId, Millis, Page, RecordId, RequestId, Secret, SlotId,
};
pub use intent::{Intent, Request};
pub use pairing::{PairingCode, PairingWords};
pub use records::{
    Attachment, Author, Category, Compartment, Draft, FileRef, Flag, ImportLine, ImportSummary,
    Inspection, NewCompartment, RecordAddress, RecordKind, RecordSummary, RecordView, Row, Section,
    SectionBody, VersionSummary,
};
pub use reply::{Event, Message, Reply, Stage, Topic};
pub use security::{ProposedPassphrase, RecoverySheet, Renewed, SecurityView, SignInView};
pub use session::{
    AccountView, DelegationChain, Environment, IDLE_MINUTES, PasskeyRequest, PasskeyWanted, Proof,
    ProviderProfile, SessionState, SignedDelegation, SlotKind, SlotView, only_words,
    stays_unlocked,
};
pub use sharing::{
    AccessRequest, Attestation, GrantStatus, GrantView, Invitation, KeyChange, LinkView,
    PatientView, Person, Qr, RequestStatus, Rights, SafetyView, Scope, Terms, Trust, Wish,
};

use serde::{Serialize, de::DeserializeOwned};

/// Raised whenever a message changes shape; compared at [`Intent::Hello`].
pub const VERSION: u16 = 2;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The value could not be written (only if memory ran out).
    #[error("a message could not be encoded")]
    Unwritable,
    /// The bytes are not one whole message of this version.
    #[error("bytes are not a message of this version")]
    Unreadable,
}

/// The bytes of a [`Request`] or [`Message`].
///
/// # Errors
/// [`Malformed::Unwritable`] when postcard cannot write it.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, Malformed> {
    postcard::to_allocvec(message).map_err(|_| Malformed::Unwritable)
}

/// The [`Request`] or [`Message`] in `bytes`; nothing may be left over.
///
/// # Errors
/// [`Malformed::Unreadable`] when `bytes` is anything else.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        _ => Err(Malformed::Unreadable),
    }
}

#[cfg(test)]
mod tests;
