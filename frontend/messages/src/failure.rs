//! The one shape in which anything fails. Must not know how a failure is shown.

use crate::{AccountId, Millis};
use serde::{Deserialize, Serialize};

/// Why an intent was not carried out. Nothing was changed unless the kind says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind:?}: {detail}")]
pub struct Failure {
    /// What went wrong; the page has words for each.
    pub kind: FailureKind,
    /// A more exact text of the page's locales (`failure-…`); empty: the kind's own words.
    pub message_key: String,
    /// For whoever looks into it, in English; free of health data and secrets. May be empty.
    pub detail: String,
}

impl Failure {
    /// A failure of `kind` with the words the page has for it.
    #[must_use]
    pub fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            message_key: String::new(),
            detail: detail.into(),
        }
    }
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self::new(kind, "")
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// No session, or it has ended.
    NotSignedIn,
    /// Signed in, but the keys are not in memory.
    Locked,
    /// The recovery phrase is not this account's, or is not a phrase at all.
    WrongPhrase,
    /// It does not exist, or is not for this person: the two look the same.
    NotFound,
    /// The grant, request, link or delegation has run out.
    Expired,
    /// The same id stands for something else, or the thing was decided already.
    Conflict,
    /// Another browser changed the account first, and the change could not be merged.
    StaleHead,
    /// The account's quota or rate limit is used up.
    Quota,
    /// Larger than the vault takes; the limit in bytes.
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// The network or the vault did not answer; trying again may help.
    Network,
    /// A signature, hash, certificate or remembered head does not fit: what the vault
    /// answered was not believed and not shown.
    Integrity,
    /// A field holds something that cannot be accepted.
    Invalid {
        /// Its name in the intent, for instance `display_name`.
        field: String,
    },
    /// The person stopped it.
    Cancelled,
    /// Some of what was to be stored is stored, and stays. The same again stores the rest.
    Partly {
        /// How many are stored, those from before among them.
        stored: u32,
        /// How many were to be.
        total: u32,
        /// Why it did not go on.
        why: Box<Self>,
    },
    /// This build cannot do that.
    Unsupported,
    /// Our own mistake.
    Internal,
    /// A rule of the owner, the grant or the vault forbids it.
    Refused,
    /// Only for whoever has just shown that they are the owner: see [`crate::Intent::Prove`].
    ProofNeeded,
    /// Someone's keys changed and were not accepted: nothing is shared with them.
    KeysChanged,
    /// What was compared is not the same: someone may stand between the two.
    NotTheSame,
    /// The passphrase or passkey does not open this account.
    WrongSecret,
    /// Somebody else, who had the account's keys, put others in their place: the words take it back
    /// by [`crate::Intent::Recover`].
    TakenOver,
    /// What answered knows less than this device, and may just be behind: trying again helps.
    Behind,
    /// What was answered does not go together with what this device remembers, or with what the network
    /// confirms. It was not believed and not shown.
    Contradicted(Box<Contradiction>),
}

/// What does not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// Whose records.
    pub account: AccountId,
    /// What of them.
    pub of: Remembered,
    /// Entries of it that were there before; `None` if it is not about how many there are.
    pub known: Option<u64>,
    /// Entries of it that are there now. As many as before: others.
    pub shown: Option<u64>,
    /// When what this device remembers was confirmed by the network.
    pub known_at: Option<Millis>,
    /// When what it was compared with was.
    pub shown_at: Option<Millis>,
    /// The network confirmed both, so the service itself went back on it:
    /// [`crate::Intent::SaveProof`]. Else one answer is to blame.
    pub proven: bool,
}

/// What a device remembers the growth of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remembered {
    /// What its owner decided: people, ways to unlock.
    Decisions,
    /// The audit trail.
    Activity,
    /// The records of a compartment.
    Records,
    /// Someone's keys.
    Keys,
}
