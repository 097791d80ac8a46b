//! Who is here: signing in, making the vault, unlocking and locking. Must not know records or
//! sharing.

mod browser_slot;
mod idle;
mod sign_in;
mod way;

pub(crate) use idle::{lock_if_idle, touch};
pub(crate) use sign_in::renew;
pub(crate) use way::Way;

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::held_keys::BrowserKey;
use crate::platform::store::{Shelf, Store};
use crate::state::{Engine, Proposed};
use crate::{rounds, views};
use browser_slot::{
    browser_secret, keep_slot, left_slots, remove_left, stay, stay_no_longer, stored_slot,
    unlock_here,
};
use salus_client::{
    AccountId, Label, NewAccount, NewSlot, Profile, RecoveryPhrase, SlotId, SlotKind, Unlocked,
};
use salus_messages::{
    AccountView, Event, Failure, FailureKind, Intent, Reply, Secret, SessionState, SlotView, Topic,
};
use sign_in::{SIGN_IN, SIGN_IN_NS, keep_chain, sign_in, sign_in_key, sign_out, stored_chain};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// Words of the phrase a person is asked to type again.
const ASKED: usize = 3;
const WORDS: u8 = 24;

/// The first request of a page: restores what this browser holds.
pub(crate) async fn hello(engine: &Rc<Engine>) -> Outcome<Answer> {
    touch(engine);
    let store = engine.store().await?;
    if engine.client.borrow().is_none()
        && let Some(chain) = stored_chain(&store).await?
        && sign_in(engine, &store, &chain).await.is_err()
    {
        // Run out, or of another key: as if it had never been.
        store
            .remove(Shelf::Session, SIGN_IN)
            .await
            .map_err(from_platform)?;
    }
    if engine.client.borrow().is_some() && engine.unlocked().is_err() {
        // Staying unlocked is a convenience: if it fails, the page offers the other ways.
        let _ = unlock_here(engine, &store).await;
        tidy(engine);
    }
    rounds::soon(engine);
    let session = match state(engine).await {
        // The network does not take the session any more.
        Err(failure) if failure.kind == FailureKind::NotSignedIn => {
            sign_out(engine, &store).await?;
            SessionState::SignedOut
        }
        other => other?,
    };
    Ok(Reply::Hello {
        version: salus_messages::VERSION,
        environment: engine.config.environment.clone(),
        session,
    }
    .into())
}

/// Carries out the intents about the session.
pub(crate) async fn carry_out(task: &Task, intent: Intent) -> Outcome<Answer> {
    let engine = &task.engine;
    touch(engine);
    let store = engine.store().await?;
    match intent {
        Intent::PrepareSignIn => {
            let key = sign_in_key(engine, &store).await?;
            return Ok(Reply::SignInKey {
                public_key: key.spki().to_vec(),
                max_time_to_live: SIGN_IN_NS,
            }
            .into());
        }
        Intent::CompleteSignIn { chain } => {
            sign_in(engine, &store, &chain).await?;
            keep_chain(&store, &chain).await?;
            let _ = unlock_here(engine, &store).await;
            tidy(engine);
        }
        Intent::SignOut => sign_out(engine, &store).await?,
        Intent::Lock => engine.forget_keys(),
        Intent::ProposePhrase => return propose(engine),
        Intent::CheckPhrase { words } => return check(engine, &words),
        Intent::CreateVault {
            display_name,
            compartments,
            stay_unlocked,
        } => {
            let labels = compartments.iter().map(views::label).collect();
            create(engine, &store, display_name, labels, stay_unlocked).await?;
        }
        Intent::UnlockWithPhrase {
            phrase,
            stay_unlocked,
        } => {
            let phrase = RecoveryPhrase::parse(&phrase.0)
                .map_err(|e| Failure::new(FailureKind::WrongPhrase, e.to_string()))?;
            let unlocked = engine
                .client()?
                .unlock_with_phrase(&phrase)
                .await
                .map_err(from_client)?;
            engine.unlocked.replace(Some(unlocked));
            if stay_unlocked {
                stay(engine, &store).await?;
            }
            tidy(engine);
        }
        Intent::UnlockHere => {
            unlock_here(engine, &store).await?;
            tidy(engine);
        }
        Intent::SetStayUnlocked { on: true } => stay(engine, &store).await?,
        Intent::SetStayUnlocked { on: false } => stay_no_longer(engine, &store).await?,
        _ => return Err(misplaced()),
    }
    rounds::soon(engine);
    Ok(Reply::Session(state(engine).await?).into())
}

/// Removes what this browser left in the account, beside what goes on; what fails is tried again
/// the next time.
fn tidy(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move {
        if let (Ok(store), true) = (engine.store().await, engine.unlocked().is_ok()) {
            let removed = remove_left(&engine, &store, false).await;
            if matches!(removed, Ok(true)) {
                engine.tell(Event::Changed(vec![Topic::Activity]));
            }
        }
    });
}

