//! `salus account replace-words`: another recovery phrase in place of one that somebody may have read. Must not
//! know how one replaces the other.

use super::open::no_randomness;
use crate::app::App;
use crate::brought::read_phrase;
use crate::error::Result;
use crate::home;
use crate::text::line;
use clap::Args;
use salus_client::RecoveryPhrase;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// What `replace-words` is told.
#[derive(Debug, Args)]
pub(crate) struct ReplaceArgs {
    /// File with the recovery phrase there is; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    recovery: PathBuf,
    /// File for the new one. Where it is there already, as after this was stopped, the phrase in it is
    /// put in force
    #[arg(long, value_name = "FILE")]
    new_recovery: PathBuf,
}

/// What `replace-words` answers.
#[derive(Serialize)]
struct Replaced {
    account: String,
    recovery_file: String,
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The 24 words in {} open your account from now on; those before open nothing.",
            line(&self.recovery_file)
        )?;
        write!(
            f,
            "Your other ways to open it stay, and people you deal with are asked to accept your new keys. If \
             someone may have used the old words: `salus account recover` with the new ones, then \
             `salus account rotate`."
        )
    }
}

/// Runs the command.
pub(super) async fn replace(app: &App, arguments: &ReplaceArgs) -> Result<()> {
    let old = read_phrase(&arguments.recovery)?;
    let out = &arguments.new_recovery;
    // Before it is in force: whoever has the account must not be without it.
    let new = if out.exists() {
        read_phrase(out)?
    } else {
        let new = RecoveryPhrase::generate().map_err(no_randomness)?;
        home::write_new(out, format!("{}\n", new.to_words().as_str()).as_bytes())?;
        new
    };
    let client = app.client().await?;
    let unlocked = client.replace_phrase(&old, &new).await?;
    app.out.answer(&Replaced {
        account: unlocked.account().to_string(),
        recovery_file: out.display().to_string(),
    })
}
