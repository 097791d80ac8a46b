//! The management canister as the interface specification has it, one test per clause, through
//! an unmodified agent and, where only canisters may call, through a canister that forwards.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

#[path = "spec_management/access.rs"]
mod access;
#[path = "spec_management/history.rs"]
mod history;
#[path = "spec_management/install.rs"]
mod install;
#[path = "spec_management/lifecycle.rs"]
mod lifecycle;
#[path = "spec_management/logs.rs"]
mod logs;
#[path = "spec_management/settings.rs"]
mod settings;
#[path = "spec_management/snapshots.rs"]
mod snapshots;
#[path = "spec_management/transfer.rs"]
mod transfer;
#[path = "spec_management/vetkd.rs"]
mod vetkd;
