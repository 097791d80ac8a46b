//! Writing records: notes, files, new versions, and what is left in someone's drop box. Must not know
//! bundles.

use super::opening;
use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client, invalid};
use crate::platform::files;
use crate::sharing;
use crate::views;
use crate::watch::Watch;
use async_trait::async_trait;
use salus_client::{
    Coding, Draft as ClientDraft, PartDraft, PartSource, SourceError, Stored, Unlocked,
};
use salus_health::FHIR_JSON;
use salus_health::RecordDraft;
use salus_health::{Note, note_draft};
use salus_messages::{
    AccountId, CompartmentId, Draft, FailureKind, FileRef, RecordAddress, RecordKind, Reply,
};
use std::rc::Rc;
use web_sys::Blob;

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

pub(super) fn blob(task: &Task, file: &FileRef) -> Outcome<Blob> {
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

/// Where a record of one's own goes.
pub(super) fn own_place(
    all: &[salus_client::Compartment],
    filing: salus_health::Category,
) -> Option<salus_client::CompartmentId> {
    views::place(all.iter().map(|c| (c.id, &c.label)), filing)
}

/// A draft of `salus-health` as the client takes it: its content is the first part.
pub(super) fn of_health(draft: &RecordDraft) -> (ClientDraft, PartDraft) {
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
