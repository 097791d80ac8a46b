//! The state folder: small values in a journal with snapshots, memories as files of pages.
//!
//! A commit is one append to the journal, made before the pages are written to their files;
//! opening replays the journal, so a process killed anywhere loses nothing it acknowledged.
//! (It does not force the disk: a power failure is out of scope for a development node.)
//! Knows keys and bytes, not what they mean.

mod journal;

use crate::exec::memory::BackingFile;
use crate::exec::stable::Run;
use journal::{PageWrite, Record};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The journal is folded into a snapshot when it is longer than this, bytes.
const JOURNAL_LIMIT: u64 = 64 << 20;

/// What is to be kept.
#[derive(Default)]
pub(crate) struct Batch {
    /// Values by key; none deletes.
    pub(crate) values: Vec<(String, Option<Vec<u8>>)>,
    /// Pages by file.
    pub(crate) pages: Vec<(Arc<BackingFile>, Vec<Run>)>,
}

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PersistError {
    /// The file system refuses.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process uses the folder.
    #[error("{0} is in use by another localnet")]
    InUse(PathBuf),
    /// What is stored cannot be read.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// A write failed half way before, so that nothing can be kept until a restart.
    #[error("{0} could not be written earlier: start again")]
    Broken(PathBuf),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PersistError + '_ {
    move |source| PersistError::Io {
        path: path.to_owned(),
        source,
    }
}

/// An open state folder.
pub(crate) struct Store {
    dir: PathBuf,
    journal: File,
    journal_len: u64,
    values: BTreeMap<String, Vec<u8>>,
    /// Whether the files may differ from what was answered: then nothing more is taken.
    broken: bool,
    /// Held open for its lock.
    _lock: File,
}

impl Store {
    /// Opens or makes a state folder and brings it to its last commit.
    pub(crate) fn open(dir: &Path) -> Result<Self, PersistError> {
        std::fs::create_dir_all(dir).map_err(at(dir))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(at(&lock_path))?;
        lock.try_lock()
            .map_err(|_| PersistError::InUse(dir.to_owned()))?;
        let values_path = dir.join("values");
        let mut values = match std::fs::read(&values_path) {
            Ok(bytes) => serde_cbor::from_slice::<BTreeMap<String, serde_bytes::ByteBuf>>(&bytes)
                .map_err(|_| PersistError::Damaged(values_path))?
                .into_iter()
                .map(|(key, value)| (key, value.into_vec()))
                .collect(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(at(&values_path)(e)),
        };
        let journal_path = dir.join("journal");
        for record in journal::read(&journal_path).map_err(at(&journal_path))? {
            replay(dir, record, &mut values)?;
        }
        let journal = File::options()
            .append(true)
            .create(true)
            .open(&journal_path)
            .map_err(at(&journal_path))?;
        let mut store = Self {
            dir: dir.to_owned(),
            journal,
            journal_len: 0,
            values,
            broken: false,
            _lock: lock,
        };
        store.fold()?;
        Ok(store)
    }

    /// All values whose key begins with `prefix`.
    pub(crate) fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.values
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    /// One value.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// Keeps a batch: afterwards it survives the process. Writing the pages to their files is
    /// left to `apply`, which the caller runs under its locks.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), PersistError> {
        let path = self.dir.join("journal");
        if self.broken {
            return Err(PersistError::Broken(path));
        }
        let bytes = journal::encode(&self.dir, batch);
        if let Err(error) = self.journal.write_all(&bytes) {
            // Half a commit must not stand before later ones: reading ends at it.
            if self.journal.set_len(self.journal_len).is_err() {
                self.give_up();
            }
            return Err(at(&path)(error));
        }
        self.journal_len += bytes.len() as u64;
        for (key, value) in &batch.values {
            match value {
                Some(value) => self.values.insert(key.clone(), value.clone()),
                None => self.values.remove(key),
            };
        }
        Ok(())
    }

