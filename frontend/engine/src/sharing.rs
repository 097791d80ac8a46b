//! The patient's side of sharing: invitations, requests, grants given and taken back. Must not know how
//! keys are conveyed.

mod granted;
mod own;
pub(crate) mod view;

pub(crate) use granted::{
    append_place, appending_grant, granted_compartments, granted_records, may_append, open_granted,
};
pub(crate) use own::{Own, grantees, readers, writers};

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, invalid};
use crate::providers::confirmed;
use crate::qr::qr;
use crate::state::Engine;
use crate::{session, views};
use futures::join;
use salus_client::{Contact, GivenGrant, GrantId, IncomingRequest, RequestId, Unlocked};
use salus_messages::{AccessRequest, FailureKind, Intent, Invitation, Reply, Terms};

const DAY_MS: u64 = 86_400_000;
/// Invitations are good for at most as long as the vault keeps them.
const INVITATION_DAYS: u32 = 30;

/// Carries out the intents of those who share.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    session::renew(&task.engine).await?;
    let unlocked = task.engine.unlocked()?;
    match intent {
        Intent::Invite { days } => invite(&unlocked, days).await,
        Intent::IncomingRequests => {
            let (known, requests) = join!(grantees(&unlocked), unlocked.incoming_requests());
            let (known, mut list) = (known?, Vec::new());
            for request in requests.map_err(from_client)? {
                let mut shown = incoming(&unlocked, request.clone()).await;
                if !known.contains(&request.requester.account) {
                    views::not_dealt_with(&mut shown.other);
                }
                list.push(shown);
            }
            Ok(Reply::Requests(list).into())
        }
        Intent::Approve { request, terms } => {
            let mut request = find(&unlocked, &request.0).await?;
            let grantee = certain(&unlocked, request.requester.clone()).await?;
            request.requester = grantee;
            let terms = own_terms(&task.engine, &unlocked, &terms).await?;
            let id = unlocked
                .approve(&request, &terms)
                .await
                .map_err(from_client)?;
            shown(&task.engine, &unlocked, id).await
        }
        Intent::Deny { request } => {
            let id: RequestId = views::parse("request", &request.0)?;
            unlocked.deny(id).await.map_err(from_client)?;
            Ok(Reply::Done.into())
        }
        Intent::Grants => {
            let (grants, own) = given(&task.engine, &unlocked).await?;
            let list = grants.iter().map(|g| view::given(g, &own)).collect();
            Ok(Reply::Grants(list).into())
        }
        Intent::Give { to, terms } => {
            let account = views::parse("to", &to.0)?;
            let person = unlocked.person(account).await;
            let contact = certain(&unlocked, person.map_err(from_client)?).await?;
            let terms = own_terms(&task.engine, &unlocked, &terms).await?;
            let id = unlocked.give(&contact, &terms).await.map_err(from_client)?;
            shown(&task.engine, &unlocked, id).await
        }
        Intent::Revoke { grant } => {
            let id: GrantId = views::parse("grant", &grant.0)?;
            unlocked.revoke(id).await.map_err(from_client)?;
            shown(&task.engine, &unlocked, id).await
        }
        _ => Err(misplaced()),
    }
}

/// Whoever is about to be given keys must have the keys the network certifies.
async fn certain(unlocked: &Unlocked, contact: Contact) -> Outcome<Contact> {
    unlocked
        .client()
        .confirm(contact, None)
        .await
        .map_err(from_client)
}

async fn invite(unlocked: &Unlocked, days: u32) -> Outcome<Answer> {
    let days = u64::from(days.clamp(1, INVITATION_DAYS));
    let expires = unlocked.client().now().saturating_add(days * DAY_MS);
    // The vault's clock may be a little behind: at the very limit it would say no.
    let expires = expires.saturating_sub(if days == u64::from(INVITATION_DAYS) {
        DAY_MS / 24
    } else {
        0
    });
    let (link, receipt) = unlocked.invite(expires).await.map_err(from_client)?;
    let link = link.to_address(&views::origin()?);
    Ok(Reply::Invitation(Invitation {
        qr: qr(&link)?,
        link,
        expires_at: receipt.expires,
    })
    .into())
}

async fn incoming(unlocked: &Unlocked, request: IncomingRequest) -> AccessRequest {
    let requester = confirmed(unlocked.client(), request.requester).await;
    let ask = request.ask;
    let mut other = views::named(&requester, Some(&ask.requester_name));
    if other.specialty.is_empty() {
        other.specialty = ask.specialty.unwrap_or_default();
    }
    AccessRequest {
        id: views::request(request.id),
        other,
        wish: view::wish(&ask.wish),
        rights: view::rights(ask.rights),
        purpose: ask.purpose,
        days: view::days(ask.duration_s),
        asked_at: request.at,
        expires_at: None,
        status: view::status(&request.status),
        invited: request.invited,
    }
}

async fn find(unlocked: &Unlocked, id: &str) -> Outcome<IncomingRequest> {
    let id: RequestId = views::parse("request", id)?;
    let all = unlocked.incoming_requests().await.map_err(from_client)?;
    all.into_iter()
        .find(|r| r.id == id)
        .ok_or_else(|| FailureKind::NotFound.into())
}

async fn own_terms(
    engine: &Engine,
    unlocked: &Unlocked,
    terms: &Terms,
) -> Outcome<salus_client::Terms> {
    if !terms.rights.read && !terms.rights.append {
        return Err(invalid("rights"));
    }
    let days = u64::from(terms.days.max(1));
    let name = unlocked.profile().map_err(from_client)?.display_name;
    Ok(salus_client::Terms {
        scope: own::scope(engine, unlocked, &terms.scope).await?,
        rights: view::bits(terms.rights),
        follows: terms.follows
            && terms.rights.read
            && matches!(terms.scope, salus_messages::Scope::Records(_)),
        not_before: None,
        expires: unlocked
            .client()
            .now()
            .saturating_add(days.saturating_mul(DAY_MS)),
        purpose: terms.purpose.trim().to_owned(),
        owner_name: (!name.is_empty()).then_some(name),
        grantee_name: None,
        specialty: None,
    })
}

/// Grants given, and what they speak of.
async fn given(engine: &Engine, unlocked: &Unlocked) -> Outcome<(Vec<GivenGrant>, Own)> {
    let (grants, own) = join!(unlocked.grants(), Own::of(engine, unlocked));
    Ok((grants.map_err(from_client)?, own?))
}

/// A grant after a change.
async fn shown(engine: &Engine, unlocked: &Unlocked, id: GrantId) -> Outcome<Answer> {
    let (grants, own) = given(engine, unlocked).await?;
    let grant: &GivenGrant = grants
        .iter()
        .find(|g| g.grant.id == id)
        .ok_or(FailureKind::NotFound)?;
    Ok(Reply::Grant(view::given(grant, &own)).into())
}
