//! Opening an account, who may call for it, and what its owner sees of it.

use crate::access::{Ownership, Permit};
use crate::audit::Detail;
use crate::certified::account_digest;
use crate::ledger::new_feed;
use crate::rows::{
    AccountIdRow, AccountRow, Chain, LinkRow, OutlineRow, PrincipalRow, ProfileRow, RecoveryRow,
    Strangers,
};
use crate::runtime::{Call, Runtime};
use crate::vault::{Owner, Vault, at_most, refused};
use candid::Principal;
use ic_stable_structures::Memory;
use minicbor::bytes::ByteVec;
use salus_protocol::KeyChain;
use salus_protocol::chain::AuditEvent;
use salus_protocol::keychain::{Authority, ChainError};
use salus_protocol::request::{Claim, Disclaim};
use salus_protocol::statement::{self, Statement};
use salus_types::api::{AccountCreate, AccountInfo, FeedHead, Signed, SignedLink, SlotUse, Usage};
use salus_types::{AccountId, CompartmentId, Error, Hash, Result, limits};
use serde_bytes::ByteBuf;

/// What a refused key chain or link answers.
pub(crate) fn refused_link(error: ChainError) -> Error {
    match error {
        ChainError::Statement(error) => refused(error),
        ChainError::TooLong => Error::TooMany {
            what: "links".into(),
            limit: salus_protocol::keychain::LINKS as u64,
        },
        other => Error::Invalid {
            field: "link".into(),
            reason: other.to_string(),
        },
    }
}

pub(crate) fn check_link_size(link: &SignedLink) -> Result<()> {
    at_most("link", link.statement.len(), limits::STATEMENT_BYTES)?;
    at_most("signature", link.signature.len(), 64)?;
    at_most("possession", link.possession.len(), 64)
}

pub(crate) fn link_row(link: SignedLink) -> LinkRow {
    LinkRow {
        statement: link.statement.into_vec(),
        signature: link.signature.into_vec(),
        possession: link.possession.into_vec(),
    }
}

/// Opens an account: genesis link, ledger operation 0 and profile, all or nothing. The same call
/// by the same caller again answers the same.
///
/// # Errors
/// [`Error::SignUpClosed`], [`Error::Conflict`] where caller or account id has an account, and
/// what is wrong with link or operation.
pub fn account_create<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    args: AccountCreate,
) -> Result<AccountInfo> {
    vault.admit(call)?;
    check_link_size(&args.genesis)?;
    at_most("profile", args.profile.len(), limits::NOTE_BYTES)?;
    let chain = KeyChain::genesis(&args.genesis, &vault.canister).map_err(refused_link)?;
    if let Some(number) = vault.principal_number(&call.caller)? {
        let owner = vault.load(number)?;
        if owner.account.genesis == chain.genesis_fingerprint() {
            return info(vault, owner);
        }
        return Err(Error::Conflict {
            what: "principal".into(),
        });
    }
    if !vault.settings.open_sign_up {
        return Err(Error::SignUpClosed);
    }
    if vault.account_number(&chain.account())?.is_some() {
        return Err(Error::Conflict {
            what: "account".into(),
        });
    }
    if vault.recovery_number(&genesis_recovery(&chain)?)?.is_some() {
        return Err(Error::Conflict {
            what: "recovery".into(),
        });
    }
    let number = vault.store.merkle.count();
    let mut owner = blank(number, &chain, call, vault.settings.upgrades)?;
    let op = vault.check_op(&owner, &args.ledger, Vec::new(), call.now)?;
    vault.random()?;

    let profile = ProfileRow(vault.store.large_put(&args.profile)?);
    vault.store.put(ProfileRow::key(number), &profile);
    vault.store.put(
        PrincipalRow::key(call.caller.as_slice()),
        &PrincipalRow(number),
    );
    vault
        .store
        .put(AccountIdRow::key(&owner.account.id), &AccountIdRow(number));
    vault
        .store
        .put(LinkRow::key(number, 0), &link_row(args.genesis));
    vault.store.put(
        RecoveryRow::key(&owner.account.recovery),
        &RecoveryRow(number),
    );
    vault.put_account(number, &owner.account);
    vault
        .store
        .merkle
        .push(&account_digest(&owner.account, &owner.outline))?;
    vault.apply_op(
        &mut owner,
        &Ownership::proven(number),
        op,
        &args.ledger,
        call.now,
    )?;
    vault.save(owner)?;
    info(vault, vault.load(number)?)
}

