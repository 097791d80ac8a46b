//! Space for ciphertext: power-of-two extents from 512 bytes to 1 MiB, buddies merged on free,
//! bytes zeroed on free so that erasing really erases and gives the space back.
//!
//! The bytes are in one memory, the book-keeping in another: a state byte and two links for every
//! 512-byte unit, and a list of free extents per size. Allocating and freeing touch at most one
//! entry per size. Must not know what the bytes are or whose.
//!
//! ```text
//! index byte 0    magic "SXT" ‖ version 1
//! index byte 4    regions of 1 MiB in use, u32
//! index byte 8    head of the free list per size, 12 × u32 (unit + 1; 0 = none)
//! index byte 64   per unit: state (0 inside an extent, 0x80|size free, 0x40|size taken),
//!                 next u32, previous u32 (unit + 1)
//! ```

use super::StorageError;
use ic_stable_structures::Memory;

/// Smallest extent in bytes.
pub const MIN_EXTENT: u64 = 512;
/// Largest extent in bytes.
pub const MAX_EXTENT: u64 = 1 << 20;

const SIZES: u8 = 12;
const TOP: u8 = SIZES - 1;
const REGION_UNITS: u32 = 1 << TOP;
const MAGIC: [u8; 4] = *b"SXT\x01";
const REGIONS_AT: u64 = 4;
const HEADS_AT: u64 = 8;
const ENTRIES_AT: u64 = 64;
const ENTRY_LEN: u64 = 9;
const FREE: u8 = 0x80;
const TAKEN: u8 = 0x40;
const SIZE_MASK: u8 = 0x3f;
const PAGE: u64 = 65_536;
/// Zeroes are written in stretches of this many bytes.
const ZEROES: [u8; 16_384] = [0; 16_384];

/// A stretch of bytes that belongs to one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Bytes in use; the space taken is the next power of two.
    pub len: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    state: u8,
    next: u32,
    previous: u32,
}

/// The allocator.
pub struct Extents<M: Memory> {
    bytes: M,
    index: M,
}

/// Size class that holds `len` bytes.
fn size_for(len: u32) -> Option<u8> {
    let units = u64::from(len)
        .div_ceil(MIN_EXTENT)
        .max(1)
        .next_power_of_two();
    let size = units.trailing_zeros() as u8;
    (size <= TOP).then_some(size)
}

impl<M: Memory> Extents<M> {
    /// Opens what is there, or begins in empty memory.
    pub fn init(bytes: M, index: M) -> Result<Self, StorageError> {
        if index.size() == 0 {
            if index.grow(1) < 0 {
                return Err(StorageError::Full);
            }
            index.write(0, &MAGIC);
            return Ok(Self { bytes, index });
        }
        let mut magic = [0; 4];
        index.read(0, &mut magic);
        if magic != MAGIC {
            return Err(StorageError::Foreign("extent index"));
        }
        Ok(Self { bytes, index })
    }

    fn read_u32(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.index.read(at, &mut bytes);
        u32::from_be_bytes(bytes)
    }

    fn write_u32(&mut self, at: u64, value: u32) {
        self.index.write(at, &value.to_be_bytes());
    }

    fn head_at(size: u8) -> u64 {
        HEADS_AT + u64::from(size) * 4
    }

    fn entry_at(unit: u32) -> u64 {
        ENTRIES_AT + u64::from(unit) * ENTRY_LEN
    }

    fn entry(&self, unit: u32) -> Entry {
        let mut bytes = [0; ENTRY_LEN as usize];
        self.index.read(Self::entry_at(unit), &mut bytes);
        let [state, n0, n1, n2, n3, p0, p1, p2, p3] = bytes;
        Entry {
            state,
            next: u32::from_be_bytes([n0, n1, n2, n3]),
            previous: u32::from_be_bytes([p0, p1, p2, p3]),
        }
    }

