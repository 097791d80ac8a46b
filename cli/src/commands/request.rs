//! `salus request …`: asking for access, and deciding.

use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::span::Span;
use crate::terms::{ShownScope, bits, words};
use crate::text::{line, time};
use crate::wish::{RightsArg, ScopeArg, Wanted, join};
use clap::{Args, Subcommand};
use salus_client::{
    Ask, Contact, IncomingRequest, ReceivedGrant, RequestId, RequestStatus, Terms, Wish,
};
use salus_health::Category;
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
    /// Other rights than were asked for
    #[arg(long, value_name = "RIGHTS")]
    rights: Option<RightsArg>,
    /// Another length of time than was asked for
    #[arg(long = "for", value_name = "LENGTH")]
    span: Option<Span>,
}

#[derive(Serialize)]
struct Sent {
    request: String,
    patient: String,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked. Request {}", self.request)
    }
}

#[derive(Serialize)]
struct Approved {
    request: String,
    grant: String,
    grantee: String,
    name: Option<String>,
    scope: ShownScope,
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

/// A request, to one or by one.
#[derive(Serialize)]
struct Request {
    request: String,
    /// The other side's account.
    account: String,
    name: Option<String>,
    specialty: Option<String>,
    /// Whether the name is the one they publish in the directory.
    published: bool,
    safety_number: String,
    scope: Option<ShownScope>,
    rights: Vec<&'static str>,
    purpose: Option<String>,
    message: Option<String>,
    duration_s: Option<u64>,
    /// `pending`, `approved` or `denied`.
    status: &'static str,
    grant: Option<String>,
    /// Whether it came with the code of an invitation.
    invited: bool,
    /// Milliseconds since 1970.
    at: u64,
}

#[derive(Serialize)]
struct Requests {
    received: Vec<Request>,
    sent: Vec<Request>,
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.received.is_empty() && self.sent.is_empty() {
            return write!(f, "No requests.");
        }
        for (heading, requests) in [("To you", &self.received), ("By you", &self.sent)] {
            if requests.is_empty() {
                continue;
            }
            writeln!(f, "{heading}:")?;
            for request in requests {
                writeln!(f, "{request}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().unwrap_or(&self.account);
        write!(f, "  {}  {}  {}", self.request, self.status, line(name))?;
        if let Some(specialty) = &self.specialty {
            write!(f, ", {}", line(specialty))?;
        }
        if self.name.is_some() && !self.published {
            write!(f, " (own word)")?;
        }
        if let Some(scope) = &self.scope {
            write!(f, "\n      {} {scope}", self.rights.join(" and "))?;
        }
        if let Some(seconds) = self.duration_s {
            write!(f, " for {}", duration(seconds))?;
        }
        if let Some(purpose) = &self.purpose {
            write!(f, ": {}", line(purpose))?;
        }
        if let Some(message) = &self.message {
            write!(f, "\n      “{}”", line(message))?;
        }
        write!(f, "\n      asked {}", time(self.at))
    }
}

fn duration(seconds: u64) -> String {
    let (number, unit) = match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s >= 3600 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s >= 60 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// Runs the command.
pub(crate) async fn run(app: &App, command: &Command) -> Result<()> {
    let session = Session::open(app).await?;
    match command {
        Command::Send(arguments) => send(&session, arguments).await,
        Command::List => list(&session).await,
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

async fn send(session: &Session<'_>, arguments: &SendArgs) -> Result<()> {
    let wanted = join(&arguments.scope)?;
    let asked = session.patient_to_ask(&arguments.patient).await?;
    let wish = match wanted {
        Wanted::All => Wish::Everything,
        Wanted::Records(ids) => Wish::Records(ids),
        Wanted::Compartments(names) => {
            let received: Vec<ReceivedGrant> = session
                .learn_from_grants()
                .await?
                .into_iter()
                .filter(|grant| grant.owner.account == asked.contact.account)
                .collect();
            wish(&names, &received)?
        }
    };
    let own = own_entry(session).await;
    let (published, specialty) = match &own {
        Some(contact) => match &contact.directory {
            Some(entry) => (Some(entry.name.clone()), Some(entry.specialty.clone())),
            None => (None, None),
        },
        None => (None, None),
    };
    let requester_name = match arguments.name.clone().or(published) {
        Some(name) => line(&name),
        None => session.unlocked.profile()?.display_name,
    };
    let ask = Ask {
        wish,
        rights: bits(arguments.rights),
        duration_s: (arguments.span.ms() / 1000).max(1),
        purpose: arguments.purpose.trim().to_owned(),
        requester_name,
        specialty,
        message: arguments.message.clone(),
    };
    let id = session
        .unlocked
        .ask(&asked.contact, asked.link.as_ref(), &ask)
        .await?;
    session.learn(&asked.contact, asked.principal, None)?;
    session.app.out.answer(&Sent {
        request: id.to_string(),
        patient: asked.contact.account.to_string(),
    })
}

/// Compartments known from a grant by their ids; otherwise categories, all a stranger can name.
fn wish(names: &[String], received: &[ReceivedGrant]) -> Result<Wish> {
    let known: Option<Vec<_>> = names
        .iter()
        .map(|name| {
            super::record::granted_compartment(received, name)
                .ok()
                .map(|(_, id)| id)
        })
        .collect();
    if let Some(ids) = known {
        return Ok(Wish::Compartments(ids));
    }
    let categories: Result<Vec<String>> = names.iter().map(|name| category(name)).collect();
    Ok(Wish::Categories(categories?))
}

fn category(name: &str) -> Result<String> {
    let wanted = line(name).to_lowercase();
    if wanted.len() == 32 && wanted.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::new(
            Kind::NotFound,
            "no_compartment",
            "no grant of this patient conveys this compartment; ask for it by name",
        ));
    }
    let category = Category::ALL
        .into_iter()
        .find(|c| c.id() == wanted || c.name().to_lowercase() == wanted);
    Ok(category.map_or_else(|| line(name), |c| c.id().to_owned()))
}

/// One's own entry in the directory, if there is one.
async fn own_entry(session: &Session<'_>) -> Option<Contact> {
    let own = session.client().caller();
    session.client().provider(own).await.ok()
}

async fn list(session: &Session<'_>) -> Result<()> {
    let mut received = Vec::new();
    let own = session.unlocked.compartments()?;
    for request in session.unlocked.incoming_requests().await? {
        session.learn(
            &request.requester,
            None,
            Some(request.ask.requester_name.as_str()),
        )?;
        received.push(shown(
            request.id,
            &request.requester,
            Some(&request.ask),
            &request.status,
            request.invited,
            request.at,
            |id| {
                own.iter()
                    .find(|c| c.id == *id)
                    .map(|c| c.label.name.clone())
            },
        ));
    }
    let outgoing = session.unlocked.outgoing_requests().await?;
    let grants = if outgoing.is_empty() {
        Vec::new()
    } else {
        session.learn_from_grants().await?
    };
    let names = super::record::granted_names(&grants);
    let mut sent = Vec::new();
    for request in outgoing {
        session.learn(&request.patient, None, None)?;
        let mut shown = shown(
            request.id,
            &request.patient,
            request.ask.as_ref(),
            &request.status,
            false,
            request.at,
            |id| names.get(id).cloned(),
        );
        // The words in it are one's own: the other side is the patient.
        shown.name = session.name_of(request.patient.account);
        shown.specialty = None;
        shown.published = request.patient.directory.is_some();
        sent.push(shown);
    }
    session.app.out.answer(&Requests { received, sent })
}

fn shown(
    id: RequestId,
    other: &Contact,
    ask: Option<&Ask>,
    status: &RequestStatus,
    invited: bool,
    at: u64,
    name: impl Fn(&salus_client::CompartmentId) -> Option<String>,
) -> Request {
    let said = ask.map(|ask| ask.requester_name.clone());
    let published = other.directory.as_ref();
    let (status, grant) = match status {
        RequestStatus::Pending => ("pending", None),
        RequestStatus::Approved(grant) => ("approved", Some(grant.to_string())),
        RequestStatus::Denied => ("denied", None),
    };
    Request {
        request: id.to_string(),
        account: other.account.to_string(),
        name: published
            .map(|entry| entry.name.clone())
            .or(said)
            .filter(|name| !name.trim().is_empty()),
        specialty: published
            .map(|entry| entry.specialty.clone())
            .or_else(|| ask.and_then(|ask| ask.specialty.clone())),
        published: published.is_some(),
        safety_number: other.safety_number(),
        scope: ask.map(|ask| ShownScope::of_wish(&ask.wish, name)),
        rights: ask.map(|ask| words(ask.rights)).unwrap_or_default(),
        purpose: ask.map(|ask| ask.purpose.clone()),
        message: ask.and_then(|ask| ask.message.clone()),
        duration_s: ask.map(|ask| ask.duration_s),
        status,
        grant,
        invited,
        at,
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
        rights: words(rights),
        expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_words() {
        assert_eq!(duration(86_400), "1 day");
        assert_eq!(duration(30 * 86_400), "30 days");
        assert_eq!(duration(7200), "2 hours");
        assert_eq!(duration(90), "90 seconds");
    }

    #[test]
    fn strangers_ask_by_category() {
        assert_eq!(category("Vital signs").unwrap(), "vitals");
        assert_eq!(category("RESULTS").unwrap(), "results");
        assert_eq!(category("Dental").unwrap(), "Dental");
        assert!(category("00112233445566778899aabbccddeeff").is_err());
        assert_eq!(
            wish(&["Results".into()], &[]).unwrap(),
            Wish::Categories(vec!["results".into()])
        );
    }
}