fn genesis_recovery(chain: &KeyChain) -> Result<[u8; 32]> {
    let current = chain.current();
    Ok(current
        .ok_or_else(|| Error::internal("key chain"))?
        .link
        .recovery)
}

fn blank(number: u64, chain: &KeyChain, call: &Call, upgrades: u64) -> Result<Owner> {
    let current = chain
        .current()
        .ok_or_else(|| Error::internal("key chain"))?;
    let account = AccountRow {
        id: chain.account(),
        genesis: chain.genesis_fingerprint(),
        link: current.hash,
        signing: current.link.signing,
        recovery: current.link.recovery,
        links: 1,
        principals: vec![ByteVec::from(call.caller.as_slice().to_vec())],
        ledger: Chain::EMPTY,
        audit: Chain::EMPTY,
        inbox: 0,
        next_blob: 0,
        bytes: 0,
        records: 0,
        live_grants: 0,
        grants_given: 0,
        grants_received: 0,
        requests_received: 0,
        requests_made: 0,
        pending_requests: 0,
        open_invitations: 0,
        open_uploads: 0,
        strangers: Strangers::default(),
        upgrades_seen: upgrades,
        directory: None,
        opened: call.now,
        refusals: None,
        pins: None,
        claims: None,
        recovery_room: None,
    };
    let outline = OutlineRow {
        generation: 0,
        slots: Vec::new(),
        feeds: vec![new_feed(CompartmentId::DROP_BOX, 0)],
    };
    Ok(Owner {
        number,
        account,
        outline,
    })
}

/// The account that a recovery key belongs to: for someone who has only the phrase. Whoever asks
/// must know the public key, which only the phrase and the account's counterparties tell.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Anonymous`].
pub fn account_find<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
    recovery: ByteBuf,
) -> Result<AccountId> {
    if call.caller == Principal::anonymous() {
        return Err(Error::Anonymous);
    }
    let key: [u8; 32] = recovery
        .as_slice()
        .try_into()
        .map_err(|_| Error::NotFound)?;
    let number = vault.recovery_number(&key)?.ok_or(Error::NotFound)?;
    Ok(vault.account(number)?.id)
}

/// The caller's own account.
///
/// # Errors
/// [`Error::NotFound`] if the caller has none.
pub fn account_show<R: Runtime, M: Memory>(
    vault: &Vault<R, M>,
    call: &Call,
) -> Result<AccountInfo> {
    info(vault, vault.load_caller(call)?)
}

fn info<R: Runtime, M: Memory>(vault: &Vault<R, M>, owner: Owner) -> Result<AccountInfo> {
    let Owner {
        number,
        account,
        outline,
    } = owner;
    let profile: Option<ProfileRow> = vault.store.get(&ProfileRow::key(number))?;
    let profile = match profile {
        Some(row) => vault.store.large_load(&row.0)?,
        None => Vec::new(),
    };
    let feeds = outline.feeds.iter();
    Ok(AccountInfo {
        account: account.id,
        number,
        principals: account
            .principals
            .iter()
            .filter_map(|p| Principal::try_from_slice(p).ok())
            .collect(),
        chain: vault.links(number)?,
        ledger: account.ledger.head(),
        audit: account.audit.head(),
        feeds: feeds
            .map(|f| FeedHead {
                compartment: f.compartment,
                head: f.feed.head(),
            })
            .collect(),
        profile: ByteBuf::from(profile),
        inbox: account.inbox,
        usage: Usage {
            bytes: account.bytes,
            quota: vault.settings.account_quota,
            records: account.records,
        },
        slots: outline
            .slots
            .iter()
            .filter_map(|s| {
                let at = s.used?;
                Some(SlotUse { slot: s.id, at })
            })
            .collect(),
    })
}

