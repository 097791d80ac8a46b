//! What is certified of an account, and its key chain, cut to what their reader may know.

use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault};
use ic_stable_structures::Memory;
use salus_protocol::certified::{FeedsShown, Shown};
use salus_protocol::grant::Access;
use salus_protocol::hash_tree;
use salus_types::api::{CertifiedHeads, Counterparty};
use salus_types::{AccountId, CompartmentId, Error, Result};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;

/// What someone is to an account.
enum Relation {
    /// Its owner.
    Owner,
    /// A grant is in force or a request open between the two.
    Dealing,
    /// It is in the directory, or in the reader's own audit chain.
    Public,
    /// Nothing but past entries in its audit chain.
    Former,
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    fn relation(&self, caller: u64, owner: &Owner, now: u64) -> Result<Relation> {
        if caller == owner.number {
            Ok(Relation::Owner)
        } else if self.are_dealing(owner.number, caller, now)? {
            Ok(Relation::Dealing)
        } else if owner.account.directory.is_some()
            || self.known_pseudonym(caller, owner.number)?.is_some()
        {
            Ok(Relation::Public)
        } else if self.known_pseudonym(owner.number, caller)?.is_some() {
            Ok(Relation::Former)
        } else {
            Err(Error::NotFound)
        }
    }

    /// The number of an account whose keys someone may see.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown account and for who may not see them, alike.
    pub(crate) fn may_see_keys(&self, reader: u64, account: &AccountId, now: u64) -> Result<u64> {
        let number = self.account_number(account)?.ok_or(Error::NotFound)?;
        let owner = self.load(number)?;
        match self.relation(reader, &owner, now)? {
            Relation::Former => Err(Error::NotFound),
            _ => Ok(number),
        }
    }

    /// The feeds that the grants of an account let a reader follow.
    fn readable(&self, owner: &Owner, reader: u64, now: u64) -> Result<Vec<CompartmentId>> {
        let mut readable = BTreeSet::new();
        for id in self.tie(owner.number, reader)?.grants {
            let Some((_, grant)) = self.grant(owner.number, &id)? else {
                continue;
            };
            let all = owner.outline.feeds.iter().filter(|f| f.epoch > 0);
            let covered = all.map(|f| f.compartment).filter(|c| {
                let access = Access::ListCompartment(*c);
                grant.covers(access, now).is_ok()
            });
            readable.extend(covered);
        }
        Ok(readable.into_iter().collect())
    }
}

/// The certified heads of an account. Its owner sees all leaves; who deals with it its audit
/// chain, keys, principals and the feeds their grants cover; who once did its audit chain; of an
/// account in the directory, or in the reader's own audit chain, anyone sees keys and principals.
///
/// # Errors
/// [`Error::NotFound`] for an unknown account and for who may see nothing of it, alike.
pub fn heads<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    account: AccountId,
) -> Result<CertifiedHeads> {
    let caller = vault.caller_number(call)?;
    let number = vault.account_number(&account)?.ok_or(Error::NotFound)?;
    let owner = vault.load(number)?;
    let audit = vault.known_pseudonym(number, caller)?.is_some();
    let who = owner
        .account
        .principals
        .iter()
        .map(|p| p.to_vec())
        .collect();
    let shown = match vault.relation(caller, &owner, call.now)? {
        Relation::Owner => Shown {
            audit: true,
            feeds: FeedsShown::All,
            keys: true,
            ledger: true,
            who,
        },
        Relation::Dealing => Shown {
            audit,
            feeds: FeedsShown::Some(vault.readable(&owner, caller, call.now)?),
            keys: true,
            ledger: false,
            who,
        },
        Relation::Public => Shown {
            audit,
            keys: true,
            who,
            ..Shown::default()
        },
        Relation::Former => Shown {
            audit,
            ..Shown::default()
        },
    };
    let certificate = vault
        .runtime
        .certificate()
        .ok_or_else(|| Error::Temporary {
            reason: "certificates come only by query".into(),
        })?;
    let witness = hash_tree::encode(&vault.witness(&owner, &shown)?);
    Ok(CertifiedHeads {
        number,
        certificate: ByteBuf::from(certificate),
        witness: ByteBuf::from(witness),
    })
}

/// The key chain of an account: one's own, of someone one deals with or has in one's audit chain,
/// or of someone in the directory.
///
/// # Errors
/// [`Error::NotFound`] for an unknown account and for who may not see it, alike.
pub fn chain_get<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    account: AccountId,
) -> Result<Counterparty> {
    let caller = vault.caller_number(call)?;
    let number = vault.may_see_keys(caller, &account, call.now)?;
    vault.counterparty(number)
}