    fn state(&self, unit: u32) -> u8 {
        let mut state = [0; 1];
        self.index.read(Self::entry_at(unit), &mut state);
        state[0]
    }

    fn set_state(&mut self, unit: u32, state: u8) {
        self.index.write(Self::entry_at(unit), &[state]);
    }

    fn push_free(&mut self, unit: u32, size: u8) {
        let head = self.read_u32(Self::head_at(size));
        let mut bytes = [0; ENTRY_LEN as usize];
        bytes[0] = FREE | size;
        bytes[1..5].copy_from_slice(&head.to_be_bytes());
        self.index.write(Self::entry_at(unit), &bytes);
        if let Some(old) = head.checked_sub(1) {
            self.write_u32(Self::entry_at(old) + 5, unit + 1);
        }
        self.write_u32(Self::head_at(size), unit + 1);
    }

    fn unlink(&mut self, unit: u32, size: u8) {
        let entry = self.entry(unit);
        match entry.previous.checked_sub(1) {
            Some(previous) => self.write_u32(Self::entry_at(previous) + 1, entry.next),
            None => self.write_u32(Self::head_at(size), entry.next),
        }
        if let Some(next) = entry.next.checked_sub(1) {
            self.write_u32(Self::entry_at(next) + 5, entry.previous);
        }
        self.set_state(unit, 0);
    }

    /// Regions of 1 MiB taken from the platform so far.
    pub fn regions(&self) -> u32 {
        self.read_u32(REGIONS_AT)
    }

    fn add_region(&mut self) -> Result<(), StorageError> {
        let regions = self.regions();
        let next = regions
            .checked_add(1)
            .filter(|n| *n <= u32::MAX / REGION_UNITS);
        let next = next.ok_or(StorageError::Full)?;
        ensure(&self.bytes, u64::from(next) * MAX_EXTENT)?;
        ensure(&self.index, Self::entry_at(next * REGION_UNITS))?;
        self.write_u32(REGIONS_AT, next);
        self.push_free(regions * REGION_UNITS, TOP);
        Ok(())
    }

    fn take(&mut self, size: u8) -> Result<u32, StorageError> {
        let mut from = size;
        let mut head = 0;
        while from <= TOP {
            head = self.read_u32(Self::head_at(from));
            if head != 0 {
                break;
            }
            from += 1;
        }
        if head == 0 {
            self.add_region()?;
            from = TOP;
            head = self.read_u32(Self::head_at(TOP));
        }
        let unit = head.checked_sub(1).ok_or(StorageError::Full)?;
        self.unlink(unit, from);
        while from > size {
            from -= 1;
            self.push_free(unit + (1 << from), from);
        }
        self.set_state(unit, TAKEN | size);
        Ok(unit)
    }

    /// Stores bytes in a new extent. Fails, changing nothing, when they are more than
    /// [`MAX_EXTENT`] or the platform gives no more memory.
    pub fn store(&mut self, content: &[u8]) -> Result<Extent, StorageError> {
        let len = u32::try_from(content.len()).map_err(|_| StorageError::TooLong)?;
        let size = size_for(len).ok_or(StorageError::TooLong)?;
        let offset = u64::from(self.take(size)?) * MIN_EXTENT;
        self.bytes.write(offset, content);
        Ok(Extent { offset, len })
    }

    fn taken(&self, extent: Extent) -> Result<(u32, u8), StorageError> {
        let size = size_for(extent.len).ok_or(StorageError::NoSuchExtent)?;
        let unit =
            u32::try_from(extent.offset / MIN_EXTENT).map_err(|_| StorageError::NoSuchExtent)?;
        let known = extent.offset.is_multiple_of(MIN_EXTENT)
            && unit < self.regions() * REGION_UNITS
            && self.state(unit) == TAKEN | size;
        known
            .then_some((unit, size))
            .ok_or(StorageError::NoSuchExtent)
    }

