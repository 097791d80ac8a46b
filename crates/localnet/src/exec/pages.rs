//! Sets of page numbers, kept as words of 64: what a message touched of a large memory takes
//! little room and adding a range is cheap. Knows nothing of what the pages hold.

use std::collections::BTreeMap;

const BITS: u64 = u64::BITS as u64;

/// A set of page numbers.
#[derive(Debug, Default)]
pub(crate) struct PageSet {
    words: BTreeMap<u64, u64>,
    len: u64,
}

impl PageSet {
    /// Adds the pages from `first` to `last`; how many of them are new.
    pub(crate) fn add(&mut self, first: u64, last: u64) -> u64 {
        let before = self.len;
        let mut page = first;
        while page <= last {
            let word = page / BITS;
            let end = last.min(word * BITS + BITS - 1);
            let mask = (u64::MAX >> (BITS - 1 - (end - page))) << (page % BITS);
            let bits = self.words.entry(word).or_default();
            self.len += u64::from((mask & !*bits).count_ones());
            *bits |= mask;
            page = end + 1;
        }
        self.len - before
    }

    /// How many pages are in it.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether a page is in it.
    #[cfg(test)]
    pub(crate) fn contains(&self, page: u64) -> bool {
        let word = self.words.get(&(page / BITS));
        word.is_some_and(|bits| bits >> (page % BITS) & 1 == 1)
    }

    /// The pages, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.words.iter().flat_map(|(word, bits)| {
            (0..BITS)
                .filter(move |bit| bits >> bit & 1 == 1)
                .map(move |bit| word * BITS + bit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_new_across_words() {
        let mut set = PageSet::default();
        assert_eq!(set.add(60, 70), 11);
        assert_eq!(set.add(60, 70), 0);
        assert_eq!(set.add(0, 200), 190);
        assert_eq!(set.add(63, 63), 0);
        assert_eq!(set.len(), 201);
        assert!(set.contains(200) && !set.contains(201));
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            (0..=200).collect::<Vec<_>>()
        );
    }
}
