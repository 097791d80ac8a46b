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
