//! Sending an import's records: those that are not stored yet, many in a call, noted as they arrive.
//! Must not know what they were made of.

use super::add::Receipt;
use super::import::{part, to_draft};
use super::journal::Journal;
use super::store::{self, Target};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::text::line;
use crate::watch::Watch;
use salus_client::{Arrived, Compartment, NewRecord, Progress, Stage, Stored};
use salus_health::RecordDraft;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Stores the drafts that `journal` does not have yet, and notes them there. Gives a receipt for each
/// draft.
///
/// # Errors
/// The first failure; what arrived until then is noted.
pub(super) async fn run(
    session: &Session<'_>,
    target: &Target,
    drafts: &[RecordDraft],
    journal: &mut Journal,
) -> Result<Vec<Receipt>> {
    let mut resumed: BTreeSet<usize> = (0..drafts.len())
        .filter(|at| journal.stored(*at).is_some())
        .collect();
    let sending = Sending {
        session,
        drafts,
        journal: RefCell::new(journal),
        failed: RefCell::default(),
    };
    resumed.append(&mut sending.resume(target).await?);
    let places = sending.send(target).await?;
    let journal = sending.journal.into_inner();
    let drafts = drafts.iter().zip(places).enumerate();
    Ok(drafts
        .map(|(at, (draft, compartment))| Receipt {
            record: journal.stored(at).unwrap_or_default().to_owned(),
            version: 1,
            title: draft.title.clone(),
            compartment,
            unfiled: matches!(target, Target::Patient { .. }),
            resumed: resumed.contains(&at),
        })
        .collect())
}

/// An import under way.
struct Sending<'a> {
    session: &'a Session<'a>,
    drafts: &'a [RecordDraft],
    journal: RefCell<&'a mut Journal>,
    /// Why the journal could not be written: nothing more is sent then.
    failed: RefCell<Option<Error>>,
}

impl Progress for Sending<'_> {
    fn report(&self, _: Stage, _: u64, _: u64) {
        let (done, total) = (self.journal.borrow().len(), self.drafts.len());
        let out = self.session.app.out;
        out.progress(format_args!("Sent {done} of {total} records"));
    }

    fn is_cancelled(&self) -> bool {
        self.failed.borrow().is_some()
    }
}

/// A draft that is to be sent: its position, what it is, and where it goes.
type Missing<'a, P> = (usize, &'a RecordDraft, &'a P);

impl<'a> Sending<'a> {
    /// Goes on with uploads of drafts that were interrupted; which drafts those are.
    async fn resume(&self, target: &Target) -> Result<BTreeSet<usize>> {
        let mut resumed = BTreeSet::new();
        for (at, draft, ()) in self.missing(&vec![(); self.drafts.len()]) {
            if !store::may_be_in_pieces(draft.content.len() as u64) {
                continue;
            }
            let watch = Watch::new(self.session.app.out, line(&draft.title));
            let (wanted, parts) = (to_draft(draft), [part(draft)]);
            let stored = store::resume_new(self.session, target, &wanted, &parts, &watch).await?;
            if let Some(stored) = stored {
                self.note([(at, stored)])?;
                resumed.insert(at);
            }
        }
        Ok(resumed)
    }

    /// Stores what is not stored yet. Gives the name of each draft's place.
    async fn send(&self, target: &Target) -> Result<Vec<Option<String>>> {
        let unlocked = &self.session.unlocked;
        let (sent, places) = match target {
            Target::Own { named, all } => {
                let place =
                    |draft: &RecordDraft| store::own_place(named.as_ref(), all, draft.category);
                let places = self.drafts.iter().map(place).collect::<Result<Vec<_>>>()?;
                let missing = self.missing(&places);
                let arrived = |new: &[Arrived]| self.arrived(&missing, new);
                let records = missing
                    .iter()
                    .map(|(_, draft, place)| record(draft, place.id));
                let sent = unlocked.add_records(records, &arrived, self).await;
                let name = |place: &&Compartment| Some(place.label.name.clone());
                (sent, places.iter().map(name).collect())
            }
            Target::Patient { grant, suggested } => {
                let place = |draft: &RecordDraft| {
                    store::suggestion(grant, suggested.as_ref(), draft.category).unzip()
                };
                let places: Vec<_> = self.drafts.iter().map(place).collect();
                let missing = self.missing(&places);
                let arrived = |new: &[Arrived]| self.arrived(&missing, new);
                let records = missing
                    .iter()
                    .map(|(_, draft, place)| record(draft, place.0));
                let sent = unlocked
                    .append_records(grant, records, &arrived, self)
                    .await;
                (sent, places.into_iter().map(|(_, name)| name).collect())
            }
        };
        match self.failed.take() {
            Some(error) => Err(error),
            None => sent.map(|()| places).map_err(Error::from),
        }
    }

    /// What is not stored yet.
    fn missing<'b, P>(&self, places: &'b [P]) -> Vec<Missing<'b, P>>
    where
        'a: 'b,
    {
        let journal = self.journal.borrow();
        let drafts = self.drafts.iter().zip(places).enumerate();
        drafts
            .filter(|(at, _)| journal.stored(*at).is_none())
            .map(|(at, (draft, place))| (at, draft, place))
            .collect()
    }

    /// Notes what arrived of `missing`.
    fn arrived<P>(&self, missing: &[Missing<'_, P>], new: &[Arrived]) {
        let of = |new: &Arrived| Some((missing.get(new.at)?.0, new.stored));
        if let Err(error) = self.note(new.iter().filter_map(of)) {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }

    fn note(&self, stored: impl IntoIterator<Item = (usize, Stored)>) -> Result<()> {
        let stored = stored.into_iter();
        let named = stored.map(|(at, stored)| (at, stored.record.to_string()));
        self.journal.borrow_mut().note(named)
    }
}

/// A draft as the client takes it.
fn record<P>(draft: &RecordDraft, place: P) -> NewRecord<P> {
    NewRecord {
        place,
        draft: to_draft(draft),
        parts: vec![part(draft)],
    }
}
