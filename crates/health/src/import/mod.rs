//! Splitting a FHIR R4 bundle into record drafts, with an account of every entry.
//!
//! Owns the shape of an import. Which resources become records, and why, is in
//! `docs/fhir-import.md` and `sort`; how they are grouped in `group`; what a draft's content is
//! in `write`. Must not know compartments' ids, keys or the network.

mod draft;
mod group;
mod label;
mod parse;
mod sort;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::category::Category;
use crate::fhir::Coding;

pub use parse::{ImportError, MAX_BYTES, MAX_ENTRIES};
pub use sort::LeftOut;

/// Bytes of resources after which a group is continued in another draft. Keeps one record's
/// content well within one upload piece (1 MiB) and quick to open.
pub const PART_BYTES: usize = 160 * 1024;

/// A record as it would be added, before anything is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDraft {
    /// The default compartment it belongs to.
    pub category: Category,
    /// Plain words, one line, at most 120 characters and an ellipsis; never empty.
    pub title: String,
    /// What it is, coded, as the source coded it.
    pub type_code: Option<Coding>,
    /// When it happened: `YYYY[-MM[-DD[Thh:mm:ss±zz:zz]]]`, exactly as the source wrote it.
    pub clinical_date: Option<String>,
    /// Who stands behind it in the source, by name: a clinician, else an organization.
    pub author: Option<String>,
    /// One line of plain words beyond the title; may be empty.
    pub summary: String,
    /// The FHIR collection Bundle that is the record's content ([`crate::FHIR_JSON`], UTF-8,
    /// no insignificant white space, the same bytes for the same input).
    pub content: Vec<u8>,
    /// Positions of its resources in the source's entries; the first is the one it is titled by.
    pub entries: Vec<usize>,
}

/// What became of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// The draft at this position is titled by it.
    Record(usize),
    /// It is part of the draft at this position.
    Grouped(usize),
    /// It is in no draft.
    LeftOut(LeftOut),
}

/// How many entries of one resource type met which fate. The three sum to the type's entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Entries a record is titled by; summed over all types this is the number of drafts.
    pub records: usize,
    /// Entries that are part of another's record.
    pub grouped: usize,
    /// Entries left out, by reason.
    pub left_out: BTreeMap<LeftOut, usize>,
}

impl Tally {
    /// All entries of the type.
    #[must_use]
    pub fn total(&self) -> usize {
        self.records + self.grouped + self.left_out.values().sum::<usize>()
    }
}

/// Everything an import says: drafts, and an account of every entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The drafts, in the order the resources that title them stand in the source.
    pub drafts: Vec<RecordDraft>,
    /// One fate per entry of the source, in its order.
    pub fates: Vec<Fate>,
    /// The fates counted by resource type; entries without a readable type are under `""`.
    pub tallies: BTreeMap<String, Tally>,
    /// Names of the people the source is about. More than one means that records of different
    /// people are mixed, which an interface should ask about before it files them.
    pub patients: Vec<String>,
}

impl Import {
    /// How many entries the source had.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.fates.len()
    }

    /// What became of all entries together, whatever their type.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total.records += tally.records;
            total.grouped += tally.grouped;
            for (reason, count) in &tally.left_out {
                *total.left_out.entry(*reason).or_default() += count;
            }
        }
        total
    }
}

/// Splits a FHIR R4 Bundle of any type, or a single resource, into record drafts.
///
/// Work and memory are linear in the input up to a constant; nothing is fetched.
///
/// # Errors
/// [`ImportError`] if the bytes are no FHIR JSON, or too large, or broken as a whole. A single
/// broken entry is no error: it is left out and counted.
pub fn import(bytes: &[u8]) -> Result<Import, ImportError> {
    let source = parse::read(bytes)?;
    let resources = source.resources();
    let labels = label::all(&resources);
    let sorted = sort::sort(&source);
    let groups = group::group(&source, &resources, &sorted);

    let mut drafts = Vec::with_capacity(groups.len());
    let mut fates: Vec<Option<Fate>> = vec![None; source.entries.len()];
    for group in groups {
        let at = drafts.len();
        for (place, &entry) in group.members.iter().enumerate() {
            if let Some(fate @ None) = fates.get_mut(entry) {
                *fate = Some(if place == 0 {
                    Fate::Record(at)
                } else {
                    Fate::Grouped(at)
                });
            }
        }
        drafts.push(draft::draft(&source, &resources, &labels, &group));
    }
    let left = |sorted: &sort::Sorted| match sorted {
        sort::Sorted::Left(reason) => *reason,
        // The only kind of entry that `group` may leave unplaced.
        _ => LeftOut::Transfer,
    };
    let fates: Vec<Fate> = fates
        .into_iter()
        .zip(&sorted)
        .map(|(fate, sorted)| fate.unwrap_or_else(|| Fate::LeftOut(left(sorted))))
        .collect();

    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (entry, fate) in source.entries.iter().zip(&fates) {
        let tally = tallies.entry(entry.kind.clone()).or_default();
        match fate {
            Fate::Record(_) => tally.records += 1,
            Fate::Grouped(_) => tally.grouped += 1,
            Fate::LeftOut(reason) => *tally.left_out.entry(*reason).or_default() += 1,
        }
    }
    let patients = resources
        .items
        .iter()
        .filter(|item| item.kind == "Patient")
        .map(|item| {
            crate::names::human(item.value).unwrap_or_else(|| "Patient without a name".to_owned())
        })
        .collect();
    Ok(Import {
        drafts,
        fates,
        tallies,
        patients,
    })
}

#[cfg(test)]
mod tests;
