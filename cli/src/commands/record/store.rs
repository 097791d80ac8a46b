//! Storing one record: among one's own, or in a patient's drop box; going on with an upload that
//! was interrupted. Must not know where its parts come from.

use super::add::Receipt;
use super::list::granted_compartment;
use crate::arrivals::of_category;
use crate::error::{Error, Kind, Result};
use crate::session::Session;
use crate::text::line;
use crate::watch::Watch;
use salus_client::{
    APPEND, AccountId, ClientError, Compartment, CompartmentId, Draft, PartDraft, PartSource,
    PendingUpload, ReceivedGrant, RecordItem, Stored,
};
use salus_health::Category;
use std::rc::Rc;

/// Whether so many bytes may have been uploaded in pieces. Less than half of what fits into a call
/// was not, whatever sealing added.
pub(super) const fn may_be_in_pieces(bytes: u64) -> bool {
    bytes >= salus_types::limits::INLINE_BYTES / 2
}

/// Where records go.
pub(super) enum Target {
    /// Into one's own compartments: into one that was named, or each into its own.
    Own {
        named: Option<Compartment>,
        all: Vec<Compartment>,
    },
    /// Into a patient's drop box.
    Patient {
        grant: Box<ReceivedGrant>,
        suggested: Option<(CompartmentId, String)>,
    },
}

impl Target {
    /// As the command line says.
    ///
    /// # Errors
    /// When a compartment or a grant is not there.
    pub(super) async fn find(
        session: &Session<'_>,
        patient: Option<&str>,
        compartment: Option<&str>,
    ) -> Result<Self> {
        let Some(patient) = patient else {
            return Ok(Self::Own {
                named: compartment.map(|c| session.compartment(c)).transpose()?,
                all: session.unlocked.compartments()?,
            });
        };
        let grants = session.grants_from(patient).await?;
        let suggested = match compartment {
            Some(text) => {
                let (grant, id) = granted_compartment(&grants, text)?;
                let name = grant.compartments().into_iter().find(|(c, _)| *c == id);
                Some((id, name.map(|(_, label)| label.name).unwrap_or_default()))
            }
            None => None,
        };
        let grant = appending(grants)?;
        Ok(Self::Patient {
            grant: Box::new(grant),
            suggested,
        })
    }

    /// In whose account.
    pub(super) fn owner(&self, session: &Session<'_>) -> AccountId {
        match self {
            Self::Own { .. } => session.unlocked.account(),
            Self::Patient { grant, .. } => grant.owner.account,
        }
    }
}

/// The first grant that lets one append.
pub(super) fn appending(grants: Vec<ReceivedGrant>) -> Result<ReceivedGrant> {
    grants
        .into_iter()
        .find(|grant| grant.grant.rights & APPEND != 0)
        .ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                "not_covered",
                "this patient did not grant you to append",
            )
        })
}

pub(super) fn own_place<'t>(
    named: Option<&'t Compartment>,
    all: &'t [Compartment],
    category: Category,
) -> Result<&'t Compartment> {
    named
        .or_else(|| of_category(category.id(), all))
        .or_else(|| of_category(Category::Documents.id(), all))
        .ok_or_else(|| {
            Error::not_found(format!("you have no compartment {}", category.name()))
                .candidates(all.iter().map(|c| c.label.name.clone()).collect())
                .hint("name one by --compartment, or add one with `salus compartment add NAME`")
        })
}

/// Adds a record.
///
/// # Errors
/// When its place is not there, and whatever the client and the vault refuse.
pub(super) async fn add(
    session: &Session<'_>,
    target: &Target,
    category: Category,
    draft: &Draft,
    parts: &[PartDraft],
) -> Result<Receipt> {
    let watch = Watch::new(session.app.out, line(&draft.title));
    let resumed = resume_new(session, target, draft, parts, &watch).await?;
    let (stored, place) = match target {
        Target::Own { named, all } => {
            let place = own_place(named.as_ref(), all, category)?;
            let stored = match resumed {
                Some(stored) => stored,
                None => {
                    session
                        .unlocked
                        .add_record(place.id, draft, parts, &watch)
                        .await?
                }
            };
            (stored, Some(place.label.name.clone()))
        }
        Target::Patient { grant, suggested } => {
            let wanted = suggestion(grant, suggested.as_ref(), category);
            let stored = match resumed {
                Some(stored) => stored,
                None => {
                    let suggested = wanted.as_ref().map(|(id, _)| *id);
                    session
                        .unlocked
                        .append_record(grant, suggested, draft, parts, &watch)
                        .await?
                }
            };
            (stored, wanted.map(|(_, name)| name))
        }
    };
    Ok(receipt(stored, &draft.title, place, resumed.is_some()))
}

