//! Uploads: parts that come in pieces, resumable and idempotent. An upload belongs to whoever
//! began it; nobody else can add to it, use it or see it.

use crate::rows::{AccountRow, DiscardedRow, UploadExpiryRow, UploadRow};
use crate::runtime::{Call, Runtime};
use crate::vault::Vault;
use ic_stable_structures::Memory;
use salus_protocol::statement::sha256;
use salus_types::api::{UploadBegin, UploadStatus};
use salus_types::{Error, Result, UploadId, limits};

/// Pieces zeroed and freed by one round of [`tend`]: about 1.4 M instructions each.
const FREED_PER_ROUND: usize = 64;
/// Expired uploads dropped by one round of [`tend`].
const DROPPED_PER_ROUND: usize = 16;

fn pieces_of(size: u64) -> u64 {
    size.div_ceil(limits::PIECE_BYTES)
}

/// Begins an upload into one's own account, or under a grant to append into another's. The same
/// call again tells how far it got.
///
/// # Errors
/// [`Error::Conflict`] if the id was used otherwise, [`Error::QuotaExceeded`],
/// [`Error::TooLarge`], [`Error::TooMany`], and what a grant does not cover.
pub fn upload_begin<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: UploadBegin,
) -> Result<UploadStatus> {
    vault.admit(call)?;
    if args.size == 0 {
        return Err(Error::invalid("size", "is zero"));
    }
    if args.size > limits::PART_BYTES {
        return Err(Error::TooLarge {
            field: "size".into(),
            limit: limits::PART_BYTES,
        });
    }
    let uploader = vault.caller_number(call)?;
    let owner = match &args.grant {
        None if vault.account_number(&args.owner)? == Some(uploader) => uploader,
        None => return Err(Error::NotFound),
        Some(grant) => {
            let held = vault.held(call, &args.owner, grant);
            let held = held.and_then(|held| held.may_append(call.now).map(|()| held));
            match held {
                Ok(held) => held.owner(),
                Err(why) => return Err(vault.refuse(call, grant, why)),
            }
        }
    };
    let key = UploadRow::key(uploader, &args.upload);
    if let Some(row) = vault.store.get::<UploadRow>(&key)? {
        let same = row.owner == owner && row.grant == args.grant && row.size == args.size;
        return if same {
            status(vault, &row)
        } else {
            Err(Error::Conflict {
                what: "upload".into(),
            })
        };
    }
    let mut theirs = vault.account(owner)?;
    vault.charge(&mut theirs, args.size)?;
    let blob = theirs.next_blob;
    theirs.next_blob += 1;
    let expires = call.now.saturating_add(limits::UPLOAD_LIFE_MS);
    if owner == uploader {
        count_upload(&mut theirs)?;
    } else {
        let mut mine = vault.account(uploader)?;
        count_upload(&mut mine)?;
        vault.put_account(uploader, &mine);
    }
    vault.put_account(owner, &theirs);
    let row = UploadRow {
        owner,
        grant: args.grant,
        size: args.size,
        blob,
        expires,
    };
    vault.store.put(key, &row);
    let expiry = UploadExpiryRow::key(expires, uploader, &args.upload);
    vault.store.put(expiry, &UploadExpiryRow);
    vault.settle();
    status(vault, &row)
}

fn count_upload(account: &mut AccountRow) -> Result<()> {
    if account.open_uploads >= limits::OPEN_UPLOADS {
        return Err(Error::TooMany {
            what: "uploads".into(),
            limit: limits::OPEN_UPLOADS,
        });
    }
    account.open_uploads += 1;
    Ok(())
}

fn status<R: Runtime, M: Memory>(vault: &Vault<R, M>, row: &UploadRow) -> Result<UploadStatus> {
    let limit = usize::try_from(pieces_of(row.size)).unwrap_or(usize::MAX);
    let pieces = vault.store.piece_list(row.owner, row.blob, 0, limit)?;
    Ok(UploadStatus {
        size: row.size,
        received: pieces.iter().map(|piece| piece.index).collect(),
        expires: row.expires,
    })
}

fn mine<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    upload: &UploadId,
) -> Result<(u64, UploadRow)> {
    let uploader = vault.caller_number(call)?;
    let row: Option<UploadRow> = vault.store.get(&UploadRow::key(uploader, upload))?;
    let row = row.ok_or(Error::NotFound)?;
    if row.expires <= call.now {
        return Err(Error::Expired {
            what: "upload".into(),
            at: row.expires,
        });
    }
    Ok((uploader, row))
}

