//! Values that may be too big for a B-tree: short ones stay in the row, longer ones go to an
//! extent. Must not know what they are.

use super::extent::Extent;
use super::{StorageError, Store};
use ic_stable_structures::Memory;
use minicbor::{Decode, Encode};

/// Longest value kept in a row, in bytes. Saving a B-tree node rewrites every value in it.
pub const INLINE: usize = 2048;

/// A value, or where it is.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Large {
    #[cbor(n(0), with = "minicbor::bytes")]
    inline: Vec<u8>,
    #[n(1)]
    offset: u64,
    /// Bytes in the extent; 0 when the value is in the row.
    #[n(2)]
    len: u32,
}

impl Large {
    /// Bytes of the value.
    pub fn size(&self) -> u64 {
        u64::from(self.len) + self.inline.len() as u64
    }
}

impl<M: Memory> Store<M> {
    /// Stores a value of at most 1 MiB.
    pub fn large_put(&mut self, bytes: &[u8]) -> Result<Large, StorageError> {
        if bytes.len() <= INLINE {
            return Ok(Large {
                inline: bytes.to_vec(),
                offset: 0,
                len: 0,
            });
        }
        let extent = self.extents.store(bytes)?;
        self.writes += 1;
        Ok(Large {
            inline: Vec::new(),
            offset: extent.offset,
            len: extent.len,
        })
    }

    /// The value.
    pub fn large_load(&self, large: &Large) -> Result<Vec<u8>, StorageError> {
        if large.len == 0 {
            return Ok(large.inline.clone());
        }
        self.extents.load(Extent {
            offset: large.offset,
            len: large.len,
        })
    }

    /// Frees and zeroes what the value took outside its row.
    pub fn large_free(&mut self, large: &Large) -> Result<(), StorageError> {
        if large.len == 0 {
            return Ok(());
        }
        self.extents.free(Extent {
            offset: large.offset,
            len: large.len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ic_stable_structures::VectorMemory;

    #[test]
    fn short_and_long_values_come_back_and_long_ones_are_freed() {
        let mut store = Store::init(VectorMemory::default()).unwrap();
        for len in [0, 1, INLINE, INLINE + 1, 1 << 20] {
            let bytes = vec![5; len];
            let large = store.large_put(&bytes).unwrap();
            assert_eq!(store.large_load(&large).unwrap(), bytes);
            store.large_free(&large).unwrap();
        }
        assert_eq!(store.extents.regions(), 1);
        assert!(matches!(
            store.large_put(&vec![0; (1 << 20) + 1]),
            Err(StorageError::TooLong)
        ));
    }
}
