//! What the page may ask for. Must not know how it is done.

use crate::{
    AccountId, CompartmentId, Cursor, DelegationChain, Draft, FileRef, GrantId, NewCompartment,
    PasskeyRequest, Proof, RecordAddress, RecordId, RequestId, Rights, Secret, SlotId, Terms, Wish,
};
use serde::{Deserialize, Serialize};

/// Page to worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the page, unique while the page lives.
    pub id: u32,
    /// What is asked.
    pub intent: Intent,
}

/// What the page asks. Each names the [`crate::Reply`] that answers it; instead of it any
/// may be answered by a [`crate::Failure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// The first of all. Restores a session this browser holds, and unlocks it if it
    /// "stays unlocked". → `Hello`
    Hello {
        /// [`crate::VERSION`] of the page.
        version: u16,
        /// BCP 47, for instance `en` or `es`: for the worker's own words in record views.
        language: String,
        /// What this browser may be called, for instance `Firefox on Linux`.
        browser: String,
    },
    /// The language changed. → `Done`
    SetLanguage {
        /// BCP 47.
        language: String,
    },
    /// The person is active: put off the idle lock. → `Done`
    Touch,
    /// Stop what the request of this id started. The request itself is then answered by
    /// `Cancelled`. → `Done`
    Cancel {
        /// The request's id.
        operation: u32,
    },

    /// Make, or find, this browser's sign-in key; asked before the person clicks, as the
    /// window must be opened within the click. → `SignInKey`
    PrepareSignIn,
    /// What the identity window answered. → `Session`
    CompleteSignIn {
        /// Its delegation chain.
        chain: DelegationChain,
    },
    /// Forget keys and session, and "stay unlocked" too, in every tab. → `Done`
    SignOut,
    /// Wipe the keys in every tab, keep the session. → `Done`
    Lock,

    /// Make a recovery phrase for a new vault, kept in the worker's memory only until
    /// [`Intent::CreateVault`]. Asked again, a new one replaces it. → `Phrase`
    ProposePhrase,
    /// Did the person write it down? → `PhraseChecked`
    CheckPhrase {
        /// The words at the positions asked for, in that order.
        words: Vec<Secret>,
    },
    /// Make the account; only after the phrase was checked. → `Session`
    CreateVault {
        /// Private; may be empty.
        display_name: String,
        /// The first compartments, in order.
        compartments: Vec<NewCompartment>,
        /// Add a browser slot.
        stay_unlocked: bool,
    },
    /// Unlock; a passkey's key is beside the message. → `Session`
    Unlock {
        /// With what only the owner has.
        with: Proof,
        /// Add a browser slot.
        stay_unlocked: bool,
    },
    /// Unlock with what this browser holds. → `Session`
    UnlockHere,
    /// Add or remove this browser's slot. → `Security`
    SetStayUnlocked {
        /// Under this name; empty: what the page called the browser. `None`: no longer.
        label: Option<String>,
    },

    /// One's own compartments, or those of a patient that were granted. → `Compartments`
    Compartments {
        /// Whose; `None`: one's own.
        patient: Option<AccountId>,
    },
    /// Add a compartment. → `Compartment`
    AddCompartment {
        /// What.
        compartment: NewCompartment,
    },
    /// A page of a record list, newest clinical date first. For another's records this is
    /// an audited release: the page says so before it asks. → `Records`
    Records {
        /// Whose; `None`: one's own.
        patient: Option<AccountId>,
        /// Only this compartment.
        compartment: Option<CompartmentId>,
        /// Only titles and types that contain this; empty: all.
        search: String,
        /// Where to begin.
        cursor: Option<Cursor>,
    },
    /// Open a version. For another's record an audited release. → `Record`
    OpenRecord {
        /// Which record.
        address: RecordAddress,
        /// `None`: the newest.
        version: Option<u32>,
    },
    /// All versions, newest first. → `History`
    History {
        /// Which record.
        address: RecordAddress,
    },
    /// Look into a file before storing it. → `Inspected`
    Inspect {
        /// In `files`.
        file: FileRef,
    },
    /// Store a record. Progress events follow. → `Stored`
    AddRecord {
        /// For whom; `None`: oneself.
        patient: Option<AccountId>,
        /// Where; `None`: where the worker thinks best.
        compartment: Option<CompartmentId>,
        /// What.
        draft: Draft,
    },
    /// Make records of a FHIR bundle. Progress events follow. → `Imported`
    Import {
        /// In `files`.
        file: FileRef,
        /// Everything into this one; `None`: by category.
        compartment: Option<CompartmentId>,
    },
    /// A new version. Progress events follow. → `Stored`
    AmendRecord {
        /// Which record.
        address: RecordAddress,
        /// The version the person saw; another newest one is a `Conflict`.
        base: u32,
        /// What it says now.
        draft: Draft,
    },
    /// File a record from the drop box. → `Stored`
    FileRecord {
        /// Which.
        record: RecordId,
        /// Where.
        compartment: CompartmentId,
    },
    /// Fetch an attachment. Progress events follow; the `Blob` is in `files`. → `File`
    Download {
        /// Which record.
        address: RecordAddress,
        /// Which version.
        version: u32,
        /// Which of its parts.
        part: u32,
    },

    /// Make a link with a one-time code. → `Invitation`
    Invite {
        /// How long the code is good for.
        days: u32,
    },
    /// Requests for this person's records. → `Requests`
    IncomingRequests,
    /// Answer a request with a grant, whose terms may be narrower. → `Grant`
    Approve {
        /// Which.
        request: RequestId,
        /// The terms.
        terms: Terms,
    },
    /// Answer a request with no. → `Done`
    Deny {
        /// Which.
        request: RequestId,
    },
    /// Grants this person gave. → `Grants`
    Grants,
    /// Give access without having been asked. → `Grant`
    Give {
        /// To whom, from the directory.
        to: AccountId,
        /// The terms.
        terms: Terms,
    },
    /// End a grant. → `Grant`
    Revoke {
        /// Which.
        grant: GrantId,
    },
    /// Providers of the directory. → `Directory`
    Directory {
        /// In name or specialty; empty: all.
        search: String,
        /// Where to begin.
        cursor: Option<Cursor>,
    },

    /// One's own audit trail, newest first. → `Activity`
    Activity {
        /// Where to begin.
        cursor: Option<Cursor>,
    },
    /// Fetch the chain and its certificate and check both. Progress events follow.
    /// → `Verified`
    VerifyActivity,
    /// The chain and its certificate as a file for `salus audit verify --offline`.
    /// → `File`
    ExportActivity,

    /// Publish oneself in the directory. → `Session`
    RegisterProvider {
        /// Shown to patients.
        name: String,
        /// Shown to patients.
        specialty: String,
    },
    /// Read a patient's link and check it against the vault. → `Link`
    ReadLink {
        /// The link, or what follows `#/ask/`.
        text: String,
    },
    /// Ask for access. → `Asked`
    Ask {
        /// [`crate::LinkView::link`].
        link: String,
        /// To what.
        wish: Wish,
        /// To do what.
        rights: Rights,
        /// What for; sealed to the patient.
        purpose: String,
        /// For how long.
        days: u32,
    },
    /// Requests this person made. → `Requests`
    OutgoingRequests,
    /// Patients who granted something. → `Patients`
    Patients,

    /// Notifications, newest first. → `Inbox`
    Inbox {
        /// Where to begin.
        cursor: Option<Cursor>,
    },
    /// Everything up to this number has been seen. → `Done`
    MarkSeen {
        /// The highest number seen.
        up_to: u64,
    },

    /// Show once more that one is the owner: what decides about keys asks for it by
    /// `ProofNeeded`, and is then asked again. → `Done`
    Prove {
        /// What only the owner has.
        proof: Proof,
    },
    /// What can be tried in this browser to unlock or to prove. → `Ways`
    Ways,
    /// How long this browser waits for a sign of life before it locks this account. Longer than before
    /// asks for proof. → `Session`
    SetIdle {
        /// One of [`crate::IDLE_MINUTES`].
        minutes: u32,
    },
    /// Begin to open one's records in this browser by help of a device where they are open. Gives up
    /// a pairing that was under way. → `PairingCode`
    BeginPairing,
    /// Wait until the code was typed on the other device, and for the words. → `PairingWords`
    JoinPairing,
    /// The person saw the same words on both: wait for the other device's yes, then unlock.
    /// → `Session`
    TakePairing {
        /// Whether this browser opens by itself the next time.
        stay_unlocked: bool,
    },
    /// Let the device in that shows this code; wait for the words. → `PairingWords`
    AnswerPairing {
        /// As typed.
        code: String,
    },
    /// The person saw the same words on both: add the other device. → `Session`
    ApprovePairing {
        /// What it is called in the list of ways to unlock; may be empty.
        label: String,
    },
    /// Give up the pairing under way on this side; nothing is added. → `Done`
    EndPairing,
    /// What to compare with someone dealt with, or of the directory. → `Safety`
    Safety {
        /// With whom.
        with: AccountId,
    },
    /// Compare what they show, and remember that it is the same. → `Safety`
    Compare {
        /// With whom.
        with: AccountId,
        /// Digits or code, as typed, pasted or scanned.
        shown: String,
    },
    /// Use someone's changed keys from now on. → `Safety`
    AcceptKeys {
        /// Whose.
        of: AccountId,
        /// [`crate::SafetyView::keys`]: other ones than the person saw are a `Conflict`.
        keys: String,
    },
    /// Every way into the account. → `Security`
    Security,
    /// End a way to unlock: what it opens is sealed anew to the others. Asks for proof. → `Security`
    RemoveSlot {
        /// Not the recovery phrase's.
        slot: SlotId,
    },
    /// End what browsers and files open by themselves, but for this browser, and lock what is open
    /// elsewhere. Asks for proof. → `Security`
    SignOutEverywhere,
    /// End another sign-in's right to call for the account. Asks for proof. → `Security`
    RemoveSignIn {
        /// As text.
        principal: String,
    },
    /// Make every key anew, or go on with it where it was stopped. Progress events follow. Asks for
    /// proof. → `Renewed`
    RenewKeys,
    /// Whether that was begun and stopped. → `Unfinished`
    UnfinishedRenewal,
    /// A device is in other hands: its ways to unlock end, its sign-ins too, and every key is made anew.
    /// Stopped half-way, `RenewKeys` goes on. Progress events follow. Asks for proof. → `Renewed`
    LostDevice {
        /// Its ways to unlock; those that are gone already do no harm. Not the recovery phrase's.
        slots: Vec<SlotId>,
        /// Its sign-ins; not that of this session.
        sign_ins: Vec<String>,
    },
    /// What a new passkey is to be made with. Asks for proof. → `PasskeyWanted`
    PreparePasskey,
    /// Add a passkey as a way to unlock; its key, for HKDF, is beside the message. Asks for proof.
    /// → `Security`
    AddPasskey {
        /// Of [`crate::PasskeyWanted`].
        slot: SlotId,
        /// The credential that was made, and what it was asked at.
        passkey: PasskeyRequest,
        /// Its name.
        label: String,
    },
    /// Words that nobody guesses, and a key to go with them. → `Passphrase`
    ProposePassphrase,
    /// Add a passphrase as a way to unlock. Asks for proof. → `Security`
    AddPassphrase {
        /// Its words: those proposed, or others.
        passphrase: Secret,
        /// The key that goes with it on any device. `None`: this browser's own, and it opens here alone.
        sheet_key: Option<Secret>,
        /// Its name.
        label: String,
    },
    /// Put the phrase that was proposed and checked in the place of the one there is, which opens nothing
    /// then. → `Security`
    ReplacePhrase {
        /// The words there are, separated by any white space, in any case.
        phrase: Secret,
    },
    /// The recovery sheet, for whoever has the words. → `Sheet`
    Sheet {
        /// Words separated by any white space, in any case.
        phrase: Secret,
    },
    /// The proof that the service went back on what the network had confirmed, as a file for
    /// `salus audit verify --evidence`. → `File`
    SaveProof {
        /// [`crate::Contradiction::account`].
        account: AccountId,
    },
    /// Take the account back from whoever replaced its keys: new ones, by the authority of the words,
    /// and unlock. Everything that somebody else signed since counts for nothing. → `Session`
    Recover {
        /// Words separated by any white space, in any case.
        phrase: Secret,
    },
}
