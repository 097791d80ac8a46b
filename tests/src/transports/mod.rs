//! Ways to the vault for tests: the vault's own code in this process, and one that lies. Must not
//! assert anything.

mod lying;
mod native;

pub use lying::{Lies, Lying, decode_answer, encode_answer};
pub use native::{Native, Snapshot, TestClock};
