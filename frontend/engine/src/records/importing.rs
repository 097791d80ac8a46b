//! FHIR bundles: what one holds, and the records made of it. Must not know FHIR beyond the drafts that
//! come of it.

use super::writing::{blob, of_health, own_place};
use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::files;
use crate::views;
use crate::watch::Watch;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use salus_client::{Progress as _, Quiet, RecordItem, Stage, Unlocked};
use salus_health::{FHIR_JSON, Import, RecordDraft};
use salus_messages::{
    CompartmentId, Event, Failure, FailureKind, FileRef, ImportLine, ImportSummary, Inspection,
    Reply, Topic,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The largest file looked into for FHIR: a bundle of 64 MiB is a lifetime many times over.
const LOOK_INTO: u64 = 64 << 20;
/// Records of an import on their way at once: on mainnet an update takes two seconds.
const AT_ONCE: usize = 16;

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
    let before = Before::of(task, unlocked).await?;
    let stored = RefCell::new(Vec::new());
    let outcome = stream::iter(&import.drafts)
        .map(Ok::<_, Failure>)
        .try_for_each_concurrent(AT_ONCE, |draft| {
            let (watch, quiet, done, all) = (&watch, &quiet, &done, &all);
            let (before, stored) = (&before, &stored);
            async move {
                if watch.is_cancelled() {
                    return Err(Failure::from(FailureKind::Cancelled));
                }
                if !before.has(draft).await? {
                    let place = chosen
                        .or_else(|| own_place(all, draft.category))
                        .ok_or_else(|| invalid("compartment"))?;
                    let (descriptor, content) = of_health(draft);
                    unlocked
                        .add_record(place, &descriptor, &[content], quiet)
                        .await
                        .map_err(from_client)?;
                    stored.borrow_mut().push(draft);
                }
                done.set(done.get().saturating_add(1));
                watch.report(Stage::Uploading, done.get(), total);
                Ok(())
            }
        })
        .await;
    let stored = stored.into_inner();
    if let Err(failure) = outcome {
        return Err(broken_off(task, failure, !stored.is_empty()));
    }
    let records = u32::try_from(stored.len()).unwrap_or(u32::MAX);
    let all = u32::try_from(import.drafts.len()).unwrap_or(u32::MAX);
    Ok(Reply::Imported(ImportSummary {
        lines: lines(stored),
        records,
        unchanged: all.saturating_sub(records),
        skipped: skipped(&import),
    })
    .into())
}

/// An import that did not come to its end: what it stored stays, and is passed over the next time.
fn broken_off(task: &Task, mut failure: Failure, some: bool) -> Failure {
    if some {
        let changed = vec![Topic::Records, Topic::Compartments, Topic::Activity];
        task.engine.tell(Event::Changed(changed));
        if failure.kind == FailureKind::Cancelled {
            failure.message_key = "failure-import-stopped".into();
        }
    }
    failure
}

/// What was there before an import: the same bundle again, or one that was interrupted, stores nothing
/// twice.
struct Before<'a> {
    unlocked: &'a Unlocked,
    records: Rc<Vec<RecordItem>>,
}

impl<'a> Before<'a> {
    async fn of(task: &Task, unlocked: &'a Unlocked) -> Outcome<Self> {
        Ok(Self {
            unlocked,
            records: task.engine.own_records(unlocked).await?,
        })
    }

    /// Whether a record has exactly these bytes as its only part. Opened are only those that look
    /// alike in the list.
    async fn has(&self, draft: &RecordDraft) -> Outcome<bool> {
        let alike = |item: &&RecordItem| {
            let descriptor = &item.descriptor;
            descriptor.title == draft.title
                && descriptor.clinical_date == draft.clinical_date
                && matches!(descriptor.parts.as_slice(), [part]
                    if part.media_type == FHIR_JSON && part.len == draft.content.len() as u64)
        };
        for item in self.records.iter().filter(alike) {
            let opened = self.unlocked.open_record(item.record, Some(item.version));
            let opened = opened.await.map_err(from_client)?;
            let parts = self.unlocked.read_parts(&opened, &Quiet).await;
            let parts = parts.map_err(from_client)?;
            if parts.first().is_some_and(|p| **p == draft.content) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
