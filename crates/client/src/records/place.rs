//! Where a new version goes: into a compartment of one's own, or into someone's drop box. Must not
//! know how parts are sent.

use super::{Base, Draft, PartDraft, PartSource, RecordItem, Stored};
use crate::error::{ClientError, Result};
use crate::people::Contact;
use crate::session::Unlocked;
use crate::sharing::ReceivedGrant;
use crate::surroundings::Progress;
use salus_protocol::grant::Access;
use salus_types::api::{RecordGet, VersionView};
use salus_types::{AccountId, CompartmentId, Error, GrantId, UploadId};
use std::rc::Rc;

/// Where a new version goes.
#[derive(Clone)]
pub(super) enum Place {
    /// Into a compartment of one's own.
    Own(CompartmentId),
    /// Into someone's drop box.
    DropBox {
        owner: Box<Contact>,
        grant: GrantId,
        suggested: Option<CompartmentId>,
    },
}

impl Place {
    pub(super) fn in_drop_box(grant: &ReceivedGrant, suggested: Option<CompartmentId>) -> Self {
        Self::DropBox {
            owner: Box::new(grant.owner.clone()),
            grant: grant.grant.id,
            suggested,
        }
    }

    pub(super) fn owner(&self, unlocked: &Unlocked) -> AccountId {
        match self {
            Self::Own(_) => unlocked.account(),
            Self::DropBox { owner, .. } => owner.account,
        }
    }

    pub(super) fn keys(&self) -> (Option<CompartmentId>, Option<GrantId>) {
        match self {
            Self::Own(compartment) => (Some(*compartment), None),
            Self::DropBox {
                grant, suggested, ..
            } => (*suggested, Some(*grant)),
        }
    }
}

pub(super) fn sources(parts: &[PartDraft]) -> Vec<Rc<dyn PartSource>> {
    parts.iter().map(|p| Rc::clone(&p.source)).collect()
}

impl Unlocked {
    /// Adds a record to a compartment of one's own. A large one can be resumed when it was
    /// interrupted: see [`Self::pending_uploads`].
    ///
    /// # Errors
    /// [`ClientError::NotFound`] (compartment), [`ClientError::Cancelled`], [`ClientError::Source`],
    /// the vault's limits and quota.
    pub async fn add_record(
        &self,
        compartment: CompartmentId,
        draft: &Draft,
        parts: &[PartDraft],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        self.with(|keys| keys.newest_epoch(&compartment).map(drop))?;
        let place = Place::Own(compartment);
        let journal = self
            .begin(&place, Base::fresh()?, draft, parts, progress)
            .await?;
        self.send(place, journal, &sources(parts), progress).await
    }

    /// Adds the next version of a record of one's own. `item` is the version it goes on from.
    ///
    /// # Errors
    /// [`ClientError::Conflict`] if that is no longer the newest; else as [`Self::add_record`].
    pub async fn amend_record(
        &self,
        item: &RecordItem,
        draft: &Draft,
        parts: &[PartDraft],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        let compartment = item.compartment.ok_or(ClientError::Invalid {
            field: "record",
            reason: "file it first",
        })?;
        if item.owner != self.account() {
            return Err(ClientError::Invalid {
                field: "record",
                reason: "not your own",
            });
        }
        let place = Place::Own(compartment);
        let base = Base::after(item);
        let journal = self.begin(&place, base, draft, parts, progress).await?;
        match self.send(place, journal, &sources(parts), progress).await {
            Err(ClientError::Vault(Error::Conflict { .. })) => Err(ClientError::Conflict("record")),
            other => other,
        }
    }

    /// Writes a record for someone, under a grant to append. It waits in their drop box until their
    /// client files it, into `suggested` perhaps.
    ///
    /// # Errors
    /// [`ClientError::NotCovered`]; else as [`Self::add_record`].
    pub async fn append_record(
        &self,
        grant: &ReceivedGrant,
        suggested: Option<CompartmentId>,
        draft: &Draft,
        parts: &[PartDraft],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        grant.grant.covers(Access::Append, self.client().now())?;
        let place = Place::in_drop_box(grant, suggested);
        let base = Base::fresh()?;
        let journal = self.begin(&place, base, draft, parts, progress).await?;
        self.send(place, journal, &sources(parts), progress).await
    }

    /// Writes the next version of someone's record, under a grant to append.
    ///
    /// # Errors
    /// As [`Self::append_record`].
    pub async fn append_version(
        &self,
        grant: &ReceivedGrant,
        item: &RecordItem,
        draft: &Draft,
        parts: &[PartDraft],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        if let Some(compartment) = item.compartment {
            let access = Access::Amend(compartment, item.record);
            grant.grant.covers(access, self.client().now())?;
        }
        let place = Place::in_drop_box(grant, item.compartment);
        let base = Base::after(item);
        let journal = self.begin(&place, base, draft, parts, progress).await?;
        self.send(place, journal, &sources(parts), progress).await
    }

    /// Goes on with an interrupted upload: only what the vault does not have is sent. `parts` give
    /// the same bytes as before, in the same order; other bytes are noticed and refused.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`ClientError::Seal`] if the bytes changed; else as
    /// [`Self::add_record`].
    pub async fn resume_upload(
        &self,
        id: UploadId,
        parts: &[Rc<dyn PartSource>],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        let journal = self.load_journal(&id).await?;
        // Before anything is sealed: other bytes under the same salt would share nonces with what
        // was sent.
        self.check_unchanged(&journal, parts, progress).await?;
        let stored = Stored {
            record: journal.record,
            version: journal.version,
            unfiled: journal.owner != self.account(),
        };
        let place = if journal.owner == self.account() {
            let wanted = RecordGet {
                record: journal.record,
                version: Some(journal.version),
            };
            let there: Result<Vec<VersionView>> =
                self.client().query("record_get", (wanted,)).await;
            if matches!(there, Ok(views) if !views.is_empty()) {
                self.forget_journal(&id).await?;
                return Ok(stored);
            }
            Place::Own(
                journal
                    .compartment
                    .ok_or(ClientError::NotFound("compartment"))?,
            )
        } else {
            Place::DropBox {
                owner: Box::new(self.person(journal.owner).await?),
                grant: journal.grant.ok_or(ClientError::NotFound("grant"))?,
                suggested: journal.compartment,
            }
        };
        match self.send(place, journal, parts, progress).await {
            // Only this upload used these random ids: it had arrived, and was signed anew since.
            Err(ClientError::Vault(Error::Conflict { .. })) if stored.unfiled => {
                self.forget_journal(&id).await?;
                Ok(stored)
            }
            other => other,
        }
    }
}
