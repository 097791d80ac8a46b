//! Storing, re-issuing and revoking grants, and deciding requests, as ledger operations order it.
//! Must not know who called.

use crate::rows::{
    AccountRow, GrantGivenRow, GrantReceivedRow, GrantRow, InboxRow, NoticeRow, RequestRow,
    RequestStatusRow, TieRow,
};
use crate::runtime::Runtime;
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::grant::{Conveyed, Grant, Scope};
use salus_protocol::ledger::{Change, GrantEntry, LedgerOp};
use salus_protocol::statement::{self, sha256};
use salus_types::api::GrantPayload;
use salus_types::{AccountId, CompartmentId, Error, GrantId, Hash, RequestId, Result, limits};

/// A grant whose statement, signature, envelope and parties were checked.
pub(crate) struct CheckedGrant {
    grant: Grant,
    payload: GrantPayload,
    grantee: u64,
    hash: Hash,
}

impl CheckedGrant {
    pub(crate) fn grantee_number(&self) -> u64 {
        self.grantee
    }
    pub(crate) fn id(&self) -> GrantId {
        self.grant.id
    }
    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }
    /// Bytes that storing it takes of the owner's quota.
    pub(crate) fn size(&self) -> u64 {
        (self.payload.envelope.len() + self.payload.note.len()) as u64
    }
}

