//! Requests of agents: CBOR, envelopes, keys, signatures, delegations.
#![cfg_attr(fuzzing, no_main)]

#[macro_use]
mod target;

fn try_on(bytes: &[u8]) {
    let _ = salus_localnet::decoders::is_cbor(bytes);
    let _ = salus_localnet::decoders::request(bytes, 1_700_000_000_000_000_000, &[1; 96]);
}

target!(try_on);
