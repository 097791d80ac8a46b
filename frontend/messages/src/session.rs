//! Who is here and whether their keys are in the worker's memory.
//! Must not know what a slot secret or a session key looks like.

use crate::{AccountId, Millis, Secret, SlotId};
use serde::{Deserialize, Serialize};

/// Where this page talks to; from `/config.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// `local` or `ic`, or a name of the operator's choosing; shown when it is not `ic`.
    pub network: String,
    /// Address of the page that signs people in (ICRC-29), opened in its own window.
    pub identity_provider: String,
    /// Passed on as `icrc95DerivationOrigin` when there is one.
    pub derivation_origin: Option<String>,
    /// The vault canister's id as text.
    pub vault: String,
}

/// What the delegation chain of ICRC-34 holds, decoded from base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegationChain {
    /// The root's public key, DER.
    pub public_key: Vec<u8>,
    /// From the root on.
    pub delegations: Vec<SignedDelegation>,
}

/// One link of a [`DelegationChain`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDelegation {
    /// Whom it delegates to, DER.
    pub pubkey: Vec<u8>,
    /// Nanoseconds since 1970-01-01 UTC.
    pub expiration: u64,
    /// Canisters it is limited to, as principal text.
    pub targets: Option<Vec<String>>,
    /// By the key before it.
    pub signature: Vec<u8>,
}

/// How far the person has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// No session.
    SignedOut,
    /// A session, but the principal has no account in this vault.
    NoVault {
        /// As text.
        principal: String,
    },
    /// An account whose keys are not in memory.
    Locked {
        /// As text.
        principal: String,
        /// What can unlock it.
        slots: Vec<SlotView>,
    },
    /// Everything is ready.
    Unlocked(Box<AccountView>),
}

/// A way to unlock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotView {
    /// Which way.
    pub kind: SlotKind,
    /// Whether it can be used in this browser, now.
    pub here: bool,
    /// The owner's name for it, known only when unlocked; else empty.
    pub label: String,
    /// Which; empty where it does not matter.
    pub id: SlotId,
    /// With what a passkey is asked.
    pub passkey: Option<PasskeyRequest>,
    /// Whether it is a passphrase that takes the key on the recovery sheet.
    pub takes_sheet_key: bool,
    /// When it was last used, within an hour, as far as is known.
    pub last_used: Option<Millis>,
}

/// Whether the 24 words are all that would be left if this browser were lost, or its storage cleared.
pub fn only_words(slots: &[SlotView]) -> bool {
    slots.iter().all(|slot| match slot.kind {
        SlotKind::Recovery => true,
        SlotKind::Browser => slot.here,
        SlotKind::Passkey | SlotKind::Passphrase | SlotKind::File => false,
    })
}

/// Whether this browser opens the account by itself.
pub fn stays_unlocked(slots: &[SlotView]) -> bool {
    let browser = |slot: &SlotView| slot.here && slot.kind == SlotKind::Browser;
    slots.iter().any(browser)
}

/// With what a passkey is asked for its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyRequest {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// What the PRF extension is evaluated at, 32 bytes.
    pub salt: Vec<u8>,
}

/// A passkey that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyWanted {
    /// The slot it is for.
    pub slot: SlotId,
    /// What the PRF extension is to be evaluated at, 32 bytes.
    pub salt: Vec<u8>,
    /// Credentials the account has already.
    pub known: Vec<Vec<u8>>,
}

/// Kinds of slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotKind {
    /// The 24 words.
    Recovery,
    /// "Stay unlocked here": a key this browser holds and cannot hand out.
    Browser,
    /// A passkey.
    Passkey,
    /// A passphrase together with a second secret.
    Passphrase,
    /// A file, for the command line.
    File,
}

/// The person's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Its id.
    pub account: AccountId,
    /// The principal of this session, as text.
    pub principal: String,
    /// The private name the person chose; may be empty.
    pub display_name: String,
    /// To be compared with a counterparty's screen: digits in groups.
    pub safety_number: String,
    /// The published profile, for those who registered as a provider.
    pub provider: Option<ProviderProfile>,
    /// Notifications not yet seen.
    pub unread: u32,
    /// Whether the 24 words are all that opens it, should this browser be lost: [`only_words`].
    pub only_words: bool,
    /// Whether this browser opens it by itself.
    pub stays_unlocked: bool,
    /// After how many minutes without a sign of life it locks.
    pub idle_minutes: u32,
}

/// What a person may choose for [`AccountView::idle_minutes`].
pub const IDLE_MINUTES: [u32; 5] = [1, 5, 15, 30, 60];

/// What only the owner of an account has. The key by which a browser stays unlocked is none:
/// whoever sits in front of it has that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// The 24 words, separated by any white space, in any case.
    Phrase(Secret),
    /// A passphrase.
    Passphrase {
        /// Its words.
        passphrase: Secret,
        /// The key that goes with them, from the sheet; without it, this browser's own.
        sheet_key: Option<Secret>,
    },
    /// A passkey; its key is beside the message.
    Passkey {
        /// Its slot.
        slot: SlotId,
    },
}

/// What a provider publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderProfile {
    /// As patients will see it.
    pub name: String,
    /// For instance "Family medicine"; free text.
    pub specialty: String,
}
