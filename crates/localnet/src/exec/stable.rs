//! One message's view of stable memory: reads through to what is committed, keeps writes apart,
//! and yields the changed pages at the end.

use super::backing::{BackingFile, PAGE, Way, way};
use super::layers::Layers;
#[cfg(target_os = "linux")]
use super::memory::View;
use super::pages::PageSet;
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
    /// More pages read or written than one execution may.
    #[error("the limit for the number of accessed pages in the stable memory")]
    Accessed,
    /// More pages written than one execution may.
    #[error("the limit for the number of modified pages in the stable memory")]
    Modified,
    /// The system refused.
    #[error("stable memory: {0}")]
    Io(#[from] io::Error),
}

/// A run of changed bytes: where and what.
pub(crate) type Run = (u64, Vec<u8>);

/// How a message looks at the file.
enum Sight {
    /// By mapping it.
    #[cfg(target_os = "linux")]
    Mapped(View),
    /// By reading it.
    Layered(Layers),
}

/// Stable memory as one message sees it.
pub(crate) struct StableView {
    file: Arc<BackingFile>,
    pages: u64,
    /// Pages when it was made.
    committed: u64,
    /// Made on first use: most messages of most canisters never look.
    sight: Option<Sight>,
    /// Written and not committed.
    changed: PageSet,
    /// Read or written, and written, by the execution under way; and how many of each it may.
    accessed: PageSet,
    modified: PageSet,
    limit: u64,
}

impl StableView {
    /// The view of `file`, of which `pages` WebAssembly pages are committed.
    pub(crate) fn new(file: Arc<BackingFile>, pages: u64) -> Self {
        Self {
            file,
            pages,
            committed: pages,
            sight: None,
            changed: PageSet::default(),
            accessed: PageSet::default(),
            modified: PageSet::default(),
            limit: u64::MAX,
        }
    }

    /// Begins an execution that may touch `limit` pages.
    pub(crate) fn begin(&mut self, limit: u64) {
        self.accessed = PageSet::default();
        self.modified = PageSet::default();
        self.limit = limit;
    }

    /// Puts in what an execution changed that nobody committed.
    pub(crate) fn resume(&mut self, pages: u64, runs: &[Run]) -> Result<(), StableError> {
        self.pages = pages;
        for (offset, bytes) in runs {
            self.put(*offset, bytes)?;
            let last = offset + bytes.len().saturating_sub(1) as u64;
            self.changed.add(offset / PAGE as u64, last / PAGE as u64);
        }
        Ok(())
    }

