//! Keys in DER and signatures of every scheme: the first byte says how long the key is.
#![cfg_attr(fuzzing, no_main)]

#[macro_use]
mod target;

fn try_on(bytes: &[u8]) {
    let Some((&len, rest)) = bytes.split_first() else {
        return;
    };
    let (key, signature) = rest.split_at(usize::from(len).min(rest.len()));
    let _ = salus_localnet::decoders::is_public_key(key);
    let _ = salus_localnet::decoders::signature(key, b"message", signature, &[1; 96]);
}

target!(try_on);
