//! The vault canister: records, access lists, audit log and key material, all of it ciphertext,
//! public keys or signed statements. It cannot decrypt, as a fact of compilation: it does not
//! import the crate that could.

pub mod api;
pub mod canister;
pub mod rows;
pub mod runtime;
pub mod storage;
pub mod vault;

mod access;
mod audit;
mod certified;
mod grants;
mod ledger;
mod owners;
mod pairings;
mod pins;
mod rates;
mod records;
mod wire;

#[cfg(test)]
mod testing;
