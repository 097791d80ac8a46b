//! What went wrong, as the page is told. Must not carry secrets or health data.

use crate::platform::PlatformError;
use crate::refused;
use salus_client::{ClientError, CodeError, PairingError, TransportError, VaultError};
use salus_messages::{Failure, FailureKind};

/// Result of an intent.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// The failure for an error of the client.
pub(crate) fn from_client(error: ClientError) -> Failure {
    let detail = error.to_string();
    let kind = match error {
        ClientError::Vault(error) => vault_kind(error),
        ClientError::Transport(TransportError::NotSignedIn(_)) => FailureKind::NotSignedIn,
        ClientError::Transport(TransportError::Unverified(_)) => FailureKind::Integrity,
        ClientError::Transport(_) => FailureKind::Network,
        ClientError::Refused(refusal) => refused::refusal(&refusal),
        ClientError::Integrity(error) => refused::integrity(&error),
        ClientError::Open(_) => FailureKind::Integrity,
        ClientError::NotAPhrase(_) | ClientError::WrongPhrase => FailureKind::WrongPhrase,
        ClientError::WrongSecret | ClientError::NoSuchSlot | ClientError::Locked => {
            FailureKind::Locked
        }
        ClientError::Cancelled => FailureKind::Cancelled,
        ClientError::NoAccount | ClientError::NotFound(_) => FailureKind::NotFound,
        ClientError::HasAccount | ClientError::Conflict(_) => FailureKind::Conflict,
        ClientError::Invalid { field, .. } => FailureKind::Invalid {
            field: field.into(),
        },
        ClientError::Pairing(error) => pairing_kind(error),
        ClientError::Link(_) => FailureKind::Invalid {
            field: "link".into(),
        },
        ClientError::KeysChanged { .. } => FailureKind::KeysChanged,
        ClientError::OtherNumber => FailureKind::NotTheSame,
        ClientError::Code(error) => match error {
            CodeError::TheirKeys | CodeError::YourKeys => FailureKind::NotTheSame,
            _ => FailureKind::Invalid {
                field: "shown".into(),
            },
        },
        ClientError::NotCovered(_) => FailureKind::Refused,
        ClientError::NotSupported(_) => FailureKind::Unsupported,
        ClientError::Source(_) => FailureKind::Invalid {
            field: "file".into(),
        },
        ClientError::Passphrase(_) => FailureKind::Invalid {
            field: "passphrase".into(),
        },
        ClientError::NotASheetKey(_) => FailureKind::Invalid {
            field: "sheet_key".into(),
        },
        _ => FailureKind::Internal,
    };
    Failure::new(kind, detail)
}

fn pairing_kind(error: PairingError) -> FailureKind {
    match error {
        PairingError::NoSuchCode => FailureKind::NotFound,
        PairingError::Used | PairingError::OtherAccount => FailureKind::Conflict,
        PairingError::Over => FailureKind::Expired,
        PairingError::Commitment | PairingError::Offer => FailureKind::Integrity,
        PairingError::TooEarly => FailureKind::Internal,
    }
}

fn vault_kind(error: VaultError) -> FailureKind {
    match error {
        VaultError::Anonymous => FailureKind::NotSignedIn,
        VaultError::NotFound => FailureKind::NotFound,
        VaultError::Invalid { field, .. } => FailureKind::Invalid { field },
        VaultError::NotCanonical { statement } | VaultError::BadSignature { statement } => {
            FailureKind::Invalid { field: statement }
        }
        VaultError::StaleHead { .. } => FailureKind::StaleHead,
        VaultError::Conflict { .. } => FailureKind::Conflict,
        VaultError::Expired { .. } => FailureKind::Expired,
        VaultError::TooLarge { limit, .. } => FailureKind::TooLarge { limit },
        VaultError::TooMany { .. }
        | VaultError::QuotaExceeded { .. }
        | VaultError::RateLimited { .. } => FailureKind::Quota,
        VaultError::SignUpClosed => FailureKind::Refused,
        VaultError::Temporary { .. } => FailureKind::Network,
        VaultError::Internal { .. } => FailureKind::Internal,
    }
}

/// The failure for something the browser refused.
pub(crate) fn from_platform(error: PlatformError) -> Failure {
    Failure::new(FailureKind::Internal, error.to_string())
}

/// A field that cannot be accepted.
pub(crate) fn invalid(field: &str) -> Failure {
    FailureKind::Invalid {
        field: field.into(),
    }
    .into()
}
