//! `salus request …`: asking for access, and deciding.

mod list;
mod send;

use super::grant;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::span::Span;
use crate::terms::{ShownScope, bits, words};
use crate::text::{line, time};
use crate::wish::{RightsArg, ScopeArg, join};
use clap::{Args, Subcommand};
use salus_client::{IncomingRequest, RequestId, RequestStatus, Terms};
use salus_types::limits::GRANT_LIFE_MS;
use serde::Serialize;
use std::fmt;

/// Requests.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask a patient for access
    Send(SendArgs),
    /// Show requests to you and by you
    List,
    /// Give what was asked for, or less
    Approve(ApproveArgs),
    /// Say no
    Deny {
        /// Which request
        id: RequestId,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SendArgs {
    /// The patient: an invitation's link, or someone you deal with already
    #[arg(value_name = "PATIENT")]
    patient: String,
    /// all, compartment:NAME or record:ID; may be repeated
    #[arg(long, required = true, value_name = "SCOPE")]
    scope: Vec<ScopeArg>,
    /// read, append, or read,append
    #[arg(long, value_name = "RIGHTS")]
    rights: RightsArg,
    /// What for, in words the patient understands
    #[arg(long)]
    purpose: String,
    /// For how long, from approval on: 30d, 12h, 1y
    #[arg(long = "for", value_name = "LENGTH")]
    span: Span,
    /// A message to the patient
    #[arg(long)]
    message: Option<String>,
    /// Who asks; without it your published name, or your account's
    #[arg(long)]
    name: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ApproveArgs {
    /// Which request
    id: RequestId,
    /// Another scope than was asked for: all, compartment:NAME or record:ID; may be repeated
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<ScopeArg>,
    /// With single records: later versions, too; otherwise the records as they are now
    #[arg(long)]
    follow: bool,
    /// Other rights than were asked for
    #[arg(long, value_name = "RIGHTS")]
    rights: Option<RightsArg>,
    /// Another length of time than was asked for
    #[arg(long = "for", value_name = "LENGTH")]
    span: Option<Span>,
}

#[derive(Serialize)]
struct Approved {
    request: String,
    grant: String,
    grantee: String,
    name: Option<String>,
    scope: ShownScope,
    /// Whether later versions of single records are granted too.
    follows: bool,
    rights: Vec<&'static str>,
    /// Milliseconds since 1970.
    expires: u64,
}

impl fmt::Display for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().unwrap_or(&self.grantee);
        write!(
            f,
            "Granted: {} may {} {} until {}.\nGrant {}",
            line(name),
            self.rights.join(" and "),
            self.scope,
            time(self.expires),
            self.grant
        )
    }
}

#[derive(Serialize)]
struct Denied {
    request: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Denied.")
    }
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::Send(arguments) => send::run(&session, arguments).await,
        Command::List => list::run(&session).await,
        Command::Approve(arguments) => approve(&session, arguments).await,
        Command::Deny { id } => {
            pending(&session, *id).await?;
            session.unlocked.deny(*id).await?;
            app.out.answer(&Denied {
                request: id.to_string(),
            })
        }
    }
}

async fn pending(session: &Session<'_>, id: RequestId) -> Result<IncomingRequest> {
    let request = session
        .unlocked
        .incoming_requests()
        .await?
        .into_iter()
        .find(|request| request.id == id)
        .ok_or_else(|| {
            Error::not_found("there is no such request to you").hint("see `salus request list`")
        })?;
    let decided = match request.status {
        RequestStatus::Pending => return Ok(request),
        RequestStatus::Approved(_) => "approved",
        RequestStatus::Denied => "denied",
    };
    Err(Error::new(
        Kind::Conflict,
        "decided",
        format!("the request was {decided} already"),
    ))
}

async fn approve(session: &Session<'_>, arguments: &ApproveArgs) -> Result<()> {
    let request = pending(session, arguments.id).await?;
    let scope = if arguments.scope.is_empty() {
        session.granting(&request.ask.wish).await?
    } else {
        session.scope(&join(&arguments.scope)?).await?
    };
    let rights = arguments.rights.map_or(request.ask.rights, bits);
    grant::can_follow(arguments.follow, &scope, rights)?;
    let asked_ms = request.ask.duration_s.saturating_mul(1000);
    let span = arguments.span.map_or(asked_ms.min(GRANT_LIFE_MS), Span::ms);
    let name = request
        .requester
        .name()
        .map_or_else(|| line(&request.ask.requester_name), line);
    let profile = session.unlocked.profile()?;
    let expires = session.client().now().saturating_add(span);
    let terms = Terms {
        scope: scope.clone(),
        rights,
        follows: arguments.follow,
        not_before: None,
        expires,
        purpose: request.ask.purpose.clone(),
        owner_name: Some(profile.display_name).filter(|name| !name.is_empty()),
        grantee_name: Some(name.clone()).filter(|name| !name.is_empty()),
        specialty: request.ask.specialty.clone(),
    };
    let grant = session.unlocked.approve(&request, &terms).await?;
    session.learn(&request.requester, None, Some(&name))?;
    let own = session.unlocked.compartments()?;
    session.app.out.answer(&Approved {
        request: request.id.to_string(),
        grant: grant.to_string(),
        grantee: request.requester.account.to_string(),
        name: Some(name).filter(|name| !name.is_empty()),
        scope: ShownScope::of(&scope, |id| {
            own.iter()
                .find(|c| c.id == *id)
                .map(|c| c.label.name.clone())
        }),
        follows: arguments.follow,
        rights: words(rights),
        expires,
    })
}
