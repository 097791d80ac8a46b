//! `salus account unlock`: this machine opens the account from now on. Must not know how it is opened.

use super::slot::{only_the_words_without, second_way};
use crate::app::App;
use crate::brought::{
    one_stdin, read_passphrase, read_phrase, read_sheet_key, unlock_with_passphrase,
};
use crate::error::{Error, Kind, Result};
use crate::session::note_use;
use crate::text::line;
use salus_client::{NewSlot, SlotSecret, Unlocked};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What `unlock` answers, and `recover` among other things.
#[derive(Serialize)]
pub(super) struct Opened {
    account: String,
    principal: String,
    /// Whether this identity was new to the account.
    joined: bool,
    /// Whether this machine could not open it before.
    slot_added: bool,
    /// Whether, without this machine, nothing but the words opens the account.
    only_the_words: bool,
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.joined {
            writeln!(f, "{} now belongs to your account.", self.principal)?;
        }
        let how = if self.slot_added {
            "now opens"
        } else {
            "opens"
        };
        writeln!(f, "This machine {how} your account {}.", self.account)?;
        second_way(f, self.only_the_words)
    }
}

/// Unlocks with the recovery phrase.
pub(super) async fn by_phrase(app: &App, recovery: &Path) -> Result<()> {
    let phrase = read_phrase(recovery)?;
    let client = app.client().await?;
    let joined = client.account().await?.is_none();
    let unlocked = client.unlock_with_phrase(&phrase).await?;
    app.out.answer(&keep(app, &unlocked, joined).await?)
}

/// Unlocks with a passphrase.
pub(super) async fn by_passphrase(
    app: &App,
    passphrase_in: &Path,
    sheet_key_in: Option<&Path>,
) -> Result<()> {
    one_stdin(&[Some(passphrase_in), sheet_key_in])?;
    let passphrase = read_passphrase(passphrase_in)?;
    let sheet = sheet_key_in.map(read_sheet_key).transpose()?;
    let client = app.client().await?;
    let unlocked = unlock_with_passphrase(app, &client, &passphrase, sheet.as_ref()).await?;
    app.out.answer(&keep(app, &unlocked, false).await?)
}

/// Makes sure that this machine opens the account from now on.
pub(super) async fn keep(app: &App, unlocked: &Unlocked, joined: bool) -> Result<Opened> {
    note_use(app, unlocked).await;
    let secrets = app.secrets(&app.folder(unlocked.client(), unlocked.account()));
    let slots = unlocked.slots()?;
    let there = match secrets.slot() {
        Ok(Some((slot, _))) if slots.iter().any(|s| s.id == slot) => Some(slot),
        _ => None,
    };
    let own = match there {
        Some(slot) => slot,
        None => {
            let slot = file_slot()?;
            secrets.keep_slot(slot.id, &slot.secret)?;
            unlocked.add_slot(&slot).await?;
            slot.id
        }
    };
    let bound_here = matches!(secrets.device_key(), Ok(Some(_)));
    Ok(Opened {
        account: unlocked.account().to_string(),
        principal: unlocked.client().caller().to_text(),
        joined,
        slot_added: there.is_none(),
        only_the_words: only_the_words_without(&unlocked.slots()?, Some(own), bound_here),
    })
}

/// A new way to unlock for this machine, called by the machine's name.
pub(super) fn file_slot() -> Result<NewSlot> {
    let secret = SlotSecret::generate_for_file().map_err(no_randomness)?;
    let label = own_label(hostname::get().ok().as_deref());
    Ok(NewSlot::new(secret, label)?)
}

fn own_label(host: Option<&std::ffi::OsStr>) -> String {
    let host = host.map(|host| host.to_string_lossy()).unwrap_or_default();
    let label = line(&format!("command line {host}"));
    label.chars().take(100).collect()
}

/// The failure where the system gave no randomness.
pub(super) fn no_randomness(error: impl fmt::Display) -> Error {
    Error::new(
        Kind::Other,
        "random",
        format!("the system gave no randomness: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_goes_by_its_name_and_by_something_without_one() {
        assert_eq!(own_label(Some("kitchen".as_ref())), "command line kitchen");
        assert_eq!(
            own_label(Some("a\u{1b}[2J\nb".as_ref())),
            "command line a[2J b"
        );
        assert_eq!(own_label(None), "command line");
        assert_eq!(
            own_label(Some("x".repeat(300).as_ref())).chars().count(),
            100
        );
    }
}
