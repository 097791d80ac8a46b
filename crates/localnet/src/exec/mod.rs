//! Runs canister code: engine, memories, system API. Works on what it is handed and returns what
//! changed; it never commits anything, knows no queue, no HTTP and no other canister.
//!
//! What is known to differ from the IC, beside what `weights` says of counting: code has 2 MiB of
//! stack, not 5; 64-bit memories and tail calls are refused; no storage is reserved in advance, as
//! on a subnet that is not full; a canister that cannot pay for its memory any more is frozen with
//! no cycles, not emptied; requests to the management canister and failed installations cost
//! nothing; and the canisters a composite query asks are each seen as they are when asked.

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