fn wrong(reason: &str) -> Error {
    Error::invalid("grant", reason)
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// Checks the grants that come with an operation against its entries.
    pub(crate) fn check_grants(
        &self,
        owner: &Owner,
        op: &LedgerOp,
        payloads: Vec<GrantPayload>,
        request: Option<RequestId>,
        now: u64,
    ) -> Result<Vec<CheckedGrant>> {
        let entries = op.change.grants();
        if entries.len() != payloads.len() {
            return Err(Error::invalid(
                "grants",
                "must be one for each grant of the operation",
            ));
        }
        let added = match &op.change {
            Change::AddCompartment { compartment, .. } => Some(compartment.id),
            _ => None,
        };
        let pairs = entries.iter().zip(payloads);
        pairs
            .map(|(entry, payload)| {
                let checked = self.check_grant(owner, entry, payload, added, now)?;
                if let Change::Grant { pin, .. } = &op.change {
                    let grant = &checked.grant;
                    if grant.request != request {
                        return Err(wrong("answers another request than the operation"));
                    }
                    if pin.genesis != grant.grantee_genesis || pin.link != grant.grantee_link {
                        return Err(wrong("names other keys than the operation pins"));
                    }
                }
                Ok(checked)
            })
            .collect()
    }

    fn check_grant(
        &self,
        owner: &Owner,
        entry: &GrantEntry,
        payload: GrantPayload,
        added: Option<CompartmentId>,
        now: u64,
    ) -> Result<CheckedGrant> {
        at_most(
            "grant",
            payload.statement.statement.len(),
            limits::STATEMENT_BYTES,
        )?;
        at_most(
            "envelope",
            payload.envelope.len(),
            limits::GRANT_ENVELOPE_BYTES,
        )?;
        at_most("note", payload.note.len(), limits::NOTE_BYTES)?;
        let hash = statement::hash_of::<Grant>(&payload.statement.statement);
        if hash != entry.statement {
            return Err(wrong("is not the statement that the operation names"));
        }
        let grant: Grant =
            statement::verify(&payload.statement, &self.canister, &owner.account.signing)
                .map_err(refused)?;
        let mine = &owner.account;
        if grant.owner != mine.id
            || grant.owner_genesis != mine.genesis
            || grant.owner_link != mine.link
        {
            return Err(wrong("names another owner or another key link"));
        }
        let same = grant.id == entry.id
            && grant.revision == entry.revision
            && grant.grantee == entry.grantee
            && grant.expires == entry.expires;
        if !same || !grant.is_well_formed() {
            return Err(wrong("does not fit the operation, or is malformed"));
        }
        if grant.expires <= now || grant.expires > now.saturating_add(limits::GRANT_LIFE_MS) {
            return Err(Error::invalid(
                "expires",
                "is over already, or too far away",
            ));
        }
        not_from_the_future(grant.at, now)?;
        if grant.envelope != sha256(&payload.envelope) {
            return Err(wrong("names another envelope"));
        }
        self.check_scope(owner, &grant, added)?;
        let grantee = self
            .account_number(&grant.grantee)?
            .ok_or(Error::NotFound)?;
        if grantee == owner.number {
            return Err(wrong("is to its own owner"));
        }
        let theirs = self.account(grantee)?;
        if grant.grantee_genesis != theirs.genesis || grant.grantee_link != theirs.link {
            return Err(wrong("names keys of the grantee that are not in force"));
        }
        Ok(CheckedGrant {
            grant,
            payload,
            grantee,
            hash,
        })
    }

    fn check_scope(
        &self,
        owner: &Owner,
        grant: &Grant,
        added: Option<CompartmentId>,
    ) -> Result<()> {
        let known = |id: &CompartmentId| added == Some(*id) || owner.outline.epoch(id).is_some();
        if let Scope::Compartments(list) = &grant.scope
            && !list.iter().all(known)
        {
            return Err(wrong("names an unknown compartment"));
        }
        for conveyed in &grant.conveys {
            match conveyed {
                Conveyed::Epoch { compartment, .. } if !known(compartment) => {
                    return Err(wrong("conveys a key of an unknown compartment"));
                }
                Conveyed::Version { version, .. } => {
                    let body = self.find_version(owner.number, &version.record, version.version)?;
                    if body.is_none_or(|body| body.filed.is_none()) {
                        return Err(wrong("conveys keys of a version that is not filed"));
                    }
                }
                Conveyed::Epoch { .. } => {}
            }
        }
        Ok(())
    }

    /// Stores a checked grant: a new one, or a new revision.
    pub(crate) fn store_grant(
        &mut self,
        owner: &mut Owner,
        checked: CheckedGrant,
        now: u64,
    ) -> Result<()> {
        let CheckedGrant {
            grant,
            payload,
            grantee,
            ..
        } = checked;
        let key = GrantRow::key(owner.number, &grant.id);
        let old: Option<GrantRow> = self.store.get(&key)?;
        owner.account.bytes += (payload.envelope.len() + payload.note.len()) as u64;
        let (given, received) = match &old {
            Some(old) => {
                let freed = old.envelope.size() + old.note.size();
                owner.account.bytes = owner.account.bytes.saturating_sub(freed);
                self.store.large_free(&old.envelope)?;
                self.store.large_free(&old.note)?;
                (old.given, old.received)
            }
            None => self.new_grant(owner, &grant, grantee, now)?,
        };
        let row = GrantRow {
            statement: payload.statement.statement.into_vec(),
            signature: payload.statement.signature.into_vec(),
            envelope: self.store.large_put(&payload.envelope)?,
            note: self.store.large_put(&payload.note)?,
            grantee,
            revoked: None,
            given,
            received,
        };
        self.store.put(key, &row);
        let tie_key = TieRow::key(owner.number, grantee);
        let mut tie: TieRow = self.store.get(&tie_key)?.unwrap_or_default();
        if old.is_none() {
            tie.grants.push(grant.id);
        }
        tie.until = tie.until.max(grant.expires);
        self.store.put(tie_key, &tie);
        Ok(())
    }

    fn new_grant(
        &mut self,
        owner: &mut Owner,
        grant: &Grant,
        grantee: u64,
        now: u64,
    ) -> Result<(u64, u64)> {
        let given = owner.account.grants_given;
        owner.account.grants_given += 1;
        owner.account.live_grants += 1;
        self.store.put(
            GrantGivenRow::key(owner.number, given),
            &GrantGivenRow(grant.id),
        );
        let mut theirs = self.account(grantee)?;
        let received = theirs.grants_received;
        theirs.grants_received += 1;
        let row = GrantReceivedRow {
            owner: owner.number,
            grant: grant.id,
        };
        self.store
            .put(GrantReceivedRow::key(grantee, received), &row);
        let notice = NoticeRow::GrantReceived(grant.id);
        self.notify(grantee, &mut theirs, notice, owner.account.id, now);
        self.put_account(grantee, &theirs);
        Ok((given, received))
    }

    /// Ends a grant at once, forgets its envelope and tells the grantee.
    pub(crate) fn revoke_grant(&mut self, owner: &mut Owner, id: &GrantId, now: u64) -> Result<()> {
        let key = GrantRow::key(owner.number, id);
        let row: Option<GrantRow> = self.store.get(&key)?;
        let mut row = row.ok_or_else(|| Error::internal("grant"))?;
        let freed = row.envelope.size();
        owner.account.bytes = owner.account.bytes.saturating_sub(freed);
        self.store.large_free(&row.envelope)?;
        row.envelope = self.store.large_put(&[])?;
        row.revoked = Some(now);
        self.store.put(key, &row);
        owner.account.live_grants = owner.account.live_grants.saturating_sub(1);
        let tie_key = TieRow::key(owner.number, row.grantee);
        let mut tie: TieRow = self.store.get(&tie_key)?.unwrap_or_default();
        tie.grants.retain(|held| held != id);
        self.store.put(tie_key, &tie);
        let mut theirs = self.account(row.grantee)?;
        let notice = NoticeRow::GrantRevoked(*id);
        self.notify(row.grantee, &mut theirs, notice, owner.account.id, now);
        self.put_account(row.grantee, &theirs);
        Ok(())
    }

    /// Closes a request that an operation decided, and tells the requester.
    pub(crate) fn close_request(
        &mut self,
        owner: &mut Owner,
        request: &RequestId,
        requester: u64,
        change: &Change,
        now: u64,
    ) -> Result<()> {
        let key = RequestRow::key(owner.number, request);
        let row: Option<RequestRow> = self.store.get(&key)?;
        let mut row = row.ok_or_else(|| Error::internal("request"))?;
        let notice = match change {
            Change::Grant { grant, .. } => {
                row.status = RequestStatusRow::Approved(grant.id);
                NoticeRow::RequestApproved(grant.id)
            }
            _ => {
                row.status = RequestStatusRow::Denied;
                NoticeRow::RequestDenied(*request)
            }
        };
        self.store.put(key, &row);
        let tie_key = TieRow::key(owner.number, requester);
        let mut tie: TieRow = self.store.get(&tie_key)?.unwrap_or_default();
        tie.pending = tie.pending.saturating_sub(1);
        self.store.put(tie_key, &tie);
        owner.account.pending_requests = owner.account.pending_requests.saturating_sub(1);
        let mut theirs = self.account(requester)?;
        self.notify(requester, &mut theirs, notice, owner.account.id, now);
        self.put_account(requester, &theirs);
        Ok(())
    }

    /// Adds a notification; the caller writes the account back.
    pub(crate) fn notify(
        &mut self,
        number: u64,
        account: &mut AccountRow,
        notice: NoticeRow,
        from: AccountId,
        now: u64,
    ) {
        let row = InboxRow {
            at: now,
            notice,
            from,
        };
        self.store.put(InboxRow::key(number, account.inbox), &row);
        account.inbox += 1;
    }

    /// What is between two accounts, in one direction.
    pub(crate) fn tie(&self, owner: u64, other: u64) -> Result<TieRow> {
        Ok(self
            .store
            .get(&TieRow::key(owner, other))?
            .unwrap_or_default())
    }

    /// Whether a grant is in force between two accounts, either way.
    pub(crate) fn are_tied(&self, one: u64, other: u64, now: u64) -> Result<bool> {
        let in_force = |tie: TieRow| !tie.grants.is_empty() && tie.until > now;
        Ok(in_force(self.tie(one, other)?) || in_force(self.tie(other, one)?))
    }

    /// Whether two accounts deal with each other: a grant in force or an open request, either way.
    pub(crate) fn are_dealing(&self, one: u64, other: u64, now: u64) -> Result<bool> {
        let deals = |tie: TieRow| tie.pending > 0 || (!tie.grants.is_empty() && tie.until > now);
        Ok(deals(self.tie(one, other)?) || deals(self.tie(other, one)?))
    }
}
