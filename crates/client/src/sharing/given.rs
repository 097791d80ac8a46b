//! Grants one has given: listed against the ledger, given on request or unasked. Must not revoke.

use super::build::{GrantNote, Kept, Plan};
use super::requests::IncomingRequest;
use crate::error::{ClientError, IntegrityError, Result};
use crate::people::{Contact, verify_under};
use crate::records::Survey;
use crate::session::{Appended, Unlocked};
use crate::surroundings::Quiet;
use salus_crypto::commitment::commit_purpose;
use salus_crypto::{note, random_id};
use salus_protocol::canonical;
use salus_protocol::grant::{Conveyed, Grant, READ, Scope, VersionRef};
use salus_protocol::ledger::{Change, Pin};
use salus_protocol::statement;
use salus_types::api::{GrantPage, GrantStatus, GrantView};
use salus_types::{GrantId, RequestId};
use std::collections::BTreeMap;

/// Epochs beyond which a new grant conveys only those in use. A grant's statement has room for about
/// 260.
const MANY_EPOCHS: usize = 128;

/// The terms of a grant about to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// To what.
    pub scope: Scope,
    /// [`crate::READ`] and [`crate::APPEND`], or'ed.
    pub rights: u8,
    /// Whether later versions of single records are granted too: see [`Unlocked::follow_records`].
    pub follows: bool,
    /// From when, ms since 1970; now if absent.
    pub not_before: Option<u64>,
    /// Until when, ms since 1970.
    pub expires: u64,
    /// What for, in words; sealed.
    pub purpose: String,
    /// What the owner wants to be called by the grantee; sealed.
    pub owner_name: Option<String>,
    /// What the owner calls the grantee; sealed for the owner. Their published name if absent.
    pub grantee_name: Option<String>,
    /// The grantee's capacity, noted for the owner. Their published one if absent.
    pub specialty: Option<String>,
}

/// Where a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantPhase {
    /// Not in force yet.
    Upcoming,
    /// In force.
    Active,
    /// Its time has passed.
    Expired,
    /// Taken back; when, ms since 1970, as the vault tells.
    Revoked {
        /// When.
        at: u64,
    },
}

impl GrantPhase {
    pub(crate) fn of(grant: &Grant, status: &GrantStatus, now: u64) -> Self {
        match status {
            GrantStatus::Revoked(at) => Self::Revoked { at: *at },
            GrantStatus::Live if now >= grant.expires => Self::Expired,
            GrantStatus::Live if now < grant.not_before => Self::Upcoming,
            GrantStatus::Live => Self::Active,
        }
    }
}

/// A grant one has given.
#[derive(Clone, Debug)]
pub struct GivenGrant {
    /// The statement, as signed.
    pub grant: Grant,
    /// To whom.
    pub grantee: Contact,
    /// What for, as the owner noted it.
    pub purpose: Option<String>,
    /// What the owner calls the grantee.
    pub grantee_name: Option<String>,
    /// In what capacity.
    pub specialty: Option<String>,
    /// Where it stands.
    pub phase: GrantPhase,
    pub(crate) note: Option<GrantNote>,
}

impl GivenGrant {
    /// The epochs it conveys.
    fn conveyed(&self) -> Kept {
        let mut out = Kept::new();
        for conveyed in &self.grant.conveys {
            if let Conveyed::Epoch {
                compartment, epoch, ..
            } = conveyed
            {
                out.entry(*compartment).or_default().insert(*epoch);
            }
        }
        out
    }
}

impl Unlocked {
    /// What the vault shows of all grants one gave, or was given.
    pub(crate) async fn grant_views(&self, method: &'static str) -> Result<Vec<GrantView>> {
        let mut out: Vec<GrantView> = Vec::new();
        let mut cursor: Option<u64> = None;
        loop {
            let page: GrantPage = self.client().query(method, (cursor,)).await?;
            let empty = page.items.is_empty();
            out.extend(page.items);
            if page.next.is_none() {
                return Ok(out);
            }
            if empty || page.next == cursor {
                return Err(IntegrityError::Malformed("a page that leads nowhere").into());
            }
            cursor = page.next;
        }
    }

    /// Grants one has given, newest first: exactly those the ledger names.
    ///
    /// # Errors
    /// [`IntegrityError::Grant`] when one is withheld, an older revision, or not what was signed.
    pub async fn grants(&self) -> Result<Vec<GivenGrant>> {
        match self.grants_once().await {
            // Another browser may have changed one meanwhile.
            Err(ClientError::Integrity(IntegrityError::Grant(_))) => {
                self.refresh().await?;
                self.grants_once().await
            }
            other => other,
        }
    }

