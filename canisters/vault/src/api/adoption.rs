//! Filing by an owner's signed order: what was left in the drop box, and what is filed already, under
//! the current epoch or in another compartment. The order names the keys, so that a session alone
//! replaces none.

use super::versions::{check_filing, detail_of, filed_place, receipt, wrong};
use crate::access::Ownership;
use crate::audit::Detail;
use crate::owners::Owners;
use crate::rows::{CurrentRow, RecordRow, VersionBody, VersionPlace, VersionRow};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEvent, FeedEvent, listing_hash};
use salus_protocol::statement::{self, sha256};
use salus_protocol::version::{Adoption, adoption_bytes};
use salus_types::api::{Adopt, FeedHead, Filing, VersionReceipt};
use salus_types::{CompartmentId, Error, RecordId, Result, limits};

/// Versions whose keys were filed anew where they lay.
type Refiled = Vec<(RecordId, u32)>;

/// Files versions by their owner's orders, each for itself: from the drop box, anew under the current
/// epoch, or into another compartment. The same order again answers the same. Keys filed anew where
/// they lay make one entry of the audit trail for the whole call; whatever changes who may read a
/// version makes its own.
///
/// Each answers [`Error::NotFound`], [`Error::Conflict`] if an order given later moved it,
/// [`Error::StaleHead`] for keys wrapped under an epoch that is not the current one, or what is wrong
/// with the statement.
///
/// # Errors
/// For all of them, [`Error::TooMany`], [`Error::TooLarge`], and [`Error::Invalid`] for none.
pub fn versions_adopt<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    items: Vec<Adopt>,
) -> Result<Vec<Result<VersionReceipt>>> {
    let count = (items.len() as u64).clamp(1, limits::BATCH_VERSIONS);
    vault.admit_work(call, u32::try_from(count).unwrap_or(u32::MAX))?;
    check_batch(&items)?;
    let mut owners = Owners::default();
    let mut refiled = Refiled::new();
    let mut answers = Vec::with_capacity(items.len());
    for item in items {
        let before = vault.store.writes();
        let answer = version_adopt(vault, &mut owners, call, item, &mut refiled);
        let wrote = vault.store.writes() != before && vault.is_unsettled();
        match answer {
            // It failed half-way: the whole call is taken back.
            Err(error) if wrote => return Err(error),
            answer => answers.push(answer),
        }
    }
    record_refiled(vault, &mut owners, call, refiled)?;
    owners.save(vault)?;
    Ok(answers)
}

fn check_batch(items: &[Adopt]) -> Result<()> {
    if items.is_empty() {
        return Err(wrong("versions", "none"));
    }
    if items.len() as u64 > limits::BATCH_VERSIONS {
        return Err(Error::TooMany {
            what: "versions".into(),
            limit: limits::BATCH_VERSIONS,
        });
    }
    if items.iter().map(adoption_bytes).sum::<u64>() > limits::BATCH_BYTES {
        return Err(Error::TooLarge {
            field: "versions".into(),
            limit: limits::BATCH_BYTES,
        });
    }
    Ok(())
}

fn version_adopt<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owners: &mut Owners,
    call: &Call,
    args: Adopt,
    refiled: &mut Refiled,
) -> Result<VersionReceipt> {
    at_most(
        "statement",
        args.statement.statement.len(),
        limits::STATEMENT_BYTES,
    )?;
    let (mut owner, ownership) = vault.own_among(owners, call)?;
    let adoption: Adoption =
        statement::decode_for(&args.statement.statement, &vault.canister).map_err(refused)?;
    check_adoption(&owner, &adoption, &args.filing, call.now)?;
    statement::verify::<Adoption>(&args.statement, &vault.canister, &owner.account.signing)
        .map_err(refused)?;
    let row = vault
        .record_row(owner.number, &adoption.record)?
        .ok_or(Error::NotFound)?;
    let body = vault.version_of(owner.number, &adoption.record, &row, adoption.version)?;
    let body = body
        .filter(|body| body.hash == adoption.statement)
        .ok_or(Error::NotFound)?;
    let compartment = args.filing.compartment;
    if is_filed_so(&body, &args.filing) {
        return receipt(&owner, body.record, body.version, &compartment);
    }
    check_filing(&owner, &args.filing)?;
    check_place(&row, &body, &adoption)?;
    vault.ensure_pseudonym(owner.number, owner.number)?;

    let mut order = Order {
        row,
        body,
        filing: args.filing,
        at: adoption.at,
    };
    let (record, version) = (order.body.record, order.body.version);
    match order.body.filed.as_ref().map(|place| place.compartment) {
        None => {
            let (event, detail) = (AuditEvent::Adopted, detail_of(&order.body, &compartment));
            adopt(vault, &mut owner, &mut order, call.now)?;
            vault.record(&mut owner, ownership.permit(event), detail, call.now)?;
        }
        Some(place) if place == compartment => {
            order.file();
            vault.rewrite(&owner, &order.row, order.body);
            refiled.push((record, version));
        }
        Some(place) => {
            let (event, detail) = (AuditEvent::Refiled, detail_of(&order.body, &compartment));
            relocate(vault, &mut owner, order, &place, call.now)?;
            vault.record(&mut owner, ownership.permit(event), detail, call.now)?;
        }
    }
    let receipt = receipt(&owner, record, version, &compartment)?;
    owners.keep(owner);
    Ok(receipt)
}

