//! Copy-on-write views of the files that hold committed memory: the one place with `unsafe`.
//!
//! A view maps its file privately: what canister code writes stays in the view until somebody
//! copies the changed pages out and commits them to the file; dropping the view undoes it all.
//! Knows nothing of canisters, messages or what the bytes mean.
#![expect(
    unsafe_code,
    reason = "private file mappings give rollback and page-wise commits without copying heaps"
)]

use rustix::mm::{MapFlags, ProtFlags};
use std::cell::RefCell;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

/// The unit in which changes are noticed and committed, bytes.
pub(crate) const PAGE: usize = 4096;
/// Files grow by at least this much, bytes, so that growing a memory is rarely a system call.
const FILE_STEP: u64 = 1 << 20;

/// A file holding one committed memory. Its length only grows while anybody may map it.
#[derive(Debug)]
pub(crate) struct BackingFile {
    path: PathBuf,
    file: File,
    len: Mutex<u64>,
}

impl BackingFile {
    /// Opens or creates the file and cuts it to `committed` bytes, so that what lies beyond is zero.
    pub(crate) fn open(path: &Path, committed: u64) -> io::Result<Arc<Self>> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        file.set_len(committed)?;
        Ok(Arc::new(Self {
            path: path.to_owned(),
            file,
            len: Mutex::new(committed),
        }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file at least `needed` bytes long.
    fn reserve(&self, needed: u64) -> io::Result<()> {
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        if *len < needed {
            let rounded = needed.next_multiple_of(FILE_STEP);
            self.file.set_len(rounded)?;
            *len = rounded;
        }
        Ok(())
    }

    /// Writes committed bytes. The caller holds whatever lock keeps views of this file away.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.reserve(offset + bytes.len() as u64)?;
        self.file.write_all_at(bytes, offset)
    }

    /// Reads committed bytes; what lies beyond the end is zero.
    pub(crate) fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.reserve(offset + len as u64)?;
        let mut out = vec![0; len];
        self.file.read_exact_at(&mut out, offset)?;
        Ok(out)
    }
}

/// A private view of a file: readable and writable up to `accessible`, reserved beyond.
pub(crate) struct View {
    base: *mut u8,
    reserved: usize,
    accessible: usize,
    file: Arc<BackingFile>,
}

// SAFETY: the view owns its mapping; access goes through `&self`/`&mut self` or through wasmtime,
// which keeps a memory to the one thread that holds its store.
unsafe impl Send for View {}
// SAFETY: as above; nothing is changed through `&self`.
unsafe impl Sync for View {}

