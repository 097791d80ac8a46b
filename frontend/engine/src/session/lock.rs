//! Locking: keys are wiped, the page is told to begin anew, and so are the other tabs of the account.
//! Must not know why it is locked.
//!
//! That it is locked is written down: so other tabs find it, even those that missed being told, and a
//! browser that stays unlocked does not open at once what its owner has just closed, but waits for a
//! click.

use crate::failure::{Outcome, from_platform};
use crate::platform::store::{Shelf, Store};
use crate::platform::tabs::Tabs;
use crate::state::Engine;
use salus_client::AccountId;
use salus_messages::Event;
use std::rc::Rc;
use wasm_bindgen::JsValue;

/// Where the session shelf keeps whose account was locked.
const LOCKED: &str = "locked";

/// Listens to the other tabs.
pub(crate) fn listen(engine: &Rc<Engine>) {
    // The tabs belong to the engine: they must not keep it.
    let weak = Rc::downgrade(engine);
    let tabs = Tabs::open(move |text| {
        if let Some(engine) = weak.upgrade()
            && engine
                .account()
                .is_some_and(|account| text == said(account))
        {
            engine.forget_keys();
            engine.tell(Event::Locked);
        }
    });
    // Without them, each tab locks by itself.
    engine.tabs.replace(tabs.ok());
}

/// What tabs say to each other: whose keys are to go.
fn said(account: AccountId) -> String {
    format!("lock:{account}")
}

/// Wipes the keys, here and in the other tabs.
pub(crate) async fn lock(engine: &Rc<Engine>) {
    let account = engine.account();
    engine.forget_keys();
    write(engine, account).await;
    tell(engine, account);
}

/// Writes down whose account it is. The page begins anew when it is told: what it is to find then is
/// written before.
pub(super) async fn write(engine: &Engine, account: Option<AccountId>) {
    if let (Ok(store), Some(account)) = (engine.store().await, account) {
        let value = JsValue::from_str(&account.to_string());
        // Unwritten, tabs that were not told lock when they are idle.
        let _ = store.put(Shelf::Session, LOCKED, &value).await;
    }
}

/// Locks the page where the keys went by themselves: what opened them was removed elsewhere, or their
/// owner signed out everywhere else.
pub(crate) async fn lock_if_ended(engine: &Rc<Engine>) {
    let ended = engine
        .unlocked
        .borrow()
        .as_ref()
        .is_some_and(|u| !u.is_unlocked());
    if ended {
        lock(engine).await;
    }
}

/// Tells the page, and the other tabs of the account.
pub(super) fn tell(engine: &Engine, account: Option<AccountId>) {
    if let (Some(tabs), Some(account)) = (engine.tabs.borrow().as_ref(), account) {
        // Tabs that do not hear of it find it written.
        let _ = tabs.say(&said(account));
    }
    engine.tell(Event::Locked);
}

/// Whether something was locked and nothing unlocked since.
pub(super) async fn is_locked(store: &Store) -> Outcome<bool> {
    Ok(locked(store).await?.is_some())
}

/// Whether another tab locked this account.
pub(super) async fn is_elsewhere(engine: &Engine) -> bool {
    let Ok(store) = engine.store().await else {
        return false;
    };
    let locked = locked(&store).await.ok().flatten();
    locked.is_some() && locked == engine.account().map(|account| account.to_string())
}

async fn locked(store: &Store) -> Outcome<Option<String>> {
    let value = store.get(Shelf::Session, LOCKED).await;
    Ok(value.map_err(from_platform)?.and_then(|v| v.as_string()))
}

/// It is unlocked.
pub(super) async fn is_over(store: &Store) -> Outcome<()> {
    store
        .remove(Shelf::Session, LOCKED)
        .await
        .map_err(from_platform)
}
