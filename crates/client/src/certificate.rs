//! Certificates of the Internet Computer, verified with nothing but the root key: the Interface
//! Specification, "Certification". Serves online reads and audits exported long ago, so it has no
//! clock: how old a certificate may be is the caller's to judge. Must not know the network.

use crate::transport::CertifiedData;
use candid::Principal;
use ic_certification::hash_tree::{empty, fork, label, leaf, pruned};
use ic_certification::{HashTree, LookupResult};
use minicbor::data::Type;
use minicbor::{Decoder, decode};

/// SubjectPublicKeyInfo up to the key: BLS12-381 on curve G2 (Interface Specification,
/// "Certificate", "Verification").
const DER_PREFIX: [u8; 37] = [
    0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05,
    0x03, 0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03,
    0x02, 0x01, 0x03, 0x61, 0x00,
];
/// Domain separator of the signature over a state tree's root.
const STATE_ROOT: &[u8] = b"\x0Dic-state-root";
/// Nodes on a path at most; the IC's state trees are far flatter.
const DEPTH: u32 = 160;

/// Why a certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not the CBOR of a certificate.
    #[error("malformed certificate")]
    Malformed,
    /// The root key or a subnet's key is not a BLS key in DER.
    #[error("malformed key")]
    Key,
    /// The signature does not verify.
    #[error("the certificate's signature is not valid")]
    Signature,
    /// A delegation inside a delegation.
    #[error("too many delegations")]
    Delegations,
    /// The subnet has no authority over the canister.
    #[error("the certificate's subnet does not host the canister")]
    Authority,
    /// The tree does not show certified data or time.
    #[error("the certificate does not show the canister's certified data")]
    Missing,
}

struct Parsed<'a> {
    tree: HashTree,
    signature: &'a [u8],
    delegation: Option<(&'a [u8], &'a [u8])>,
}

/// Verifies a certificate under the root key (DER) and gives `canister`'s certified data.
///
/// # Errors
/// Any [`CertificateError`].
pub fn verify(
    certificate: &[u8],
    root_key: &[u8],
    canister: Principal,
) -> Result<CertifiedData, CertificateError> {
    let parsed = parse(certificate)?;
    let key = match parsed.delegation {
        None => root_key.to_vec(),
        Some((subnet, inner)) => subnet_key(subnet, inner, root_key, canister)?,
    };
    check_signature(&parsed, &key)?;
    let data = found(
        &parsed.tree,
        &[b"canister", canister.as_slice(), b"certified_data"],
    )?;
    let time = found(&parsed.tree, &[b"time"])?;
    Ok(CertifiedData {
        data: data.try_into().map_err(|_| CertificateError::Missing)?,
        at: leb128(time).ok_or(CertificateError::Malformed)? / 1_000_000,
    })
}

fn subnet_key(
    subnet: &[u8],
    certificate: &[u8],
    root_key: &[u8],
    canister: Principal,
) -> Result<Vec<u8>, CertificateError> {
    let parsed = parse(certificate)?;
    if parsed.delegation.is_some() {
        return Err(CertificateError::Delegations);
    }
    check_signature(&parsed, root_key)?;
    if !hosts(&parsed.tree, subnet, canister)? {
        return Err(CertificateError::Authority);
    }
    found(&parsed.tree, &[b"subnet", subnet, b"public_key"]).map(<[u8]>::to_vec)
}

/// Whether the tree assigns the canister to the subnet: by shards below `/canister_ranges/<subnet>`,
/// each labelled with its first canister, or by the older `/subnet/<subnet>/canister_ranges`.
fn hosts(tree: &HashTree, subnet: &[u8], canister: Principal) -> Result<bool, CertificateError> {
    let shard = tree
        .list_paths()
        .into_iter()
        .filter_map(|path| match path.as_slice() {
            [top, id, shard]
                if top.as_bytes() == b"canister_ranges"
                    && id.as_bytes() == subnet
                    && shard.as_bytes() <= canister.as_slice() =>
            {
                Some(shard.as_bytes().to_vec())
            }
            _ => None,
        })
        .max();
    let ranges = match &shard {
        Some(shard) => found(tree, &[b"canister_ranges", subnet, shard])?,
        None => found(tree, &[b"subnet", subnet, b"canister_ranges"])
            .map_err(|_| CertificateError::Authority)?,
    };
    let ranges = parse_ranges(ranges).map_err(|_| CertificateError::Malformed)?;
    Ok(ranges
        .iter()
        .any(|(first, last)| *first <= canister.as_slice() && canister.as_slice() <= *last))
}

/// First and last canister of a range.
type Range<'a> = (&'a [u8], &'a [u8]);

fn parse_ranges(bytes: &[u8]) -> Result<Vec<Range<'_>>, decode::Error> {
    let mut d = Decoder::new(bytes);
    skip_tag(&mut d)?;
    let count = definite(d.array()?)?;
    let mut out = Vec::new();
    for _ in 0..count {
        if definite(d.array()?)? != 2 {
            return Err(decode::Error::message("a range has two ends"));
        }
        out.push((d.bytes()?, d.bytes()?));
    }
    Ok(out)
}

