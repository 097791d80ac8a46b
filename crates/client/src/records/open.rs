//! Opening a version: its parts, fetched piece by piece, hashed, decrypted and compared with what
//! the author signed. Must not know how it was listed.

use super::RecordItem;
use super::read::{Authors, Shown, version_scope};
use crate::error::{ClientError, IntegrityError, Result};
use crate::session::Unlocked;
use crate::surroundings::{Progress, Stage, go_on};
use futures::future::try_join_all;
use salus_crypto::Key;
use salus_crypto::record::PartOpener;
use salus_protocol::statement::sha256;
use salus_protocol::version::{Part, part_root};
use salus_types::api::PieceRead;
use salus_types::{Hash, RecordId, limits};
use serde_bytes::ByteBuf;
use zeroize::Zeroizing;

/// Pieces fetched at once.
const IN_FLIGHT: u64 = 4;

/// A version whose keys are at hand. Wiped when dropped.
pub struct OpenVersion {
    /// What it says about itself.
    pub item: RecordItem,
    pub(crate) shown: Shown,
    pub(crate) content: Key,
}

impl OpenVersion {
    /// The hash of a version's parts without padding fits the author's commitment.
    fn check_commitment(&self, parts: &[Hash]) -> Result<()> {
        if self.item.descriptor.commit(parts) == self.shown.version.commitment {
            Ok(())
        } else {
            Err(self.defect("its plaintext"))
        }
    }

    fn defect(&self, what: &'static str) -> ClientError {
        IntegrityError::Version {
            record: self.item.record,
            what,
        }
        .into()
    }
}

impl Unlocked {
    /// Opens a version of one's own.
    ///
    /// # Errors
    /// [`ClientError::NotFound`]; [`IntegrityError`].
    pub async fn open_record(&self, record: RecordId, version: Option<u32>) -> Result<OpenVersion> {
        let views = self.record_views(record, version).await?;
        let view = views.first().ok_or(ClientError::NotFound("record"))?;
        let (item, shown, keys) = self.own_item(&mut Authors::default(), view).await?;
        Ok(OpenVersion {
            item,
            shown,
            content: keys.content,
        })
    }

    /// Fetches one part; `sink` takes its bytes as they come. What it was given counts only if this
    /// returns `Ok`: then the part is whole, and what the author signed.
    ///
    /// # Errors
    /// [`ClientError::NotFound`], [`ClientError::Cancelled`], [`ClientError::Source`] of the sink;
    /// [`IntegrityError`] and [`ClientError::Open`] when a byte is not the author's.
    pub async fn read_part(
        &self,
        version: &OpenVersion,
        part: u32,
        progress: &dyn Progress,
        sink: &mut dyn FnMut(&[u8]) -> std::result::Result<(), super::SourceError>,
    ) -> Result<Hash> {
        let signed: &Part = version
            .shown
            .version
            .parts
            .get(part as usize)
            .ok_or(ClientError::NotFound("part"))?;
        let total = version
            .item
            .descriptor
            .parts
            .get(part as usize)
            .map_or(0, |p| p.len);
        let scope = self.client().scope(version.item.owner);
        let mut opener = PartOpener::new(
            &version.content,
            &version_scope(scope, &version.shown),
            part,
        );
        let count = signed.size.div_ceil(limits::PIECE_BYTES);
        let mut hashes = Vec::new();
        let (mut sealed, mut opened) = (0u64, 0u64);
        let mut next = 0;
        while next < count {
            go_on(progress)?;
            let until = count.min(next + IN_FLIGHT);
            let calls = (next..until).map(|index| self.piece(version, part, index));
            for piece in try_join_all(calls).await? {
                hashes.push(sha256(&piece));
                sealed += piece.len() as u64;
                let plain = opener.update(&piece)?;
                opened += plain.len() as u64;
                sink(&plain)?;
            }
            progress.report(Stage::Downloading, opened, total);
            next = until;
        }
        if sealed != signed.size || part_root(signed.size, &hashes) != signed.root {
            return Err(version.defect("a part"));
        }
        let (last, plaintext) = opener.finish()?;
        sink(&last)?;
        if opened + last.len() as u64 != total {
            return Err(version.defect("the length of a part"));
        }
        progress.report(Stage::Downloading, total, total);
        Ok(plaintext)
    }

    async fn piece(&self, version: &OpenVersion, part: u32, index: u64) -> Result<Vec<u8>> {
        let read = PieceRead {
            owner: version.item.owner,
            grant: version.item.grant,
            record: version.item.record,
            version: version.item.version,
            part,
            index: u32::try_from(index).map_err(|_| ClientError::NotFound("piece"))?,
        };
        let bytes: ByteBuf = self.client().query("piece_read", (read,)).await?;
        Ok(bytes.into_vec())
    }

    /// All parts of a version in memory, compared with the author's commitment to the plaintext.
    ///
    /// # Errors
    /// As [`Self::read_part`].
    pub async fn read_parts(
        &self,
        version: &OpenVersion,
        progress: &dyn Progress,
    ) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        let (mut parts, mut hashes) = (Vec::new(), Vec::new());
        for index in (0u32..).take(version.shown.version.parts.len()) {
            let mut bytes = Zeroizing::new(Vec::new());
            let hash = self
                .read_part(version, index, progress, &mut |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })
                .await?;
            parts.push(bytes);
            hashes.push(hash);
        }
        version.check_commitment(&hashes)?;
        Ok(parts)
    }
}
