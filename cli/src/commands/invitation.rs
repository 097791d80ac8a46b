//! `salus invitation …`: links by which a provider may ask for access.

use crate::app::App;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::span::Span;
use crate::text::time;
use clap::Subcommand;
use salus_types::limits::INVITATION_LIFE_MS;
use serde::Serialize;
use std::fmt;

/// Invitations.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a link that lets its holder see your keys and ask you once
    Create {
        /// How long it may be used: 7d, 12h; at most 30d
        #[arg(long = "for", value_name = "LENGTH", default_value = "7d")]
        span: Span,
    },
}

#[derive(Serialize)]
struct Invitation {
    id: String,
    link: String,
    /// The link as an address of the website, if one is known here.
    address: Option<String>,
    /// Milliseconds since 1970.
    expires: u64,
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.link)?;
        if let Some(address) = &self.address {
            writeln!(f, "{address}")?;
        }
        write!(
            f,
            "Give it to whom you want to be asked by. It works once, until {}.",
            time(self.expires)
        )
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let Command::Create { span } = command;
    if span.ms() > INVITATION_LIFE_MS {
        return Err(Error::usage("an invitation may live for 30 days at most"));
    }
    let session = Session::open(app).await?;
    let expires = session.client().now().saturating_add(span.ms());
    let (link, receipt) = session.unlocked.invite(expires).await?;
    let website = app.network()?.website_url;
    app.out.answer(&Invitation {
        id: receipt.invitation.to_string(),
        link: link.to_string(),
        address: website.map(|origin| link.to_address(&origin)),
        expires: receipt.expires,
    })
}
