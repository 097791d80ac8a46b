//! One message's view of stable memory: reads through to what is committed, keeps writes apart,
//! and yields the changed pages at the end.

use super::memory::{BackingFile, PAGE, View};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// Bytes in a WebAssembly page.
pub(crate) const WASM_PAGE: u64 = 65_536;
/// Most stable memory a canister may have: 500 GiB (interface specification), in WebAssembly pages.
const MAX_PAGES: u64 = 500 << 14;

/// Why an access was refused; it traps the canister.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StableError {
    /// Beyond the end.
    #[error("stable memory out of bounds")]
    Bounds,
    /// The system refused.
    #[error("stable memory: {0}")]
    Io(#[from] io::Error),
}

/// A run of changed bytes: where and what.
pub(crate) type Run = (u64, Vec<u8>);

/// Stable memory as one message sees it.
pub(crate) struct StableView {
    file: Arc<BackingFile>,
    pages: u64,
    /// Mapped on first use: most messages of most canisters never look.
    view: Option<View>,
    changed: BTreeSet<u64>,
}

impl StableView {
    /// The view of `file`, of which `pages` WebAssembly pages are committed.
    pub(crate) fn new(file: Arc<BackingFile>, pages: u64) -> Self {
        Self {
            file,
            pages,
            view: None,
            changed: BTreeSet::new(),
        }
    }

    /// The file behind it.
    pub(crate) fn file(&self) -> &Arc<BackingFile> {
        &self.file
    }

    /// Size in WebAssembly pages.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    /// Grows by `more` pages; the old size, or none when the limit is reached.
    pub(crate) fn grow(&mut self, more: u64) -> Option<u64> {
        let old = self.pages;
        let new = old.checked_add(more).filter(|new| *new <= MAX_PAGES)?;
        self.pages = new;
        Some(old)
    }

    fn view(&mut self) -> Result<&mut View, StableError> {
        let len = (self.pages * WASM_PAGE) as usize;
        let view = match self.view.take() {
            Some(view) => view,
            None => View::new(
                Arc::clone(&self.file),
                len,
                (MAX_PAGES * WASM_PAGE) as usize,
            )?,
        };
        let view = self.view.insert(view);
        view.grow_to(len)?;
        Ok(view)
    }

    fn check(&self, offset: u64, len: usize) -> Result<(), StableError> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.pages * WASM_PAGE => Ok(()),
            _ => Err(StableError::Bounds),
        }
    }

    /// Copies bytes out.
    pub(crate) fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<(), StableError> {
        self.check(offset, out.len())?;
        if out.is_empty() || self.view()?.read(offset as usize, out) {
            Ok(())
        } else {
            Err(StableError::Bounds)
        }
    }

    /// Copies bytes in; how many pages this message had not written before.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<u64, StableError> {
        self.check(offset, bytes.len())?;
        if bytes.is_empty() {
            return Ok(0);
        }
        if !self.view()?.write(offset as usize, bytes) {
            return Err(StableError::Bounds);
        }
        let first = offset / PAGE as u64;
        let last = (offset + bytes.len() as u64 - 1) / PAGE as u64;
        let mut fresh = 0;
        for page in first..=last {
            fresh += u64::from(self.changed.insert(page));
        }
        Ok(fresh)
    }

    /// The changed bytes, neighbouring pages joined.
    pub(crate) fn changes(&mut self) -> Result<Vec<Run>, StableError> {
        let changed = std::mem::take(&mut self.changed);
        let mut runs: Vec<Run> = Vec::new();
        for (first, count) in join(changed.into_iter()) {
            let offset = first * PAGE as u64;
            let mut bytes = vec![0; count as usize * PAGE];
            self.read(offset, &mut bytes)?;
            runs.push((offset, bytes));
        }
        Ok(runs)
    }
}

/// Joins ascending page numbers into (first, count).
pub(crate) fn join(pages: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == page => *count += 1,
            _ => runs.push((page, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(pages: u64) -> (tempfile::TempDir, StableView) {
        let dir = tempfile::tempdir().unwrap();
        let file = BackingFile::open(&dir.path().join("stable"), pages * WASM_PAGE).unwrap();
        (dir, StableView::new(file, pages))
    }

    #[test]
    fn writes_stay_in_the_view_until_committed() {
        let (_dir, mut first) = view(1);
        assert_eq!(first.write(4090, b"0123456789").unwrap(), 2);
        assert_eq!(first.write(4090, b"x").unwrap(), 0);
        let mut second = StableView::new(Arc::clone(first.file()), 1);
        let mut seen = [1; 10];
        second.read(4090, &mut seen).unwrap();
        assert_eq!(seen, [0; 10]);
        for (offset, bytes) in first.changes().unwrap() {
            first.file().write(offset, &bytes).unwrap();
        }
        let mut third = StableView::new(Arc::clone(first.file()), 1);
        third.read(4090, &mut seen).unwrap();
        assert_eq!(&seen, b"x123456789");
    }

    #[test]
    fn nothing_beyond_the_end() {
        let (_dir, mut view) = view(1);
        assert!(matches!(
            view.write(65_530, &[0; 7]),
            Err(StableError::Bounds)
        ));
        assert!(matches!(
            view.read(u64::MAX, &mut [0; 2]),
            Err(StableError::Bounds)
        ));
        assert_eq!(view.grow(1), Some(1));
        assert_eq!(view.write(65_530, &[0; 7]).unwrap(), 2);
        assert_eq!(view.grow(u64::MAX), None);
    }
}
