//! Taking an account back with the recovery phrase after someone stole its identity keys. Must not
//! trust anything that was signed after the theft.
//!
//! The ledger only grows, so what the owner sealed before is still in it, whatever a thief signed
//! since. From it come the keys; the recovery key overrides the thief's link; and the account master key
//! is made anew. Nothing tells a slot or a sign-in that a thief added with the identity key from one's
//! own: so all end, but the phrase, whoever calls, and what the owner names.

mod found;
mod replace;
mod rescue;

use super::{REBASES, SlotInfo, Unlocked};
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::ledger::Ledger;
use crate::people::current;
use candid::Principal;
use found::{Found, Own};
use rescue::Rescue;
use salus_crypto::hierarchy::Amk;
use salus_crypto::phrase::RecoveryPhrase;
use salus_crypto::sign::SigningKey;
use salus_crypto::slot::SlotSecret;
use salus_protocol::KeyChain;
use salus_protocol::keychain::Authority;
use salus_types::api::AccountInfo;
use salus_types::{AccountId, SlotId};

/// An account that can be taken back: what the phrase opens, and who else could open or call for it.
/// Nothing has changed yet.
pub struct Recovery {
    client: Client,
    info: AccountInfo,
    chain: KeyChain,
    ledger: Ledger,
    signing: SigningKey,
    secret: SlotSecret,
    own: Own,
    found: Found,
}

/// Has the vault take nothing from the account's other principals for some minutes: two claims by the
/// recovery key, of which the second holds the account, whatever a thief did in between.
async fn hold(client: &Client, account: AccountId, recovery: &SigningKey) -> Result<()> {
    for _ in 0..2 {
        let info = client.join(account, recovery).await?;
        if info.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
    }
    Ok(())
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recovery({}, secret)", self.info.account)
    }
}

/// What stays besides the phrase and whoever calls, on the owner's word: nothing else can tell whether a
/// thief added it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Ways to unlock.
    pub slots: Vec<SlotId>,
    /// Principals that may call for the account.
    pub principals: Vec<Principal>,
}

impl Client {
    /// Looks at what the phrase opens of its account, and at who else could. Joins the caller to the
    /// account if need be, and holds it for them: for ten minutes, and ten more from
    /// [`Recovery::take_back`] on, which does the rest, nobody else decides anything in it.
    ///
    /// # Errors
    /// [`ClientError::WrongPhrase`]; [`IntegrityError`] when the vault shows another account.
    pub async fn recovery(&self, phrase: &RecoveryPhrase) -> Result<Recovery> {
        let (info, _) = self.account_of_phrase(phrase).await?;
        let signing = phrase.derive_signing_key(self.vault_bytes());
        hold(self, info.account, &signing).await?;
        Recovery::look(self, signing, phrase.slot_secret()).await
    }
}

impl Recovery {
    async fn look(client: &Client, signing: SigningKey, secret: SlotSecret) -> Result<Self> {
        let info = client.account().await?.ok_or(ClientError::NoAccount)?;
        let chain = client.accept_chain(info.account, &info.chain).await?;
        if current(&chain)?.link.recovery != signing.public() {
            return Err(ClientError::WrongPhrase);
        }
        let scope = client.scope(info.account);
        let mut ledger = Ledger::empty(&chain);
        let mut found = Found::default();
        client
            .fold_ledger(info.account, &chain, &mut ledger, |_, after| {
                found.look(scope, &secret, &chain, after);
            })
            .await?;
        let own = found.own.take().ok_or(IntegrityError::Bundle)?;
        Ok(Self {
            client: client.clone(),
            info,
            chain,
            ledger,
            signing,
            secret,
            own,
            found,
        })
    }

    /// Ways to unlock as they stand in the ledger, the phrase's own (`in_use`) among them.
    pub fn slots(&self) -> Vec<SlotInfo> {
        let scope = self.client.scope(self.info.account);
        let used = |id| self.info.slots.iter().find(|used| used.slot == id);
        let slots = self.ledger.state.slots.values().map(|slot| SlotInfo {
            id: slot.id,
            kind: slot.kind,
            label: self.own.label(scope, slot),
            parameters: slot.parameters.clone(),
            last_used: used(slot.id).map(|used| used.at),
            in_use: slot.id == self.own.hold.slot && self.own.vouches_for(slot),
        });
        slots.collect()
    }

    /// Whether a way to unlock may be kept: it was there, and the same, under the newest keys that the
    /// phrase opens. One that was added since is not the owner's.
    pub fn may_keep(&self, slot: &SlotId) -> bool {
        let slot = self.ledger.state.slots.get(slot);
        slot.is_some_and(|slot| self.own.vouches_for(slot))
    }

