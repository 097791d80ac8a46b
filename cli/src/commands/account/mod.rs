//! `salus account …`: opening an account, the ways into it, and who may call for it.

mod create;
mod forget;
mod lost;
mod open;
mod pairing;
mod passphrase;
mod recovery;
mod replace;
mod rotation;
mod sheet;
mod show;
mod sign_in;
mod slot;

use crate::app::App;
use crate::error::{Error, Result};
use crate::proof::ProofArgs;
use clap::Subcommand;
use std::path::PathBuf;

/// Your account.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open an account; prints the recovery phrase once
    Create {
        /// What you want to be called by those you give access to
        #[arg(long)]
        name: Option<String>,
        /// Write the recovery phrase to this new file instead of printing it
        #[arg(long, value_name = "FILE")]
        recovery_out: Option<PathBuf>,
    },
    /// Let this machine open your account from now on; joins this identity to it if need be
    Unlock {
        /// File with the recovery phrase; - reads it from stdin
        #[arg(long, value_name = "FILE", required_unless_present = "passphrase_in")]
        recovery: Option<PathBuf>,
        /// File with a passphrase; - reads it from stdin
        #[arg(long, value_name = "FILE", conflicts_with = "recovery")]
        passphrase_in: Option<PathBuf>,
        /// File with the key on your recovery sheet; without it the passphrase is one that is bound to
        /// this machine
        #[arg(long, value_name = "FILE", requires = "passphrase_in")]
        sheet_key_in: Option<PathBuf>,
    },
    /// Let a new machine open your account by help of one that does: run it there without a code, and
    /// here with the code it shows
    Pair {
        /// The code that the new machine, or the browser, shows
        #[arg(long, value_name = "CODE")]
        approve: Option<String>,
        /// What the new device is called in the list of what opens your account
        #[arg(long, requires = "approve", value_name = "TEXT")]
        label: Option<String>,
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Take your account back after someone stole its keys: makes new ones, and ends every other way to
    /// open it and every other sign-in, but for those you keep
    Recover(recovery::RecoverArgs),
    /// Put other 24 words in the place of those that somebody may have read. Run it again if it was stopped
    ReplaceWords(replace::ReplaceArgs),
    /// Make all keys anew: master key, identity keys, and those of everything stored. Run it again
    /// if it was stopped
    Rotate {
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Show your account
    Show,
    /// Show your recovery sheet: your 24 words, for people and for cameras, and how to use them
    Sheet(sheet::SheetArgs),
    /// List the ways to open your account
    Slots,
    /// Add or remove a way to open your account
    #[command(subcommand)]
    Slot(slot::Command),
    /// List who may call for your account
    SignIns,
    /// Let another identity call for your account, or one no more
    #[command(subcommand)]
    SignIn(sign_in::Command),
    /// Lock out what you lost, several at once, and make all keys anew. Run it again if it was stopped
    Lost(lost::LostArgs),
    /// Sign out everywhere else: take every other machine's and browser's own way into your account
    SignOutOthers {
        #[command(flatten)]
        proof: ProofArgs,
    },
    /// Let this machine open your account no more, and keep nothing of it here
    Forget(forget::ForgetArgs),
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Create { name, recovery_out } => {
            create::create(app, name.as_deref(), recovery_out.as_deref()).await
        }
        Command::Unlock {
            recovery,
            passphrase_in,
            sheet_key_in,
        } => match (recovery, passphrase_in) {
            (Some(recovery), _) => open::by_phrase(app, recovery).await,
            (None, Some(passphrase)) => {
                open::by_passphrase(app, passphrase, sheet_key_in.as_deref()).await
            }
            (None, None) => Err(Error::usage("give --recovery or --passphrase-in")),
        },
        Command::ReplaceWords(arguments) => replace::replace(app, arguments).await,
        Command::Recover(arguments) => recovery::recover(app, arguments).await,
        Command::Pair { approve: None, .. } => pairing::join(app).await,
        Command::Pair {
            approve: Some(code),
            label,
            proof,
        } => pairing::approve(app, code, label.as_deref(), proof).await,
        Command::Rotate { proof } => rotation::rotate(app, proof).await,
        Command::Show => show::show(app).await,
        Command::Sheet(arguments) => sheet::sheet(app, arguments).await,
        Command::Slots => slot::list(app).await,
        Command::Slot(command) => slot::run(app, command).await,
        Command::SignIns => sign_in::list(app).await,
        Command::SignIn(command) => sign_in::run(app, command).await,
        Command::Lost(arguments) => lost::lost(app, arguments).await,
        Command::SignOutOthers { proof } => lost::sign_out_others(app, proof).await,
        Command::Forget(arguments) => forget::forget(app, arguments).await,
    }
}