/// How far the person has come.
pub(crate) async fn state(engine: &Rc<Engine>) -> Outcome<SessionState> {
    let Ok(client) = engine.client() else {
        return Ok(SessionState::SignedOut);
    };
    let principal = client.caller().to_text();
    if let Ok(unlocked) = engine.unlocked() {
        return Ok(SessionState::Unlocked(
            account_view(engine, &unlocked).await?,
        ));
    }
    let store = engine.store().await?;
    Ok(match client.account().await.map_err(from_client)? {
        None => SessionState::NoVault { principal },
        Some(info) => {
            let here = stored_slot(&store)
                .await?
                .is_some_and(|s| s.0 == info.account);
            let mut slots = vec![slot_view(SlotKind::Recovery, true, String::new())];
            if here {
                slots.push(slot_view(SlotKind::Browser, true, String::new()));
            }
            SessionState::Locked { principal, slots }
        }
    })
}

fn slot_view(kind: SlotKind, here: bool, label: String) -> SlotView {
    SlotView {
        kind: views::slot_kind(kind),
        here,
        label,
        added_at: 0,
    }
}

async fn account_view(engine: &Rc<Engine>, unlocked: &Unlocked) -> Outcome<AccountView> {
    let store = engine.store().await?;
    let stays = stored_slot(&store)
        .await?
        .is_some_and(|s| s.0 == unlocked.account());
    let client = unlocked.client();
    let left = left_slots(&store, unlocked.account()).await?;
    let mut slots = unlocked.slots().map_err(from_client)?;
    slots.retain(|slot| !left.contains(&slot.id));
    let provider = match client.provider(client.caller()).await {
        Ok(contact) => contact
            .directory
            .map(|entry| salus_messages::ProviderProfile {
                name: entry.name,
                specialty: entry.specialty,
            }),
        // Not in the directory, or the vault did not answer this: not a reason to stay outside.
        Err(_) => None,
    };
    Ok(AccountView {
        account: views::account(unlocked.account()),
        principal: client.caller().to_text(),
        display_name: unlocked.profile().map_err(from_client)?.display_name,
        safety_number: unlocked.safety_number(),
        slots: slots
            .into_iter()
            .map(|s| {
                let here =
                    s.kind == SlotKind::Recovery || (s.kind == SlotKind::Browser && s.in_use);
                slot_view(s.kind, here, s.label)
            })
            .collect(),
        stays_unlocked: stays,
        provider,
        unread: crate::inbox::unread(&store, unlocked).await?,
    })
}

fn propose(engine: &Engine) -> Outcome<Answer> {
    let phrase = RecoveryPhrase::generate().map_err(|e| from_client(e.into()))?;
    let random = salus_client::random_id().map_err(|e| from_client(e.into()))?;
    let mut ask: Vec<u8> = Vec::with_capacity(ASKED);
    for byte in random {
        let position = byte % WORDS;
        if ask.len() < ASKED && !ask.contains(&position) {
            ask.push(position);
        }
    }
    ask.sort_unstable();
    let words = phrase
        .to_words()
        .split_whitespace()
        .map(|w| Secret(w.to_owned()))
        .collect();
    engine.proposed.replace(Some(Proposed {
        phrase,
        ask: ask.clone(),
        checked: false,
    }));
    Ok(Reply::Phrase { words, ask }.into())
}

fn check(engine: &Engine, words: &[Secret]) -> Outcome<Answer> {
    let mut place = engine.proposed.borrow_mut();
    let proposed = place.as_mut().ok_or_else(|| invalid("phrase"))?;
    let text = proposed.phrase.to_words();
    let all: Vec<&str> = text.split_whitespace().collect();
    let right: Vec<bool> = proposed
        .ask
        .iter()
        .enumerate()
        .map(|(i, position)| {
            let given = words.get(i).map(|w| w.0.trim().to_lowercase());
            given.as_deref() == all.get(usize::from(*position)).copied()
        })
        .collect();
    proposed.checked = right.iter().all(|r| *r);
    Ok(Reply::PhraseChecked { right }.into())
}

async fn create(
    engine: &Engine,
    store: &Store,
    display_name: String,
    compartments: Vec<Label>,
    stay_unlocked: bool,
) -> Outcome<()> {
    let client = engine.client()?;
    let phrase = match engine.proposed.borrow().as_ref() {
        Some(proposed) if proposed.checked => proposed.phrase.clone(),
        _ => return Err(invalid("phrase")),
    };
    let random = || salus_client::random_id().map_err(|e| from_client(e.into()));
    let account = AccountId(random()?);
    let slot = SlotId(random()?);
    let mut slots = Vec::new();
    if stay_unlocked {
        let key = BrowserKey::find_or_make(store)
            .await
            .map_err(from_platform)?;
        slots.push(NewSlot {
            id: slot,
            secret: browser_secret(&key, client.vault(), account, slot).await?,
            parameters: None,
            label: String::new(),
        });
    }
    let profile = Profile {
        display_name,
        ..Profile::default()
    };
    let unlocked = client
        .create_account(NewAccount {
            account: Some(account),
            phrase: &phrase,
            profile,
            compartments,
            slots,
        })
        .await
        .map_err(from_client)?;
    if stay_unlocked {
        keep_slot(store, account, slot).await?;
    }
    engine.unlocked.replace(Some(unlocked));
    engine.proposed.take();
    Ok(())
}
