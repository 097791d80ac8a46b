//! Reaching into a canister from outside: for tests that dump memories and move time.

use super::Node;
use super::executor::Event;
use super::load::{encode, key};
use super::places::Places;
use super::query::not_found;
use super::transaction::Transaction;
use crate::exec::memory::BackingFile;
use crate::exec::stable::{StableError, StableView, WASM_PAGE};
use crate::persist::PersistError;
use candid::Principal;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is no such canister.
    #[error("{0}")]
    NoCanister(String),
    /// Time does not go back.
    #[error("canisters have seen a later time")]
    Past,
    /// More than a stable memory holds, or than may be put.
    #[error("a memory image of more than {0} bytes")]
    TooLarge(u64),
    /// A file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The state folder.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// The node has ended, or could not keep it.
    #[error("the node has ended or could not keep it")]
    Ended,
}

impl From<StableError> for AdminError {
    fn from(error: StableError) -> Self {
        match error {
            StableError::Io(error) => Self::Io(error),
            // Only executions are limited in what they touch.
            StableError::Bounds | StableError::Accessed | StableError::Modified => {
                Self::Io(std::io::ErrorKind::UnexpectedEof.into())
            }
        }
    }
}

/// Bytes read at a time.
const STEP: u64 = 1 << 20;
/// Largest memory image that may be put, bytes.
pub(crate) const MAX_IMAGE: u64 = 8 << 30;

/// What is to become of canisters' clock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClockChange {
    /// It moves ahead by so many ns.
    Advance(u64),
    /// It stands at this moment, ns since 1970, until it is let go or the node restarts.
    Stand(u64),
    /// It goes on.
    Go,
}

/// A stable memory as it was at one moment, for reading piece by piece.
pub(crate) struct Image {
    view: StableView,
    at: u64,
}

impl Image {
    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        self.view.pages() * WASM_PAGE
    }

    /// The next piece; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, AdminError> {
        let size = STEP.min(self.len() - self.at);
        if size == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; size as usize];
        self.view.read(self.at, &mut piece)?;
        self.at += size;
        Ok(Some(piece))
    }
}

/// A memory image that is being put, in a file of the canister's folder. What is dropped before
/// it is a canister's memory is removed.
pub(crate) struct Upload {
    id: Principal,
    path: PathBuf,
    file: std::fs::File,
    len: u64,
}

impl Upload {
    /// Adds a piece.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<(), AdminError> {
        self.len += piece.len() as u64;
        if self.len > MAX_IMAGE {
            return Err(AdminError::TooLarge(MAX_IMAGE));
        }
        Ok(self.file.write_all(piece)?)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Node {
    fn places(&self, id: Principal) -> Result<Places, AdminError> {
        match self.cell(id) {
            Some(_) => Ok(Places::new(&self.dir, id)),
            None => Err(AdminError::NoCanister(not_found(id).message)),
        }
    }

    /// The committed stable memory of a canister, as it is now whatever happens next.
    pub(crate) fn image(&self, id: Principal) -> Result<Image, AdminError> {
        let cell = self
            .cell(id)
            .ok_or_else(|| AdminError::NoCanister(not_found(id).message))?;
        let view = cell.look().stable_view();
        Ok(Image { view, at: 0 })
    }

    /// Begins to put a stable memory.
    pub(crate) fn upload(&self, id: Principal) -> Result<Upload, AdminError> {
        let name = format!("upload-{}", self.clock.canisters());
        let path = self.places(id)?.dir.join(name);
        let file = std::fs::File::create(&path)?;
        Ok(Upload {
            id,
            path,
            file,
            len: 0,
        })
    }

    /// Replaces the stable memory of a canister; the length is rounded up to whole pages.
    pub(crate) async fn put(&self, upload: Upload) -> Result<(), AdminError> {
        let places = self.places(upload.id)?;
        self.between(upload.id, move |transaction| {
            let id = upload.id;
            let gone = || AdminError::NoCanister(not_found(id).message);
            let loaded = transaction.canister(id).ok_or_else(gone)?;
            let stable = &mut loaded.state.stable;
            let (before, now) = (stable.generation, stable.generation + 1);
            let pages = upload.len.div_ceil(WASM_PAGE);
            let path = places.stable(now);
            let file = adopt(&upload.path, &path, pages * WASM_PAGE)?;
            stable.generation = now;
            stable.pages = pages;
            loaded.stable = file;
            transaction.remove_later(places.stable(before));
            Ok(())
        })
        .await
    }

    /// Moves canisters' clock, stops it or lets it go on; the time they see now, ns.
    pub(crate) async fn set_clock(
        self: &Arc<Self>,
        change: ClockChange,
    ) -> Result<u64, AdminError> {
        let node = Arc::clone(self);
        let now = self.between(Principal::management_canister(), move |transaction| {
            let clock = &node.clock;
            match change {
                ClockChange::Advance(ns) => {
                    clock.advance(ns);
                }
                ClockChange::Stand(at) if clock.stand(at) => {}
                ClockChange::Stand(_) => return Err(AdminError::Past),
                ClockChange::Go => {
                    clock.go();
                }
            }
            transaction.set(key::CLOCK, encode(&clock.ahead()));
            Ok(clock.canisters())
        });
        let now = now.await?;
        // Timers may be due now.
        self.look_again();
        Ok(now)
    }

    /// Does something between two messages of a canister, and resolves when it is committed.
    async fn between<T: Send + 'static>(
        &self,
        id: Principal,
        action: impl FnOnce(&mut Transaction<'_>) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let (done, result) = oneshot::channel();
        let (failed, failure) = oneshot::channel();
        let action = move |transaction: &mut Transaction<'_>| match action(transaction) {
            Ok(value) => transaction.then(move || {
                let _ = done.send(value);
            }),
            Err(error) => {
                let _ = failed.send(error);
            }
        };
        self.send(Event::Between(id, Box::new(action)));
        match result.await {
            Ok(value) => Ok(value),
            Err(_) => Err(failure.await.unwrap_or(AdminError::Ended)),
        }
    }
}

fn adopt(from: &Path, to: &Path, len: u64) -> std::io::Result<Arc<BackingFile>> {
    std::fs::rename(from, to)?;
    BackingFile::open(to, len)
}
