//! What the client's failures mean for whoever runs the command. Must not know any command.

use crate::error::{Error, Kind};
use salus_client::{ClientError, CodeError, PairingError, TransportError, VaultError, Verdict};

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match error {
            ClientError::Vault(error) => from_vault(&error),
            ClientError::Transport(error) => from_transport(&error),
            ClientError::Integrity(_) => Self::new(Kind::Integrity, "integrity", message)
                .hint("what the vault answered was not believed and nothing was done with it"),
            ClientError::Refused(refusal) => match refusal.verdict {
                Verdict::Behind => Self::new(Kind::Network, "behind", message),
                Verdict::Answer => Self::new(Kind::Integrity, "refused", message)
                    .hint("what the vault answered was not believed and nothing was done with it"),
                Verdict::Vault => Self::new(Kind::Integrity, "rolled_back", message)
                    .hint("`salus audit evidence --out FILE` writes the proof"),
            },
            ClientError::Open(_) => Self::new(Kind::Integrity, "cannot_open", message),
            ClientError::Seal(_) => Self::new(Kind::Other, "cannot_seal", message),
            ClientError::NotAPhrase(_) => Self::new(Kind::Usage, "not_a_phrase", message),
            ClientError::NotASheetKey(_) => Self::new(Kind::Usage, "not_a_sheet_key", message),
            ClientError::Passphrase(_) => Self::new(Kind::Usage, "passphrase", message),
            ClientError::WrongPhrase => Self::new(Kind::NotFound, "wrong_phrase", message),
            ClientError::WrongSecret => Self::new(Kind::NotFound, "wrong_secret", message)
                .hint(UNLOCK),
            ClientError::NoSuchSlot => {
                Self::new(Kind::NotFound, "slot_removed", message).hint(UNLOCK)
            }
            ClientError::Locked => Self::new(Kind::NotFound, "locked", message).hint(UNLOCK),
            ClientError::Cancelled => Self::new(Kind::Other, "cancelled", message),
            ClientError::NoAccount => Self::new(Kind::NotFound, "no_account", message).hint(
                "open one with `salus account create`, or join yours with `salus account unlock --recovery FILE`",
            ),
            ClientError::HasAccount => Self::new(Kind::Conflict, "has_account", message),
            ClientError::Conflict(_) => {
                Self::new(Kind::Conflict, "conflict", message).hint("look again, then repeat")
            }
            ClientError::NotFound(what) => {
                Self::not_found(format!("there is no such {what}, or it is not yours to see"))
            }
            ClientError::Invalid { .. } => Self::new(Kind::Usage, "invalid", message),
            ClientError::NotCovered(_) => Self::new(Kind::NotFound, "not_covered", message),
            ClientError::Link(_) => Self::new(Kind::Usage, "link", message),
            ClientError::KeysChanged { .. } => Self::new(Kind::Integrity, "keys_changed", message)
                .hint("ask them whether it was them; then `salus contact accept PERSON`"),
            ClientError::OtherNumber => Self::new(Kind::Integrity, "other_number", message)
                .hint("look for a slip; if there is none, someone may be in between"),
            ClientError::Code(CodeError::NotACode) => Self::new(Kind::Usage, "not_a_code", message),
            ClientError::Code(_) => Self::new(Kind::Integrity, "safety_code", message),
            ClientError::Pairing(error) => from_pairing(error, message),
            ClientError::Memory(_) | ClientError::Source(_) => {
                Self::new(Kind::Other, "file", message)
            }
            ClientError::NotSupported(_) => Self::new(Kind::Other, "not_supported", message),
        }
    }
}

/// What to do when this machine cannot open the account.
pub(crate) const UNLOCK: &str =
    "run `salus account unlock` on this machine with your recovery phrase or a passphrase";

