//! Where versions are and how they are filed: tables of records, versions and feeds kept in step.
//! Must not know who may do so.

use crate::certified::feed_node;
use crate::rows::{
    AccountRow, CurrentRow, FeedRow, FiledPlace, PartRow, RecordRow, UploadExpiryRow, UploadRow,
    VersionBody, VersionPlace, VersionRow,
};
use crate::runtime::Runtime;
use crate::vault::{Owner, Vault, at_most};
use ic_stable_structures::Memory;
use salus_protocol::canonical;
use salus_protocol::chain::{self, FEED_LABEL, FeedEntry, FeedEvent};
use salus_protocol::statement::sha256;
use salus_protocol::version::{Part, part_root};
use salus_types::api::{FeedHead, Filed, Filing, PartSource, Signed, VersionView};
use salus_types::{CompartmentId, Error, Hash, RecordId, Result, UploadId, limits};
use serde_bytes::ByteBuf;

/// A part whose bytes are there and fit what the author signed.
pub(crate) enum ReadyPart {
    /// Comes with the call: its one piece and that piece's hash.
    Inline(Vec<u8>, Hash),
    /// Was uploaded.
    Uploaded(UploadId, Box<UploadRow>),
}

/// Which keys a view of a version shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// The descriptor's only.
    Descriptor,
    /// Both.
    Both,
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// A record.
    pub(crate) fn record_row(&self, owner: u64, record: &RecordId) -> Result<Option<RecordRow>> {
        Ok(self.store.get(&RecordRow::key(owner, record))?)
    }

    /// A version, wherever it is.
    pub(crate) fn find_version(
        &self,
        owner: u64,
        record: &RecordId,
        version: u32,
    ) -> Result<Option<VersionBody>> {
        match self.record_row(owner, record)? {
            Some(row) => self.version_of(owner, record, &row, version),
            None => Ok(None),
        }
    }

    /// A version of a record that is known.
    pub(crate) fn version_of(
        &self,
        owner: u64,
        record: &RecordId,
        row: &RecordRow,
        version: u32,
    ) -> Result<Option<VersionBody>> {
        if let Some(place) = row.filed.filter(|place| place.version == version) {
            return self.current(owner, &place.compartment, place.seq).map(Some);
        }
        match self.store.get(&VersionRow::key(owner, record, version))? {
            Some(VersionRow::Superseded(body)) => Ok(Some(*body)),
            Some(VersionRow::Dropped(seq)) => {
                self.current(owner, &CompartmentId::DROP_BOX, seq).map(Some)
            }
            None => Ok(None),
        }
    }

    fn current(&self, owner: u64, compartment: &CompartmentId, seq: u64) -> Result<VersionBody> {
        let row: Option<CurrentRow> = self.store.get(&CurrentRow::key(owner, compartment, seq))?;
        row.map(|row| row.0)
            .ok_or_else(|| Error::internal("current version"))
    }

    /// Appends to a feed; the entry's place and the head after it.
    pub(crate) fn feed_append(
        &mut self,
        owner: &mut Owner,
        compartment: &CompartmentId,
        event: FeedEvent,
        body: &VersionBody,
        now: u64,
    ) -> Result<(u64, FeedHead)> {
        let state = owner.outline.feed_mut(compartment);
        let state = state.ok_or_else(|| Error::internal("feed"))?;
        let seq = state.feed.count;
        let entry = FeedEntry {
            seq,
            at: now,
            event,
            record: body.record,
            version: body.version,
            statement: body.hash,
        };
        let bytes = canonical::encode(&entry);
        state.feed =
            chain::extend(FEED_LABEL, &state.feed.head(), &chain::entry_hash(&bytes)).into();
        state.node = feed_node(compartment, &state.feed);
        let head = FeedHead {
            compartment: *compartment,
            head: state.feed.head(),
        };
        self.store.put(
            FeedRow::key(owner.number, compartment, seq),
            &FeedRow(bytes),
        );
        Ok((seq, head))
    }

    /// Files a version as its record's newest: what was newest is superseded.
    pub(crate) fn file(
        &mut self,
        owner: &mut Owner,
        record: &mut RecordRow,
        body: VersionBody,
        compartment: &CompartmentId,
        event: FeedEvent,
        now: u64,
    ) -> Result<FeedHead> {
        if let Some(old) = record.filed {
            let superseded = self.current(owner.number, &old.compartment, old.seq)?;
            self.store.remove::<CurrentRow>(&CurrentRow::key(
                owner.number,
                &old.compartment,
                old.seq,
            ));
            let key = VersionRow::key(owner.number, &superseded.record, superseded.version);
            self.store
                .put(key, &VersionRow::Superseded(Box::new(superseded)));
        }
        let (seq, head) = self.feed_append(owner, compartment, event, &body, now)?;
        record.filed = Some(VersionPlace {
            compartment: *compartment,
            seq,
            version: body.version,
        });
        let record_key = RecordRow::key(owner.number, &body.record);
        self.store.put(
            CurrentRow::key(owner.number, compartment, seq),
            &CurrentRow(body),
        );
        self.store.put(record_key, record);
        Ok(head)
    }

    /// Writes a filed version back where its record says it lies.
    pub(crate) fn rewrite(&mut self, owner: &Owner, record: &RecordRow, body: VersionBody) {
        let current = record.filed.filter(|place| place.version == body.version);
        match current {
            Some(place) => {
                let key = CurrentRow::key(owner.number, &place.compartment, place.seq);
                self.store.put(key, &CurrentRow(body));
            }
            None => {
                let key = VersionRow::key(owner.number, &body.record, body.version);
                let row = VersionRow::Superseded(Box::new(body));
                self.store.put(key, &row);
            }
        }
    }

    /// Leaves a version in the drop box.
    pub(crate) fn drop_in(
        &mut self,
        owner: &mut Owner,
        record: &RecordRow,
        body: VersionBody,
        now: u64,
    ) -> Result<FeedHead> {
        let drop_box = CompartmentId::DROP_BOX;
        let (seq, head) = self.feed_append(owner, &drop_box, FeedEvent::Dropped, &body, now)?;
        let key = VersionRow::key(owner.number, &body.record, body.version);
        self.store.put(key, &VersionRow::Dropped(seq));
        self.store
            .put(RecordRow::key(owner.number, &body.record), record);
        self.store.put(
            CurrentRow::key(owner.number, &drop_box, seq),
            &CurrentRow(body),
        );
        Ok(head)
    }

    /// Checks that the parts' bytes are there and are what the author signed.
    pub(crate) fn check_parts(
        &self,
        owner: u64,
        uploader: u64,
        signed: &[Part],
        sources: Vec<PartSource>,
    ) -> Result<Vec<ReadyPart>> {
        if signed.is_empty() || signed.len() as u64 > limits::PARTS {
            return Err(Error::TooMany {
                what: "parts".into(),
                limit: limits::PARTS,
            });
        }
        if signed.len() != sources.len() {
            return Err(Error::invalid(
                "parts",
                "must be as many as the statement names",
            ));
        }
        let inline: usize = sources
            .iter()
            .map(|source| match source {
                PartSource::Inline(bytes) => bytes.len(),
                PartSource::Upload(_) => 0,
            })
            .sum();
        at_most("parts", inline, limits::INLINE_BYTES)?;
        let mut ready: Vec<ReadyPart> = Vec::with_capacity(signed.len());
        for (part, source) in signed.iter().zip(sources) {
            ready.push(match source {
                PartSource::Inline(bytes) => check_inline(part, bytes)?,
                PartSource::Upload(id) => {
                    let again = |p: &ReadyPart| matches!(p, ReadyPart::Uploaded(i, _) if *i == id);
                    if ready.iter().any(again) {
                        return Err(Error::invalid("parts", "name one upload twice"));
                    }
                    self.check_uploaded(owner, uploader, part, id)?
                }
            });
        }
        Ok(ready)
    }

    fn check_uploaded(
        &self,
        owner: u64,
        uploader: u64,
        part: &Part,
        id: UploadId,
    ) -> Result<ReadyPart> {
        let row: Option<UploadRow> = self.store.get(&UploadRow::key(uploader, &id))?;
        let row = row
            .filter(|row| row.owner == owner)
            .ok_or(Error::NotFound)?;
        let wanted = row.size.div_ceil(limits::PIECE_BYTES);
        let pieces = self
            .store
            .piece_list(row.owner, row.blob, 0, wanted as usize)?;
        if pieces.len() as u64 != wanted {
            return Err(Error::invalid("parts", "an upload is not complete"));
        }
        let hashes: Vec<Hash> = pieces.iter().map(|p| Hash(p.hash)).collect();
        if row.size != part.size || part_root(row.size, &hashes) != part.root {
            return Err(Error::invalid(
                "parts",
                "an upload is not what the statement names",
            ));
        }
        Ok(ReadyPart::Uploaded(id, Box::new(row)))
    }

    /// Stores parts that were checked. Uploads become parts of the version; how many did.
    pub(crate) fn store_parts(
        &mut self,
        number: u64,
        account: &mut AccountRow,
        uploader: u64,
        parts: Vec<ReadyPart>,
    ) -> Result<(Vec<PartRow>, u64)> {
        let mut rows = Vec::with_capacity(parts.len());
        let mut uploads = 0;
        for part in parts {
            rows.push(match part {
                ReadyPart::Inline(bytes, hash) => {
                    let blob = account.next_blob;
                    account.next_blob += 1;
                    self.store.piece_put(number, blob, 0, hash.0, &bytes)?;
                    PartRow {
                        blob,
                        size: bytes.len() as u64,
                    }
                }
                ReadyPart::Uploaded(id, row) => {
                    self.store
                        .remove::<UploadRow>(&UploadRow::key(uploader, &id));
                    let expiry = UploadExpiryRow::key(row.expires, uploader, &id);
                    self.store.remove::<UploadExpiryRow>(&expiry);
                    uploads += 1;
                    PartRow {
                        blob: row.blob,
                        size: row.size,
                    }
                }
            });
        }
        Ok((rows, uploads))
    }
}

