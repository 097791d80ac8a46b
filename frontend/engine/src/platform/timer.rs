//! Waiting, by the worker's own timer.

use super::PlatformError;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Waits so many milliseconds, or longer while the browser sleeps.
pub(crate) async fn wait(ms: u32) -> Result<(), PlatformError> {
    let failed = |e: JsValue| PlatformError::new("wait", &e);
    let global = js_sys::global();
    let timer: Function = Reflect::get(&global, &JsValue::from_str("setTimeout"))
        .and_then(JsCast::dyn_into)
        .map_err(failed)?;
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = timer.call2(&global, &resolve, &JsValue::from(ms)) {
            // Nothing more can be done than to end the waiting.
            let _ = reject.call1(&JsValue::NULL, &error);
        }
    });
    JsFuture::from(promise).await.map_err(failed)?;
    Ok(())
}
