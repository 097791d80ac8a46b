//! Who is here: signing in, making the vault, unlocking and locking. Must not know records or
//! sharing.

mod browser_slot;
mod creating;
mod idle;
mod lock;
pub(crate) mod pairing;
pub(crate) mod passkey;
pub(crate) mod passphrase;
mod proof;
mod sign_in;
mod way;

pub(crate) use browser_slot::{slot_here, stay, stay_no_longer};
pub(crate) use creating::replace_phrase;
pub(crate) use idle::{Idle, lock_if_idle, touch};
pub(crate) use lock::lock_if_ended;
pub(crate) use proof::{needed as proof_needed, prove_by_phrase};
pub(crate) use sign_in::renew;
pub(crate) use way::Way;

use crate::dispatch::{Answer, Task, misplaced};
use crate::failure::{Outcome, from_client, from_platform};
use crate::platform::store::{Shelf, Store};
use crate::state::Engine;
use crate::{rounds, views};
use browser_slot::{left_slots, remove_left, stored_slot, unlock_here};
use salus_client::{
    AccountId, Client, SecondSecretKind, SlotId, SlotInfo, SlotKind, SlotParameters, Unlocked,
};
use salus_messages::{
    AccountView, Event, FailureKind, Intent, PasskeyRequest, Reply, SessionState, SlotView, Topic,
};
use sign_in::{
    SIGN_IN, SIGN_IN_NS, keep_chain, run_out, sign_in, sign_in_key, sign_out, stored_chain,
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// Watches over the session for as long as the worker lives.
pub(crate) fn begin(engine: &Rc<Engine>) {
    lock::listen(engine);
    idle::begin(engine);
}

/// The first request of a page: restores what this browser holds.
pub(crate) async fn hello(engine: &Rc<Engine>, browser: String) -> Outcome<Answer> {
    engine.browser_name.replace(browser);
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
        open_by_itself(engine, &store).await;
    }
    rounds::soon(engine);
    let session = match state(engine).await {
        // The network does not take the session any more.
        Err(failure) if failure.kind == FailureKind::NotSignedIn => {
            run_out(engine, &store).await?;
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
            open_by_itself(engine, &store).await;
        }
        Intent::SignOut => {
            let account = engine.account();
            sign_out(engine, &store).await?;
            lock::tell(engine, account);
            return Ok(Reply::Done.into());
        }
        Intent::Lock => {
            lock::lock(engine).await;
            return Ok(Reply::Done.into());
        }
        Intent::ProposePhrase => return creating::propose(engine),
        Intent::CheckPhrase { words } => return creating::check(engine, &words),
        Intent::Prove { proof } => {
            proof::prove(task, &store, proof).await?;
            return Ok(Reply::Done.into());
        }
        Intent::Ways => {
            let unlocked = engine.unlocked()?;
            let ways = ways(unlocked.client(), &store, unlocked.account()).await?;
            return Ok(Reply::Ways(ways).into());
        }
        Intent::CreateVault {
            display_name,
            compartments,
            stay_unlocked,
        } => {
            let labels = compartments.iter().map(views::label).collect();
            creating::create(engine, &store, display_name, labels, stay_unlocked).await?;
            proof::shown(engine);
            opened(engine, &store).await?;
        }
        Intent::Unlock {
            with,
            stay_unlocked,
        } => {
            let unlocked = proof::unlock(task, &store, with).await?;
            engine.unlocked.replace(Some(unlocked));
            proof::shown(engine);
            opened(engine, &store).await?;
            if stay_unlocked {
                stay(engine, &store, "").await?;
            }
        }
        Intent::Recover { phrase } => {
            let unlocked = proof::recover(engine, &phrase).await?;
            engine.unlocked.replace(Some(unlocked));
            proof::shown(engine);
            opened(engine, &store).await?;
        }
        Intent::UnlockHere => {
            unlock_here(engine, &store).await?;
            opened(engine, &store).await?;
        }
        Intent::SetIdle { minutes } => {
            // Whoever finds it open must not keep it open.
            if minutes > engine.idle.minutes() {
                proof::needed(engine)?;
            }
            idle::choose(engine, &store, minutes).await?;
        }
        _ => return Err(misplaced()),
    }
    rounds::soon(engine);
    Ok(Reply::Session(state(engine).await?).into())
}

/// Unlocks with what this browser holds, unless its owner locked it.
async fn open_by_itself(engine: &Rc<Engine>, store: &Store) {
    // Staying unlocked is a convenience: if it fails, the page offers the other ways.
    if matches!(lock::is_locked(store).await, Ok(false)) && unlock_here(engine, store).await.is_ok()
    {
        let _ = opened(engine, store).await;
    }
}

/// The keys are in memory.
async fn opened(engine: &Rc<Engine>, store: &Store) -> Outcome<()> {
    lock::is_over(store).await?;
    idle::recall(engine, store, engine.unlocked()?.account()).await?;
    tidy(engine);
    Ok(())
}

