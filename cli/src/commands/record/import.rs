//! FHIR R4 files: recognised, split into records by `salus-health`, and stored, each where it
//! belongs. An import that was interrupted goes on with what is missing when it is run again. Must
//! not know FHIR itself; which resources become records stands in `docs/fhir-import.md`.

use super::add::Receipt;
use super::journal::Journal;
use super::sending;
use super::store::Target;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::home;
use crate::session::Session;
use crate::text::{count, line};
use salus_client::{Coding, Draft, PartDraft};
use salus_health::import::{Import, MAX_BYTES};
use salus_health::{FHIR_JSON, RecordDraft, import};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;

/// Name of the one part of an imported record.
pub(super) const PART_NAME: &str = "record.fhir.json";

/// A FHIR file, split.
pub(super) struct Bundle {
    file: String,
    hash: String,
    import: Import,
}

/// What became of a file.
#[derive(Serialize)]
pub(super) struct Imported {
    file: String,
    /// Entries of the file.
    entries: usize,
    /// Records made of them.
    records: usize,
    /// Entries that became part of another's record.
    grouped: usize,
    left_out: Vec<LeftOut>,
    /// Records that an earlier, interrupted run had stored.
    stored_before: usize,
}

/// Entries that became no record.
#[derive(Serialize)]
struct LeftOut {
    resource_type: String,
    count: usize,
    reason: &'static str,
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: of {} entries, {}",
            line(&self.file),
            self.entries,
            count(self.records, "record")
        )?;
        if self.stored_before > 0 {
            write!(f, " ({} stored by an earlier run)", self.stored_before)?;
        }
        if self.left_out.is_empty() {
            return Ok(());
        }
        write!(f, "\nLeft out:")?;
        for left in &self.left_out {
            let kind = if left.resource_type.is_empty() {
                "(no type)"
            } else {
                &left.resource_type
            };
            write!(f, "\n  {:>5}  {}: {}", left.count, line(kind), left.reason)?;
        }
        Ok(())
    }
}

/// Whether a file is FHIR, without splitting it.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_fhir(path: &Path) -> Result<bool> {
    match read(path)? {
        Some(bytes) => Ok(import(&bytes).is_ok()),
        None => Ok(false),
    }
}

/// The file as a bundle, if it is FHIR.
///
/// # Errors
/// When it cannot be read, or is FHIR that is broken as a whole.
pub(super) fn recognise(path: &Path, whole: bool) -> Result<Option<Bundle>> {
    if whole {
        return Ok(None);
    }
    let Some(bytes) = read(path)? else {
        return Ok(None);
    };
    match import(&bytes) {
        Ok(import) if import.drafts.is_empty() => Err(Error::new(
            Kind::Other,
            "nothing_to_import",
            format!("{} holds nothing that could be a record", path.display()),
        )
        .hint("keep it as it is with --whole")),
        Ok(import) => Ok(Some(Bundle {
            file: files::name_of(path),
            hash: hex::encode(Sha256::digest(&bytes)),
            import,
        })),
        Err(error) if error.is_other_file() => Ok(None),
        Err(error) => Err(Error::new(
            Kind::Other,
            "import",
            format!("{}: {error}", path.display()),
        )
        .hint("keep it as it is with --whole")),
    }
}

/// The bytes of what could be FHIR: JSON that is not too large.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let about = std::fs::metadata(path).map_err(|error| Error::file("read", path, &error))?;
    if !about.is_file() {
        return Err(Error::usage(format!("{} is not a file", path.display())));
    }
    let json = path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if !json && about.len() > MAX_BYTES as u64 {
        return Ok(None);
    }
    let bytes = home::read(path)?.unwrap_or_default();
    let first = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&bytes)
        .iter()
        .find(|b| !b.is_ascii_whitespace());
    Ok((first == Some(&b'{')).then_some(bytes))
}

impl Bundle {
    /// How many records it becomes.
    pub(super) fn records(&self) -> usize {
        self.import.drafts.len()
    }