fn check_inline(part: &Part, bytes: ByteBuf) -> Result<ReadyPart> {
    let hash = sha256(&bytes);
    let size = bytes.len() as u64;
    if size == 0 || part.size != size || part_root(size, &[hash]) != part.root {
        return Err(Error::invalid(
            "parts",
            "a part is not what the statement names",
        ));
    }
    Ok(ReadyPart::Inline(bytes.into_vec(), hash))
}

/// A version as its owner sees it, or as it is released.
pub(crate) fn view(body: VersionBody, latest: u32, keys: Keys) -> VersionView {
    let filed = match (body.filed, body.dropped) {
        (Some(place), _) => Filed::Compartment(filing(place, keys)),
        (None, Some(place)) => Filed::DropBox {
            grant: place.grant,
            envelope: ByteBuf::from(place.envelope),
        },
        (None, None) => Filed::DropBox {
            grant: salus_types::GrantId([0; 16]),
            envelope: ByteBuf::new(),
        },
    };
    VersionView {
        record: body.record,
        version: body.version,
        latest,
        statement: Signed {
            statement: ByteBuf::from(body.statement),
            signature: ByteBuf::from(body.signature),
        },
        author: body.author,
        descriptor: ByteBuf::from(body.descriptor),
        filed,
        at: body.at,
    }
}

fn filing(place: FiledPlace, keys: Keys) -> Filing {
    Filing {
        compartment: place.compartment,
        epoch: place.epoch,
        wrap_descriptor: ByteBuf::from(place.wrap_descriptor),
        wrap_content: match keys {
            Keys::Both => ByteBuf::from(place.wrap_content),
            Keys::Descriptor => ByteBuf::new(),
        },
    }
}

/// Bytes a version takes in a reply, roughly: for cutting pages.
pub(crate) fn weight(body: &VersionBody) -> u64 {
    let keys = body
        .filed
        .as_ref()
        .map_or(0, |f| f.wrap_descriptor.len() + f.wrap_content.len());
    let envelope = body.dropped.as_ref().map_or(0, |d| d.envelope.len());
    (body.statement.len() + body.descriptor.len() + keys + envelope + 256) as u64
}
