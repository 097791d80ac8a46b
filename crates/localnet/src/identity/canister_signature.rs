//! Signatures in the name of a canister that exists only for this: its certified data is set to
//! the root of a tree that holds the one signature, and a certificate over that is the signature.

use crate::certify::{self, labels, layout};
use crate::node::Node;
use crate::node::clock::Clock;
use crate::wire::der;
use crate::wire::value::sha256;
use candid::Principal;
use ic_certification::{HashTree, labeled, leaf};
use serde::Serialize;

/// The identity canister: the last of the subnet, where no other will ever be made.
fn identity_canister() -> Principal {
    layout::canister_id(u64::MAX)
}

/// The public key of `seed`, DER, and the signature over `message`.
pub(super) fn sign(node: &Node, seed: &[u8], message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    #[derive(Serialize)]
    struct Signature<'a> {
        #[serde(with = "serde_bytes")]
        certificate: &'a [u8],
        tree: &'a HashTree,
    }
    let canister = identity_canister();
    let entry = labeled(sha256(message).to_vec(), leaf(Vec::new()));
    let tree = labeled(b"sig".to_vec(), labeled(sha256(seed).to_vec(), entry));
    let path = labels!["canister", canister, "certified_data"];
    let witness = {
        let mut core = node.core();
        core.tree.set(&path, &tree.digest());
        core.tree.witness(&[path], Clock::wire())
    };
    let certificate = certify::certify(&node.keys, &witness);
    let mut signature = vec![0xd9, 0xd9, 0xf7];
    // Serialising to memory cannot fail: the tree is made of bytes.
    let body = serde_cbor::to_vec(&Signature {
        certificate: &certificate,
        tree: &tree,
    });
    signature.extend(body.unwrap_or_default());
    (
        der::canister_public_key(canister.as_slice(), seed),
        signature,
    )
}
