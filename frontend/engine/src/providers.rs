//! The directory and the asking side: registering, reading a patient's link, asking, and the patients
//! who granted something. Must not read records.

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, invalid};
use crate::sharing::{grantees, view};
use crate::{session, views};
use futures::future::try_join_all;
use salus_client::{Ask, Client, Contact, GrantPhase, Link, Principal, ReceivedGrant, Unlocked};
use salus_messages::{
    AccessRequest, Cursor, Intent, LinkView, Page, PatientView, Person, Reply, RequestStatus,
    Rights, Trust, Wish,
};
use std::collections::BTreeMap;

/// Providers of a page; fewer where the vault's own page ends.
const PAGE: usize = 50;
const DAY_S: u64 = 86_400;

/// Carries out the intents of those who ask.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    match intent {
        Intent::Directory { search, cursor } => directory(&unlocked, &search, cursor).await,
        Intent::RegisterProvider { name, specialty } => {
            let (name, specialty) = (name.trim(), specialty.trim());
            if name.is_empty() {
                return Err(invalid("name"));
            }
            unlocked
                .register_provider(name, specialty)
                .await
                .map_err(from_client)?;
            Ok(Reply::Session(session::state(&task.engine).await?).into())
        }
        Intent::ReadLink { text } => {
            let link = read(&text)?;
            let patient = unlocked.open_link(&link).await.map_err(from_client)?;
            Ok(Reply::Link(LinkView {
                link: link.to_text(),
                safety_number: patient.safety_number(),
                patient: Person {
                    principal: link.patient.to_text(),
                    ..views::person(&patient)
                },
                expires_at: None,
            })
            .into())
        }
        Intent::Ask {
            link,
            wish,
            rights,
            purpose,
            days,
        } => ask(&unlocked, &read(&link)?, wish, rights, purpose, days).await,
        Intent::OutgoingRequests => outgoing(&unlocked).await,
        Intent::Patients => patients(&unlocked).await,
        _ => Err(misplaced()),
    }
}

fn read(text: &str) -> Outcome<Link> {
    text.parse()
        .map_err(|e: salus_client::LinkError| from_client(e.into()))
}

/// Someone's keys compared with what the network certifies; as they were where that cannot be done
/// now. Whoever is given something is compared in any case.
pub(crate) async fn confirmed(client: &Client, contact: Contact) -> Contact {
    let known = contact.clone();
    client.confirm(contact, None).await.unwrap_or(known)
}

async fn directory(unlocked: &Unlocked, search: &str, cursor: Option<Cursor>) -> Outcome<Answer> {
    let wanted = search.trim().to_lowercase();
    let mut cursor: Option<u64> = cursor.map(|c| views::parse("cursor", &c.0)).transpose()?;
    let mut found: Vec<(Principal, Contact)> = Vec::new();
    loop {
        let (items, next) = unlocked
            .client()
            .directory(cursor)
            .await
            .map_err(from_client)?;
        found.extend(items.into_iter().filter(|(_, c)| matches(c, &wanted)));
        cursor = next;
        if cursor.is_none() || found.len() >= PAGE {
            break;
        }
    }
    let grantees = &grantees(unlocked).await?;
    let people = found.into_iter().map(|(principal, contact)| async move {
        let contact = confirmed(unlocked.client(), contact).await;
        let contact = unlocked.weigh(contact).await.map_err(from_client)?;
        let mut person = views::person(&contact);
        person.principal = principal.to_text();
        if !grantees.contains(&contact.account) {
            views::not_dealt_with(&mut person);
        }
        if contact.account == unlocked.account() {
            person.trust = Trust::Own;
        }
        Outcome::Ok(person)
    });
    Ok(Reply::Directory(Page {
        items: try_join_all(people).await?,
        next: cursor.map(|c| Cursor(c.to_string())),
        total: None,
    })
    .into())
}

