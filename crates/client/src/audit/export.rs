//! An audit trail as a file: canonical CBOR, a map of numbered fields.
//!
//! | key | value |
//! |---|---|
//! | 0 | format, `1` |
//! | 1 | vault canister, bytes |
//! | 2 | account, 16 bytes |
//! | 3 | genesis fingerprint, 32 bytes |
//! | 4 | the account's dense number |
//! | 5 | entries in order: `[0, [bytes of an AuditEntry]]`, or `[1, [its SHA-256]]` where it is hidden |
//! | 6 | names: maps of 0 pseudonym, 1 account, 2 salt |
//! | 7 | the network's certificate |
//! | 8 | witness from the certified data to the account's leaves |
//! | 9 | the root key it verifies under, DER |
//!
//! Verification needs neither network nor clock. Must not know keys.

use super::{Trail, Verification, check_names};
use crate::certificate::{self, CertificateError};
use crate::client::Client;
use crate::error::{Chain, IntegrityError};
use candid::Principal;
use minicbor::{Decode, Encode};
use salus_protocol::chain::{self, AuditEntry, Link, LinkError, follow_audit};
use salus_protocol::{canonical, certified};
use salus_types::api::{AuditItem, Pseudonym};
use salus_types::{AccountId, Hash};
use serde_bytes::ByteBuf;
use std::collections::BTreeMap;

const FORMAT: u32 = 1;

#[derive(Clone, PartialEq, Eq, Encode, Decode)]
enum Item {
    #[n(0)]
    Entry(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    #[n(1)]
    Hidden(#[n(0)] Hash),
}

#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Name {
    #[n(0)]
    pseudonym: Hash,
    #[n(1)]
    account: AccountId,
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct File {
    #[n(0)]
    format: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    vault: Vec<u8>,
    #[n(2)]
    account: AccountId,
    #[n(3)]
    genesis: Hash,
    #[n(4)]
    number: u64,
    #[n(5)]
    entries: Vec<Item>,
    #[n(6)]
    names: Vec<Name>,
    #[cbor(n(7), with = "minicbor::bytes")]
    certificate: Vec<u8>,
    #[cbor(n(8), with = "minicbor::bytes")]
    witness: Vec<u8>,
    #[cbor(n(9), with = "minicbor::bytes")]
    root_key: Vec<u8>,
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Not an exported audit trail.
    #[error("not an exported audit trail")]
    Malformed,
    /// Of a newer format.
    #[error("exported by a newer version")]
    Format,
    /// Verifies under another root key than was asked for.
    #[error("certified by another network")]
    OtherNetwork,
    /// The certificate is not valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Something does not fit.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
}

/// What an exported trail holds, verified.
#[derive(Clone, Debug)]
pub struct Export {
    /// The vault canister.
    pub vault: Principal,
    /// Whose trail.
    pub account: AccountId,
    /// Their genesis fingerprint: compare its safety number with theirs.
    pub genesis: Hash,
    /// The root key it is certified under, DER.
    pub root_key: Vec<u8>,
    /// Entries shown in full, oldest first.
    pub entries: Vec<AuditEntry>,
    /// Whom the pseudonyms stand for, as far as known.
    pub names: BTreeMap<Hash, AccountId>,
    /// What verification found.
    pub verification: Verification,
}

impl Trail {
    /// The trail and its proof as a file.
    pub fn export(&self, client: &Client) -> Vec<u8> {
        let heads = &self.proof.heads;
        canonical::encode(&File {
            format: FORMAT,
            vault: client.vault_bytes().to_vec(),
            account: self.owner,
            genesis: heads.certified.genesis,
            number: heads.certified.number,
            entries: self
                .proof
                .items
                .iter()
                .map(|item| match item {
                    AuditItem::Entry(bytes) => Item::Entry(bytes.to_vec()),
                    AuditItem::Hidden(hash) => Item::Hidden(*hash),
                })
                .collect(),
            names: self
                .proof
                .names
                .iter()
                .map(|n| Name {
                    pseudonym: n.pseudonym,
                    account: n.account,
                    salt: n.salt.to_vec(),
                })
                .collect(),
            certificate: heads.proof.certificate.to_vec(),
            witness: heads.proof.witness.to_vec(),
            root_key: client.root_key(),
        })
    }
}

/// Verifies an exported trail, without a network. `root_key` (DER) is the one to trust; without it
/// the file's own is used, and [`Export::root_key`] is for the reader to judge.
///
/// # Errors
/// Any [`ExportError`].
pub fn verify_export(bytes: &[u8], root_key: Option<&[u8]>) -> Result<Export, ExportError> {
    let file: File = canonical::decode(bytes).map_err(|_| ExportError::Malformed)?;
    if file.format != FORMAT {
        return Err(ExportError::Format);
    }
    if root_key.is_some_and(|key| key != file.root_key) {
        return Err(ExportError::OtherNetwork);
    }
    let vault = Principal::try_from_slice(&file.vault).map_err(|_| ExportError::Malformed)?;
    let data = certificate::verify(&file.certificate, &file.root_key, vault)?;
    let seen = certified::read_witness(&file.witness, &data.data, file.number)
        .map_err(IntegrityError::from)?;
    if (seen.account, seen.genesis) != (file.account, file.genesis) {
        return Err(IntegrityError::OtherAccount.into());
    }
    let links = file.entries.iter().map(link);
    let broken = |error| IntegrityError::Broken {
        chain: Chain::Audit,
        error,
    };
    let (entries, head) = follow_audit(&chain::EMPTY, links).map_err(broken)?;
    if seen.audit.as_ref() != Some(&head) {
        return Err(broken(LinkError::WrongHead(head.count)).into());
    }
    let names: Vec<Pseudonym> = file
        .names
        .into_iter()
        .map(|n| Pseudonym {
            pseudonym: n.pseudonym,
            account: n.account,
            salt: ByteBuf::from(n.salt),
        })
        .collect();
    let names = check_names(&names)?;
    Ok(Export {
        vault,
        account: file.account,
        genesis: file.genesis,
        root_key: file.root_key,
        verification: Verification {
            entries: head.count,
            hidden: head.count.saturating_sub(entries.len() as u64),
            names: names.len() as u64,
            head,
            certified_at: data.at,
            known_before: 0,
        },
        names,
        entries,
    })
}

fn link(item: &Item) -> Link<'_> {
    match item {
        Item::Entry(bytes) => Link::Entry(bytes),
        Item::Hidden(hash) => Link::Hidden(*hash),
    }
}
