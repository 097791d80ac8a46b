//! The engine: session, keys, agent and all cryptography, in a Web Worker.
//!
//! Owns what the page must never see. Answers the page's intents with view models. Must not know the
//! page's elements, routes or words of interface.

#[cfg(target_family = "wasm")]
mod activity;
#[cfg(target_family = "wasm")]
mod config;
#[cfg(target_family = "wasm")]
mod contacts;
#[cfg(target_family = "wasm")]
mod dispatch;
#[cfg(target_family = "wasm")]
mod failure;
#[cfg(target_family = "wasm")]
mod inbox;
// Pure, so that it is tested where tests run.
#[cfg(any(target_family = "wasm", test))]
mod moment;
#[cfg(target_family = "wasm")]
mod people;
#[cfg(target_family = "wasm")]
mod platform;
#[cfg(target_family = "wasm")]
mod providers;
#[cfg(target_family = "wasm")]
mod qr;
#[cfg(target_family = "wasm")]
mod records;
#[cfg(any(target_family = "wasm", test))]
mod refused;
#[cfg(target_family = "wasm")]
mod rounds;
#[cfg(target_family = "wasm")]
mod security;
#[cfg(target_family = "wasm")]
mod session;
#[cfg(target_family = "wasm")]
mod sharing;
#[cfg(target_family = "wasm")]
mod state;
#[cfg(target_family = "wasm")]
mod views;
#[cfg(target_family = "wasm")]
mod watch;

#[cfg(target_family = "wasm")]
pub mod exports {
    //! The two functions `worker.js` calls.

    use crate::{config, dispatch};
    use js_sys::{Array, Function, Uint8Array};
    use wasm_bindgen::prelude::*;

    /// Begins with the text of `/config.json` and the function that posts to the page.
    ///
    /// # Errors
    /// When the configuration cannot be read; the page then says that it cannot start.
    #[wasm_bindgen]
    pub fn start(config_json: &str, post: Function) -> Result<(), JsError> {
        dispatch::start(config::Config::parse(config_json)?, post);
        Ok(())
    }

    /// Takes one message of the page.
    #[wasm_bindgen]
    pub fn receive(bytes: Uint8Array, files: Array) {
        dispatch::receive(&bytes.to_vec(), &files);
    }
}
