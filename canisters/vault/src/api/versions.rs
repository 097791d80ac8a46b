//! Writing versions, many in one call, and filing those of an owner. Must not know the drop box.

use super::dropping::{Dropped, add_dropped};
use crate::audit::Detail;
use crate::owners::Owners;
use crate::records::ReadyPart;
use crate::rows::{AccountRow, FiledPlace, RecordRow, VersionBody};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEvent, FeedEvent};
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::{Version, batch_bytes};
use salus_types::api::{
    FeedHead, Filing, PartSource, Placement, Signed, VersionAdd, VersionReceipt,
};
use salus_types::{CompartmentId, Error, Hash, RecordId, Result, limits};
use serde_bytes::ByteBuf;

pub(super) fn wrong(field: &str, reason: &str) -> Error {
    Error::invalid(field, reason)
}

/// Adds versions, in order and each for itself: one that is refused changes nothing, and those after
/// it stand or fall without it. One may go on from another of the same call. The same version again
/// answers the same.
///
/// Each answers [`Error::Conflict`] if it is there with other content, [`Error::StaleHead`] for keys
/// wrapped under an epoch that is not the current one and for a signature under a key link that is
/// not in force, [`Error::QuotaExceeded`], what is wrong with
/// the statement, and for others than the owner what their grant does not cover.
///
/// # Errors
/// For all of them, [`Error::TooMany`], [`Error::TooLarge`], and [`Error::Invalid`] for none.
pub fn versions_add<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    items: Vec<VersionAdd>,
) -> Result<Vec<Result<VersionReceipt>>> {
    let count = (items.len() as u64).clamp(1, limits::BATCH_VERSIONS);
    vault.admit_work(call, u32::try_from(count).unwrap_or(u32::MAX))?;
    check_batch(&items)?;
    let mut owners = Owners::default();
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let before = vault.store.writes();
        let answer = version_add(vault, &mut owners, call, item);
        let wrote = vault.store.writes() != before && vault.is_unsettled();
        match answer {
            // It failed half-way: the whole call is taken back.
            Err(error) if wrote => return Err(error),
            answer => answers.push(answer),
        }
    }
    owners.save(vault)?;
    Ok(answers)
}

fn check_batch(items: &[VersionAdd]) -> Result<()> {
    if items.is_empty() {
        return Err(wrong("versions", "none"));
    }
    if items.len() as u64 > limits::BATCH_VERSIONS {
        return Err(Error::TooMany {
            what: "versions".into(),
            limit: limits::BATCH_VERSIONS,
        });
    }
    if items.iter().map(batch_bytes).sum::<u64>() > limits::BATCH_BYTES {
        return Err(Error::TooLarge {
            field: "versions".into(),
            limit: limits::BATCH_BYTES,
        });
    }
    Ok(())
}

fn version_add<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owners: &mut Owners,
    call: &Call,
    args: VersionAdd,
) -> Result<VersionReceipt> {
    at_most(
        "statement",
        args.statement.statement.len(),
        limits::STATEMENT_BYTES,
    )?;
    at_most(
        "descriptor",
        args.descriptor.len(),
        limits::DESCRIPTOR_BYTES,
    )?;
    let version: Version =
        statement::decode_for(&args.statement.statement, &vault.canister).map_err(refused)?;
    not_from_the_future(version.at, call.now)?;
    if version.descriptor != sha256(&args.descriptor) {
        return Err(wrong(
            "descriptor",
            "is not the one that the statement names",
        ));
    }
    let written = Written {
        hash: statement::hash_of::<Version>(&args.statement.statement),
        version,
        signed: args.statement,
        descriptor: args.descriptor,
    };
    match args.placement {
        Placement::Filed(filing) => add_filed(vault, owners, call, written, args.parts, filing),
        Placement::DropBox { grant, envelope } => {
            let dropped = Dropped { grant, envelope };
            add_dropped(vault, owners, call, written, args.parts, dropped)
        }
    }
}

/// A version as its author wrote it.
pub(super) struct Written {
    pub(super) version: Version,
    pub(super) hash: Hash,
    pub(super) signed: Signed,
    pub(super) descriptor: ByteBuf,
}

impl Written {
    pub(super) fn verify<R: Runtime, M: Memory>(
        &self,
        vault: &Vault<R, M>,
        author: &AccountRow,
    ) -> Result<()> {
        let version = &self.version;
        if version.author != author.id || version.author_genesis != author.genesis {
            return Err(wrong("author", "is not the caller"));
        }
        if version.author_link != author.link {
            return Err(author.stale());
        }
        statement::verify::<Version>(&self.signed, &vault.canister, &author.signing)
            .map_err(refused)
            .map(drop)
    }

    pub(super) fn body(self, parts: Vec<crate::rows::PartRow>, now: u64) -> VersionBody {
        VersionBody {
            record: self.version.record,
            version: self.version.version,
            statement: self.signed.statement.into_vec(),
            signature: self.signed.signature.into_vec(),
            author: self.version.author,
            descriptor: self.descriptor.into_vec(),
            parts,
            at: now,
            hash: self.hash,
            filed: None,
            dropped: None,
        }
    }
}

/// Whether the version follows what is there: `Ok(None)` if it is the record's first.
pub(super) fn check_sequence(
    row: Option<RecordRow>,
    version: &Version,
) -> Result<Option<RecordRow>> {
    let Some(row) = row else {
        return match (version.version, version.previous) {
            (1, None) => Ok(None),
            _ => Err(Error::NotFound),
        };
    };
    let follows = row.latest.checked_add(1) == Some(version.version)
        && version.previous == Some(row.latest_hash);
    if version.version <= row.latest {
        Err(Error::Conflict {
            what: "record".into(),
        })
    } else if follows {
        Ok(Some(row))
    } else {
        Err(wrong("version", "does not follow the newest one"))
    }
}