/// Where a record is suggested to be filed: where the command line says, or into its category's
/// compartment, if the grant conveys it.
pub(super) fn suggestion(
    grant: &ReceivedGrant,
    named: Option<&(CompartmentId, String)>,
    category: Category,
) -> Option<(CompartmentId, String)> {
    let of_category = || {
        grant
            .compartments()
            .into_iter()
            .find(|(_, label)| label.tag.as_deref() == Some(category.id()))
            .map(|(id, label)| (id, label.name))
    };
    named.cloned().or_else(of_category)
}

/// Goes on with an upload of a new record that was interrupted, if there is one.
///
/// # Errors
/// Whatever the client and the vault refuse.
pub(super) async fn resume_new(
    session: &Session<'_>,
    target: &Target,
    draft: &Draft,
    parts: &[PartDraft],
    watch: &Watch,
) -> Result<Option<Stored>> {
    let fits = |upload: &PendingUpload| upload.version == 1 && upload.title == draft.title;
    resume(session, target.owner(session), parts, watch, fits).await
}

/// Adds the next version of a record.
///
/// # Errors
/// Whatever the client and the vault refuse.
pub(super) async fn amend(
    session: &Session<'_>,
    grant: Option<&ReceivedGrant>,
    item: &RecordItem,
    draft: &Draft,
    parts: &[PartDraft],
) -> Result<Receipt> {
    let watch = Watch::new(session.app.out, line(&draft.title));
    let next = item.version.saturating_add(1);
    let fits = |upload: &PendingUpload| {
        upload.record == item.record && upload.version == next && upload.title == draft.title
    };
    let resumed = resume(session, item.owner, parts, &watch, fits).await?;
    let stored = match (resumed, grant) {
        (Some(stored), _) => stored,
        (None, None) => {
            session
                .unlocked
                .amend_record(item, draft, parts, &watch)
                .await?
        }
        (None, Some(grant)) => {
            session
                .unlocked
                .append_version(grant, item, draft, parts, &watch)
                .await?
        }
    };
    Ok(receipt(stored, &draft.title, None, resumed.is_some()))
}

fn receipt(stored: Stored, title: &str, compartment: Option<String>, resumed: bool) -> Receipt {
    Receipt {
        record: stored.record.to_string(),
        version: stored.version,
        title: title.to_owned(),
        compartment,
        unfiled: stored.unfiled,
        resumed,
    }
}

/// Goes on with an upload of the same parts that was interrupted, if there is one.
async fn resume(
    session: &Session<'_>,
    owner: AccountId,
    parts: &[PartDraft],
    watch: &Watch,
    fits: impl Fn(&PendingUpload) -> bool,
) -> Result<Option<Stored>> {
    // What fits into one call leaves nothing to resume.
    let total: u64 = parts.iter().map(|part| part.source.len()).sum();
    if !may_be_in_pieces(total) {
        return Ok(None);
    }
    let same = |upload: &PendingUpload| {
        upload.owner == owner
            && upload.parts.len() == parts.len()
            && upload
                .parts
                .iter()
                .zip(parts)
                .all(|((name, len), part)| *name == part.name && *len == part.source.len())
    };
    let pending = session.unlocked.pending_uploads().await?;
    let Some(upload) = pending.iter().find(|upload| same(upload) && fits(upload)) else {
        return Ok(None);
    };
    let sources: Vec<Rc<dyn PartSource>> =
        parts.iter().map(|part| Rc::clone(&part.source)).collect();
    session
        .app
        .out
        .remark("Going on with an upload that was interrupted.");
    match session
        .unlocked
        .resume_upload(upload.id, &sources, watch)
        .await
    {
        Ok(stored) => Ok(Some(stored)),
        // The files changed since, or its place is gone: begin anew.
        Err(ClientError::Seal(_) | ClientError::NotFound(_) | ClientError::Invalid { .. }) => {
            session
                .app
                .out
                .remark("That is no longer possible; beginning anew.");
            session.unlocked.abandon_upload(upload.id).await?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
