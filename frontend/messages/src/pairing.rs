//! Letting a device in by help of another. Must not know what is said between the two.

use crate::{Millis, Qr};
use serde::{Deserialize, Serialize};

/// What is typed or scanned on the other device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingCode {
    /// In groups, as it is read out.
    pub code: String,
    /// An address of this website that brings the code along.
    pub link: String,
    /// The same to be scanned.
    pub qr: Qr,
    /// Until when it is good.
    pub expires_at: Millis,
}

/// What both devices show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingWords {
    /// Four English words, in their order.
    pub words: Vec<String>,
    /// The principal of the new device as text, where that is new to the account.
    pub joins: Option<String>,
}
