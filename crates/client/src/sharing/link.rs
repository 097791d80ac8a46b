//! The link by which a patient lets someone ask: `salus:ask/<text>`, or any address that ends in
//! `#/ask/<text>`, or the text alone.
//!
//! text = base64url without padding (RFC 4648) of: version `0x01` ‖ vault (length byte, then bytes)
//! ‖ patient's principal (length byte, then bytes) ‖ genesis fingerprint (32) ‖ code (length byte,
//! then bytes; length 0 if there is none) ‖ first 4 bytes of the labelled SHA-256 of all before.
//! Must not know what the code opens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use candid::Principal;
use salus_protocol::statement::labelled_hash;
use salus_types::Hash;
use std::fmt;
use std::str::FromStr;

const VERSION: u8 = 1;
const CHECK_LABEL: &str = "salus/v1/link";
const CHECK_LEN: usize = 4;
/// Bytes of a one-time code.
pub(crate) const CODE_LEN: usize = 16;
/// A code may grow in a later version.
const CODE_LIMIT: usize = 64;

/// Why a text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a link at all.
    #[error("this is not a link to ask for access")]
    Malformed,
    /// A character is wrong or missing.
    #[error("the link is damaged: a character is wrong or missing")]
    Damaged,
    /// Made by a newer version.
    #[error("the link was made by a newer version")]
    Version,
    /// Leads to another vault.
    #[error("the link leads to another vault")]
    OtherVault,
}

/// What a patient hands to whoever may ask.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The vault canister.
    pub vault: Principal,
    /// A principal of the patient.
    pub patient: Principal,
    /// The patient's genesis fingerprint.
    pub genesis: Hash,
    /// A one-time code, if it is an invitation.
    pub code: Option<Vec<u8>>,
}

impl Link {
    /// The text that stands in every form of the link.
    pub fn to_text(&self) -> String {
        let mut bytes = vec![VERSION];
        put(&mut bytes, self.vault.as_slice());
        put(&mut bytes, self.patient.as_slice());
        bytes.extend_from_slice(self.genesis.as_bytes());
        put(&mut bytes, self.code.as_deref().unwrap_or_default());
        let check = labelled_hash(CHECK_LABEL, &bytes);
        bytes.extend(check.0.iter().take(CHECK_LEN));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// As an address of the website at `origin`, for instance `https://example.org`.
    pub fn to_address(&self, origin: &str) -> String {
        format!("{}/#/ask/{}", origin.trim_end_matches('/'), self.to_text())
    }
}

fn put(out: &mut Vec<u8>, field: &[u8]) {
    // Principals have at most 29 bytes, codes 64.
    out.push(u8::try_from(field.len()).unwrap_or(0));
    out.extend_from_slice(field);
}

fn take<'a>(bytes: &mut &'a [u8], limit: usize) -> Result<&'a [u8], LinkError> {
    let (len, rest) = bytes.split_first().ok_or(LinkError::Malformed)?;
    let len = usize::from(*len);
    if len > limit {
        return Err(LinkError::Malformed);
    }
    let (field, rest) = rest.split_at_checked(len).ok_or(LinkError::Malformed)?;
    *bytes = rest;
    Ok(field)
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let text = match text.rsplit_once("ask/") {
            Some((_, text)) => text,
            None => text,
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|_| LinkError::Malformed)?;
        match bytes.first() {
            Some(&VERSION) => {}
            Some(version) if *version > VERSION && *version < 32 => {
                return Err(LinkError::Version);
            }
            _ => return Err(LinkError::Malformed),
        }
        let (body, check) = bytes
            .split_last_chunk::<CHECK_LEN>()
            .ok_or(LinkError::Malformed)?;
        if !labelled_hash(CHECK_LABEL, body).0.starts_with(check) {
            return Err(LinkError::Damaged);
        }
        let mut rest = body.get(1..).ok_or(LinkError::Malformed)?;
        let principal =
            |bytes: &[u8]| Principal::try_from_slice(bytes).map_err(|_| LinkError::Malformed);
        let vault = principal(take(&mut rest, 29)?)?;
        let patient = principal(take(&mut rest, 29)?)?;
        let (genesis, after) = rest.split_first_chunk::<32>().ok_or(LinkError::Malformed)?;
        rest = after;
        let code = take(&mut rest, CODE_LIMIT)?;
        if rest.is_empty() {
            Ok(Self {
                vault,
                patient,
                genesis: Hash(*genesis),
                code: (!code.is_empty()).then(|| code.to_vec()),
            })
        } else {
            Err(LinkError::Malformed)
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "salus:ask/{}", self.to_text())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(to {} at {})", self.patient, self.vault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(code: Option<Vec<u8>>) -> Link {
        Link {
            vault: Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1]),
            patient: Principal::self_authenticating([9; 32]),
            genesis: Hash([3; 32]),
            code,
        }
    }

    #[test]
    fn every_form_of_a_link_is_read() {
        for code in [None, Some(vec![5; CODE_LEN])] {
            let link = link(code);
            let forms = [
                link.to_string(),
                link.to_text(),
                link.to_address("https://example.org/"),
                format!("  {link}\n"),
            ];
            for form in forms {
                assert_eq!(form.parse(), Ok(link.clone()), "{form}");
            }
        }
    }

    #[test]
    fn damage_is_noticed() {
        let text = link(Some(vec![5; CODE_LEN])).to_text();
        let mut refused = 0;
        for i in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[i] = if other[i] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap_or_default();
            let read: Result<Link, LinkError> = other.parse();
            assert!(read.is_err(), "{other}");
            refused += 1;
        }
        assert_eq!(refused, text.len());
        assert!("".parse::<Link>().is_err());
        assert!("salus:ask/".parse::<Link>().is_err());
    }
}
