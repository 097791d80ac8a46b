//! An unlocked account: its keys in memory, its ledger followed and appended to. Must not know what
//! records or grants are.

mod compartments;
mod create;
mod elsewhere;
mod offered;
mod principals;
mod profile;
mod prove;
mod recover;
mod rotate;
mod slots;
mod unlock;

pub use compartments::{Added, Compartment, Label};
pub(crate) use create::ledger_kind;
pub use create::{NewAccount, NewSlot};
pub use offered::{
    Offered, OfferedSlot, browser_slot_message, passkey_slot_message, passphrase_device_message,
};
pub use profile::Profile;
pub use recover::{Kept, Recovery};
pub use slots::SlotInfo;

use crate::client::Client;
use crate::error::{Chain, ClientError, IntegrityError, Result};
use crate::keys::{Keys, SlotHold};
use crate::ledger::{Ledger, is_stale, sign};
use crate::people::safety_number;
use crate::refusal::Verdict;
use salus_crypto::VaultScope;
use salus_crypto::hierarchy::Amk;
use salus_protocol::KeyChain;
use salus_protocol::ledger::{Change, LedgerOp};
use salus_protocol::statement;
use salus_types::api::{AccountInfo, GrantPayload, Head, LedgerAppend, Signed, SlotUse};
use salus_types::{AccountId, Hash, limits};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How often an append is rebased before giving up: other browsers of one person compete, not a
/// crowd.
const REBASES: usize = 8;

/// How often chain and ledger are read before what does not fit is said to be a lie.
const FOLLOWED: usize = 3;

pub(crate) struct Core {
    account: AccountId,
    number: u64,
    genesis: Hash,
    keys: RefCell<Option<Keys>>,
    /// The account master key that an operation on its way makes. Whoever made it knows it, also when
    /// the slot they came by is not among those it is sealed to.
    coming: RefCell<Option<Amk>>,
    profile: RefCell<Option<Profile>>,
    usage: RefCell<salus_types::api::Usage>,
    /// When slots were last used, as the vault told last.
    used: RefCell<Vec<SlotUse>>,
    inbox: Cell<u64>,
}

/// An unlocked account. Clones share the keys; [`Unlocked::lock`] takes them from all.
#[derive(Clone)]
pub struct Unlocked {
    client: Client,
    core: Rc<Core>,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unlocked({})", self.core.account)
    }
}

/// What an append led to.
#[must_use]
pub(crate) enum Appended {
    Done,
    /// The ledger moved on and was followed: plan again.
    Stale,
}

impl Unlocked {
    /// Verifies everything the vault shows of the account and opens its keys.
    async fn open(
        client: &Client,
        info: AccountInfo,
        chain: KeyChain,
        mut ledger: Ledger,
        hold: SlotHold,
    ) -> Result<Self> {
        let account = chain.account();
        let number = client.certify_ledger(account, &chain, &mut ledger).await?;
        let genesis = chain.genesis_fingerprint();
        let keys = Keys::open(client.scope(account), chain, ledger, hold)?;
        let unlocked = Self {
            client: client.clone(),
            core: Rc::new(Core {
                account,
                number,
                genesis,
                keys: RefCell::new(Some(keys)),
                coming: RefCell::new(None),
                profile: RefCell::new(None),
                usage: RefCell::new(info.usage.clone()),
                used: RefCell::new(info.slots.clone()),
                inbox: Cell::new(info.inbox),
            }),
        };
        unlocked.read_profile(&info.profile)?;
        Ok(unlocked)
    }

    /// The client underneath.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Which account.
    pub fn account(&self) -> AccountId {
        self.core.account
    }

    /// Its dense number.
    pub fn number(&self) -> u64 {
        self.core.number
    }

    /// Its lasting fingerprint.
    pub fn genesis(&self) -> Hash {
        self.core.genesis
    }

    /// Digits to be compared by two people, in groups of five.
    pub fn safety_number(&self) -> String {
        safety_number(&self.core.genesis)
    }

