//! Writing versions: into a compartment, or into the drop box.

use crate::access::{Held, Permit};
use crate::audit::Detail;
use crate::records::ReadyPart;
use crate::rows::{AccountRow, DropPlace, FiledPlace, NoticeRow, RecordRow, VersionBody};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEvent, FeedEvent};
use salus_protocol::grant::Access;
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::Version;
use salus_types::api::{FeedHead, Filing, Placement, Signed, VersionAdd, VersionReceipt};
use salus_types::{CompartmentId, Error, GrantId, Hash, RecordId, Result, limits};
use serde_bytes::ByteBuf;

pub(super) fn wrong(field: &str, reason: &str) -> Error {
    Error::invalid(field, reason)
}

/// Adds a version. The same version again answers the same.
///
/// # Errors
/// [`Error::Conflict`] for a version that is there with other content, [`Error::StaleHead`] for
/// keys wrapped under an epoch that is not the current one, [`Error::QuotaExceeded`], what is
/// wrong with the statement, and for others than the owner what their grant does not cover.
pub fn version_add<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: VersionAdd,
) -> Result<VersionReceipt> {
    vault.admit(call)?;
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
    match args.placement {
        Placement::Filed(filing) => {
            let written = Written {
                version,
                signed: args.statement,
                descriptor: args.descriptor,
            };
            add_filed(vault, call, written, args.parts, filing)
        }
        Placement::DropBox { grant, envelope } => {
            at_most("envelope", envelope.len(), limits::ENVELOPE_BYTES)?;
            let written = Written {
                version,
                signed: args.statement,
                descriptor: args.descriptor,
            };
            add_dropped(vault, call, written, args.parts, grant, envelope)
        }
    }
}

struct Written {
    version: Version,
    signed: Signed,
    descriptor: ByteBuf,
}

impl Written {
    fn hash(&self) -> Hash {
        statement::hash_of::<Version>(&self.signed.statement)
    }

    fn verify<R: Runtime, M: Memory>(
        &self,
        vault: &Vault<R, M>,
        author: &AccountRow,
    ) -> Result<()> {
        let version = &self.version;
        if version.author != author.id
            || version.author_genesis != author.genesis
            || version.author_link != author.link
        {
            return Err(wrong(
                "author",
                "is not the caller, or under keys that are not in force",
            ));
        }
        statement::verify::<Version>(&self.signed, &vault.canister, &author.signing)
            .map_err(refused)
            .map(drop)
    }

    fn body(self, parts: Vec<crate::rows::PartRow>, now: u64) -> VersionBody {
        let hash = self.hash();
        VersionBody {
            record: self.version.record,
            version: self.version.version,
            statement: self.signed.statement.into_vec(),
            signature: self.signed.signature.into_vec(),
            author: self.version.author,
            descriptor: self.descriptor.into_vec(),
            parts,
            at: now,
            hash,
            filed: None,
            dropped: None,
        }
    }
}

/// Whether the version follows what is there: `Ok(None)` if it is the record's first.
fn check_sequence(row: Option<RecordRow>, version: &Version) -> Result<Option<RecordRow>> {
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
fn receipt_again<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: &Owner,
    row: Option<&RecordRow>,
    version: &Version,
    hash: Hash,
) -> Result<Option<VersionReceipt>> {
    let Some(row) = row.filter(|row| version.version <= row.latest) else {
        return Ok(None);
    };
    let body = vault.version_of(owner.number, &version.record, row, version.version)?;
    let Some(body) = body.filter(|body| body.hash == hash) else {
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
        Some(_) => {
            let head = owner.account.ledger;
            Err(Error::StaleHead {
                count: head.count,
                head: head.hash,
            })
        }
        None => Err(Error::NotFound),
    }
}

pub(super) fn filed_place(filing: Filing) -> FiledPlace {
    FiledPlace {
        compartment: filing.compartment,
        epoch: filing.epoch,
        wrap_descriptor: filing.wrap_descriptor.into_vec(),
        wrap_content: filing.wrap_content.into_vec(),
    }
}

