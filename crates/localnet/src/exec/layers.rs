//! Looking at a file without mapping it: own writes lie above the old pages that commits had kept,
//! and those above the file.

use super::backing::{BackingFile, Look, PAGE};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

type Page = Box<[u8]>;

/// Pages as they were before commits that came after the look began.
#[derive(Default)]
pub(crate) struct Kept(BTreeMap<u64, Page>);

impl Kept {
    /// Keeps the pages of a range as they are in the file, unless they are kept already.
    pub(super) fn keep(&mut self, file: &BackingFile, offset: u64, len: usize) -> io::Result<()> {
        let first = offset / PAGE as u64;
        let end = (offset + len as u64).div_ceil(PAGE as u64);
        for page in first..end {
            if let std::collections::btree_map::Entry::Vacant(entry) = self.0.entry(page) {
                let mut bytes = vec![0; PAGE].into_boxed_slice();
                file.read(page * PAGE as u64, &mut bytes)?;
                entry.insert(bytes);
            }
        }
        Ok(())
    }
}

/// A look at a file, and what was written in it.
pub(super) struct Layers {
    file: Arc<BackingFile>,
    number: u64,
    /// Bytes of the file that count; what lies beyond is zero.
    committed: u64,
    kept: Arc<Mutex<Kept>>,
    written: BTreeMap<u64, Page>,
}

impl Layers {
    /// Begins to look at the first `committed` bytes of a file.
    pub(super) fn new(file: Arc<BackingFile>, committed: u64) -> io::Result<Self> {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let number = file.look(|| Ok(Look::Layered(Arc::clone(&kept))))?;
        Ok(Self {
            file,
            number,
            committed,
            kept,
            written: BTreeMap::new(),
        })
    }

    /// Copies bytes out.
    pub(super) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        for (page, within, part) in pieces(offset, out) {
            if let Some(written) = self.written.get(&page) {
                copy(part, written, within);
            } else {
                self.read_old(page, within, part)?;
            }
        }
        Ok(())
    }

    fn read_old(&self, page: u64, within: usize, out: &mut [u8]) -> io::Result<()> {
        let at = page * PAGE as u64;
        if at >= self.committed {
            out.fill(0);
            return Ok(());
        }
        // As long as this is locked no commit gets past keeping the page.
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.0.get(&page) {
            Some(bytes) => copy(out, bytes, within),
            None => self.file.read(at + within as u64, out)?,
        }
        Ok(())
    }

    /// Copies bytes in.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let at = offset + done as u64;
            let (page, within) = (at / PAGE as u64, (at % PAGE as u64) as usize);
            let count = rest.len().min(PAGE - within);
            if !self.written.contains_key(&page) {
                let mut old = vec![0; PAGE].into_boxed_slice();
                self.read_old(page, 0, &mut old)?;
                self.written.insert(page, old);
            }
            let target = self.written.get_mut(&page);
            if let Some(target) = target.and_then(|page| page.get_mut(within..within + count)) {
                target.copy_from_slice(rest.get(..count).unwrap_or_default());
            }
            done += count;
        }
        Ok(())
    }
}

impl Drop for Layers {
    fn drop(&mut self) {
        self.file.forget(self.number);
    }
}

fn copy(out: &mut [u8], page: &[u8], within: usize) {
    if let Some(from) = page.get(within..within + out.len()) {
        out.copy_from_slice(from);
    }
}

/// Cuts a range at page borders: the page, where in it, and the bytes.
fn pieces(offset: u64, out: &mut [u8]) -> impl Iterator<Item = (u64, usize, &mut [u8])> {
    let mut at = offset;
    let mut rest = out;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (page, within) = (at / PAGE as u64, (at % PAGE as u64) as usize);
        let count = rest.len().min(PAGE - within);
        let (part, others) = std::mem::take(&mut rest).split_at_mut(count);
        rest = others;
        at += count as u64;
        Some((page, within, part))
    })
}
