//! Who may do what. Every decision yields a [`Permit`] or a [`ReadPermit`]: proof that cannot be
//! copied or built elsewhere, carrying who, what and which. Must not know what is then written or
//! read.

use crate::owners::Owners;
use crate::rows::{AccountRow, GrantRow, Strangers};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_protocol::chain::AuditEvent;
use salus_protocol::grant::{APPEND, Access, Denial, Grant, Scope};
use salus_types::{AccountId, CompartmentId, Error, GrantId, Result};

/// Refusals to grantees that one audit chain lists in a window; further ones are counted with the
/// strangers', or who once had a grant could fill a chain.
const REFUSALS_LISTED: u64 = 32;
/// Length of that window: an hour.
const REFUSALS_WINDOW_MS: u64 = 3_600_000;

/// Someone may do one thing to one account. Consumed by [`Vault::record`], which appends the audit
/// entry.
#[must_use = "what was permitted must be recorded"]
pub(crate) struct Permit {
    owner: u64,
    actor: Option<u64>,
    event: AuditEvent,
    grant: Option<GrantId>,
}

impl Permit {
    pub(crate) fn owner(&self) -> u64 {
        self.owner
    }
    pub(crate) fn actor(&self) -> Option<u64> {
        self.actor
    }
    pub(crate) fn event(&self) -> AuditEvent {
        self.event
    }
    pub(crate) fn grant(&self) -> Option<GrantId> {
        self.grant
    }

    /// Someone without a grant acts towards an account: asks, under an invitation or a tie that
    /// the request endpoint has checked.
    pub(crate) fn by_requester(owner: u64, requester: u64) -> Self {
        Self {
            owner,
            actor: Some(requester),
            event: AuditEvent::Requested,
            grant: None,
        }
    }

    /// The vault notes something by itself.
    pub(crate) fn by_vault(owner: u64, event: AuditEvent) -> Self {
        Self {
            owner,
            actor: None,
            event,
            grant: None,
        }
    }

    /// A refusal to someone who has or had a grant.
    fn refusal(owner: u64, actor: u64, grant: GrantId) -> Self {
        Self {
            owner,
            actor: Some(actor),
            event: AuditEvent::Refused,
            grant: Some(grant),
        }
    }
}

/// The caller owns the account: what [`Vault::own`] found out.
pub(crate) struct Ownership {
    number: u64,
}

impl Ownership {
    /// Whoever opens an account, or shows a signature of its key, owns it.
    pub(crate) fn proven(number: u64) -> Self {
        Self { number }
    }

    /// A permit for one thing an owner may do.
    pub(crate) fn permit(&self, event: AuditEvent) -> Permit {
        Permit {
            owner: self.number,
            actor: Some(self.number),
            event,
            grant: None,
        }
    }
}

/// Someone may read one part of one account by a query.
#[must_use]
pub(crate) struct ReadPermit {
    owner: u64,
}

impl ReadPermit {
    pub(crate) fn owner(&self) -> u64 {
        self.owner
    }
}

/// A grant that the caller holds and that is not revoked. Times and scope are checked by
/// [`Held::permit`].
pub(crate) struct Held {
    owner: u64,
    grantee: u64,
    grant: Grant,
}

/// Why someone who named a grant is refused.
pub(crate) enum NotHeld {
    /// Has never had it; nobody's account is named if there is none.
    Stranger(Option<u64>),
    /// Has or had it.
    Holder {
        /// Whose account.
        owner: u64,
        /// Who.
        grantee: u64,
        /// What they are told.
        error: Error,
    },
    /// The vault cannot tell.
    Failed(Error),
}

impl From<Error> for NotHeld {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Held {
    pub(crate) fn owner(&self) -> u64 {
        self.owner
    }
    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    fn denied(&self, denial: Denial) -> NotHeld {
        let error = match denial {
            Denial::Expired => Error::Expired {
                what: "grant".into(),
                at: self.grant.expires,
            },
            Denial::TooEarly | Denial::Right | Denial::Scope => Error::NotFound,
        };
        NotHeld::Holder {
            owner: self.owner,
            grantee: self.grantee,
            error,
        }
    }

    /// Whether the grant covers an access now.
    pub(crate) fn covers(&self, access: Access, now: u64) -> std::result::Result<(), NotHeld> {
        self.grant
            .covers(access, now)
            .map_err(|denial| self.denied(denial))?;
        // Nobody but the owner sees what waits to be filed.
        let in_drop_box = matches!(
            access,
            Access::ListCompartment(CompartmentId::DROP_BOX)
                | Access::Read(CompartmentId::DROP_BOX, _)
        );
        if in_drop_box {
            Err(self.denied(Denial::Scope))
        } else {
            Ok(())
        }
    }

    /// A permit for one access.
    pub(crate) fn permit(
        &self,
        access: Access,
        event: AuditEvent,
        now: u64,
    ) -> std::result::Result<Permit, NotHeld> {
        self.covers(access, now)?;
        Ok(Permit {
            owner: self.owner,
            actor: Some(self.grantee),
            event,
            grant: Some(self.grant.id),
        })
    }

