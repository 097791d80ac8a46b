//! Opening a version and its files. For another's record this is an audited release.

use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::files;
use crate::sharing;
use crate::views;
use crate::watch::Watch;
use salus_client::{OpenVersion, Unlocked};
use salus_health::{Flag as HealthFlag, RecordView as HealthView};
use salus_messages::{
    Attachment, FileRef, Flag, RecordAddress, RecordView, Reply, Row, Section, SectionBody,
    VersionSummary,
};
use std::rc::Rc;

/// Finds and opens a version, one's own or granted.
pub(super) async fn open(
    task: &Task,
    unlocked: &Unlocked,
    address: &RecordAddress,
    version: Option<u32>,
) -> Outcome<OpenVersion> {
    let record = views::parse("record", &address.record.0)?;
    match &address.patient {
        None => unlocked
            .open_record(record, version)
            .await
            .map_err(from_client),
        Some(patient) => {
            let patient = views::parse("patient", &patient.0)?;
            sharing::open_granted(task, unlocked, patient, record, version).await
        }
    }
}

/// As [`open`], but what was opened a moment ago is not released again.
pub(super) async fn open_again(
    task: &Task,
    unlocked: &Unlocked,
    address: &RecordAddress,
    version: u32,
) -> Outcome<Rc<OpenVersion>> {
    let known = task.engine.found.borrow().opened.clone();
    match known {
        Some((at, opened)) if at == *address && opened.item.version == version => Ok(opened),
        _ => Ok(Rc::new(open(task, unlocked, address, Some(version)).await?)),
    }
}

/// An opened version as the page shows it.
pub(super) async fn view(
    task: &Task,
    unlocked: &Unlocked,
    address: &RecordAddress,
    version: Option<u32>,
) -> Outcome<Answer> {
    let watch = Watch::new(task);
    let opened = Rc::new(open(task, unlocked, address, version).await?);
    task.engine.found.borrow_mut().opened = Some((address.clone(), opened.clone()));
    let content = if views::has_content(&opened.item) {
        let mut bytes = Vec::new();
        unlocked
            .read_part(&opened, 0, &watch, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .await
            .map_err(from_client)?;
        // What cannot be shown as health data can still be saved as a file.
        salus_health::view::view(&bytes).ok()
    } else {
        None
    };
    let compartment_name = match (&address.patient, opened.item.compartment) {
        (None, Some(id)) => unlocked
            .compartments()
            .map_err(from_client)?
            .into_iter()
            .find(|c| c.id == id)
            .map(|c| c.label.name)
            .unwrap_or_default(),
        _ => String::new(),
    };
    let may_amend = match &address.patient {
        None => opened.item.compartment.is_some() && opened.item.version == opened.item.latest,
        Some(patient) => {
            let patient = views::parse("patient", &patient.0)?;
            sharing::may_append(unlocked, patient).await?
        }
    };
    Ok(Reply::Record(Box::new(record_view(
        &opened,
        content,
        compartment_name,
        may_amend,
    )))
    .into())
}

fn record_view(
    opened: &OpenVersion,
    content: Option<HealthView>,
    compartment_name: String,
    may_amend: bool,
) -> RecordView {
    let shown = content.is_some();
    let attachments = (0u32..)
        .zip(&opened.item.descriptor.parts)
        .filter(|(part, _)| *part > 0 || !shown)
        .map(|(part, p)| Attachment {
            part,
            name: p.name.clone(),
            media_type: p.media_type.clone(),
            size: p.len,
        })
        .collect();
    let (note, sections) = match content {
        Some(view) => (
            view.narrative.unwrap_or_default(),
            view.sections.into_iter().map(section).collect(),
        ),
        None => (String::new(), Vec::new()),
    };
    RecordView {
        summary: views::summary(&opened.item),
        latest: opened.item.latest,
        compartment_name,
        note,
        sections,
        attachments,
        may_amend,
    }
}

fn section(section: salus_health::Section) -> Section {
    let rows = section
        .rows
        .into_iter()
        .map(|row| Row {
            label: row.label,
            value: [row.value, row.unit].join(" ").trim().to_owned(),
            remark: row.note.unwrap_or_default(),
            flag: row.flag.and_then(flag),
        })
        .collect();
    Section {
        heading: section.heading,
        body: SectionBody::Rows(rows),
    }
}

const fn flag(flag: HealthFlag) -> Option<Flag> {
    match flag {
        HealthFlag::Normal => None,
        HealthFlag::Low => Some(Flag::Low),
        HealthFlag::High => Some(Flag::High),
        HealthFlag::CriticallyLow | HealthFlag::CriticallyHigh => Some(Flag::Critical),
        HealthFlag::Abnormal => Some(Flag::Abnormal),
    }
}

/// All versions of one's own record. A grantee sees the version the grant leads to.
pub(super) async fn history(unlocked: &Unlocked, address: &RecordAddress) -> Outcome<Answer> {
    if address.patient.is_some() {
        return Ok(Reply::History(Vec::new()).into());
    }
    let record = views::parse("record", &address.record.0)?;
    let versions = unlocked.history(record).await.map_err(from_client)?;
    Ok(Reply::History(
        versions
            .iter()
            .map(|item| VersionSummary {
                version: item.version,
                at: item.at,
                author: views::author(&item.author),
                title: item.descriptor.title.clone(),
            })
            .collect(),
    )
    .into())
}

/// One file of a version, for the page to offer.
pub(super) async fn download(
    task: &Task,
    unlocked: &Unlocked,
    address: &RecordAddress,
    version: u32,
    part: u32,
) -> Outcome<Answer> {
    let watch = Watch::new(task);
    let opened = open_again(task, unlocked, address, version).await?;
    let mut bytes = Vec::new();
    unlocked
        .read_part(&opened, part, &watch, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .await
        .map_err(from_client)?;
    let named = opened.item.descriptor.parts.get(part as usize);
    let file = FileRef {
        index: 0,
        name: named.map(|p| p.name.clone()).unwrap_or_default(),
        media_type: named.map(|p| p.media_type.clone()).unwrap_or_default(),
        size: bytes.len() as u64,
    };
    Ok(Answer {
        reply: Reply::File(file),
        files: vec![files::make(&bytes).map_err(from_platform)?],
    })
}
