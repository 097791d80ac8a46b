//! Contexts: what a sealed text, an envelope or a derived key is for.
//!
//! A context is an injective encoding of its fields: each as u32 big-endian length, then bytes; the
//! kind's label first, then the vault, the owner's account, and the kind's own fields in fixed
//! order. No two kinds share a label, so that no text can be passed off as one of another kind.
//! This module alone knows labels. Must not know keys.

use salus_protocol::ledger::{PasskeyParameters, PassphraseParameters, SecondSecretKind};
use salus_types::{AccountId, CompartmentId, GrantId, Hash, RecordId, RequestId, SlotId, UploadId};

/// Whose data, and in which vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultScope<'a> {
    /// The vault canister's principal, as bytes.
    pub vault: &'a [u8],
    /// The account the data lies in.
    pub account: AccountId,
}

/// One version of a record, with who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionScope<'a> {
    /// Whose record, and where.
    pub scope: VaultScope<'a>,
    /// Which record.
    pub record: RecordId,
    /// Which version, from 1.
    pub version: u32,
    /// Fingerprint of the author: the hash of the genesis of the author's key chain.
    pub author: Hash,
}

/// The encoded context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Context {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// What contexts and labelled hashes there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The label that leads the encoding. Unique; never reused for another meaning.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("salus/v1/", $label),)*
                }
            }
        }
    };
}

kinds! {
    /// Derivation of the recovery signing key from the phrase.
    RecoverySigning = "recovery-signing",
    /// What a browser's HMAC key authenticates to give a slot secret.
    BrowserSlot = "browser-slot",
    /// Derivation of a slot secret from a passkey's PRF output.
    PasskeySlot = "passkey-slot",
    /// Derivation of a slot secret from a stretched passphrase and a second secret.
    PassphraseSlot = "passphrase-slot",
    /// What a device's HMAC key authenticates to give a passphrase's second secret.
    PassphraseDevice = "passphrase-device",
    /// Checksum of a recovery sheet's key.
    SheetKey = "sheet-key",
    /// Derivation of a slot's X-Wing seed.
    SlotSeed = "slot-seed",
    /// Derivation of the key that seals a slot's anchor.
    SlotAnchorKey = "slot-anchor-key",
    /// A slot's sealed genesis fingerprint.
    SlotAnchor = "slot-anchor",
    /// Envelope of the account master key to a slot.
    SlotWrap = "slot-wrap",
    /// A slot's sealed label.
    SlotLabel = "slot-label",
    /// The sealed identity bundle.
    Bundle = "bundle",
    /// A sealed epoch key.
    EpochWrap = "epoch-wrap",
    /// A sealed compartment name.
    CompartmentName = "compartment-name",
    /// A sealed note about a grant, for the owner.
    OwnerNote = "owner-note",
    /// The sealed profile note.
    ProfileNote = "profile-note",
    /// A version's sealed descriptor.
    Descriptor = "descriptor",
    /// A version's sealed part.
    Content = "content",
    /// Derivation of the salt of a part whose upload can be resumed.
    ContentSalt = "content-salt",
    /// A descriptor key sealed under an epoch key.
    DescriptorKeyWrap = "descriptor-key-wrap",
    /// A content key sealed under an epoch key.
    ContentKeyWrap = "content-key-wrap",
    /// Envelope of a version's keys to the owner.
    DropBox = "drop-box",
    /// Envelope of a grant to its grantee.
    GrantEnvelope = "grant-envelope",
    /// Envelope of a request to the patient.
    RequestEnvelope = "request-envelope",
    /// Identifier of an epoch key.
    EpochKid = "epoch-kid",
    /// Identifier of a descriptor key.
    DescriptorKid = "descriptor-kid",
    /// Identifier of a content key.
    ContentKid = "content-kid",
    /// Derivation of the key for what is kept on this device.
    LocalKey = "local-key",
    /// An upload journal kept on this device.
    UploadJournal = "upload-journal",
    /// A cache kept on this device.
    SealedCache = "sealed-cache",
    /// Commitment to a purpose.
    Purpose = "purpose",
    /// Commitment to a version's plaintext.
    Plaintext = "plaintext",
}

/// Appends one field: its length as u32 big-endian, then its bytes.
pub(crate) fn put(out: &mut Vec<u8>, field: &[u8]) {
    // Fields are ids, numbers and short texts; one of 4 GiB cannot be held in memory beside itself.
    let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(field);
}

/// The injective encoding of a label and fields without vault and account.
pub(crate) fn labelled(kind: Kind, fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    put(&mut out, kind.label().as_bytes());
    for field in fields {
        put(&mut out, field);
    }
    out
}

fn scoped(kind: Kind, scope: VaultScope<'_>, fields: &[&[u8]]) -> Context {
    let mut out = labelled(kind, &[scope.vault, scope.account.as_bytes()]);
    for field in fields {
        put(&mut out, field);
    }
    Context(out)
}

