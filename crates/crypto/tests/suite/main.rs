//! The behaviour of salus-crypto: published vectors, golden files, and every way we know to offer a
//! wrong text. Each refusal is named by its defect.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the tests' own functions may fail a test"
)]

mod contexts;
mod envelopes;
mod fixture;
mod golden;
mod hierarchy;
mod hpke;
mod notes;
mod pad;
mod passphrases;
mod records;
mod seal;
mod second;
mod slots;
mod swaps;
mod vectors;
