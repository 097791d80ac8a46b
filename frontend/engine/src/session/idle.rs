//! The idle lock: after how long it strikes, who is warned, and who is told. Must not know what counts
//! as a sign of life; the page tells.
//!
//! When somebody was last here is kept in this browser's storage, so that all tabs of an account see
//! one time, even one whose timers stood still; that a tab locked is said to the others at once.

use super::lock::{is_elsewhere, lock};
use crate::failure::{Outcome, from_platform, invalid};
use crate::platform::clock::Clock;
use crate::platform::store::{Shelf, Store};
use crate::platform::timer;
use crate::state::Engine;
use salus_client::{AccountId, Environment as _};
use salus_messages::{Event, IDLE_MINUTES};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

/// For whoever did not choose, in minutes.
const PATIENT_MINUTES: u32 = 15;
/// For whoever did not choose and is in the directory of providers: others pass by their screens.
const PROVIDER_MINUTES: u32 = 5;
/// How long before it strikes people are warned; half the time if that is shorter.
const WARNED_MS: u64 = 60_000;
/// How often is looked while nothing is near: a browser that slept ran no timers, and has to notice.
const LOOK_MS: u64 = 5_000;
/// How often while people are warned.
const COUNT_MS: u64 = 1_000;
/// How often at most a sign of life is written down.
const WRITE_MS: u64 = 2_000;

/// When somebody was last here, and how long nobody need be.
#[derive(Default)]
pub(crate) struct Idle {
    /// ms since 1970.
    active_at: Cell<u64>,
    /// What of it was last written down.
    written: Cell<u64>,
    /// What the person chose, in minutes.
    chosen: Cell<Option<u32>>,
    /// Whether the account is in the directory of providers.
    provider: Cell<bool>,
    warned: Cell<bool>,
}

impl Idle {
    /// In minutes.
    pub(super) fn minutes(&self) -> u32 {
        let unchosen = if self.provider.get() {
            PROVIDER_MINUTES
        } else {
            PATIENT_MINUTES
        };
        self.chosen.get().unwrap_or(unchosen)
    }

    pub(super) fn set_provider(&self) {
        self.provider.set(true);
    }

    /// The keys are gone: what was known of their owner is not the next one's.
    pub(crate) fn forget(&self) {
        self.chosen.take();
        self.provider.take();
        self.warned.take();
    }

    fn left_ms(&self, now: u64) -> u64 {
        // A clock that was put back starts anew: nobody was here at a time that is to come.
        self.active_at.set(self.active_at.get().min(now));
        let period = u64::from(self.minutes()) * 60_000;
        period.saturating_sub(now.saturating_sub(self.active_at.get()))
    }

    fn warn_ms(&self) -> u64 {
        WARNED_MS.min(u64::from(self.minutes()) * 30_000)
    }
}

fn chosen_key(account: AccountId) -> String {
    format!("idle-minutes:{account}")
}

fn active_key(account: AccountId) -> String {
    format!("active-at:{account}")
}

/// Looks from time to time for as long as the worker lives.
pub(crate) fn begin(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move {
        loop {
            let next = look(&engine).await;
            if timer::wait(u32::try_from(next).unwrap_or(u32::MAX))
                .await
                .is_err()
            {
                return;
            }
        }
    });
}

/// Somebody is here.
pub(crate) fn touch(engine: &Rc<Engine>) {
    let now = Clock.now_ms();
    engine.idle.active_at.set(now);
    if engine.idle.warned.take() {
        engine.tell(Event::LockingIn(None));
    }
    let Some(account) = engine.account() else {
        return;
    };
    if now.abs_diff(engine.idle.written.get()) >= WRITE_MS {
        engine.idle.written.set(now);
        let engine = engine.clone();
        spawn_local(async move {
            if let Ok(store) = engine.store().await {
                // Exact below 2^53. Unwritten, other tabs lock earlier than they need.
                let at = JsValue::from_f64(now as f64);
                let _ = store.put(Shelf::Session, &active_key(account), &at).await;
            }
        });
    }
}

/// Takes up what the person chose for this account in this browser.
pub(super) async fn recall(engine: &Engine, store: &Store, account: AccountId) -> Outcome<()> {
    let stored = store
        .get(Shelf::Session, &chosen_key(account))
        .await
        .map_err(from_platform)?;
    let minutes = stored.and_then(|v| v.as_f64()).map(|m| m as u32);
    engine
        .idle
        .chosen
        .set(minutes.filter(|m| IDLE_MINUTES.contains(m)));
    Ok(())
}

/// The person chooses.
pub(super) async fn choose(engine: &Engine, store: &Store, minutes: u32) -> Outcome<()> {
    let account = engine.unlocked()?.account();
    if !IDLE_MINUTES.contains(&minutes) {
        return Err(invalid("minutes"));
    }
    let value = JsValue::from_f64(minutes.into());
    store
        .put(Shelf::Session, &chosen_key(account), &value)
        .await
        .map_err(from_platform)?;
    engine.idle.chosen.set(Some(minutes));
    Ok(())
}

/// Locks if nobody was there for too long. Also asked before anything is carried out: a browser that
/// slept did not run its timers.
pub(crate) async fn lock_if_idle(engine: &Rc<Engine>) {
    if engine.account().is_some() && left(engine, 0).await == 0 {
        lock(engine).await;
    }
}

/// How long is left, in ms; other tabs are asked when it is no more than `near`.
async fn left(engine: &Engine, near: u64) -> u64 {
    let left = engine.idle.left_ms(Clock.now_ms());
    let Some(account) = engine.account().filter(|_| left <= near) else {
        return left;
    };
    // Where storage does not answer, there are no other tabs.
    if let Ok(store) = engine.store().await
        && let Ok(Some(at)) = store.get(Shelf::Session, &active_key(account)).await
        && let Some(at) = at.as_f64().map(|at| at as u64)
        && at <= Clock.now_ms()
    {
        let latest = engine.idle.active_at.get().max(at);
        engine.idle.active_at.set(latest);
    }
    engine.idle.left_ms(Clock.now_ms())
}

/// Locks, warns, or takes a warning back; says when to look again, in ms.
async fn look(engine: &Rc<Engine>) -> u64 {
    // Another browser may have taken this one's way to unlock, or another tab locked.
    if engine.account().is_some() && (engine.unlocked().is_err() || is_elsewhere(engine).await) {
        lock(engine).await;
    }
    if engine.account().is_none() {
        return LOOK_MS;
    }
    let near = engine.idle.warn_ms();
    let left = left(engine, near).await;
    if engine.account().is_none() {
        return LOOK_MS;
    }
    if left == 0 {
        lock(engine).await;
        return LOOK_MS;
    }
    if left <= near {
        engine.idle.warned.set(true);
        let seconds = u32::try_from(left.div_ceil(1_000)).unwrap_or(u32::MAX);
        engine.tell(Event::LockingIn(Some(seconds)));
        return COUNT_MS.min(left);
    }
    if engine.idle.warned.take() {
        engine.tell(Event::LockingIn(None));
    }
    LOOK_MS.min(left.saturating_sub(near).max(1))
}
