//! Reading and writing under grants one has received. Listing and opening are audited releases, so a
//! list is released once and then searched and paged here. Must not know one's own records.

use crate::dispatch::{Answer, Task};
use crate::failure::{Outcome, from_client};
use crate::views;
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};
use salus_client::{
    APPEND, AccountId, CompartmentId, GrantPhase, OpenVersion, READ, ReceivedGrant, RecordId,
    RecordItem, Scope, Unlocked,
};
use salus_health::Category as Filing;
use salus_messages::{Compartment, FailureKind, Reply};
use std::collections::BTreeMap;

/// Grants of a patient that are in force and give a right.
async fn live(unlocked: &Unlocked, patient: AccountId, right: u8) -> Outcome<Vec<ReceivedGrant>> {
    let mut grants = unlocked.received().await.map_err(from_client)?;
    grants.retain(|g| {
        g.owner.account == patient && g.phase == GrantPhase::Active && g.grant.rights & right != 0
    });
    Ok(grants)
}

/// Compartments a patient granted. How many records are in them only a release tells.
pub(crate) async fn granted_compartments(
    unlocked: &Unlocked,
    patient: AccountId,
) -> Outcome<Answer> {
    let mut list: Vec<Compartment> = Vec::new();
    for grant in live(unlocked, patient, READ).await? {
        for (id, label) in grant.compartments() {
            let id = views::compartment(id);
            if !list.iter().any(|c| c.id == id) {
                list.push(Compartment {
                    id,
                    category: views::category(&label),
                    name: label.name,
                    records: 0,
                    readers: 0,
                });
            }
        }
    }
    Ok(Reply::Compartments(list).into())
}

/// A patient's records as far as they were granted. An audited release, unless `again` and released
/// before while the keys are in memory.
pub(crate) async fn granted_records(
    task: &Task,
    unlocked: &Unlocked,
    patient: AccountId,
    compartment: Option<CompartmentId>,
    again: bool,
) -> Outcome<Vec<RecordItem>> {
    let key = (patient, compartment);
    if again && let Some(list) = task.engine.found.borrow().lists.get(&key) {
        return Ok(list.clone());
    }
    let list = release(unlocked, patient, compartment).await?;
    let mut found = task.engine.found.borrow_mut();
    found.lists.insert(key, list.clone());
    Ok(list)
}

async fn release(
    unlocked: &Unlocked,
    patient: AccountId,
    compartment: Option<CompartmentId>,
) -> Outcome<Vec<RecordItem>> {
    let grants = live(unlocked, patient, READ).await?;
    if grants.is_empty() {
        return Err(FailureKind::NotFound.into());
    }
    // Two grants may reach the same compartment: it is released once, under the wider one.
    let mut listed: Vec<CompartmentId> = Vec::new();
    let wide = |g: &ReceivedGrant| matches!(g.grant.scope, Scope::Everything);
    let (first, second): (Vec<_>, Vec<_>) = grants.iter().partition(|g| wide(g));
    let mut releases: Vec<LocalBoxFuture<'_, _>> = Vec::new();
    for grant in first.into_iter().chain(second) {
        if matches!(grant.grant.scope, Scope::Records(_)) && compartment.is_none() {
            let release = async move { (grant, unlocked.granted_versions(grant).await) };
            releases.push(release.boxed_local());
        }
        for (id, _) in grant.compartments() {
            if compartment.is_none_or(|wanted| wanted == id) && !listed.contains(&id) {
                listed.push(id);
                let release = async move { (grant, unlocked.granted_records(grant, id).await) };
                releases.push(release.boxed_local());
            }
        }
    }
    let mut newest: BTreeMap<RecordId, RecordItem> = BTreeMap::new();
    // Side by side: on the public network every release takes about two seconds.
    for (grant, items) in join_all(releases).await {
        for mut item in items.map_err(from_client)? {
            name_owner(grant, &mut item);
            let known = newest.get(&item.record);
            if known.is_none_or(|k| k.version < item.version) {
                newest.insert(item.record, item);
            }
        }
    }
    Ok(newest.into_values().collect())
}

/// Opens a record of a patient: an audited release, under the grant it was listed under.
pub(crate) async fn open_granted(
    task: &Task,
    unlocked: &Unlocked,
    patient: AccountId,
    record: RecordId,
    version: Option<u32>,
) -> Outcome<OpenVersion> {
    let under = listed(task, unlocked, patient, record).await?;
    let grants = live(unlocked, patient, READ).await?;
    let grant = grants
        .iter()
        .find(|g| Some(g.grant.id) == under.grant)
        .ok_or(FailureKind::NotFound)?;
    let wanted = [(record, Some(version.unwrap_or(under.version)))];
    let opened = unlocked
        .open_granted(grant, &wanted)
        .await
        .map_err(from_client)?;
    let mut opened = opened.into_iter().next().ok_or(FailureKind::NotFound)?;
    name_owner(grant, &mut opened.item);
    Ok(opened)
}

/// Patients publish no names: what they wrote themselves bears the one the grant tells.
fn name_owner(grant: &ReceivedGrant, item: &mut RecordItem) {
    let author = &mut item.author;
    if author.account == grant.owner.account && author.name.is_none() {
        author.name = grant.owner_name().map(str::to_owned);
    }
}

/// The item by which a record was listed; lists where it was not, because only a list tells under
/// which grant a record is readable.
async fn listed(
    task: &Task,
    unlocked: &Unlocked,
    patient: AccountId,
    record: RecordId,
) -> Outcome<RecordItem> {
    let known = {
        let found = task.engine.found.borrow();
        let of_patient = found.lists.iter().filter(|(key, _)| key.0 == patient);
        of_patient
            .flat_map(|(_, list)| list)
            .find(|item| item.record == record)
            .cloned()
    };
    if let Some(item) = known {
        return Ok(item);
    }
    let list = granted_records(task, unlocked, patient, None, false).await?;
    list.into_iter()
        .find(|item| item.record == record)
        .ok_or_else(|| FailureKind::NotFound.into())
}

/// Whether a patient lets one write.
pub(crate) async fn may_append(unlocked: &Unlocked, patient: AccountId) -> Outcome<bool> {
    Ok(!live(unlocked, patient, APPEND).await?.is_empty())
}

/// The grant to write under: the widest.
pub(crate) async fn appending_grant(
    unlocked: &Unlocked,
    patient: AccountId,
) -> Outcome<ReceivedGrant> {
    let mut grants = live(unlocked, patient, APPEND).await?;
    grants.sort_by_key(|g| match g.grant.scope {
        Scope::Everything => 0,
        Scope::Compartments(_) => 1,
        Scope::Records(_) => 2,
    });
    grants
        .into_iter()
        .next()
        .ok_or_else(|| FailureKind::Refused.into())
}

/// The granted compartment whose tag fits a record best, to be suggested to the owner.
pub(crate) fn append_place(grant: &ReceivedGrant, filing: Filing) -> Option<CompartmentId> {
    let granted = grant.compartments();
    views::place(granted.iter().map(|(id, label)| (*id, label)), filing)
}