fn check_signature(parsed: &Parsed<'_>, der: &[u8]) -> Result<(), CertificateError> {
    let key = der
        .strip_prefix(&DER_PREFIX)
        .filter(|k| k.len() == 96)
        .ok_or(CertificateError::Key)?;
    let mut message = STATE_ROOT.to_vec();
    message.extend_from_slice(&parsed.tree.digest());
    ic_verify_bls_signature::verify_bls_signature(parsed.signature, &message, key)
        .map_err(|()| CertificateError::Signature)
}

fn found<'a>(tree: &'a HashTree, path: &[&[u8]]) -> Result<&'a [u8], CertificateError> {
    match tree.lookup_path(path) {
        LookupResult::Found(bytes) => Ok(bytes),
        _ => Err(CertificateError::Missing),
    }
}

fn leb128(bytes: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().enumerate() {
        let shift = u32::try_from(i).ok()?.checked_mul(7)?;
        let part = u64::from(byte & 0x7f);
        let moved = part.checked_shl(shift)?;
        if moved >> shift != part {
            return None;
        }
        value |= moved;
        if byte & 0x80 == 0 {
            return (i + 1 == bytes.len()).then_some(value);
        }
    }
    None
}

fn parse(certificate: &[u8]) -> Result<Parsed<'_>, CertificateError> {
    parse_cbor(certificate).map_err(|_| CertificateError::Malformed)
}

fn parse_cbor(bytes: &[u8]) -> Result<Parsed<'_>, decode::Error> {
    let mut d = Decoder::new(bytes);
    skip_tag(&mut d)?;
    let (mut tree, mut signature, mut delegation) = (None, None, None);
    for _ in 0..definite(d.map()?)? {
        match d.str()? {
            "tree" => tree = Some(node(&mut d, DEPTH)?),
            "signature" => signature = Some(d.bytes()?),
            "delegation" => {
                let (mut subnet, mut inner) = (None, None);
                for _ in 0..definite(d.map()?)? {
                    match d.str()? {
                        "subnet_id" => subnet = Some(d.bytes()?),
                        "certificate" => inner = Some(d.bytes()?),
                        _ => d.skip()?,
                    }
                }
                delegation = Some(subnet.zip(inner).ok_or(decode::Error::end_of_input())?);
            }
            _ => d.skip()?,
        }
    }
    if d.position() != bytes.len() {
        return Err(decode::Error::message("trailing bytes"));
    }
    match (tree, signature) {
        (Some(tree), Some(signature)) => Ok(Parsed {
            tree,
            signature,
            delegation,
        }),
        _ => Err(decode::Error::end_of_input()),
    }
}

/// A certificate says that it is CBOR (RFC 8949, section 3.4.6), or nothing.
fn skip_tag(d: &mut Decoder<'_>) -> Result<(), decode::Error> {
    const SELF_DESCRIBED: u64 = 55_799;
    if d.datatype()? == Type::Tag && d.tag()?.as_u64() != SELF_DESCRIBED {
        return Err(decode::Error::message("another tag"));
    }
    Ok(())
}

fn definite(length: Option<u64>) -> Result<u64, decode::Error> {
    length.ok_or_else(|| decode::Error::message("indefinite length"))
}

fn node(d: &mut Decoder<'_>, depth: u32) -> Result<HashTree, decode::Error> {
    let malformed = || decode::Error::message("not a hash tree");
    let depth = depth.checked_sub(1).ok_or_else(malformed)?;
    let length = definite(d.array()?)?;
    match (d.u8()?, length) {
        (0, 1) => Ok(empty()),
        (1, 3) => {
            let left = node(d, depth)?;
            Ok(fork(left, node(d, depth)?))
        }
        (2, 3) => {
            let name = d.bytes()?;
            Ok(label(name, node(d, depth)?))
        }
        (3, 2) => Ok(leaf(d.bytes()?)),
        (4, 2) => <[u8; 32]>::try_from(d.bytes()?)
            .map(pruned)
            .map_err(|_| malformed()),
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_read_as_unsigned_leb128() {
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26]), Some(624_485));
        assert_eq!(leb128(&[0x80]), None);
        assert_eq!(leb128(&[0x00, 0x00]), None);
        assert_eq!(leb128(&[0xff; 11]), None);
    }

    #[test]
    fn damaged_certificates_are_refused() {
        let root = [&DER_PREFIX[..], &[0; 96]].concat();
        let vault = Principal::from_slice(&[1]);
        assert_eq!(verify(&[], &root, vault), Err(CertificateError::Malformed));
        let mut deep = Vec::new();
        deep.extend_from_slice(&[0xa2, 0x64]);
        deep.extend_from_slice(b"tree");
        deep.extend(std::iter::repeat_n([0x83, 0x01], 100_000).flatten());
        assert_eq!(
            verify(&deep, &root, vault),
            Err(CertificateError::Malformed)
        );
    }
}
