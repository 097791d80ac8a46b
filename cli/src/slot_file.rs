//! This machine's way to unlock an account: the secret of a `file` slot, in a file that only its
//! owner may read. Owns that file. Must not know what the secret opens.

use crate::error::{Error, Kind, Result};
use crate::home;
use salus_client::{SlotId, SlotSecret};
use serde::{Deserialize, Serialize};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// The file's name in an account's folder.
pub(crate) const NAME: &str = "slot.json";

#[derive(Serialize, Deserialize)]
struct Stored {
    slot: String,
    secret: String,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Reads slot and secret; nothing if there is no such file.
///
/// # Errors
/// When the file is damaged.
pub(crate) fn load(folder: &Path) -> Result<Option<(SlotId, SlotSecret)>> {
    let path = folder.join(NAME);
    let Some(bytes) = home::read(&path)?.map(Zeroizing::new) else {
        return Ok(None);
    };
    let damaged = || {
        Error::new(
            Kind::Other,
            "slot_file",
            format!("{} is damaged", path.display()),
        )
        .hint(crate::failure::UNLOCK)
    };
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
    let slot = stored.slot.parse().map_err(|_| damaged())?;
    let mut secret = Zeroizing::new([0u8; 32]);
    hex::decode_to_slice(&stored.secret, secret.as_mut_slice()).map_err(|_| damaged())?;
    Ok(Some((slot, SlotSecret::from_file(*secret))))
}

/// Writes slot and secret, replacing what was there.
///
/// # Errors
/// [`Error::file`]
pub(crate) fn save(folder: &Path, slot: SlotId, secret: &SlotSecret) -> Result<()> {
    home::private_folder(folder)?;
    let stored = Stored {
        slot: slot.to_string(),
        secret: hex::encode(secret.expose()),
    };
    let bytes = Zeroizing::new(serde_json::to_vec(&stored).map_err(|error| {
        Error::new(
            Kind::Other,
            "slot_file",
            format!("could not write the slot: {error}"),
        )
    })?);
    home::write_whole(&folder.join(NAME), &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("account");
        assert!(load(&inner).unwrap().is_none());
        let secret = SlotSecret::from_file([7; 32]);
        save(&inner, SlotId([3; 16]), &secret).unwrap();
        let (slot, read) = load(&inner).unwrap().unwrap();
        assert_eq!(slot, SlotId([3; 16]));
        assert_eq!(read.expose(), secret.expose());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(inner.join(NAME))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(inner.join(NAME), "{}").unwrap();
        assert!(load(&inner).is_err());
    }
}
