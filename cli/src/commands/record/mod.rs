//! `salus record …`: records, one's own or a patient's.

mod add;
mod amend;
mod import;
mod journal;
mod list;
pub(crate) mod rows;
mod sending;
mod show;
mod store;

pub(crate) use list::{granted_compartment, granted_names};

use crate::app::App;
use crate::error::Result;
use crate::session::Session;
use clap::{Args, Subcommand};
use salus_client::RecordId;
use std::path::PathBuf;

/// Records.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add files: a FHIR R4 bundle becomes many records, other files one with attachments
    Add(AddArgs),
    /// Show what there is
    List(ListArgs),
    /// Show one record, or write its parts to a folder
    Show(ShowArgs),
    /// Write the next version of a record
    Amend(AmendArgs),
    /// Show all versions of a record
    History(HistoryArgs),
}

#[derive(Args, Debug)]
pub(crate) struct AddArgs {
    /// Compartment, by name or id; FHIR knows its own, other files go to Documents
    #[arg(long, value_name = "NAME|ID")]
    compartment: Option<String>,
    /// Title; without it the first file's name
    #[arg(long)]
    title: Option<String>,
    /// When it happened: a date as YYYY, YYYY-MM or YYYY-MM-DD
    #[arg(long)]
    date: Option<String>,
    /// Write it for this patient, who granted you to append
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
    /// Keep FHIR files as they are, as one record
    #[arg(long)]
    whole: bool,
    /// File a FHIR bundle that is about several people, too
    #[arg(long)]
    several_people: bool,
    /// The files; the first is the main content, the others are attached to it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only of this compartment, by name or id
    #[arg(long, value_name = "NAME|ID")]
    compartment: Option<String>,
    /// Records this patient granted you; recorded in their audit trail
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Which record
    id: RecordId,
    /// A record this patient granted you; recorded in their audit trail
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
    /// Which version; without it the newest
    #[arg(long)]
    version: Option<u32>,
    /// Write all parts into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct AmendArgs {
    /// Which record
    id: RecordId,
    /// A record of this patient, who granted you to append; waits until they file it
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
    /// Another title
    #[arg(long)]
    title: Option<String>,
    /// Another date: YYYY, YYYY-MM or YYYY-MM-DD
    #[arg(long)]
    date: Option<String>,
    /// The files; the first is the main content, the others are attached to it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// Which record
    id: RecordId,
    /// A record this patient granted you; recorded in their audit trail
    #[arg(long, value_name = "PRINCIPAL|LINK|NAME")]
    patient: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::Add(arguments) => add::run(&session, arguments).await,
        Command::List(arguments) => list::run(&session, arguments).await,
        Command::Show(arguments) => show::run(&session, arguments).await,
        Command::Amend(arguments) => amend::run(&session, arguments).await,
        Command::History(arguments) => list::history(&session, arguments).await,
    }
}