/// Bytes that a version adds to the account's use; uploads were counted when they began.
fn fresh_bytes(written: &Written, parts: &[ReadyPart]) -> u64 {
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
    call: &Call,
    written: Written,
    sources: Vec<salus_types::api::PartSource>,
    filing: Filing,
) -> Result<VersionReceipt> {
    let (mut owner, ownership) = vault.own(call)?;
    let version = &written.version;
    if version.owner != owner.account.id || version.drop_box.is_some() {
        return Err(wrong(
            "statement",
            "is for another account, or for the drop box",
        ));
    }
    let row = vault.record_row(owner.number, &version.record)?;
    if let Some(again) = receipt_again(vault, &owner, row.as_ref(), version, written.hash())? {
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
    body.filed = Some(filed_place(filing));
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
    vault.save(owner)?;
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

fn add_dropped<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    written: Written,
    sources: Vec<salus_types::api::PartSource>,
    grant: GrantId,
    envelope: ByteBuf,
) -> Result<VersionReceipt> {
    let held = match vault.held(call, &written.version.owner, &grant) {
        Ok(held) => held,
        Err(why) => return Err(vault.refuse(call, &grant, why)),
    };
    let version = &written.version;
    let row = vault.record_row(held.owner(), &version.record)?;
    let permit = match append_permit(&held, row.as_ref(), version, call.now) {
        Ok(permit) => permit,
        Err(why) => return Err(vault.refuse(call, &grant, why)),
    };
    let mut owner = vault.load(held.owner())?;
    let author_number = vault.caller_number(call)?;
    let mut author = vault.account(author_number)?;
    if let Some(again) = receipt_again(vault, &owner, row.as_ref(), version, written.hash())? {
        return Ok(again);
    }
    let new = check_sequence(row.clone(), version)?.is_none();
    let drop_box = version
        .drop_box
        .ok_or_else(|| wrong("statement", "is not for the drop box"))?;
    if drop_box.envelope != sha256(&envelope) {
        return Err(wrong("envelope", "is not the one that the statement names"));
    }
    if drop_box.owner_link != owner.account.link {
        return Err(wrong("owner_link", "is not the owner's key in force"));
    }
    if let Some(suggested) = drop_box.suggested
        && owner.outline.epoch(&suggested).is_none()
    {
        return Err(Error::NotFound);
    }
    let parts = vault.check_parts(owner.number, author_number, &version.parts, sources)?;
    vault.charge(
        &mut owner.account,
        fresh_bytes(&written, &parts) + envelope.len() as u64,
    )?;
    written.verify(vault, &author)?;
    vault.ensure_pseudonym(owner.number, author_number)?;

    let number = owner.number;
    let (parts, uploads) = vault.store_parts(number, &mut owner.account, author_number, parts)?;
    if uploads > 0 {
        author.open_uploads = author.open_uploads.saturating_sub(uploads);
        vault.put_account(author_number, &author);
    }
    owner.account.records += u64::from(new);
    let mut body = written.body(parts, call.now);
    body.dropped = Some(DropPlace {
        grant,
        envelope: envelope.into_vec(),
    });
    let filed = row.and_then(|row| row.filed);
    let row = RecordRow {
        latest: body.version,
        latest_hash: body.hash,
        filed,
    };
    let (record, version) = (body.record, body.version);
    let detail = detail_of(&body, &CompartmentId::DROP_BOX);
    let feed = vault.drop_in(&mut owner, &row, body, call.now)?;
    let notice = NoticeRow::VersionReceived(record);
    vault.notify(number, &mut owner.account, notice, author.id, call.now);
    vault.record(&mut owner, permit, detail, call.now)?;
    vault.save(owner)?;
    Ok(VersionReceipt {
        record,
        version,
        feed,
    })
}

fn append_permit(
    held: &Held,
    row: Option<&RecordRow>,
    version: &Version,
    now: u64,
) -> std::result::Result<Permit, crate::access::NotHeld> {
    let access = match row.and_then(|row| row.filed) {
        Some(place) if version.version > 1 => Access::Amend(place.compartment, version.record),
        _ => Access::Append,
    };
    held.permit(access, AuditEvent::Appended, now)
}