    /// The only draft, if it is the only one.
    pub(super) fn only(&self) -> Option<&RecordDraft> {
        match self.import.drafts.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Refuses what is about several people, unless it is wanted.
    ///
    /// # Errors
    /// [`Kind::Usage`]
    pub(super) fn check_person(&self, several: bool) -> Result<()> {
        if several || self.import.patients.len() <= 1 {
            return Ok(());
        }
        Err(Error::new(
            Kind::Usage,
            "several_people",
            format!("{} is about several people", line(&self.file)),
        )
        .candidates(self.import.patients.clone())
        .hint("import it nevertheless with --several-people"))
    }

    /// Gives its records another title.
    pub(super) fn retitle(&mut self, title: &str) {
        for draft in &mut self.import.drafts {
            title.clone_into(&mut draft.title);
        }
    }

    /// Stores its records.
    ///
    /// # Errors
    /// The first failure; what was stored until then stays, and is not stored again next time.
    pub(super) async fn store(
        &self,
        session: &Session<'_>,
        target: &Target,
    ) -> Result<(Imported, Vec<Receipt>)> {
        let drafts = &self.import.drafts;
        let mut journal = Journal::open(session, target, &self.hash, drafts).await?;
        let stored_before = journal.len();
        let sent = sending::run(session, target, drafts, &mut journal).await;
        session.app.out.clear();
        match sent {
            Ok(receipts) => {
                journal.end();
                Ok((self.imported(stored_before), receipts))
            }
            Err(error) => Err(Error {
                hint: Some(format!(
                    "{} of {} records are stored; run the same command again for the rest",
                    journal.len(),
                    drafts.len()
                )),
                ..error
            }),
        }
    }

    fn imported(&self, stored_before: usize) -> Imported {
        let mut left_out = Vec::new();
        let (mut records, mut grouped) = (0, 0);
        for (kind, tally) in &self.import.tallies {
            records += tally.records;
            grouped += tally.grouped;
            for (reason, count) in &tally.left_out {
                left_out.push(LeftOut {
                    resource_type: kind.clone(),
                    count: *count,
                    reason: reason.reason(),
                });
            }
        }
        Imported {
            file: self.file.clone(),
            entries: self.import.entries(),
            records,
            grouped,
            left_out,
            stored_before,
        }
    }
}

/// A draft's sealed description.
pub(super) fn to_draft(draft: &RecordDraft) -> Draft {
    Draft {
        title: draft.title.clone(),
        coding: draft.type_code.as_ref().map(|code| Coding {
            system: code.system.clone(),
            code: code.code.clone(),
            display: Some(code.display.clone()).filter(|display| !display.is_empty()),
        }),
        category: Some(draft.category.id().to_owned()),
        clinical_date: draft.clinical_date.clone(),
        source: Some(match &draft.author {
            Some(author) => format!("{author}, from a FHIR file"),
            None => "A FHIR file".to_owned(),
        }),
    }
}

/// A draft's content.
pub(super) fn part(draft: &RecordDraft) -> PartDraft {
    PartDraft::of_bytes(PART_NAME, FHIR_JSON, draft.content.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    const CONDITION: &str = r#"{"resourceType":"Condition","code":{"text":"Asthma"},
        "onsetDateTime":"2019-04"}"#;

    #[test]
    fn fhir_is_recognised_by_content_not_by_name() {
        let (_folder, path) = file("export.dat", CONDITION.as_bytes());
        let bundle = recognise(&path, false).unwrap().unwrap();
        let draft = to_draft(bundle.only().unwrap());
        assert_eq!(draft.title, "Asthma");
        assert_eq!(draft.category.as_deref(), Some("conditions"));
        assert_eq!(draft.clinical_date.as_deref(), Some("2019-04"));
        assert!(recognise(&path, true).unwrap().is_none());
        assert!(is_fhir(&path).unwrap());
    }

    #[test]
    fn other_files_are_kept_and_broken_fhir_is_not_taken_for_one() {
        for (name, bytes) in [
            ("a.json", br#"{"a":1}"#.as_slice()),
            ("b.json", b"{"),
            ("c.pdf", b"%PDF-1.7"),
            ("d.txt", b""),
        ] {
            let (_folder, path) = file(name, bytes);
            assert!(recognise(&path, false).unwrap().is_none(), "{name}");
        }
        let broken = br#"{"resourceType":"Bundle","type":"collection","entry":7}"#;
        let (_folder, path) = file("x.json", broken);
        assert!(recognise(&path, false).is_err());
    }

    #[test]
    fn several_people_are_not_mixed_unnoticed() {
        let bundle = br#"{"resourceType":"Bundle","type":"collection","entry":[
            {"resource":{"resourceType":"Patient","id":"a","name":[{"text":"Ana"}]}},
            {"resource":{"resourceType":"Patient","id":"b","name":[{"text":"Bo"}]}}]}"#;
        let (_folder, path) = file("x.json", bundle);
        let bundle = recognise(&path, false).unwrap().unwrap();
        let error = bundle.check_person(false).unwrap_err();
        assert_eq!(error.candidates.len(), 2);
        assert!(bundle.check_person(true).is_ok());
    }
}
