//! Applying owner ledger operations to what is stored. The checks are the protocol's; here is the
//! view they read and the writes their effects stand for. Must not know who called.

use crate::access::Ownership;
use crate::audit::Detail;
use crate::certified::feed_node;
use crate::grants::CheckedGrant;
use crate::rows::{Chain, FeedState, GrantRow, OpRow, RequestRow, RequestStatusRow, SlotState};
use crate::runtime::Runtime;
use crate::vault::{Owner, Vault, at_most, not_from_the_future, refused};
use ic_stable_structures::Memory;
use salus_protocol::chain::AuditEvent;
use salus_protocol::grant::Conveyed;
use salus_protocol::ledger::{Change, Effect, LedgerError, LedgerOp, LedgerView, SlotKind, check};
use salus_protocol::statement;
use salus_types::api::{GrantPayload, Head, Signed};
use salus_types::{
    AccountId, CompartmentId, Error, GrantId, Hash, RequestId, Result, SlotId, limits,
};

/// What revocations and their like may take beyond the quota: some thousands of them.
const RESERVE_BYTES: u64 = 16 << 20;
/// What taking an account back may take beyond whatever is used up by then: a rotation, slots, several
/// account master keys, and the revocation of what a thief granted.
pub(crate) const RECOVERY_BYTES: u64 = 8 << 20;

/// An operation that may be applied: everything about it was checked.
pub(crate) struct CheckedOp {
    op: LedgerOp,
    hash: Hash,
    effects: Vec<Effect>,
    grants: Vec<CheckedGrant>,
    /// The request it decides, and who made it.
    decided: Option<(RequestId, u64)>,
    /// The account whose keys it records.
    pinned: Option<u64>,
}

struct View<'a, R: Runtime, M: Memory> {
    vault: &'a Vault<R, M>,
    owner: &'a Owner,
}

impl<R: Runtime, M: Memory> LedgerView for View<'_, R, M> {
    fn generation(&self) -> u32 {
        self.owner.outline.generation
    }
    fn slots(&self) -> Vec<SlotId> {
        self.owner.outline.slots.iter().map(|s| s.id).collect()
    }
    fn slot_kind(&self, slot: &SlotId) -> Option<SlotKind> {
        self.owner
            .outline
            .slots
            .iter()
            .find(|s| s.id == *slot)
            .map(|s| s.kind)
    }
    fn epoch(&self, compartment: &CompartmentId) -> Option<u32> {
        self.owner.outline.epoch(compartment)
    }
    fn compartment_count(&self) -> u64 {
        self.compartments().len() as u64
    }
    fn compartments(&self) -> Vec<(CompartmentId, u32)> {
        let feeds = self.owner.outline.feeds.iter();
        feeds
            .filter(|f| f.epoch > 0)
            .map(|f| (f.compartment, f.epoch))
            .collect()
    }
    fn grant(&self, grant: &GrantId) -> Option<(u32, AccountId, bool)> {
        let (row, grant) = self.vault.grant(self.owner.number, grant).ok()??;
        Some((grant.revision, grant.grantee, row.revoked.is_none()))
    }
    fn live_grants(&self) -> u64 {
        self.owner.account.live_grants
    }
    fn conveyed(&self, grant: &GrantId) -> Option<Vec<CompartmentId>> {
        let (_, grant) = self.vault.grant(self.owner.number, grant).ok()??;
        let epochs = grant.conveys.iter().filter_map(|c| match c {
            Conveyed::Epoch { compartment, .. } => Some(*compartment),
            Conveyed::Version { .. } => None,
        });
        Some(epochs.collect())
    }
    fn pinned(&self, account: &AccountId) -> Option<Hash> {
        self.vault.pinned(self.owner.number, account).ok()?
    }
    fn pin_count(&self) -> u64 {
        self.owner.account.pins.unwrap_or(0)
    }
}

fn refused_op(error: LedgerError, owner: &Owner) -> Error {
    match error {
        LedgerError::Stale => owner.stale(),
        other => Error::Invalid {
            field: "op".into(),
            reason: other.to_string(),
        },
    }
}

impl CheckedOp {
    /// Whether it puts another key link in force.
    pub(crate) fn rotates(&self) -> bool {
        matches!(self.op.change, Change::Rotate { .. })
    }
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// Whether exactly this operation is in the ledger already.
    pub(crate) fn has_op(&self, owner: &Owner, signed: &Signed) -> Result<bool> {
        let Ok(op) = statement::decode_for::<LedgerOp>(&signed.statement, &self.canister) else {
            return Ok(false);
        };
        if op.seq >= owner.account.ledger.count {
            return Ok(false);
        }
        match self.store.get::<OpRow>(&OpRow::key(owner.number, op.seq))? {
            Some(row) => Ok(self.store.large_load(&row.statement)? == signed.statement.as_slice()),
            None => Ok(false),
        }
    }

