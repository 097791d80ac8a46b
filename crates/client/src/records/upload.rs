//! Sealing a version and sending it: inline when small, in pieces when not, and on from where it
//! stopped. Must not know where a version is filed.

use super::journal::{Begun, Journal, JournalPart};
use super::place::Place;
use super::ready::Ready;
use super::{Base, Draft, PartDraft, PartSource, Stored};
use crate::error::{ClientError, IntegrityError, Result};
use crate::session::Unlocked;
use crate::surroundings::{Progress, Stage, go_on};
use futures::future::try_join_all;
use salus_crypto::record::{Descriptor, DescriptorPart, PartSealer, sealed_part_len};
use salus_crypto::{SealError, random_id, random_salt};
use salus_protocol::statement::sha256;
use salus_protocol::version::{Part, part_root};
use salus_types::api::{PartSource as Source, UploadBegin, UploadPiece, UploadStatus};
use salus_types::{Hash, UploadId, limits};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Plaintext read and sealed at a time.
const STEP: u64 = 1 << 20;
/// Pieces in flight: an update takes about two seconds on mainnet, whatever its size.
const IN_FLIGHT: usize = 4;

const fn as_len(value: u64) -> usize {
    // At most STEP or a piece, far below what any usize holds.
    #[expect(clippy::cast_possible_truncation, reason = "at most 1 MiB")]
    {
        value as usize
    }
}

async fn hash_source(
    source: &dyn PartSource,
    progress: &dyn Progress,
    before: u64,
    total: u64,
) -> Result<Hash> {
    let mut hasher = Sha256::new();
    let mut done = 0;
    while done < source.len() {
        go_on(progress)?;
        let now = STEP.min(source.len() - done);
        hasher.update(source.read(done, as_len(now)).await?);
        done += now;
        progress.report(Stage::Reading, before + done, total);
    }
    Ok(Hash(hasher.finalize().into()))
}

/// Sends pieces of one part that the vault does not have yet, a few at a time.
struct Sender<'a> {
    unlocked: &'a Unlocked,
    upload: UploadId,
    received: BTreeSet<u32>,
    waiting: Vec<(u32, Vec<u8>)>,
}

impl Sender<'_> {
    async fn send(&mut self, index: u32, piece: Vec<u8>) -> Result<()> {
        if self.received.contains(&index) {
            return Ok(());
        }
        self.waiting.push((index, piece));
        if self.waiting.len() >= IN_FLIGHT {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let upload = self.upload;
        let calls = self.waiting.drain(..).map(|(index, bytes)| {
            let piece = UploadPiece {
                upload,
                index,
                bytes: ByteBuf::from(bytes),
            };
            self.unlocked
                .client()
                .update::<()>("upload_piece", (piece,))
        });
        try_join_all(calls).await.map(drop)
    }
}

impl Unlocked {
    /// Hashes the parts, makes keys and seals the descriptor.
    pub(super) async fn begin(
        &self,
        place: &Place,
        base: Base,
        draft: &Draft,
        parts: &[PartDraft],
        progress: &dyn Progress,
    ) -> Result<Journal> {
        if parts.is_empty() {
            return Err(ClientError::Invalid {
                field: "parts",
                reason: "none",
            });
        }
        if parts.len() as u64 > limits::PARTS {
            return Err(salus_types::Error::TooMany {
                what: "parts".into(),
                limit: limits::PARTS,
            }
            .into());
        }
        let total = parts.iter().map(|p| p.source.len()).sum();
        let mut journal_parts = Vec::with_capacity(parts.len());
        let mut before = 0;
        for part in parts {
            let len = part.source.len();
            if sealed_part_len(len) > limits::PART_BYTES {
                return Err(salus_types::Error::TooLarge {
                    field: part.name.clone(),
                    limit: limits::PART_BYTES,
                }
                .into());
            }
            journal_parts.push(JournalPart {
                upload: UploadId(random_id()?),
                len,
                plaintext: hash_source(part.source.as_ref(), progress, before, total).await?,
            });
            before += len;
        }
        let descriptor = Descriptor {
            title: draft.title.clone(),
            coding: draft.coding.clone(),
            category: draft.category.clone(),
            clinical_date: draft.clinical_date.clone(),
            parts: parts
                .iter()
                .map(|p| DescriptorPart {
                    name: p.name.clone(),
                    media_type: p.media_type.clone(),
                    len: p.source.len(),
                })
                .collect(),
            commitment_salt: random_salt()?,
            source: draft.source.clone(),
        };
        let (compartment, grant) = place.keys();
        let begun = Begun {
            owner: place.owner(self),
            grant,
            compartment,
            base,
            descriptor,
            parts: journal_parts,
        };
        let journal = Journal::new(self.client(), begun, self.genesis())?;
        if !is_inline(&journal) {
            self.save_journal(&journal).await?;
        }
        Ok(journal)
    }

    /// Whether the sources still give the bytes the upload was begun with.
    pub(super) async fn check_unchanged(
        &self,
        journal: &Journal,
        sources: &[Rc<dyn PartSource>],
        progress: &dyn Progress,
    ) -> Result<()> {
        let total = journal.parts.iter().map(|p| p.len).sum();
        let mut before = 0;
        for (part, source) in journal.parts.iter().zip(sources) {
            let plaintext = hash_source(source.as_ref(), progress, before, total).await?;
            if plaintext != part.plaintext {
                return Err(SealError::Changed.into());
            }
            before += part.len;
        }
        Ok(())
    }