    /// Whether the grant lets anything be appended now.
    pub(crate) fn may_append(&self, now: u64) -> std::result::Result<(), NotHeld> {
        match &self.grant.scope {
            Scope::Records(list) if self.grant.rights & APPEND != 0 => {
                let first = list.first().ok_or_else(|| self.denied(Denial::Scope))?;
                self.covers(Access::Amend(CompartmentId::DROP_BOX, first.record), now)
            }
            _ => self.covers(Access::Append, now),
        }
    }
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// The caller's own account, to be worked on.
    pub(crate) fn own(&self, call: &Call) -> Result<(Owner, Ownership)> {
        self.own_among(&Owners::default(), call)
    }

    /// As [`Self::own`], as the call has left the account so far.
    pub(crate) fn own_among(&self, owners: &Owners, call: &Call) -> Result<(Owner, Ownership)> {
        let owner = owners.get(self, self.caller_number(call)?)?;
        let ownership = Ownership {
            number: owner.number,
        };
        Ok((owner, ownership))
    }

    /// A stored grant and its statement, which was checked when it was stored.
    pub(crate) fn grant(&self, owner: u64, id: &GrantId) -> Result<Option<(GrantRow, Grant)>> {
        let Some(row) = self.store.get::<GrantRow>(&GrantRow::key(owner, id))? else {
            return Ok(None);
        };
        let grant = minicbor::decode(&row.statement).map_err(|_| Error::internal("grant"))?;
        Ok(Some((row, grant)))
    }

    /// The grant that the caller names, if it is theirs and not revoked.
    pub(crate) fn held(
        &self,
        call: &Call,
        owner: &AccountId,
        id: &GrantId,
    ) -> std::result::Result<Held, NotHeld> {
        let grantee = self.caller_number(call)?;
        let Some(owner) = self.account_number(owner)? else {
            return Err(NotHeld::Stranger(None));
        };
        let Some((row, grant)) = self.grant(owner, id)? else {
            return Err(NotHeld::Stranger(Some(owner)));
        };
        if row.grantee != grantee {
            return Err(NotHeld::Stranger(Some(owner)));
        }
        if row.revoked.is_some() {
            return Err(NotHeld::Holder {
                owner,
                grantee,
                error: Error::NotFound,
            });
        }
        Ok(Held {
            owner,
            grantee,
            grant,
        })
    }

    /// Records a refusal made by an update, and gives the error to answer with. Holders are
    /// listed, strangers counted.
    pub(crate) fn refuse(&mut self, call: &Call, grant: &GrantId, why: NotHeld) -> Error {
        let outcome = match why {
            NotHeld::Failed(error) => return error,
            NotHeld::Stranger(None) => return Error::NotFound,
            NotHeld::Stranger(Some(owner)) => {
                self.count_stranger(call, owner).map(|()| Error::NotFound)
            }
            NotHeld::Holder {
                owner,
                grantee,
                error,
            } => self
                .record_refusal(call, owner, grantee, grant)
                .map(|()| error),
        };
        outcome.unwrap_or_else(|failed| failed)
    }

    /// As [`Self::refuse`], in the middle of a call that works on several accounts: what it did so
    /// far is written first, so that the refusal goes on from there.
    pub(crate) fn refuse_among(
        &mut self,
        owners: &mut Owners,
        call: &Call,
        grant: &GrantId,
        why: NotHeld,
    ) -> Error {
        match owners.save(self) {
            Ok(()) => self.refuse(call, grant, why),
            Err(failed) => failed,
        }
    }

    fn record_refusal(&mut self, call: &Call, owner: u64, by: u64, grant: &GrantId) -> Result<()> {
        let mut owner = self.load(owner)?;
        let window = owner.account.refusals.unwrap_or_default();
        let fresh = call.now.saturating_sub(window.since) >= REFUSALS_WINDOW_MS;
        let listed = if fresh { 0 } else { window.count };
        if listed >= REFUSALS_LISTED {
            return self.count_stranger(call, owner.number);
        }
        owner.account.refusals = Some(Strangers {
            since: if fresh { call.now } else { window.since },
            count: listed + 1,
        });
        let permit = Permit::refusal(owner.number, by, *grant);
        let nothing = crate::audit::Detail::default();
        self.record(&mut owner, permit, nothing, call.now)?;
        self.save(owner)
    }

    fn count_stranger(&mut self, call: &Call, owner: u64) -> Result<()> {
        let mut account: AccountRow = self.account(owner)?;
        if account.strangers.count == 0 {
            account.strangers.since = call.now;
        }
        account.strangers.count = account.strangers.count.saturating_add(1);
        self.put_account(owner, &account);
        self.settle();
        Ok(())
    }

    /// Whether the caller may read by a query: as the owner, or under a grant that covers it.
    pub(crate) fn may_read(
        &self,
        call: &Call,
        owner: &AccountId,
        grant: Option<&GrantId>,
        access: Access,
    ) -> Result<ReadPermit> {
        let Some(grant) = grant else {
            let caller = self.caller_number(call)?;
            if self.account_number(owner)? == Some(caller) {
                return Ok(ReadPermit { owner: caller });
            }
            return Err(Error::NotFound);
        };
        let decide = || {
            let held = self.held(call, owner, grant)?;
            held.covers(access, call.now)?;
            Ok(ReadPermit { owner: held.owner })
        };
        decide().map_err(|why| match why {
            NotHeld::Holder { error, .. } | NotHeld::Failed(error) => error,
            NotHeld::Stranger(_) => Error::NotFound,
        })
    }

    /// The caller reads their own account.
    pub(crate) fn may_read_own(&self, call: &Call) -> Result<ReadPermit> {
        Ok(ReadPermit {
            owner: self.caller_number(call)?,
        })
    }
}
