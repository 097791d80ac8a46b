//! The owner ledger as a client keeps it: fetched, verified, folded; and appended to by
//! compare-and-swap. Must not know what any operation is good for.

use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::refusal::Verdict;
use crate::remembered::{Grown, check_growth};
use salus_protocol::KeyChain;
use salus_protocol::chain;
use salus_protocol::keychain::Authority;
use salus_protocol::ledger::{Change, LedgerError, LedgerOp, LedgerState, Links};
use salus_protocol::statement::{self, Statement};
use salus_types::api::{Head, LedgerPage, Signed};
use salus_types::{AccountId, CompartmentId, Hash};
use std::collections::BTreeMap;

/// A folded ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) state: LedgerState,
    pub(crate) head: Head,
    /// The link in force after the last operation.
    link: Hash,
    /// The last rotation of everything that was begun, if nothing has overridden it.
    pub(crate) begun: Option<Begun>,
    /// The recovery key made the identity keys anew, and no account master key was made since.
    recovered: bool,
    /// The last operation's key is not in the chain: someone's whose keys were overridden by the
    /// recovery key, if a later operation says so.
    unvouched: bool,
    /// Where a false checkpoint stands that no recovery has overruled since.
    falsified: Option<u64>,
}

/// A rotation of everything, as the ledger tells of it: a new account master key for every slot, none
/// removed, begins one; so does the first after a recovery, whose identity keys are part of it; what
/// follows is part of it too. So every client of the account sees the same, and can go on where another
/// was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    /// The operation that began it.
    pub(crate) seq: u64,
    /// When that was signed, ms since 1970.
    pub(crate) at: u64,
    /// The identity keys were made anew since.
    pub(crate) identity: bool,
    /// The first epoch that each compartment got since.
    pub(crate) epochs: BTreeMap<CompartmentId, u32>,
}

fn wrong(seq: u64, error: LedgerError) -> IntegrityError {
    IntegrityError::Ledger { seq, error }
}

impl Ledger {
    /// Before operation 0.
    pub(crate) fn empty(chain: &KeyChain) -> Self {
        Self {
            state: LedgerState::default(),
            head: chain::EMPTY,
            link: chain.genesis_fingerprint(),
            begun: None,
            recovered: false,
            unvouched: false,
            falsified: None,
        }
    }

    /// Verifies the next operation and applies it.
    ///
    /// An operation signed under a link that the recovery key has since discarded cannot be verified
    /// any more. It stands if an operation under the recovery-signed link follows, whose signer saw
    /// it and signed its hash; until then the ledger is not accepted. So it is with a checkpoint that
    /// vouches for another state, whoever signed it.
    pub(crate) fn push(
        &mut self,
        signed: &Signed,
        vault: &[u8],
        account: AccountId,
        chain: &KeyChain,
    ) -> std::result::Result<LedgerOp, IntegrityError> {
        let op: LedgerOp = statement::decode_for(&signed.statement, vault)?;
        let seq = self.head.count;
        if op.account != account {
            return Err(IntegrityError::OtherAccount);
        }
        let named = match op.change {
            Change::Rotate { link, .. } => Some(link),
            _ => None,
        };
        let in_force = named.unwrap_or(self.link);
        let rotates = in_force != self.link;
        let unvouched = match chain.link(&op.link) {
            Some(link) => {
                let before = chain.link(&self.link);
                let moves_on =
                    !rotates || before.is_none_or(|before| before.link.index < link.link.index);
                let vouched = !self.unvouched || (rotates && link.link.by == Authority::Recovery);
                if !moves_on || !vouched {
                    return Err(wrong(seq, LedgerError::Link));
                }
                statement::verify::<LedgerOp>(signed, vault, &link.link.signing)?;
                false
            }
            None => true,
        };
        let links = Links {
            before: self.link,
            in_force,
        };
        let folded = self
            .state
            .apply(&self.head, &links, &op, &signed.statement)
            .map_err(|error| wrong(seq, error))?;
        self.head = folded.head;
        let by = chain.link(&in_force).map(|link| link.link.by);
        let recovered = rotates && by == Some(Authority::Recovery);
        if folded.false_checkpoint {
            self.falsified.get_or_insert(seq);
        } else if recovered {
            self.falsified = None;
        }
        self.note_rotation(&op, rotates, recovered);
        self.link = in_force;
        self.unvouched = unvouched;
        Ok(op)
    }

