//! The audit chain: the only place that appends to it, each time by consuming a permit. Owns
//! pseudonyms and their salts. Must not know why something was permitted.

use crate::access::Permit;
use crate::rows::{AuditRow, PseudonymRow, SaltRow};
use crate::runtime::Runtime;
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_protocol::canonical;
use salus_protocol::chain::{self, AUDIT_LABEL, AuditEntry, AuditEvent};
use salus_types::{CompartmentId, Error, GrantId, Hash, RecordId, RequestId, Result, SlotId};

/// What an entry says besides who, what and under which grant.
#[derive(Default)]
pub(crate) struct Detail {
    /// Number of the account it concerns besides.
    pub(crate) other: Option<u64>,
    /// The grant it is about, where it was not made under one.
    pub(crate) grant: Option<GrantId>,
    pub(crate) request: Option<RequestId>,
    pub(crate) compartment: Option<CompartmentId>,
    pub(crate) record: Option<RecordId>,
    pub(crate) version: Option<u32>,
    pub(crate) slot: Option<SlotId>,
    pub(crate) count: Option<u64>,
    pub(crate) subject: Option<Hash>,
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// The pseudonym of an account in an owner's chain, if it has one.
    pub(crate) fn known_pseudonym(&self, owner: u64, number: u64) -> Result<Option<SaltRow>> {
        Ok(self.store.get(&SaltRow::key(owner, number))?)
    }

    /// The pseudonym of an account in an owner's chain, made at first need.
    fn pseudonym(&mut self, owner: u64, number: u64) -> Result<Hash> {
        if let Some(known) = self.known_pseudonym(owner, number)? {
            return Ok(known.pseudonym);
        }
        let salt = self.random()?;
        let account = self.account_id_of(number)?;
        let pseudonym = chain::pseudonym(&salt, &account);
        self.store
            .put(SaltRow::key(owner, number), &SaltRow { salt, pseudonym });
        self.store.put(
            PseudonymRow::key(owner, &pseudonym),
            &PseudonymRow { number, account },
        );
        Ok(pseudonym)
    }

    fn account_id_of(&self, number: u64) -> Result<salus_types::AccountId> {
        Ok(self.account(number)?.id)
    }

    /// Makes sure that an account has a pseudonym in an owner's chain, so that recording cannot
    /// fail for want of randomness after something was written.
    pub(crate) fn ensure_pseudonym(&mut self, owner: u64, number: u64) -> Result<()> {
        self.pseudonym(owner, number).map(drop)
    }

    /// Appends the entry that a permit asks for. Entries about upgrades and refused strangers that
    /// are due go before it.
    pub(crate) fn record(
        &mut self,
        owner: &mut Owner,
        permit: Permit,
        detail: Detail,
        now: u64,
    ) -> Result<()> {
        if permit.owner() != owner.number {
            return Err(Error::internal("permit"));
        }
        self.record_due(owner, now)?;
        self.append(owner, permit, detail, now)
    }

    fn record_due(&mut self, owner: &mut Owner, now: u64) -> Result<()> {
        let upgrades = self.settings.upgrades;
        if owner.account.upgrades_seen < upgrades {
            let count = upgrades - owner.account.upgrades_seen;
            owner.account.upgrades_seen = upgrades;
            let permit = Permit::by_vault(owner.number, AuditEvent::Upgraded);
            self.append(
                owner,
                permit,
                Detail {
                    count: Some(count),
                    ..Detail::default()
                },
                now,
            )?;
        }
        if owner.account.strangers.count > 0 {
            let count = owner.account.strangers.count;
            owner.account.strangers = crate::rows::Strangers::default();
            let permit = Permit::by_vault(owner.number, AuditEvent::StrangersRefused);
            self.append(
                owner,
                permit,
                Detail {
                    count: Some(count),
                    ..Detail::default()
                },
                now,
            )?;
        }
        Ok(())
    }

    fn append(
        &mut self,
        owner: &mut Owner,
        permit: Permit,
        detail: Detail,
        now: u64,
    ) -> Result<()> {
        let actor = match permit.actor() {
            Some(number) => Some(self.pseudonym(owner.number, number)?),
            None => None,
        };
        let other = match detail.other {
            Some(number) => Some(self.pseudonym(owner.number, number)?),
            None => None,
        };
        let head = owner.account.audit;
        let entry = AuditEntry {
            seq: head.count,
            at: now,
            event: permit.event(),
            actor,
            other,
            grant: permit.grant().or(detail.grant),
            request: detail.request,
            compartment: detail.compartment,
            record: detail.record,
            version: detail.version,
            slot: detail.slot,
            count: detail.count,
            subject: detail.subject,
        };
        let bytes = canonical::encode(&entry);
        let hash = chain::entry_hash(&bytes);
        owner.account.audit = chain::extend(AUDIT_LABEL, &head.head(), &hash).into();
        self.store
            .put(AuditRow::key(owner.number, head.count), &AuditRow(bytes));
        Ok(())
    }
}
