//! Stable memory: opens every structure, checks the schema number, and gives typed access to rows.
//! Must not know who may do what, nor any wire type.

pub mod extent;
pub mod key;
pub mod large;
pub mod layout;
pub mod merkle;
pub mod pieces;
pub mod row;
pub mod space;

use extent::Extents;
use ic_stable_structures::{Memory, StableCell};
use key::Key;
use layout::{Memories, SCHEMA, Space, Table, Virtual};
use merkle::MerkleTree;
use row::Row;
use space::{Found, SpaceMap};
use thiserror::Error;

/// What can go wrong in stable memory.
#[derive(Debug, Error)]
pub enum StorageError {
    /// A row does not decode.
    #[error("a row of {0:?} does not decode")]
    Corrupt(Table),
    /// A memory holds something else than this build expects.
    #[error("the memory of the {0} holds something else")]
    Foreign(&'static str),
    /// The stored schema is not one this build can open.
    #[error("stored schema {found}, this build opens {supported}")]
    Schema {
        /// What is stored.
        found: u32,
        /// What this build supports.
        supported: u32,
    },
    /// The platform gives no more stable memory.
    #[error("stable memory is full")]
    Full,
    /// More bytes than one extent holds.
    #[error("more bytes than an extent holds")]
    TooLong,
    /// An extent that was never given, or was freed.
    #[error("no such extent")]
    NoSuchExtent,
    /// An account number that the certified tree does not have.
    #[error("no such leaf")]
    NoSuchLeaf,
}

/// All of the vault's stable memory.
pub struct Store<M: Memory> {
    spaces: [SpaceMap<Virtual<M>>; Space::ALL.len()],
    pub(crate) extents: Extents<Virtual<M>>,
    pub(crate) merkle: MerkleTree<Virtual<M>>,
    schema: u32,
    writes: u64,
}

impl<M: Memory> Store<M> {
    /// Opens what is there, or begins in empty memory. Refuses a schema that this build cannot
    /// open: newer (a downgrade) or older without a migration step.
    pub fn init(memory: M) -> Result<Self, StorageError> {
        let memories = Memories::init(memory);
        let meta = StableCell::init(memories.meta(), SCHEMA);
        let found = *meta.get();
        if found != SCHEMA {
            return Err(StorageError::Schema {
                found,
                supported: SCHEMA,
            });
        }
        Ok(Self {
            spaces: Space::ALL.map(|space| SpaceMap::init(memories.space(space))),
            extents: Extents::init(memories.extents(), memories.extent_index())?,
            merkle: MerkleTree::init(memories.merkle())?,
            schema: found,
            writes: 0,
        })
    }

    /// The stored schema number.
    pub fn schema(&self) -> u32 {
        self.schema
    }

    /// Rows written or removed so far: whether a call has changed anything.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    fn of<R: Row>(&self) -> &SpaceMap<Virtual<M>> {
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10] = &self.spaces;
        match R::TABLE.space() {
            Space::Accounts => s0,
            Space::Current => s1,
            Space::Records => s2,
            Space::Versions => s3,
            Space::Pieces => s4,
            Space::Feeds => s5,
            Space::Audit => s6,
            Space::Signed => s7,
            Space::Access => s8,
            Space::Uploads => s9,
            Space::Social => s10,
        }
    }

    fn of_mut<R: Row>(&mut self) -> &mut SpaceMap<Virtual<M>> {
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10] = &mut self.spaces;
        match R::TABLE.space() {
            Space::Accounts => s0,
            Space::Current => s1,
            Space::Records => s2,
            Space::Versions => s3,
            Space::Pieces => s4,
            Space::Feeds => s5,
            Space::Audit => s6,
            Space::Signed => s7,
            Space::Access => s8,
            Space::Uploads => s9,
            Space::Social => s10,
        }
    }

    /// The row under a key.
    pub fn get<R: Row>(&self, key: &Key) -> Result<Option<R>, StorageError> {
        debug_assert_eq!(key.as_slice().first(), Some(&R::TABLE.tag()));
        self.of::<R>().get(key)
    }

    /// Whether there is a row under a key.
    pub fn contains<R: Row>(&self, key: &Key) -> bool {
        self.of::<R>().contains(key)
    }

    /// Writes a row, replacing what was there.
    pub fn put<R: Row>(&mut self, key: Key, row: &R) {
        debug_assert_eq!(key.as_slice().first(), Some(&R::TABLE.tag()));
        self.writes += 1;
        self.of_mut::<R>().put(key, row);
    }

    /// Removes a row; whether there was one.
    pub fn remove<R: Row>(&mut self, key: &Key) -> bool {
        self.writes += 1;
        self.of_mut::<R>().remove(key)
    }

    /// Rows whose keys begin with `prefix`, ascending, from `from` (inclusive) on.
    pub fn scan<R: Row>(&self, prefix: Key, from: Key) -> impl Iterator<Item = Found<R>> + '_ {
        self.of::<R>().scan(prefix, from)
    }

    /// Keys that begin with `prefix`, ascending, from `from` (inclusive) on.
    pub fn keys<R: Row>(&self, prefix: Key, from: Key) -> impl Iterator<Item = Key> + '_ {
        self.of::<R>().keys(prefix, from)
    }

    /// Rows per B-tree, for capacity reports.
    pub fn rows(&self) -> impl Iterator<Item = (Space, u64)> + '_ {
        Space::ALL
            .into_iter()
            .zip(self.spaces.iter().map(SpaceMap::rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;
    use minicbor::{Decode, Encode};

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Number(#[n(0)] u64);
    impl Row for Number {
        const TABLE: Table = Table::Inbox;
    }
    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Text(#[n(0)] String);
    impl Row for Text {
        const TABLE: Table = Table::Directory;
    }

    #[test]
    fn tables_of_one_space_do_not_mix_and_survive_reopening() {
        let memory = VectorMemory::default();
        let mut store = Store::init(memory.clone()).unwrap();
        for n in 0..40 {
            store.put(Key::new(Table::Inbox.tag()).u64(n % 4).u64(n), &Number(n));
        }
        store.put(Key::new(Table::Directory.tag()).u64(2), &Text("x".into()));
        drop(store);
        let store = Store::init(memory).unwrap();
        let prefix = Key::new(Table::Inbox.tag()).u64(3);
        let found: Vec<_> = store
            .scan::<Number>(prefix, prefix)
            .map(|f| f.unwrap().1.0)
            .collect();
        assert_eq!(found, [3, 7, 11, 15, 19, 23, 27, 31, 35, 39]);
        let from = prefix.u64(20);
        assert_eq!(
            store
                .scan::<Number>(prefix, from)
                .next()
                .unwrap()
                .unwrap()
                .1,
            Number(23)
        );
    }

    #[test]
    fn a_row_of_another_format_is_an_error_not_a_guess() {
        let mut store = Store::init(VectorMemory::default()).unwrap();
        let key = Key::new(Table::Inbox.tag()).u64(1);
        store.of_mut::<Number>().put_raw(key, vec![2, 0x81, 1]);
        assert!(matches!(
            store.get::<Number>(&key),
            Err(StorageError::Corrupt(Table::Inbox))
        ));
    }

    #[test]
    fn another_schema_is_refused() {
        let memory = VectorMemory::default();
        drop(Store::init(memory.clone()).unwrap());
        let mut cell = StableCell::init(Memories::init(memory.clone()).meta(), SCHEMA);
        cell.set(SCHEMA + 1);
        drop(cell);
        let refused = Store::init(memory).err().unwrap();
        assert!(matches!(refused, StorageError::Schema { found, .. } if found == SCHEMA + 1));
    }
}
