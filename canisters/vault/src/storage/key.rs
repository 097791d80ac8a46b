//! Keys of the B-trees: a table's tag followed by fixed-width fields, numbers big-endian, so that
//! byte order is the order in which ranges are read. Must not know which tables there are.

use ic_stable_structures::Storable;
use ic_stable_structures::storable::Bound;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Longest key in bytes: tag, three 8-byte numbers and a 16-byte id, rounded up.
pub const MAX_KEY: usize = 48;

/// A key, kept inline.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    len: u8,
    bytes: [u8; MAX_KEY],
}

impl Key {
    /// A key that consists of the tag only: the prefix of the whole table.
    pub const fn new(tag: u8) -> Self {
        let mut bytes = [0; MAX_KEY];
        bytes[0] = tag;
        Self { len: 1, bytes }
    }

    /// Appends raw bytes. What does not fit is cut off: all callers append fixed widths whose
    /// sum is below [`MAX_KEY`].
    #[must_use]
    pub fn bytes(mut self, field: &[u8]) -> Self {
        let start = usize::from(self.len);
        let take = field.len().min(MAX_KEY - start);
        debug_assert_eq!(take, field.len());
        for (to, from) in self.bytes.iter_mut().skip(start).zip(field) {
            *to = *from;
        }
        self.len = u8::try_from(start + take).unwrap_or(u8::MAX);
        self
    }

    /// Appends a 64-bit number.
    #[must_use]
    pub fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// Appends a 32-bit number.
    #[must_use]
    pub fn u32(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// The bytes, tag included.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.len))
            .unwrap_or(&self.bytes)
    }

    /// What follows the first `skip` bytes, if it is exactly `N` bytes or longer.
    pub fn field<const N: usize>(&self, skip: usize) -> Option<[u8; N]> {
        self.as_slice().get(skip..skip + N)?.try_into().ok()
    }

    /// The number at byte `skip`.
    pub fn u64_at(&self, skip: usize) -> Option<u64> {
        self.field(skip).map(u64::from_be_bytes)
    }

    /// Whether this key begins with all of `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.as_slice().starts_with(prefix.as_slice())
    }

    /// The least key above every key that begins with this one; `None` for all-ones.
    pub fn after(&self) -> Option<Self> {
        let mut next = *self;
        while next.len > 0 {
            let last = next.bytes.get_mut(usize::from(next.len) - 1)?;
            if let Some(raised) = last.checked_add(1) {
                *last = raised;
                return Some(next);
            }
            *last = 0;
            next.len -= 1;
        }
        None
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}
impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl Storable for Key {
    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.as_slice())
    }

    fn into_bytes(self) -> Vec<u8> {
        self.as_slice().to_vec()
    }

    fn from_bytes(bytes: Cow<'_, [u8]>) -> Self {
        let mut key = Self {
            len: 0,
            bytes: [0; MAX_KEY],
        };
        key = key.bytes(&bytes);
        key
    }

    const BOUND: Bound = Bound::Bounded {
        max_size: MAX_KEY as u32,
        is_fixed_size: false,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_number_then_length() {
        let low = Key::new(1).u64(9);
        let high = Key::new(1).u64(10);
        assert!(low < high);
        assert!(Key::new(1) < low);
        assert!(high.starts_with(&Key::new(1)));
        assert_eq!(high.u64_at(1), Some(10));
    }

    #[test]
    fn after_is_the_least_key_above_a_prefix() {
        let prefix = Key::new(1).u64(u64::MAX);
        let after = prefix.after().unwrap();
        assert!(prefix.u64(u64::MAX).bytes(&[255]) < after);
        assert_eq!(after.as_slice(), &[2]);
        assert_eq!(Key::new(3).u64(7).after().unwrap(), Key::new(3).u64(8));
        assert!(Key::new(255).after().is_none());
    }
}
