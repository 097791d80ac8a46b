//! What canisters answer the gateway, and arguments of management calls.
#![cfg_attr(fuzzing, no_main)]

#[macro_use]
mod target;

fn try_on(bytes: &[u8]) {
    let _ = salus_localnet::decoders::site_answer(bytes);
    let _ = salus_localnet::decoders::management_argument("install_code", bytes);
    let _ = salus_localnet::decoders::management_argument("install_chunked_code", bytes);
}

target!(try_on);