    /// Seals the parts, uploads what of them is large and missing, and signs the version.
    pub(super) async fn prepare(
        &self,
        place: Place,
        journal: Journal,
        sources: &[Rc<dyn PartSource>],
        progress: &dyn Progress,
    ) -> Result<Ready> {
        let same = sources.len() == journal.parts.len()
            && journal
                .parts
                .iter()
                .zip(sources)
                .all(|(part, source)| part.len == source.len());
        if !same {
            return Err(ClientError::Invalid {
                field: "parts",
                reason: "not the parts the upload was begun with",
            });
        }
        let total: u64 = journal.parts.iter().map(|p| p.len).sum();
        let inline = is_inline(&journal);
        let (mut parts, mut given) = (Vec::new(), Vec::new());
        let mut before = 0;
        for (index, source) in (0u32..).zip(sources) {
            let done = |so_far: u64| progress.report(Stage::Uploading, before + so_far, total);
            let sent = self
                .send_part(&journal, index, source.as_ref(), inline, progress, &done)
                .await;
            if !inline && matches!(sent, Err(ClientError::Seal(SealError::Changed))) {
                // The bytes changed between looking at them and sealing them: nobody may go on with
                // what was sent of them.
                self.abandon_upload(journal.id).await?;
            }
            let (part, bytes) = sent?;
            parts.push(part);
            given.push(bytes);
            before += source.len();
        }
        Ready::sign(self, place, journal, parts, given)
    }

    /// As [`Self::prepare`], and adds the version.
    pub(super) async fn send(
        &self,
        place: Place,
        journal: Journal,
        sources: &[Rc<dyn PartSource>],
        progress: &dyn Progress,
    ) -> Result<Stored> {
        let mut ready = [self.prepare(place, journal, sources, progress).await?];
        go_on(progress)?;
        let total = ready.iter().map(Ready::plain_bytes).sum();
        progress.report(Stage::Confirming, total, total);
        let answers = self.add_versions(&mut ready).await?;
        let stored = answers.into_iter().next();
        stored.unwrap_or(Err(IntegrityError::Malformed("no receipt").into()))
    }

    async fn send_part(
        &self,
        journal: &Journal,
        index: u32,
        source: &dyn PartSource,
        inline: bool,
        progress: &dyn Progress,
        done: &dyn Fn(u64),
    ) -> Result<(Part, Source)> {
        let Some(part) = journal.parts.get(index as usize) else {
            return Err(ClientError::NotFound("part"));
        };
        let size = sealed_part_len(part.len);
        let received = if inline {
            BTreeSet::new()
        } else {
            let begin = UploadBegin {
                upload: part.upload,
                owner: journal.owner,
                grant: journal.grant,
                size,
            };
            let status: UploadStatus = self.client().update("upload_begin", (begin,)).await?;
            status.received.into_iter().collect()
        };
        let mut sender = Sender {
            unlocked: self,
            upload: part.upload,
            received,
            waiting: Vec::new(),
        };
        let keys = journal.keys()?;
        let scope = journal.scope(self.client(), self.genesis());
        // The salt follows from key and plaintext: the same part gives the same bytes again, and
        // another part never shares a nonce with it.
        let mut sealer =
            PartSealer::resumable(&keys.content, &scope, index, part.len, part.plaintext)?;
        let mut buffer: Vec<u8> = Vec::new();
        let mut hashes = Vec::new();
        let piece_len = as_len(limits::PIECE_BYTES);
        let mut offset = 0;
        while offset < part.len {
            go_on(progress)?;
            let now = STEP.min(part.len - offset);
            let plain = zeroize::Zeroizing::new(source.read(offset, as_len(now)).await?);
            offset += now;
            buffer.extend_from_slice(&sealer.update(&plain)?);
            while !inline && buffer.len() >= piece_len {
                let rest = buffer.split_off(piece_len);
                let piece = std::mem::replace(&mut buffer, rest);
                let number = push_hash(&mut hashes, &piece)?;
                sender.send(number, piece).await?;
            }
            done(offset);
        }
        let (last, _) = sealer.finish()?;
        buffer.extend_from_slice(&last);
        if inline {
            let pieces: Vec<Hash> = buffer.chunks(piece_len).map(sha256).collect();
            let root = part_root(size, &pieces);
            return Ok((Part { root, size }, Source::Inline(ByteBuf::from(buffer))));
        }
        while !buffer.is_empty() {
            go_on(progress)?;
            let rest = buffer.split_off(piece_len.min(buffer.len()));
            let piece = std::mem::replace(&mut buffer, rest);
            let number = push_hash(&mut hashes, &piece)?;
            sender.send(number, piece).await?;
        }
        sender.flush().await?;
        let root = part_root(size, &hashes);
        Ok((Part { root, size }, Source::Upload(part.upload)))
    }
}

fn push_hash(hashes: &mut Vec<Hash>, piece: &[u8]) -> Result<u32> {
    let number = u32::try_from(hashes.len()).map_err(|_| ClientError::Invalid {
        field: "parts",
        reason: "too many pieces",
    })?;
    hashes.push(sha256(piece));
    Ok(number)
}

/// Whether everything fits into one call.
pub(super) fn is_inline(journal: &Journal) -> bool {
    let sizes = journal.parts.iter().map(|p| sealed_part_len(p.len));
    sizes.sum::<u64>() <= limits::INLINE_BYTES
}