impl<R: Runtime, M: Memory> Vault<R, M> {
    /// The account number of a recovery key.
    pub(crate) fn recovery_number(&self, key: &[u8; 32]) -> Result<Option<u64>> {
        let row: Option<RecoveryRow> = self.store.get(&RecoveryRow::key(key))?;
        Ok(row.map(|row| row.0))
    }

    /// An account's key chain, genesis first.
    pub(crate) fn links(&self, number: u64) -> Result<Vec<SignedLink>> {
        let prefix = LinkRow::prefix(number);
        self.store
            .scan::<LinkRow>(prefix, prefix)
            .map(|found| {
                let (_, row) = found?;
                Ok(SignedLink {
                    statement: ByteBuf::from(row.statement),
                    signature: ByteBuf::from(row.signature),
                    possession: ByteBuf::from(row.possession),
                })
            })
            .collect()
    }

    fn claimed<T: Statement>(
        &self,
        call: &Call,
        signed: &Signed,
        parts: impl Fn(&T) -> (AccountId, Authority, u64),
    ) -> Result<(Owner, T)> {
        at_most("statement", signed.statement.len(), limits::STATEMENT_BYTES)?;
        let claim: T = statement::decode_for(&signed.statement, &self.canister).map_err(refused)?;
        let (account, by, at) = parts(&claim);
        if at.abs_diff(call.now) > limits::CLOCK_SKEW_MS {
            return Err(Error::Expired {
                what: "statement".into(),
                at,
            });
        }
        let number = self.account_number(&account)?.ok_or(Error::NotFound)?;
        let owner = self.load(number)?;
        let key = match by {
            Authority::Identity => owner.account.signing,
            Authority::Recovery => owner.account.recovery,
        };
        // An account that is not there and one whose key the caller has not answer alike.
        let claim = statement::verify::<T>(signed, &self.canister, &key);
        Ok((owner, claim.map_err(|_| Error::NotFound)?))
    }
}

/// Lets the caller call for an account, on the word of its identity or recovery key. Losing a
/// login loses nothing.
///
/// # Errors
/// [`Error::NotFound`] for an unknown account or a wrong key alike, [`Error::Conflict`] if the
/// caller has another account, [`Error::Expired`] if the claim is older than five minutes, or not later than
/// the last removal of a principal; by the recovery key, than anything that it signed about principals.
pub fn principal_claim<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    claim: Signed,
) -> Result<AccountInfo> {
    vault.admit(call)?;
    let (mut owner, claim) = vault.claimed(call, &claim, |c: &Claim| (c.account, c.by, c.at))?;
    if claim.principal != call.caller.as_slice() {
        return Err(Error::invalid("principal", "is not the caller"));
    }
    match vault.principal_number(&call.caller)? {
        Some(number) if number == owner.number => return claim_again(vault, call, owner, &claim),
        Some(_) => {
            return Err(Error::Conflict {
                what: "principal".into(),
            });
        }
        None => {}
    }
    let mut claims = owner.account.claims.unwrap_or_default();
    claims.claim(claim.by, claim.at).map_err(used_before)?;
    if claim.by == Authority::Recovery {
        claims.hold(principal_subject(&claim.principal), call.now);
    }
    let limit = match claim.by {
        Authority::Identity => limits::PRINCIPALS,
        Authority::Recovery => limits::RECOVERED_PRINCIPALS,
    };
    if owner.account.principals.len() as u64 >= limit {
        return Err(Error::TooMany {
            what: "principals".into(),
            limit,
        });
    }
    vault.ensure_pseudonym(owner.number, owner.number)?;
    owner.account.claims = Some(claims);
    let at = owner
        .account
        .principals
        .partition_point(|p| p.as_slice() < claim.principal.as_slice());
    owner
        .account
        .principals
        .insert(at, ByteVec::from(claim.principal.clone()));
    vault.store.put(
        PrincipalRow::key(&claim.principal),
        &PrincipalRow(owner.number),
    );
    let subject = Some(principal_subject(&claim.principal));
    let permit = Ownership::proven(owner.number).permit(AuditEvent::PrincipalAdded);
    record(vault, &mut owner, permit, subject, call.now)?;
    let number = owner.number;
    vault.save(owner)?;
    info(vault, vault.load(number)?)
}

