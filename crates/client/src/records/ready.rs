//! Versions that are sealed and signed, and the call that adds many of them. Must not know how parts
//! are sealed or sent.

use super::Stored;
use super::journal::Journal;
use super::place::Place;
use super::upload::is_inline;
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::{is_stale, sign};
use crate::session::Unlocked;
use salus_protocol::statement::sha256;
use salus_protocol::version::{DropBox, Part, Version, batch_bytes};
use salus_types::api::{Filing, PartSource, Placement, Signed, VersionAdd, VersionReceipt};
use salus_types::{CompartmentId, Hash, limits};
use serde_bytes::ByteBuf;

/// Uploads that one call turns into versions at most, unless a single version has more. They count as
/// unfinished until then, and an account has [`limits::OPEN_UPLOADS`] of those: room for the parts of
/// two versions.
const UPLOADS: usize = 8;

/// A version as it is sent: its parts are sealed and, where they are large, uploaded; its keys are
/// wrapped and its statement is signed.
pub(super) struct Ready {
    journal: Journal,
    place: Place,
    parts: Vec<Part>,
    add: VersionAdd,
}

impl Ready {
    /// Signs a version whose parts are `parts`, given as `given`.
    pub(super) fn sign(
        unlocked: &Unlocked,
        place: Place,
        journal: Journal,
        parts: Vec<Part>,
        given: Vec<PartSource>,
    ) -> Result<Self> {
        let (statement, placement) = unlocked.sign_version(&place, &journal, &parts)?;
        let add = VersionAdd {
            statement,
            descriptor: ByteBuf::from(journal.sealed_descriptor.clone()),
            parts: given,
            placement,
        };
        Ok(Self {
            journal,
            place,
            parts,
            add,
        })
    }

    /// Signs it anew, its keys wrapped for what is in force now.
    fn sign_again(&mut self, unlocked: &Unlocked) -> Result<()> {
        let signed = unlocked.sign_version(&self.place, &self.journal, &self.parts)?;
        (self.add.statement, self.add.placement) = signed;
        Ok(())
    }

    /// Bytes of its parts before they were sealed.
    pub(super) fn plain_bytes(&self) -> u64 {
        self.journal.parts.iter().map(|part| part.len).sum()
    }

    fn uploads(&self) -> usize {
        let uploaded = |part: &&PartSource| matches!(part, PartSource::Upload(_));
        self.add.parts.iter().filter(uploaded).count()
    }

    /// What the vault's receipt says of it.
    fn stored(&self, receipt: &VersionReceipt) -> Result<Stored> {
        if receipt.record != self.journal.record || receipt.version != self.journal.version {
            return Err(IntegrityError::Malformed("a receipt for another version").into());
        }
        Ok(Stored {
            record: receipt.record,
            version: receipt.version,
            unfiled: matches!(self.place, Place::DropBox { .. }),
        })
    }
}

/// Versions that go into one call, each with its place among those that are to be added.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Ready>,
    /// Where each stands in the whole.
    pub(super) at: Vec<usize>,
    /// Uploads that it turns into versions.
    pub(super) uploads: usize,
    bytes: u64,
}

impl Batch {
    /// Whether a version fits in. The first always does.
    pub(super) fn takes(&self, next: &Ready) -> bool {
        self.items.is_empty()
            || ((self.items.len() as u64) < limits::BATCH_VERSIONS
                && self.bytes.saturating_add(batch_bytes(&next.add)) <= limits::BATCH_BYTES
                && self.uploads.saturating_add(next.uploads()) <= UPLOADS)
    }

    pub(super) fn push(&mut self, at: usize, next: Ready) {
        self.bytes = self.bytes.saturating_add(batch_bytes(&next.add));
        self.uploads = self.uploads.saturating_add(next.uploads());
        self.items.push(next);
        self.at.push(at);
    }
}

