//! The interface specification's HTTPS interface, one test per clause, refusals included. Each
//! names the section it checks. Requests no agent would send are put together by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod authentication;
mod call;
mod delegation;
mod effective;
mod encoding;
mod query;
mod raw;
mod read_state;
mod signatures;
mod status;
