//! What people bring to open their account: the recovery phrase, or a passphrase with its second secret,
//! in files or on stdin. Owns how such files are read. Must not know what is done then.

use crate::app::App;
use crate::error::{Error, Result};
use crate::home::read_secret;
use salus_client::{
    AccountId, Client, ClientError, DeviceKey, Passphrase, RecoveryPhrase, SecondSecret,
    SecondSecretKind, SheetKey, SlotParameters, Unlocked,
};
use std::path::Path;

/// How a file that `--sheet-out` wrote names what it holds.
pub(crate) const PASSPHRASE: &str = "passphrase:";
/// The same, for the sheet's key.
pub(crate) const SHEET_KEY: &str = "sheet key:";

/// Whether a path stands for stdin.
pub(crate) fn is_stdin(path: Option<&Path>) -> bool {
    path == Some(Path::new("-"))
}

/// Refuses to read several things from stdin.
///
/// # Errors
/// [`crate::error::Kind::Usage`]
pub(crate) fn one_stdin(paths: &[Option<&Path>]) -> Result<()> {
    if paths.iter().filter(|path| is_stdin(**path)).count() > 1 {
        return Err(Error::usage("stdin holds one thing only"));
    }
    Ok(())
}

/// A recovery phrase.
///
/// # Errors
/// [`Error::file`]; `not_a_phrase`
pub(crate) fn read_phrase(path: &Path) -> Result<RecoveryPhrase> {
    Ok(RecoveryPhrase::parse(&read_secret(path)?).map_err(ClientError::from)?)
}

/// A passphrase.
///
/// # Errors
/// [`Error::file`]; `passphrase`
pub(crate) fn read_passphrase(path: &Path) -> Result<Passphrase> {
    let text = read_secret(path)?;
    let named = text.lines().find_map(|line| line.strip_prefix(PASSPHRASE));
    Ok(Passphrase::read(named.unwrap_or(&text)).map_err(ClientError::from)?)
}

/// The key of a recovery sheet.
///
/// # Errors
/// [`Error::file`]; `not_a_sheet_key`
pub(crate) fn read_sheet_key(path: &Path) -> Result<SheetKey> {
    let text = read_secret(path)?;
    let named = text.lines().find_map(|line| line.strip_prefix(SHEET_KEY));
    Ok(SheetKey::parse(named.unwrap_or(&text)).map_err(ClientError::from)?)
}

/// Unlocks with a passphrase and the sheet's key, or with what is bound to this machine.
///
/// # Errors
/// [`ClientError::WrongSecret`] if it opens none of the account's slots of that kind.
pub(crate) async fn unlock_with_passphrase(
    app: &App,
    client: &Client,
    passphrase: &Passphrase,
    sheet: Option<&SheetKey>,
) -> Result<Unlocked> {
    let offered = client.offered_slots().await?;
    let key = match sheet {
        None => Some(own_device_key(app, client, offered.account)?),
        Some(_) => None,
    };
    for slot in offered.slots {
        let Some(SlotParameters::Passphrase(parameters)) = slot.parameters else {
            continue;
        };
        let second = match (parameters.second, sheet, &key) {
            (SecondSecretKind::Sheet, Some(sheet), _) => SecondSecret::Sheet(sheet.clone()),
            (SecondSecretKind::Device, _, Some(key)) => {
                SecondSecret::Device(client.device_secret(offered.account, slot.id, key))
            }
            _ => continue,
        };
        let opened = client
            .unlock_with_passphrase(slot.id, passphrase, &second)
            .await;
        match opened {
            Err(ClientError::WrongSecret) => {}
            other => return Ok(other?),
        }
    }
    Err(ClientError::WrongSecret.into())
}

fn own_device_key(app: &App, client: &Client, account: AccountId) -> Result<DeviceKey> {
    let secrets = app.secrets(&app.folder(client, account));
    secrets.device_key()?.ok_or_else(|| {
        Error::not_found("no passphrase is bound to this machine")
            .hint("give the key on your recovery sheet with `--sheet-key-in FILE`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_is_read_once() {
        let stdin = Some(Path::new("-"));
        assert!(one_stdin(&[stdin, None, Some(Path::new("x"))]).is_ok());
        assert!(one_stdin(&[stdin, None, stdin]).is_err());
    }

    #[test]
    fn a_sheet_in_a_file_gives_both_of_its_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet");
        let key = SheetKey::generate().unwrap();
        let text = format!(
            "{PASSPHRASE} one two three four\n{SHEET_KEY} {}\n",
            key.to_text().as_str()
        );
        std::fs::write(&path, text).unwrap();
        let passphrase = read_passphrase(&path).unwrap();
        assert_eq!(passphrase.expose(), "one two three four");
        let read = read_sheet_key(&path).unwrap();
        assert_eq!(read.to_text(), key.to_text());
        assert_eq!(read_phrase(&path).unwrap_err().reason, "not_a_phrase");
    }
}
