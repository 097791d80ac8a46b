//! What the worker answers and tells unasked. Must not know who listens.

use crate::{
    AccessRequest, AuditEntry, Compartment, Environment, Failure, FileRef, GrantView,
    ImportSummary, Inspection, Invitation, LinkView, Notification, Page, PairingCode, PairingWords,
    PasskeyWanted, PatientView, Person, ProposedPassphrase, RecordId, RecordSummary, RecordView,
    RecoverySheet, Renewed, SafetyView, SecurityView, SessionState, SlotView, Verification,
    VersionSummary,
};
use serde::{Deserialize, Serialize};

/// Worker to page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// The one answer to a request.
    Reply {
        /// The request's id.
        id: u32,
        /// How it went.
        result: Box<Result<Reply, Failure>>,
    },
    /// Something happened.
    Event(Event),
}

/// Answers; see [`crate::Intent`] for which belongs to which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Nothing more to say.
    Done,
    /// To `Hello`.
    Hello {
        /// [`crate::VERSION`] of the worker.
        version: u16,
        /// Where we are.
        environment: Environment,
        /// Who is here.
        session: SessionState,
    },
    /// The sign-in key.
    SignInKey {
        /// SubjectPublicKeyInfo, DER: `publicKey` of the ICRC-34 request, before base64.
        public_key: Vec<u8>,
        /// How long the delegation should last, in nanoseconds: `maxTimeToLive`.
        max_time_to_live: u64,
    },
    /// The session after a change.
    Session(SessionState),
    /// A new recovery phrase.
    Phrase {
        /// Positions, from 0, that the page asks the person to type again.
        ask: Vec<u8>,
        /// To be printed.
        sheet: RecoverySheet,
    },
    /// Whether every word was right.
    PhraseChecked {
        /// For each position asked for, in order.
        right: Vec<bool>,
    },
    /// Compartments in the owner's order.
    Compartments(Vec<Compartment>),
    /// The new compartment.
    Compartment(Compartment),
    /// A page of records.
    Records(Page<RecordSummary>),
    /// An opened version.
    Record(Box<RecordView>),
    /// Versions, newest first.
    History(Vec<VersionSummary>),
    /// What a file is.
    Inspected(Inspection),
    /// A record was stored.
    Stored {
        /// Which.
        record: RecordId,
        /// Which version.
        version: u32,
        /// It waits in the owner's drop box.
        unfiled: bool,
    },
    /// What an import did.
    Imported(ImportSummary),
    /// A file to save; its `Blob` is in `files`.
    File(FileRef),
    /// A new invitation.
    Invitation(Invitation),
    /// Requests, newest first.
    Requests(Vec<AccessRequest>),
    /// A grant after a change.
    Grant(GrantView),
    /// Grants, newest first.
    Grants(Vec<GrantView>),
    /// A page of the directory.
    Directory(Page<Person>),
    /// A page of the audit trail.
    Activity(Page<AuditEntry>),
    /// What verification found. A defect is an answer, not a failure.
    Verified(Verification),
    /// A link, read and checked.
    Link(LinkView),
    /// The request that was sent.
    Asked(AccessRequest),
    /// Patients, by name.
    Patients(Vec<PatientView>),
    /// A page of the inbox.
    Inbox(Page<Notification>),
    /// The code of a pairing that was begun.
    PairingCode(PairingCode),
    /// The words to compare.
    PairingWords(PairingWords),
    /// What two people compare.
    Safety(SafetyView),
    /// Every way into the account.
    Security(SecurityView),
    /// Keys were made anew.
    Renewed(Renewed),
    /// Whether making keys anew was stopped half-way.
    Unfinished(bool),
    /// What is to be printed.
    Sheet(RecoverySheet),
    /// What a new passkey is to be made with.
    PasskeyWanted(PasskeyWanted),
    /// Ways to unlock that can be tried here.
    Ways(Vec<SlotView>),
    /// A proposed passphrase.
    Passphrase(ProposedPassphrase),
}

/// What happens unasked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// How far a long operation has come.
    Progress {
        /// The request's id.
        operation: u32,
        /// What is being done.
        stage: Stage,
        /// Bytes or items, in the unit of `total`.
        done: u64,
        /// 0 while unknown.
        total: u64,
    },
    /// The keys are gone from memory, by this tab or another, or the session ended: nothing that is
    /// shown may stay, and the page begins anew.
    Locked,
    /// How many notifications wait.
    Unread(u32),
    /// What the page may show of these is old: load it again.
    Changed(Vec<Topic>),
    /// Making every key anew was stopped and waits to be gone on with.
    RenewalLeft,
    /// In how many seconds the idle lock strikes unless there is a sign of life; `None`: there was
    /// one, here or in another tab.
    LockingIn(Option<u32>),
}

/// What a long operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Reading a file.
    Reading,
    /// Encrypting.
    Sealing,
    /// Sending.
    Uploading,
    /// Waiting for the network to confirm.
    Confirming,
    /// Receiving.
    Downloading,
    /// Decrypting.
    Opening,
    /// Checking signatures, hashes and certificates.
    Checking,
}

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Record lists and records.
    Records,
    /// Compartments.
    Compartments,
    /// Requests in either direction.
    Requests,
    /// Grants given.
    Grants,
    /// The audit trail.
    Activity,
    /// Patients and what they granted.
    Patients,
    /// Notifications.
    Inbox,
    /// Ways to unlock and sign-ins.
    Security,
}
