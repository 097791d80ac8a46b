//! What the engine does unasked while it is unlocked: renewing the session, looking for notifications,
//! and filing what known authors left in the drop box. Must not decide
//! anything that is the person's to decide.

use crate::failure::{Outcome, from_client};
use crate::platform::timer;
use crate::state::Engine;
use crate::{inbox, session, sharing};
use salus_client::{Authorship, CompartmentId, Notice, Unlocked};
use salus_messages::{Event, FailureKind, Topic};
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// How long between two rounds.
const BETWEEN_MS: u32 = 15_000;

/// Makes rounds for as long as the worker lives.
pub(crate) fn begin(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move {
        while timer::wait(BETWEEN_MS).await.is_ok() {
            round(&engine).await;
        }
    });
}

/// Makes a round now, beside what else is going on.
pub(crate) fn soon(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move { round(&engine).await });
}

/// Grants that follow records are extended to what was added to them, beside what else is going on.
pub(crate) fn follow(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move {
        if let Ok(unlocked) = engine.unlocked() {
            extend(&engine, &unlocked).await;
        }
    });
}

/// What fails here is made up for on the next visit.
async fn extend(engine: &Engine, unlocked: &Unlocked) {
    let followed = unlocked.follow_records().await;
    if followed.is_ok_and(|followed| !followed.extended.is_empty()) {
        engine.tell(Event::Changed(vec![Topic::Grants, Topic::Activity]));
    }
}

async fn round(engine: &Rc<Engine>) {
    if engine.unlocked.borrow().is_none() || engine.round.replace(true) {
        return;
    }
    // Nobody asked: what fails here is tried again in the next round, and fails in words where the
    // person does ask.
    let _ = look_around(engine).await;
    session::lock_if_ended(engine).await;
    engine.round.set(false);
}

async fn look_around(engine: &Rc<Engine>) -> Outcome<()> {
    session::renew(engine).await?;
    let unlocked = engine.unlocked()?;
    let account = unlocked.client().account().await.map_err(from_client)?;
    let account = account.ok_or(FailureKind::NotFound)?;
    if unlocked.has_news(&account).map_err(from_client)? {
        // Another device of the person's decided something: a way to unlock may be gone.
        unlocked.refresh().await.map_err(from_client)?;
        engine.tell(Event::Changed(vec![Topic::Security]));
    }
    let count = account.inbox;
    let before = engine.notified.get();
    if before.is_none() {
        // The first round after an unlock. Nothing depends on it.
        let _ = unlocked.note_use().await;
        if unlocked.seems_unfinished(&account).map_err(from_client)? {
            engine.tell(Event::RenewalLeft);
        }
    }
    if before == Some(count) {
        return Ok(());
    }
    let mut topics = BTreeSet::new();
    if let Some(before) = before {
        let news = unlocked.inbox(before).await.map_err(from_client)?;
        for item in &news.items {
            topics.extend(touched(&item.notice).iter().copied().map(Ordered));
        }
        topics.insert(Ordered(Topic::Inbox));
    }
    if file_waiting(&unlocked).await? > 0 {
        engine.records_changed();
        let filed = [Topic::Records, Topic::Compartments, Topic::Activity];
        topics.extend(filed.map(Ordered));
    }
    if before.is_none() || !topics.is_empty() {
        extend(engine, &unlocked).await;
    }
    engine.notified.set(Some(count));
    let store = engine.store().await?;
    let unread = inbox::unread_of(&store, &unlocked, count).await?;
    engine.tell(Event::Unread(unread));
    if !topics.is_empty() {
        let topics = topics.into_iter().map(|t| t.0).collect();
        engine.tell(Event::Changed(topics));
    }
    Ok(())
}

/// A topic that can stand in a set.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ordered(Topic);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 as u8).cmp(&(other.0 as u8))
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

const fn touched(notice: &Notice) -> &'static [Topic] {
    match notice {
        Notice::RequestReceived(_) => &[Topic::Requests, Topic::Activity],
        Notice::RequestApproved(_) | Notice::RequestDenied(_) => {
            &[Topic::Requests, Topic::Patients]
        }
        Notice::GrantReceived(_) | Notice::GrantRevoked(_) => &[Topic::Patients],
        Notice::VersionReceived(_) => &[Topic::Records, Topic::Compartments, Topic::Activity],
    }
}

/// Files what verified authors with a grant in force left in the drop box, where they suggest. What
/// carries no suggestion waits for the owner. Says how many were filed.
async fn file_waiting(unlocked: &Unlocked) -> Outcome<usize> {
    let waiting = unlocked.drop_box().await.map_err(from_client)?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let writers = sharing::writers(unlocked).await?;
    let own: Vec<CompartmentId> = unlocked
        .compartments()
        .map_err(from_client)?
        .iter()
        .map(|c| c.id)
        .collect();
    let mut orders = Vec::new();
    for item in &waiting {
        let known = item.author.authorship == Authorship::Verified
            && writers.contains(&item.author.account);
        let place = item.suggested.filter(|c| own.contains(c));
        if let (true, Some(place)) = (known, place) {
            orders.push((item, place));
        }
    }
    let mut filed = 0;
    for answer in unlocked.adopt_all(&orders).await.map_err(from_client)? {
        answer.map_err(from_client)?;
        filed += 1;
    }
    Ok(filed)
}