    /// The bytes of an extent that [`Self::store`] gave.
    pub fn load(&self, extent: Extent) -> Result<Vec<u8>, StorageError> {
        self.taken(extent)?;
        let mut content = vec![0; extent.len as usize];
        self.bytes.read(extent.offset, &mut content);
        Ok(content)
    }

    /// Zeroes an extent and gives its space back, merging free neighbours.
    pub fn free(&mut self, extent: Extent) -> Result<(), StorageError> {
        let (mut unit, mut size) = self.taken(extent)?;
        let mut at = extent.offset;
        let end = extent.offset + u64::from(extent.len);
        while at < end {
            let step = (end - at).min(ZEROES.len() as u64);
            self.bytes
                .write(at, ZEROES.get(..step as usize).unwrap_or(&ZEROES));
            at += step;
        }
        self.set_state(unit, 0);
        while size < TOP {
            let buddy = unit ^ (1 << size);
            if self.state(buddy) != FREE | size {
                break;
            }
            self.unlink(buddy, size);
            unit = unit.min(buddy);
            size += 1;
        }
        self.push_free(unit, size);
        Ok(())
    }

    /// Free extents of one size class (class k holds 512·2^k bytes), for capacity reports and
    /// tests. Walks the list.
    pub fn free_of_size(&self, size: u8) -> Vec<u64> {
        let mut found = Vec::new();
        let mut link = if size <= TOP {
            self.read_u32(Self::head_at(size))
        } else {
            0
        };
        while let Some(unit) = link.checked_sub(1) {
            let entry = self.entry(unit);
            if entry.state & SIZE_MASK != size {
                break;
            }
            found.push(u64::from(unit) * MIN_EXTENT);
            link = entry.next;
        }
        found
    }
}