    /// Checks an operation of an owner whose key link in force is already in `owner`.
    pub(crate) fn check_op(
        &self,
        owner: &Owner,
        signed: &Signed,
        payloads: Vec<GrantPayload>,
        now: u64,
    ) -> Result<CheckedOp> {
        at_most("op", signed.statement.len(), limits::LEDGER_OP_BYTES)?;
        let op: LedgerOp =
            statement::decode_for(&signed.statement, &self.canister).map_err(refused)?;
        if op.account != owner.account.id {
            return Err(Error::invalid("op", "is about another account"));
        }
        if let Change::Open { bundle, .. }
        | Change::Rekey { bundle, .. }
        | Change::Rotate { bundle, .. } = &op.change
        {
            at_most("bundle", bundle.len(), limits::BUNDLE_BYTES)?;
        }
        not_from_the_future(op.at, now)?;
        let head = owner.account.ledger.head();
        let view = View { vault: self, owner };
        let effects = check(&view, &head, &owner.account.link, &op)
            .map_err(|error| refused_op(error, owner))?;
        statement::verify::<LedgerOp>(signed, &self.canister, &owner.account.signing)
            .map_err(refused)?;
        let request = match &op.change {
            Change::Grant { request, .. } => *request,
            Change::Deny { request } => Some(*request),
            _ => None,
        };
        let decided = match request {
            Some(id) => Some((id, self.pending_request(owner.number, &id)?)),
            None => None,
        };
        let pinned = match &op.change {
            Change::Pin { pin } => Some(self.check_pin(owner, pin, now)?),
            _ => None,
        };
        let grants = self.check_grants(owner, &op, payloads, request, now)?;
        if let (Some((_, requester)), [grant]) = (decided, grants.as_slice())
            && grant.grantee_number() != requester
        {
            return Err(Error::invalid(
                "request",
                "was made by someone else than the grantee",
            ));
        }
        self.check_room(owner, &op.change, signed, &grants)?;
        let hash = statement::hash_of::<LedgerOp>(&signed.statement);
        Ok(CheckedOp {
            op,
            hash,
            effects,
            grants,
            decided,
            pinned,
        })
    }

    /// Operations count against the quota, or a ledger could grow without end. What ends access or
    /// saves an account finds room even when the quota is used up; and even when a thief used that up,
    /// once the recovery key has overruled them.
    fn check_room(
        &self,
        owner: &Owner,
        change: &Change,
        signed: &Signed,
        grants: &[CheckedGrant],
    ) -> Result<()> {
        let reserve = match change {
            Change::Revoke { .. }
            | Change::AddSlot { .. }
            | Change::Rekey { .. }
            | Change::Deny { .. }
            | Change::Rotate { .. }
            | Change::Advance { .. }
            | Change::Checkpoint { .. } => RESERVE_BYTES,
            _ => 0,
        };
        let limit = self.settings.account_quota;
        let grants: u64 = grants.iter().map(CheckedGrant::size).sum();
        let added = signed.statement.len() as u64 + grants;
        let room = owner
            .account
            .recovery_room
            .filter(|_| reserve > 0)
            .unwrap_or(0);
        if owner.account.bytes.saturating_add(added) > limit.saturating_add(reserve).max(room) {
            return Err(Error::QuotaExceeded {
                used: owner.account.bytes,
                limit,
            });
        }
        Ok(())
    }

    fn pending_request(&self, owner: u64, id: &RequestId) -> Result<u64> {
        let row: Option<RequestRow> = self.store.get(&RequestRow::key(owner, id))?;
        match row {
            Some(row) if row.status == RequestStatusRow::Pending => Ok(row.requester),
            Some(_) => Err(Error::invalid("request", "was decided before")),
            None => Err(Error::NotFound),
        }
    }

    /// Applies a checked operation; the ledger's head after it. The caller saves `owner`.
    pub(crate) fn apply_op(
        &mut self,
        owner: &mut Owner,
        ownership: &Ownership,
        checked: CheckedOp,
        signed: &Signed,
        now: u64,
    ) -> Result<Head> {
        let CheckedOp {
            op,
            hash,
            effects,
            grants,
            decided,
            pinned,
        } = checked;
        let others = grants
            .iter()
            .map(CheckedGrant::grantee_number)
            .chain(pinned);
        for other in others.collect::<Vec<_>>() {
            self.ensure_pseudonym(owner.number, other)?;
        }
        let row = OpRow {
            statement: self.store.large_put(&signed.statement)?,
            signature: signed.signature.to_vec(),
            len: signed.statement.len() as u64,
        };
        self.store.put(OpRow::key(owner.number, op.seq), &row);
        owner.account.bytes += row.len;
        owner.account.ledger = Chain {
            count: op.seq + 1,
            hash,
        };
        for effect in effects {
            self.apply_effect(owner, effect, now)?;
        }
        self.record_op(
            owner,
            ownership,
            &op,
            &grants,
            decided.map(|(_, who)| who).or(pinned),
            now,
        )?;
        for grant in grants {
            self.store_grant(owner, grant, now)?;
        }
        if let Some((request, requester)) = decided {
            self.close_request(owner, &request, requester, &op.change, now)?;
        }
        Ok(owner.account.ledger.head())
    }

