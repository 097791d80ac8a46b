//! The arguments and answers of every vault method, as Candid has them.
//!
//! Statements travel as the exact bytes that were signed; their content is `salus-protocol`'s. Times
//! are milliseconds since 1970 (UTC). `Option<u64>` cursors are opaque: give back what `next` held.
//! Which methods are updates and which queries stands in `candid/vault.did`.

use crate::ids::{
    AccountId, CompartmentId, GrantId, Hash, InvitationId, RecordId, RequestId, SlotId, UploadId,
};
use candid::{CandidType, Principal};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

macro_rules! wire {
    ($($(#[$doc:meta])* pub $kind:ident $name:ident $body:tt)*) => {
        $($(#[$doc])*
        #[derive(CandidType, Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
        pub $kind $name $body)*
    };
}

mod pairing;

pub use pairing::{
    PairingAnswer, PairingAnswered, PairingFinish, PairingOffer, PairingReveal, PairingView,
};

wire! {
/// Arguments of installation and upgrade. Absent fields keep what is configured.
pub struct InitArgs {
    /// Who may open an account.
    pub sign_up: Option<SignUp>,
    /// Storage of each account, in bytes.
    pub account_quota: Option<u64>,
}

/// Who may open an account.
pub enum SignUp {
    /// Everyone who signed in.
    Open,
    /// Nobody new.
    Closed,
}

/// A statement and the Ed25519 signature over its label and bytes.
pub struct Signed {
    /// Canonical CBOR.
    pub statement: ByteBuf,
    /// 64 bytes.
    pub signature: ByteBuf,
}

/// A link of a key chain with both its signatures.
pub struct SignedLink {
    /// `KeyLink`, canonical CBOR.
    pub statement: ByteBuf,
    /// By the key that authorises: the predecessor's, or the recovery key (64 bytes).
    pub signature: ByteBuf,
    /// By the link's own new signing key, to show possession (64 bytes).
    pub possession: ByteBuf,
}

/// How far a chain has grown.
pub struct Head {
    /// Entries so far.
    pub count: u64,
    /// Hash of the last, all zero when there is none.
    pub hash: Hash,
}

/// The feed of one compartment and how far it has grown.
pub struct FeedHead {
    /// Which; [`CompartmentId::DROP_BOX`] is the drop box.
    pub compartment: CompartmentId,
    /// How far.
    pub head: Head,
}

/// What an account takes.
pub struct Usage {
    /// Bytes of sealed content and descriptors, unfinished uploads included.
    pub bytes: u64,
    /// Bytes allowed.
    pub quota: u64,
    /// Records.
    pub records: u64,
}

/// One's own account.
pub struct AccountInfo {
    /// Which.
    pub account: AccountId,
    /// Its dense number: its place in the certified tree.
    pub number: u64,
    /// Who may call for it.
    pub principals: Vec<Principal>,
    /// Its key chain, genesis first.
    pub chain: Vec<SignedLink>,
    /// Its owner ledger.
    pub ledger: Head,
    /// Its audit chain.
    pub audit: Head,
    /// Its feeds.
    pub feeds: Vec<FeedHead>,
    /// Its sealed profile note.
    pub profile: ByteBuf,
    /// Notifications so far.
    pub inbox: u64,
    /// What it takes.
    pub usage: Usage,
    /// When its slots were last used, as far as clients noted it.
    pub slots: Vec<SlotUse>,
}

/// When a slot was last used to unlock.
pub struct SlotUse {
    /// Which slot.
    pub slot: SlotId,
    /// When, within an hour.
    pub at: u64,
}

/// Opens an account, all at once or not at all.
pub struct AccountCreate {
    /// The genesis link.
    pub genesis: SignedLink,
    /// Ledger operation 0.
    pub ledger: Signed,
    /// A note sealed for its owner: private display name and preferences.
    pub profile: ByteBuf,
}

/// A grant with what belongs to it.
pub struct GrantPayload {
    /// `Grant`.
    pub statement: Signed,
    /// HPKE envelope to the grantee.
    pub envelope: ByteBuf,
    /// Note sealed for the owner: purpose and whom it is for.
    pub note: ByteBuf,
}

/// A ledger operation and the grants it issues or re-issues, in its order.
pub struct LedgerAppend {
    /// `LedgerOp`.
    pub op: Signed,
    /// One for each grant entry of the operation.
    pub grants: Vec<GrantPayload>,
}

/// Ledger operations from a number on.
pub struct LedgerPage {
    /// `LedgerOp` each, in order.
    pub ops: Vec<Signed>,
    /// How far the ledger has grown.
    pub head: Head,
}

/// Rotates the identity keys: a link and the ledger operation that goes with it.
pub struct KeyRotate {
    /// The next link, or a recovery link that overrides.
    pub link: SignedLink,
    /// `LedgerOp` with a `Rotate` change, signed by the new key.
    pub op: Signed,
}

/// Begins an upload, or asks how far it got.
pub struct UploadBegin {
    /// Its id.
    pub upload: UploadId,
    /// In whose account the part will lie.
    pub owner: AccountId,
    /// The grant under which someone else appends.
    pub grant: Option<GrantId>,
    /// Size in bytes of the sealed part.
    pub size: u64,
}

/// One piece of an upload.
pub struct UploadPiece {
    /// Which upload.
    pub upload: UploadId,
    /// Which piece, from 0.
    pub index: u32,
    /// [`crate::limits::PIECE_BYTES`] bytes; the last piece what remains.
    pub bytes: ByteBuf,
}

/// How far an upload got.
pub struct UploadStatus {
    /// Size in bytes of the sealed part.
    pub size: u64,
    /// Pieces that arrived, ascending.
    pub received: Vec<u32>,
    /// When it is dropped unless it is used.
    pub expires: u64,
}

/// Where a part's bytes come from.
pub enum PartSource {
    /// Given here.
    Inline(ByteBuf),
    /// Uploaded before.
    Upload(UploadId),
}

/// A version's keys wrapped under a compartment's epoch.
pub struct Filing {
    /// Which compartment.
    pub compartment: CompartmentId,
    /// Which epoch; only the current one is accepted.
    pub epoch: u32,
    /// The descriptor's key, sealed.
    pub wrap_descriptor: ByteBuf,
    /// The content's key, sealed.
    pub wrap_content: ByteBuf,
}

/// How a new version is filed.
pub enum Placement {
    /// By the owner, into a compartment.
    Filed(Filing),
    /// By someone else, into the drop box, under a grant to append. The envelope holds the keys,
    /// sealed to the owner.
    DropBox {
        /// Under which grant.
        grant: GrantId,
        /// HPKE envelope to the owner.
        envelope: ByteBuf,
    },
}

/// Adds version 1 of a record, or its next version.
pub struct VersionAdd {
    /// `Version`, signed by its author.
    pub statement: Signed,
    /// Sealed descriptor.
    pub descriptor: ByteBuf,
    /// Content and attachments, in the statement's order.
    pub parts: Vec<PartSource>,
    /// Where.
    pub placement: Placement,
}

/// What was stored.
pub struct VersionReceipt {
    /// Which record.
    pub record: RecordId,
    /// Which version.
    pub version: u32,
    /// The feed it was entered in.
    pub feed: FeedHead,
}

/// Files a version: from the drop box, anew under the current epoch, or in another compartment.
pub struct Adopt {
    /// `Adoption`, signed by the owner.
    pub statement: Signed,
    /// Where, and the keys wrapped for it.
    pub filing: Filing,
}

/// Where a stored version lies.
pub enum Filed {
    /// In a compartment, with the keys it was released with. A key that is not part of the release
    /// is empty.
    Compartment(Filing),
    /// In the drop box; the envelope is empty for anyone but the owner.
    DropBox {
        /// Under which grant it was left.
        grant: GrantId,
        /// HPKE envelope to the owner.
        envelope: ByteBuf,
    },
}

/// A stored version as its reader gets it.
pub struct VersionView {
    /// Which record.
    pub record: RecordId,
    /// Which version, from 1.
    pub version: u32,
    /// The newest version of the record.
    pub latest: u32,
    /// `Version`, signed by its author.
    pub statement: Signed,
    /// Whose account the author is.
    pub author: AccountId,
    /// Sealed descriptor.
    pub descriptor: ByteBuf,
    /// Keys.
    pub filed: Filed,
    /// When the vault stored it.
    pub at: u64,
}

/// Asks for a page of records.
pub struct RecordList {
    /// Of which compartment; [`CompartmentId::DROP_BOX`] lists what waits to be filed.
    pub compartment: CompartmentId,
    /// Where to go on.
    pub cursor: Option<u64>,
    /// Items wanted at most.
    pub limit: Option<u32>,
}

/// A page of records, newest version of each, in the order they were filed.
pub struct RecordPage {
    /// The records.
    pub items: Vec<VersionView>,
    /// Where to go on, if there is more.
    pub next: Option<u64>,
}

/// Names versions of a record of one's own.
pub struct RecordGet {
    /// Which record.
    pub record: RecordId,
    /// Which version; all of them when absent.
    pub version: Option<u32>,
}

/// Names one piece of a part.
pub struct PieceRead {
    /// Whose record.
    pub owner: AccountId,
    /// The grant under which someone else reads.
    pub grant: Option<GrantId>,
    /// Which record.
    pub record: RecordId,
    /// Which version.
    pub version: u32,
    /// Which part, from 0.
    pub part: u32,
    /// Which piece, from 0.
    pub index: u32,
}

/// Asks for feed entries.
pub struct FeedGet {
    /// Whose feed.
    pub owner: AccountId,
    /// The grant under which someone else reads.
    pub grant: Option<GrantId>,
    /// Which compartment.
    pub compartment: CompartmentId,
    /// First entry wanted, from 0.
    pub from: u64,
}

/// Feed entries in order.
pub struct FeedPage {
    /// `FeedEntry` each, canonical CBOR.
    pub entries: Vec<ByteBuf>,
    /// How far the feed has grown.
    pub head: Head,
}

/// Opens an invitation.
pub struct InvitationOpen {
    /// A principal of the patient.
    pub patient: Principal,
    /// The one-time code.
    pub code: ByteBuf,
}

/// What another account shows to whom it may concern.
pub struct Counterparty {
    /// Which account.
    pub account: AccountId,
    /// Its dense number.
    pub number: u64,
    /// Its key chain, genesis first.
    pub chain: Vec<SignedLink>,
    /// Its entry in the directory, if it is a provider's: `DirectoryEntry`.
    pub directory: Option<Signed>,
}

/// Asks a patient for access.
pub struct RequestSend {
    /// `Request`, signed by the requester.
    pub statement: Signed,
    /// HPKE envelope to the patient.
    pub envelope: ByteBuf,
    /// The invitation's one-time code; not needed where a grant is live between the two.
    pub code: Option<ByteBuf>,
}

/// How a request stands.
pub enum RequestStatus {
    /// Waits for a decision.
    Pending,
    /// Approved by this grant.
    Approved(GrantId),
    /// Denied.
    Denied,
}

/// A request as either side sees it.
pub struct RequestView {
    /// Which.
    pub request: RequestId,
    /// `Request`.
    pub statement: Signed,
    /// HPKE envelope to the patient; empty for the requester.
    pub envelope: ByteBuf,
    /// The other side: the requester for the patient, the patient for the requester.
    pub counterparty: Counterparty,
    /// How it stands.
    pub status: RequestStatus,
    /// When the vault got it.
    pub at: u64,
}

/// A page of requests.
pub struct RequestPage {
    /// Newest first.
    pub items: Vec<RequestView>,
    /// Where to go on, if there is more.
    pub next: Option<u64>,
}

/// How a grant stands. Expiry follows from the statement.
pub enum GrantStatus {
    /// In force until it expires.
    Live,
    /// Revoked at that time.
    Revoked(u64),
}

/// A grant as either side sees it.
pub struct GrantView {
    /// Which.
    pub grant: GrantId,
    /// `Grant`, its newest revision.
    pub statement: Signed,
    /// HPKE envelope; empty for the owner, and once the grant is over.
    pub envelope: ByteBuf,
    /// The owner's note; empty for the grantee.
    pub note: ByteBuf,
    /// The other side.
    pub counterparty: Counterparty,
    /// How it stands.
    pub status: GrantStatus,
}

/// A page of grants.
pub struct GrantPage {
    /// Newest first.
    pub items: Vec<GrantView>,
    /// Where to go on, if there is more.
    pub next: Option<u64>,
}

/// Asks for the descriptors a grant covers. Recorded in the audit trail before it is answered.
pub struct ReleaseList {
    /// Whose records.
    pub owner: AccountId,
    /// Under which grant.
    pub grant: GrantId,
    /// Of which compartment. For a grant over single records: absent.
    pub compartment: Option<CompartmentId>,
    /// Where to go on.
    pub cursor: Option<u64>,
    /// Items wanted at most.
    pub limit: Option<u32>,
}

/// Asks for the keys of named versions. Recorded in the audit trail before it is answered.
pub struct ReleaseOpen {
    /// Whose records.
    pub owner: AccountId,
    /// Under which grant.
    pub grant: GrantId,
    /// Which, at most [`crate::limits::RELEASE_RECORDS`].
    pub records: Vec<RecordGet>,
}

/// Asks for audit entries.
pub struct AuditGet {
    /// Whose audit chain.
    pub owner: AccountId,
    /// First entry wanted, from 0.
    pub from: u64,
}

/// An audit entry as its reader gets it.
pub enum AuditItem {
    /// In full: `AuditEntry`, canonical CBOR.
    Entry(ByteBuf),
    /// Concerns others: the SHA-256 of the entry, with which the chain still verifies.
    Hidden(Hash),
}

/// Whom a pseudonym of the audit chain stands for.
pub struct Pseudonym {
    /// As it stands in the entries.
    pub pseudonym: Hash,
    /// Whom it stands for.
    pub account: AccountId,
    /// With which it was made (32 bytes).
    pub salt: ByteBuf,
}

/// Audit entries in order.
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditItem>,
    /// Whom the pseudonyms among them stand for.
    pub names: Vec<Pseudonym>,
    /// How far the chain has grown.
    pub head: Head,
}

/// The certified heads of an account.
pub struct CertifiedHeads {
    /// Its dense number.
    pub number: u64,
    /// The IC's certificate over the vault's certified data.
    pub certificate: ByteBuf,
    /// Hash tree from the certified data down to the account's leaves, CBOR.
    pub witness: ByteBuf,
}

/// What happened, for someone to look at.
pub enum Notice {
    /// Someone asks for access.
    RequestReceived(RequestId),
    /// A request was approved.
    RequestApproved(GrantId),
    /// A request was denied.
    RequestDenied(RequestId),
    /// Access was given.
    GrantReceived(GrantId),
    /// Access was taken back.
    GrantRevoked(GrantId),
    /// Someone wrote something into the drop box.
    VersionReceived(RecordId),
}

/// A numbered notification.
pub struct InboxItem {
    /// From 0.
    pub seq: u64,
    /// When.
    pub at: u64,
    /// What.
    pub notice: Notice,
    /// Whom it came from.
    pub from: AccountId,
}

/// Notifications in order.
pub struct InboxPage {
    /// The notifications.
    pub items: Vec<InboxItem>,
    /// Notifications so far.
    pub count: u64,
}

/// A page of the directory.
pub struct DirectoryPage {
    /// Providers, in the order they registered.
    pub items: Vec<DirectoryItem>,
    /// Where to go on, if there is more.
    pub next: Option<u64>,
}

/// A provider in the directory.
pub struct DirectoryItem {
    /// A principal of the provider.
    pub principal: Principal,
    /// The rest.
    pub counterparty: Counterparty,
}

/// An invitation that was made.
pub struct InvitationReceipt {
    /// Which.
    pub invitation: InvitationId,
    /// Until when it may be used.
    pub expires: u64,
}

/// What anyone may know of the vault.
pub struct VaultStatus {
    /// Version of the code.
    pub version: String,
    /// Version of the stored data.
    pub schema: u32,
    /// Accounts.
    pub accounts: u64,
    /// Stable memory, in bytes.
    pub stable_bytes: u64,
    /// Who may open an account.
    pub sign_up: SignUp,
}
}
