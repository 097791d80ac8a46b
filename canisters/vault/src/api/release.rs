//! Audited release: how anyone but the owner gets descriptors and wrapped keys. Always an update,
//! and the audit entry comes first.

use super::{Room, items, reading};
use crate::access::{Held, NotHeld, Permit};
use crate::audit::Detail;
use crate::records::{Keys, view, weight};
use crate::rows::{OpenedRow, VersionBody};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_protocol::chain::{AuditEvent, listing_hash};
use salus_protocol::grant::{Access, Scope, VersionRef};
use salus_types::api::{RecordGet, RecordPage, ReleaseList, ReleaseOpen, VersionView};
use salus_types::{Error, Result, limits};

/// Descriptors and their keys, as far as a grant covers them.
///
/// # Errors
/// [`Error::NotFound`] for what is not there or not covered alike, [`Error::Expired`] to whom the
/// grant was given. Refusals are recorded.
pub fn release_list<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: ReleaseList,
) -> Result<RecordPage> {
    vault.admit(call)?;
    let decided = vault.held(call, &args.owner, &args.grant).and_then(|held| {
        let access = match args.compartment {
            Some(compartment) => Access::ListCompartment(compartment),
            None => Access::ListRecords,
        };
        let permit = held.permit(access, AuditEvent::Listed, call.now)?;
        Ok((held, permit))
    });
    let (held, permit) = match decided {
        Ok(decided) => decided,
        Err(why) => return Err(vault.refuse(call, &args.grant, why)),
    };
    let owner = vault.load(held.owner())?;
    let (bodies, next) = match args.compartment {
        Some(compartment) => {
            owner.outline.epoch(&compartment).ok_or(Error::NotFound)?;
            reading::page(vault, owner.number, &compartment, args.cursor, args.limit)?
        }
        None => named(vault, &held, args.cursor, args.limit)?,
    };
    let detail = Detail {
        compartment: args.compartment,
        ..Detail::default()
    };
    let items = list(vault, owner, permit, detail, bodies, call.now)?;
    Ok(RecordPage { items, next })
}

/// The versions that a grant over single records names.
fn named<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    held: &Held,
    cursor: Option<u64>,
    limit: Option<u32>,
) -> Result<(Vec<VersionBody>, Option<u64>)> {
    let Scope::Records(versions) = &held.grant().scope else {
        return Ok((Vec::new(), None));
    };
    let start = usize::try_from(cursor.unwrap_or(0)).unwrap_or(usize::MAX);
    let mut room = Room::new(items(limit));
    let mut bodies = Vec::new();
    for (place, version) in versions.iter().enumerate().skip(start) {
        let body = vault.find_version(held.owner(), &version.record, version.version)?;
        let Some(body) = body.filter(|body| body.filed.is_some()) else {
            continue;
        };
        if !room.takes(weight(&body)) {
            return Ok((bodies, Some(place as u64)));
        }
        bodies.push(body);
    }
    Ok((bodies, None))
}

/// Records a listing, then shows it.
fn list<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    mut owner: Owner,
    permit: Permit,
    detail: Detail,
    bodies: Vec<VersionBody>,
    now: u64,
) -> Result<Vec<VersionView>> {
    let detail = Detail {
        count: Some(bodies.len() as u64),
        subject: Some(listing_hash(
            bodies.iter().map(|body| (body.record, body.version)),
        )),
        ..detail
    };
    vault.record(&mut owner, permit, detail, now)?;
    vault.save(owner)?;
    let show = |body: VersionBody| {
        let latest = body.version;
        view(body, latest, Keys::Descriptor)
    };
    Ok(bodies.into_iter().map(show).collect())
}