impl View {
    /// Reserves `reserved` bytes of address space and maps the first `len` bytes of `file`.
    /// Both are multiples of the page size.
    pub(crate) fn new(file: Arc<BackingFile>, len: usize, reserved: usize) -> io::Result<Self> {
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let base = unsafe {
            rustix::mm::mmap_anonymous(
                ptr::null_mut(),
                reserved,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        let mut view = Self {
            base: base.cast(),
            reserved,
            accessible: 0,
            file,
        };
        view.grow_to(len)?;
        Ok(view)
    }

    /// Makes the first `len` bytes accessible.
    pub(crate) fn grow_to(&mut self, len: usize) -> io::Result<()> {
        if len > self.reserved {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if len <= self.accessible {
            return Ok(());
        }
        self.file.reserve(len as u64)?;
        // SAFETY: the range lies inside our own reservation and held no accessible page before;
        // the file is long enough and is never cut while a view of it lives.
        unsafe {
            rustix::mm::mmap(
                self.base.add(self.accessible).cast::<c_void>(),
                len - self.accessible,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
                &self.file.file,
                self.accessible as u64,
            )
        }?;
        self.accessible = len;
        Ok(())
    }

    /// Copies bytes out; false when the range is not accessible.
    pub(crate) fn read(&self, offset: usize, out: &mut [u8]) -> bool {
        if !self.covers(offset, out.len()) {
            return false;
        }
        // SAFETY: the range was checked to be accessible; `out` is another allocation.
        unsafe { ptr::copy_nonoverlapping(self.base.add(offset), out.as_mut_ptr(), out.len()) };
        true
    }

    /// Copies bytes in; false when the range is not accessible.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        if !self.covers(offset, bytes.len()) {
            return false;
        }
        // SAFETY: the range was checked to be accessible and writable; `bytes` is another allocation.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(offset), bytes.len()) };
        true
    }

    fn covers(&self, offset: usize, len: usize) -> bool {
        offset
            .checked_add(len)
            .is_some_and(|end| end <= self.accessible)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `new` reserved; nothing borrows from a view beyond its life.
        // A failure leaves address space behind and nothing worse.
        let _ = unsafe { rustix::mm::munmap(self.base.cast(), self.reserved) };
    }
}

/// The committed heap the next memory on this thread is made from.
#[derive(Clone)]
pub(crate) struct HeapSource {
    /// The file.
    pub(crate) file: Arc<BackingFile>,
    /// Committed bytes in it: a multiple of 64 KiB.
    pub(crate) len: usize,
}

thread_local! {
    static NEXT_HEAP: RefCell<Option<HeapSource>> = const { RefCell::new(None) };
}

/// Says what the memory of the next instance made on this thread starts from.
pub(crate) fn set_next_heap(source: HeapSource) {
    NEXT_HEAP.with(|next| *next.borrow_mut() = Some(source));
}

/// Makes wasmtime's linear memories out of views.
pub(crate) struct HeapCreator;

struct Heap {
    view: View,
    capacity: usize,
}

// SAFETY: `new_memory` reserves what wasmtime asks for plus the guard, maps only what is in use,
// and never moves a memory. Its content is the committed heap instead of zeroes, on purpose.
unsafe impl wasmtime::MemoryCreator for HeapCreator {
    fn new_memory(
        &self,
        _ty: wasmtime::MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn wasmtime::LinearMemory>, String> {
        let source = NEXT_HEAP
            .with(|next| next.borrow_mut().take())
            .ok_or("no heap was named for this instance")?;
        let capacity = reserved.or(maximum).unwrap_or(minimum).max(minimum);
        let len = source.len.max(minimum);
        let view = View::new(source.file, len, capacity + guard).map_err(|e| e.to_string())?;
        Ok(Box::new(Heap { view, capacity }))
    }
}

// SAFETY: the accessible part is exactly `byte_size`, the base never moves, and the rest of the
// reservation is inaccessible.
unsafe impl wasmtime::LinearMemory for Heap {
    fn byte_size(&self) -> usize {
        self.view.accessible
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        if new_size > self.capacity {
            return Err(io::Error::from(io::ErrorKind::OutOfMemory).into());
        }
        Ok(self.view.grow_to(new_size)?)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.view.base
    }
}

/// Indices of the pages of a privately mapped range that were written since it was mapped.
///
/// On Linux the kernel tells: a page that was copied is anonymous, an untouched one is the file's.
#[cfg(target_os = "linux")]
pub(crate) fn changed_pages(data: &[u8], _committed: &BackingFile) -> io::Result<Vec<usize>> {
    use std::sync::OnceLock;
    static PAGEMAP: OnceLock<File> = OnceLock::new();
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    const OF_FILE: u64 = 1 << 61;

    let pagemap = match PAGEMAP.get() {
        Some(file) => file,
        None => {
            let file = File::open("/proc/self/pagemap")?;
            PAGEMAP.get_or_init(|| file)
        }
    };
    let first = data.as_ptr() as usize / PAGE;
    let pages = data.len() / PAGE;
    let mut changed = Vec::new();
    let mut buffer = vec![0; 8 * pages.min(1 << 16)];
    let mut done = 0;
    while done < pages {
        let now = (pages - done).min(1 << 16);
        let entries = buffer.get_mut(..8 * now).unwrap_or_default();
        pagemap.read_exact_at(entries, ((first + done) * 8) as u64)?;
        for (i, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
            let entry = u64::from_le_bytes(*entry);
            if entry & (PRESENT | SWAPPED) != 0 && entry & OF_FILE == 0 {
                changed.push(done + i);
            }
        }
        done += now;
    }
    Ok(changed)
}

/// Indices of the pages of a privately mapped range that differ from the file.
#[cfg(not(target_os = "linux"))]
pub(crate) fn changed_pages(data: &[u8], committed: &BackingFile) -> io::Result<Vec<usize>> {
    let mut changed = Vec::new();
    for (i, page) in data.chunks(PAGE).enumerate() {
        if committed.read((i * PAGE) as u64, page.len())? != page {
            changed.push(i);
        }
    }
    Ok(changed)
}
