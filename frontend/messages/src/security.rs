//! The keys of an account as their owner decides about them. Must not know a key.

use crate::{Qr, Secret, SlotView};
use serde::{Deserialize, Serialize};

/// Every way into an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityView {
    /// Ways to unlock, the recovery phrase first.
    pub slots: Vec<SlotView>,
    /// Sign-ins that may call for the account.
    pub sign_ins: Vec<SignInView>,
}

/// A sign-in of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInView {
    /// Its principal, as text.
    pub principal: String,
    /// Whether it is the one of this session.
    pub here: bool,
}

/// What making all keys anew came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// Versions whose keys were filed anew.
    pub versions: u64,
    /// Grants that convey the new keys.
    pub grants: u32,
    /// Grants in force that could not be made anew: to be given again.
    pub left_behind: u32,
    /// Versions whose keys do not open, left as they are.
    pub unreadable: u32,
}

/// What is printed and put away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverySheet {
    /// The 24 words.
    pub words: Vec<Secret>,
    /// The same, for a camera.
    pub qr: Qr,
    /// Where they open the records: this site.
    pub site: String,
}

/// A passphrase that nobody guesses, and the key that goes with it where it is to open the records on
/// any device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedPassphrase {
    /// Seven words.
    pub passphrase: Secret,
    /// To be put on the recovery sheet: 30 characters in groups of five.
    pub sheet_key: Secret,
}