/// Derivation of the recovery signing key: it must be found from the phrase and the vault alone, so
/// its account field is empty.
pub fn recovery_signing(vault: &[u8]) -> Context {
    Context(labelled(Kind::RecoverySigning, &[vault, &[]]))
}

/// What a browser's HMAC key authenticates; the output is the slot's secret.
pub fn browser_slot(scope: VaultScope<'_>, slot: SlotId) -> Context {
    scoped(Kind::BrowserSlot, scope, &[slot.as_bytes()])
}

/// Derivation of a slot secret from a passkey's PRF output. Names the parameters the output was
/// asked for with.
pub fn passkey_slot(
    scope: VaultScope<'_>,
    slot: SlotId,
    parameters: &PasskeyParameters,
) -> Context {
    scoped(
        Kind::PasskeySlot,
        scope,
        &[slot.as_bytes(), &parameters.credential, &parameters.salt],
    )
}

/// Derivation of a slot secret from a stretched passphrase and a second secret. Names how it was
/// stretched and what it is combined with, so that with other parameters it is another secret.
pub fn passphrase_slot(
    scope: VaultScope<'_>,
    slot: SlotId,
    parameters: &PassphraseParameters,
) -> Context {
    let second: &[u8] = match parameters.second {
        SecondSecretKind::Sheet => b"sheet",
        SecondSecretKind::Device => b"device",
    };
    scoped(
        Kind::PassphraseSlot,
        scope,
        &[
            slot.as_bytes(),
            second,
            &parameters.memory_kib.to_be_bytes(),
            &parameters.passes.to_be_bytes(),
            &parameters.salt,
        ],
    )
}

/// What a device's HMAC key authenticates; the output is the second secret of a passphrase.
pub fn passphrase_device(scope: VaultScope<'_>, slot: SlotId) -> Context {
    scoped(Kind::PassphraseDevice, scope, &[slot.as_bytes()])
}

/// Derivation of a slot's X-Wing seed. `secret_kind` is the tag of the kind of slot.
pub fn slot_seed(scope: VaultScope<'_>, slot: SlotId, secret_kind: &[u8]) -> Context {
    scoped(Kind::SlotSeed, scope, &[slot.as_bytes(), secret_kind])
}

/// Derivation of a slot's anchor key. `secret_kind` is the tag of the kind of slot.
pub fn slot_anchor_key(scope: VaultScope<'_>, slot: SlotId, secret_kind: &[u8]) -> Context {
    scoped(Kind::SlotAnchorKey, scope, &[slot.as_bytes(), secret_kind])
}

/// A slot's sealed genesis fingerprint.
pub fn slot_anchor(scope: VaultScope<'_>, slot: SlotId) -> Context {
    scoped(Kind::SlotAnchor, scope, &[slot.as_bytes()])
}

/// The account master key of one generation, sealed to one slot.
pub fn slot_wrap(scope: VaultScope<'_>, slot: SlotId, generation: u32) -> Context {
    let generation = generation.to_be_bytes();
    scoped(Kind::SlotWrap, scope, &[slot.as_bytes(), &generation])
}

/// A slot's label under one generation of the account master key.
pub fn slot_label(scope: VaultScope<'_>, slot: SlotId, generation: u32) -> Context {
    let generation = generation.to_be_bytes();
    scoped(Kind::SlotLabel, scope, &[slot.as_bytes(), &generation])
}

/// The identity bundle under one generation of the account master key.
pub fn bundle(scope: VaultScope<'_>, generation: u32) -> Context {
    scoped(Kind::Bundle, scope, &[&generation.to_be_bytes()])
}

/// An epoch key under one generation of the account master key.
pub fn epoch_wrap(
    scope: VaultScope<'_>,
    compartment: CompartmentId,
    epoch: u32,
    generation: u32,
) -> Context {
    let (epoch, generation) = (epoch.to_be_bytes(), generation.to_be_bytes());
    scoped(
        Kind::EpochWrap,
        scope,
        &[compartment.as_bytes(), &epoch, &generation],
    )
}

/// A compartment's name under one generation of the account master key.
pub fn compartment_name(
    scope: VaultScope<'_>,
    compartment: CompartmentId,
    generation: u32,
) -> Context {
    let generation = generation.to_be_bytes();
    scoped(
        Kind::CompartmentName,
        scope,
        &[compartment.as_bytes(), &generation],
    )
}

/// The owner's note about a grant under one generation of the account master key.
pub fn owner_note(scope: VaultScope<'_>, grant: GrantId, generation: u32) -> Context {
    let generation = generation.to_be_bytes();
    scoped(Kind::OwnerNote, scope, &[grant.as_bytes(), &generation])
}

/// The profile note under one generation of the account master key.
pub fn profile_note(scope: VaultScope<'_>, generation: u32) -> Context {
    scoped(Kind::ProfileNote, scope, &[&generation.to_be_bytes()])
}

/// A version's descriptor.
pub fn descriptor(at: &VersionScope<'_>) -> Context {
    let version = at.version.to_be_bytes();
    scoped(
        Kind::Descriptor,
        at.scope,
        &[at.record.as_bytes(), &version, at.author.as_bytes()],
    )
}

