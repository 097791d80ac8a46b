//! The harness of the stories: a real network, real canisters, the real command, a real browser.
//!
//! Owns starting and ending them. Must not know what a story asserts. Everything started here ends
//! with the value that started it.

pub mod browser;
pub mod built;
pub mod controller;
pub mod data;
pub mod devtools;
pub mod endpoint;
pub mod network;
pub mod page;
pub mod person;
pub mod polling;
pub mod site;
pub mod transports;
pub mod world;