/// Both keys of named versions, as far as a grant covers them; as many as fit a page, in the order
/// named. One that is not covered refuses all.
///
/// # Errors
/// As [`release_list`]; [`Error::TooMany`].
pub fn release_open<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: ReleaseOpen,
) -> Result<Vec<VersionView>> {
    vault.admit(call)?;
    if args.records.is_empty() {
        return Err(Error::invalid("records", "names none"));
    }
    if args.records.len() as u64 > limits::RELEASE_RECORDS {
        return Err(too_many());
    }
    let decided = vault
        .held(call, &args.owner, &args.grant)
        .and_then(|held| decide(vault, &held, &args.records, call.now).map(|d| (held, d)));
    let (held, decided) = match decided {
        Ok(decided) => decided,
        Err(why) => return Err(vault.refuse(call, &args.grant, why)),
    };
    let mut owner = vault.load(held.owner())?;
    let mut room = Room::new(usize::try_from(limits::RELEASE_RECORDS).unwrap_or(1));
    let mut views = Vec::new();
    for (permit, latest, body) in decided {
        if !room.takes(weight(&body)) {
            break;
        }
        views.push(open(vault, &mut owner, permit, latest, body, call.now)?);
    }
    vault.save(owner)?;
    Ok(views)
}

fn too_many() -> Error {
    Error::TooMany {
        what: "records".into(),
        limit: limits::RELEASE_RECORDS,
    }
}

fn decide<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    held: &Held,
    records: &[RecordGet],
    now: u64,
) -> std::result::Result<Vec<(Permit, u32, VersionBody)>, NotHeld> {
    // Out of force answers before anything is looked up.
    let mut decided = Vec::with_capacity(records.len());
    for wanted in records {
        let row = vault.record_row(held.owner(), &wanted.record)?;
        let bodies = match (&row, wanted.version) {
            (Some(row), Some(version)) => {
                let found = vault.version_of(held.owner(), &wanted.record, row, version)?;
                found.into_iter().collect()
            }
            (Some(row), None) => reading::history(vault, held.owner(), &wanted.record, row)?,
            (None, _) => Vec::new(),
        };
        let mut any = false;
        for body in bodies {
            let Some(place) = &body.filed else { continue };
            let version = VersionRef {
                record: body.record,
                version: body.version,
            };
            let access = Access::Read(place.compartment, version);
            match held.permit(access, AuditEvent::Opened, now) {
                Ok(permit) => {
                    let latest = row
                        .as_ref()
                        .and_then(|row| row.filed)
                        .map_or(0, |f| f.version);
                    decided.push((permit, latest.max(body.version), body));
                    any = true;
                }
                // Of all versions, those that the grant names; of a named one, that or nothing.
                Err(why) if wanted.version.is_some() => return Err(why),
                Err(_) => {}
            }
        }
        if !any {
            let nowhere = salus_types::CompartmentId([0; 16]);
            let version = wanted.version.unwrap_or(0);
            let access = Access::Read(
                nowhere,
                VersionRef {
                    record: wanted.record,
                    version,
                },
            );
            held.covers(access, now)?;
            return Err(NotHeld::Failed(Error::NotFound));
        }
        if decided.len() as u64 > limits::RELEASE_RECORDS {
            return Err(NotHeld::Failed(too_many()));
        }
    }
    Ok(decided)
}

/// Records the release of one version, marks its ciphertext as fetchable, then shows it.
fn open<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    permit: Permit,
    latest: u32,
    body: VersionBody,
    now: u64,
) -> Result<VersionView> {
    let detail = Detail {
        compartment: body.filed.as_ref().map(|place| place.compartment),
        record: Some(body.record),
        version: Some(body.version),
        subject: Some(body.hash),
        ..Detail::default()
    };
    if let Some(grant) = permit.grant() {
        let key = OpenedRow::key(owner.number, &grant, &body.record, body.version);
        if !vault.store.contains::<OpenedRow>(&key) {
            vault.store.put(key, &OpenedRow);
        }
    }
    vault.record(owner, permit, detail, now)?;
    Ok(view(body, latest, Keys::Both))
}
