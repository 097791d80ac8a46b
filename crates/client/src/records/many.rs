//! Adding many records: sealed one after another, sent many in one call, a few calls at a time. Must
//! not know how a version is sealed, signed or sent.

use super::place::{Place, sources};
use super::ready::{Batch, Ready};
use super::{Base, Draft, PartDraft, Stored};
use crate::error::{ClientError, Result};
use crate::session::Unlocked;
use crate::sharing::ReceivedGrant;
use crate::surroundings::{Progress, Stage, go_on};
use futures::stream::{self, StreamExt as _};
use salus_protocol::grant::Access;
use salus_types::CompartmentId;
use std::cell::{Cell, RefCell};

/// Calls in flight: an update takes about two seconds on mainnet, however much it carries.
const IN_FLIGHT: usize = 3;

/// A record that is to be added with others.
#[derive(Clone)]
pub struct NewRecord<P> {
    /// Its compartment; in someone's drop box, the one that is suggested.
    pub place: P,
    /// What it says about itself.
    pub draft: Draft,
    /// Its parts.
    pub parts: Vec<PartDraft>,
}

/// One of many records, stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its place among the many.
    pub at: usize,
    /// What was stored.
    pub stored: Stored,
}

/// Watches for a part of the work: stops with the whole, reports nothing.
struct Within<'a>(&'a dyn Progress);

impl Progress for Within<'_> {
    fn report(&self, _: Stage, _: u64, _: u64) {}
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Records still to be sealed, and those sealed for the next call.
struct Remaining<I> {
    records: I,
    next: Batch,
}

/// Many records on their way.
struct Sending<'a> {
    unlocked: &'a Unlocked,
    stored: &'a dyn Fn(&[Arrived]),
    progress: &'a dyn Progress,
    total: u64,
    done: Cell<u64>,
    /// The first failure. After it nothing new is begun, but what is on its way is waited for.
    failed: RefCell<Option<ClientError>>,
}

impl Sending<'_> {
    fn fail(&self, error: ClientError) {
        self.failed.borrow_mut().get_or_insert(error);
    }

    /// Seals as many records as go into one call.
    async fn next<I>(&self, remaining: &mut Remaining<I>) -> Option<Batch>
    where
        I: Iterator<Item = (usize, NewRecord<Place>)>,
    {
        if self.failed.borrow().is_some() {
            return None;
        }
        for (at, record) in remaining.records.by_ref() {
            match self.seal(record).await {
                Ok(ready) if remaining.next.takes(&ready) => remaining.next.push(at, ready),
                Ok(ready) => {
                    let full = std::mem::take(&mut remaining.next);
                    remaining.next.push(at, ready);
                    if full.uploads == 0 {
                        return Some(full);
                    }
                    // Unfinished uploads are few: these end before others are begun.
                    self.deliver(full).await;
                    if self.failed.borrow().is_some() {
                        return None;
                    }
                }
                Err(error) => {
                    self.fail(error);
                    return None;
                }
            }
        }
        let last = std::mem::take(&mut remaining.next);
        (!last.items.is_empty()).then_some(last)
    }

    async fn seal(&self, record: NewRecord<Place>) -> Result<Ready> {
        go_on(self.progress)?;
        let NewRecord {
            place,
            draft,
            parts,
        } = record;
        let within = Within(self.progress);
        let base = Base::fresh()?;
        let begun = self.unlocked.begin(&place, base, &draft, &parts, &within);
        let journal = begun.await?;
        let sources = sources(&parts);
        let ready = self.unlocked.prepare(place, journal, &sources, &within);
        ready.await
    }

    async fn deliver(&self, mut batch: Batch) {
        let answers = match go_on(self.progress) {
            Ok(()) => self.unlocked.add_versions(&mut batch.items).await,
            Err(stopped) => Err(stopped),
        };
        match answers {
            Ok(answers) => {
                let mut arrived = Vec::with_capacity(answers.len());
                for (at, answer) in batch.at.iter().zip(answers) {
                    match answer {
                        Ok(stored) => arrived.push(Arrived { at: *at, stored }),
                        Err(error) => self.fail(error),
                    }
                }
                (self.stored)(&arrived);
                let done = self.done.get().saturating_add(arrived.len() as u64);
                self.done.set(done);
                self.progress.report(Stage::Uploading, done, self.total);
            }
            Err(error) => self.fail(error),
        }
    }
}

impl Unlocked {
    /// Adds records to compartments of one's own, as many in a call as fit. After each call `stored`
    /// is told what the vault acknowledged, by places among `records`, and `progress` how many
    /// records that makes.
    ///
    /// # Errors
    /// The first failure, as of [`Self::add_record`], after what was on its way has been answered:
    /// what `stored` was told of stays, and nothing else was stored unless the failure is
    /// [`ClientError::Transport`].
    pub async fn add_records<I>(
        &self,
        records: I,
        stored: &dyn Fn(&[Arrived]),
        progress: &dyn Progress,
    ) -> Result<()>
    where
        I: IntoIterator<Item = NewRecord<CompartmentId>, IntoIter: ExactSizeIterator>,
    {
        let records = records.into_iter().map(|record| NewRecord {
            place: Place::Own(record.place),
            draft: record.draft,
            parts: record.parts,
        });
        self.add_all(records, stored, progress).await
    }

    /// Writes records for someone, under a grant to append, as many in a call as fit. Else as
    /// [`Self::add_records`].
    ///
    /// # Errors
    /// As [`Self::add_records`] and [`Self::append_record`].
    pub async fn append_records<I>(
        &self,
        grant: &ReceivedGrant,
        records: I,
        stored: &dyn Fn(&[Arrived]),
        progress: &dyn Progress,
    ) -> Result<()>
    where
        I: IntoIterator<Item = NewRecord<Option<CompartmentId>>, IntoIter: ExactSizeIterator>,
    {
        grant.grant.covers(Access::Append, self.client().now())?;
        let records = records.into_iter().map(|record| NewRecord {
            place: Place::in_drop_box(grant, record.place),
            draft: record.draft,
            parts: record.parts,
        });
        self.add_all(records, stored, progress).await
    }

    async fn add_all(
        &self,
        records: impl ExactSizeIterator<Item = NewRecord<Place>>,
        stored: &dyn Fn(&[Arrived]),
        progress: &dyn Progress,
    ) -> Result<()> {
        let sending = Sending {
            unlocked: self,
            stored,
            progress,
            total: records.len() as u64,
            done: Cell::new(0),
            failed: RefCell::default(),
        };
        progress.report(Stage::Uploading, 0, sending.total);
        let begin = Remaining {
            records: records.enumerate(),
            next: Batch::default(),
        };
        let on_the_way = &sending;
        stream::unfold(begin, |mut remaining| async move {
            let batch = on_the_way.next(&mut remaining).await?;
            Some((batch, remaining))
        })
        .for_each_concurrent(IN_FLIGHT, |batch| on_the_way.deliver(batch))
        .await;
        match sending.failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