    /// Wipes the keys from memory, for every clone of this handle.
    pub fn lock(&self) {
        drop(self.core.keys.borrow_mut().take());
        drop(self.core.coming.borrow_mut().take());
        drop(self.core.profile.borrow_mut().take());
    }

    /// Whether the keys are in memory.
    pub fn is_unlocked(&self) -> bool {
        self.core.keys.borrow().is_some()
    }

    /// Storage in use and allowed, as of the last refresh.
    pub fn usage(&self) -> salus_types::api::Usage {
        self.core.usage.borrow().clone()
    }

    /// Notifications so far, as of the last refresh.
    pub fn inbox_count(&self) -> u64 {
        self.core.inbox.get()
    }

    pub(crate) fn scope(&self) -> VaultScope<'_> {
        self.client.scope(self.core.account)
    }

    pub(crate) fn vault(&self) -> Vec<u8> {
        self.client.vault_bytes().to_vec()
    }

    /// Looks at the keys. The closure must not keep anything secret.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&Keys) -> Result<R>) -> Result<R> {
        match self.core.keys.borrow().as_ref() {
            Some(keys) => look(keys),
            None => Err(ClientError::Locked),
        }
    }

    fn replace(&self, chain: KeyChain, ledger: Ledger) -> Result<()> {
        let keys = self.with(|keys| Ok(keys.clone()))?;
        let coming = self.core.coming.borrow().clone();
        match keys.advance(self.scope(), chain, ledger, coming.as_ref()) {
            Ok(keys) => {
                // Locked meanwhile stays locked.
                let mut place = self.core.keys.borrow_mut();
                if place.is_some() {
                    *place = Some(keys);
                }
                Ok(())
            }
            Err(ClientError::NoSuchSlot) => {
                self.lock();
                Err(ClientError::NoSuchSlot)
            }
            Err(error) => Err(error),
        }
    }

    /// Follows key chain and ledger to where they are now, and compares both with what is certified.
    ///
    /// # Errors
    /// [`ClientError::NoSuchSlot`] if another client removed the slot this was unlocked with: it is
    /// locked then. [`ClientError::Locked`] if the owner signed out everywhere else.
    /// [`IntegrityError`] if anything does not fit.
    pub async fn refresh(&self) -> Result<()> {
        self.follow(None).await.map(drop)
    }

    /// As [`Self::refresh`]; says whether the operation of this hash came by.
    async fn follow(&self, wanted: Option<Hash>) -> Result<bool> {
        // A rotation between the two reads makes them disagree, and a replica that lags shows what
        // was; neither does so for long.
        for _ in 1..FOLLOWED {
            match self.follow_once(wanted).await {
                Err(ClientError::Refused(refusal)) if refusal.verdict == Verdict::Behind => {}
                Err(ClientError::Integrity(
                    IntegrityError::LedgerKeys
                    | IntegrityError::Ledger { .. }
                    | IntegrityError::NotCertified { .. }
                    | IntegrityError::RolledBack { .. },
                )) => {}
                other => return other,
            }
        }
        let last = self.follow_once(wanted).await;
        self.client.explained(self.core.account, last).await
    }

    /// Remembers what the network certifies after a change, so that a later rollback can be proven.
    /// What fails here is made up for by the next read.
    pub(crate) async fn note_heads(&self) {
        let _ = self.client.heads(self.core.account).await;
    }

    async fn follow_once(&self, wanted: Option<Hash>) -> Result<bool> {
        let info = self.client.account().await?.ok_or(ClientError::NoAccount)?;
        let account = self.core.account;
        if info.account != account {
            return Err(IntegrityError::OtherAccount.into());
        }
        let chain = self.client.accept_chain(account, &info.chain).await?;
        let mut ledger = self.with(|keys| Ok(keys.ledger.clone()))?;
        let mut found = false;
        self.client
            .follow_ledger(account, &chain, &mut ledger, |_, after| {
                found |= Some(after.head.hash) == wanted;
            })
            .await?;
        self.client
            .certify_ledger(account, &chain, &mut ledger)
            .await?;
        self.replace(chain, ledger)?;
        self.core.usage.replace(info.usage);
        self.core.used.replace(info.slots);
        self.core.inbox.set(info.inbox);
        if let Some(profile) = self.open_profile(&info.profile)? {
            self.heed(&profile)?;
        }
        Ok(found)
    }

    /// Appends what `plan` makes of the keys, planning again whenever another browser was faster.
    pub(crate) async fn append(
        &self,
        plan: impl Fn(&Keys) -> Result<(Change, Vec<GrantPayload>)>,
    ) -> Result<()> {
        for _ in 0..REBASES {
            match self.try_append(&plan).await? {
                Appended::Done => return Ok(()),
                Appended::Stale => {}
            }
        }
        Err(ClientError::Conflict("the account"))
    }

    /// One attempt of [`Self::append`], with a checkpoint before it where one is due.
    pub(crate) async fn try_append(
        &self,
        plan: impl Fn(&Keys) -> Result<(Change, Vec<GrantPayload>)>,
    ) -> Result<Appended> {
        let count = self.with(|keys| Ok(keys.ledger.head.count))?;
        if count > 0 && count.is_multiple_of(limits::CHECKPOINT_EVERY) {
            let checkpoint = |keys: &Keys| {
                let state = keys.ledger.state.fingerprint();
                Ok((Change::Checkpoint { state }, Vec::new()))
            };
            if let Appended::Stale = self.append_one(checkpoint).await? {
                return Ok(Appended::Stale);
            }
        }
        self.append_one(plan).await
    }

    async fn append_one(
        &self,
        plan: impl FnOnce(&Keys) -> Result<(Change, Vec<GrantPayload>)>,
    ) -> Result<Appended> {
        let (op, grants) = self.with(|keys| {
            let (change, grants) = plan(keys)?;
            Ok((self.sign_op(keys, change)?, grants))
        })?;
        let hash = statement::hash_of::<LedgerOp>(&op.statement);
        let append = LedgerAppend {
            op: op.clone(),
            grants,
        };
        let answer: Result<Head> = self.client.update("ledger_append", (append,)).await;
        self.settle(answer, hash, |chain, _| {
            let mut ledger = self.with(|keys| Ok(keys.ledger.clone()))?;
            ledger.push(&op, self.client.vault_bytes(), self.core.account, &chain)?;
            Ok((chain, ledger))
        })
        .await
    }

    /// Takes the vault's answer to an operation: on success the keys move on to what `next` makes of
    /// them; when another was faster, or nobody knows, the ledger is followed.
    async fn settle(
        &self,
        answer: Result<Head>,
        hash: Hash,
        next: impl FnOnce(KeyChain, ()) -> Result<(KeyChain, Ledger)>,
    ) -> Result<Appended> {
        match answer {
            Ok(head) => {
                let chain = self.with(|keys| Ok(keys.chain.clone()))?;
                let (chain, ledger) = next(chain, ())?;
                if ledger.head != head {
                    return Err(IntegrityError::Forked {
                        chain: Chain::Ledger,
                        at: head.count.saturating_sub(1),
                    }
                    .into());
                }
                self.replace(chain, ledger)?;
                self.client
                    .remember_head(self.core.account, Chain::Ledger, &head)
                    .await?;
                self.note_heads().await;
                Ok(Appended::Done)
            }
            Err(error) if is_stale(&error) => {
                let found = self.follow(Some(hash)).await?;
                Ok(if found {
                    Appended::Done
                } else {
                    Appended::Stale
                })
            }
            Err(ClientError::Transport(error)) if error.is_ambiguous() => {
                match self.follow(Some(hash)).await {
                    Ok(true) => Ok(Appended::Done),
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn sign_op(&self, keys: &Keys, change: Change) -> Result<Signed> {
        let head = &keys.ledger.head;
        let op = LedgerOp {
            vault: self.vault(),
            account: self.core.account,
            seq: head.count,
            previous: (head.count > 0).then_some(head.hash),
            link: keys.link()?.hash,
            at: self.client.now(),
            change,
        };
        Ok(sign(&op, &keys.bundle.current.signing))
    }
}
