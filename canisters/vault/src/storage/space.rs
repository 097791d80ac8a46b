//! A B-tree that holds several tables, and typed access to them. Must not know any particular row.

use super::StorageError;
use super::key::Key;
use super::row::{self, Row};
use ic_stable_structures::{Memory, StableBTreeMap};

/// A found row and its key.
pub type Found<R> = Result<(Key, R), StorageError>;

/// One B-tree.
pub struct SpaceMap<M: Memory> {
    map: StableBTreeMap<Key, Vec<u8>, M>,
}

impl<M: Memory> SpaceMap<M> {
    /// Opens the tree that is there, or makes one in empty memory.
    pub fn init(memory: M) -> Self {
        Self {
            map: StableBTreeMap::init(memory),
        }
    }

    /// The row under a key.
    pub fn get<R: Row>(&self, key: &Key) -> Result<Option<R>, StorageError> {
        self.map
            .get(key)
            .map(|bytes| row::from_bytes(&bytes))
            .transpose()
    }

    /// Whether there is a row under a key.
    pub fn contains(&self, key: &Key) -> bool {
        self.map.contains_key(key)
    }

    /// Writes a row, replacing what was there.
    pub fn put<R: Row>(&mut self, key: Key, row: &R) {
        self.map.insert(key, row::to_bytes(row));
    }

    #[cfg(test)]
    pub(crate) fn put_raw(&mut self, key: Key, bytes: Vec<u8>) {
        self.map.insert(key, bytes);
    }

    /// Removes a row; whether there was one.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.map.remove(key).is_some()
    }

    /// Rows whose keys begin with `prefix`, ascending, from `from` (inclusive) on. Rows are read
    /// only as the iterator is advanced.
    pub fn scan<R: Row>(&self, prefix: Key, from: Key) -> impl Iterator<Item = Found<R>> + '_ {
        let start = from.max(prefix);
        self.map
            .range(start..)
            .take_while(move |entry| entry.key().starts_with(&prefix))
            .map(|entry| Ok((*entry.key(), row::from_bytes(&entry.value())?)))
    }

    /// Keys that begin with `prefix`, ascending, from `from` (inclusive) on.
    pub fn keys(&self, prefix: Key, from: Key) -> impl Iterator<Item = Key> + '_ {
        let start = from.max(prefix);
        self.map
            .keys_range(start..)
            .take_while(move |key| key.starts_with(&prefix))
    }

    /// Rows in the tree, all tables together.
    pub fn rows(&self) -> u64 {
        self.map.len()
    }
}
