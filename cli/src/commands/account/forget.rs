//! `salus account forget`: this machine opens the account no more, and keeps nothing of it. Must not know
//! how a slot is removed.

use super::slot::only_the_words_without;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use clap::Args;
use salus_client::{AccountId, Client, ClientError};
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// What to be sure of.
#[derive(Args, Debug)]
pub(crate) struct ForgetArgs {
    /// Even if then only your 24 words open your account
    #[arg(long)]
    yes: bool,
    /// What this machine keeps of an account that this identity calls for no more
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<AccountId>,
}

/// What `forget` answers.
#[derive(Serialize)]
struct Forgotten {
    account: String,
    /// This machine's way to open the account, unless it was gone before.
    slot_removed: Option<String>,
    /// Passphrases that are bound to some machine: those bound to this one open nothing any more.
    bound: Vec<String>,
    /// Who may still call for the account with this machine's identity; nobody, if it was another's.
    principal: Option<String>,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "This machine opens your account {} no more, and keeps nothing of it.",
            self.account
        )?;
        for slot in &self.bound {
            writeln!(
                f,
                "If the passphrase {slot} was bound to this machine, it opens nothing now: `salus account \
                 slot remove {slot}` elsewhere takes it off the list."
            )?;
        }
        if let Some(principal) = &self.principal {
            write!(
                f,
                "Its identity stays, and may call for your account as {principal}: to end that too, use \
                 `salus account sign-in remove` elsewhere."
            )?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(super) async fn forget(app: &App, arguments: &ForgetArgs) -> Result<()> {
    let client = app.client().await?;
    let own = client.account().await?.map(|info| info.account);
    let Some(account) = arguments.account.or(own) else {
        let kept = app.kept_accounts(&client);
        let error = Error::from(ClientError::NoAccount).candidates(kept);
        return Err(error.hint("name what this machine keeps an account of: `--account ACCOUNT`"));
    };
    let folder = app.folder(&client, account);
    let mut forgotten = Forgotten {
        account: account.to_string(),
        slot_removed: None,
        bound: Vec::new(),
        principal: None,
    };
    if own == Some(account) {
        forgotten.principal = Some(client.caller().to_text());
        give_up(app, &client, &folder, arguments.yes, &mut forgotten).await?;
    } else if !folder.exists() {
        return Err(
            Error::not_found("this machine keeps nothing of that account")
                .candidates(app.kept_accounts(&client)),
        );
    } else if !arguments.yes {
        // Whether it has other ways is not to be seen from here.
        return Err(only_the_words());
    }
    app.secrets(&folder).forget()?;
    clear(app, &client, account, &folder)?;
    app.out.answer(&forgotten)
}

/// Takes this machine's slot off the account.
async fn give_up(
    app: &App,
    client: &Client,
    folder: &Path,
    yes: bool,
    forgotten: &mut Forgotten,
) -> Result<()> {
    let secrets = app.secrets(folder);
    let Some((slot, secret)) = secrets.slot()? else {
        return Ok(());
    };
    let unlocked = match client.unlock_with_slot(slot, &secret).await {
        // Removed from elsewhere, or by this command before it was stopped.
        Err(ClientError::NoSuchSlot) => return Ok(()),
        other => other?,
    };
    let bound_here = !matches!(secrets.device_key(), Ok(None));
    let slots = unlocked.slots()?;
    if !yes && only_the_words_without(&slots, Some(slot), bound_here) {
        return Err(only_the_words());
    }
    if bound_here {
        forgotten.bound = super::slot::bound_to_a_machine(&slots);
    }
    unlocked.remove_slots(&[slot]).await?;
    forgotten.slot_removed = Some(slot.to_string());
    Ok(())
}

fn only_the_words() -> Error {
    Error::new(
        Kind::Usage,
        "only_the_words",
        "then only your 24 words would open your account, and nobody could open it without them",
    )
    .hint("repeat it with --yes if you have them at hand, or add another way first: `salus account slot add passphrase`")
}

fn clear(app: &App, client: &Client, account: AccountId, folder: &Path) -> Result<()> {
    for folder in [folder, &app.memory_of(client, account)] {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::file("remove", folder, &error));
            }
            _ => {}
        }
    }
    Ok(())
}
