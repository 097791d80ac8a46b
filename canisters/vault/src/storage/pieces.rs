//! Pieces of ciphertext: (owner, blob, piece) → extent and hash. Owns the pairing of the extent
//! allocator with the table that says what is where. Must not know what a blob belongs to.

use super::extent::Extent;
use super::key::Key;
use super::layout::Table;
use super::row::Row;
use super::{StorageError, Store};
use ic_stable_structures::Memory;
use minicbor::{Decode, Encode};

/// A blob's number, unique within its owner's account and never reused.
pub type BlobNumber = u64;

#[derive(Clone, Encode, Decode)]
pub(crate) struct PieceRow {
    #[n(0)]
    offset: u64,
    #[n(1)]
    len: u32,
    #[cbor(n(2), with = "minicbor::bytes")]
    hash: [u8; 32],
}

impl Row for PieceRow {
    const TABLE: Table = Table::Pieces;
}

/// What is known of a stored piece without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceInfo {
    /// Its place in the blob, from 0.
    pub index: u32,
    /// Bytes.
    pub len: u32,
    /// SHA-256 of its bytes.
    pub hash: [u8; 32],
}

fn blob_key(owner: u64, blob: BlobNumber) -> Key {
    Key::new(Table::Pieces.tag()).u64(owner).u64(blob)
}

fn piece_key(owner: u64, blob: BlobNumber, index: u32) -> Key {
    blob_key(owner, blob).u32(index)
}

impl<M: Memory> Store<M> {
    /// Stores a piece whose hash the caller has computed. A piece that is there already is
    /// replaced: its old bytes are zeroed and freed.
    pub fn piece_put(
        &mut self,
        owner: u64,
        blob: BlobNumber,
        index: u32,
        hash: [u8; 32],
        content: &[u8],
    ) -> Result<(), StorageError> {
        let key = piece_key(owner, blob, index);
        let old = self.get::<PieceRow>(&key)?;
        let extent = self.extents.store(content)?;
        self.put(
            key,
            &PieceRow {
                offset: extent.offset,
                len: extent.len,
                hash,
            },
        );
        if let Some(old) = old {
            self.extents.free(Extent {
                offset: old.offset,
                len: old.len,
            })?;
        }
        Ok(())
    }

    /// Length and hash of a piece.
    pub fn piece_info(
        &self,
        owner: u64,
        blob: BlobNumber,
        index: u32,
    ) -> Result<Option<PieceInfo>, StorageError> {
        let row = self.get::<PieceRow>(&piece_key(owner, blob, index))?;
        Ok(row.map(|row| PieceInfo {
            index,
            len: row.len,
            hash: row.hash,
        }))
    }

    /// The bytes of a piece.
    pub fn piece_load(
        &self,
        owner: u64,
        blob: BlobNumber,
        index: u32,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let row = self.get::<PieceRow>(&piece_key(owner, blob, index))?;
        row.map(|row| {
            self.extents.load(Extent {
                offset: row.offset,
                len: row.len,
            })
        })
        .transpose()
    }

    /// The pieces of a blob that are there, in order, at most `limit`, from piece `from` on.
    pub fn piece_list(
        &self,
        owner: u64,
        blob: BlobNumber,
        from: u32,
        limit: usize,
    ) -> Result<Vec<PieceInfo>, StorageError> {
        self.scan::<PieceRow>(blob_key(owner, blob), piece_key(owner, blob, from))
            .take(limit)
            .map(|found| {
                let (key, row) = found?;
                let index = key.field(17).map(u32::from_be_bytes);
                let index = index.ok_or(StorageError::Corrupt(Table::Pieces))?;
                Ok(PieceInfo {
                    index,
                    len: row.len,
                    hash: row.hash,
                })
            })
            .collect()
    }

    /// Zeroes and frees at most `limit` pieces of a blob. How many were freed and how many bytes
    /// they held; fewer than `limit` means that the blob is gone.
    pub fn piece_free(
        &mut self,
        owner: u64,
        blob: BlobNumber,
        limit: usize,
    ) -> Result<(usize, u64), StorageError> {
        let prefix = blob_key(owner, blob);
        let found: Vec<_> = self
            .scan::<PieceRow>(prefix, prefix)
            .take(limit)
            .collect::<Result<_, _>>()?;
        let mut bytes = 0;
        for (key, row) in &found {
            self.extents.free(Extent {
                offset: row.offset,
                len: row.len,
            })?;
            self.remove::<PieceRow>(key);
            bytes += u64::from(row.len);
        }
        Ok((found.len(), bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;

    #[test]
    fn pieces_come_back_in_order_and_are_erased() {
        let memory = VectorMemory::default();
        let mut store = Store::init(memory.clone()).unwrap();
        for index in [2, 0, 1] {
            store
                .piece_put(7, 3, index, [index as u8; 32], &[0xa0 + index as u8; 700])
                .unwrap();
        }
        store.piece_put(7, 4, 0, [9; 32], &[0xee; 10]).unwrap();
        let listed = store.piece_list(7, 3, 0, 10).unwrap();
        assert_eq!(
            listed.iter().map(|p| p.index).collect::<Vec<_>>(),
            [0, 1, 2]
        );
        assert_eq!(store.piece_load(7, 3, 1).unwrap().unwrap(), vec![0xa1; 700]);
        assert_eq!(store.piece_list(7, 3, 2, 10).unwrap().len(), 1);
        assert_eq!(store.piece_load(8, 3, 1).unwrap(), None);
        assert_eq!(store.piece_free(7, 3, 2).unwrap(), (2, 1400));
        assert_eq!(store.piece_free(7, 3, 2).unwrap(), (1, 700));
        assert_eq!(store.piece_load(7, 3, 1).unwrap(), None);
        assert_eq!(store.piece_load(7, 4, 0).unwrap().unwrap(), vec![0xee; 10]);
        let dump = memory.borrow();
        assert!(
            !dump.windows(64).any(|w| w.iter().all(|b| *b == 0xa1)),
            "bytes are gone"
        );
    }

    #[test]
    fn replacing_a_piece_frees_the_old_bytes() {
        let mut store = Store::init(VectorMemory::default()).unwrap();
        store.piece_put(1, 1, 0, [1; 32], &[1; 1 << 20]).unwrap();
        store.piece_put(1, 1, 0, [2; 32], &[2; 1 << 20]).unwrap();
        store.piece_put(1, 2, 0, [3; 32], &[3; 1 << 20]).unwrap();
        assert_eq!(
            store.extents.regions(),
            2,
            "the first extent was used again"
        );
        assert_eq!(store.piece_info(1, 1, 0).unwrap().unwrap().hash, [2; 32]);
    }
}
