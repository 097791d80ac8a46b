//! The browser's clock.

use salus_client::Environment;

/// Tells the time by `Date.now()`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock;

impl Environment for Clock {
    fn now_ms(&self) -> u64 {
        // Whole and positive for any date a browser can have; the cast saturates.
        js_sys::Date::now() as u64
    }
}
