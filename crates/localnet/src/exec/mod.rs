//! Runs canister code: engine, memories, system API. Works on what it is handed and returns what
//! changed; it never commits anything, knows no queue, no HTTP and no other canister.

pub(crate) mod backing;
mod changes;
mod checks;
mod code;
pub(crate) mod engine;
pub(crate) mod host;
mod imports;
mod layers;
pub(crate) mod memory;
mod mode;
pub(crate) mod module;
mod pages;
pub(crate) mod pool;
pub(crate) mod prices;
pub(crate) mod room;
pub(crate) mod run;
pub(crate) mod stable;
pub(crate) mod trap;
mod weights;
