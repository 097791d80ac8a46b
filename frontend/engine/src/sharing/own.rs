//! The owner's own compartments and records, as grants speak of them: who reaches what. Must not know
//! anyone's keys.

use super::view::records;
use crate::failure::{Outcome, from_client};
use crate::state::Engine;
use crate::views;
use salus_client::{
    APPEND, AccountId, Compartment, CompartmentId, GivenGrant, GrantPhase, READ, RecordItem, Scope,
    Unlocked, VersionRef,
};
use salus_messages::FailureKind;
use std::collections::BTreeSet;
use std::rc::Rc;

/// One's own compartments and records.
pub(crate) struct Own {
    compartments: Vec<Compartment>,
    records: Rc<Vec<RecordItem>>,
}

impl Own {
    /// Lists them.
    pub(crate) async fn of(engine: &Engine, unlocked: &Unlocked) -> Outcome<Self> {
        Ok(Self {
            compartments: unlocked.compartments().map_err(from_client)?,
            records: engine.own_records(unlocked).await?,
        })
    }

    /// The name of a compartment.
    pub(crate) fn compartment(&self, id: CompartmentId) -> Option<&str> {
        let found = self.compartments.iter().find(|c| c.id == id);
        found.map(|c| c.label.name.as_str())
    }

    /// The title of a record.
    pub(crate) fn title(&self, id: salus_client::RecordId) -> Option<&str> {
        let found = self.records.iter().find(|r| r.record == id);
        found.map(|r| r.descriptor.title.as_str())
    }

    /// Names of what a scope speaks of, in its order; empty for what is not there any more.
    pub(crate) fn names(&self, scope: &Scope) -> Vec<String> {
        let name = |found: Option<&str>| found.unwrap_or_default().to_owned();
        match scope {
            Scope::Everything => Vec::new(),
            Scope::Compartments(ids) => ids.iter().map(|id| name(self.compartment(*id))).collect(),
            Scope::Records(list) => {
                let records = records(list).into_iter();
                records.map(|id| name(self.title(id))).collect()
            }
        }
    }

    /// How many records a scope reaches now.
    pub(crate) fn reached(&self, scope: &Scope) -> u32 {
        let filed = |ids: &dyn Fn(&CompartmentId) -> bool| {
            let inside = |r: &&RecordItem| r.compartment.as_ref().is_some_and(ids);
            self.records.iter().filter(inside).count()
        };
        let count = match scope {
            Scope::Everything => filed(&|_| true),
            Scope::Compartments(ids) => filed(&|id| ids.contains(id)),
            Scope::Records(list) => records(list).len(),
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// Who may read which compartment now.
pub(crate) struct Readers(Vec<GivenGrant>);

impl Readers {
    /// How many may read a compartment.
    pub(crate) fn count(&self, compartment: CompartmentId) -> u32 {
        let reaches = |scope: &Scope| match scope {
            Scope::Everything => true,
            Scope::Compartments(ids) => ids.contains(&compartment),
            Scope::Records(_) => false,
        };
        let who: BTreeSet<AccountId> = self
            .0
            .iter()
            .filter(|g| reaches(&g.grant.scope))
            .map(|g| g.grant.grantee)
            .collect();
        u32::try_from(who.len()).unwrap_or(u32::MAX)
    }
}

async fn live(unlocked: &Unlocked, right: u8) -> Outcome<Vec<GivenGrant>> {
    let mut grants = unlocked.grants().await.map_err(from_client)?;
    grants.retain(|g| g.phase == GrantPhase::Active && g.grant.rights & right != 0);
    Ok(grants)
}

/// Who may read what.
pub(crate) async fn readers(unlocked: &Unlocked) -> Outcome<Readers> {
    Ok(Readers(live(unlocked, READ).await?))
}

/// Who may write for this account.
pub(crate) async fn writers(unlocked: &Unlocked) -> Outcome<BTreeSet<AccountId>> {
    let grants = live(unlocked, APPEND).await?;
    Ok(grants.iter().map(|g| g.grant.grantee).collect())
}

/// Everyone this account ever gave a grant: the ledger pins their keys.
pub(crate) async fn grantees(unlocked: &Unlocked) -> Outcome<BTreeSet<AccountId>> {
    let grants = unlocked.grants().await.map_err(from_client)?;
    Ok(grants.iter().map(|g| g.grant.grantee).collect())
}

/// A scope of the page as it is signed: single records by the version they have now.
pub(super) async fn scope(
    engine: &Engine,
    unlocked: &Unlocked,
    scope: &salus_messages::Scope,
) -> Outcome<Scope> {
    Ok(match scope {
        salus_messages::Scope::Everything => Scope::Everything,
        salus_messages::Scope::Compartments(ids) => Scope::Compartments(
            ids.iter()
                .map(|id| views::parse("scope", &id.0))
                .collect::<Outcome<_>>()?,
        ),
        salus_messages::Scope::Records(ids) => {
            let own = Own::of(engine, unlocked).await?;
            let mut list = Vec::with_capacity(ids.len());
            for id in ids {
                let id: salus_client::RecordId = views::parse("scope", &id.0)?;
                let item = own.records.iter().find(|r| r.record == id);
                let item = item.ok_or(FailureKind::NotFound)?;
                list.push(VersionRef {
                    record: id,
                    version: item.version,
                });
            }
            Scope::Records(list)
        }
    })
}
