//! One module for each group of commands: its arguments, what it answers, and how it is done with
//! the client.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod compartment;
pub(crate) mod contact;
pub(crate) mod export;
pub(crate) mod grant;
pub(crate) mod identity;
pub(crate) mod inbox;
pub(crate) mod invitation;
pub(crate) mod provider;
pub(crate) mod record;
pub(crate) mod request;

use crate::app::App;
use crate::args::{Cli, Command};
use crate::error::Result;

/// Runs what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    let app = App::new(&cli.global)?;
    match &cli.command {
        Command::Identity(command) => identity::run(&app, command),
        Command::Whoami => identity::whoami(&app),
        Command::Account(command) => account::run(&app, command).await,
        Command::Contact(command) => contact::run(&app, command).await,
        Command::Provider(command) => provider::run(&app, command).await,
        Command::Compartment(command) => compartment::run(&app, command).await,
        Command::Record(command) => record::run(&app, command).await,
        Command::Invitation(command) => invitation::run(&app, command).await,
        Command::Request(command) => request::run(&app, command).await,
        Command::Grant(command) => grant::run(&app, command).await,
        Command::Audit(command) => audit::run(&app, command).await,
        Command::Export(arguments) => export::run(&app, arguments).await,
        Command::Inbox(arguments) => inbox::run(&app, arguments).await,
    }
}
