//! The browser's clock.

use js_sys::{Function, Reflect};
use salus_client::Environment;
use wasm_bindgen::{JsCast as _, JsValue};

/// Tells the time by `Date.now()`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock;

impl Environment for Clock {
    fn now_ms(&self) -> u64 {
        // Whole and positive for any date a browser can have; the cast saturates.
        js_sys::Date::now() as u64
    }
}

/// Milliseconds by a clock that nobody sets: since this worker began. It may stand still while the
/// machine sleeps.
pub(crate) fn steady_ms() -> f64 {
    let of = |value: &JsValue, name: &str| Reflect::get(value, &JsValue::from_str(name)).ok();
    let performance = of(&js_sys::global(), "performance").unwrap_or_default();
    let now = of(&performance, "now").and_then(|now| now.dyn_into::<Function>().ok());
    now.and_then(|now| now.call0(&performance).ok()?.as_f64())
        .unwrap_or(f64::NAN)
}

/// A time as ISO 8601 in UTC, comparable as text with FHIR dates.
pub(crate) fn iso(ms: u64) -> String {
    // Exact: no date has 2^53 milliseconds. One a browser cannot have throws; it is left empty.
    let date = js_sys::Date::new(&JsValue::from_f64(ms as f64));
    if date.get_time().is_nan() {
        String::new()
    } else {
        date.to_iso_string().into()
    }
}