    /// Begins to look: what is committed from now on does not show.
    pub(crate) fn open(&mut self) -> Result<(), StableError> {
        if self.pages > 0 {
            self.sight()?;
        }
        Ok(())
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

    /// Takes growth back.
    pub(crate) fn shrink(&mut self, pages: u64) {
        self.pages = pages;
    }

    fn sight(&mut self) -> Result<&mut Sight, StableError> {
        let sight = match self.sight.take() {
            Some(sight) => sight,
            None => self.look()?,
        };
        let sight = self.sight.insert(sight);
        #[cfg(target_os = "linux")]
        if let Sight::Mapped(view) = sight {
            view.grow_to((self.pages * WASM_PAGE) as usize)?;
        }
        Ok(sight)
    }

    fn look(&self) -> io::Result<Sight> {
        let committed = self.committed * WASM_PAGE;
        Ok(match way() {
            #[cfg(target_os = "linux")]
            Way::Mapped => {
                let reserved = (MAX_PAGES * WASM_PAGE) as usize;
                Sight::Mapped(View::new(&self.file, committed as usize, reserved)?)
            }
            Way::Copied => Sight::Layered(Layers::new(Arc::clone(&self.file), committed)?),
        })
    }

    fn check(&self, offset: u64, len: usize) -> Result<(), StableError> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.pages * WASM_PAGE => Ok(()),
            _ => Err(StableError::Bounds),
        }
    }

    /// Notes that the execution touches these bytes, of which there is at least one; which pages
    /// they lie in.
    fn access(&mut self, offset: u64, len: usize) -> Result<(u64, u64), StableError> {
        let first = offset / PAGE as u64;
        let last = (offset + len as u64 - 1) / PAGE as u64;
        self.accessed.add(first, last);
        if self.accessed.len() > self.limit {
            return Err(StableError::Accessed);
        }
        Ok((first, last))
    }

    /// Copies bytes out for the execution under way.
    pub(crate) fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<(), StableError> {
        if out.is_empty() {
            return Ok(());
        }
        self.check(offset, out.len())?;
        self.access(offset, out.len())?;
        self.get(offset, out)
    }

    fn get(&mut self, offset: u64, out: &mut [u8]) -> Result<(), StableError> {
        match self.sight()? {
            #[cfg(target_os = "linux")]
            Sight::Mapped(view) => {
                if !view.read(offset as usize, out) {
                    return Err(StableError::Bounds);
                }
            }
            Sight::Layered(layers) => layers.read(offset, out)?,
        }
        Ok(())
    }

    /// Copies bytes in; how many pages the execution under way had not written before.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<u64, StableError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.check(offset, bytes.len())?;
        let (first, last) = self.access(offset, bytes.len())?;
        let fresh = self.modified.add(first, last);
        if self.modified.len() > self.limit {
            return Err(StableError::Modified);
        }
        self.put(offset, bytes)?;
        self.changed.add(first, last);
        Ok(fresh)
    }

    fn put(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StableError> {
        match self.sight()? {
            #[cfg(target_os = "linux")]
            Sight::Mapped(view) => {
                if !view.write(offset as usize, bytes) {
                    return Err(StableError::Bounds);
                }
            }
            Sight::Layered(layers) => layers.write(offset, bytes)?,
        }
        Ok(())
    }

    /// The changed bytes, neighbouring pages joined.
    pub(crate) fn changes(&mut self) -> Result<Vec<Run>, StableError> {
        let changed = std::mem::take(&mut self.changed);
        let mut runs: Vec<Run> = Vec::new();
        for (first, count) in join(changed.iter()) {
            let offset = first * PAGE as u64;
            let mut bytes = vec![0; count as usize * PAGE];
            self.get(offset, &mut bytes)?;
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
    fn what_is_committed_while_somebody_looks_does_not_show() {
        let dir = tempfile::tempdir().unwrap();
        let file = BackingFile::open(&dir.path().join("stable"), 2 * WASM_PAGE).unwrap();
        file.write(0, &[1; 2 * PAGE]).unwrap();
        let mut look = StableView::new(Arc::clone(&file), 2);
        look.open().unwrap();
        let seen = |look: &mut StableView| {
            let mut seen = [9; 3];
            for (byte, page) in seen.iter_mut().zip([0, 1, 32]) {
                let offset = page * PAGE as u64;
                look.read(offset, std::slice::from_mut(byte)).unwrap();
            }
            seen
        };
        look.write(PAGE as u64, &[5]).unwrap();
        file.write(0, &[2; 3 * PAGE]).unwrap();
        // The memory has grown meanwhile, too.
        file.write(2 * WASM_PAGE, &[3; PAGE]).unwrap();
        look.grow(1).unwrap();
        assert_eq!(seen(&mut look), [1, 5, 0]);
        let mut now = StableView::new(file, 3);
        assert_eq!(seen(&mut now), [2, 2, 3]);
    }

    #[test]
    fn an_execution_touches_so_many_pages_and_no_more() {
        let (_dir, mut view) = view(1);
        view.begin(2);
        assert_eq!(view.write(0, &[1; 4096]).unwrap(), 1);
        view.read(4096, &mut [0; 4096]).unwrap();
        view.read(0, &mut [0; 8192]).unwrap();
        assert!(matches!(
            view.read(8192, &mut [0; 1]),
            Err(StableError::Accessed)
        ));
        view.begin(2);
        view.read(8192, &mut [0; 8192]).unwrap();
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
