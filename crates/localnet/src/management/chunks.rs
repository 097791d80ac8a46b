//! The chunk store: modules above one message's size are uploaded in pieces.

use super::{About, Call, encode, nothing, refuse};
use crate::node::state::Places;
use crate::persist;
use crate::wire::response::{CallResult, Reject};
use crate::wire::value::{Hash, sha256};
use ic_management_canister_types::{ChunkHash, InstallChunkedCodeArgs, UploadChunkArgs};

/// Largest chunk, bytes, and most chunks (interface specification).
const MAX_CHUNK: usize = 1 << 20;
const MAX_CHUNKS: usize = 100;

impl Call<'_, '_> {
    pub(super) fn upload_chunk(&mut self) -> CallResult {
        let (args,): (UploadChunkArgs,) = self.decode()?;
        let id = args.canister_id;
        let places = Places::new(&self.transaction.node.dir, id);
        let loaded = self.controlled(id)?;
        if args.chunk.len() > MAX_CHUNK {
            return Err(refuse(format!("a chunk is larger than {MAX_CHUNK} bytes")));
        }
        let hash = sha256(&args.chunk);
        let known = loaded.state.chunks.contains_key(&hash);
        if !known && loaded.state.chunks.len() >= MAX_CHUNKS {
            return Err(refuse(format!(
                "the chunk store holds {MAX_CHUNKS} chunks already"
            )));
        }
        persist::replace(&places.chunk(&hash), &args.chunk)
            .map_err(|e| Reject::new(1, "IC0500", e.to_string()))?;
        loaded.state.chunks.insert(hash, args.chunk.len() as u64);
        encode((ChunkHash {
            hash: hash.to_vec(),
        },))
    }

    pub(super) fn clear_chunk_store(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let id = about.canister_id;
        let places = Places::new(&self.transaction.node.dir, id);
        let chunks = std::mem::take(&mut self.controlled(id)?.state.chunks);
        for hash in chunks.keys() {
            self.transaction.remove_later(places.chunk(hash));
        }
        Ok(nothing())
    }

    pub(super) fn stored_chunks(&mut self) -> CallResult {
        let (about,): (About,) = self.decode()?;
        let chunks: Vec<ChunkHash> = self
            .controlled(about.canister_id)?
            .state
            .chunks
            .keys()
            .map(|hash| ChunkHash {
                hash: hash.to_vec(),
            })
            .collect();
        encode((chunks,))
    }

    pub(super) fn install_chunked_code(&mut self) -> CallResult {
        let (args,): (InstallChunkedCodeArgs,) = self.decode()?;
        let store = args.store_canister.unwrap_or(args.target_canister);
        let places = Places::new(&self.transaction.node.dir, store);
        self.controlled(args.target_canister)?;
        let known = if self.caller == store {
            self.transaction
                .canister(store)
                .ok_or_else(|| crate::node::query::not_found(store))?
        } else {
            self.controlled(store)?
        }
        .state
        .chunks
        .clone();
        let mut wasm = Vec::new();
        for chunk in args.chunk_hashes_list {
            let hash = Hash::try_from(chunk.hash.as_slice())
                .ok()
                .filter(|hash| known.contains_key(hash))
                .ok_or_else(|| {
                    refuse(format!(
                        "chunk {} is not in the store",
                        hex::encode(&chunk.hash)
                    ))
                })?;
            let bytes = std::fs::read(places.chunk(&hash))
                .map_err(|e| Reject::new(1, "IC0500", e.to_string()))?;
            wasm.extend_from_slice(&bytes);
        }
        if sha256(&wasm).as_slice() != args.wasm_module_hash.as_slice() {
            return Err(refuse("the chunks do not make the module of that hash"));
        }
        self.install(args.target_canister, args.mode, &wasm, args.arg)
    }
}
