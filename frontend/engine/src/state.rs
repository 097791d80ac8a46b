//! What the engine holds while it lives: configuration, storage, session and keys. Must not know
//! what intents do with them.

use crate::config::Config;
use crate::failure::{Outcome, from_client, from_platform};
use crate::moment::Moment;
use crate::platform::held_keys::SignInKey;
use crate::platform::store::Store;
use crate::platform::tabs::Tabs;
use crate::session::pairing::Pairing;
use crate::session::{Idle, Way};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared};
use salus_client::audit::Trail;
use salus_client::{
    AccountId, Client, CompartmentId, OpenVersion, RecordItem, RecoveryPhrase, Unlocked,
};
use salus_messages::{DelegationChain, Event, FailureKind, Message, RecordAddress};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Posts to the page: a message, and the files that go beside it.
pub(crate) type Post = Box<dyn Fn(&Message, &[web_sys::Blob])>;

/// A recovery phrase between being proposed and being used.
pub(crate) struct Proposed {
    /// The phrase.
    pub(crate) phrase: RecoveryPhrase,
    /// Positions asked for.
    pub(crate) ask: Vec<u8>,
    /// Whether they were answered rightly.
    pub(crate) checked: bool,
}

/// What was released or verified a moment ago, and need not be again.
#[derive(Default)]
pub(crate) struct Found {
    /// Lists of granted records by patient and compartment: turning a page or searching in them is
    /// no new release.
    pub(crate) lists: BTreeMap<(AccountId, Option<CompartmentId>), Vec<RecordItem>>,
    /// The version opened last, so that saving its files is no new release.
    pub(crate) opened: Option<(RecordAddress, Rc<OpenVersion>)>,
    /// One's own records, while they are being read.
    listing: Option<Listing>,
    /// The audit trail, while its pages are turned.
    pub(crate) trail: Option<Rc<Trail>>,
}

/// A list of one's own records that is being read, or was.
type Listing = Shared<LocalBoxFuture<'static, Outcome<Rc<Vec<RecordItem>>>>>;

/// The engine.
pub(crate) struct Engine {
    /// Where we are.
    pub(crate) config: Config,
    /// Posts to the page.
    pub(crate) post: Post,
    /// Storage, once opened.
    store: RefCell<Option<Rc<Store>>>,
    /// The sign-in key, once read.
    pub(crate) sign_in_key: RefCell<Option<SignInKey>>,
    /// The way to the vault, whose identity is renewed from time to time.
    pub(crate) way: RefCell<Option<Rc<Way>>>,
    /// What the identity provider answered.
    pub(crate) chain: RefCell<Option<DelegationChain>>,
    /// When the session key runs out, ms since 1970.
    pub(crate) session_ends: Cell<u64>,
    /// The signed-in client.
    pub(crate) client: RefCell<Option<Client>>,
    /// The account's keys.
    pub(crate) unlocked: RefCell<Option<Unlocked>>,
    /// A phrase that was proposed.
    pub(crate) proposed: RefCell<Option<Proposed>>,
    /// A device that is being let in, or this one.
    pub(crate) pairing: Pairing,
    /// Operations the person stopped.
    pub(crate) cancelled: RefCell<HashSet<u32>>,
    /// When somebody was last here, and how long nobody need be.
    pub(crate) idle: Idle,
    /// When somebody last showed that they are the owner.
    pub(crate) proved_at: Cell<Option<Moment>>,
    /// What the page calls this browser.
    pub(crate) browser_name: RefCell<String>,
    /// The other tabs, once listened to.
    pub(crate) tabs: RefCell<Option<Tabs>>,
    /// What intents want to find again while unlocked.
    pub(crate) found: RefCell<Found>,
    /// Whether a round is being made.
    pub(crate) round: Cell<bool>,
    /// Notifications there were when the last round was made.
    pub(crate) notified: Cell<Option<u64>>,
}

impl Engine {
    /// Not signed in.
    pub(crate) fn new(config: Config, post: Post) -> Self {
        Self {
            config,
            post,
            store: RefCell::default(),
            sign_in_key: RefCell::default(),
            way: RefCell::default(),
            chain: RefCell::default(),
            session_ends: Cell::default(),
            client: RefCell::default(),
            unlocked: RefCell::default(),
            proposed: RefCell::default(),
            pairing: Pairing::default(),
            cancelled: RefCell::default(),
            idle: Idle::default(),
            proved_at: Cell::default(),
            browser_name: RefCell::default(),
            tabs: RefCell::default(),
            found: RefCell::default(),
            round: Cell::default(),
            notified: Cell::default(),
        }
    }

    /// This browser's storage.
    pub(crate) async fn store(&self) -> Outcome<Rc<Store>> {
        let open = self.store.borrow().clone();
        if let Some(store) = open {
            return Ok(store);
        }
        let store = Store::open().await.map_err(from_platform)?;
        Ok(self.store.borrow_mut().get_or_insert(store).clone())
    }

    /// The signed-in client.
    pub(crate) fn client(&self) -> Outcome<Client> {
        let client = self.client.borrow().clone();
        client.ok_or_else(|| FailureKind::NotSignedIn.into())
    }

    /// The unlocked account.
    pub(crate) fn unlocked(&self) -> Outcome<Unlocked> {
        self.client()?;
        let unlocked = self.unlocked.borrow().clone();
        match unlocked {
            Some(unlocked) if unlocked.is_unlocked() => Ok(unlocked),
            _ => Err(FailureKind::Locked.into()),
        }
    }

    /// Whose keys were unlocked, until [`Self::forget_keys`].
    pub(crate) fn account(&self) -> Option<AccountId> {
        self.unlocked.borrow().as_ref().map(Unlocked::account)
    }

    /// One's own records, and what waits in the drop box. What a page asks for at the same time is
    /// read once.
    pub(crate) async fn own_records(&self, unlocked: &Unlocked) -> Outcome<Rc<Vec<RecordItem>>> {
        let under_way = self.found.borrow().listing.clone();
        if let Some(listing) = under_way.filter(|l| l.peek().is_none()) {
            return listing.await;
        }
        let unlocked = unlocked.clone();
        let listing = async move {
            let list = unlocked.all_records().await.map_err(from_client)?;
            Ok(Rc::new(list))
        };
        let listing = listing.boxed_local().shared();
        self.found.borrow_mut().listing = Some(listing.clone());
        listing.await
    }

    /// Something was written: a list begun before is not joined any more.
    pub(crate) fn records_changed(&self) {
        self.found.borrow_mut().listing = None;
    }

    /// Wipes the keys and everything read with them.
    pub(crate) fn forget_keys(&self) {
        if let Some(unlocked) = self.unlocked.borrow_mut().take() {
            unlocked.lock();
        }
        self.proposed.borrow_mut().take();
        self.proved_at.take();
        self.found.take();
        self.notified.take();
        self.idle.forget();
    }

    /// Tells the page something unasked.
    pub(crate) fn tell(&self, event: Event) {
        (self.post)(&Message::Event(event), &[]);
    }
}
