//! Showing that one is the owner, for what decides about keys. Must not know what that is.
//!
//! Whoever sits down at this machine can look at records with what lies here, and should do no more. To
//! add or remove ways into the account they have to bring one that does not lie here. What was brought is
//! compared once and remembered nowhere.

use crate::app::App;
use crate::brought::{self, is_stdin, one_stdin, read_passphrase, read_phrase, read_sheet_key};
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use clap::Args;
use salus_client::{ClientError, Passphrase, RecoveryPhrase, SheetKey};
use std::io::IsTerminal;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Words of a recovery phrase.
const PHRASE_WORDS: usize = 24;

/// What shows that one is the owner.
#[derive(Args, Debug)]
pub(crate) struct ProofArgs {
    /// File with your recovery phrase, to show that it is you; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    recovery: Option<PathBuf>,
    /// File with a passphrase of yours, to show that it is you; - reads it from stdin
    #[arg(long, value_name = "FILE", conflicts_with = "recovery")]
    passphrase_in: Option<PathBuf>,
    /// File with the key on your recovery sheet, if that passphrase goes with it
    #[arg(long, value_name = "FILE", requires = "passphrase_in")]
    sheet_key_in: Option<PathBuf>,
}

/// The recovery phrase, where only that does.
#[derive(Args, Debug)]
pub(crate) struct PhraseArgs {
    /// File with your recovery phrase; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    recovery: Option<PathBuf>,
}

impl PhraseArgs {
    /// The phrase, once it was seen to open the account.
    ///
    /// # Errors
    /// As [`ProofArgs::session`].
    pub(crate) async fn of_account(&self, app: &App) -> Result<RecoveryPhrase> {
        let given = self.recovery.as_deref().map(read_phrase).transpose()?;
        if given.is_none() && !std::io::stdin().is_terminal() {
            return Err(Error::new(
                Kind::Usage,
                "proof_needed",
                "your 24 words are kept nowhere: give them once more",
            )
            .hint("with `--recovery FILE`; - is stdin"));
        }
        let session = Session::open(app).await?;
        let phrase = match given {
            Some(phrase) => phrase,
            None => {
                let typed = typed("Your 24 words (not shown): ")?;
                RecoveryPhrase::parse(&typed).map_err(ClientError::from)?
            }
        };
        check_phrase(&session, &phrase).await?;
        Ok(phrase)
    }
}

enum Brought {
    Phrase(RecoveryPhrase),
    Passphrase(Passphrase, Option<SheetKey>),
}

impl ProofArgs {
    /// Unlocks with this machine's slot once the owner has shown that it is them.
    ///
    /// # Errors
    /// `proof_needed` where nothing was brought and nobody is there to be asked; `wrong_phrase`,
    /// `wrong_secret`; and those of [`Session::open`].
    pub(crate) async fn session<'a>(&self, app: &'a App) -> Result<Session<'a>> {
        let given = self.given()?;
        if given.is_none() && !std::io::stdin().is_terminal() {
            return Err(needed());
        }
        let session = Session::open(app).await?;
        let brought = match given {
            Some(brought) => brought,
            None => ask(&session)?,
        };
        check(&session, &brought).await?;
        Ok(session)
    }

    /// Whether stdin is used up by it.
    pub(crate) fn reads_stdin(&self) -> bool {
        let paths = [&self.recovery, &self.passphrase_in, &self.sheet_key_in];
        paths.iter().any(|path| is_stdin(path.as_deref()))
    }

    fn given(&self) -> Result<Option<Brought>> {
        if let Some(path) = &self.recovery {
            return Ok(Some(Brought::Phrase(read_phrase(path)?)));
        }
        let Some(path) = &self.passphrase_in else {
            return Ok(None);
        };
        one_stdin(&[Some(path), self.sheet_key_in.as_deref()])?;
        let sheet = self.sheet_key_in.as_deref().map(read_sheet_key);
        Ok(Some(Brought::Passphrase(
            read_passphrase(path)?,
            sheet.transpose()?,
        )))
    }
}

fn needed() -> Error {
    Error::new(
        Kind::Usage,
        "proof_needed",
        "this decides about your keys: show that it is you",
    )
    .hint(
        "give your 24 words with `--recovery FILE`, or a passphrase with `--passphrase-in FILE`; - is stdin",
    )
}

/// Asks who sits at the terminal. What is typed is not shown.
fn ask(session: &Session<'_>) -> Result<Brought> {
    let bound = session.app.secrets(&session.folder).device_key();
    let bound = matches!(bound, Ok(Some(_)));
    let what = if bound {
        "Your 24 words, or the passphrase that is bound to this machine"
    } else {
        "Your 24 words"
    };
    let typed = typed(&format!(
        "This decides about your keys. {what} (not shown): "
    ))?;
    if bound && typed.split_whitespace().count() != PHRASE_WORDS {
        let passphrase = Passphrase::read(&typed).map_err(ClientError::from)?;
        return Ok(Brought::Passphrase(passphrase, None));
    }
    let phrase = RecoveryPhrase::parse(&typed).map_err(ClientError::from)?;
    Ok(Brought::Phrase(phrase))
}

fn typed(prompt: &str) -> Result<Zeroizing<String>> {
    let typed = rpassword::prompt_password(prompt);
    typed.map(Zeroizing::new).map_err(|error| {
        let text = format!("could not ask on this terminal: {error}");
        Error::new(Kind::Other, "terminal", text)
    })
}

async fn check_phrase(session: &Session<'_>, phrase: &RecoveryPhrase) -> Result<()> {
    if session.unlocked.is_opened_by(&phrase.slot_secret()).await? {
        Ok(())
    } else {
        Err(unproven(ClientError::WrongPhrase))
    }
}

async fn check(session: &Session<'_>, brought: &Brought) -> Result<()> {
    match brought {
        Brought::Phrase(phrase) => check_phrase(session, phrase).await,
        Brought::Passphrase(passphrase, sheet) => {
            // Opens the account a second time, and lets go of it.
            let (app, client) = (session.app, session.client());
            let again =
                brought::unlock_with_passphrase(app, client, passphrase, sheet.as_ref()).await;
            let again = again.map_err(|error| match error.reason {
                "wrong_secret" => unproven(ClientError::WrongSecret),
                _ => error,
            })?;
            again.lock();
            if again.account() == session.unlocked.account() {
                Ok(())
            } else {
                Err(unproven(ClientError::WrongSecret))
            }
        }
    }
}

fn unproven(error: ClientError) -> Error {
    Error::from(error).hint("nothing was changed")
}
