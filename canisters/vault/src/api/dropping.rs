//! Leaving versions in someone's drop box, under a grant to append. Must not know how an owner files.

use super::versions::{Written, check_sequence, detail_of, fresh_bytes, receipt_again, wrong};
use crate::access::{Held, Permit};
use crate::owners::Owners;
use crate::rows::{DropPlace, NoticeRow, RecordRow};
use crate::runtime::{Call, Runtime};
use crate::vault::{Vault, at_most};
use ic_stable_structures::Memory;
use salus_protocol::chain::AuditEvent;
use salus_protocol::grant::Access;
use salus_protocol::statement::sha256;
use salus_protocol::version::Version;
use salus_types::api::{PartSource, VersionReceipt};
use salus_types::{CompartmentId, Error, GrantId, Result, limits};
use serde_bytes::ByteBuf;

/// How a version is left: under which grant, with its keys sealed to the owner.
pub(super) struct Dropped {
    pub(super) grant: GrantId,
    pub(super) envelope: ByteBuf,
}

/// Leaves a version in its owner's drop box, where its author's grant lets it.
pub(super) fn add_dropped<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owners: &mut Owners,
    call: &Call,
    written: Written,
    sources: Vec<PartSource>,
    Dropped { grant, envelope }: Dropped,
) -> Result<VersionReceipt> {
    at_most("envelope", envelope.len(), limits::ENVELOPE_BYTES)?;
    let held = match vault.held(call, &written.version.owner, &grant) {
        Ok(held) => held,
        Err(why) => return Err(vault.refuse_among(owners, call, &grant, why)),
    };
    let version = &written.version;
    let row = vault.record_row(held.owner(), &version.record)?;
    let permit = match append_permit(&held, row.as_ref(), version, call.now) {
        Ok(permit) => permit,
        Err(why) => return Err(vault.refuse_among(owners, call, &grant, why)),
    };
    let mut owner = owners.get(vault, held.owner())?;
    let author_number = vault.caller_number(call)?;
    let mut author = owners.get(vault, author_number)?;
    if let Some(again) = receipt_again(vault, &owner, row.as_ref(), &written)? {
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
    written.verify(vault, &author.account)?;
    vault.ensure_pseudonym(owner.number, author_number)?;

    let number = owner.number;
    let (parts, uploads) = vault.store_parts(number, &mut owner.account, author_number, parts)?;
    let author_id = author.account.id;
    if uploads > 0 {
        author.account.open_uploads = author.account.open_uploads.saturating_sub(uploads);
        owners.keep(author);
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
    vault.notify(number, &mut owner.account, notice, author_id, call.now);
    vault.record(&mut owner, permit, detail, call.now)?;
    owners.keep(owner);
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
