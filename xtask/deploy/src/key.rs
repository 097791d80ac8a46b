//! The key that controls the local canisters: an Ed25519 key in a PEM file only its owner may read,
//! in the form `dfx`, `icp` and `salus --identity FILE.pem` read too.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// PKCS#8 version 1 for Ed25519 (RFC 8410, section 7) up to the 32 bytes of the seed.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// The seed in `path`, made first if there is no such file.
pub(crate) fn load_or_make(path: &Path) -> Result<[u8; 32]> {
    if path.exists() {
        let text = fs::read_to_string(path)?;
        return parse(&text)
            .with_context(|| format!("{} is not an Ed25519 key in PEM", path.display()));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("no randomness")?;
    let mut file = create_private(path)?;
    file.write_all(print(&seed).as_bytes())?;
    Ok(seed)
}

fn create_private(path: &Path) -> Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .with_context(|| format!("could not create {}", path.display()))
}

fn print(seed: &[u8; 32]) -> String {
    let der = [PKCS8.as_slice(), seed].concat();
    format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der))
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let body: String = text
        .trim()
        .strip_prefix(BEGIN)?
        .strip_suffix(END)?
        .split_whitespace()
        .collect();
    let der = STANDARD.decode(body).ok()?;
    der.strip_prefix(&PKCS8)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_written_is_the_key_read() {
        let seed = [7; 32];
        assert_eq!(parse(&print(&seed)), Some(seed));
    }

    #[test]
    fn other_keys_are_refused() {
        assert_eq!(
            parse("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
            None
        );
        assert_eq!(parse(""), None);
    }
}
