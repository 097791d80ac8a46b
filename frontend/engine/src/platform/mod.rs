//! What the engine needs of the browser: a place to remember, keys that cannot be read out, files,
//! other tabs and the time. Must not know accounts, records or the page.

pub(crate) mod clock;
pub(crate) mod files;
pub(crate) mod held_keys;
pub(crate) mod store;
pub(crate) mod tabs;
pub(crate) mod timer;

use wasm_bindgen::JsValue;

/// The browser refused something it should be able to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the browser could not {doing}: {reason}")]
pub(crate) struct PlatformError {
    doing: &'static str,
    reason: String,
}

impl PlatformError {
    /// What was being done, and what the browser said.
    pub(crate) fn new(doing: &'static str, reason: &JsValue) -> Self {
        let message = js_sys::Reflect::get(reason, &JsValue::from_str("message"))
            .ok()
            .and_then(|m| m.as_string())
            .or_else(|| reason.as_string());
        Self {
            doing,
            reason: message.unwrap_or_else(|| "no reason given".into()),
        }
    }

    fn from_text(doing: &'static str, reason: impl ToString) -> Self {
        Self {
            doing,
            reason: reason.to_string(),
        }
    }
}
