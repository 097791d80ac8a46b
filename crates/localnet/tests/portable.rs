//! What is kept, rolled back and committed, and what kills leave, once more with memories looked at
//! as on systems other than Linux.
#![allow(
    clippy::duplicate_mod,
    reason = "the same tests, each with what it is used to"
)]

#[path = "basic.rs"]
mod basic;
#[path = "calls.rs"]
mod calls;
#[path = "chaos.rs"]
mod chaos;
#[path = "install.rs"]
mod install;
#[path = "restart.rs"]
mod restart;
