//! `salus request send`: a provider asks.

use super::SendArgs;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::terms::bits;
use crate::text::line;
use crate::wish::{Wanted, join};
use salus_client::{Ask, Contact, ReceivedGrant, Wish};
use salus_health::Category;
use serde::Serialize;
use std::fmt;

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

/// `salus request send`.
pub(super) async fn run(session: &Session<'_>, arguments: &SendArgs) -> Result<()> {
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
            crate::commands::record::granted_compartment(received, name)
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

#[cfg(test)]
mod tests {
    use super::*;

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
