//! `salus provider …`: the directory of providers.

use crate::app::App;
use crate::error::Result;
use crate::session::Session;
use crate::text::{Table, line};
use clap::Subcommand;
use serde::Serialize;
use std::fmt;

/// The directory.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish your name and specialty, or change what you published
    Register {
        /// Published name
        #[arg(long)]
        name: String,
        /// Published specialty
        #[arg(long)]
        specialty: String,
    },
    /// Show who is in the directory
    List {
        /// Only names and specialties with this in them
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
}

#[derive(Serialize)]
struct Provider {
    principal: String,
    account: String,
    name: String,
    specialty: String,
    /// Digits to be compared with what the provider shows.
    safety_number: String,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "In the directory: {}, {}\nPrincipal: {}",
            line(&self.name),
            line(&self.specialty),
            self.principal
        )
    }
}

#[derive(Serialize)]
struct Providers {
    providers: Vec<Provider>,
}

impl fmt::Display for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["NAME", "SPECIALTY", "PRINCIPAL"]);
        for provider in &self.providers {
            table.row(vec![
                provider.name.clone(),
                provider.specialty.clone(),
                provider.principal.clone(),
            ]);
        }
        write!(f, "{table}")
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Register { name, specialty } => {
            let session = Session::open(app).await?;
            let (name, specialty) = (line(name), line(specialty));
            session
                .unlocked
                .register_provider(&name, &specialty)
                .await?;
            app.out.answer(&Provider {
                principal: session.client().caller().to_text(),
                account: session.unlocked.account().to_string(),
                name,
                specialty,
                safety_number: session.unlocked.safety_number(),
            })
        }
        Command::List { search } => list(app, search.as_deref()).await,
    }
}

async fn list(app: &App, search: Option<&str>) -> Result<()> {
    let client = app.client().await?;
    let wanted = search.map(str::to_lowercase);
    let mut providers = Vec::new();
    let mut cursor = None;
    loop {
        let (page, next) = client.directory(cursor).await?;
        for (principal, contact) in page {
            let Some(entry) = &contact.directory else {
                continue;
            };
            let fits = wanted.as_ref().is_none_or(|wanted| {
                entry.name.to_lowercase().contains(wanted)
                    || entry.specialty.to_lowercase().contains(wanted)
            });
            if fits {
                providers.push(Provider {
                    principal: principal.to_text(),
                    account: contact.account.to_string(),
                    name: entry.name.clone(),
                    specialty: entry.specialty.clone(),
                    safety_number: contact.safety_number(),
                });
            }
        }
        if next.is_none() {
            return app.out.answer(&Providers { providers });
        }
        cursor = next;
    }
}
