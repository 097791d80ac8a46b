//! Taking an account back with the recovery phrase after someone stole its identity keys. Must not
//! trust anything that was signed after the theft.

use super::Unlocked;
use super::create::sign_link;
use super::rotate::pushed;
use crate::client::Client;
use crate::error::{ClientError, IntegrityError, Result};
use crate::keys::{SlotHold, open_slot, seeds_fit};
use crate::ledger::{Ledger, sign};
use salus_crypto::VaultScope;
use salus_crypto::hierarchy::{Amk, IdentityBundle, IdentitySeeds};
use salus_crypto::phrase::RecoveryPhrase;
use salus_protocol::KeyChain;
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::ledger::{Change, LedgerOp, SlotKind};
use salus_protocol::statement;
use salus_types::api::{Head, KeyRotate};

/// The newest keys that were the owner's own.
struct Own {
    hold: SlotHold,
    amk: Amk,
    bundle: IdentityBundle,
    /// Place in the key chain of the link the bundle fits.
    index: u32,
}

impl Client {
    /// Makes new identity keys authorised by the recovery phrase, which override whatever was
    /// appended to the key chain after the last keys this phrase can open. Also joins the caller to
    /// the account if need be. Grants a thief gave are listed like any other: revoke them next.
    ///
    /// # Errors
    /// [`ClientError::WrongPhrase`]; [`ClientError::NotSupported`] if the thief also had the account
    /// master key and replaced it; [`IntegrityError`].
    pub async fn recover(&self, phrase: &RecoveryPhrase) -> Result<Unlocked> {
        let (info, chain) = self.account_of_phrase(phrase).await?;
        let scope = self.scope(info.account);
        let mut ledger = Ledger::empty(&chain);
        let mut own = None;
        self.follow_ledger(info.account, &chain, &mut ledger, |op, after| {
            if matches!(
                op.change,
                Change::Open { .. } | Change::Rekey { .. } | Change::Rotate { .. }
            ) && let Some(found) = own_keys(scope, phrase, &chain, after)
            {
                own = Some(found);
            }
        })
        .await?;
        let own = own.ok_or(IntegrityError::Bundle)?;
        if own.amk.generation() != ledger.state.generation {
            return Err(ClientError::NotSupported(
                "the account master key was replaced by someone else",
            ));
        }
        let (rotate, own) = self.plan_override(phrase, &chain, &ledger, own)?;
        let mut next = chain.clone();
        next.append(&rotate.link, self.vault_bytes())?;
        let after = pushed(ledger, &rotate.op, self.vault_bytes(), &next)?;
        let head: Head = self.update("key_rotate", (rotate,)).await?;
        if head != after.head {
            return Err(IntegrityError::LedgerKeys.into());
        }
        let info = self.account().await?.ok_or(ClientError::NoAccount)?;
        let (chain, _) = self.accept_chain(info.account, &info.chain).await?;
        if chain != next {
            return Err(IntegrityError::KeyChanged {
                account: info.account,
            }
            .into());
        }
        // Folded again from operation 0, as every client will from now on.
        let ledger = self.load_ledger(&chain).await?;
        Unlocked::open(self, info, chain, ledger, own.hold).await
    }

    fn plan_override(
        &self,
        phrase: &RecoveryPhrase,
        chain: &KeyChain,
        ledger: &Ledger,
        mut own: Own,
    ) -> Result<(KeyRotate, Own)> {
        let account = chain.account();
        let scope = self.scope(account);
        let before = chain
            .links()
            .get(own.index as usize)
            .ok_or(IntegrityError::Bundle)?;
        let recovery = phrase.derive_signing_key(self.vault_bytes());
        let mut seeds = IdentitySeeds::generate()?;
        let link = KeyLink {
            vault: self.vault_bytes().to_vec(),
            account,
            index: own.index.saturating_add(1),
            previous: Some(before.hash),
            signing: seeds.signing.public(),
            sealing: seeds.hpke.public()?.as_bytes().to_vec(),
            recovery: recovery.public(),
            by: Authority::Recovery,
            at: self.now(),
        };
        let signed = sign_link(&link, &recovery, &seeds.signing);
        let hash = statement::hash_of::<KeyLink>(&signed.statement);
        seeds.link = hash;
        let signing = seeds.signing.clone();
        own.bundle.rotate(seeds);
        let op = LedgerOp {
            vault: self.vault_bytes().to_vec(),
            account,
            seq: ledger.head.count,
            previous: (ledger.head.count > 0).then_some(ledger.head.hash),
            link: hash,
            at: self.now(),
            change: Change::Rotate {
                link: hash,
                bundle: own.bundle.seal(&own.amk, scope)?,
            },
        };
        let rotate = KeyRotate {
            link: signed,
            op: sign(&op, &signing),
        };
        Ok((rotate, own))
    }
}

/// What the phrase opens in this state, if it fits a link of the chain.
fn own_keys(
    scope: VaultScope<'_>,
    phrase: &RecoveryPhrase,
    chain: &KeyChain,
    ledger: &Ledger,
) -> Option<Own> {
    let secret = phrase.slot_secret();
    ledger
        .state
        .slots
        .values()
        .filter(|slot| slot.kind == SlotKind::Recovery)
        .find_map(|slot| {
            let hold = SlotHold {
                slot: slot.id,
                keys: secret.derive_keys(scope, slot.id).ok()?,
            };
            let amk = open_slot(scope, &hold, chain.genesis_fingerprint(), &ledger.state).ok()?;
            let bundle = IdentityBundle::open(&amk, scope, &ledger.state.bundle).ok()?;
            let link = chain.link(&bundle.current.link)?;
            seeds_fit(&bundle.current, link).then_some(Own {
                hold,
                amk,
                bundle,
                index: link.link.index,
            })
        })
}
