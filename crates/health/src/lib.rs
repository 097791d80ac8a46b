//! Health data as people and software exchange it: FHIR R4 in, records and views out.
//!
//! Pure: no clock, no randomness, no I/O, no other crate of this workspace. It knows nothing of
//! keys, canisters, compartments' ids or who may read what; it turns bytes into drafts and drafts
//! into words. Everything it reads may be hostile, so every function here is total, bounded by the
//! size of its input, and clips what it hands to an interface.
//!
//! - [`import()`] splits a FHIR bundle into [`RecordDraft`]s and accounts for every entry.
//! - [`view()`] turns a record's content into rows and text an interface can show.
//! - [`medication_list`] gathers what a person takes; [`note()`] writes a note as FHIR.
//! - [`demo`] makes up two patients.
//! - [`Category`] names the compartments a new patient starts with.

mod category;
mod dates;
pub mod demo;
mod fhir;
pub mod import;
mod medications;
mod names;
mod narrative;
mod note;
mod observation;
mod quantity;
mod resources;
mod titles;
pub mod view;
mod words;

pub use category::Category;
pub use dates::plain_date;
pub use fhir::Coding;
pub use import::{Import, ImportError, RecordDraft, import};
pub use medications::{MedicationLine, medication_list};
pub use note::{Note, note, note_draft};

pub use view::{Flag, RecordView, Row, Section, ViewError, view};

/// Media type of every FHIR record's content, as registered for FHIR's JSON format.
pub const FHIR_JSON: &str = "application/fhir+json";
