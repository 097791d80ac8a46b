//! Where a new version goes: into a compartment of one's own, or into someone's drop box. Must not
//! know how parts are sent.

use super::journal::Journal;
use super::{Base, Draft, PartDraft, PartSource, RecordItem, Stored};
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::{is_stale, sign};
use crate::people::Contact;
use crate::session::Unlocked;
use crate::sharing::ReceivedGrant;
use crate::surroundings::Progress;
use salus_protocol::grant::Access;
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::{DropBox, Part, Version};
use salus_types::api::{
    Filing, PartSource as Source, Placement, RecordGet, VersionAdd, VersionReceipt, VersionView,
};
use salus_types::{AccountId, CompartmentId, Error, GrantId, Hash, UploadId};
use serde_bytes::ByteBuf;
use std::rc::Rc;

/// Where a new version goes.
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

fn sources(parts: &[PartDraft]) -> Vec<Rc<dyn PartSource>> {
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
        self.send(&place, &journal, &sources(parts), progress).await
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
        let sources = sources(parts);
        match self.send(&place, &journal, &sources, progress).await {
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
        let place = Place::DropBox {
            owner: Box::new(grant.owner.clone()),
            grant: grant.grant.id,
            suggested,
        };
        let base = Base::fresh()?;
        let journal = self.begin(&place, base, draft, parts, progress).await?;
        self.send(&place, &journal, &sources(parts), progress).await
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
        let place = Place::DropBox {
            owner: Box::new(grant.owner.clone()),
            grant: grant.grant.id,
            suggested: item.compartment,
        };
        let base = Base::after(item);
        let journal = self.begin(&place, base, draft, parts, progress).await?;
        self.send(&place, &journal, &sources(parts), progress).await
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
                owner: Box::new(self.client().person(journal.owner).await?),
                grant: journal.grant.ok_or(ClientError::NotFound("grant"))?,
                suggested: journal.compartment,
            }
        };
        match self.send(&place, &journal, parts, progress).await {
            // Only this upload used these random ids: it had arrived, and was signed anew since.
            Err(ClientError::Vault(Error::Conflict { .. })) if stored.unfiled => {
                self.forget_journal(&id).await?;
                Ok(stored)
            }
            other => other,
        }
    }

    pub(super) async fn add_version(
        &self,
        place: &Place,
        journal: &Journal,
        parts: Vec<Part>,
        given: Vec<Source>,
        plaintexts: &[Hash],
    ) -> Result<Stored> {
        let first = self
            .try_add(place, journal, &parts, &given, plaintexts)
            .await;
        let receipt = match first {
            // The epoch or the identity moved on: wrap and sign under the new one.
            Err(error) if is_stale(&error) => {
                self.refresh().await?;
                self.try_add(place, journal, &parts, &given, plaintexts)
                    .await?
            }
            other => other?,
        };
        if receipt.record != journal.record || receipt.version != journal.version {
            return Err(IntegrityError::Malformed("a receipt for another version").into());
        }
        Ok(Stored {
            record: receipt.record,
            version: receipt.version,
            unfiled: matches!(place, Place::DropBox { .. }),
        })
    }

    async fn try_add(
        &self,
        place: &Place,
        journal: &Journal,
        parts: &[Part],
        given: &[Source],
        plaintexts: &[Hash],
    ) -> Result<VersionReceipt> {
        let keys = journal.keys()?;
        let scope = journal.scope(self.client(), self.genesis());
        let (placement, drop_box) = match place {
            Place::Own(compartment) => {
                let filing = self.with(|all| {
                    let epoch = all.newest_epoch(compartment)?;
                    let wrapped = epoch.wrap_version_keys(
                        scope.scope,
                        journal.record,
                        journal.version,
                        &keys,
                    )?;
                    Ok(Filing {
                        compartment: *compartment,
                        epoch: epoch.epoch,
                        wrap_descriptor: ByteBuf::from(wrapped.descriptor),
                        wrap_content: ByteBuf::from(wrapped.content),
                    })
                })?;
                (Placement::Filed(filing), None)
            }
            Place::DropBox {
                owner,
                grant,
                suggested,
            } => {
                let envelope = keys.seal_to_drop_box(&owner.sealing()?, &scope)?;
                let signed = DropBox {
                    envelope: sha256(&envelope),
                    owner_link: owner.current()?.hash,
                    suggested: *suggested,
                };
                let placement = Placement::DropBox {
                    grant: *grant,
                    envelope: ByteBuf::from(envelope),
                };
                (placement, Some(signed))
            }
        };
        let statement = self.with(|own| {
            let version = Version {
                vault: self.vault(),
                owner: journal.owner,
                record: journal.record,
                version: journal.version,
                previous: journal.previous,
                author: self.account(),
                author_genesis: self.genesis(),
                author_link: own.link()?.hash,
                descriptor_kid: keys.descriptor_kid(scope.scope, journal.record, journal.version),
                content_kid: keys.content_kid(scope.scope, journal.record, journal.version),
                descriptor: statement::sha256(&journal.sealed_descriptor),
                parts: parts.to_vec(),
                commitment: journal.descriptor.commit(plaintexts),
                drop_box,
                at: self.client().now(),
            };
            Ok(sign(&version, &own.bundle.current.signing))
        })?;
        let add = VersionAdd {
            statement,
            descriptor: ByteBuf::from(journal.sealed_descriptor.clone()),
            parts: given.to_vec(),
            placement,
        };
        match self.client().update("version_add", (add.clone(),)).await {
            // The very same bytes again: the vault answers the same if it has them.
            Err(ClientError::Transport(error)) if error.is_ambiguous() => {
                self.client().update("version_add", (add,)).await
            }
            other => other,
        }
    }
}
