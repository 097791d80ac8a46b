//! What both sides must agree on: statements and their signatures, chains, the owner ledger's fold,
//! grants and the access they give, and what a certificate says of an account.
//!
//! Pure: no clock, no randomness, no storage, no platform. Must not know how anything is encrypted.

pub mod canonical;
