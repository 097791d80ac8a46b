//! What engines in several tabs of one browser say to each other. Must not know what it means, and
//! carries no secret.

use super::PlatformError;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

const NAME: &str = "salus";

/// The way to the other tabs.
pub(crate) struct Tabs {
    channel: BroadcastChannel,
    _hears: Closure<dyn FnMut(MessageEvent)>,
}

impl Tabs {
    /// Listens to them.
    pub(crate) fn open(hear: impl Fn(String) + 'static) -> Result<Self, PlatformError> {
        let channel = BroadcastChannel::new(NAME)
            .map_err(|e| PlatformError::new("speak to its other tabs", &e))?;
        let hears = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                hear(text);
            }
        });
        channel.set_onmessage(Some(hears.as_ref().unchecked_ref()));
        Ok(Self {
            channel,
            _hears: hears,
        })
    }

    /// Says something to all of them.
    pub(crate) fn say(&self, text: &str) -> Result<(), PlatformError> {
        self.channel
            .post_message(&text.into())
            .map_err(|e| PlatformError::new("speak to its other tabs", &e))
    }
}