/// A claim of one who has joined already: by the recovery key it may hold the account.
fn claim_again<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    mut owner: Owner,
    claim: &Claim,
) -> Result<AccountInfo> {
    let mut claims = owner.account.claims.unwrap_or_default();
    if claim.by == Authority::Identity {
        return info(vault, owner);
    }
    claims.claim(claim.by, claim.at).map_err(used_before)?;
    claims.hold(principal_subject(&claim.principal), call.now);
    owner.account.claims = Some(claims);
    let number = owner.number;
    vault.save(owner)?;
    info(vault, vault.load(number)?)
}

/// Ends a principal's right to call for an account, on the word of its identity or recovery key.
/// The last one stays: an account without any could be claimed but not found.
///
/// # Errors
/// As [`principal_claim`]; [`Error::Expired`] too if it is not later than the last claim that was used.
/// [`Error::Invalid`] for the last principal.
pub fn principal_remove<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    disclaim: Signed,
) -> Result<AccountInfo> {
    vault.admit(call)?;
    let (mut owner, claim) =
        vault.claimed(call, &disclaim, |c: &Disclaim| (c.account, c.by, c.at))?;
    if !owner.account.has_principal(call.caller.as_slice()) {
        return Err(Error::NotFound);
    }
    if !owner.account.has_principal(&claim.principal) {
        return info(vault, owner);
    }
    if claim.by == Authority::Identity {
        let caller = call.caller.as_slice();
        owner.account.check_held(caller, call.now)?;
    }
    if owner.account.principals.len() < 2 {
        return Err(Error::invalid("principal", "is the account's last one"));
    }
    let mut claims = owner.account.claims.unwrap_or_default();
    let taken = claims.disclaim(claim.by, claim.at, call.now);
    taken.map_err(used_before)?;
    owner
        .account
        .principals
        .retain(|p| p.as_slice() != claim.principal);
    owner.account.claims = Some(claims);
    vault
        .store
        .remove::<PrincipalRow>(&PrincipalRow::key(&claim.principal));
    let subject = Some(principal_subject(&claim.principal));
    let permit = Ownership::proven(owner.number).permit(AuditEvent::PrincipalRemoved);
    record(vault, &mut owner, permit, subject, call.now)?;
    let number = owner.number;
    vault.save(owner)?;
    info(vault, vault.load(number)?)
}

fn used_before(at: u64) -> Error {
    Error::Expired {
        what: "statement".into(),
        at,
    }
}

fn principal_subject(principal: &[u8]) -> Hash {
    statement::sha256(principal)
}

fn record<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    owner: &mut Owner,
    permit: Permit,
    subject: Option<Hash>,
    now: u64,
) -> Result<()> {
    vault.record(
        owner,
        permit,
        Detail {
            subject,
            ..Detail::default()
        },
        now,
    )
}

/// Replaces the caller's sealed profile note.
///
/// # Errors
/// [`Error::NotFound`], [`Error::TooLarge`].
pub fn profile_set<R: Runtime, M: Memory>(
    vault: &mut Vault<R, M>,
    call: &Call,
    profile: ByteBuf,
) -> Result<()> {
    vault.admit(call)?;
    at_most("profile", profile.len(), limits::NOTE_BYTES)?;
    let number = vault.caller_number(call)?;
    let key = ProfileRow::key(number);
    if let Some(old) = vault.store.get::<ProfileRow>(&key)? {
        vault.store.large_free(&old.0)?;
    }
    let row = ProfileRow(vault.store.large_put(&profile)?);
    vault.store.put(key, &row);
    vault.settle();
    Ok(())
}
