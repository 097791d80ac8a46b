//! Reaching into a canister from outside: for tests that dump memories and move time.

use super::Node;
use super::executor::Event;
use super::load::{encode, key};
use super::query::not_found;
use crate::exec::memory::BackingFile;
use crate::exec::stable::WASM_PAGE;
use crate::node::state::Places;
use crate::persist::{Batch, PersistError};
use candid::Principal;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such canister.
    #[error("{0}")]
    NoCanister(String),
    /// A file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The state folder.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// The node has ended.
    #[error("the node has ended")]
    Ended,
}

/// Bytes written at a time.
const STEP: usize = 1 << 20;

impl Node {
    /// The committed stable memory of a canister, all of it.
    pub(crate) async fn stable_memory(
        self: &Arc<Self>,
        id: Principal,
    ) -> Result<Vec<u8>, AdminError> {
        let cell = self
            .cell(id)
            .ok_or_else(|| AdminError::NoCanister(not_found(id).message))?;
        let read = move || {
            let loaded = cell
                .committed
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let len = loaded.state.stable.pages * WASM_PAGE;
            loaded.stable.read(0, usize::try_from(len).unwrap_or(0))
        };
        Ok(self.pool.run(read).await.ok_or(AdminError::Ended)??)
    }

    /// Replaces the stable memory of a canister; the length is rounded up to whole pages.
    pub(crate) async fn set_stable_memory(
        self: &Arc<Self>,
        id: Principal,
        bytes: Vec<u8>,
    ) -> Result<(), AdminError> {
        let cell = self
            .cell(id)
            .ok_or_else(|| AdminError::NoCanister(not_found(id).message))?;
        let dir = self.dir.clone();
        self.between(move |executor| {
            let generation = {
                let loaded = cell
                    .committed
                    .read()
                    .unwrap_or_else(PoisonError::into_inner);
                loaded.state.stable.generation
            };
            let places = Places::new(&dir, id);
            let pages = (bytes.len() as u64).div_ceil(WASM_PAGE);
            let file = BackingFile::open(&places.stable(generation + 1), pages * WASM_PAGE)?;
            for (i, part) in bytes.chunks(STEP).enumerate() {
                file.write((i * STEP) as u64, part)?;
            }
            executor.transact(None, |transaction| {
                if let Some(loaded) = transaction.canister(id) {
                    loaded.state.stable.generation = generation + 1;
                    loaded.state.stable.pages = pages;
                    loaded.stable = file;
                    transaction.remove_later(places.stable(generation));
                }
            });
            Ok(())
        })
        .await
    }

    /// Moves canisters' clock ahead; the time they see now, ns.
    pub(crate) async fn advance(self: &Arc<Self>, ns: u64) -> Result<u64, AdminError> {
        let node = Arc::clone(self);
        self.between(move |_| {
            let ahead = node.clock.advance(ns);
            node.store().commit(&Batch {
                values: vec![(key::CLOCK.into(), Some(encode(&ahead)))],
                pages: Vec::new(),
            })?;
            Ok(node.clock.canisters())
        })
        .await
    }

    /// Does something between two messages.
    async fn between<T: Send + 'static>(
        &self,
        action: impl FnOnce(&mut super::executor::Executor) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let (done, result) = oneshot::channel();
        self.send(Event::Between(Box::new(move |executor| {
            let _ = done.send(action(executor));
        })));
        result.await.unwrap_or(Err(AdminError::Ended))
    }
}
