//! FHIR bundles: what one holds, and the records made of it. Must not know FHIR beyond the drafts that
//! come of it.

use super::writing::{blob, of_health, own_place};
use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::files;
use crate::views;
use crate::watch::Watch;
use futures::future::ready;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use salus_client::{Arrived, NewRecord, Progress as _, Quiet, RecordItem, Unlocked};
use salus_health::{FHIR_JSON, Import, RecordDraft};
use salus_messages::{
    CompartmentId, Event, Failure, FailureKind, FileRef, ImportLine, ImportSummary, Inspection,
    Reply, Topic,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The largest file looked into for FHIR: a bundle of 64 MiB is a lifetime many times over.
const LOOK_INTO: u64 = 64 << 20;
/// Records that look alike looked into at once.
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
        *counts.entry(views::shown(draft.category)).or_default() += 1;
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

/// Makes records of a FHIR bundle, many sent together.
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
    let watch = Watch::new(task);
    let missing = missing(task, unlocked, &import.drafts, &watch).await?;
    let places = missing
        .iter()
        .map(|draft| {
            let place = chosen.or_else(|| own_place(&all, draft.category));
            place.ok_or_else(|| invalid("compartment"))
        })
        .collect::<Outcome<Vec<_>>>()?;
    let records = missing.iter().zip(places).map(|(draft, place)| {
        let (descriptor, content) = of_health(draft);
        NewRecord {
            place,
            draft: descriptor,
            parts: vec![content],
        }
    });
    let arrived = RefCell::new(Vec::new());
    let hear = |new: &[Arrived]| arrived.borrow_mut().extend_from_slice(new);
    let outcome = unlocked.add_records(records, &hear, &watch).await;
    let stored: Vec<&RecordDraft> = arrived
        .borrow()
        .iter()
        .filter_map(|new| missing.get(new.at).copied())
        .collect();
    let records = u32::try_from(stored.len()).unwrap_or(u32::MAX);
    let all = u32::try_from(import.drafts.len()).unwrap_or(u32::MAX);
    let left = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    if let Err(error) = outcome {
        let there = all.saturating_sub(left.saturating_sub(records));
        return Err(broken_off(task, from_client(error), records, there, all));
    }
    Ok(Reply::Imported(ImportSummary {
        lines: lines(stored),
        records,
        unchanged: all.saturating_sub(records),
        skipped: skipped(&import),
    })
    .into())
}

/// An import that did not come to its end: what it stored stays, and is passed over the next time.
fn broken_off(task: &Task, failure: Failure, stored: u32, there: u32, total: u32) -> Failure {
    if stored == 0 {
        return failure;
    }
    let changed = vec![Topic::Records, Topic::Compartments, Topic::Activity];
    task.engine.tell(Event::Changed(changed));
    Failure {
        kind: FailureKind::Partly {
            stored: there,
            total,
            why: Box::new(failure.kind),
        },
        ..failure
    }
}

/// The drafts of an import that are not there yet: the same bundle again, or one that was interrupted,
/// stores nothing twice.
async fn missing<'d>(
    task: &Task,
    unlocked: &Unlocked,
    drafts: &'d [RecordDraft],
    watch: &Watch,
) -> Outcome<Vec<&'d RecordDraft>> {
    let before = Before::of(task, unlocked).await?;
    stream::iter(drafts)
        .map(|draft| {
            let before = &before;
            async move {
                if watch.is_cancelled() {
                    return Err(Failure::from(FailureKind::Cancelled));
                }
                Ok((draft, before.has(draft).await?))
            }
        })
        .buffered(AT_ONCE)
        .try_filter_map(|(draft, there)| ready(Ok((!there).then_some(draft))))
        .try_collect()
        .await
}

/// What was there before an import.
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
