//! `salus record list` and `salus record history`.

use super::rows::{Filed, Record, table};
use super::{HistoryArgs, ListArgs};
use crate::arrivals;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use salus_client::{CompartmentId, ReceivedGrant};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Serialize)]
struct Records {
    /// Whose, when they are someone else's.
    patient: Option<String>,
    records: Vec<Record>,
    /// What others had left and was filed on the way.
    filed: Vec<Filed>,
    /// Whether it stands in the patient's audit trail that this was listed.
    recorded: bool,
}

impl fmt::Display for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.records.is_empty() {
            write!(f, "No records.")
        } else {
            write!(f, "{}", table(&self.records))
        }
    }
}

/// Names of one's own compartments.
pub(super) fn own_names(session: &Session<'_>) -> Result<BTreeMap<CompartmentId, String>> {
    let all = session.unlocked.compartments()?;
    Ok(all.into_iter().map(|c| (c.id, c.label.name)).collect())
}

/// Names of compartments as grants tell them.
pub(crate) fn granted_names(grants: &[ReceivedGrant]) -> BTreeMap<CompartmentId, String> {
    grants
        .iter()
        .flat_map(ReceivedGrant::compartments)
        .map(|(id, label)| (id, label.name))
        .collect()
}

/// `salus record list`.
pub(super) async fn run(session: &Session<'_>, arguments: &ListArgs) -> Result<()> {
    let answer = match &arguments.patient {
        None => own(session, arguments.compartment.as_deref()).await?,
        Some(patient) => theirs(session, patient, arguments.compartment.as_deref()).await?,
    };
    session.app.out.answer(&answer)
}

async fn own(session: &Session<'_>, compartment: Option<&str>) -> Result<Records> {
    let only = compartment
        .map(|text| session.compartment(text))
        .transpose()?;
    let filed = arrivals::file_all(session).await?;
    let names = own_names(session)?;
    let items = match only {
        Some(compartment) => session.unlocked.records(compartment.id).await?,
        None => session.unlocked.all_records().await?,
    };
    Ok(Records {
        patient: None,
        records: items
            .iter()
            .map(|item| Record::of(session, item, |id| names.get(id).cloned()))
            .collect(),
        filed,
        recorded: false,
    })
}

async fn theirs(
    session: &Session<'_>,
    patient: &str,
    compartment: Option<&str>,
) -> Result<Records> {
    let mut grants = session.grants_from(patient).await?;
    grants.retain(|grant| grant.grant.rights & salus_client::READ != 0);
    if grants.is_empty() {
        return Err(Error::new(
            Kind::NotFound,
            "not_covered",
            "this patient granted you to append, not to read",
        ));
    }
    let names = granted_names(&grants);
    let mut items = Vec::new();
    match compartment {
        None => {
            for grant in &grants {
                items.extend(session.unlocked.granted_all(grant).await?);
            }
        }
        Some(text) => {
            let (grant, id) = granted_compartment(&grants, text)?;
            items = session.unlocked.granted_records(grant, id).await?;
        }
    }
    // Two grants may cover the same record.
    let mut seen = std::collections::BTreeSet::new();
    items.retain(|item| seen.insert((item.record, item.version)));
    session
        .app
        .out
        .remark("This was recorded in the patient's audit trail.");
    Ok(Records {
        patient: grants.first().map(|g| g.owner.account.to_string()),
        records: items
            .iter()
            .map(|item| Record::of(session, item, |id| names.get(id).cloned()))
            .collect(),
        filed: Vec::new(),
        recorded: true,
    })
}

/// A compartment that a grant conveys, by id, name or tag.
pub(crate) fn granted_compartment<'g>(
    grants: &'g [ReceivedGrant],
    text: &str,
) -> Result<(&'g ReceivedGrant, CompartmentId)> {
    let wanted = text.trim().to_lowercase();
    let mut found: Vec<(&ReceivedGrant, CompartmentId)> = Vec::new();
    for grant in grants {
        for (id, label) in grant.compartments() {
            let fits = id.to_string() == wanted
                || label.name.to_lowercase() == wanted
                || label.tag.as_deref() == Some(wanted.as_str());
            if fits && !found.iter().any(|(_, known)| *known == id) {
                found.push((grant, id));
            }
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(Error::new(
            Kind::NotFound,
            "not_covered",
            format!("no grant of this patient conveys a compartment `{text}`"),
        )
        .candidates(granted_names(grants).into_values().collect())),
        several => Err(Error::new(
            Kind::Usage,
            "ambiguous",
            format!("several compartments are called `{text}`"),
        )
        .candidates(several.iter().map(|(_, id)| id.to_string()).collect())),
    }
}

#[derive(Serialize)]
struct History {
    record: String,
    /// Newest first.
    versions: Vec<Record>,
    recorded: bool,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for version in &self.versions {
            writeln!(
                f,
                "Version {}  {}  {}  by {}",
                version.version,
                crate::text::time(version.signed_at),
                crate::text::line(&version.title),
                version.author
            )?;
        }
        Ok(())
    }
}

/// `salus record history`.
pub(super) async fn history(session: &Session<'_>, arguments: &HistoryArgs) -> Result<()> {
    let (items, names, recorded) = match &arguments.patient {
        None => {
            arrivals::file_all(session).await?;
            let items = session.unlocked.history(arguments.id).await?;
            (items, own_names(session)?, false)
        }
        Some(patient) => {
            let grants = session.grants_from(patient).await?;
            let opened = session.open_granted_history(&grants, arguments.id).await?;
            session
                .app
                .out
                .remark("This was recorded in the patient's audit trail.");
            let items = opened.into_iter().map(|version| version.item).collect();
            (items, granted_names(&grants), true)
        }
    };
    session.app.out.answer(&History {
        record: arguments.id.to_string(),
        versions: items
            .iter()
            .map(|item| Record::of(session, item, |id| names.get(id).cloned()))
            .collect(),
        recorded,
    })
}
