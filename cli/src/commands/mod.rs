//! One module for each group of commands: its arguments, what it answers, and how it is done with
//! the client.

pub(crate) mod identity;

use crate::app::App;
use crate::args::{Cli, Command};
use crate::error::Result;

/// Runs what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    let app = App::new(&cli.global)?;
    match &cli.command {
        Command::Identity(command) => identity::run(&app, command),
        Command::Whoami => identity::whoami(&app),
    }
}
