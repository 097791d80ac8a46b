//! Views of files that hold committed memory: the one place with `unsafe`.
//!
//! A view is private: what canister code writes stays in it until somebody copies the changed
//! pages out and commits them to the file; dropping the view undoes it all. What is committed
//! while a view lives does not show in it.
//! Knows nothing of canisters, messages or what the bytes mean.
#![expect(
    unsafe_code,
    reason = "private file mappings give rollback and page-wise commits without copying heaps"
)]

#[cfg(windows)]
compile_error!("localnet runs on Linux and, more slowly, on other Unix systems; not on Windows");

pub(crate) use super::backing::{BackingFile, PAGE};
use super::backing::{Way, way};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use std::cell::RefCell;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

/// Address space of a heap, bytes: what the engine asks for. Without bounds checks it relies on
/// all of it being reserved.
pub(crate) const HEAP_RESERVATION: usize = 4 << 30;
/// Behind it, never accessible.
pub(crate) const HEAP_GUARD: usize = 32 << 20;

/// A private view of a file: readable and writable up to `accessible`, reserved beyond.
pub(crate) struct View {
    base: *mut u8,
    reserved: usize,
    accessible: usize,
    /// Where it is noted as looking, when commits must know of it.
    noted: Option<(Arc<BackingFile>, u64)>,
}

// SAFETY: the view owns its mapping; access goes through `&self`/`&mut self` or through wasmtime,
// which keeps a memory to the one thread that holds its store.
unsafe impl Send for View {}
// SAFETY: as above; nothing is changed through `&self`.
unsafe impl Sync for View {}

impl View {
    /// Reserves `reserved` bytes of address space and shows the first `len` bytes of `file`.
    /// Both are multiples of the page size.
    pub(crate) fn new(file: &Arc<BackingFile>, len: usize, reserved: usize) -> io::Result<Self> {
        if len > reserved {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let base = unsafe {
            rustix::mm::mmap_anonymous(ptr::null_mut(), reserved, ProtFlags::empty(), RESERVED)
        }?;
        let mut view = Self {
            base: base.cast(),
            reserved,
            accessible: 0,
            noted: None,
        };
        match way() {
            #[cfg(target_os = "linux")]
            Way::Mapped => view.map(file, len)?,
            Way::Copied => {
                view.grow_to(len)?;
                // SAFETY: the range was just made accessible, and nobody else knows of it.
                let content = unsafe { std::slice::from_raw_parts_mut(view.base, len) };
                file.read(0, content)?;
            }
        }
        Ok(view)
    }

    #[cfg(target_os = "linux")]
    fn map(&mut self, file: &Arc<BackingFile>, len: usize) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        file.reserve(len as u64)?;
        let (base, reserved) = (self.base, self.reserved);
        let number = file.look(|| {
            debug_assert!(len <= reserved);
            // SAFETY: the range lies inside our own reservation; the file is long enough and is
            // never cut while a view of it lives.
            unsafe {
                rustix::mm::mmap(
                    base.cast::<c_void>(),
                    len,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
                    file.file(),
                    0,
                )
            }?;
            let base = base as usize;
            Ok(super::backing::Look::Mapped { base, len })
        })?;
        self.noted = Some((Arc::clone(file), number));
        self.accessible = len;
        Ok(())
    }

    /// Makes the first `len` bytes accessible; what is new is zero, whatever is committed.
    pub(crate) fn grow_to(&mut self, len: usize) -> io::Result<()> {
        if len > self.reserved {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if len <= self.accessible {
            return Ok(());
        }
        // SAFETY: the range lies inside our own anonymous reservation and held no accessible
        // page before.
        unsafe {
            let start = self.base.add(self.accessible).cast::<c_void>();
            let size = len - self.accessible;
            rustix::mm::mprotect(start, size, MprotectFlags::READ | MprotectFlags::WRITE)?;
            // Small pages, as far as the system can be told: each touched one is committed.
            #[cfg(target_os = "linux")]
            let _ = rustix::mm::madvise(start, size, rustix::mm::Advice::LinuxNoHugepage);
        }
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
        if let Some((file, number)) = &self.noted {
            // From here on no commit touches the mapping.
            file.forget(*number);
        }
        // SAFETY: unmaps exactly what `new` reserved; nothing borrows from a view beyond its life.
        // A failure leaves address space behind and nothing worse.
        let _ = unsafe { rustix::mm::munmap(self.base.cast(), self.reserved) };
    }
}

/// Address space only.
#[cfg(target_os = "linux")]
const RESERVED: MapFlags = MapFlags::PRIVATE.union(MapFlags::NORESERVE);
/// Address space only, as far as the system can be told.
#[cfg(not(target_os = "linux"))]
const RESERVED: MapFlags = MapFlags::PRIVATE;

/// Whether the kernel can give a mapping its own copies of pages (Linux 5.14).
#[cfg(target_os = "linux")]
pub(super) fn can_map() -> bool {
    // SAFETY: an empty range is asked about and nothing is touched.
    unsafe { rustix::mm::madvise(ptr::null_mut(), 0, rustix::mm::Advice::LinuxPopulateWrite) }
        .is_ok()
        && std::fs::metadata("/proc/self/pagemap").is_ok()
}

/// Gives a private mapping its own copies of the pages that are about to be written to its file.
#[cfg(target_os = "linux")]
pub(super) fn keep_pages(base: usize, len: usize, offset: u64, count: usize) -> io::Result<()> {
    let Some(start) = usize::try_from(offset).ok().filter(|start| *start < len) else {
        return Ok(());
    };
    let start = start / PAGE * PAGE;
    let end = (offset as usize + count).next_multiple_of(PAGE).min(len);
    // SAFETY: the mapping is alive as long as it is noted with its file, which the caller holds
    // locked; the kernel faults pages in as a write would, and changes no byte of them.
    unsafe {
        rustix::mm::madvise(
            ptr::with_exposed_provenance_mut(base + start),
            end - start,
            rustix::mm::Advice::LinuxPopulateWrite,
        )
    }?;
    Ok(())
}

/// The committed heap the next memory on this thread is made from.
#[derive(Clone)]
pub(crate) struct HeapSource {
    /// The file.
    pub(crate) file: Arc<BackingFile>,
    /// Committed bytes in it: a multiple of 64 KiB.
    pub(crate) len: usize,
    /// Made when the source was, so that later commits do not show; for one memory.
    view: Arc<Mutex<Option<View>>>,
}

impl HeapSource {
    /// A committed heap as it is now.
    pub(crate) fn committed(file: Arc<BackingFile>, len: usize) -> io::Result<Self> {
        let view = View::new(&file, len, HEAP_RESERVATION + HEAP_GUARD)?;
        Ok(Self {
            file,
            len,
            view: Arc::new(Mutex::new(Some(view))),
        })
    }

    /// A heap that holds nothing yet.
    pub(crate) fn empty(file: Arc<BackingFile>) -> Self {
        Self {
            file,
            len: 0,
            view: Arc::default(),
        }
    }

    fn view(self, reserved: usize) -> io::Result<View> {
        let made = self
            .view
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match made {
            Some(view) if view.reserved >= reserved => Ok(view),
            _ => View::new(&self.file, self.len, reserved),
        }
    }
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
        let mut view = source.view(capacity + guard).map_err(|e| e.to_string())?;
        view.grow_to(minimum).map_err(|e| e.to_string())?;
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
