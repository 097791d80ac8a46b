//! The chunk store: modules above one message's size are uploaded in pieces.

use super::{About, Call, contract, encode, node_failed, nothing};
use crate::node::places::Places;
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use crate::wire::value::{Hash, sha256};
use candid::Principal;
use ic_management_canister_types::{ChunkHash, InstallChunkedCodeArgs, UploadChunkArgs};

/// Largest chunk, bytes, and most chunks in a store and in a module (interface specification).
pub(super) const MAX_CHUNK: usize = 1 << 20;
pub(super) const MAX_CHUNKS: usize = 100;

/// A refusal about a chunk store.
pub(super) fn chunk_store_error(message: &str) -> Reject {
    contract(format!("Error from Wasm chunk store: {message}."))
}

/// Checks that a chunk may join those that are stored.
pub(super) fn check_chunk<'a>(
    chunk: &[u8],
    hash: &Hash,
    mut stored: impl ExactSizeIterator<Item = &'a Hash>,
) -> Result<(), Reject> {
    if chunk.len() > MAX_CHUNK {
        let message = format!(
            "Wasm chunk size {} exceeds the maximum chunk size of {MAX_CHUNK}",
            chunk.len()
        );
        return Err(chunk_store_error(&message));
    }
    if stored.len() >= MAX_CHUNKS && !stored.any(|known| known == hash) {
        let message =
            format!("Wasm chunk store has already reached maximum capacity of {MAX_CHUNKS} chunks");
        return Err(chunk_store_error(&message));
    }
    Ok(())
}

fn listed<'a>(hashes: impl Iterator<Item = &'a Hash>) -> Vec<ChunkHash> {
    hashes
        .map(|hash| ChunkHash {
            hash: hash.to_vec(),
        })
        .collect()
}

impl Call<'_, '_> {
    pub(super) fn upload_chunk(&mut self) -> CallResult {
        let (args,): (UploadChunkArgs,) = self.decode()?;
        let id = args.canister_id;
        let places = Places::new(&self.transaction.node.dir, id);
        let state = &mut self.allowed(id)?.state;
        let hash = sha256(&args.chunk);
        check_chunk(&args.chunk, &hash, state.chunks.keys())?;
        persist::replace(&places.chunk(&hash), &args.chunk).map_err(node_failed)?;
        state.chunks.insert(hash, args.chunk.len() as u64);
        encode((ChunkHash {
            hash: hash.to_vec(),
        },))
    }

    pub(super) fn clear_chunk_store(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        self.allowed(about.canister_id)?;
        self.clear_chunks(about.canister_id)?;
        Ok(nothing())
    }

    /// Empties a chunk store.
    pub(super) fn clear_chunks(&mut self, id: Principal) -> Result<(), Reject> {
        let places = Places::new(&self.transaction.node.dir, id);
        let chunks = std::mem::take(&mut self.existing(id)?.state.chunks);
        for hash in chunks.keys() {
            self.transaction.remove_later(places.chunk(hash));
        }
        Ok(())
    }

    pub(super) fn stored_chunks(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let state = &self.allowed(about.canister_id)?.state;
        encode((listed(state.chunks.keys()),))
    }

    pub(super) fn install_chunked_code(&mut self) -> CallResult {
        let (args,): (InstallChunkedCodeArgs,) = self.decode()?;
        let target = args.target_canister;
        let store = args.store_canister.unwrap_or(target);
        self.allowed(target)?;
        let places = Places::new(&self.transaction.node.dir, store);
        let known = &self.chunk_store(store)?.state.chunks;
        if args.chunk_hashes_list.len() > MAX_CHUNKS {
            let message = format!("a module is made of at most {MAX_CHUNKS} chunks");
            return Err(chunk_store_error(&message));
        }
        let mut wasm = Vec::new();
        for ChunkHash { hash } in args.chunk_hashes_list {
            let chunk = Hash::try_from(hash.as_slice())
                .ok()
                .filter(|hash| known.contains_key(hash))
                .ok_or_else(|| {
                    let message = format!("Chunk hash {} was not found", hex::encode(&hash));
                    chunk_store_error(&message)
                })?;
            let bytes = std::fs::read(places.chunk(&chunk)).map_err(node_failed)?;
            wasm.extend_from_slice(&bytes);
        }
        let hash = sha256(&wasm);
        if hash.as_slice() != args.wasm_module_hash.as_slice() {
            let message = format!(
                "Wasm module hash {} does not match given hash {}",
                hex::encode(hash),
                hex::encode(&args.wasm_module_hash)
            );
            return Err(chunk_store_error(&message));
        }
        self.install(super::code::Order {
            id: target,
            mode: args.mode,
            wasm: &wasm,
            arg: args.arg,
            caller_version: args.sender_canister_version,
        })
    }
}
