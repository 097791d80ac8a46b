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

/// A time as ISO 8601 in UTC, comparable as text with FHIR dates.
pub(crate) fn iso(ms: u64) -> String {
    // Exact: no date has 2^53 milliseconds. One a browser cannot have throws; it is left empty.
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(ms as f64));
    if date.get_time().is_nan() {
        String::new()
    } else {
        date.to_iso_string().into()
    }
}