impl Unlocked {
    /// Adds versions in one call; what became of each, in their order. What is refused because the
    /// epoch moved on is wrapped and signed anew and sent once more, and only that.
    pub(super) async fn add_versions(&self, ready: &mut [Ready]) -> Result<Vec<Result<Stored>>> {
        let all: Vec<&Ready> = ready.iter().collect();
        let mut answers = self.try_add(&all).await?;
        let stale: Vec<usize> = (0..)
            .zip(&answers)
            .filter(|(_, answer)| matches!(answer, Err(error) if is_stale(error)))
            .map(|(at, _)| at)
            .collect();
        if !stale.is_empty() {
            let again = match self.add_again(ready, &stale).await {
                Ok(again) => again,
                // What was stored before stays so.
                Err(error) => vec![Err(error); stale.len()],
            };
            for (at, again) in stale.into_iter().zip(again) {
                if let Some(answer) = answers.get_mut(at) {
                    *answer = again;
                }
            }
        }
        for (ready, answer) in ready.iter().zip(&mut answers) {
            if answer.is_ok()
                && !is_inline(&ready.journal)
                && let Err(error) = self.forget_journal(&ready.journal.id).await
            {
                *answer = Err(error);
            }
        }
        if answers.iter().any(std::result::Result::is_ok) {
            self.note_heads().await;
        }
        Ok(answers)
    }

    async fn add_again(&self, ready: &mut [Ready], stale: &[usize]) -> Result<Vec<Result<Stored>>> {
        self.refresh().await?;
        for at in stale {
            if let Some(late) = ready.get_mut(*at) {
                late.sign_again(self)?;
            }
        }
        let late: Vec<&Ready> = stale.iter().filter_map(|at| ready.get(*at)).collect();
        self.try_add(&late).await
    }

    async fn try_add(&self, ready: &[&Ready]) -> Result<Vec<Result<Stored>>> {
        let adds: Vec<&VersionAdd> = ready.iter().map(|ready| &ready.add).collect();
        let answer: Result<Vec<salus_types::Result<VersionReceipt>>> =
            match self.client().update("versions_add", (&adds,)).await {
                // The very same bytes again: the vault answers the same if it has them.
                Err(ClientError::Transport(error)) if error.is_ambiguous() => {
                    self.client().update("versions_add", (&adds,)).await
                }
                other => other,
            };
        let receipts = answer?;
        if receipts.len() != ready.len() {
            return Err(IntegrityError::Malformed("not one receipt for each version").into());
        }
        let pairs = ready.iter().zip(receipts);
        Ok(pairs
            .map(|(ready, receipt)| ready.stored(&receipt?))
            .collect())
    }

    /// A version's statement and its keys, for what is in force now.
    fn sign_version(
        &self,
        place: &Place,
        journal: &Journal,
        parts: &[Part],
    ) -> Result<(Signed, Placement)> {
        let keys = journal.keys()?;
        let scope = journal.scope(self.client(), self.genesis());
        let (placement, drop_box) = match place {
            Place::Own(compartment) => {
                let filing = self.wrapped_keys(*compartment, journal)?;
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
        let plaintexts: Vec<Hash> = journal.parts.iter().map(|p| p.plaintext).collect();
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
                descriptor: sha256(&journal.sealed_descriptor),
                parts: parts.to_vec(),
                commitment: journal.descriptor.commit(&plaintexts),
                drop_box,
                at: self.client().now(),
            };
            Ok(sign(&version, &own.bundle.current.signing))
        })?;
        Ok((statement, placement))
    }

    /// A version's keys under a compartment's newest epoch.
    fn wrapped_keys(&self, compartment: CompartmentId, journal: &Journal) -> Result<Filing> {
        let keys = journal.keys()?;
        let scope = journal.scope(self.client(), self.genesis());
        self.with(|all| {
            let epoch = all.newest_epoch(&compartment)?;
            let wrapped =
                epoch.wrap_version_keys(scope.scope, journal.record, journal.version, &keys)?;
            Ok(Filing {
                compartment,
                epoch: epoch.epoch,
                wrap_descriptor: ByteBuf::from(wrapped.descriptor),
                wrap_content: ByteBuf::from(wrapped.content),
            })
        })
    }
}