    /// What an operation means for a rotation of everything. A recovery overrides whatever was begun
    /// before it.
    fn note_rotation(&mut self, op: &LedgerOp, rotates: bool, recovered: bool) {
        if recovered {
            self.begun = None;
            self.recovered = true;
        }
        if let Change::Rekey { removed, .. } = &op.change
            && (self.recovered || removed.is_empty())
        {
            self.begun = Some(Begun {
                seq: op.seq,
                at: op.at,
                identity: self.recovered,
                epochs: BTreeMap::new(),
            });
            self.recovered = false;
        }
        let Some(begun) = &mut self.begun else {
            return;
        };
        match &op.change {
            Change::Rotate { .. } => begun.identity |= rotates,
            Change::Advance { epochs, .. } | Change::Revoke { epochs, .. } => {
                for advance in epochs {
                    let first = begun.epochs.entry(advance.compartment);
                    first.or_insert(advance.epoch);
                }
            }
            Change::AddCompartment { compartment, .. } => {
                begun.epochs.insert(compartment.id, 1);
            }
            _ => {}
        }
    }

    /// Whether it ends under the key chain's current link.
    fn check_link(&self, chain: &KeyChain) -> std::result::Result<(), IntegrityError> {
        let fits = !self.unvouched
            && self.head.count > 0
            && chain.current().is_some_and(|l| l.hash == self.link);
        if fits {
            Ok(())
        } else {
            Err(IntegrityError::LedgerKeys)
        }
    }

    /// Whether it ends under the key chain's current link, and holds no false checkpoint that no
    /// recovery has overruled.
    pub(crate) fn check_end(&self, chain: &KeyChain) -> std::result::Result<(), IntegrityError> {
        self.check_link(chain)?;
        match self.falsified {
            Some(seq) => Err(wrong(seq, LedgerError::Checkpoint)),
            None => Ok(()),
        }
    }
}

impl Client {
    /// Fetches what follows `ledger` and folds it; `watch` sees every step. The fold is checked
    /// against the highest head remembered.
    pub(crate) async fn follow_ledger(
        &self,
        account: AccountId,
        chain: &KeyChain,
        ledger: &mut Ledger,
        watch: impl FnMut(&LedgerOp, &Ledger),
    ) -> Result<()> {
        self.fold_ledger(account, chain, ledger, watch).await?;
        Ok(ledger.check_end(chain)?)
    }

    /// As [`Self::follow_ledger`], for whoever is about to overrule what was signed last: false
    /// checkpoints are taken for the damage that they are.
    pub(crate) async fn fold_ledger(
        &self,
        account: AccountId,
        chain: &KeyChain,
        ledger: &mut Ledger,
        mut watch: impl FnMut(&LedgerOp, &Ledger),
    ) -> Result<()> {
        let known = self.known_head(account, Chain::Ledger).await?;
        let known = known.unwrap_or(chain::EMPTY);
        let mut hash_at = None;
        let mut note = |ledger: &Ledger| {
            if ledger.head.count == known.count {
                hash_at = Some(ledger.head.hash);
            }
        };
        note(ledger);
        loop {
            let page: LedgerPage = self.query("ledger_page", (ledger.head.count,)).await?;
            let empty = page.ops.is_empty();
            for signed in &page.ops {
                let op = ledger.push(signed, self.vault_bytes(), account, chain)?;
                note(ledger);
                watch(&op, ledger);
            }
            if ledger.head.count >= page.head.count {
                // A shorter one is a replica that lags, or a lie: the certificate tells.
                if ledger.head.count == page.head.count && ledger.head != page.head {
                    return Err(IntegrityError::Forked {
                        chain: Chain::Ledger,
                        at: page.head.count.saturating_sub(1),
                    }
                    .into());
                }
                break;
            }
            if empty {
                return Err(IntegrityError::Malformed("an empty page of the ledger").into());
            }
        }
        ledger.check_link(chain)?;
        let head = ledger.head.clone();
        if known.count > ledger.head.count || hash_at.is_some() || known.count == 0 {
            check_growth(
                Chain::Ledger,
                &known,
                &Grown {
                    head: &head,
                    hash_at,
                },
            )?;
        }
        Ok(())
    }

