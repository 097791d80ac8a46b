//! Files as parts of records: read while they are sealed, written while they are opened. Owns media
//! types by name and names that are safe to write. Must not know what records are.

use crate::error::{Error, Result};
use salus_client::{PartDraft, PartSource, SourceError};
use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file on this machine.
struct FileSource {
    file: RefCell<File>,
    len: u64,
    name: String,
}

#[async_trait::async_trait(?Send)]
impl PartSource for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    async fn read(&self, offset: u64, len: usize) -> std::result::Result<Vec<u8>, SourceError> {
        let mut bytes = vec![0; len];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| SourceError(format!("could not read {}: {error}", self.name)))?;
        Ok(bytes)
    }
}

/// The file as a part.
///
/// # Errors
/// When it cannot be opened, or is no plain file.
pub(crate) fn part(path: &Path) -> Result<PartDraft> {
    let file = File::open(path).map_err(|error| Error::file("read", path, &error))?;
    let about = file
        .metadata()
        .map_err(|error| Error::file("read", path, &error))?;
    if !about.is_file() {
        return Err(Error::usage(format!("{} is not a file", path.display())));
    }
    let name = name_of(path);
    Ok(PartDraft {
        media_type: media_type(&name).to_owned(),
        source: Rc::new(FileSource {
            file: RefCell::new(file),
            len: about.len(),
            name: path.display().to_string(),
        }),
        name,
    })
}

/// The last part of a path, as text.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The media type that a name's ending stands for.
pub(crate) fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "txt" | "md" | "log" => "text/plain",
        "csv" => "text/csv",
        "html" | "htm" => "text/html",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "odt" => "application/vnd.oasis.opendocument.text",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "tif" | "tiff" => "image/tiff",
        "svg" => "image/svg+xml",
        "dcm" => "application/dicom",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// Most characters of a name that is written: the shortest limit of common file systems is 255
/// bytes, and a character has up to four.
const NAME_CHARS: usize = 60;

/// A name that leads nowhere else, whoever made it up, and is none of `taken`.
pub(crate) fn safe_name(name: &str, index: usize, taken: &[String]) -> String {
    let clean: String = crate::text::line(name)
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            other => other,
        })
        .collect();
    let clean = clean.trim_matches(['.', ' ']);
    let (stem, ending) = match clean.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 10 => {
            (stem, format!(".{ending}"))
        }
        _ => (clean, String::new()),
    };
    let stem: String = stem.chars().take(NAME_CHARS).collect();
    let stem = if stem.is_empty() {
        format!("part-{index}")
    } else {
        stem
    };
    let mut name = format!("{stem}{ending}");
    let mut again = 2;
    while taken.iter().any(|t| t.eq_ignore_ascii_case(&name)) {
        name = format!("{stem}-{again}{ending}");
        again += 1;
    }
    name
}

/// A file that appears under its name only when it is whole.
pub(crate) struct Arriving {
    file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl Arriving {
    /// Begins a new file; an existing one is left alone.
    ///
    /// # Errors
    /// [`crate::error::Kind::Conflict`] when it exists.
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(Error::exists(format!("{} exists already", path.display())));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(&beside)
            .map_err(|error| Error::file("make", &beside, &error))?;
        Ok(Self {
            file,
            beside,
            path: path.to_owned(),
        })
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), SourceError> {
        std::io::Write::write_all(&mut self.file, bytes).map_err(|error| {
            SourceError(format!(
                "could not write {}: {error}",
                self.beside.display()
            ))
        })
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn finish(self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(|error| Error::file("write", &self.beside, &error))?;
        // A link replaces nothing; where there are no links, the moment between looking and
        // renaming has to do.
        match std::fs::hard_link(&self.beside, &self.path) {
            Ok(()) => Ok(()),
            Err(_) if self.path.exists() => Err(Error::exists(format!(
                "{} exists already",
                self.path.display()
            ))),
            Err(_) => std::fs::rename(&self.beside, &self.path)
                .map_err(|error| Error::file("write", &self.path, &error)),
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_others_made_up_lead_nowhere_else() {
        let cases = [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a/b.pdf", "a_b.pdf"),
            ("..", "part-3"),
            ("", "part-3"),
            ("C:\\x.txt", "C__x.txt"),
            (".ssh", "ssh"),
            ("a\u{0}\u{202e}fdp.exe", "afdp.exe"),
        ];
        for (name, safe) in cases {
            assert_eq!(safe_name(name, 3, &[]), safe, "{name:?}");
        }
        let taken = ["a.txt".to_owned(), "A-2.txt".to_owned()];
        assert_eq!(safe_name("A.TXT", 0, &taken), "A-2.TXT".replace("-2", "-3"));
        assert!(safe_name(&"é".repeat(500), 0, &[]).len() < 255);
    }

    #[test]
    fn a_file_has_its_name_only_when_whole_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        let mut file = Arriving::begin(&path).unwrap();
        file.write(b"12").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut file = Arriving::begin(&path).unwrap();
        file.write(b"12").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"12");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(Arriving::begin(&path).is_err());
    }

    #[test]
    fn a_part_reads_what_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Scan.PDF");
        std::fs::write(&path, b"0123456789").unwrap();
        let part = part(&path).unwrap();
        assert_eq!(
            (part.name.as_str(), part.media_type.as_str()),
            ("Scan.PDF", "application/pdf")
        );
        assert_eq!(part.source.len(), 10);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let read = |offset, len| runtime.block_on(part.source.read(offset, len));
        assert_eq!(read(3, 4).unwrap(), b"3456");
        assert!(read(8, 4).is_err());
        assert!(super::part(folder.path()).is_err());
    }
}
