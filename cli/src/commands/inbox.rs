//! `salus inbox`: what happened since one looked last. Files what others left on the way.

use super::record::rows::Filed;
use crate::app::App;
use crate::arrivals;
use crate::error::Result;
use crate::home;
use crate::session::Session;
use crate::text::{line, time};
use clap::Args;
use salus_client::Notice;
use serde::Serialize;
use std::fmt;

/// The file that remembers how far one has looked.
const SEEN: &str = "inbox-seen";

/// The inbox.
#[derive(Args, Debug)]
pub(crate) struct InboxArgs {
    /// Show everything, what was seen before included
    #[arg(long)]
    all: bool,
}

#[derive(Serialize)]
struct Item {
    seq: u64,
    /// Milliseconds since 1970.
    at: u64,
    /// `request_received`, `request_approved`, `request_denied`, `grant_received`,
    /// `grant_revoked` or `record_received`.
    kind: &'static str,
    /// The request, grant or record it is about.
    id: String,
    /// Whom it came from.
    account: String,
    name: Option<String>,
    new: bool,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = line(self.name.as_ref().unwrap_or(&self.account));
        let what = match self.kind {
            "request_received" => format!("{who} asks you for access: request {}", self.id),
            "request_approved" => format!("{who} gave you access: grant {}", self.id),
            "request_denied" => format!("{who} denied your request {}", self.id),
            "grant_received" => format!("{who} gave you access: grant {}", self.id),
            "grant_revoked" => format!("{who} took access back: grant {}", self.id),
            _ => format!("{who} wrote for you: record {}", self.id),
        };
        let new = if self.new { "*" } else { " " };
        write!(f, "{new} {}  {what}", time(self.at))
    }
}

#[derive(Serialize)]
struct Inbox {
    items: Vec<Item>,
    /// Notifications in all.
    count: u64,
    filed: Vec<Filed>,
}

impl fmt::Display for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.items.is_empty() {
            return write!(f, "Nothing new.");
        }
        for item in &self.items {
            writeln!(f, "{item}")?;
        }
        Ok(())
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, arguments: &InboxArgs) -> Result<()> {
    let session = Session::open(app).await?;
    let path = session.folder.join(SEEN);
    // What cannot be read was not seen.
    let seen = home::read(&path)?
        .and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse::<u64>().ok())
        .unwrap_or(0);
    let from = if arguments.all { 0 } else { seen };
    let inbox = session.unlocked.inbox(from).await?;
    let filed = arrivals::file_all(&session).await?;
    // So that those who ask have names.
    if inbox
        .items
        .iter()
        .any(|item| session.name_of(item.from).is_none())
    {
        session.learn_from_grants().await?;
        for request in session.unlocked.incoming_requests().await? {
            let name = request.ask.requester_name.clone();
            session.learn(&request.requester, None, Some(&name))?;
        }
    }
    let items = inbox
        .items
        .iter()
        .map(|item| {
            let (kind, id) = match &item.notice {
                Notice::RequestReceived(id) => ("request_received", id.to_string()),
                Notice::RequestApproved(id) => ("request_approved", id.to_string()),
                Notice::RequestDenied(id) => ("request_denied", id.to_string()),
                Notice::GrantReceived(id) => ("grant_received", id.to_string()),
                Notice::GrantRevoked(id) => ("grant_revoked", id.to_string()),
                Notice::VersionReceived(id) => ("record_received", id.to_string()),
            };
            Item {
                seq: item.seq,
                at: item.at,
                kind,
                id,
                account: item.from.to_string(),
                name: session.name_of(item.from),
                new: item.seq >= seen,
            }
        })
        .collect();
    let count = inbox.count;
    app.out.answer(&Inbox {
        items,
        count,
        filed,
    })?;
    // Only after it was shown.
    home::write_whole(&path, count.to_string().as_bytes())
}
