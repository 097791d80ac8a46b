//! What this machine keeps to open an account: the secret of its `file` slot, and the key that
//! passphrases are bound to. In the desktop's keyring where there is one, else in a file that only
//! its owner may read. Owns those files. Must not know what the secrets open.

use crate::error::{Error, Kind, Result};
use crate::{home, keyring};
use clap::ValueEnum;
use salus_client::{DeviceKey, SlotId, SlotSecret, random_id};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

/// The file of the slot's secret in an account's folder.
const SLOT: &str = "slot.json";
/// The file of the key that passphrases are bound to.
const DEVICE: &str = "device.json";

/// Where secrets are to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    /// The keyring if there is one, else a file
    Auto,
    /// The keyring, or nothing is done
    Keyring,
    /// A file that only you may read
    File,
}

/// Where a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// In the desktop's keyring.
    Keyring,
    /// In a file.
    File,
}

/// A secret's file: with the secret, or with its entry in the keyring.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyring: Option<String>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// What this machine keeps for one account.
pub(crate) struct Secrets {
    folder: PathBuf,
    wanted: Wanted,
}

impl Secrets {
    /// Those in an account's folder.
    pub(crate) fn of(folder: &Path, wanted: Wanted) -> Self {
        Self {
            folder: folder.to_owned(),
            wanted,
        }
    }

    /// This machine's slot and its secret; nothing if it has none.
    ///
    /// # Errors
    /// When the file is damaged, or the keyring does not give the secret.
    pub(crate) fn slot(&self) -> Result<Option<(SlotId, SlotSecret)>> {
        let Some((slot, secret)) = self.load(SLOT)? else {
            return Ok(None);
        };
        let slot = slot.and_then(|slot| slot.parse().ok());
        let slot = slot.ok_or_else(|| self.damaged(SLOT))?;
        Ok(Some((slot, SlotSecret::from_file(*secret))))
    }

    /// Keeps slot and secret, replacing what was there.
    ///
    /// # Errors
    /// [`Error::file`]; when the keyring was asked for and takes nothing.
    pub(crate) fn keep_slot(&self, slot: SlotId, secret: &SlotSecret) -> Result<Place> {
        self.save(SLOT, Some(slot.to_string()), secret.expose())
    }

