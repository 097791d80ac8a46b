//! The idle lock: keys are wiped when nobody has been there for a while. Must not know what counts as
//! being there; the page tells.

use super::state;
use crate::platform::clock::Clock;
use crate::state::Engine;
use salus_client::Environment as _;
use salus_messages::Event;
use std::rc::Rc;

/// After how long: 15 minutes.
const IDLE_MS: u64 = 15 * 60_000;

/// The person is active.
pub(crate) fn touch(engine: &Engine) {
    engine.active_at.set(Clock.now_ms());
}

/// Wipes the keys if nobody was there for too long, and tells the page. Also asked before anything is
/// carried out: a browser that slept did not run its timers.
pub(crate) async fn lock_if_idle(engine: &Rc<Engine>) {
    let idle = Clock.now_ms().saturating_sub(engine.active_at.get()) >= IDLE_MS;
    if idle && engine.unlocked.borrow().is_some() {
        engine.forget_keys();
        // Whether the page hears of it or not, the keys are gone.
        if let Ok(session) = state(engine).await {
            engine.tell(Event::Session(session));
        }
    }
}