fn from_vault(error: &VaultError) -> Error {
    let (kind, reason) = match error {
        VaultError::Anonymous => (Kind::NotFound, "anonymous"),
        VaultError::NotFound => (Kind::NotFound, "not_found"),
        VaultError::Invalid { .. } => (Kind::Usage, "invalid"),
        VaultError::NotCanonical { .. } => (Kind::Integrity, "not_canonical"),
        VaultError::BadSignature { .. } => (Kind::Integrity, "bad_signature"),
        VaultError::StaleHead { .. } => (Kind::Conflict, "stale_head"),
        VaultError::Conflict { .. } => (Kind::Conflict, "conflict"),
        VaultError::Expired { .. } => (Kind::NotFound, "expired"),
        VaultError::TooLarge { .. } => (Kind::Other, "too_large"),
        VaultError::TooMany { .. } => (Kind::Other, "too_many"),
        VaultError::QuotaExceeded { .. } => (Kind::Other, "quota_exceeded"),
        VaultError::RateLimited { .. } => (Kind::Network, "rate_limited"),
        VaultError::SignUpClosed => (Kind::NotFound, "sign_up_closed"),
        VaultError::Temporary { .. } => (Kind::Network, "temporary"),
        VaultError::Internal { .. } => (Kind::Other, "internal"),
    };
    let message = match error {
        VaultError::Expired { what, at } => {
            format!("{what}: over since {}", crate::text::time(*at))
        }
        other => other.to_string(),
    };
    Error::new(kind, reason, message)
}

fn from_pairing(error: PairingError, message: String) -> Error {
    let (kind, reason) = match error {
        PairingError::NoSuchCode => (Kind::NotFound, "no_such_code"),
        PairingError::Used => (Kind::Conflict, "code_used"),
        PairingError::Over => (Kind::NotFound, "pairing_over"),
        PairingError::OtherAccount => (Kind::Conflict, "other_account"),
        PairingError::Commitment => (Kind::Integrity, "pairing_commitment"),
        PairingError::Offer => (Kind::Integrity, "pairing_offer"),
        PairingError::TooEarly => (Kind::Other, "pairing_step"),
    };
    Error::new(kind, reason, message)
}

fn from_transport(error: &TransportError) -> Error {
    let (kind, reason) = match error {
        TransportError::Unreachable(_) => (Kind::Network, "unreachable"),
        TransportError::TimedOut => (Kind::Network, "timed_out"),
        TransportError::Rejected { .. } => (Kind::Network, "rejected"),
        TransportError::Unverified(_) => (Kind::Integrity, "unverified"),
        TransportError::NotSignedIn(_) => (Kind::NotFound, "not_signed_in"),
        TransportError::Undecodable { .. } => (Kind::Other, "undecodable"),
    };
    let shown = Error::new(kind, reason, error.to_string());
    if error.is_ambiguous() {
        shown.hint(
            "what was to be changed may have been changed nevertheless: look before you repeat it",
        )
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_client::IntegrityError;

    #[test]
    fn failures_keep_their_exit_status() {
        let cases: [(ClientError, u8, &str); 8] = [
            (VaultError::NotFound.into(), 3, "not_found"),
            (
                VaultError::Expired {
                    what: "the grant".into(),
                    at: 0,
                }
                .into(),
                3,
                "expired",
            ),
            (
                VaultError::Conflict {
                    what: "record".into(),
                }
                .into(),
                4,
                "conflict",
            ),
            (
                VaultError::QuotaExceeded { used: 1, limit: 1 }.into(),
                1,
                "quota_exceeded",
            ),
            (TransportError::TimedOut.into(), 6, "timed_out"),
            (
                TransportError::Unverified("x".into()).into(),
                5,
                "unverified",
            ),
            (IntegrityError::LedgerKeys.into(), 5, "integrity"),
            (ClientError::NotFound("grant"), 3, "not_found"),
        ];
        for (error, status, reason) in cases {
            let error = Error::from(error);
            assert_eq!((error.kind.exit(), error.reason), (status, reason));
        }
    }

    #[test]
    fn times_are_in_words() {
        let error = Error::from(ClientError::from(VaultError::Expired {
            what: "the grant".into(),
            at: 0,
        }));
        assert_eq!(error.message, "the grant: over since 1970-01-01T00:00:00Z");
    }
}
