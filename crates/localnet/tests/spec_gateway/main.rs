//! The HTTP gateway protocol, one test per clause, refusals included: what is served is certified,
//! and what is not certified is not served.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod serving;
mod site;
mod streaming;