/// The receipt of a version that is there already with exactly this statement.
pub(super) fn receipt_again<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: &Owner,
    row: Option<&RecordRow>,
    written: &Written,
) -> Result<Option<VersionReceipt>> {
    let version = &written.version;
    let Some(row) = row.filter(|row| version.version <= row.latest) else {
        return Ok(None);
    };
    let body = vault.version_of(owner.number, &version.record, row, version.version)?;
    let Some(body) = body.filter(|body| body.hash == written.hash) else {
        return Ok(None);
    };
    let compartment = body
        .filed
        .map_or(CompartmentId::DROP_BOX, |f| f.compartment);
    Ok(Some(receipt(
        owner,
        version.record,
        version.version,
        &compartment,
    )?))
}

pub(super) fn receipt(
    owner: &Owner,
    record: RecordId,
    version: u32,
    compartment: &CompartmentId,
) -> Result<VersionReceipt> {
    let feed = owner
        .outline
        .feed(compartment)
        .ok_or_else(|| Error::internal("feed"))?;
    let feed = FeedHead {
        compartment: *compartment,
        head: feed.feed.head(),
    };
    Ok(VersionReceipt {
        record,
        version,
        feed,
    })
}

pub(super) fn check_filing(owner: &Owner, filing: &Filing) -> Result<()> {
    at_most(
        "wrap_descriptor",
        filing.wrap_descriptor.len(),
        limits::NOTE_BYTES,
    )?;
    at_most(
        "wrap_content",
        filing.wrap_content.len(),
        limits::NOTE_BYTES,
    )?;
    if filing.wrap_descriptor.is_empty() || filing.wrap_content.is_empty() {
        return Err(wrong("filing", "lacks a key"));
    }
    match owner.outline.epoch(&filing.compartment) {
        Some(epoch) if epoch == filing.epoch => Ok(()),
        Some(_) => Err(owner.stale()),
        None => Err(Error::NotFound),
    }
}

pub(super) fn filed_place(filing: Filing, ordered: Option<u64>) -> FiledPlace {
    FiledPlace {
        compartment: filing.compartment,
        epoch: filing.epoch,
        wrap_descriptor: filing.wrap_descriptor.into_vec(),
        wrap_content: filing.wrap_content.into_vec(),
        ordered,
    }
}

/// Bytes that a version adds to the account's use; uploads were counted when they began.
pub(super) fn fresh_bytes(written: &Written, parts: &[ReadyPart]) -> u64 {
    let inline: usize = parts
        .iter()
        .map(|part| match part {
            ReadyPart::Inline(bytes, _) => bytes.len(),
            ReadyPart::Uploaded(..) => 0,
        })
        .sum();
    (written.descriptor.len() + inline) as u64
}

fn add_filed<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owners: &mut Owners,
    call: &Call,
    written: Written,
    sources: Vec<PartSource>,
    filing: Filing,
) -> Result<VersionReceipt> {
    let (mut owner, ownership) = vault.own_among(owners, call)?;
    let version = &written.version;
    if version.owner != owner.account.id || version.drop_box.is_some() {
        return Err(wrong(
            "statement",
            "is for another account, or for the drop box",
        ));
    }
    let row = vault.record_row(owner.number, &version.record)?;
    if let Some(again) = receipt_again(vault, &owner, row.as_ref(), &written)? {
        return Ok(again);
    }
    let row = check_sequence(row, version)?;
    check_filing(&owner, &filing)?;
    let filed = row.as_ref().and_then(|row| row.filed);
    if filed.is_some_and(|place| place.compartment != filing.compartment) {
        return Err(wrong("compartment", "is not the one the record lies in"));
    }
    let parts = vault.check_parts(owner.number, owner.number, &version.parts, sources)?;
    vault.charge(&mut owner.account, fresh_bytes(&written, &parts))?;
    written.verify(vault, &owner.account)?;
    vault.ensure_pseudonym(owner.number, owner.number)?;

    let number = owner.number;
    let (parts, uploads) = vault.store_parts(number, &mut owner.account, number, parts)?;
    owner.account.open_uploads = owner.account.open_uploads.saturating_sub(uploads);
    owner.account.records += u64::from(row.is_none());
    let mut body = written.body(parts, call.now);
    let compartment = filing.compartment;
    body.filed = Some(filed_place(filing, None));
    let mut row = row.unwrap_or(RecordRow {
        latest: 0,
        latest_hash: body.hash,
        filed: None,
    });
    row.latest = body.version;
    row.latest_hash = body.hash;
    let event = if filed.is_some() {
        FeedEvent::Amended
    } else {
        FeedEvent::Added
    };
    let (record, version) = (body.record, body.version);
    let detail = detail_of(&body, &compartment);
    let feed = vault.file(&mut owner, &mut row, body, &compartment, event, call.now)?;
    vault.record(
        &mut owner,
        ownership.permit(AuditEvent::Written),
        detail,
        call.now,
    )?;
    owners.keep(owner);
    Ok(VersionReceipt {
        record,
        version,
        feed,
    })
}

pub(super) fn detail_of(body: &VersionBody, compartment: &CompartmentId) -> Detail {
    Detail {
        compartment: Some(*compartment),
        record: Some(body.record),
        version: Some(body.version),
        subject: Some(body.hash),
        ..Detail::default()
    }
}
