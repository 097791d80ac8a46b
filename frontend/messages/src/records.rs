//! Records as the page shows them, and drafts as it hands them over.
//! Must not know FHIR: whoever makes a [`RecordView`] has already put it in words.

use crate::{AccountId, CompartmentId, Millis, Person, RecordId};
use serde::{Deserialize, Serialize};

/// Which of the starter compartments an import files into, in the order they are shown. A compartment
/// has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Category {
    /// Medicines ordered, taken, dispensed or given.
    Medications,
    /// Allergies, intolerances and adverse reactions.
    Allergies,
    /// Diagnoses, problems, family history, risks.
    Conditions,
    /// Vaccinations.
    Immunizations,
    /// Laboratory, imaging and other findings.
    Results,
    /// Vital signs and body measurements.
    Vitals,
    /// What was done, and devices used or implanted.
    Procedures,
    /// Encounters and appointments.
    Visits,
    /// Care plans, goals, orders and referrals.
    Plans,
    /// Notes, letters, images, and whatever fits nowhere else.
    Documents,
    /// Who the person is: details, contacts, social history.
    Profile,
}

/// A compartment to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCompartment {
    /// The person's name for it, in their language; sealed.
    pub name: String,
    /// What imports file here, if anything.
    pub category: Option<Category>,
}

/// A compartment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compartment {
    /// Its id.
    pub id: CompartmentId,
    /// Its sealed name, opened.
    pub name: String,
    /// What imports file here.
    pub category: Option<Category>,
    /// How many records it holds.
    pub records: u32,
    /// How many people other than the owner can read it now.
    pub readers: u32,
}

/// A record of someone's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAddress {
    /// Whose; `None`: the person's own.
    pub patient: Option<AccountId>,
    /// Which.
    pub record: RecordId,
}

/// What a record is about, for its icon and the word beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecordKind {
    /// Free text.
    Note,
    /// A letter or other document.
    Document,
    /// A condition or problem.
    Condition,
    /// An allergy or intolerance.
    Allergy,
    /// A medication or prescription.
    Medication,
    /// A vaccination.
    Immunization,
    /// Laboratory results.
    Laboratory,
    /// Vital signs.
    Vitals,
    /// A procedure.
    Procedure,
    /// A visit.
    Encounter,
    /// A plan of care, goals.
    CarePlan,
    /// Imaging.
    Imaging,
    /// Who the patient is.
    Demographics,
    /// Anything else.
    Other,
}

/// Who wrote a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The author.
    pub person: Person,
    /// Whether the signature over this version was checked against the author's key.
    pub verified: bool,
}

/// A record in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSummary {
    /// Its id.
    pub id: RecordId,
    /// Where it is filed; `None` while it waits in the drop box.
    pub compartment: Option<CompartmentId>,
    /// From the descriptor.
    pub title: String,
    /// From the descriptor.
    pub kind: RecordKind,
    /// A finer type in words, for instance "Blood count"; may be empty.
    pub type_label: String,
    /// When it happened, as a FHIR date; `None` if unknown.
    pub clinical_date: Option<String>,
    /// When this version reached the vault.
    pub added_at: Millis,
    /// Who wrote this version.
    pub author: Author,
    /// From 1.
    pub version: u32,
    /// How many files are attached.
    pub attachments: u32,
    /// It waits in the drop box: other people with access do not see it yet.
    pub unfiled: bool,
}

/// A version of a record, opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Its list entry.
    pub summary: RecordSummary,
    /// The newest version there is.
    pub latest: u32,
    /// Name of its compartment, when known to the reader.
    pub compartment_name: String,
    /// Free text; empty if there is none. Shown as written, never as markup.
    pub note: String,
    /// Structured content, in reading order.
    pub sections: Vec<Section>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Whether the person may write a new version.
    pub may_amend: bool,
}

/// A part of a record view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// May be empty.
    pub heading: String,
    /// What it holds.
    pub body: SectionBody,
}

/// What a section holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SectionBody {
    /// Label and value pairs.
    Rows(Vec<Row>),
    /// A table; every row has as many cells as there are columns.
    Table {
        /// Headings.
        columns: Vec<String>,
        /// Cells.
        rows: Vec<Vec<String>>,
    },
    /// Paragraphs.
    Text(String),
}

/// A labelled value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// With its unit.
    pub value: String,
    /// Reference range, status and the like; may be empty.
    pub remark: String,
    /// Worth a second look.
    pub flag: Option<Flag>,
}

/// Why a value is worth a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flag {
    /// Above its range.
    High,
    /// Below its range.
    Low,
    /// Otherwise out of the ordinary.
    Abnormal,
    /// Dangerous.
    Critical,
}

/// A file of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its number within the version.
    pub part: u32,
    /// File name.
    pub name: String,
    /// As the author gave it.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// One version in a record's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionSummary {
    /// From 1.
    pub version: u32,
    /// When it reached the vault.
    pub at: Millis,
    /// Who wrote it.
    pub author: Author,
    /// Its title then.
    pub title: String,
}

/// A file that travels beside a message, in its `files` array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Place in `files`.
    pub index: u32,
    /// File name.
    pub name: String,
    /// `application/octet-stream` when unknown.
    pub media_type: String,
    /// In bytes.
    pub size: u64,
}

/// A record, or a new version of one, before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Shown in lists; sealed.
    pub title: String,
    /// What it is about.
    pub kind: RecordKind,
    /// A FHIR date; `None` if the person gave none.
    pub clinical_date: Option<String>,
    /// Free text; may be empty.
    pub note: String,
    /// New files.
    pub files: Vec<FileRef>,
    /// When amending: the parts of the version before that stay attached.
    pub keep: Vec<u32>,
}

/// What a file turned out to be, before anything is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inspection {
    /// A file like any other.
    Plain,
    /// A FHIR R4 bundle or resource, which can become records of its own.
    Fhir {
        /// The patient named in it; may be empty.
        patient: String,
        /// The records it would become.
        lines: Vec<ImportLine>,
        /// How many resources would not become a record.
        skipped: u32,
    },
}

/// How many records of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportLine {
    /// Where they are filed.
    pub category: Category,
    /// How many.
    pub records: u32,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// By category, in the order of [`Category`].
    pub lines: Vec<ImportLine>,
    /// Records made.
    pub records: u32,
    /// Records that were there already and were left alone.
    pub unchanged: u32,
    /// Resources that became no record.
    pub skipped: u32,
}
