//! Requests, grants, invitations and the people they are between.
//! Must not know how trust is established, only how far it goes.

use crate::{AccountId, Category, CompartmentId, GrantId, Millis, RecordId, RequestId};
use serde::{Deserialize, Serialize};

/// Someone, as far as this person's client knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their account, when it is known.
    pub account: Option<AccountId>,
    /// As text; may be empty when only the account is known.
    pub principal: String,
    /// Published, or told to us; may be empty.
    pub name: String,
    /// For providers; may be empty.
    pub specialty: String,
    /// How far their key is known.
    pub trust: Trust,
    /// A registrar's word about their licence.
    pub attestation: Option<Attestation>,
}

/// How far someone's key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trust {
    /// The person themself.
    Own,
    /// The key is the one remembered from before.
    Pinned,
    /// The key is the one the vault certifies, seen for the first time.
    Certified,
    /// Nothing is known about the key.
    Unknown,
    /// The key is not the one remembered: do not proceed.
    Changed,
    /// The key is the one that the two compared.
    Verified,
}

/// How someone's keys differ from those known before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyChange {
    /// Their recovery words were used to make new ones.
    Recovered,
    /// They do not follow from those known before.
    Diverged,
    /// They are another account's.
    OtherAccount,
}

/// What two people compare, as this side sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyView {
    /// The other one.
    pub person: Person,
    /// How their keys changed, if they did and were not accepted.
    pub change: Option<KeyChange>,
    /// Stands for the very keys shown here: to be sent back with [`crate::Intent::AcceptKeys`].
    pub keys: String,
    /// 60 digits in groups of five, the same on both sides.
    pub number: String,
    /// This side's code, for the other to scan or paste.
    pub code: String,
    /// The same as a QR code.
    pub qr: Qr,
}

/// A registrar's word about a provider's licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The registrar's name.
    pub registrar: String,
    /// Since when.
    pub at: Millis,
}

/// What a grant conveys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// All compartments, and those to come.
    Everything,
    /// These compartments, with what is added to them.
    Compartments(Vec<CompartmentId>),
    /// These records only; whether with later versions of them stands beside it.
    Records(Vec<RecordId>),
}

/// What a provider asks for. A stranger knows no compartment ids, so they may ask by
/// category; the patient's answer is always a [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Everything.
    Everything,
    /// Compartments with these categories.
    Categories(Vec<Category>),
    /// What the provider already knows by id.
    Known(Scope),
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// List and open.
    pub read: bool,
    /// Add records, which wait in the drop box until the owner's client files them.
    pub append: bool,
}

/// The terms of a grant about to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// To what.
    pub scope: Scope,
    /// To do what.
    pub rights: Rights,
    /// Whether later versions of single records are granted too.
    pub follows: bool,
    /// What for; sealed.
    pub purpose: String,
    /// From now on, in days; at least 1.
    pub days: u32,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestStatus {
    /// Not answered.
    Waiting,
    /// A grant was made.
    Approved,
    /// The patient said no.
    Denied,
    /// It ran out unanswered.
    Expired,
}

/// Someone asks for access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRequest {
    /// Its id.
    pub id: RequestId,
    /// Incoming: who asks. Outgoing: who was asked.
    pub other: Person,
    /// What is asked for.
    pub wish: Wish,
    /// To do what.
    pub rights: Rights,
    /// What for, in the asker's words.
    pub purpose: String,
    /// For how long, from approval on.
    pub days: u32,
    /// When it was made.
    pub asked_at: Millis,
    /// When it runs out unanswered; `None` if it does not.
    pub expires_at: Option<Millis>,
    /// Where it stands.
    pub status: RequestStatus,
    /// Whether it was made with a one-time code of one of the person's own invitations.
    pub invited: bool,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantStatus {
    /// In force.
    Active,
    /// Not yet in force.
    Upcoming,
    /// Its time has passed.
    Expired,
    /// Withdrawn.
    Revoked {
        /// When.
        at: Millis,
    },
}

/// A grant, seen by its owner or its grantee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    /// Its id.
    pub id: GrantId,
    /// The owner sees the grantee here, the grantee the owner.
    pub other: Person,
    /// What it conveys.
    pub scope: Scope,
    /// Names of the compartments, or titles of the records, in the scope's order, as far
    /// as they are known; empty for everything.
    pub names: Vec<String>,
    /// To do what.
    pub rights: Rights,
    /// Whether later versions of single records are granted too.
    pub follows: bool,
    /// What for.
    pub purpose: String,
    /// Since when.
    pub from: Millis,
    /// Until when.
    pub until: Option<Millis>,
    /// Where it stands.
    pub status: GrantStatus,
    /// How many records it reaches now; `None` if unknown.
    pub records: Option<u32>,
}

/// A QR code: one bit per module, row by row, most significant bit first, no quiet zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qr {
    /// Modules per side.
    pub side: u16,
    /// `side * side` bits, 1 is dark; the last byte is filled up with zeros.
    pub modules: Vec<u8>,
}

/// An invitation to ask, to be handed to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// A whole address: this site's origin, then `/#/ask/…`.
    pub link: String,
    /// The link as a QR code.
    pub qr: Qr,
    /// After which the code is worth nothing.
    pub expires_at: Millis,
}

/// What a patient's link says, after it was checked against the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// The link in its plain form, to be sent back with [`crate::Intent::Ask`].
    pub link: String,
    /// Whom it leads to.
    pub patient: Person,
    /// To be compared with the patient's screen.
    pub safety_number: String,
    /// When its code runs out, where that is known.
    pub expires_at: Option<Millis>,
}

/// A patient who granted this provider something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientView {
    /// Their account.
    pub account: AccountId,
    /// Who.
    pub person: Person,
    /// What they granted, newest first.
    pub grants: Vec<GrantView>,
    /// When the last grant in force ends; `None` if none is in force or it has no end.
    pub until: Option<Millis>,
    /// Whether any grant is in force.
    pub active: bool,
    /// Whether records may be written.
    pub may_append: bool,
}
