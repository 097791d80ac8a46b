//! Another network that the stories are to be told on, named by `SALUS_TEST_URL`.
//!
//! It must let anyone create canisters, as local networks do. What only our own local network lets
//! tests do is not tried there.

use crate::polling;
use anyhow::{Context, Result, bail};

/// The address of the network.
pub const VARIABLE: &str = "SALUS_TEST_URL";

/// The network's address without a slash at the end, when one is named.
pub fn named() -> Option<String> {
    let url = std::env::var(VARIABLE).ok()?;
    Some(url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty())
}

/// The root key the network says it has, DER.
///
/// # Errors
/// When there is no network or it does not say.
pub fn root_key(url: &str) -> Result<Vec<u8>> {
    let status = polling::get(url, "/api/v2/status")
        .with_context(|| format!("{VARIABLE} names {url}, which does not answer"))?;
    read_root_key(&status).with_context(|| format!("the status of {url}"))
}

fn read_root_key(status: &[u8]) -> Result<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(status);
    if decoder.datatype()? == minicbor::data::Type::Tag {
        decoder.tag()?;
    }
    let entries = decoder.map()?.unwrap_or(u64::MAX);
    for _ in 0..entries {
        if decoder.datatype()? == minicbor::data::Type::Break {
            break;
        }
        if decoder.str()? == "root_key" {
            return Ok(decoder.bytes()?.to_vec());
        }
        decoder.skip()?;
    }
    bail!("has no root key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_key_is_found_wherever_it_stands() {
        let mut status = vec![0xd9, 0xd9, 0xf7, 0xa2];
        status.extend(b"\x66status\x67healthy\x68root_key\x43abc");
        assert_eq!(read_root_key(&status).ok(), Some(b"abc".to_vec()));
        assert!(read_root_key(b"\xa1\x66status\x67healthy").is_err());
    }
}
