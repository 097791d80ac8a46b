//! Reads DER-wrapped public keys far enough to know their kind, and writes the ones we make.
//! Knows nothing of signatures.

/// The kinds of keys that may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// RFC 8410 Ed25519.
    Ed25519,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on secp256k1.
    Secp256k1,
    /// A COSE key used through WebAuthn.
    Cose,
    /// A canister signature key.
    Canister,
}

const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_SECP256K1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x0a];
/// 1.3.6.1.4.1.56387.1.1
const OID_COSE: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01];
/// 1.3.6.1.4.1.56387.1.2
const OID_CANISTER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02];

/// The 37 bytes before a BLS12-381 G2 public key of 96 bytes.
const BLS_PREFIX: [u8; 37] = [
    0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05,
    0x03, 0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03,
    0x02, 0x01, 0x03, 0x61, 0x00,
];

/// Wraps a raw BLS public key (96 bytes) in DER.
pub(crate) fn bls_public_key(raw: &[u8]) -> Vec<u8> {
    [&BLS_PREFIX, raw].concat()
}

/// Wraps a canister id and seed as a canister-signature public key.
pub(crate) fn canister_public_key(canister: &[u8], seed: &[u8]) -> Vec<u8> {
    let mut key = vec![canister.len() as u8];
    key.extend_from_slice(canister);
    key.extend_from_slice(seed);
    let mut algorithm = vec![0x06, OID_CANISTER.len() as u8];
    algorithm.extend_from_slice(OID_CANISTER);
    let mut bits = vec![0];
    bits.extend_from_slice(&key);
    let body = [element(0x30, &algorithm), element(0x03, &bits)].concat();
    element(0x30, &body)
}

fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let len = body.len();
    if len < 0x80 {
        out.push(len as u8);
    } else if len < 0x100 {
        out.extend_from_slice(&[0x81, len as u8]);
    } else {
        out.extend_from_slice(&[0x82, (len >> 8) as u8, len as u8]);
    }
    out.extend_from_slice(body);
    out
}

/// Why bytes are not a public key this node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// Not the structure, or bytes too many.
    #[error("not the DER encoding of a SubjectPublicKeyInfo")]
    Der,
    /// Another algorithm.
    #[error("of an algorithm that is not supported")]
    Algorithm,
    /// An Ed25519 key has 32 bytes.
    #[error("an Ed25519 key has 32 bytes")]
    Ed25519,
    /// Compressed, or of the wrong length.
    #[error("a point of an elliptic curve must be given uncompressed, in 65 bytes")]
    Point,
    /// Neither id nor seed.
    #[error("not a canister's id, its length before it, and a seed")]
    Canister,
}

/// Splits a DER SubjectPublicKeyInfo into its kind and the bytes of its bit string, whose form it
/// checks; whether they are a point of the curve is the scheme's concern.
pub(crate) fn read_public_key(der: &[u8]) -> Result<(KeyKind, &[u8]), KeyError> {
    let (algorithm, key) = split(der).ok_or(KeyError::Der)?;
    let (oid, parameters) = take(algorithm, 0x06).ok_or(KeyError::Der)?;
    let kind = match oid {
        OID_ED25519 if parameters.is_empty() => KeyKind::Ed25519,
        OID_COSE if parameters.is_empty() => KeyKind::Cose,
        OID_CANISTER if parameters.is_empty() => KeyKind::Canister,
        OID_EC => match take(parameters, 0x06) {
            Some((OID_P256, [])) => KeyKind::P256,
            Some((OID_SECP256K1, [])) => KeyKind::Secp256k1,
            _ => return Err(KeyError::Algorithm),
        },
        _ => return Err(KeyError::Algorithm),
    };
    match kind {
        KeyKind::Ed25519 if key.len() != 32 => Err(KeyError::Ed25519),
        KeyKind::P256 | KeyKind::Secp256k1 if key.len() != 65 || key.first() != Some(&4) => {
            Err(KeyError::Point)
        }
        KeyKind::Canister => match key.split_first() {
            Some((&len, rest)) if len <= 29 && rest.len() >= usize::from(len) => Ok((kind, key)),
            _ => Err(KeyError::Canister),
        },
        _ => Ok((kind, key)),
    }
}

