//! Requests, grants, wishes and rights as the page shows them. Must not fetch anything.

use super::own::Own;
use crate::failure::Outcome;
use crate::views;
use salus_client::{APPEND, GivenGrant, GrantPhase, READ, ReceivedGrant};
use salus_messages::{
    Category, GrantStatus, GrantView, Person, RequestStatus, Rights, Scope, Wish,
};
use std::collections::BTreeSet;

const DAY_S: u64 = 86_400;

/// Rights as the client writes them.
pub(crate) const fn bits(rights: Rights) -> u8 {
    let read = if rights.read { READ } else { 0 };
    let append = if rights.append { APPEND } else { 0 };
    read | append
}

/// Rights as the page shows them.
pub(crate) const fn rights(bits: u8) -> Rights {
    Rights {
        read: bits & READ != 0,
        append: bits & APPEND != 0,
    }
}

/// Seconds as whole days, rounded up.
pub(crate) fn days(seconds: u64) -> u32 {
    u32::try_from(seconds.div_ceil(DAY_S)).unwrap_or(u32::MAX)
}

/// Where a request stands.
pub(crate) const fn status(status: &salus_client::RequestStatus) -> RequestStatus {
    match status {
        salus_client::RequestStatus::Pending => RequestStatus::Waiting,
        salus_client::RequestStatus::Approved(_) => RequestStatus::Approved,
        salus_client::RequestStatus::Denied => RequestStatus::Denied,
    }
}

/// A wish as the page shows it. Categories this build does not know are left out.
pub(crate) fn wish(wish: &salus_client::Wish) -> Wish {
    match wish {
        salus_client::Wish::Everything => Wish::Everything,
        salus_client::Wish::Categories(names) => {
            let mut list: Vec<Category> = Vec::new();
            for category in names.iter().filter_map(|n| views::category_of(n)) {
                if !list.contains(&category) {
                    list.push(category);
                }
            }
            Wish::Categories(list)
        }
        salus_client::Wish::Compartments(ids) => Wish::Known(Scope::Compartments(
            ids.iter().map(|id| views::compartment(*id)).collect(),
        )),
        salus_client::Wish::Records(ids) => Wish::Known(Scope::Records(
            ids.iter().map(|id| views::record(*id)).collect(),
        )),
    }
}

/// A wish of the page as it is sent.
pub(crate) fn wish_of(wish: &Wish) -> Outcome<salus_client::Wish> {
    Ok(match wish {
        Wish::Everything | Wish::Known(Scope::Everything) => salus_client::Wish::Everything,
        Wish::Categories(list) => salus_client::Wish::Categories(
            list.iter()
                .map(|category| views::category_id(*category).to_owned())
                .collect(),
        ),
        Wish::Known(Scope::Compartments(ids)) => salus_client::Wish::Compartments(
            ids.iter()
                .map(|id| views::parse("wish", &id.0))
                .collect::<Outcome<_>>()?,
        ),
        Wish::Known(Scope::Records(ids)) => salus_client::Wish::Records(
            ids.iter()
                .map(|id| views::parse("wish", &id.0))
                .collect::<Outcome<_>>()?,
        ),
    })
}

/// The records that versions are of, each once.
pub(super) fn records(list: &[salus_client::VersionRef]) -> BTreeSet<salus_client::RecordId> {
    list.iter().map(|at| at.record).collect()
}

fn scope(scope: &salus_client::Scope) -> Scope {
    match scope {
        salus_client::Scope::Everything => Scope::Everything,
        salus_client::Scope::Compartments(ids) => {
            Scope::Compartments(ids.iter().map(|id| views::compartment(*id)).collect())
        }
        salus_client::Scope::Records(list) => {
            Scope::Records(records(list).into_iter().map(views::record).collect())
        }
    }
}

const fn phase(phase: GrantPhase) -> GrantStatus {
    match phase {
        GrantPhase::Upcoming => GrantStatus::Upcoming,
        GrantPhase::Active => GrantStatus::Active,
        GrantPhase::Expired => GrantStatus::Expired,
        GrantPhase::Revoked { at } => GrantStatus::Revoked { at },
    }
}

/// A grant one has given.
pub(crate) fn given(given: &GivenGrant, own: &Own) -> GrantView {
    let grant = &given.grant;
    let mut other = views::named(&given.grantee, given.grantee_name.as_deref());
    if other.specialty.is_empty() {
        other.specialty = given.specialty.clone().unwrap_or_default();
    }
    GrantView {
        id: views::grant(grant.id),
        other,
        scope: scope(&grant.scope),
        names: own.names(&grant.scope),
        rights: rights(grant.rights),
        follows: grant.follows(),
        purpose: given.purpose.clone().unwrap_or_default(),
        from: grant.not_before,
        until: Some(grant.expires),
        status: phase(given.phase),
        records: Some(own.reached(&grant.scope)),
    }
}

/// A grant one has received, from `owner`.
pub(crate) fn received(received: &ReceivedGrant, owner: &Person) -> GrantView {
    let grant = &received.grant;
    let names = match &grant.scope {
        salus_client::Scope::Compartments(ids) => {
            let known = received.compartments();
            ids.iter()
                .filter_map(|id| known.iter().find(|(c, _)| c == id))
                .map(|(_, label)| label.name.clone())
                .collect()
        }
        // Titles are known only by an audited release.
        salus_client::Scope::Everything | salus_client::Scope::Records(_) => Vec::new(),
    };
    GrantView {
        id: views::grant(grant.id),
        other: owner.clone(),
        scope: scope(&grant.scope),
        names,
        rights: rights(grant.rights),
        follows: grant.follows(),
        purpose: received.purpose().unwrap_or_default().to_owned(),
        from: grant.not_before,
        until: Some(grant.expires),
        status: phase(received.phase),
        records: None,
    }
}