fn ensure<M: Memory>(memory: &M, bytes: u64) -> Result<(), StorageError> {
    let pages = bytes.div_ceil(PAGE);
    let have = memory.size();
    if pages > have && memory.grow(pages - have) < 0 {
        return Err(StorageError::Full);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;
    use ic_stable_structures::VectorMemory;
    use std::collections::BTreeMap;

    fn new() -> (Extents<VectorMemory>, VectorMemory, VectorMemory) {
        let (bytes, index) = (VectorMemory::default(), VectorMemory::default());
        (
            Extents::init(bytes.clone(), index.clone()).unwrap(),
            bytes,
            index,
        )
    }

    fn all_zero(memory: &VectorMemory) -> bool {
        memory.borrow().iter().all(|b| *b == 0)
    }

    #[test]
    fn sizes_are_the_next_power_of_two() {
        assert_eq!(size_for(0), Some(0));
        assert_eq!(size_for(512), Some(0));
        assert_eq!(size_for(513), Some(1));
        assert_eq!(size_for(1 << 20), Some(TOP));
        assert_eq!(size_for((1 << 20) + 1), None);
    }

    #[test]
    fn too_long_content_is_refused_and_takes_nothing() {
        let (mut extents, _, _) = new();
        let long = vec![1; MAX_EXTENT as usize + 1];
        assert!(matches!(extents.store(&long), Err(StorageError::TooLong)));
        assert_eq!(extents.regions(), 0);
    }

    #[test]
    fn an_extent_that_was_not_given_is_refused() {
        let (mut extents, _, _) = new();
        let given = extents.store(&[7; 600]).unwrap();
        for wrong in [
            Extent {
                offset: 0,
                len: 100,
            },
            Extent {
                offset: 1,
                len: 600,
            },
            Extent {
                offset: 512,
                len: 300,
            },
            Extent {
                offset: 1 << 30,
                len: 600,
            },
        ] {
            assert!(
                matches!(extents.load(wrong), Err(StorageError::NoSuchExtent)),
                "{wrong:?}"
            );
            assert!(
                matches!(extents.free(wrong), Err(StorageError::NoSuchExtent)),
                "{wrong:?}"
            );
        }
        extents.free(given).unwrap();
        assert!(matches!(
            extents.free(given),
            Err(StorageError::NoSuchExtent)
        ));
        assert!(matches!(
            extents.load(given),
            Err(StorageError::NoSuchExtent)
        ));
    }

    #[test]
    fn random_use_agrees_with_a_plain_map() {
        let mut random = Seeded::from_clock("extents");
        let (mut extents, bytes, index) = new();
        let mut oracle: BTreeMap<u64, (Extent, Vec<u8>)> = BTreeMap::new();
        for step in 0..4000u32 {
            if oracle.is_empty() || random.below(100) < 55 {
                let class = random.below(12) as u32;
                let class = class.min(random.below(12) as u32);
                let len = 1 + random.below(512 << class) as usize;
                let content: Vec<u8> = (0..len).map(|i| (i as u32 ^ step) as u8 | 1).collect();
                let extent = extents.store(&content).unwrap();
                let room = u64::from(extent.len).next_power_of_two().max(MIN_EXTENT);
                assert_eq!(extent.offset % room, 0, "aligned to its size");
                if let Some((_, (before, _))) = oracle.range(..=extent.offset).next_back() {
                    let end =
                        before.offset + u64::from(before.len).next_power_of_two().max(MIN_EXTENT);
                    assert!(end <= extent.offset, "overlap below at step {step}");
                }
                if let Some((after, _)) = oracle.range(extent.offset..).next() {
                    assert!(
                        extent.offset + room <= *after,
                        "overlap above at step {step}"
                    );
                }
                oracle.insert(extent.offset, (extent, content));
            } else {
                let nth = random.below(oracle.len() as u64) as usize;
                let offset = *oracle.keys().nth(nth).unwrap();
                let (extent, content) = oracle.remove(&offset).unwrap();
                assert_eq!(extents.load(extent).unwrap(), content, "step {step}");
                extents.free(extent).unwrap();
                let mut after = vec![1; extent.len as usize];
                bytes.read(extent.offset, &mut after);
                assert!(after.iter().all(|b| *b == 0), "zeroed at step {step}");
            }
            if step % 1000 == 0 {
                extents = Extents::init(bytes.clone(), index.clone()).unwrap();
            }
        }
        for (extent, content) in oracle.into_values() {
            assert_eq!(extents.load(extent).unwrap(), content);
            extents.free(extent).unwrap();
        }
        assert!(all_zero(&bytes));
        for size in 0..TOP {
            assert!(
                extents.free_of_size(size).is_empty(),
                "size {size} was not merged"
            );
        }
        let mut whole = extents.free_of_size(TOP);
        whole.sort_unstable();
        let expected: Vec<u64> = (0..u64::from(extents.regions()))
            .map(|r| r * MAX_EXTENT)
            .collect();
        assert_eq!(whole, expected, "everything came back");
    }

    /// A memory that gives no more than a few pages.
    #[derive(Clone)]
    struct Tight(VectorMemory, u64);
    impl Memory for Tight {
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn grow(&self, pages: u64) -> i64 {
            if self.0.size() + pages > self.1 {
                -1
            } else {
                self.0.grow(pages)
            }
        }
        fn read(&self, offset: u64, dst: &mut [u8]) {
            self.0.read(offset, dst);
        }
        fn write(&self, offset: u64, src: &[u8]) {
            self.0.write(offset, src);
        }
    }

    #[test]
    fn when_memory_is_full_new_data_is_refused_and_old_data_served() {
        let bytes = Tight(VectorMemory::default(), 16);
        let index = Tight(VectorMemory::default(), 100);
        let mut extents = Extents::init(bytes, index).unwrap();
        let half = vec![3; 1 << 19];
        let kept = extents.store(&half).unwrap();
        let second = extents.store(&half).unwrap();
        assert!(matches!(extents.store(&[1]), Err(StorageError::Full)));
        assert_eq!(extents.load(kept).unwrap(), half);
        extents.free(second).unwrap();
        assert!(extents.store(&[1]).is_ok());
    }
}