    /// Keeps a batch unless there is a value of this key already.
    pub(crate) fn commit_unless(&mut self, key: &str, batch: &Batch) -> Result<(), PersistError> {
        if self.values.contains_key(key) {
            return Ok(());
        }
        self.commit(batch)
    }

    /// Takes no more commits: what is in memory or in files is no longer what was committed, and
    /// only replaying the journal brings it back.
    pub(crate) fn give_up(&mut self) {
        self.broken = true;
    }

    /// Bytes in the journal.
    pub(crate) fn journal_len(&self) -> u64 {
        self.journal_len
    }

    /// Folds a long journal into a snapshot. Only between `apply` and the next `commit`.
    pub(crate) fn tidy(&mut self) -> Result<(), PersistError> {
        if self.journal_len > JOURNAL_LIMIT {
            self.fold()?;
        }
        Ok(())
    }

    fn fold(&mut self) -> Result<(), PersistError> {
        let values: BTreeMap<&str, &serde_bytes::Bytes> = self
            .values
            .iter()
            .map(|(key, value)| (key.as_str(), serde_bytes::Bytes::new(value)))
            .collect();
        let path = self.dir.join("values");
        let bytes = serde_cbor::to_vec(&values).map_err(|_| PersistError::Damaged(path.clone()))?;
        replace(&path, &bytes)?;
        self.journal.set_len(0).map_err(at(&path))?;
        self.journal_len = 0;
        Ok(())
    }
}

/// Writes the pages of a batch to their files.
pub(crate) fn apply(pages: &[(Arc<BackingFile>, Vec<Run>)]) -> Result<(), PersistError> {
    for (file, runs) in pages {
        for (offset, bytes) in runs {
            file.write(*offset, bytes).map_err(at(file.path()))?;
        }
    }
    Ok(())
}

/// Writes a whole file so that it is never seen half written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), PersistError> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, bytes).map_err(at(&temporary))?;
    std::fs::rename(&temporary, path).map_err(at(path))
}

fn replay(
    dir: &Path,
    record: Record,
    values: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), PersistError> {
    for (key, value) in record.values {
        match value {
            Some(value) => values.insert(key, value),
            None => values.remove(&key),
        };
    }
    for PageWrite {
        file,
        offset,
        bytes,
    } in record.pages
    {
        let path = dir.join(file);
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        match opened {
            Ok(file) => file.write_all_at(&bytes, offset).map_err(at(&path))?,
            // The folder of a canister that was deleted afterwards.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(at(&path)(e)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &[u8]) -> (String, Option<Vec<u8>>) {
        (key.to_owned(), Some(value.to_vec()))
    }

    #[test]
    fn commits_survive_and_torn_ones_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let page_path = dir.path().join("pages");
        {
            let mut store = Store::open(dir.path()).unwrap();
            let file = BackingFile::open(&page_path, 0).unwrap();
            let batch = Batch {
                values: vec![put("a", b"1"), put("b", b"2")],
                pages: vec![(file, vec![(4096, vec![7; 4096])])],
            };
            // Not applied: replaying must write the pages.
            store.commit(&batch).unwrap();
            let batch = Batch {
                values: vec![("a".into(), None)],
                pages: vec![],
            };
            store.commit(&batch).unwrap();
        }
        let journal = dir.path().join("journal");
        let whole = std::fs::read(&journal).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(&whole[..whole.len() - 1]);
        torn.truncate(whole.len() + 20);
        std::fs::write(&journal, torn).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.get("a"), None);
        assert_eq!(store.get("b"), Some(b"2".as_slice()));
        let pages = std::fs::read(page_path).unwrap();
        assert_eq!(pages[4096..8192], [7; 4096]);
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(dir.path()).unwrap();
        assert!(matches!(
            Store::open(dir.path()),
            Err(PersistError::InUse(_))
        ));
    }
}