    /// Forgets slot and secret.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn forget_slot(&self) -> Result<()> {
        self.forget_file(SLOT)
    }

    /// Forgets all of it.
    ///
    /// # Errors
    /// [`Error::file`]
    pub(crate) fn forget(&self) -> Result<()> {
        self.forget_slot()?;
        self.forget_file(DEVICE)
    }

    /// The key that passphrases are bound to here, if there is one.
    ///
    /// # Errors
    /// As [`Self::slot`].
    pub(crate) fn device_key(&self) -> Result<Option<DeviceKey>> {
        let stored = self.load(DEVICE)?;
        Ok(stored.map(|(_, secret)| DeviceKey::from_bytes(*secret)))
    }

    /// Keeps that key.
    ///
    /// # Errors
    /// As [`Self::keep_slot`].
    pub(crate) fn keep_device_key(&self, key: &DeviceKey) -> Result<Place> {
        self.save(DEVICE, None, key.expose())
    }

    fn damaged(&self, name: &str) -> Error {
        let path = self.folder.join(name);
        let text = format!("{} is damaged", path.display());
        Error::new(Kind::Other, "slot_file", text).hint(crate::failure::UNLOCK)
    }

    fn read(&self, name: &str) -> Result<Option<Stored>> {
        let Some(bytes) = home::read(&self.folder.join(name))?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let stored = serde_json::from_slice(&bytes).map_err(|_| self.damaged(name))?;
        Ok(Some(stored))
    }

    #[expect(clippy::type_complexity, reason = "which slot, and its secret")]
    fn load(&self, name: &str) -> Result<Option<(Option<String>, Zeroizing<[u8; 32]>)>> {
        let Some(stored) = self.read(name)? else {
            return Ok(None);
        };
        let text = match (&stored.secret, &stored.keyring) {
            (Some(secret), None) => Zeroizing::new(secret.clone()),
            (None, Some(entry)) => keyring::lookup(entry).ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    "keyring",
                    "your keyring does not give the secret with which this machine opens your account",
                )
                .hint("unlock the keyring; or, if it is lost, remove this machine's slot and unlock again")
            })?,
            _ => return Err(self.damaged(name)),
        };
        let mut secret = Zeroizing::new([0u8; 32]);
        hex::decode_to_slice(text.as_str(), secret.as_mut_slice())
            .map_err(|_| self.damaged(name))?;
        Ok(Some((stored.slot.clone(), secret)))
    }

    fn save(&self, name: &str, slot: Option<String>, secret: &[u8; 32]) -> Result<Place> {
        home::private_folder(&self.folder)?;
        let before = self.read(name).ok().flatten();
        let text = Zeroizing::new(hex::encode(secret));
        let entry = match self.wanted {
            Wanted::File => None,
            Wanted::Auto | Wanted::Keyring => {
                let entry = hex::encode(random_id().map_err(salus_client::ClientError::from)?);
                keyring::store(&entry, &text).then_some(entry)
            }
        };
        if entry.is_none() && self.wanted == Wanted::Keyring {
            return Err(Error::new(
                Kind::Other,
                "keyring",
                "there is no keyring that keeps the secret",
            )
            .hint(
                "use `--secrets file`, or install libsecret's `secret-tool` and unlock the keyring",
            ));
        }
        let place = match entry {
            Some(_) => Place::Keyring,
            None => Place::File,
        };
        let stored = Stored {
            slot,
            secret: entry.is_none().then(|| text.to_string()),
            keyring: entry,
        };
        let bytes = Zeroizing::new(serde_json::to_vec(&stored).map_err(|error| {
            let text = format!("could not write the slot: {error}");
            Error::new(Kind::Other, "slot_file", text)
        })?);
        home::write_whole(&self.folder.join(name), &bytes)?;
        if let Some(entry) = before.as_ref().and_then(|before| before.keyring.as_deref()) {
            keyring::clear(entry);
        }
        Ok(place)
    }

    fn forget_file(&self, name: &str) -> Result<()> {
        let stored = self.read(name).ok().flatten();
        if let Some(entry) = stored.as_ref().and_then(|stored| stored.keyring.as_deref()) {
            keyring::clear(entry);
        }
        let path = self.folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("account");
        let secrets = Secrets::of(&inner, Wanted::File);
        assert!(secrets.slot().unwrap().is_none());
        let secret = SlotSecret::from_file([7; 32]);
        let kept = secrets.keep_slot(SlotId([3; 16]), &secret).unwrap();
        assert_eq!(kept, Place::File);
        let (slot, read) = secrets.slot().unwrap().unwrap();
        assert_eq!(slot, SlotId([3; 16]));
        assert_eq!(read.expose(), secret.expose());
        assert!(secrets.device_key().unwrap().is_none());
        let key = DeviceKey::from_bytes([8; 32]);
        secrets.keep_device_key(&key).unwrap();
        let read = secrets.device_key().unwrap().unwrap();
        assert_eq!(read.expose(), key.expose());
        #[cfg(unix)]
        for name in [SLOT, DEVICE] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(inner.join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for damaged in [
            "{}",
            r#"{"slot":"00"}"#,
            r#"{"slot":"03030303030303030303030303030303","secret":"00"}"#,
        ] {
            std::fs::write(inner.join(SLOT), damaged).unwrap();
            assert!(secrets.slot().is_err(), "{damaged}");
        }
        secrets.forget_slot().unwrap();
        secrets.forget_slot().unwrap();
        assert!(secrets.slot().unwrap().is_none());
    }

    #[test]
    fn files_of_the_first_release_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            r#"{{"slot":"{}","secret":"{}"}}"#,
            "03".repeat(16),
            "07".repeat(32)
        );
        std::fs::write(folder.path().join(SLOT), text).unwrap();
        let secrets = Secrets::of(folder.path(), Wanted::Auto);
        let (slot, read) = secrets.slot().unwrap().unwrap();
        assert_eq!((slot, read.expose()), (SlotId([3; 16]), &[7; 32]));
    }
}
