//! The IC's hash trees as CBOR, read with bounds and written: the Interface Specification,
//! "Certificate", nodes `[0]`, `[1, l, r]`, `[2, label, tree]`, `[3, leaf]`, `[4, hash]`. Must not
//! know what a tree says.
//!
//! Stricter than the specification where ours can be: empty nodes are refused, because a tree padded
//! with them answers "absent" for labels that exist.

use ic_certification::HashTree;
use ic_certification::hash_tree::{HashTreeNode, fork, label, leaf, pruned};
use minicbor::{Decoder, Encoder};

/// Nodes on a path at most: 64 levels of accounts and 16 around and below.
const DEPTH: u32 = 96;

/// Not a hash tree, or one that is too deep or has empty nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed hash tree")]
pub struct MalformedTree;

/// Reads a tree; nothing may follow it.
///
/// # Errors
/// [`MalformedTree`].
pub fn decode(bytes: &[u8]) -> Result<HashTree, MalformedTree> {
    let mut decoder = Decoder::new(bytes);
    let tree = node(&mut decoder, DEPTH)?;
    if decoder.position() == bytes.len() {
        Ok(tree)
    } else {
        Err(MalformedTree)
    }
}

fn node(d: &mut Decoder<'_>, depth: u32) -> Result<HashTree, MalformedTree> {
    let depth = depth.checked_sub(1).ok_or(MalformedTree)?;
    let length = d.array().map_err(|_| MalformedTree)?.ok_or(MalformedTree)?;
    let kind = d.u8().map_err(|_| MalformedTree)?;
    match (kind, length) {
        (1, 3) => {
            let left = node(d, depth)?;
            let right = node(d, depth)?;
            Ok(fork(left, right))
        }
        (2, 3) => {
            let name = d.bytes().map_err(|_| MalformedTree)?;
            Ok(label(name, node(d, depth)?))
        }
        (3, 2) => Ok(leaf(d.bytes().map_err(|_| MalformedTree)?)),
        (4, 2) => {
            let hash = d.bytes().map_err(|_| MalformedTree)?;
            Ok(pruned(
                <[u8; 32]>::try_from(hash).map_err(|_| MalformedTree)?,
            ))
        }
        _ => Err(MalformedTree),
    }
}

/// Writes a tree.
pub fn encode(tree: &HashTree) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(tree.as_ref(), &mut encoder);
    encoder.into_writer()
}

fn write(node: &HashTreeNode<Vec<u8>>, e: &mut Encoder<Vec<u8>>) {
    // Writing into a Vec cannot fail.
    let _ = match node {
        HashTreeNode::Empty() => e.array(1).and_then(|e| e.u8(0)).map(drop),
        HashTreeNode::Fork(children) => {
            let started = e.array(3).and_then(|e| e.u8(1)).map(drop);
            write(&children.0, e);
            write(&children.1, e);
            started
        }
        HashTreeNode::Labeled(name, below) => {
            let started = e
                .array(3)
                .and_then(|e| e.u8(2))
                .and_then(|e| e.bytes(name.as_bytes()))
                .map(drop);
            write(below, e);
            started
        }
        HashTreeNode::Leaf(bytes) => e
            .array(2)
            .and_then(|e| e.u8(3))
            .and_then(|e| e.bytes(bytes))
            .map(drop),
        HashTreeNode::Pruned(hash) => e
            .array(2)
            .and_then(|e| e.u8(4))
            .and_then(|e| e.bytes(hash))
            .map(drop),
    };
}