/// Stores a piece. The same bytes again change nothing.
///
/// # Errors
/// [`Error::NotFound`] for another's upload, [`Error::Conflict`] for other bytes than before,
/// [`Error::Invalid`] for a piece of the wrong place or length, [`Error::Expired`], and what a
/// grant no longer covers.
pub fn upload_piece<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    upload: &UploadId,
    index: u32,
    bytes: &[u8],
) -> Result<()> {
    vault.admit(call)?;
    let (uploader, mut row) = mine(vault, call, upload)?;
    if let Some(grant) = row.grant {
        let owner = vault.account(row.owner)?.id;
        let held = vault.held(call, &owner, &grant);
        if let Err(why) = held.and_then(|held| held.may_append(call.now)) {
            return Err(vault.refuse(call, &grant, why));
        }
    }
    let place = u64::from(index);
    if place >= pieces_of(row.size) {
        return Err(Error::invalid("index", "lies beyond the upload"));
    }
    let expected = (row.size - place * limits::PIECE_BYTES).min(limits::PIECE_BYTES);
    if bytes.len() as u64 != expected {
        return Err(Error::Invalid {
            field: "bytes".into(),
            reason: format!("this piece has {expected} bytes"),
        });
    }
    let hash = sha256(bytes).0;
    if let Some(known) = vault.store.piece_info(row.owner, row.blob, index)? {
        if known.hash == hash {
            return Ok(());
        }
        return Err(Error::Conflict {
            what: "piece".into(),
        });
    }
    vault
        .store
        .piece_put(row.owner, row.blob, index, hash, bytes)?;
    if row.expires.saturating_sub(call.now) < limits::UPLOAD_LIFE_MS / 2 {
        let old = UploadExpiryRow::key(row.expires, uploader, upload);
        vault.store.remove::<UploadExpiryRow>(&old);
        row.expires = call.now.saturating_add(limits::UPLOAD_LIFE_MS);
        let new = UploadExpiryRow::key(row.expires, uploader, upload);
        vault.store.put(new, &UploadExpiryRow);
        vault.store.put(UploadRow::key(uploader, upload), &row);
    }
    vault.settle();
    Ok(())
}

/// How far one's own upload got.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Expired`].
pub fn upload_status<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    upload: UploadId,
) -> Result<UploadStatus> {
    let (_, row) = mine(vault, call, &upload)?;
    status(vault, &row)
}

/// Gives one's own upload up. One that is not there is given up already.
///
/// # Errors
/// [`Error::NotFound`] for a caller without account.
pub fn upload_abort<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    upload: UploadId,
) -> Result<()> {
    vault.admit(call)?;
    let uploader = vault.caller_number(call)?;
    vault.drop_upload(uploader, &upload)?;
    vault.free_discarded(FREED_PER_ROUND)?;
    vault.settle();
    Ok(())
}

/// One round of housekeeping: drops expired uploads and pairings and frees what was discarded. Whether there is
/// more to do.
///
/// # Errors
/// [`Error::Internal`].
pub fn tend<R: Runtime, M: Memory>(vault: &mut Vault<R, M>, now: u64) -> Result<bool> {
    let prefix = UploadExpiryRow::prefix();
    let expired: Vec<_> = vault
        .store
        .keys::<UploadExpiryRow>(prefix, prefix)
        .map_while(|key| UploadExpiryRow::parse(&key).filter(|(expires, ..)| *expires <= now))
        .take(DROPPED_PER_ROUND)
        .collect();
    for (_, uploader, upload) in &expired {
        vault.drop_upload(*uploader, upload)?;
    }
    let freed = vault.free_discarded(FREED_PER_ROUND)?;
    let paired = vault.drop_pairings(now)?;
    vault.settle();
    Ok(expired.len() == DROPPED_PER_ROUND || freed || paired)
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    fn drop_upload(&mut self, uploader: u64, upload: &UploadId) -> Result<()> {
        let key = UploadRow::key(uploader, upload);
        let Some(row) = self.store.get::<UploadRow>(&key)? else {
            return Ok(());
        };
        self.store.remove::<UploadRow>(&key);
        let expiry = UploadExpiryRow::key(row.expires, uploader, upload);
        self.store.remove::<UploadExpiryRow>(&expiry);
        self.store
            .put(DiscardedRow::key(row.owner, row.blob), &DiscardedRow);
        let mut owner = self.account(row.owner)?;
        owner.bytes = owner.bytes.saturating_sub(row.size);
        if row.owner == uploader {
            owner.open_uploads = owner.open_uploads.saturating_sub(1);
        } else {
            let mut theirs = self.account(uploader)?;
            theirs.open_uploads = theirs.open_uploads.saturating_sub(1);
            self.put_account(uploader, &theirs);
        }
        self.put_account(row.owner, &owner);
        Ok(())
    }

    /// Zeroes and frees pieces of discarded blobs; whether more are left.
    fn free_discarded(&mut self, mut budget: usize) -> Result<bool> {
        loop {
            let prefix = DiscardedRow::prefix();
            let next = self.store.keys::<DiscardedRow>(prefix, prefix).next();
            let Some(key) = next else { return Ok(false) };
            let (owner, blob) =
                DiscardedRow::parse(&key).ok_or_else(|| Error::internal("discarded"))?;
            if budget == 0 {
                return Ok(true);
            }
            let (freed, _) = self.store.piece_free(owner, blob, budget)?;
            if freed < budget {
                self.store.remove::<DiscardedRow>(&key);
            }
            budget -= freed;
        }
    }
}