fn matches(contact: &Contact, wanted: &str) -> bool {
    let entry = contact.directory.as_ref();
    wanted.is_empty()
        || entry.is_some_and(|e| {
            [&e.name, &e.specialty]
                .iter()
                .any(|text| text.to_lowercase().contains(wanted))
        })
}

async fn ask(
    unlocked: &Unlocked,
    link: &Link,
    wish: Wish,
    rights: Rights,
    purpose: String,
    days: u32,
) -> Outcome<Answer> {
    let client = unlocked.client();
    let profile = client.provider(client.caller()).await.ok();
    let entry = profile.and_then(|contact| contact.directory);
    let (requester_name, specialty) = match entry {
        Some(entry) => (entry.name, Some(entry.specialty)),
        None => (unlocked.profile().map_err(from_client)?.display_name, None),
    };
    let ask = Ask {
        wish: view::wish_of(&wish)?,
        rights: view::bits(rights),
        duration_s: u64::from(days.max(1)).saturating_mul(DAY_S),
        purpose: purpose.trim().to_owned(),
        requester_name,
        specialty: specialty.filter(|s| !s.is_empty()),
        message: None,
    };
    let patient = unlocked.open_link(link).await.map_err(from_client)?;
    let id = unlocked
        .ask(&patient, Some(link), &ask)
        .await
        .map_err(from_client)?;
    Ok(Reply::Asked(AccessRequest {
        id: views::request(id),
        other: Person {
            principal: link.patient.to_text(),
            ..views::person(&patient)
        },
        wish,
        rights,
        purpose,
        days,
        asked_at: client.now(),
        expires_at: None,
        status: RequestStatus::Waiting,
        invited: link.code.is_some(),
    })
    .into())
}

async fn outgoing(unlocked: &Unlocked) -> Outcome<Answer> {
    let requests = unlocked.outgoing_requests().await.map_err(from_client)?;
    let received = unlocked.received().await.map_err(from_client)?;
    let list = requests.iter().map(|request| {
        let name = received
            .iter()
            .filter(|g| g.owner.account == request.patient.account)
            .find_map(ReceivedGrant::owner_name);
        let ask = request.ask.as_ref();
        AccessRequest {
            id: views::request(request.id),
            other: views::named(&request.patient, name),
            // What another device asked is not known here.
            wish: ask.map_or(Wish::Categories(Vec::new()), |a| view::wish(&a.wish)),
            rights: view::rights(ask.map_or(0, |a| a.rights)),
            purpose: ask.map(|a| a.purpose.clone()).unwrap_or_default(),
            days: ask.map_or(0, |a| view::days(a.duration_s)),
            asked_at: request.at,
            expires_at: None,
            status: view::status(&request.status),
            invited: false,
        }
    });
    Ok(Reply::Requests(list.collect()).into())
}

async fn patients(unlocked: &Unlocked) -> Outcome<Answer> {
    let received = unlocked.received().await.map_err(from_client)?;
    let mut by_owner: BTreeMap<_, Vec<ReceivedGrant>> = BTreeMap::new();
    for grant in received {
        by_owner.entry(grant.owner.account).or_default().push(grant);
    }
    let mut list: Vec<PatientView> = by_owner.into_values().filter_map(patient).collect();
    list.sort_by(|a, b| {
        a.person
            .name
            .to_lowercase()
            .cmp(&b.person.name.to_lowercase())
    });
    Ok(Reply::Patients(list).into())
}

fn patient(grants: Vec<ReceivedGrant>) -> Option<PatientView> {
    let first = grants.first()?;
    let name = grants.iter().find_map(ReceivedGrant::owner_name);
    let person = views::named(&first.owner, name);
    let live = || grants.iter().filter(|g| g.phase == GrantPhase::Active);
    Some(PatientView {
        account: views::account(first.owner.account),
        until: live().map(|g| g.grant.expires).max(),
        active: live().next().is_some(),
        may_append: live().any(|g| view::rights(g.grant.rights).append),
        grants: grants
            .iter()
            .map(|grant| view::received(grant, &person))
            .collect(),
        person,
    })
}
