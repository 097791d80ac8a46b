//! Writing records: notes, files, FHIR bundles, new versions, and what is left in someone's drop box.

use super::opening;
use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::files;
use crate::sharing;
use crate::views;
use crate::watch::Watch;
use async_trait::async_trait;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use salus_client::{
    Coding, Draft as ClientDraft, PartDraft, PartSource, Progress as _, SourceError, Stage, Stored,
    Unlocked,
};
use salus_health::FHIR_JSON;
use salus_health::{Import, RecordDraft};
use salus_health::{Note, note_draft};
use salus_messages::{
    AccountId, CompartmentId, Draft, Failure, FailureKind, FileRef, ImportLine, ImportSummary,
    Inspection, RecordAddress, RecordKind, Reply,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use web_sys::Blob;

/// The largest file looked into for FHIR: a bundle of 64 MiB is a lifetime many times over.
const LOOK_INTO: u64 = 64 << 20;
/// Records of an import on their way at once: on mainnet an update takes two seconds.
const AT_ONCE: usize = 16;

struct BlobSource(Blob);

#[async_trait(?Send)]
impl PartSource for BlobSource {
    fn len(&self) -> u64 {
        files::len(&self.0)
    }

    async fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, SourceError> {
        let end = offset.saturating_add(len as u64);
        let bytes = files::read(&self.0, offset, end)
            .await
            .map_err(|e| SourceError(e.to_string()))?;
        if bytes.len() == len {
            Ok(bytes)
        } else {
            Err(SourceError("the file changed while it was read".into()))
        }
    }
}

/// What was stored, as the page is told.
pub(super) fn stored(stored: Stored) -> Reply {
    Reply::Stored {
        record: views::record(stored.record),
        version: stored.version,
        unfiled: stored.unfiled,
    }
}

fn blob(task: &Task, file: &FileRef) -> Outcome<Blob> {
    let found = task.files.get(file.index as usize).cloned();
    found.ok_or_else(|| invalid("file"))
}

fn attached(task: &Task, file: &FileRef) -> Outcome<PartDraft> {
    Ok(PartDraft {
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        source: Rc::new(BlobSource(blob(task, file)?)),
    })
}

fn own_place(
    all: &[salus_client::Compartment],
    filing: salus_health::Category,
) -> Option<salus_client::CompartmentId> {
    views::place(all.iter().map(|c| (c.id, &c.label)), filing)
}

async fn look_into(task: &Task, file: &FileRef) -> Outcome<Option<Import>> {
    let blob = blob(task, file)?;
    let len = files::len(&blob);
    if len > LOOK_INTO {
        return Ok(None);
    }
    let bytes = files::read(&blob, 0, len).await.map_err(from_platform)?;
    // Whatever is no FHIR is a file like any other.
    Ok(salus_health::import::import(&bytes).ok())
}

fn lines<'a>(drafts: impl IntoIterator<Item = &'a RecordDraft>) -> Vec<ImportLine> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for draft in drafts {
        *counts.entry(views::coarse(draft.category)).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(category, records)| ImportLine { category, records })
        .collect()
}

fn skipped(import: &Import) -> u32 {
    let left_out: usize = import.total().left_out.values().sum();
    u32::try_from(left_out).unwrap_or(u32::MAX)
}

/// What a file turned out to be.
pub(super) async fn inspect(task: &Task, file: &FileRef) -> Outcome<Answer> {
    Ok(Reply::Inspected(match look_into(task, file).await? {
        Some(import) if !import.drafts.is_empty() => Inspection::Fhir {
            patient: import.patients.join(", "),
            lines: lines(&import.drafts),
            skipped: skipped(&import),
        },
        _ => Inspection::Plain,
    })
    .into())
}

/// A draft of `salus-health` as the client takes it: its content is the first part.
fn of_health(draft: &RecordDraft) -> (ClientDraft, PartDraft) {
    let descriptor = ClientDraft {
        title: draft.title.clone(),
        coding: draft.type_code.as_ref().map(|c| Coding {
            system: c.system.clone(),
            code: c.code.clone(),
            display: (!c.display.is_empty()).then(|| c.display.clone()),
        }),
        category: Some(draft.category.id().to_owned()),
        clinical_date: draft.clinical_date.clone(),
        source: draft.author.clone(),
    };
    let content = PartDraft::of_bytes("content.json", FHIR_JSON, draft.content.clone());
    (descriptor, content)
}

fn compose(
    task: &Task,
    unlocked: &Unlocked,
    draft: &Draft,
) -> Outcome<(ClientDraft, Vec<PartDraft>)> {
    if draft.title.trim().is_empty() {
        return Err(invalid("title"));
    }
    let author = unlocked.profile().map_err(from_client)?.display_name;
    let (mut descriptor, content) = of_health(&note_draft(&Note {
        title: draft.title.trim(),
        text: &draft.note,
        author: &author,
        date: draft.clinical_date.as_deref().unwrap_or_default(),
    }));
    if draft.kind != RecordKind::Note {
        descriptor.category = Some(views::filing(draft.kind).id().to_owned());
        descriptor.coding = None;
    }
    let mut parts = Vec::new();
    if !draft.note.trim().is_empty() || draft.files.is_empty() {
        parts.push(content);
    }
    for file in &draft.files {
        parts.push(attached(task, file)?);
    }
    Ok((descriptor, parts))
}

