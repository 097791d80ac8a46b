//! Files that hold committed memory, and who looks at them.
//!
//! Whoever looks sees the memory as it was when the look began. A commit therefore has everybody
//! who looks keep the old content of a page before it writes the new one; nobody waits for anybody.
//! Knows nothing of canisters, messages or what the bytes mean.

use super::layers::Kept;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The unit in which changes are noticed and committed, bytes.
pub(crate) const PAGE: usize = 4096;
/// Files grow by at least this much, bytes, so that growing a memory is rarely a system call.
const FILE_STEP: u64 = 1 << 20;

/// How memories are looked at, in the whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Files are mapped privately and the kernel tells which pages were written.
    #[cfg(target_os = "linux")]
    Mapped,
    /// Heaps are copied and compared, stable memory is read and layered: slower, on any Unix.
    Copied,
}

static WAY: OnceLock<Way> = OnceLock::new();

/// The way of this process: mapping where the kernel can, unless another was chosen before.
pub(crate) fn way() -> Way {
    *WAY.get_or_init(|| {
        #[cfg(target_os = "linux")]
        if super::memory::can_map() {
            return Way::Mapped;
        }
        Way::Copied
    })
}

/// Chooses the way that works on any Unix for this process; false when it goes another already.
pub(crate) fn choose_portable() -> bool {
    *WAY.get_or_init(|| Way::Copied) == Way::Copied
}

/// Somebody who looks at a file.
pub(crate) enum Look {
    /// A private mapping of the first `len` bytes, at `base`.
    #[cfg(target_os = "linux")]
    Mapped {
        /// Where.
        base: usize,
        /// How much.
        len: usize,
    },
    /// Keeps old pages itself.
    Layered(Arc<Mutex<Kept>>),
}

/// A file holding one committed memory. Its length only grows while anybody may look at it.
pub(crate) struct BackingFile {
    path: PathBuf,
    file: File,
    len: Mutex<u64>,
    looks: Mutex<Looks>,
}

#[derive(Default)]
struct Looks {
    next: u64,
    by_number: BTreeMap<u64, Look>,
}

impl std::fmt::Debug for BackingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
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
            looks: Mutex::default(),
        }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself, for mapping.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file at least `needed` bytes long.
    pub(super) fn reserve(&self, needed: u64) -> io::Result<()> {
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        if *len < needed {
            let rounded = needed.next_multiple_of(FILE_STEP);
            self.file.set_len(rounded)?;
            *len = rounded;
        }
        Ok(())
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes somebody who looks, made while nothing is written; the number to forget it by.
    pub(super) fn look(&self, make: impl FnOnce() -> io::Result<Look>) -> io::Result<u64> {
        let mut looks = self.looks();
        let look = make()?;
        looks.next += 1;
        let number = looks.next;
        looks.by_number.insert(number, look);
        Ok(number)
    }

    /// Forgets somebody who looked.
    pub(super) fn forget(&self, number: u64) {
        self.looks().by_number.remove(&number);
    }

    /// Writes committed bytes, whole pages. Who looks already goes on seeing the old ones; the
    /// caller holds whatever lock keeps somebody new from seeing half a commit.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.reserve(offset + bytes.len() as u64)?;
        let looks = self.looks();
        for look in looks.by_number.values() {
            match look {
                #[cfg(target_os = "linux")]
                Look::Mapped { base, len } => {
                    super::memory::keep_pages(*base, *len, offset, bytes.len())?;
                }
                Look::Layered(kept) => {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.keep(self, offset, bytes.len())?;
                }
            }
        }
        self.file.write_all_at(bytes, offset)
    }

    /// Reads committed bytes; what lies beyond the end is zero.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut at = offset;
        let mut rest = out;
        while !rest.is_empty() {
            match self.file.read_at(rest, at) {
                Ok(0) => {
                    rest.fill(0);
                    break;
                }
                Ok(count) => {
                    at += count as u64;
                    rest = rest.get_mut(count..).unwrap_or_default();
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
