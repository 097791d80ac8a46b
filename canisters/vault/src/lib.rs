//! The vault canister: records, access lists, audit log and key material, all of it ciphertext,
//! public keys or signed statements. It cannot decrypt, as a fact of compilation: it does not
//! import the crate that could.

pub mod storage;

#[cfg(test)]
mod testing;