    /// Compares a fold with what is certified. A certificate may be a moment older or newer than the
    /// fold: then what is missing is fetched, or the certificate is read again.
    pub(crate) async fn certify_ledger(
        &self,
        account: AccountId,
        chain: &KeyChain,
        ledger: &mut Ledger,
    ) -> Result<u64> {
        // Each round trip sees a newer state; that many changes in a row do not happen by chance.
        const ROUNDS: usize = 5;
        let (mut seen, mut behind) = (None, None);
        for _ in 0..ROUNDS {
            let heads = match self.heads(account).await {
                Err(ClientError::Refused(refusal)) if refusal.verdict == Verdict::Behind => {
                    behind = Some(refusal);
                    continue;
                }
                other => other?,
            };
            if heads.certified.genesis != chain.genesis_fingerprint() {
                return Err(IntegrityError::KeyChanged { account }.into());
            }
            if heads.certified.keys.as_ref() != Some(&chain.head()) {
                // The keys were rotated meanwhile, or the chain is not the certified one: either way
                // it is not for this fold to go on.
                return Err(IntegrityError::NotCertified {
                    chain: Chain::Keys(account),
                }
                .into());
            }
            let caller = self.caller();
            if !heads.certified.who.iter().any(|w| w == caller.as_slice()) {
                return Err(IntegrityError::OtherAccount.into());
            }
            let Some(certified) = heads.certified.ledger else {
                break;
            };
            if certified == ledger.head {
                self.remember_head(account, Chain::Ledger, &certified)
                    .await?;
                return Ok(heads.certified.number);
            }
            seen = Some(certified.count);
            self.follow_ledger(account, chain, ledger, |_, _| {})
                .await?;
        }
        if let (None, Some(refusal)) = (seen, behind) {
            return Err(ClientError::Refused(refusal));
        }
        Err(match seen.filter(|seen| *seen < ledger.head.count) {
            Some(seen) => IntegrityError::RolledBack {
                chain: Chain::Ledger,
                known: ledger.head.count,
                seen,
            },
            None => IntegrityError::NotCertified {
                chain: Chain::Ledger,
            },
        }
        .into())
    }
}

/// Signs a statement with a seed.
pub(crate) fn sign<T: Statement>(value: &T, key: &salus_crypto::sign::SigningKey) -> Signed {
    let bytes = salus_protocol::canonical::encode(value);
    let signature = key.sign(&statement::signing_bytes(T::LABEL, &bytes));
    Signed {
        statement: serde_bytes::ByteBuf::from(bytes),
        signature: serde_bytes::ByteBuf::from(signature.to_vec()),
    }
}

