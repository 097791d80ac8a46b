//! `salus compartment …`: the patient's categories.

use crate::app::App;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::text::{Table, line};
use clap::Subcommand;
use salus_client::Label;
use serde::Serialize;
use std::fmt;

/// Compartments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show all compartments
    List,
    /// Add a compartment
    Add {
        /// What to call it
        name: String,
    },
}

#[derive(Serialize)]
struct Compartment {
    id: String,
    name: String,
    /// What imports file into it, if anything.
    category: Option<String>,
    epoch: u32,
    /// Whether its keys do not open: nothing can be filed there.
    damaged: bool,
}

/// What `add` answers.
#[derive(Serialize)]
struct Added {
    #[serde(flatten)]
    compartment: Compartment,
    /// Grants over everything that did not get its key.
    left_behind: Vec<String>,
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compartment { id, name, .. } = &self.compartment;
        write!(f, "Added {}: {id}", line(name))?;
        if !self.left_behind.is_empty() {
            write!(
                f,
                "\nThese grants over everything did not get its key; accept their keys if those changed \
                 (`salus contact list`), or give them again:"
            )?;
            for grant in &self.left_behind {
                write!(f, "\n  {grant}")?;
            }
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Compartments {
    compartments: Vec<Compartment>,
}

impl fmt::Display for Compartments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["ID", "NAME"]);
        for compartment in &self.compartments {
            let name = if compartment.damaged {
                "(damaged: nothing can be filed here)"
            } else {
                &compartment.name
            };
            table.row(vec![compartment.id.clone(), name.to_owned()]);
        }
        write!(f, "{table}")
    }
}

impl From<salus_client::Compartment> for Compartment {
    fn from(compartment: salus_client::Compartment) -> Self {
        Self {
            id: compartment.id.to_string(),
            name: compartment.label.name,
            category: compartment.label.tag,
            epoch: compartment.epoch,
            damaged: compartment.damaged,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::List => {
            let compartments = session
                .unlocked
                .compartments()?
                .into_iter()
                .map(Compartment::from)
                .collect();
            app.out.answer(&Compartments { compartments })
        }
        Command::Add { name } => {
            let name = line(name);
            let all = session.unlocked.compartments()?;
            if let Some(taken) = all
                .iter()
                .find(|c| c.label.name.to_lowercase() == name.to_lowercase())
            {
                return Err(Error::exists(format!(
                    "there is a compartment {} already: {}",
                    taken.label.name, taken.id
                )));
            }
            let added = session
                .unlocked
                .add_compartment(&Label::named(name.clone()))
                .await?;
            let compartment = Compartment {
                id: added.id.to_string(),
                name,
                category: None,
                epoch: 1,
                damaged: false,
            };
            app.out.answer(&Added {
                compartment,
                left_behind: added.left_behind.iter().map(ToString::to_string).collect(),
            })
        }
    }
}