/// The algorithm and the key of a SubjectPublicKeyInfo.
fn split(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = take(der, 0x30)?;
    if !rest.is_empty() {
        return None;
    }
    let (algorithm, rest) = take(body, 0x30)?;
    let (bits, rest) = take(rest, 0x03)?;
    match bits.split_first() {
        Some((0, key)) if rest.is_empty() => Some((algorithm, key)),
        _ => None,
    }
}

/// An element's content and what follows it. Lengths must be as short as they can be.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (len, rest) = match (first, rest) {
        (0..=0x7f, _) => (usize::from(first), rest),
        (0x81, [len, rest @ ..]) if *len >= 0x80 => (usize::from(*len), rest),
        (0x82, [high, low, rest @ ..]) if *high > 0 => {
            (usize::from(*high) << 8 | usize::from(*low), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canister_key_reads_back() {
        let der = canister_public_key(&[0, 0, 0, 0, 0, 0, 0, 7, 1, 1], &[9; 32]);
        let (kind, key) = read_public_key(&der).unwrap();
        assert_eq!(kind, KeyKind::Canister);
        assert_eq!(key[0], 10);
        assert_eq!(&key[11..], &[9; 32]);
    }

    #[test]
    fn what_is_not_exactly_der_is_refused() {
        let good = canister_public_key(&[1], &[2]);
        assert!(read_public_key(&good).is_ok());
        let trailing = [good.as_slice(), &[0]].concat();
        assert_eq!(read_public_key(&trailing), Err(KeyError::Der));
        // The same length in more bytes than it needs.
        let long = [&[0x30, 0x81, good[1]], &good[2..]].concat();
        assert_eq!(read_public_key(&long), Err(KeyError::Der));
        for len in 0..good.len() {
            assert!(read_public_key(&good[..len]).is_err());
        }
    }

    #[test]
    fn keys_of_the_wrong_form_are_named() {
        let key = |oid: &[&[u8]], bits: &[u8]| {
            let oids = oid.iter().map(|oid| element(0x06, oid));
            let algorithm = element(0x30, &oids.collect::<Vec<_>>().concat());
            let bits = element(0x03, &[&[0], bits].concat());
            element(0x30, &[algorithm, bits].concat())
        };
        let read = |oid: &[&[u8]], bits: &[u8]| read_public_key(&key(oid, bits)).map(|(k, _)| k);
        assert_eq!(read(&[OID_ED25519], &[1; 32]), Ok(KeyKind::Ed25519));
        assert_eq!(read(&[OID_ED25519], &[1; 31]), Err(KeyError::Ed25519));
        let named = [OID_ED25519, OID_P256];
        assert_eq!(read(&named, &[1; 32]), Err(KeyError::Algorithm));
        for (curve, kind) in [
            (OID_P256, KeyKind::P256),
            (OID_SECP256K1, KeyKind::Secp256k1),
        ] {
            let oid = [OID_EC, curve];
            assert_eq!(read(&oid, &[4; 65]), Ok(kind));
            assert_eq!(read(&oid, &[2; 33]), Err(KeyError::Point));
            assert_eq!(read(&oid, &[2; 65]), Err(KeyError::Point));
        }
        assert_eq!(read(&[OID_EC], &[4; 65]), Err(KeyError::Algorithm));
        assert_eq!(read(&[OID_CANISTER], &[30; 40]), Err(KeyError::Canister));
        assert_eq!(read(&[OID_CANISTER], &[9; 9]), Err(KeyError::Canister));
        assert_eq!(read(&[OID_CANISTER], &[]), Err(KeyError::Canister));
        // 1.2.840.113549.1.1.1, RSA.
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        assert_eq!(read(&[&rsa], &[1; 70]), Err(KeyError::Algorithm));
    }
}
