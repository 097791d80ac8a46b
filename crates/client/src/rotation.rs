//! Rotating everything: account master key, identity keys, epochs, and the keys of what is filed. Must
//! not know how any of them is made or sealed.
//!
//! Nothing is noted down about it. A rotation is begun by the operation of the ledger that makes a new
//! account master key for every slot; how far it got is what has happened since: whether the identity
//! keys were made anew, which compartments got a new epoch, which grants in force convey those, and
//! which versions still lie under older ones. So it may be stopped anywhere, by anything, and gone on
//! with by any client of the account; and two at once do each other no harm.

use crate::error::{ClientError, Result};
use crate::keys::Keys;
use crate::ledger::Begun;
use crate::records::Survey;
use crate::session::{Appended, Unlocked};
use crate::sharing::Since;
use crate::surroundings::{Progress, go_on};
use candid::Principal;
use salus_protocol::grant::VersionRef;
use salus_types::api::AccountInfo;
use salus_types::{GrantId, SlotId};

/// How long after it began a rotation is gone on with. Later it would renew too little of what may
/// have been stolen since: another is begun, which does what was left undone as well.
const RESUMED_MS: u64 = 24 * 3_600_000;
/// How often another browser may be faster, or something may be found that was not filed anew.
const ROUNDS: usize = 8;

/// What a rotation of everything did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Whether it was begun by this call, or one that was stopped was gone on with.
    pub began: bool,
    /// Generation of the account master key in force.
    pub generation: u32,
    /// Versions whose keys were filed anew by this call.
    pub refiled: u64,
    /// Grants that were made anew by this call after the epochs had been advanced.
    pub reissued: Vec<GrantId>,
    /// Grants in force that could not be made anew: their grantees read nothing that is filed from now
    /// on until they are given again.
    pub left_behind: Vec<GrantId>,
    /// Versions whose keys do not open and were left as they are.
    pub unreadable: Vec<VersionRef>,
}

impl Unlocked {
    /// Makes everything anew that someone may have got hold of: the account master key, for all ways
    /// to unlock there are; the identity keys; an epoch for every compartment, which grants in force
    /// convey; and under these the keys of every version. Each step is one bounded call. A rotation
    /// that was stopped, here or elsewhere, within a day is gone on with.
    ///
    /// Earlier seeds and account master keys stay in the bundle, for what was sealed under them before.
    ///
    /// # Errors
    /// [`ClientError::Cancelled`] and whatever its steps may give: what was done stays, and calling it
    /// again goes on.
    pub async fn rotate_everything(&self, progress: &dyn Progress) -> Result<Rotated> {
        let mut survey = self.survey(progress).await?;
        let mut done = Rotated {
            began: self.begin_rotation(&survey).await?,
            ..Rotated::default()
        };
        go_on(progress)?;
        self.renew_identity().await?;
        go_on(progress)?;
        let kept = self.kept_epochs(&survey)?;
        self.advance_epochs(since, &kept).await?;
        let advanced = self.since()?;
        let (reissued, _) = self.reissue_behind(&advanced, &kept).await?;
        done.reissued = reissued;
        for _ in 0..ROUNDS {
            let refiled = self.refile(&survey, progress).await?;
            done.refiled = done.refiled.saturating_add(refiled);
            survey = self.survey(progress).await?;
            if !survey.is_behind(&advanced) {
                return self.finish_rotation(&survey, &advanced, done).await;
            }
        }
        Err(ClientError::Conflict("records"))
    }

    /// Locks out what is in other hands and makes everything anew that it may have known: these ways to
    /// unlock end, these principals too, and clients that are open elsewhere lock. It begins by beginning a
    /// rotation, also where one is unfinished that the other hands may have seen: stopped anywhere, it is
    /// seen to be unfinished. Calling it again, or [`Self::rotate_everything`] once nothing of it is left in
    /// the account, goes on.
    ///
    /// # Errors
    /// [`ClientError::Invalid`] for one's own principal or where no recovery phrase would stay, before
    /// anything is done; and as [`Self::rotate_everything`].
    pub async fn lock_out(
        &self,
        slots: &[SlotId],
        principals: &[Principal],
        progress: &dyn Progress,
    ) -> Result<Rotated> {
        if principals.contains(&self.client().caller()) {
            return Err(ClientError::Invalid {
                field: "principal",
                reason: "it is the one that calls",
            });
        }
        self.refresh().await?;
        let there = self.slots()?.into_iter().filter(|s| slots.contains(&s.id));
        let slots: Vec<SlotId> = there.map(|slot| slot.id).collect();
        // Refused before anything is done, if it is.
        self.with(|keys| self.rekey(keys, &slots).map(drop))?;
        let known = self.principals().await?;
        let principals = principals.iter().filter(|p| known.contains(p));
        let principals: Vec<Principal> = principals.copied().collect();
        if !slots.is_empty() || !principals.is_empty() {
            self.append(|keys| Ok((self.rekey(keys, &[])?, Vec::new())))
                .await?;
        }
        if !slots.is_empty() {
            self.remove_slots(&slots).await?;
        }
        for principal in principals {
            self.remove_principal(principal).await?;
        }
        self.lock_elsewhere().await?;
        self.rotate_everything(progress).await
    }