    fn apply_effect(&mut self, owner: &mut Owner, effect: Effect, now: u64) -> Result<()> {
        let outline = &mut owner.outline;
        match effect {
            Effect::PutSlot(slot) => {
                let state = SlotState {
                    id: slot.id,
                    kind: slot.kind,
                    used: None,
                };
                let at = outline.slots.partition_point(|s| s.id < slot.id);
                outline.slots.insert(at, state);
            }
            Effect::RemoveSlot(id) => outline.slots.retain(|s| s.id != id),
            Effect::SetBundle { generation, .. } => outline.generation = generation,
            Effect::PutCompartment(new) => {
                let at = outline.feeds.partition_point(|f| f.compartment < new.id);
                outline.feeds.insert(at, new_feed(new.id, 1));
            }
            Effect::PutEpoch(advance) => {
                let feed = outline.feed_mut(&advance.compartment);
                feed.ok_or_else(|| Error::internal("compartment"))?.epoch = advance.epoch;
            }
            Effect::RevokeGrant(id) => self.revoke_grant(owner, &id, now)?,
            Effect::SetPin(pin) => self.keep_pin(owner, &pin)?,
            // Their content is in the operation, which clients fold, or handled with the payloads.
            Effect::RewrapSlot(_)
            | Effect::SetName(..)
            | Effect::RewrapEpoch(..)
            | Effect::LeaveEpoch(..)
            | Effect::PutGrant(_)
            | Effect::ApproveRequest(..)
            | Effect::DenyRequest(_)
            | Effect::Checkpoint(_) => {}
        }
        Ok(())
    }

    fn record_op(
        &mut self,
        owner: &mut Owner,
        ownership: &Ownership,
        op: &LedgerOp,
        grants: &[CheckedGrant],
        other: Option<u64>,
        now: u64,
    ) -> Result<()> {
        let none = Detail::default;
        let reissued = matches!(
            op.change,
            Change::AddCompartment { .. }
                | Change::Reissue { .. }
                | Change::Revoke { .. }
                | Change::Advance { .. }
        );
        let (event, detail) = match &op.change {
            Change::Open { .. } => (Some(AuditEvent::AccountOpened), none()),
            Change::AddSlot { slot } => (
                Some(AuditEvent::SlotAdded),
                Detail {
                    slot: Some(slot.id),
                    ..none()
                },
            ),
            Change::Rekey { .. } => (Some(AuditEvent::Rekeyed), none()),
            Change::AddCompartment { compartment, .. } => (
                Some(AuditEvent::CompartmentAdded),
                Detail {
                    compartment: Some(compartment.id),
                    ..none()
                },
            ),
            Change::RenameCompartment { compartment, .. } => (
                Some(AuditEvent::CompartmentRenamed),
                Detail {
                    compartment: Some(*compartment),
                    ..none()
                },
            ),
            Change::Grant { grant, request, .. } => (
                Some(AuditEvent::Granted),
                Detail {
                    other: grants.first().map(CheckedGrant::grantee_number),
                    grant: Some(grant.id),
                    request: *request,
                    subject: Some(grant.statement),
                    ..none()
                },
            ),
            Change::Reissue { .. } => (None, none()),
            Change::Revoke { grant, .. } => {
                let row: Option<GrantRow> = self.store.get(&GrantRow::key(owner.number, grant))?;
                let other = row.map(|row| row.grantee);
                (
                    Some(AuditEvent::Revoked),
                    Detail {
                        other,
                        grant: Some(*grant),
                        ..none()
                    },
                )
            }
            Change::Deny { request } => (
                Some(AuditEvent::Denied),
                Detail {
                    other,
                    request: Some(*request),
                    ..none()
                },
            ),
            Change::Rotate { link, .. } => (
                Some(AuditEvent::KeysRotated),
                Detail {
                    subject: Some(*link),
                    ..none()
                },
            ),
            Change::Checkpoint { state } => (
                Some(AuditEvent::Checkpoint),
                Detail {
                    subject: Some(*state),
                    ..none()
                },
            ),
            Change::Advance { epochs, .. } => (
                Some(AuditEvent::EpochsAdvanced),
                Detail {
                    count: Some(epochs.len() as u64),
                    ..none()
                },
            ),
            Change::Pin { .. } => (Some(AuditEvent::Pinned), Detail { other, ..none() }),
        };
        if let Some(event) = event {
            self.record(owner, ownership.permit(event), detail, now)?;
        }
        if reissued {
            for grant in grants {
                let detail = Detail {
                    other: Some(grant.grantee_number()),
                    grant: Some(grant.id()),
                    subject: Some(grant.hash()),
                    ..none()
                };
                self.record(owner, ownership.permit(AuditEvent::Reissued), detail, now)?;
            }
        }
        Ok(())
    }
}

/// A compartment, or the drop box with epoch 0, with an empty feed.
pub(crate) fn new_feed(compartment: CompartmentId, epoch: u32) -> FeedState {
    FeedState {
        compartment,
        epoch,
        feed: Chain::EMPTY,
        node: feed_node(&compartment, &Chain::EMPTY),
    }
}
