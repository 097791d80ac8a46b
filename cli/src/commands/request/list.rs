//! `salus request list`: requests to one and by one.

use crate::error::Result;
use crate::session::Session;
use crate::terms::{ShownScope, words};
use crate::text::{line, time};
use salus_client::{Ask, Contact, RequestId, RequestStatus};
use serde::Serialize;
use std::fmt;

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

/// `salus request list`.
pub(super) async fn run(session: &Session<'_>) -> Result<()> {
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
    let names = crate::commands::record::granted_names(&grants);
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
}