/// A version's part; parts are numbered from 0.
pub fn content(at: &VersionScope<'_>, part: u32) -> Context {
    let (version, part) = (at.version.to_be_bytes(), part.to_be_bytes());
    scoped(
        Kind::Content,
        at.scope,
        &[at.record.as_bytes(), &version, &part, at.author.as_bytes()],
    )
}

/// Derivation of the salt of a part with this SHA-256 and this length.
pub fn content_salt(at: &VersionScope<'_>, part: u32, plaintext: Hash, len: u64) -> Context {
    let (version, part, len) = (
        at.version.to_be_bytes(),
        part.to_be_bytes(),
        len.to_be_bytes(),
    );
    scoped(
        Kind::ContentSalt,
        at.scope,
        &[
            at.record.as_bytes(),
            &version,
            &part,
            at.author.as_bytes(),
            plaintext.as_bytes(),
            &len,
        ],
    )
}

fn version_wrap(
    kind: Kind,
    scope: VaultScope<'_>,
    record: RecordId,
    version: u32,
    compartment: CompartmentId,
    epoch: u32,
) -> Context {
    let (version, epoch) = (version.to_be_bytes(), epoch.to_be_bytes());
    scoped(
        kind,
        scope,
        &[record.as_bytes(), &version, compartment.as_bytes(), &epoch],
    )
}

/// A descriptor key under a compartment's epoch key.
pub fn descriptor_key_wrap(
    scope: VaultScope<'_>,
    record: RecordId,
    version: u32,
    compartment: CompartmentId,
    epoch: u32,
) -> Context {
    version_wrap(
        Kind::DescriptorKeyWrap,
        scope,
        record,
        version,
        compartment,
        epoch,
    )
}

/// A content key under a compartment's epoch key.
pub fn content_key_wrap(
    scope: VaultScope<'_>,
    record: RecordId,
    version: u32,
    compartment: CompartmentId,
    epoch: u32,
) -> Context {
    version_wrap(
        Kind::ContentKeyWrap,
        scope,
        record,
        version,
        compartment,
        epoch,
    )
}

/// A version's keys, sealed by its author to the owner.
pub fn drop_box(at: &VersionScope<'_>) -> Context {
    let version = at.version.to_be_bytes();
    scoped(
        Kind::DropBox,
        at.scope,
        &[at.record.as_bytes(), &version, at.author.as_bytes()],
    )
}

/// A grant's keys, sealed to the grantee. `link` is the hash of the link of the grantee's key chain
/// whose HPKE key is used.
pub fn grant_envelope(
    scope: VaultScope<'_>,
    grant: GrantId,
    revision: u32,
    grantee: AccountId,
    link: Hash,
) -> Context {
    let revision = revision.to_be_bytes();
    scoped(
        Kind::GrantEnvelope,
        scope,
        &[
            grant.as_bytes(),
            &revision,
            grantee.as_bytes(),
            link.as_bytes(),
        ],
    )
}

/// A request, sealed to the patient, whose account is the scope's.
pub fn request_envelope(
    scope: VaultScope<'_>,
    request: RequestId,
    requester: AccountId,
    requester_genesis: Hash,
) -> Context {
    scoped(
        Kind::RequestEnvelope,
        scope,
        &[
            request.as_bytes(),
            requester.as_bytes(),
            requester_genesis.as_bytes(),
        ],
    )
}

/// Identifier of an epoch key.
pub fn epoch_kid(scope: VaultScope<'_>, compartment: CompartmentId, epoch: u32) -> Context {
    let epoch = epoch.to_be_bytes();
    scoped(Kind::EpochKid, scope, &[compartment.as_bytes(), &epoch])
}

/// Identifier of a descriptor key.
pub fn descriptor_kid(scope: VaultScope<'_>, record: RecordId, version: u32) -> Context {
    let version = version.to_be_bytes();
    scoped(Kind::DescriptorKid, scope, &[record.as_bytes(), &version])
}

/// Identifier of a content key.
pub fn content_kid(scope: VaultScope<'_>, record: RecordId, version: u32) -> Context {
    let version = version.to_be_bytes();
    scoped(Kind::ContentKid, scope, &[record.as_bytes(), &version])
}

/// Derivation of the key for what is kept on this device, from one generation of the account master
/// key.
pub fn local_key(scope: VaultScope<'_>, generation: u32) -> Context {
    scoped(Kind::LocalKey, scope, &[&generation.to_be_bytes()])
}

/// An upload journal kept on this device.
pub fn upload_journal(scope: VaultScope<'_>, upload: UploadId) -> Context {
    scoped(Kind::UploadJournal, scope, &[upload.as_bytes()])
}

/// A cache kept on this device under a name of the client's choosing.
pub fn sealed_cache(scope: VaultScope<'_>, name: &[u8]) -> Context {
    scoped(Kind::SealedCache, scope, &[name])
}