/// Removes what this browser left in the account, beside what goes on; what fails is tried again
/// the next time.
fn tidy(engine: &Rc<Engine>) {
    let engine = engine.clone();
    spawn_local(async move {
        if let (Ok(store), Ok(unlocked)) = (engine.store().await, engine.unlocked()) {
            // Not noted, it is only missing in the list.
            let _ = unlocked.note_use().await;
            let removed = remove_left(&unlocked, &store).await;
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
        let view = account_view(engine, &unlocked).await?;
        return Ok(SessionState::Unlocked(Box::new(view)));
    }
    let store = engine.store().await?;
    Ok(match client.account().await.map_err(from_client)? {
        None => SessionState::NoVault { principal },
        Some(info) => {
            let slots = ways(&client, &store, info.account).await?;
            SessionState::Locked { principal, slots }
        }
    })
}

/// What can be tried in this browser to unlock.
async fn ways(client: &Client, store: &Store, account: AccountId) -> Outcome<Vec<SlotView>> {
    let here = stored_slot(store).await?;
    let mut ways = vec![unnamed(SlotId([0; 16]), SlotKind::Recovery, None)];
    // The words are always a way. What the vault shows of others is checked when they are used.
    let offered = client.offered_slots().await;
    for slot in offered.into_iter().flat_map(|offered| offered.slots) {
        match (slot.kind, slot.parameters) {
            (SlotKind::Browser, _) if here == Some((account, slot.id)) => {
                ways.push(unnamed(slot.id, slot.kind, None));
            }
            (SlotKind::Passkey, Some(SlotParameters::Passkey(of))) => {
                let request = PasskeyRequest {
                    credential: of.credential,
                    salt: of.salt.to_vec(),
                };
                ways.push(unnamed(slot.id, slot.kind, Some(request)));
            }
            (SlotKind::Passphrase, parameters) => {
                let takes_sheet_key = takes_sheet_key(parameters.as_ref());
                if takes_sheet_key || passphrase::is_here(store, account, slot.id).await? {
                    ways.push(SlotView {
                        takes_sheet_key,
                        ..unnamed(slot.id, slot.kind, None)
                    });
                }
            }
            _ => {}
        }
    }
    Ok(ways)
}

/// A way to unlock whose name is not known.
fn unnamed(id: SlotId, kind: SlotKind, passkey: Option<PasskeyRequest>) -> SlotView {
    SlotView {
        kind: views::slot_kind(kind),
        here: true,
        label: String::new(),
        id: salus_messages::SlotId(id.to_string()),
        passkey,
        takes_sheet_key: false,
        last_used: None,
    }
}

fn takes_sheet_key(parameters: Option<&SlotParameters>) -> bool {
    matches!(parameters, Some(SlotParameters::Passphrase(takes)) if takes.second == SecondSecretKind::Sheet)
}

/// Ways to unlock, the recovery phrase first.
pub(crate) async fn slots(engine: &Engine, unlocked: &Unlocked) -> Outcome<Vec<SlotView>> {
    let store = engine.store().await?;
    let here = slot_here(engine, unlocked).await?;
    let left = left_slots(&store, unlocked.account()).await?;
    let mut slots = unlocked.slots().map_err(from_client)?;
    slots.retain(|slot| !left.contains(&slot.id));
    slots.sort_by_key(|slot| slot.kind != SlotKind::Recovery);
    let view = |slot: SlotInfo| SlotView {
        kind: views::slot_kind(slot.kind),
        here: Some(slot.id) == here,
        label: slot.label,
        id: salus_messages::SlotId(slot.id.to_string()),
        passkey: None,
        takes_sheet_key: takes_sheet_key(slot.parameters.as_ref()),
        last_used: slot.last_used,
    };
    Ok(slots.into_iter().map(view).collect())
}

async fn account_view(engine: &Rc<Engine>, unlocked: &Unlocked) -> Outcome<AccountView> {
    let store = engine.store().await?;
    let client = unlocked.client();
    let provider = match client.provider(client.caller()).await {
        Ok(contact) => contact.directory.map(|entry| {
            engine.idle.set_provider();
            salus_messages::ProviderProfile {
                name: entry.name,
                specialty: entry.specialty,
            }
        }),
        // Not in the directory, or the vault did not answer this: not a reason to stay outside.
        Err(_) => None,
    };
    let slots = slots(engine, unlocked).await?;
    Ok(AccountView {
        account: views::account(unlocked.account()),
        principal: client.caller().to_text(),
        display_name: unlocked.profile().map_err(from_client)?.display_name,
        safety_number: unlocked.safety_number(),
        provider,
        unread: crate::inbox::unread(&store, unlocked).await?,
        only_words: salus_messages::only_words(&slots),
        stays_unlocked: salus_messages::stays_unlocked(&slots),
        idle_minutes: engine.idle.minutes(),
    })
}
