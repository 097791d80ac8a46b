//! The folder of this machine's identities and memory: `SALUS_HOME`, or the platform's place for
//! configuration. Owns its layout and how files in it are written: whole, private, one writer at a
//! time. Must not know what the files say.
//!
//! ```text
//! identities/NAME.pem                            0600
//! networks/NETWORK/                              0700; NETWORK is a hash of the root key
//!     memory/…                                   what the client remembers and resumes
//!     VAULT/ACCOUNT/
//!         slot.json                              0600, this machine's way to unlock, or where it is
//!         device.json                            0600, what passphrases are bound to, or where it is
//!         contacts.json                          names of people
//!         lost.json                              what is being locked out, until it is
//!         imports/…                              imports that were interrupted
//! ```

use crate::error::{Error, Kind, Result};
use etcetera::{AppStrategy, AppStrategyArgs};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// `SALUS_HOME`, else the platform's place.
    ///
    /// # Errors
    /// When the platform has none.
    pub(crate) fn find() -> Result<Self> {
        if let Some(root) = std::env::var_os("SALUS_HOME").filter(|value| !value.is_empty()) {
            return Ok(Self { root: root.into() });
        }
        let strategy = etcetera::choose_app_strategy(AppStrategyArgs {
            top_level_domain: String::new(),
            author: String::new(),
            app_name: "salus".to_owned(),
        })
        .map_err(|error| {
            Error::new(
                Kind::Other,
                "home",
                format!("could not find a place for configuration: {error}"),
            )
            .hint("set SALUS_HOME")
        })?;
        Ok(Self {
            root: strategy.config_dir(),
        })
    }

    /// At this place.
    #[cfg(test)]
    pub(crate) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where identities are.
    pub(crate) fn identities(&self) -> PathBuf {
        self.root.join("identities")
    }

    /// Where a client keeps what it remembers of a network.
    pub(crate) fn memory(&self, network: &str) -> PathBuf {
        self.root.join("networks").join(network).join("memory")
    }

    /// Where an account's files are.
    pub(crate) fn account(&self, network: &str, vault: &str, account: &str) -> PathBuf {
        self.root
            .join("networks")
            .join(network)
            .join(vault)
            .join(account)
    }
}

/// Makes a folder that only its owner may enter, with what leads to it.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| Error::file("make the folder", path, &error))
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a new file that only its owner may read; an existing one is left alone.
///
/// # Errors
/// [`Kind::Conflict`] when it exists.
pub(crate) fn create_new(path: &Path) -> Result<fs::File> {
    private(OpenOptions::new().write(true).create_new(true))
        .open(path)
        .map_err(|error| Error::file("make", path, &error))
}

/// As [`create_new`], with these bytes in it.
///
/// # Errors
/// [`Kind::Conflict`] when it exists.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_new(path)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|error| Error::file("write", path, &error))
}

/// Replaces a file as a whole, readable by its owner only.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: &std::io::Error| Error::file("write", path, error);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // What a process of the same number left when it was killed.
    let _ = fs::remove_file(&beside);
    let written = private(OpenOptions::new().write(true).create_new(true))
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.map_err(|error| failed(&error))
}

/// The file's bytes, if there is one.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", path, &error)),
    }
}

/// Bytes of a secret that someone wrote to a file, at most.
const SECRET_BYTES: u64 = 64 << 10;

/// A secret that someone wrote to a file; - is stdin.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>> {
    // As large as it may get, so that no part is left behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(SECRET_BYTES as usize));
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(SECRET_BYTES)
            .read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(SECRET_BYTES).read_to_string(&mut text))
    };
    read.map_err(|error| Error::file("read", path, &error))?;
    Ok(text)
}

/// Holds a folder for one command at a time; the next waits. Ends with the value.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = private(OpenOptions::new().write(true).create(true).truncate(false))
        .open(&path)
        .map_err(|error| Error::file("open", &path, &error))?;
    file.lock()
        .map_err(|error| Error::file("lock", &path, &error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_and_new_ones_overwrite_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        private_folder(&inner).unwrap();
        let path = inner.join("x");
        write_new(&path, b"1").unwrap();
        assert_eq!(write_new(&path, b"2").unwrap_err().kind, Kind::Conflict);
        assert_eq!(read(&path).unwrap().as_deref(), Some(b"1".as_slice()));
        write_whole(&path, b"3").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some(b"3".as_slice()));
        assert_eq!(read(&inner.join("y")).unwrap(), None);
        #[cfg(unix)]
        {
            assert_eq!(mode(&path), 0o600);
            assert_eq!(mode(&inner), 0o700);
        }
        let left: Vec<_> = fs::read_dir(&inner).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left beside the file");
    }
}
