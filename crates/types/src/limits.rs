//! The vault's limits, each named once. Sizes in bytes, times in milliseconds.

/// One piece of an upload: what a message of 2 MiB carries with room to spare, and the largest
/// extent the vault allocates.
pub const PIECE_BYTES: u64 = 1 << 20;
/// Versions added by one `versions_add`, or filed by one `versions_adopt`. To add one of 4 KiB costs
/// about four million instructions of the 40,000 million that a message has.
pub const BATCH_VERSIONS: u64 = 100;
/// All bytes of one `versions_add` or `versions_adopt`: statements, descriptors, keys and the parts given inside it.
pub const BATCH_BYTES: u64 = 1 << 20;
/// Parts of one version given inside `versions_add` instead of by upload. The rest of
/// [`BATCH_BYTES`] holds whatever else a version has, so that every version fits into some call.
pub const INLINE_BYTES: u64 = BATCH_BYTES - (64 << 10);
/// One part of a version, sealed: an attachment of 256 MiB and what sealing adds.
pub const PART_BYTES: u64 = (256 << 20) + (1 << 20);
/// Parts of one version.
pub const PARTS: u64 = 32;
/// A sealed descriptor.
pub const DESCRIPTOR_BYTES: u64 = 8 << 10;
/// A statement of any kind but a ledger operation.
pub const STATEMENT_BYTES: u64 = 16 << 10;
/// A ledger operation.
pub const LEDGER_OP_BYTES: u64 = 512 << 10;
/// A sealed identity bundle, so that there is room in an operation for whatever else a new account master
/// key needs. Some thousands of keys.
pub const BUNDLE_BYTES: u64 = 256 << 10;
/// An HPKE envelope of a grant.
pub const GRANT_ENVELOPE_BYTES: u64 = 256 << 10;
/// An HPKE envelope of a request or of a drop-box version.
pub const ENVELOPE_BYTES: u64 = 16 << 10;
/// A sealed note for its owner alone: profile, grant note, compartment name.
pub const NOTE_BYTES: u64 = 4 << 10;
/// Compartments of an account.
pub const COMPARTMENTS: u64 = 64;
/// Slots of an account.
pub const SLOTS: u64 = 16;
/// Memory in KiB with which a passphrase may be stretched, least and most: 64 MiB, below which it
/// could be guessed, to 1 GiB, above which a browser cannot follow.
pub const PASSPHRASE_MEMORY_KIB: (u32, u32) = (64 << 10, 1 << 20);
/// Passes over that memory, least and most.
pub const PASSPHRASE_PASSES: (u32, u32) = (3, 16);
/// How long a slot's use is not noted again: an hour.
pub const SLOT_USE_MS: u64 = 3_600_000;
/// A passkey's credential id (WebAuthn Level 3, section 4).
pub const CREDENTIAL_BYTES: u64 = 1023;
/// Principals of an account.
pub const PRINCIPALS: u64 = 8;
/// The same where one more joins by the recovery phrase: whoever stole the identity key could otherwise
/// fill all places and keep the owner out.
pub const RECOVERED_PRINCIPALS: u64 = 2 * PRINCIPALS;
/// How long an account is held for whoever takes it back with the recovery phrase, since they last said so:
/// 10 minutes, enough to read a long ledger and to decide what stays.
pub const TAKING_BACK_MS: u64 = 10 * 60_000;
/// Grants of an account that are neither revoked nor replaced.
pub const LIVE_GRANTS: u64 = 256;
/// Accounts whose keys one owner recorded as compared or accepted: more people than anyone meets, and
/// little enough to keep in memory.
pub const PINS: u64 = 1024;
/// Requests that wait for one patient's decision.
pub const PENDING_REQUESTS: u64 = 64;
/// Invitations of one patient that are still open.
pub const OPEN_INVITATIONS: u64 = 32;
/// Unfinished uploads of one account.
pub const OPEN_UPLOADS: u64 = 64;
/// Records released by one `release_open`.
pub const RELEASE_RECORDS: u64 = 100;
/// A page of any list: its replies stay well below the 2 MiB of an update's reply.
pub const PAGE_BYTES: u64 = 1 << 20;
/// Items of a page at most.
pub const PAGE_ITEMS: u64 = 1000;
/// A provider's published name or specialty, in bytes of UTF-8.
pub const PUBLISHED_NAME_BYTES: u64 = 200;
/// How long an unfinished upload is kept: 24 h.
pub const UPLOAD_LIFE_MS: u64 = 24 * 3_600_000;
/// How long a pairing may take: 10 minutes, enough to walk to another room.
pub const PAIRING_LIFE_MS: u64 = 10 * 60_000;
/// Pairings that one caller may have begun at a time.
pub const PAIRINGS_BEGUN: u64 = 3;
/// Pairings that the vault keeps at a time, of about 2 KiB each.
pub const PAIRINGS: u64 = 10_000;
/// How long an invitation may live: 30 days.
pub const INVITATION_LIFE_MS: u64 = 30 * 86_400_000;
/// How long a grant may live: ten years.
pub const GRANT_LIFE_MS: u64 = 3_653 * 86_400_000;
/// How far a statement's own time may lie from the vault's: 5 minutes, as the IC allows for ingress.
pub const CLOCK_SKEW_MS: u64 = 5 * 60_000;
/// Ledger operations between two checkpoints.
pub const CHECKPOINT_EVERY: u64 = 256;
/// Storage of an account unless the vault is configured otherwise: 2 GiB.
pub const ACCOUNT_QUOTA_BYTES: u64 = 2 << 30;
