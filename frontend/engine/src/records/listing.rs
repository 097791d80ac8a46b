//! Lists of records, newest first, searched here because the vault knows no titles.

use crate::dispatch::{Answer, Task};
use crate::failure::Outcome;
use crate::platform::clock;
use crate::sharing;
use crate::views;
use salus_client::{RecordItem, Unlocked};
use salus_messages::{AccountId, CompartmentId, Cursor, Page, Reply};
use std::cmp::Reverse;

/// Records of a page.
const PAGE: usize = 100;

/// A page of a list.
pub(super) async fn page(
    task: &Task,
    unlocked: &Unlocked,
    patient: Option<AccountId>,
    compartment: Option<CompartmentId>,
    search: &str,
    cursor: Option<Cursor>,
) -> Outcome<Answer> {
    let compartment: Option<salus_client::CompartmentId> = compartment
        .map(|c| views::parse("compartment", &c.0))
        .transpose()?;
    let mut items = match patient {
        None => task.engine.own_records(unlocked).await?.to_vec(),
        Some(patient) => {
            let patient = views::parse("patient", &patient.0)?;
            // Turning a page or searching is no new release.
            let again = cursor.is_some() || !search.trim().is_empty();
            sharing::granted_records(task, unlocked, patient, compartment, again).await?
        }
    };
    if compartment.is_some() {
        items.retain(|i| i.compartment == compartment);
    }
    let wanted = search.trim().to_lowercase();
    if !wanted.is_empty() {
        items.retain(|i| matches(i, &wanted));
    }
    // What waits to be filed comes first: it asks for a decision.
    items.sort_by_cached_key(|item| Reverse((item.compartment.is_none(), happened(item), item.at)));
    let from = match cursor {
        Some(cursor) => views::parse("cursor", &cursor.0)?,
        None => 0usize,
    };
    let total = items.len();
    let shown: Vec<_> = items
        .iter()
        .skip(from)
        .take(PAGE)
        .map(views::summary)
        .collect();
    let end = from.saturating_add(shown.len());
    Ok(Reply::Records(Page {
        items: shown,
        next: (end < total).then(|| Cursor(end.to_string())),
        total: u32::try_from(total).ok(),
    })
    .into())
}

/// When it happened; when it was signed, if that is not said.
fn happened(item: &RecordItem) -> String {
    let said = item.descriptor.clinical_date.clone();
    said.unwrap_or_else(|| clock::iso(item.signed_at))
}

fn matches(item: &RecordItem, wanted: &str) -> bool {
    let descriptor = &item.descriptor;
    let coded = descriptor.coding.as_ref().and_then(|c| c.display.as_ref());
    [Some(&descriptor.title), coded]
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(wanted))
}
