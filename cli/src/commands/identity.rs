//! `salus identity …` and `salus whoami`.

use crate::app::App;
use crate::error::Result;
use crate::identity;
use crate::text::Table;
use clap::Subcommand;
use serde::Serialize;
use std::fmt;

/// Identities on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an Ed25519 identity
    New {
        /// What to call it
        name: String,
    },
    /// Show all identities
    List,
}

/// One identity.
#[derive(Debug, Serialize)]
pub(crate) struct Identity {
    name: String,
    /// Absent if the file cannot be read as a key.
    principal: Option<String>,
    file: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let principal = self.principal.as_deref().unwrap_or("(unreadable)");
        write!(f, "{}  {principal}\n{}", self.name, self.file)
    }
}

/// All identities.
#[derive(Debug, Serialize)]
pub(crate) struct Identities {
    identities: Vec<Identity>,
}

impl fmt::Display for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.identities.is_empty() {
            return write!(f, "No identities yet. Make one: salus identity new default");
        }
        let mut table = Table::new(&["NAME", "PRINCIPAL"]);
        for identity in &self.identities {
            let principal = identity.principal.as_deref().unwrap_or("(unreadable)");
            table.row(vec![identity.name.clone(), principal.to_owned()]);
        }
        write!(f, "{table}")
    }
}

fn shown(file: &identity::IdentityFile) -> Identity {
    Identity {
        name: file.name.clone(),
        principal: crate::app::principal(file).ok().map(|p| p.to_text()),
        file: file.path.display().to_string(),
    }
}

/// Runs the command.
pub(crate) fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::New { name } => {
            let file = identity::make(&app.home, name)?;
            app.out.answer(&shown(&file))
        }
        Command::List => {
            let identities = identity::list(&app.home)?.iter().map(shown).collect();
            app.out.answer(&Identities { identities })
        }
    }
}

/// `salus whoami`: says it without asking the network.
pub(crate) fn whoami(app: &App) -> Result<()> {
    let file = app.identity()?;
    let principal = crate::app::principal(&file)?;
    app.out.answer(&Identity {
        principal: Some(principal.to_text()),
        ..shown(&file)
    })
}