    /// What had too many keys to convey while old ones were in use may fit now.
    async fn finish_rotation(
        &self,
        survey: &Survey,
        advanced: &Since,
        mut done: Rotated,
    ) -> Result<Rotated> {
        let kept = self.kept_epochs(survey)?;
        let (reissued, left_behind) = self.reissue_behind(advanced, &kept).await?;
        done.reissued.extend(reissued);
        done.left_behind = left_behind;
        done.unreadable = survey.unreadable();
        done.generation = self.with(|keys| Ok(keys.amk.generation()))?;
        self.reseal_profile().await?;
        Ok(done)
    }

    /// Whether a rotation was begun and is not finished: [`Self::rotate_everything`] goes on with it, or
    /// after a day begins another, which does what was left undone as well.
    ///
    /// # Errors
    /// As [`Self::rotate_everything`].
    pub async fn has_unfinished_rotation(&self, progress: &dyn Progress) -> Result<bool> {
        let Some(begun) = self.begun()? else {
            return Ok(false);
        };
        let survey = self.survey(progress).await?;
        self.is_unfinished(&begun, &survey).await
    }

    /// Whether the profile, which a rotation seals last, still lies under an earlier account master key: a sign
    /// that one was stopped, for the price of looking at what the vault shows anyway.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn seems_unfinished(&self, shown: &AccountInfo) -> Result<bool> {
        Ok(self.begun()?.is_some() && !self.is_new(&shown.profile)?)
    }

    fn begun(&self) -> Result<Option<Begun>> {
        self.with(|keys| Ok(keys.ledger.begun.clone()))
    }

    fn since(&self) -> Result<Since> {
        self.with(|keys| Ok(since(keys).unwrap_or_default()))
    }

    /// Begins a rotation unless one is to be gone on with. Whether it did.
    async fn begin_rotation(&self, survey: &Survey) -> Result<bool> {
        let before = self.begun()?;
        if let Some(begun) = &before
            && self.client().now().saturating_sub(begun.at) <= RESUMED_MS
            && self.is_unfinished(begun, survey).await?
        {
            return Ok(false);
        }
        for _ in 0..ROUNDS {
            if self.begun()?.map(|b| b.seq) != before.as_ref().map(|b| b.seq) {
                return Ok(false);
            }
            let appended = self
                .try_append(|keys| Ok((self.rekey(keys, &[])?, Vec::new())))
                .await?;
            if let Appended::Done = appended {
                return Ok(true);
            }
        }
        Err(ClientError::Conflict("the account"))
    }

    /// Whether something is left to do of a rotation. What it does last is to seal the profile under the
    /// new account master key.
    async fn is_unfinished(&self, begun: &Begun, survey: &Survey) -> Result<bool> {
        let advanced = self.with(|keys| {
            let mut all = keys.all_epochs().keys();
            Ok(all.all(|id| begun.epochs.contains_key(id)))
        })?;
        if !begun.identity || !advanced || survey.is_behind(&begun.epochs) {
            return Ok(true);
        }
        let kept = self.kept_epochs(survey)?;
        Ok(self.has_grants_behind(&begun.epochs, &kept).await? || !self.profile_is_new().await?)
    }

    /// New identity keys, unless there are some since the rotation began.
    async fn renew_identity(&self) -> Result<()> {
        for _ in 0..ROUNDS {
            if self.begun()?.is_none_or(|begun| begun.identity) {
                return Ok(());
            }
            if let Appended::Done = self.try_rotate_identity().await? {
                return Ok(());
            }
        }
        Err(ClientError::Conflict("the account"))
    }
}

/// Epochs since the last rotation began.
fn since(keys: &Keys) -> Option<Since> {
    Some(keys.ledger.begun.as_ref()?.epochs.clone())
}
