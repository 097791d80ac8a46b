//! Pairing a new device with one that is unlocked: each side's half of it, one attempt for each code.
//! Must not know how codes and words are shown, nor when a person is asked.
//!
//! ```text
//! new device        begin ──────▶ offer ─────────▶ words ──▶ unlocked
//! unlocked device         answer ──────▶ words ───────────▶ approve
//! ```
//!
//! Nothing that the vault carries is believed. The words cover everything said, and each side goes on
//! only when a person has seen the same ones on the other: see `salus_protocol::pairing`.

mod approving;
mod joining;

pub use approving::Approving;
pub use joining::Joining;

use crate::client::Client;
use crate::error::{ClientError, Result};
use salus_crypto::phrase::listed_word;
use salus_protocol::pairing::{PairingCode, Transcript};
use salus_types::api::PairingView;
use salus_types::{Error, limits};
use std::fmt;

/// How often a step whose answer was lost is sent again.
const SENT: usize = 3;

/// Why a pairing does not go on. Nothing was added to the account unless it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// No device waits under this code: a mistyped one, or one that is forgotten already.
    #[error("no device is waiting under this code")]
    NoSuchCode,
    /// Another device answered the code first, or it was used before.
    #[error("this code was used before: begin again on the new device")]
    Used,
    /// It took too long, or one of the two ended it.
    #[error("this pairing is over: begin again on the new device")]
    Over,
    /// The new device's sign-in belongs to another account.
    #[error("the new device is signed in to another account")]
    OtherAccount,
    /// What opens the answer is not what the other side was bound by: someone is in between.
    #[error("the other device's answer is not the one it was bound by: someone may be in between")]
    Commitment,
    /// What is offered can be no slot of a new device.
    #[error("the new device offers something that is no way to unlock")]
    Offer,
    /// Not yet: the step before this one has not been taken.
    #[error("the step before this one has not been taken")]
    TooEarly,
}

/// What both devices show: if a person sees the same on both, nobody stands between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words([&'static str; salus_protocol::pairing::WORDS]);

impl Words {
    fn of(transcript: &Transcript) -> Self {
        Self(transcript.words().map(listed_word))
    }

    /// The words, in their order.
    pub const fn list(&self) -> &[&'static str] {
        &self.0
    }

    /// Whether what someone typed is these words; case and white space do not matter.
    pub fn are(&self, typed: &str) -> bool {
        let typed = typed.to_lowercase();
        typed.split_whitespace().eq(self.0.iter().copied())
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.join(" "))
    }
}

/// What the vault's refusals mean here.
fn refused(error: ClientError) -> ClientError {
    match error {
        ClientError::Vault(Error::NotFound) => PairingError::NoSuchCode.into(),
        ClientError::Vault(Error::Expired { .. }) => PairingError::Over.into(),
        ClientError::Vault(Error::Conflict { what }) if what == "principal" => {
            PairingError::OtherAccount.into()
        }
        ClientError::Vault(Error::Conflict { .. }) => PairingError::Used.into(),
        other => other,
    }
}

fn is_ambiguous(error: &ClientError) -> bool {
    matches!(error, ClientError::Transport(error) if error.is_ambiguous())
}

impl Client {
    /// Takes a step, again if nobody knows whether it was taken: the same step twice is one.
    async fn pairing_step<A, T>(&self, method: &'static str, args: A) -> Result<T>
    where
        A: candid::CandidType + Clone,
        T: candid::CandidType + serde::de::DeserializeOwned,
    {
        let mut sent = 1;
        loop {
            let answer: Result<T> = self.update(method, (args.clone(),)).await;
            match answer {
                Err(error) if sent < SENT && is_ambiguous(&error) => sent += 1,
                other => return other.map_err(refused),
            }
        }
    }

    /// Until when a pairing may take, whatever the vault says.
    fn pairing_ends(&self, expires: u64) -> u64 {
        expires.min(self.now().saturating_add(limits::PAIRING_LIFE_MS))
    }

    /// The pairing as the vault shows it, while it goes on. A replica that lags may not know it yet.
    async fn pairing_view(&self, code: PairingCode, expires: u64) -> Result<Option<PairingView>> {
        if self.now() >= expires {
            return Err(PairingError::Over.into());
        }
        let view: Result<PairingView> = self.query("pairing_show", (code.number(),)).await;
        match view {
            Ok(view) if view.ended => Err(PairingError::Over.into()),
            Ok(view) => Ok(Some(view)),
            Err(ClientError::Vault(Error::NotFound)) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_as_people_type_them() {
        let words = Words(["zoo", "abandon", "ice", "cat"]);
        assert!(words.are(" Zoo abandon\tICE cat\n"));
        for other in [
            "zoo abandon ice",
            "zoo abandon cat ice",
            "",
            "zoo abandon ice cat cat",
        ] {
            assert!(!words.are(other), "{other}");
        }
    }
}
