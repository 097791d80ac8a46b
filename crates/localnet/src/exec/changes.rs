//! Which pages of a heap an execution changed.

use super::backing::{BackingFile, PAGE, Way, way};
use std::io;

/// Bytes compared at a time.
const STEP: usize = 1 << 20;

/// Indices of the pages of a view that were written since it was made.
pub(crate) fn changed_pages(data: &[u8], committed: &BackingFile) -> io::Result<Vec<usize>> {
    match way() {
        #[cfg(target_os = "linux")]
        Way::Mapped => {
            let _ = committed;
            written(data)
        }
        Way::Copied => different(data, committed),
    }
}

/// The kernel tells: a page that was copied is anonymous, an untouched one is the file's.
#[cfg(target_os = "linux")]
fn written(data: &[u8]) -> io::Result<Vec<usize>> {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
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

/// Compares with the file.
fn different(data: &[u8], committed: &BackingFile) -> io::Result<Vec<usize>> {
    let mut changed = Vec::new();
    let mut before = vec![0; STEP];
    for (step, block) in data.chunks(STEP).enumerate() {
        let before = before.get_mut(..block.len()).unwrap_or_default();
        committed.read((step * STEP) as u64, before)?;
        let pages = block.chunks(PAGE).zip(before.chunks(PAGE)).enumerate();
        for (i, (now, before)) in pages {
            if now != before {
                changed.push(step * (STEP / PAGE) + i);
            }
        }
    }
    Ok(changed)
}
