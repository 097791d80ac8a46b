//! Filing what was left in the drop box: the owner's order, and the move it stands for.

use super::versions::{check_filing, detail_of, filed_place, receipt, wrong};
use crate::rows::{CurrentRow, RecordRow, VersionBody, VersionRow};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEvent, FeedEvent};
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::Adoption;
use salus_types::api::{Adopt, FeedHead, Filing, VersionReceipt};
use salus_types::{CompartmentId, Error, Result, limits};

/// Files a version from the drop box. The same adoption again answers the same.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] if it was filed otherwise, [`Error::StaleHead`], what
/// is wrong with the statement.
pub fn version_adopt<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: Adopt,
) -> Result<VersionReceipt> {
    vault.admit(call)?;
    at_most(
        "statement",
        args.statement.statement.len(),
        limits::STATEMENT_BYTES,
    )?;
    let (mut owner, ownership) = vault.own(call)?;
    let adoption: Adoption =
        statement::verify(&args.statement, &vault.canister, &owner.account.signing)
            .map_err(refused)?;
    check_adoption(&owner, &adoption, &args.filing, call.now)?;
    let row = vault
        .record_row(owner.number, &adoption.record)?
        .ok_or(Error::NotFound)?;
    let body = vault.version_of(owner.number, &adoption.record, &row, adoption.version)?;
    let mut body = body
        .filter(|body| body.hash == adoption.statement)
        .ok_or(Error::NotFound)?;
    if let Some(place) = &body.filed {
        let same = place.compartment == args.filing.compartment
            && place.wrap_descriptor == *args.filing.wrap_descriptor
            && place.wrap_content == *args.filing.wrap_content;
        return if same {
            receipt(&owner, body.record, body.version, &args.filing.compartment)
        } else {
            Err(Error::Conflict {
                what: "record".into(),
            })
        };
    }
    check_filing(&owner, &args.filing)?;
    if row
        .filed
        .is_some_and(|place| place.compartment != args.filing.compartment)
    {
        return Err(wrong("compartment", "is not the one the record lies in"));
    }
    vault.ensure_pseudonym(owner.number, owner.number)?;

    let envelope = body.dropped.take().map_or(0, |d| d.envelope.len() as u64);
    owner.account.bytes = owner.account.bytes.saturating_sub(envelope);
    let compartment = args.filing.compartment;
    body.filed = Some(filed_place(args.filing));
    let (record, version) = (body.record, body.version);
    let detail = detail_of(&body, &compartment);
    let feed = adopt(vault, &mut owner, row, body, &compartment, call.now)?;
    vault.record(
        &mut owner,
        ownership.permit(AuditEvent::Adopted),
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

fn check_adoption(owner: &Owner, adoption: &Adoption, filing: &Filing, now: u64) -> Result<()> {
    not_from_the_future(adoption.at, now)?;
    if adoption.owner != owner.account.id || adoption.owner_link != owner.account.link {
        return Err(wrong(
            "statement",
            "is about another account, or under another key link",
        ));
    }
    let same = adoption.compartment == filing.compartment
        && adoption.epoch == filing.epoch
        && adoption.wrap_descriptor == sha256(&filing.wrap_descriptor)
        && adoption.wrap_content == sha256(&filing.wrap_content);
    if same {
        Ok(())
    } else {
        Err(wrong("filing", "is not the one that the statement names"))
    }
}

fn adopt<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    mut row: RecordRow,
    body: VersionBody,
    compartment: &CompartmentId,
    now: u64,
) -> Result<FeedHead> {
    let key = VersionRow::key(owner.number, &body.record, body.version);
    if let Some(VersionRow::Dropped(seq)) = vault.store.get(&key)? {
        let dropped = CurrentRow::key(owner.number, &CompartmentId::DROP_BOX, seq);
        vault.store.remove::<CurrentRow>(&dropped);
    }
    let drop_box = CompartmentId::DROP_BOX;
    vault.feed_append(owner, &drop_box, FeedEvent::Adopted, &body, now)?;
    if row.filed.is_some_and(|place| place.version > body.version) {
        // Something newer is filed already: this one goes straight into the history.
        let (_, head) = vault.feed_append(owner, compartment, FeedEvent::Adopted, &body, now)?;
        vault
            .store
            .put(key, &VersionRow::Superseded(Box::new(body)));
        return Ok(head);
    }
    vault.store.remove::<VersionRow>(&key);
    vault.file(owner, &mut row, body, compartment, FeedEvent::Adopted, now)
}