/// Stores a record, one's own or in someone's drop box.
pub(super) async fn add(
    task: &Task,
    unlocked: &Unlocked,
    patient: Option<AccountId>,
    compartment: Option<CompartmentId>,
    draft: Draft,
) -> Outcome<Answer> {
    let watch = Watch::new(task);
    let (descriptor, parts) = compose(task, unlocked, &draft)?;
    let chosen: Option<salus_client::CompartmentId> = compartment
        .map(|c| views::parse("compartment", &c.0))
        .transpose()?;
    let done = match patient {
        None => {
            let all = unlocked.compartments().map_err(from_client)?;
            let place = chosen
                .or_else(|| own_place(&all, views::filing(draft.kind)))
                .ok_or_else(|| invalid("compartment"))?;
            unlocked
                .add_record(place, &descriptor, &parts, &watch)
                .await
                .map_err(from_client)?
        }
        Some(patient) => {
            let patient = views::parse("patient", &patient.0)?;
            let grant = sharing::appending_grant(unlocked, patient).await?;
            let fitting = || sharing::append_place(&grant, views::filing(draft.kind));
            let suggested = chosen.or_else(fitting);
            unlocked
                .append_record(&grant, suggested, &descriptor, &parts, &watch)
                .await
                .map_err(from_client)?
        }
    };
    Ok(stored(done).into())
}

/// Stores the next version of a record.
pub(super) async fn amend(
    task: &Task,
    unlocked: &Unlocked,
    address: &RecordAddress,
    base: u32,
    draft: Draft,
) -> Outcome<Answer> {
    let watch = Watch::new(task);
    // A newer version in between is noticed by the vault, and by its feed.
    let opened = opening::open_again(task, unlocked, address, base).await?;
    if opened.item.latest != base {
        return Err(FailureKind::Conflict.into());
    }
    let (mut descriptor, mut parts) = compose(task, unlocked, &draft)?;
    descriptor.category = opened.item.descriptor.category.clone();
    for part in &draft.keep {
        let kept = opened.item.descriptor.parts.get(*part as usize);
        let kept = kept.ok_or_else(|| invalid("keep"))?;
        let mut bytes = Vec::new();
        unlocked
            .read_part(&opened, *part, &watch, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .await
            .map_err(from_client)?;
        parts.push(PartDraft::of_bytes(&kept.name, &kept.media_type, bytes));
    }
    let done = match &address.patient {
        None => unlocked
            .amend_record(&opened.item, &descriptor, &parts, &watch)
            .await
            .map_err(from_client)?,
        Some(patient) => {
            let patient = views::parse("patient", &patient.0)?;
            let grant = sharing::appending_grant(unlocked, patient).await?;
            unlocked
                .append_version(&grant, &opened.item, &descriptor, &parts, &watch)
                .await
                .map_err(from_client)?
        }
    };
    Ok(stored(done).into())
}

/// Makes records of a FHIR bundle, several on their way at once.
pub(super) async fn import(
    task: &Task,
    unlocked: &Unlocked,
    file: &FileRef,
    compartment: Option<CompartmentId>,
) -> Outcome<Answer> {
    let import = look_into(task, file)
        .await?
        .ok_or_else(|| invalid("file"))?;
    let chosen: Option<salus_client::CompartmentId> = compartment
        .map(|c| views::parse("compartment", &c.0))
        .transpose()?;
    let all = unlocked.compartments().map_err(from_client)?;
    // The import as a whole is watched, not each of its records.
    let (watch, quiet) = (Watch::new(task), Watch::silent(task));
    let done = Cell::new(0u64);
    let total = import.drafts.len() as u64;
    watch.report(Stage::Uploading, 0, total);
    stream::iter(&import.drafts)
        .map(Ok::<_, Failure>)
        .try_for_each_concurrent(AT_ONCE, |draft| {
            let (watch, quiet, done, all) = (&watch, &quiet, &done, &all);
            async move {
                if watch.is_cancelled() {
                    return Err(Failure::from(FailureKind::Cancelled));
                }
                let place = chosen
                    .or_else(|| own_place(all, draft.category))
                    .ok_or_else(|| invalid("compartment"))?;
                let (descriptor, content) = of_health(draft);
                unlocked
                    .add_record(place, &descriptor, &[content], quiet)
                    .await
                    .map_err(from_client)?;
                done.set(done.get().saturating_add(1));
                watch.report(Stage::Uploading, done.get(), total);
                Ok(())
            }
        })
        .await?;
    Ok(Reply::Imported(ImportSummary {
        lines: lines(&import.drafts),
        records: u32::try_from(import.drafts.len()).unwrap_or(u32::MAX),
        unchanged: 0,
        skipped: skipped(&import),
    })
    .into())
}
