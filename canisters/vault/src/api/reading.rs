//! What is read by queries: an owner's records with their keys, ciphertext, feeds. Wrapped keys
//! leave the vault by a query only for their owner.

use super::{Room, items};
use crate::access::ReadPermit;
use crate::records::{Keys, view, weight};
use crate::rows::{CurrentRow, FeedRow, OpenedRow, RecordRow, VersionBody, VersionRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::grant::{Access, VersionRef};
use salus_types::api::{
    FeedGet, FeedPage, PieceRead, RecordGet, RecordList, RecordPage, VersionView,
};
use salus_types::{CompartmentId, Error, RecordId, Result, limits};
use serde_bytes::ByteBuf;

/// The caller's own records in a compartment or the drop box, with both keys.
///
/// # Errors
/// [`Error::NotFound`] for an unknown compartment or a caller without account.
pub fn record_list<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: RecordList,
) -> Result<RecordPage> {
    let permit = vault.may_read_own(call)?;
    let known = vault
        .load(permit.owner())?
        .outline
        .feed(&args.compartment)
        .is_some();
    if !known {
        return Err(Error::NotFound);
    }
    let (bodies, next) = page(
        vault,
        permit.owner(),
        &args.compartment,
        args.cursor,
        args.limit,
    )?;
    let items = bodies
        .into_iter()
        .map(|body| {
            let latest = body.version;
            view(body, latest, Keys::Both)
        })
        .collect();
    Ok(RecordPage { items, next })
}

/// A page of a compartment in filing order.
pub(super) fn page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: u64,
    compartment: &CompartmentId,
    cursor: Option<u64>,
    limit: Option<u32>,
) -> Result<(Vec<VersionBody>, Option<u64>)> {
    let mut room = Room::new(items(limit));
    let mut bodies = Vec::new();
    let from = CurrentRow::key(owner, compartment, cursor.unwrap_or(0));
    for found in vault
        .store
        .scan::<CurrentRow>(CurrentRow::prefix(owner, compartment), from)
    {
        let (key, CurrentRow(body)) = found?;
        if !room.takes(weight(&body)) {
            let next = CurrentRow::seq(&key).ok_or_else(|| Error::internal("current version"))?;
            return Ok((bodies, Some(next)));
        }
        bodies.push(body);
    }
    Ok((bodies, None))
}

/// Versions of one of the caller's own records with both keys: the one named, or as many of all as
/// fit a page, newest first.
///
/// # Errors
/// [`Error::NotFound`].
pub fn record_get<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: RecordGet,
) -> Result<Vec<VersionView>> {
    let permit = vault.may_read_own(call)?;
    let row = vault
        .record_row(permit.owner(), &args.record)?
        .ok_or(Error::NotFound)?;
    let bodies = match args.version {
        Some(version) => {
            let body = vault.version_of(permit.owner(), &args.record, &row, version)?;
            vec![body.ok_or(Error::NotFound)?]
        }
        None => history(vault, permit.owner(), &args.record, &row)?,
    };
    Ok(bodies
        .into_iter()
        .map(|body| view(body, row.latest, Keys::Both))
        .collect())
}

/// All versions of a record, newest first, as many as fit a page.
pub(super) fn history<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    owner: u64,
    record: &RecordId,
    row: &RecordRow,
) -> Result<Vec<VersionBody>> {
    let prefix = VersionRow::prefix(owner, record);
    let mut bodies = Vec::new();
    for found in vault.store.scan::<VersionRow>(prefix, prefix) {
        bodies.push(match found? {
            (_, VersionRow::Superseded(body)) => *body,
            (_, VersionRow::Dropped(seq)) => {
                let key = CurrentRow::key(owner, &CompartmentId::DROP_BOX, seq);
                let current: Option<CurrentRow> = vault.store.get(&key)?;
                current.ok_or_else(|| Error::internal("drop box"))?.0
            }
        });
    }
    if let Some(place) = row.filed {
        let body = vault.version_of(owner, record, row, place.version)?;
        bodies.push(body.ok_or_else(|| Error::internal("current version"))?);
    }
    bodies.sort_by_key(|body| std::cmp::Reverse(body.version));
    let mut room = Room::new(usize::try_from(limits::PAGE_ITEMS).unwrap_or(1));
    let fitting = bodies
        .iter()
        .take_while(|body| room.takes(weight(body)))
        .count();
    bodies.truncate(fitting);
    Ok(bodies)
}

/// One piece of a part's ciphertext: to the owner, and to whom the version's keys were released
/// under a grant that is still in force.
///
/// # Errors
/// [`Error::NotFound`] for what is not there, not covered or not released alike;
/// [`Error::Expired`] to whom the grant was given.
pub fn piece_read<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: PieceRead,
) -> Result<ByteBuf> {
    let body = match vault.account_number(&args.owner)? {
        Some(number) => vault.find_version(number, &args.record, args.version)?,
        None => None,
    };
    let place = body.as_ref().and_then(|body| body.filed.as_ref());
    let compartment = place.map_or(CompartmentId::DROP_BOX, |place| place.compartment);
    let version = VersionRef {
        record: args.record,
        version: args.version,
    };
    let access = Access::Read(compartment, version);
    let permit: ReadPermit = vault.may_read(call, &args.owner, args.grant.as_ref(), access)?;
    if let Some(grant) = &args.grant {
        let opened = OpenedRow::key(permit.owner(), grant, &args.record, args.version);
        if !vault.store.contains::<OpenedRow>(&opened) {
            return Err(Error::NotFound);
        }
    }
    let body = body.ok_or(Error::NotFound)?;
    let part = usize::try_from(args.part)
        .ok()
        .and_then(|part| body.parts.get(part));
    let part = part.ok_or(Error::NotFound)?;
    let bytes = vault
        .store
        .piece_load(permit.owner(), part.blob, args.index)?;
    bytes.map(ByteBuf::from).ok_or(Error::NotFound)
}

/// Entries of a feed. The drop box's is its owner's alone.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Expired`] to whom the grant was given.
pub fn feed_page<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    args: FeedGet,
) -> Result<FeedPage> {
    let access = Access::ListCompartment(args.compartment);
    let permit = vault.may_read(call, &args.owner, args.grant.as_ref(), access)?;
    let owner = vault.load(permit.owner())?;
    let feed = owner
        .outline
        .feed(&args.compartment)
        .ok_or(Error::NotFound)?;
    let head = feed.feed.head();
    let mut room = Room::new(usize::try_from(limits::PAGE_ITEMS).unwrap_or(1));
    let mut entries = Vec::new();
    let from = FeedRow::key(owner.number, &args.compartment, args.from);
    let prefix = FeedRow::prefix(owner.number, &args.compartment);
    for found in vault.store.scan::<FeedRow>(prefix, from) {
        let (_, FeedRow(bytes)) = found?;
        if !room.takes(bytes.len() as u64 + 16) {
            break;
        }
        entries.push(ByteBuf::from(bytes));
    }
    Ok(FeedPage { entries, head })
}
