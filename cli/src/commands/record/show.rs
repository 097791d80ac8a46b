//! `salus record show`: one version, readable, or its parts as files.

use super::ShowArgs;
use super::list::{granted_names, own_names};
use super::rows::{Filed, Record};
use crate::arrivals;
use crate::error::{Error, Kind, Result};
use crate::files::{Arriving, safe_name};
use crate::session::Session;
use crate::text::{line, shown, size, time};
use crate::watch::Watch;
use salus_client::OpenVersion;
use salus_health::{FHIR_JSON, Flag, RecordView, Row, plain_date, view};
use serde::Serialize;
use std::fmt;
use std::path::Path;
use zeroize::Zeroizing;

/// Most bytes of a text that are shown on a terminal.
const TEXT_BYTES: u64 = 256 * 1024;

#[derive(Serialize)]
struct Written {
    part: u32,
    file: String,
    bytes: u64,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: Record,
    /// The content as health data, if that is what it is.
    view: Option<RecordView>,
    /// The content, if it is plain text.
    text: Option<String>,
    /// Files written with --out.
    written: Vec<Written>,
    filed: Vec<Filed>,
    /// Whether it stands in the patient's audit trail that this was opened.
    recorded: bool,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        writeln!(f, "{}", line(&record.title))?;
        let mut about = Vec::new();
        if let Some(view) = &self.view {
            about.push(line(&view.kind));
        }
        if let Some(date) = &record.clinical_date {
            about.push(plain_date(date).unwrap_or_else(|| line(date)));
        }
        if let Some(place) = &record.compartment {
            about.push(line(place));
        }
        if record.unfiled {
            about.push("waiting to be filed".to_owned());
        }
        about.push(if record.version == record.latest {
            format!("version {}", record.version)
        } else {
            format!("version {} of {}", record.version, record.latest)
        });
        writeln!(f, "{}", about.join(" · "))?;
        writeln!(
            f,
            "Written by {} on {}",
            record.author,
            time(record.signed_at)
        )?;
        if let Some(view) = &self.view {
            content(f, view)?;
        }
        if let Some(text) = &self.text {
            writeln!(f, "\n{}", shown(text).trim_end())?;
        }
        if self.written.is_empty() {
            let attached = if self.view.is_some() || self.text.is_some() {
                1
            } else {
                0
            };
            let parts = record.parts.get(attached..).unwrap_or_default();
            if !parts.is_empty() {
                writeln!(f, "\nFiles (write them with --out DIR):")?;
            }
            for part in parts {
                writeln!(
                    f,
                    "  {}  {}  {}",
                    line(&part.name),
                    line(&part.media_type),
                    size(part.bytes)
                )?;
            }
        } else {
            writeln!(f, "\nWritten:")?;
            for file in &self.written {
                writeln!(f, "  {}  {}", line(&file.file), size(file.bytes))?;
            }
        }
        Ok(())
    }
}

fn content(f: &mut fmt::Formatter<'_>, view: &RecordView) -> fmt::Result {
    for section in &view.sections {
        writeln!(f, "\n{}", line(&section.heading))?;
        let width = section
            .rows
            .iter()
            .map(|row| line(&row.label).chars().count())
            .max()
            .unwrap_or(0)
            .min(40);
        for row in &section.rows {
            writeln!(f, "  {:width$}  {}", line(&row.label), value(row))?;
        }
    }
    if view.more_rows > 0 {
        writeln!(f, "\n({} more values)", view.more_rows)?;
    }
    if let Some(text) = &view.narrative {
        writeln!(f, "\n{}", shown(text).trim_end())?;
    }
    Ok(())
}

fn value(row: &Row) -> String {
    let mut out = line(&row.value);
    for more in [line(&row.unit)] {
        if !more.is_empty() {
            out.push(' ');
            out.push_str(&more);
        }
    }
    let flag = match row.flag {
        Some(Flag::Low) => " [low]",
        Some(Flag::High) => " [high]",
        Some(Flag::CriticallyLow) => " [critically low]",
        Some(Flag::CriticallyHigh) => " [critically high]",
        Some(Flag::Abnormal) => " [abnormal]",
        Some(Flag::Normal) | None => "",
    };
    out.push_str(flag);
    if let Some(note) = &row.note {
        out.push_str(&format!(" ({})", line(note)));
    }
    out
}

/// Runs the command.
pub(super) async fn run(session: &Session<'_>, arguments: &ShowArgs) -> Result<()> {
    let (version, record, filed, recorded) = match &arguments.patient {
        None => {
            let filed = arrivals::file_all(session).await?;
            let version = session
                .unlocked
                .open_record(arguments.id, arguments.version)
                .await?;
            let names = own_names(session)?;
            let record = Record::of(session, &version.item, |id| names.get(id).cloned());
            (version, record, filed, false)
        }
        Some(patient) => {
            let grants = session.grants_from(patient).await?;
            let (_, version) = session
                .open_granted(&grants, arguments.id, arguments.version)
                .await?;
            session
                .app
                .out
                .remark("This was recorded in the patient's audit trail.");
            let names = granted_names(&grants);
            let record = Record::of(session, &version.item, |id| names.get(id).cloned());
            (version, record, Vec::new(), true)
        }
    };
    let mut shown = Shown {
        record,
        view: None,
        text: None,
        written: Vec::new(),
        filed,
        recorded,
    };
    match &arguments.out {
        Some(folder) => shown.written = write_parts(session, &version, folder).await?,
        None => read(session, &version, &mut shown).await?,
    }
    session.app.out.answer(&shown)
}

/// The main content, if it can be shown.
async fn read(session: &Session<'_>, version: &OpenVersion, shown: &mut Shown) -> Result<()> {
    let Some(main) = version.item.descriptor.parts.first() else {
        return Ok(());
    };
    let fhir = main.media_type == FHIR_JSON && main.len <= view::MAX_VIEW_BYTES as u64;
    let text = main.media_type.starts_with("text/plain") && main.len <= TEXT_BYTES;
    if !fhir && !text {
        return Ok(());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let watch = Watch::new(session.app.out, line(&main.name));
    session
        .unlocked
        .read_part(version, 0, &watch, &mut |more| {
            bytes.extend_from_slice(more);
            Ok(())
        })
        .await?;
    drop(watch);
    if fhir {
        // What cannot be read as health data is still there as a file.
        shown.view = salus_health::view(&bytes).ok();
    } else {
        shown.text = Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(())
}

async fn write_parts(
    session: &Session<'_>,
    version: &OpenVersion,
    folder: &Path,
) -> Result<Vec<Written>> {
    std::fs::create_dir_all(folder).map_err(|error| Error::file("make", folder, &error))?;
    let mut names: Vec<String> = Vec::new();
    let mut written = Vec::new();
    for (index, part) in (0u32..).zip(&version.item.descriptor.parts) {
        let name = safe_name(&part.name, index as usize, &names);
        let path = folder.join(&name);
        let mut file = Arriving::begin(&path)?;
        let watch = Watch::new(session.app.out, line(&part.name));
        session
            .unlocked
            .read_part(version, index, &watch, &mut |bytes| file.write(bytes))
            .await?;
        file.finish()?;
        names.push(name);
        written.push(Written {
            part: index,
            file: path.display().to_string(),
            bytes: part.len,
        });
    }
    if written.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            "no_parts",
            "the record has no content",
        ));
    }
    Ok(written)
}
