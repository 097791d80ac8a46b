//! `salus record add`: files become records. A FHIR bundle becomes many, see [`super::import`];
//! other files one record, of which the first is the main content.

use super::import::{self, Imported};
use super::{AddArgs, store};
use crate::error::{Error, Result};
use crate::files;
use crate::session::Session;
use crate::text::line;
use salus_client::{Draft, PartDraft};
use salus_health::Category;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// A record that was stored.
#[derive(Clone, Serialize)]
pub(super) struct Receipt {
    pub(super) record: String,
    pub(super) version: u32,
    pub(super) title: String,
    /// Where it was filed, or is suggested to be.
    pub(super) compartment: Option<String>,
    /// Whether it waits in the patient's drop box.
    pub(super) unfiled: bool,
    /// Whether an interrupted upload was gone on with.
    pub(super) resumed: bool,
}

#[derive(Serialize)]
struct Added {
    records: Vec<Receipt>,
    /// What became of each FHIR file.
    imports: Vec<Imported>,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for import in &self.imports {
            writeln!(f, "{import}")?;
        }
        if self.records.len() == 1 || self.imports.is_empty() {
            for record in &self.records {
                let place = match &record.compartment {
                    Some(place) if record.unfiled => {
                        format!("Left in the patient's drop box, for {}", line(place))
                    }
                    None if record.unfiled => "Left in the patient's drop box".to_owned(),
                    Some(place) => format!("Added to {}", line(place)),
                    None => "Added".to_owned(),
                };
                writeln!(
                    f,
                    "{place}: {}\nRecord {}",
                    line(&record.title),
                    record.record
                )?;
            }
            return Ok(());
        }
        let mut counts = std::collections::BTreeMap::new();
        for record in &self.records {
            *counts
                .entry(record.compartment.as_deref().unwrap_or("the drop box"))
                .or_insert(0u32) += 1;
        }
        writeln!(f, "{} records added:", self.records.len())?;
        for (place, count) in counts {
            writeln!(f, "  {count:>5}  {}", line(place))?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(super) async fn run(session: &Session<'_>, arguments: &AddArgs) -> Result<()> {
    check_date(arguments.date.as_deref())?;
    let target = store::Target::find(
        session,
        arguments.patient.as_deref(),
        arguments.compartment.as_deref(),
    )
    .await?;
    let mut others: Vec<&PathBuf> = Vec::new();
    let mut bundles = Vec::new();
    for path in &arguments.files {
        match import::recognise(path, arguments.whole)? {
            Some(bundle) => bundles.push(bundle),
            None => others.push(path),
        }
    }
    let drafts: usize = bundles.iter().map(import::Bundle::records).sum();
    let records = drafts + usize::from(!others.is_empty());
    if arguments.title.is_some() && records != 1 {
        return Err(Error::usage(format!(
            "these files become {records} records: a title can be given to one only"
        )));
    }
    for bundle in &bundles {
        bundle.check_person(arguments.several_people)?;
    }
    let mut added = Added {
        records: Vec::new(),
        imports: Vec::new(),
    };
    for bundle in &mut bundles {
        if let Some(title) = &arguments.title {
            bundle.retitle(&line(title));
        }
        let (imported, mut records) = bundle.store(session, &target).await?;
        added.imports.push(imported);
        added.records.append(&mut records);
    }
    if !others.is_empty() {
        added
            .records
            .push(store_files(session, &target, arguments, &others).await?);
    }
    session.app.out.answer(&added)
}

async fn store_files(
    session: &Session<'_>,
    target: &store::Target,
    arguments: &AddArgs,
    paths: &[&PathBuf],
) -> Result<Receipt> {
    let parts = parts(paths, arguments.whole)?;
    let title = match &arguments.title {
        Some(title) => line(title),
        None => paths.first().map(|path| stem(path)).unwrap_or_default(),
    };
    let draft = Draft {
        title,
        coding: None,
        category: Some(Category::Documents.id().to_owned()),
        clinical_date: arguments.date.clone(),
        source: None,
    };
    store::add(session, target, Category::Documents, &draft, &parts).await
}

/// Files as parts, the first as main content.
pub(super) fn parts<P: AsRef<Path>>(paths: &[P], whole: bool) -> Result<Vec<PartDraft>> {
    let mut parts = Vec::with_capacity(paths.len());
    for path in paths {
        let mut part = files::part(path.as_ref())?;
        if whole && import::is_fhir(path.as_ref())? {
            part.media_type = salus_health::FHIR_JSON.to_owned();
        }
        parts.push(part);
    }
    Ok(parts)
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = line(&stem).chars().take(120).collect();
    if stem.is_empty() {
        "File".to_owned()
    } else {
        stem
    }
}

/// A date as FHIR writes one, to the day at most.
pub(super) fn check_date(date: Option<&str>) -> Result<()> {
    let Some(date) = date else {
        return Ok(());
    };
    let whole = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.to_owned(),
    };
    let digits = whole.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if digits && whole.len() == 10 && whole.parse::<jiff::civil::Date>().is_ok() {
        Ok(())
    } else {
        Err(Error::usage(format!(
            "`{date}` is not a date: write YYYY, YYYY-MM or YYYY-MM-DD"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_precise_as_they_are_known() {
        for date in ["2019", "2019-04", "2019-04-30"] {
            assert!(check_date(Some(date)).is_ok(), "{date}");
        }
        for date in [
            "",
            "19",
            "2019-4",
            "2019-13",
            "2019-02-30",
            "30.4.2019",
            "2019-04-30T10",
        ] {
            assert!(check_date(Some(date)).is_err(), "{date}");
        }
        assert!(check_date(None).is_ok());
    }
}
