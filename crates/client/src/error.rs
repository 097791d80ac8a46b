//! Everything that can go wrong, typed. Must not carry secrets or plaintext.

use crate::memory::MemoryError;
use crate::pairing::PairingError;
use crate::records::SourceError;
use crate::refusal::Refusal;
use crate::sharing::LinkError;
use crate::transport::TransportError;
use salus_crypto::passphrase::PassphraseError;
use salus_crypto::phrase::PhraseError;
use salus_crypto::sheet::SheetKeyError;
use salus_crypto::{OpenError, PublicKeyError, RandomError, SealError};
use salus_protocol::certified::WitnessError;
use salus_protocol::chain;
use salus_protocol::keychain::ChainError;
use salus_protocol::ledger::LedgerError;
use salus_protocol::statement::StatementError;
use salus_types::{AccountId, CompartmentId, RecordId, SlotId};
use std::fmt;

/// Result of anything a client does.
pub type Result<T> = std::result::Result<T, ClientError>;

/// Why a client did not do what it was asked. Unless the variant says otherwise nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The vault said no.
    #[error(transparent)]
    Vault(#[from] salus_types::Error),
    /// The vault did not answer, or what answered could not be believed to be the vault. An update
    /// may have been carried out.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// What the vault answered contradicts signatures, hashes, certificates or what is remembered.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
    /// It contradicts what this device remembers, or was shown to by the network: with an explanation,
    /// and evidence if there is any.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// Something could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something did not open with the key that should open it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not a recovery phrase at all.
    #[error(transparent)]
    NotAPhrase(#[from] PhraseError),
    /// Not a recovery sheet's key at all.
    #[error(transparent)]
    NotASheetKey(#[from] SheetKeyError),
    /// A passphrase that cannot be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// A recovery phrase, but not this account's.
    #[error("this recovery phrase belongs to no account here, or to another one")]
    WrongPhrase,
    /// The secret does not open the slot.
    #[error("this secret does not open the slot")]
    WrongSecret,
    /// The slot is not there (any more).
    #[error("this way to unlock was removed from the account")]
    NoSuchSlot,
    /// The keys are not in memory (any more).
    #[error("locked")]
    Locked,
    /// Stopped by the person. What was uploaded stays and can be resumed.
    #[error("cancelled")]
    Cancelled,
    /// The caller has no account in this vault.
    #[error("you have no account in this vault")]
    NoAccount,
    /// The caller has an account already.
    #[error("you already have an account in this vault")]
    HasAccount,
    /// The account changed in a way that this can no longer be done.
    #[error("{0}: changed meanwhile")]
    Conflict(&'static str),
    /// There is no such thing, as far as this account can see.
    #[error("{0}: not found")]
    NotFound(&'static str),
    /// An argument that can never be accepted.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The grant does not cover it.
    #[error("the grant does not cover this: {0}")]
    NotCovered(#[from] salus_protocol::grant::Denial),
    /// Someone's keys are others than those known before; they may be accepted.
    #[error(
        "the keys of account {account} changed: {change}; nothing is sealed to them until you accept them"
    )]
    KeysChanged {
        /// Whose.
        account: AccountId,
        /// How.
        change: crate::trust::KeyChange,
    },
    /// The digits are not those of the safety number with that person.
    #[error("these are not the digits of your safety number with them")]
    OtherNumber,
    /// A safety code that does not confirm.
    #[error(transparent)]
    Code(#[from] salus_protocol::safety::CodeError),
    /// A link that cannot be read.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A pairing does not go on.
    #[error(transparent)]
    Pairing(#[from] PairingError),
    /// What this client remembers could not be read or written.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A file could not be read or written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Not possible in this version.
    #[error("not supported: {0}")]
    NotSupported(&'static str),
}

impl ClientError {
    /// What did not fit, if that is why.
    pub fn integrity(&self) -> Option<&IntegrityError> {
        match self {
            Self::Integrity(error) => Some(error),
            Self::Refused(refusal) => Some(&refusal.error),
            _ => None,
        }
    }
}

impl From<RandomError> for ClientError {
    fn from(error: RandomError) -> Self {
        Self::Seal(SealError::Random(error))
    }
}

/// A chain whose growth is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// The owner ledger.
    Ledger,
    /// The audit trail.
    Audit,
    /// The feed of a compartment.
    Feed(CompartmentId),
    /// Someone's key chain.
    Keys(AccountId),
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger => write!(f, "the ledger"),
            Self::Audit => write!(f, "the audit trail"),
            Self::Feed(id) => write!(f, "the feed of compartment {id}"),
            Self::Keys(id) => write!(f, "the key chain of account {id}"),
        }
    }
}

/// What does not fit. The answer was not believed and not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// A chain is shorter than this client has seen it.
    #[error("{chain} was rolled back: {seen} entries, {known} are remembered")]
    RolledBack {
        /// Which.
        chain: Chain,
        /// Entries remembered.
        known: u64,
        /// Entries shown.
        seen: u64,
    },
    /// A chain does not contain what this client has seen of it.
    #[error("{chain} was forked at entry {at}")]
    Forked {
        /// Which.
        chain: Chain,
        /// Where.
        at: u64,
    },
    /// Someone's keys are not those remembered or fingerprinted.
    #[error("the keys of account {account} are not those known before")]
    KeyChanged {
        /// Whose.
        account: AccountId,
    },
    /// A key chain is not valid.
    #[error("key chain: {0}")]
    KeyChain(#[from] ChainError),
    /// A statement or its signature is not valid.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A ledger operation may not stand where it does.
    #[error("ledger operation {seq}: {error}")]
    Ledger {
        /// Which.
        seq: u64,
        /// Why.
        error: LedgerError,
    },
    /// The ledger ends under keys that are not the chain's.
    #[error("the ledger does not end under the key chain's current link")]
    LedgerKeys,
    /// The slot's public key or sealed anchor is not what its secret gives.
    #[error("slot {slot}: its key, anchor or wrapped key was replaced")]
    Slot {
        /// Which.
        slot: SlotId,
    },
    /// The identity bundle does not open, or holds other keys than the key chain names.
    #[error("the identity keys do not fit the key chain")]
    Bundle,
    /// A compartment's wrapped key does not open, or is another than the ledger names.
    #[error("the key of compartment {compartment}, epoch {epoch} was replaced")]
    EpochKey {
        /// Which compartment.
        compartment: CompartmentId,
        /// Which epoch.
        epoch: u32,
    },
    /// A certificate's witness does not fit.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A certificate that is not valid.
    #[error(transparent)]
    Certificate(#[from] crate::certificate::CertificateError),
    /// A certificate older than allowed.
    #[error("the certificate is {age_ms} ms old")]
    StaleCertificate {
        /// Milliseconds.
        age_ms: u64,
    },
    /// What was shown is not what is certified.
    #[error("{chain} is not the one that is certified")]
    NotCertified {
        /// Which chain.
        chain: Chain,
    },
    /// The certificate speaks of another account, or does not show that the principal is its own.
    #[error("the certificate does not speak of this account")]
    OtherAccount,
    /// A chain's entries do not follow each other.
    #[error("{chain}: {error}")]
    Broken {
        /// Which chain.
        chain: Chain,
        /// Where and how.
        error: chain::LinkError,
    },
    /// The feed tells of a version that was not shown.
    #[error("record {record} was left out")]
    Omitted {
        /// Which record.
        record: RecordId,
    },
    /// A version was shown that the feed does not tell of, or an older one than it tells of.
    #[error("record {record} is not the one the feed tells of")]
    NotInFeed {
        /// Which record.
        record: RecordId,
    },
    /// A version's parts, descriptor, keys or place are not what its author signed.
    #[error("record {record}: {what} is not what its author signed")]
    Version {
        /// Which record.
        record: RecordId,
        /// What.
        what: &'static str,
    },
    /// A grant's envelope, keys or parties are not what was signed.
    #[error("grant: {0} is not what was signed")]
    Grant(&'static str),
    /// A request's envelope or parties are not what was signed.
    #[error("request: {0} is not what was signed")]
    Request(&'static str),
    /// A name given for a pseudonym does not give it.
    #[error("a name in the audit trail does not fit its pseudonym")]
    Pseudonym,
    /// A public key no one may have.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The answer does not have the promised form.
    #[error("the vault's answer is malformed: {0}")]
    Malformed(&'static str),
}

impl IntegrityError {
    /// Whether it is about something that may have been true a moment ago.
    pub(crate) const fn is_about_growth(&self) -> bool {
        matches!(
            self,
            Self::RolledBack { .. }
                | Self::Forked { .. }
                | Self::NotCertified { .. }
                | Self::Omitted { .. }
                | Self::NotInFeed { .. }
        )
    }
}

macro_rules! through_integrity {
    ($($error:ty),*) => {
        $(impl From<$error> for ClientError {
            fn from(error: $error) -> Self {
                Self::Integrity(error.into())
            }
        })*
    };
}

through_integrity!(
    ChainError,
    StatementError,
    WitnessError,
    PublicKeyError,
    crate::certificate::CertificateError
);