    async fn grants_once(&self) -> Result<Vec<GivenGrant>> {
        let views = self.grant_views("grant_list").await?;
        let mut out = Vec::with_capacity(views.len());
        for view in &views {
            out.push(self.read_given(view).await?);
        }
        let missing = self.with(|keys| {
            let missing = |id: &GrantId| !out.iter().any(|g| g.grant.id == *id);
            Ok(keys.ledger.state.grants.keys().any(missing))
        })?;
        if missing {
            return Err(IntegrityError::Grant("the list").into());
        }
        Ok(out)
    }

    pub(super) async fn read_given(&self, view: &GrantView) -> Result<GivenGrant> {
        let (own, state) = self.with(|keys| {
            let state = keys.ledger.state.grants.get(&view.grant).cloned();
            Ok((keys.chain.clone(), state))
        })?;
        let state = state.ok_or(IntegrityError::Grant("the list"))?;
        if statement::hash_of::<Grant>(&view.statement.statement) != state.entry.statement {
            return Err(IntegrityError::Grant("the statement").into());
        }
        // The ledger holds its hash, so the link need not be in force, nor in the chain any more.
        let grant: Grant =
            statement::decode_for(&view.statement.statement, self.client().vault_bytes())?;
        if own.link(&grant.owner_link).is_some() {
            verify_under(
                &view.statement,
                self.client().vault_bytes(),
                &own,
                |g: &Grant| g.owner_link,
            )?;
        }
        if state.revoked != matches!(view.status, GrantStatus::Revoked(_)) {
            return Err(IntegrityError::Grant("its revocation").into());
        }
        if view.counterparty.account != grant.grantee || grant.id != view.grant {
            return Err(IntegrityError::Grant("the grantee").into());
        }
        let grantee = self.client().contact(&view.counterparty).await?;
        let grantee = self.weigh(grantee).await?;
        let note = self.with(|keys| {
            let opened = keys
                .open_note(|amk| note::open_owner_note(amk, self.scope(), grant.id, &view.note));
            let note = opened
                .ok()
                .and_then(|bytes| canonical::decode::<GrantNote>(&bytes).ok());
            // A note that is not about this grant is as good as none.
            Ok(note.filter(|n| {
                n.salt()
                    .is_ok_and(|salt| commit_purpose(&salt, &n.purpose) == grant.purpose)
            }))
        })?;
        Ok(GivenGrant {
            purpose: note.as_ref().map(|n| n.purpose.clone()),
            grantee_name: note.as_ref().and_then(|n| n.grantee_name.clone()),
            specialty: note.as_ref().and_then(|n| n.specialty.clone()),
            phase: GrantPhase::of(&grant, &view.status, self.client().now()),
            grantee,
            grant,
            note,
        })
    }

    /// Answers a request with a grant, whose terms may be narrower than what was asked.
    ///
    /// # Errors
    /// As [`Self::give`]; [`ClientError::Conflict`] if it was decided already.
    pub async fn approve(&self, request: &IncomingRequest, terms: &Terms) -> Result<GrantId> {
        let mut terms = terms.clone();
        let ask = &request.ask;
        terms
            .grantee_name
            .get_or_insert_with(|| ask.requester_name.clone());
        if terms.specialty.is_none() {
            terms.specialty.clone_from(&ask.specialty);
        }
        self.grant(&request.requester, &terms, Some(request.id))
            .await
    }

    /// Gives access unasked.
    ///
    /// # Errors
    /// [`ClientError::KeysChanged`] until the grantee's new keys are accepted;
    /// [`ClientError::Invalid`] for terms that are not sound; [`ClientError::NotFound`] for a
    /// compartment or record that is not there; the vault's limits.
    pub async fn give(&self, to: &Contact, terms: &Terms) -> Result<GrantId> {
        self.grant(to, terms, None).await
    }

    async fn grant(
        &self,
        to: &Contact,
        terms: &Terms,
        request: Option<RequestId>,
    ) -> Result<GrantId> {
        let contact = self.weigh(to.clone()).await?;
        contact.check_accepted()?;
        let mut scope = terms.scope.clone();
        match &mut scope {
            Scope::Everything => {}
            Scope::Compartments(list) => {
                list.sort_unstable();
                list.dedup();
                self.with(|keys| list.iter().try_for_each(|id| keys.epochs(id).map(drop)))?;
            }
            Scope::Records(list) => {
                list.sort_unstable();
                list.dedup();
            }
        }
        let plan = Plan {
            id: GrantId(random_id()?),
            revision: 1,
            versions: self.version_keys(&scope).await?,
            scope,
            rights: terms.rights,
            not_before: terms.not_before.unwrap_or_else(|| self.client().now()),
            expires: terms.expires,
            request,
            follows: terms.follows,
            note: GrantNote::new(terms, &contact)?,
            kept: self.kept_if_many(&terms.scope).await?,
            contact,
        };
        self.append(|keys| {
            if let Some(request) = request
                && keys.ledger.state.decisions.contains_key(&request)
            {
                return Err(ClientError::Conflict("request"));
            }
            let (grant, payload) = self.build(keys, &plan, &[])?;
            let pin = Pin {
                account: plan.contact.account,
                genesis: plan.contact.genesis(),
                link: plan.contact.current()?.hash,
                by: None,
            };
            let change = Change::Grant {
                grant,
                request,
                pin,
            };
            Ok((change, vec![payload]))
        })
        .await?;
        Ok(plan.id)
    }

