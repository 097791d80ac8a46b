//! Typed calls over a [`Transport`] and the flows that make Salus end-to-end: accounts and their
//! keys, records, sharing, the directory, the inbox and verification.
//!
//! Owns the client's side of every protocol and what it remembers between runs. Must not know a
//! user interface, a runtime (no clock, no timers, no threads: [`Environment`] tells the time) or,
//! outside [`agent`], how bytes reach the vault. Nothing here is `Send`: one task after another, as
//! in a browser's worker; natively under a current-thread runtime or `block_on`.
//!
//! ```text
//! Client ── create_account / unlock_… ──▶ Unlocked ── records, sharing, directory, audit, inbox
//! ```

#[cfg(feature = "agent")]
pub mod agent;
pub mod audit;
mod call;
pub mod certificate;
mod client;
mod contacts;
mod directory;
mod error;
pub mod evidence;
mod export;
mod heads;
mod inbox;
mod keys;
mod ledger;
pub mod memory;
mod pairing;
mod people;
mod records;
mod refusal;
mod remembered;
mod rotation;
mod session;
mod sharing;
mod surroundings;
mod transport;
mod trust;

pub use client::Client;
pub use contacts::Comparison;
pub use error::{Chain, ClientError, IntegrityError, Result};
pub use export::Exported;
pub use inbox::Inbox;
pub use memory::{Memory, MemoryError};
pub use pairing::{Approving, Joining, PairingError, Words};
pub use people::{Contact, KeyChange, Trust, safety_code_text, safety_number};
pub use records::{
    Arrived, Author, Authorship, Bytes, Draft, NewRecord, OpenVersion, PartDraft, PartSource,
    PendingUpload, RecordItem, SourceError, Stored,
};
pub use refusal::{KeptRefusal, Refusal, Verdict};
pub use rotation::Rotated;
pub use session::{
    Added, Compartment, Kept, Label, NewAccount, NewSlot, Offered, OfferedSlot, Profile, Recovery,
    SlotInfo, Unlocked, browser_slot_message, passkey_slot_message, passphrase_device_message,
};
pub use sharing::{
    Ask, Followed, GivenGrant, GrantPhase, IncomingRequest, Link, LinkError, OutgoingRequest,
    ReceivedGrant, Revoked, Terms,
};
#[cfg(not(target_family = "wasm"))]
pub use surroundings::SystemClock;
pub use surroundings::{Environment, Progress, Quiet, Stage};
pub use transport::{CertifiedData, Transport, TransportError};

pub use candid::Principal;
pub use salus_crypto::envelope::RequestWish as Wish;
pub use salus_crypto::passphrase::{
    DeviceKey, DeviceSecret, Passphrase, PassphraseError, SecondSecret,
};
pub use salus_crypto::phrase::{PhraseError, RecoveryPhrase};
pub use salus_crypto::record::{Coding, Descriptor, DescriptorPart};
pub use salus_crypto::sheet::{SheetKey, SheetKeyError};
pub use salus_crypto::slot::SlotSecret;
pub use salus_crypto::{random_id, random_salt};
pub use salus_protocol::grant::{APPEND, READ, Scope, VersionRef};
pub use salus_protocol::ledger::{
    ParametersError, PasskeyParameters, PassphraseParameters, SecondSecretKind, SlotKind,
    SlotParameters,
};
pub use salus_protocol::pairing::{NotACode, PairingCode};
pub use salus_protocol::safety::{CodeError, is_number as is_safety_number};
pub use salus_types::api::{
    AccountInfo, Head, InboxItem, Notice, RequestStatus, Usage, VaultStatus,
};
pub use salus_types::{
    AccountId, CompartmentId, Error as VaultError, GrantId, Hash, InvitationId, RecordId,
    RequestId, SlotId, UploadId,
};