/// A version, where it lies, and where and when its owner orders it to be.
struct Order {
    row: RecordRow,
    body: VersionBody,
    filing: Filing,
    at: u64,
}

impl Order {
    fn file(&mut self) {
        self.body.filed = Some(filed_place(self.filing.clone(), Some(self.at)));
    }
}

fn check_adoption(owner: &Owner, adoption: &Adoption, filing: &Filing, now: u64) -> Result<()> {
    not_from_the_future(adoption.at, now)?;
    if adoption.owner != owner.account.id {
        return Err(wrong("statement", "is about another account"));
    }
    if adoption.owner_link != owner.account.link {
        return Err(owner.stale());
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

fn is_filed_so(body: &VersionBody, filing: &Filing) -> bool {
    body.filed.as_ref().is_some_and(|place| {
        place.compartment == filing.compartment
            && place.wrap_descriptor == *filing.wrap_descriptor
            && place.wrap_content == *filing.wrap_content
    })
}

/// A record lies in one compartment: its newest filed version leads, the others follow it there.
fn check_place(row: &RecordRow, body: &VersionBody, adoption: &Adoption) -> Result<()> {
    let stays = |id: &CompartmentId| *id == adoption.compartment;
    if body.filed.as_ref().is_some_and(|f| stays(&f.compartment)) {
        return Ok(());
    }
    if let Some(place) = row.filed {
        let leads = body.filed.is_some() && place.version == body.version;
        if !leads && !stays(&place.compartment) {
            return Err(wrong("compartment", "is not the one the record lies in"));
        }
    }
    // An earlier order, kept by whoever saw it, must not bring a version back where it was.
    let ordered = body.filed.as_ref().and_then(|place| place.ordered);
    if ordered.is_some_and(|at| at >= adoption.at) {
        return Err(Error::Conflict {
            what: "record".into(),
        });
    }
    Ok(())
}

/// Files a version from the drop box.
fn adopt<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    order: &mut Order,
    now: u64,
) -> Result<FeedHead> {
    let envelope = order.body.dropped.take();
    let freed = envelope.map_or(0, |d| d.envelope.len() as u64);
    owner.account.bytes = owner.account.bytes.saturating_sub(freed);
    order.file();
    let (body, compartment) = (order.body.clone(), order.filing.compartment);
    let key = VersionRow::key(owner.number, &body.record, body.version);
    if let Some(VersionRow::Dropped(seq)) = vault.store.get(&key)? {
        let dropped = CurrentRow::key(owner.number, &CompartmentId::DROP_BOX, seq);
        vault.store.remove::<CurrentRow>(&dropped);
    }
    let drop_box = CompartmentId::DROP_BOX;
    vault.feed_append(owner, &drop_box, FeedEvent::Adopted, &body, now)?;
    let newer = |place: VersionPlace| place.version > body.version;
    if order.row.filed.is_some_and(newer) {
        // Something newer is filed already: this one goes straight into the history.
        let (_, head) = vault.feed_append(owner, &compartment, FeedEvent::Adopted, &body, now)?;
        vault
            .store
            .put(key, &VersionRow::Superseded(Box::new(body)));
        return Ok(head);
    }
    vault.store.remove::<VersionRow>(&key);
    let row = &mut order.row;
    vault.file(owner, row, body, &compartment, FeedEvent::Adopted, now)
}

/// Files a version in another compartment than before. Feeds tell of the newest one alone: it is the
/// record that moves.
fn relocate<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    mut order: Order,
    from: &CompartmentId,
    now: u64,
) -> Result<()> {
    order.file();
    let (mut row, body, to) = (order.row, order.body, order.filing.compartment);
    if let Some(place) = row.filed.filter(|place| place.version == body.version) {
        let old = CurrentRow::key(owner.number, &place.compartment, place.seq);
        vault.store.remove::<CurrentRow>(&old);
        vault.feed_append(owner, from, FeedEvent::MovedOut, &body, now)?;
        let (seq, _) = vault.feed_append(owner, &to, FeedEvent::MovedIn, &body, now)?;
        row.filed = Some(VersionPlace {
            compartment: to,
            seq,
            version: body.version,
        });
        let key = RecordRow::key(owner.number, &body.record);
        vault.store.put(key, &row);
    }
    vault.rewrite(owner, &row, body);
    Ok(())
}

/// Records in one entry that keys were filed anew.
fn record_refiled<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owners: &mut Owners,
    call: &Call,
    refiled: Refiled,
) -> Result<()> {
    if refiled.is_empty() {
        return Ok(());
    }
    let (mut owner, ownership): (Owner, Ownership) = vault.own_among(owners, call)?;
    let detail = Detail {
        count: Some(refiled.len() as u64),
        subject: Some(listing_hash(refiled)),
        ..Detail::default()
    };
    let permit = ownership.permit(AuditEvent::Refiled);
    vault.record(&mut owner, permit, detail, call.now)?;
    owners.keep(owner);
    Ok(())
}
