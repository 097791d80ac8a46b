//! Rotating the identity keys, as whoever holds them. Must not know the recovery phrase.

use super::create::sign_link;
use super::{Appended, REBASES, Unlocked};
use crate::error::{ClientError, Result};
use crate::ledger::sign;
use salus_crypto::hierarchy::IdentitySeeds;
use salus_protocol::keychain::{Authority, KeyLink};
use salus_protocol::ledger::{Change, LedgerOp};
use salus_protocol::statement;
use salus_types::Hash;
use salus_types::api::{Head, KeyRotate};

impl Unlocked {
    /// Makes new identity keys. Old ones are kept for what was sealed to them; old grants stay valid.
    ///
    /// # Errors
    /// [`ClientError::Locked`] and whatever an append may give.
    pub async fn rotate_identity(&self) -> Result<()> {
        for _ in 0..REBASES {
            if let Appended::Done = self.try_rotate_identity().await? {
                return Ok(());
            }
        }
        Err(ClientError::Conflict("the account"))
    }

    /// One attempt of [`Self::rotate_identity`].
    pub(crate) async fn try_rotate_identity(&self) -> Result<Appended> {
        let rotate = self.plan_rotation()?;
        let hash = statement::hash_of::<LedgerOp>(&rotate.op.statement);
        let answer: Result<Head> = self.client.update("key_rotate", (rotate.clone(),)).await;
        let vault = self.vault();
        let settled = self
            .settle(answer, hash, |mut chain, ()| {
                chain.append(&rotate.link, &vault)?;
                let mut ledger = self.with(|keys| Ok(keys.ledger.clone()))?;
                ledger.push(&rotate.op, &vault, self.account(), &chain)?;
                Ok((chain, ledger))
            })
            .await?;
        if let Appended::Done = settled {
            // Remembers the longer chain.
            self.refresh().await?;
        }
        Ok(settled)
    }

    fn plan_rotation(&self) -> Result<KeyRotate> {
        self.with(|keys| {
            let before = keys.link()?;
            let mut seeds = IdentitySeeds::generate()?;
            let link = KeyLink {
                vault: self.vault(),
                account: self.account(),
                index: before.link.index.saturating_add(1),
                previous: Some(before.hash),
                signing: seeds.signing.public(),
                sealing: seeds.hpke.public()?.as_bytes().to_vec(),
                recovery: before.link.recovery,
                by: Authority::Identity,
                at: self.client.now(),
            };
            let signed = sign_link(&link, &keys.bundle.current.signing, &seeds.signing);
            let hash: Hash = statement::hash_of::<KeyLink>(&signed.statement);
            seeds.link = hash;
            let signing = seeds.signing.clone();
            let mut bundle = keys.bundle.clone();
            bundle.rotate(seeds);
            let head = &keys.ledger.head;
            let op = LedgerOp {
                vault: self.vault(),
                account: self.account(),
                seq: head.count,
                previous: (head.count > 0).then_some(head.hash),
                link: hash,
                at: self.client.now(),
                change: Change::Rotate {
                    link: hash,
                    bundle: bundle.seal(&keys.amk, self.scope())?,
                },
            };
            Ok(KeyRotate {
                link: signed,
                op: sign(&op, &signing),
            })
        })
    }
}