    /// Epochs that a new grant has to convey: those in use, where there are so many that not all of
    /// them go into a grant's statement.
    async fn kept_if_many(&self, scope: &Scope) -> Result<Option<Kept>> {
        let count = self.with(|keys| {
            let all = keys.all_epochs().iter();
            let reached = all.filter(|(id, _)| match scope {
                Scope::Everything => true,
                Scope::Compartments(list) => list.contains(id),
                Scope::Records(_) => false,
            });
            Ok(reached.map(|(_, epochs)| epochs.len()).sum::<usize>())
        })?;
        if count <= MANY_EPOCHS {
            return Ok(None);
        }
        let survey = self.survey(&Quiet).await?;
        Ok(Some(self.kept_epochs(&survey)?))
    }

    /// Epochs that something needs: the newest ones, and those that versions lie under.
    pub(crate) fn kept_epochs(&self, survey: &Survey) -> Result<Kept> {
        let mut kept = survey.in_use();
        self.with(|keys| {
            for (id, epochs) in keys.all_epochs() {
                let newest = u32::try_from(epochs.len()).unwrap_or(u32::MAX);
                kept.entry(*id).or_default().insert(newest);
            }
            Ok(kept)
        })
    }

    /// The keys of the versions a scope names.
    pub(super) async fn version_keys(
        &self,
        scope: &Scope,
    ) -> Result<BTreeMap<VersionRef, salus_crypto::hierarchy::VersionKeys>> {
        let mut out = BTreeMap::new();
        if let Scope::Records(list) = scope {
            for at in list {
                let views = self.record_views(at.record, Some(at.version)).await?;
                let view = views.first().ok_or(ClientError::NotFound("record"))?;
                let (_, _, keys) = self
                    .own_item(&mut crate::records::Authors::default(), view)
                    .await?;
                out.insert(*at, keys);
            }
        }
        Ok(out)
    }

    /// Denies a request.
    ///
    /// # Errors
    /// [`ClientError::Conflict`] if it was decided already; whatever an append may give.
    pub async fn deny(&self, request: RequestId) -> Result<()> {
        self.append(|keys| {
            if keys.ledger.state.decisions.contains_key(&request) {
                return Err(ClientError::Conflict("request"));
            }
            Ok((Change::Deny { request }, Vec::new()))
        })
        .await
    }

    /// A grant in force, as it would be made anew; `None` if its note does not open any more, or its
    /// grantee's keys changed and were not accepted, or are another account's by now.
    pub(super) fn plan_again(given: &GivenGrant) -> Option<Plan> {
        let theirs = given.grantee.genesis() == given.grant.grantee_genesis;
        if given.grantee.is_changed() || !theirs {
            return None;
        }
        Some(Plan {
            id: given.grant.id,
            revision: given.grant.revision,
            contact: given.grantee.clone(),
            scope: given.grant.scope.clone(),
            rights: given.grant.rights,
            not_before: given.grant.not_before,
            expires: given.grant.expires,
            request: given.grant.request,
            follows: given.grant.follows(),
            note: given.note.clone()?,
            kept: Some(given.conveyed()),
            versions: BTreeMap::new(),
        })
    }

    /// Grants over everything that are not over, to be made anew when a compartment is added; and those
    /// of them that may read and cannot be.
    pub(crate) async fn grants_over_everything(&self) -> Result<(Vec<Plan>, Vec<GrantId>)> {
        let any = self.with(|keys| {
            let now = self.client().now();
            let live = |g: &salus_protocol::ledger::GrantState| !g.revoked && g.entry.expires > now;
            Ok(keys.ledger.state.grants.values().any(live))
        })?;
        let (mut plans, mut left_behind) = (Vec::new(), Vec::new());
        if !any {
            return Ok((plans, left_behind));
        }
        for given in self.grants().await? {
            let live = matches!(given.phase, GrantPhase::Active | GrantPhase::Upcoming);
            if given.grant.scope != Scope::Everything || !live {
                continue;
            }
            match Self::plan_again(&given) {
                Some(plan) => plans.push(plan),
                None if given.grant.rights & READ != 0 => left_behind.push(given.grant.id),
                None => {}
            }
        }
        Ok((plans, left_behind))
    }
}

// Used by sharing::revoke as well.
pub(super) const fn is_done(appended: &Appended) -> bool {
    matches!(appended, Appended::Done)
}
