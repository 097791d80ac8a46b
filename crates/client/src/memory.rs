//! Where a client keeps what it must not forget: small blobs by key. Must not know what they mean.

use async_trait::async_trait;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The place could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what this device remembers could not be read or written: {0}")]
pub struct MemoryError(pub String);

/// Small blobs by key, kept between runs. Keys are ASCII: letters, digits, `-`, `/`. Losing it
/// costs the ability to notice a rollback, not data.
#[async_trait(?Send)]
pub trait Memory {
    /// What was saved last under `key`.
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, MemoryError>;
    /// Saves, replacing what was there, all or nothing.
    async fn save(&self, key: &str, value: &[u8]) -> Result<(), MemoryError>;
    /// Saves if what lies there is still `before`, in one step that no other tab or process comes
    /// between. Whether it did.
    async fn replace(
        &self,
        key: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, MemoryError>;
    /// Removes; nothing there is no error.
    async fn remove(&self, key: &str) -> Result<(), MemoryError>;
    /// Keys that begin with `prefix`, ascending.
    async fn keys(&self, prefix: &str) -> Result<Vec<String>, MemoryError>;
}

/// Remembers while it lives.
#[derive(Debug, Default)]
pub struct Volatile(RefCell<BTreeMap<String, Vec<u8>>>);

#[async_trait(?Send)]
impl Memory for Volatile {
    async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, MemoryError> {
        Ok(self.0.borrow().get(key).cloned())
    }
    async fn save(&self, key: &str, value: &[u8]) -> Result<(), MemoryError> {
        self.0.borrow_mut().insert(key.into(), value.into());
        Ok(())
    }
    async fn replace(
        &self,
        key: &str,
        before: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, MemoryError> {
        let mut map = self.0.borrow_mut();
        let same = map.get(key).map(Vec::as_slice) == before;
        if same {
            map.insert(key.into(), value.into());
        }
        Ok(same)
    }
    async fn remove(&self, key: &str) -> Result<(), MemoryError> {
        self.0.borrow_mut().remove(key);
        Ok(())
    }
    async fn keys(&self, prefix: &str) -> Result<Vec<String>, MemoryError> {
        let map = self.0.borrow();
        Ok(map
            .keys()
            .filter(|k| k.starts_with(prefix))
            .cloned()
            .collect())
    }
}

#[cfg(not(target_family = "wasm"))]
pub use folder::Folder;

#[cfg(not(target_family = "wasm"))]
mod folder {
    use super::{Memory, MemoryError};
    use async_trait::async_trait;
    use std::fs;
    use std::io::{ErrorKind, Write as _};
    use std::path::{Path, PathBuf};

    /// Remembers in files below a folder, one for each key.
    #[derive(Clone, Debug)]
    pub struct Folder(PathBuf);

    impl Folder {
        /// In this folder, made when something is first saved.
        pub fn new(path: impl Into<PathBuf>) -> Self {
            Self(path.into())
        }

        fn path(&self, key: &str) -> Result<PathBuf, MemoryError> {
            let fine = key.split('/').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
            if fine {
                Ok(self.0.join(key))
            } else {
                Err(MemoryError(format!("not a key: {key}")))
            }
        }
    }

    /// Locked while something is compared and replaced. Its name is no key.
    const LOCK: &str = "lock~";

    fn failed(path: &Path, error: &std::io::Error) -> MemoryError {
        MemoryError(format!("{}: {error}", path.display()))
    }

    fn walk(folder: &Path, base: &Path, out: &mut Vec<String>) -> Result<(), MemoryError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(failed(folder, &e)),
        };
        for entry in entries {
            let path = entry.map_err(|e| failed(folder, &e))?.path();
            if path.is_dir() {
                walk(&path, base, out)?;
            } else if let Ok(relative) = path.strip_prefix(base) {
                let parts: Vec<_> = relative
                    .components()
                    .map(|c| c.as_os_str().to_string_lossy())
                    .collect();
                out.push(parts.join("/"));
            }
        }
        Ok(())
    }

    #[async_trait(?Send)]
    impl Memory for Folder {
        async fn load(&self, key: &str) -> Result<Option<Vec<u8>>, MemoryError> {
            let path = self.path(key)?;
            match fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                Err(e) => Err(failed(&path, &e)),
            }
        }

        async fn save(&self, key: &str, value: &[u8]) -> Result<(), MemoryError> {
            let path = self.path(key)?;
            let write = || {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                // Another file first, so that a crash leaves the old one or the new one whole. Its
                // name is no key.
                let fresh = path.with_extension("new~");
                let mut file = fs::File::create(&fresh)?;
                file.write_all(value)?;
                file.sync_all()?;
                fs::rename(&fresh, &path)
            };
            write().map_err(|e| failed(&path, &e))
        }

        async fn replace(
            &self,
            key: &str,
            before: Option<&[u8]>,
            value: &[u8],
        ) -> Result<bool, MemoryError> {
            let lock = self.0.join(LOCK);
            let locked = || {
                fs::create_dir_all(&self.0)?;
                let file = fs::File::create(&lock)?;
                file.lock()?;
                Ok(file)
            };
            // Held until it is dropped.
            let _file = locked().map_err(|e: std::io::Error| failed(&lock, &e))?;
            let same = self.load(key).await?.as_deref() == before;
            if same {
                self.save(key, value).await?;
            }
            Ok(same)
        }

        async fn remove(&self, key: &str) -> Result<(), MemoryError> {
            let path = self.path(key)?;
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => Err(failed(&path, &e)),
                _ => Ok(()),
            }
        }

        async fn keys(&self, prefix: &str) -> Result<Vec<String>, MemoryError> {
            let mut out = Vec::new();
            walk(&self.0, &self.0, &mut out)?;
            out.retain(|k| k.starts_with(prefix) && !k.ends_with('~'));
            out.sort_unstable();
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::thread;

    /// Adds one as whoever remembers something that only grows.
    fn add_one(memory: &impl Memory) {
        loop {
            let before = block_on(memory.load("count")).unwrap();
            let count: u32 = match &before {
                Some(text) => std::str::from_utf8(text).unwrap().parse().unwrap(),
                None => 0,
            };
            let next = (count + 1).to_string();
            let put = memory.replace("count", before.as_deref(), next.as_bytes());
            if block_on(put).unwrap() {
                return;
            }
        }
    }

    #[test]
    fn what_two_processes_remember_at_once_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let memory = Folder::new(folder.path());
                    for _ in 0..25 {
                        add_one(&memory);
                    }
                });
            }
        });
        let memory = Folder::new(folder.path());
        assert_eq!(block_on(memory.load("count")).unwrap().unwrap(), b"100");
        assert_eq!(block_on(memory.keys("")).unwrap(), ["count"]);
    }

    #[test]
    fn nothing_is_replaced_that_is_not_what_was_expected() {
        let memory = Volatile::default();
        let put = |before: Option<&'static [u8]>, value: &'static [u8]| {
            block_on(memory.replace("k", before, value)).unwrap()
        };
        assert!(!put(Some(b"a"), b"b"));
        assert!(put(None, b"b"));
        assert!(!put(None, b"c"));
        assert!(put(Some(b"b"), b"c"));
    }
}
