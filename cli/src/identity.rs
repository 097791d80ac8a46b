//! Identities: PEM files with the key that signs calls. Owns where they are and how new ones are
//! written. Must not know what a call is: reading the key is the client's.

use crate::error::{Error, Kind, Result};
use crate::home::{self, Home};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// PKCS#8 version 1 for Ed25519 (RFC 8410, section 7) up to the 32 bytes of the seed.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
/// The identity used when none is named and there are several.
const DEFAULT: &str = "default";

/// A PEM file with what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityFile {
    /// Its name, or the file as it was named.
    pub(crate) name: String,
    /// The file.
    pub(crate) path: PathBuf,
}

impl IdentityFile {
    /// The file's text.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>> {
        home::read(&self.path)?.map(Zeroizing::new).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                "no_identity",
                format!("there is no identity {}", self.name),
            )
            .hint(format!(
                "looked for {}; `salus identity list` shows what there is",
                self.path.display()
            ))
        })
    }
}

/// The identity the command line names, or the one that goes without saying.
///
/// # Errors
/// When there is none, or several and none is called `default`.
pub(crate) fn find(home: &Home, named: Option<&str>) -> Result<IdentityFile> {
    if let Some(named) = named {
        if named.ends_with(".pem") || named.contains(std::path::MAIN_SEPARATOR) {
            return Ok(IdentityFile {
                name: named.to_owned(),
                path: PathBuf::from(named),
            });
        }
        check_name(named)?;
        return Ok(at(home, named));
    }
    let mut all = list(home)?;
    if let Some(default) = all.iter().position(|file| file.name == DEFAULT) {
        return Ok(all.swap_remove(default));
    }
    match all.len() {
        1 => Ok(all.swap_remove(0)),
        0 => Err(
            Error::new(Kind::Usage, "no_identity", "there is no identity yet").hint(
                "make one with `salus identity new default`, or name a PEM file by --identity",
            ),
        ),
        _ => Err(Error::new(
            Kind::Usage,
            "ambiguous",
            "there are several identities: name one by --identity",
        )
        .candidates(all.into_iter().map(|file| file.name).collect())),
    }
}

/// All identities, by name.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn list(home: &Home) -> Result<Vec<IdentityFile>> {
    let folder = home.identities();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("read", &folder, &error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::file("read", &folder, &error))?;
        let path = entry.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some(name), Some("pem")) = (name, path.extension().and_then(|e| e.to_str())) {
            all.push(IdentityFile {
                name: name.to_owned(),
                path: path.clone(),
            });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Makes an Ed25519 identity. An existing one is left alone.
///
/// # Errors
/// [`Kind::Conflict`] when the name is taken.
pub(crate) fn make(home: &Home, name: &str) -> Result<IdentityFile> {
    check_name(name)?;
    let mut seed = Zeroizing::new([0u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|error| {
        Error::new(
            Kind::Other,
            "random",
            format!("the system gave no randomness: {error}"),
        )
    })?;
    home::private_folder(&home.identities())?;
    let file = at(home, name);
    home::write_new(&file.path, pem(&seed).as_bytes()).map_err(|error| {
        if error.kind == Kind::Conflict {
            Error::exists(format!("there is an identity {name} already"))
        } else {
            error
        }
    })?;
    Ok(file)
}

fn at(home: &Home, name: &str) -> IdentityFile {
    IdentityFile {
        name: name.to_owned(),
        path: home.identities().join(format!("{name}.pem")),
    }
}

fn pem(seed: &[u8; 32]) -> Zeroizing<String> {
    let der = Zeroizing::new([PKCS8.as_slice(), seed].concat());
    let body = Zeroizing::new(STANDARD.encode(&der));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        body.as_str()
    ))
}

/// A name is also a file's name: it may lead nowhere else and look the same everywhere.
fn check_name(name: &str) -> Result<()> {
    let fine = (1..=64).contains(&name.len())
        && !name.starts_with(['.', '-'])
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if fine && Path::new(name).file_name().is_some() {
        Ok(())
    } else {
        Err(Error::usage(format!(
            "`{name}` cannot name an identity: use letters, digits, dot, hyphen and underscore"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("salus"));
        (folder, home)
    }

    #[test]
    fn a_new_identity_is_found_and_never_overwritten() {
        let (_folder, home) = home();
        assert_eq!(find(&home, None).unwrap_err().reason, "no_identity");
        let made = make(&home, "ana").unwrap();
        assert_eq!(find(&home, None).unwrap(), made);
        let before = made.read().unwrap();
        assert_eq!(make(&home, "ana").unwrap_err().kind, Kind::Conflict);
        assert_eq!(made.read().unwrap(), before);
        let other = make(&home, "bo").unwrap();
        assert_ne!(other.read().unwrap(), before);
        let error = find(&home, None).unwrap_err();
        assert_eq!(error.candidates, ["ana", "bo"]);
        let default = make(&home, "default").unwrap();
        assert_eq!(find(&home, None).unwrap(), default);
        assert_eq!(find(&home, Some("bo")).unwrap(), other);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_an_identity() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, home) = home();
        let made = make(&home, "ana").unwrap();
        let mode = std::fs::metadata(&made.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn names_lead_nowhere_else() {
        let (_folder, home) = home();
        for wrong in ["", ".", "..", "a b", "-x", "é", "a\u{0}", &"x".repeat(65)] {
            assert!(make(&home, wrong).is_err(), "{wrong:?}");
        }
        assert!(make(&home, "../x").is_err());
        let file = find(&home, Some("some/where/key.pem")).unwrap();
        assert_eq!(file.path, PathBuf::from("some/where/key.pem"));
        assert_eq!(file.read().unwrap_err().reason, "no_identity");
    }
}