    /// Principals that may call for the account, the caller among them, as the vault tells.
    pub fn principals(&self) -> &[Principal] {
        &self.info.principals
    }

    /// Makes new identity keys, authorised by the recovery phrase, which override whatever was appended
    /// to the key chain after the last keys this phrase can open; and a new account master key for the
    /// phrase and the slots that are kept. All other ways to unlock end, and all principals but the caller
    /// and those that are kept.
    ///
    /// What a thief did stays to be looked at: revoke the grants they gave, and make everything else anew
    /// with [`Unlocked::rotate_everything`], which goes on with what this began.
    ///
    /// # Errors
    /// [`ClientError::NoSuchSlot`] for one that may not be kept, before anything is done.
    /// [`ClientError::Conflict`] if the account changed meanwhile; that and whatever the vault may answer:
    /// beginning the recovery again takes it to its end.
    pub async fn take_back(self, kept: &Kept) -> Result<Unlocked> {
        self.overrule(kept, None).await
    }

    async fn overrule(mut self, kept: &Kept, next: Option<&RecoveryPhrase>) -> Result<Unlocked> {
        self.check(kept)?;
        let client = self.client.clone();
        hold(&client, self.info.account, &self.signing).await?;
        let signing = next.map(|phrase| phrase.derive_signing_key(client.vault_bytes()));
        let signing = signing.unwrap_or_else(|| self.signing.clone());
        let (mut rescue, interim) = self.begin(&client, kept, signing.public()).await?;
        self.signing = signing;
        if let Some(phrase) = next {
            self.secret = phrase.slot_secret();
            let scope = client.scope(self.info.account);
            self.own.hold = replace::hold_of(scope, &self.secret, &rescue.ledger.state)?;
        }
        rescue
            .rekey(
                &self.secret,
                &mut self.own,
                &interim,
                &self.found,
                &kept.slots,
            )
            .await?;
        let info = end_principals(&client, &self.signing, &kept.principals).await?;
        let chain = client.accept_chain(info.account, &info.chain).await?;
        if chain != rescue.chain {
            return Err(IntegrityError::KeyChanged {
                account: info.account,
            }
            .into());
        }
        // Folded again from operation 0, as every client will from now on.
        let ledger = client.load_ledger(&chain).await?;
        let unlocked = Unlocked::open(&client, info, chain, ledger, self.own.hold).await?;
        unlocked.reseal_profile().await?;
        Ok(unlocked)
    }

    fn check(&self, kept: &Kept) -> Result<()> {
        if kept.slots.iter().all(|slot| self.may_keep(slot)) {
            Ok(())
        } else {
            Err(ClientError::NoSuchSlot)
        }
    }

    /// Overrules what was signed last, which may be more than was looked at before.
    async fn begin<'a>(
        &mut self,
        client: &'a Client,
        kept: &Kept,
        next: [u8; 32],
    ) -> Result<(Rescue<'a>, Amk)> {
        for _ in 0..REBASES {
            let info = client.account().await?.ok_or(ClientError::NoAccount)?;
            if info.ledger != self.ledger.head {
                *self = Self::look(client, self.signing.clone(), self.secret.clone()).await?;
                self.check(kept)?;
            }
            // Whoever has the one before must not get the new identity keys.
            let interim = Amk::generate(self.ledger.state.generation)?;
            let mut own = self.own.clone();
            own.bundle.retire_amk(own.amk.clone());
            let (chain, ledger) = (self.chain.clone(), self.ledger.clone());
            let keys = (&self.signing, next);
            match Rescue::begin(client, keys, chain, ledger, &mut own, &interim).await {
                Err(ClientError::Conflict(_)) => {}
                Err(error) => return Err(error),
                Ok(rescue) => {
                    self.own = own;
                    return Ok((rescue, interim));
                }
            }
        }
        Err(ClientError::Conflict("the account"))
    }
}

/// Ends the right of all principals to call for the account, but of the caller and those kept. What the
/// identity key before signed is worth nothing by now, so none comes back.
async fn end_principals(
    client: &Client,
    recovery: &SigningKey,
    kept: &[Principal],
) -> Result<AccountInfo> {
    let mut info = client.account().await?.ok_or(ClientError::NoAccount)?;
    for principal in info.principals.clone() {
        if principal == client.caller() || kept.contains(&principal) {
            continue;
        }
        let (account, by) = (info.account, Authority::Recovery);
        info = client.disclaim(account, principal, by, recovery).await?;
    }
    Ok(info)
}