/// What follows when an append was refused.
pub(crate) fn is_stale(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Vault(salus_types::Error::StaleHead { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use salus_crypto::sign::SigningKey;
    use salus_protocol::keychain::{KeyLink, POSSESSION_LABEL, SEALING_KEY_BYTES};
    use salus_protocol::ledger::{Slot, SlotKind};
    use salus_types::api::SignedLink;
    use salus_types::{RequestId, SlotId};
    use serde_bytes::ByteBuf;

    const ACCOUNT: AccountId = AccountId([1; 16]);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn link(index: u32, previous: Option<Hash>, own: u8, by: Authority) -> SignedLink {
        let link = KeyLink {
            vault: vec![7],
            account: ACCOUNT,
            index,
            previous,
            signing: key(own).public(),
            sealing: vec![9; SEALING_KEY_BYTES],
            recovery: key(0).public(),
            by,
            at: 0,
        };
        let signed = sign(&link, &key(if by == Authority::Recovery { 0 } else { 1 }));
        let possession = statement::signing_bytes(POSSESSION_LABEL, &signed.statement);
        SignedLink {
            possession: ByteBuf::from(key(own).sign(&possession).to_vec()),
            statement: signed.statement,
            signature: signed.signature,
        }
    }

    fn op(ledger: &Ledger, link: Hash, signer: u8, change: Change) -> Signed {
        let op = LedgerOp {
            vault: vec![7],
            account: ACCOUNT,
            seq: ledger.head.count,
            previous: (ledger.head.count > 0).then_some(ledger.head.hash),
            link,
            at: 0,
            change,
        };
        sign(&op, &key(signer))
    }

    fn open() -> Change {
        Change::Open {
            slots: vec![Slot {
                id: SlotId([1; 16]),
                kind: SlotKind::Recovery,
                sealing: vec![9; SEALING_KEY_BYTES],
                anchor: vec![1],
                wrap: vec![1],
                label: Vec::new(),
                parameters: None,
            }],
            bundle: vec![1],
            compartments: Vec::new(),
        }
    }

    fn rotate(link: Hash) -> Change {
        Change::Rotate {
            link,
            bundle: vec![2],
        }
    }

    /// A thief (key 2) rotated and acted; the recovery key brought key 3.
    #[test]
    fn what_a_discarded_key_signed_stands_only_under_a_recovery() {
        let genesis = link(0, None, 1, Authority::Recovery);
        let mut chain = KeyChain::genesis(&genesis, &[7]).unwrap();
        let first = chain.genesis_fingerprint();
        let thiefs = link(1, Some(first), 2, Authority::Identity);
        let thief = statement::hash_of::<KeyLink>(&thiefs.statement);
        let owners = link(1, Some(first), 3, Authority::Recovery);
        chain.append(&owners, &[7]).unwrap();
        let owner = chain.current().unwrap().hash;
        let deny = Change::Deny {
            request: RequestId([1; 16]),
        };

        let mut ledger = Ledger::empty(&chain);
        let mut push = |link, signer, change| {
            let next = op(&ledger, link, signer, change);
            let pushed = ledger.push(&next, &[7], ACCOUNT, &chain);
            pushed.map(|_| ledger.check_end(&chain))
        };
        let end_refused = Ok(Err(IntegrityError::LedgerKeys));
        assert_eq!(push(first, 1, open()), end_refused);
        assert_eq!(push(thief, 2, rotate(thief)), end_refused);
        assert_eq!(push(thief, 2, deny.clone()), end_refused);
        // Back under a known key without a recovery in between.
        assert!(push(first, 1, deny.clone()).is_err());
        assert!(push(owner, 3, deny.clone()).is_err());
        assert_eq!(push(owner, 3, rotate(owner)), Ok(Ok(())));
        // The thief again, and the key before.
        assert!(push(first, 1, deny.clone()).is_err());
        assert!(push(first, 1, rotate(first)).is_err());
        assert_eq!(push(owner, 3, deny.clone()), Ok(Ok(())));
        assert_eq!(push(thief, 2, rotate(thief)), end_refused);
    }

    /// Ledgers of before the vault refused it may hold one.
    #[test]
    fn a_rotation_to_the_link_in_force_is_none() {
        let chain = KeyChain::genesis(&link(0, None, 1, Authority::Recovery), &[7]).unwrap();
        let first = chain.genesis_fingerprint();
        let mut ledger = Ledger::empty(&chain);
        for change in [open(), rotate(first), checkpoint()] {
            ledger.head.count = match change {
                // Where one is due.
                Change::Checkpoint { .. } => 256,
                _ => ledger.head.count,
            };
            let next = op(&ledger, first, 1, change);
            ledger.push(&next, &[7], ACCOUNT, &chain).unwrap();
        }
        assert_eq!(ledger.state.bundle, [1]);
        // A checkpoint is as false after it as before.
        let again = op(&ledger, first, 1, rotate(first));
        ledger.push(&again, &[7], ACCOUNT, &chain).unwrap();
        let error = LedgerError::Checkpoint;
        assert_eq!(
            ledger.check_end(&chain),
            Err(IntegrityError::Ledger { seq: 256, error })
        );
    }

    fn checkpoint() -> Change {
        Change::Checkpoint {
            state: Hash([0; 32]),
        }
    }
}
