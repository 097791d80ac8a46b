//! Signing in: from what the identity provider answered to a client that can call. Must not know keys
//! of an account.

use super::browser_slot::{self, remove_left};
use super::lock;
use super::way::Way;
use crate::failure::{Outcome, from_client, from_platform, invalid};
use crate::platform::clock::Clock;
use crate::platform::held_keys::SignInKey;
use crate::platform::store::{Remembered, Shelf, Store};
use crate::platform::timer;
use crate::state::Engine;
use futures::future::select;
use js_sys::Uint8Array;
use salus_client::agent::AgentTransport;
use salus_client::agent::delegation::{Delegated, SessionError, SessionRequest, SignIn};
use salus_client::{Client, Environment as _, Principal, Unlocked};
use salus_messages::{DelegationChain, Failure, FailureKind};
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen::JsCast;

/// How long the identity provider is asked to delegate for: 8 hours, a working day.
pub(super) const SIGN_IN_NS: u64 = 8 * 3_600 * 1_000_000_000;
/// How long the key in memory may act before the browser key signs another: 15 minutes.
const SESSION_MS: u64 = 15 * 60_000;
/// How long before its end a key is replaced.
const BEFORE_MS: u64 = 60_000;

/// How long signing out waits for the account to let go of what this browser opened: 10 seconds.
const LEAVING_MS: u32 = 10_000;

/// Where the session shelf keeps the delegation chain.
pub(super) const SIGN_IN: &str = "sign-in";

pub(super) async fn sign_in_key(engine: &Engine, store: &Store) -> Outcome<SignInKey> {
    let known = engine.sign_in_key.borrow().clone();
    if let Some(key) = known {
        return Ok(key);
    }
    let key = SignInKey::find_or_make(store)
        .await
        .map_err(from_platform)?;
    engine.sign_in_key.replace(Some(key.clone()));
    Ok(key)
}

fn session_failure(error: SessionError) -> Failure {
    let kind = match error {
        SessionError::Expired => FailureKind::NotSignedIn,
        SessionError::NotValid => FailureKind::Integrity,
        SessionError::NoRandomness => FailureKind::Internal,
    };
    Failure::new(kind, error.to_string())
}

fn sign_in_of(chain: &DelegationChain) -> Outcome<SignIn> {
    let mut delegations = Vec::with_capacity(chain.delegations.len());
    for link in &chain.delegations {
        let targets = link
            .targets
            .as_ref()
            .map(|list| list.iter().map(Principal::from_text).collect())
            .transpose()
            .map_err(|_| invalid("chain"))?;
        delegations.push(Delegated {
            public_key: link.pubkey.clone(),
            expiration: link.expiration,
            targets,
            signature: link.signature.clone(),
        });
    }
    Ok(SignIn {
        root: chain.public_key.clone(),
        delegations,
    })
}

/// Makes a session key, has the browser key sign it, and takes up the client for it.
pub(super) async fn sign_in(
    engine: &Rc<Engine>,
    store: &Rc<Store>,
    chain: &DelegationChain,
) -> Outcome<()> {
    let key = sign_in_key(engine, store).await?;
    let sign_in = sign_in_of(chain)?;
    let request = SessionRequest::new(&sign_in, key.spki(), Clock.now_ms(), SESSION_MS)
        .map_err(session_failure)?;
    let ends = request.expires_ms();
    let signature = key.sign(&request.message()).await.map_err(from_platform)?;
    let root_key = engine.config.root_key.clone();
    let identity = request
        .finish(&sign_in, signature, root_key.as_deref())
        .map_err(session_failure)?;
    let transport =
        AgentTransport::connect(&engine.config.node, engine.config.vault, identity, root_key)
            .map_err(|e| from_client(e.into()))?;
    let client = engine.client.borrow().clone();
    let way = engine.way.borrow().clone();
    match (client.filter(|c| c.caller() == sign_in.principal()), way) {
        // The same person with a fresh key: what is unlocked stays unlocked.
        (Some(_), Some(way)) => way.renew(transport),
        _ => {
            engine.forget_keys();
            let way = Rc::new(Way::new(transport));
            engine.way.replace(Some(way.clone()));
            let client = Client::new(way, Rc::new(Remembered(store.clone())), Rc::new(Clock));
            engine.client.replace(Some(client));
        }
    }
    engine.session_ends.set(ends);
    engine.chain.replace(Some(chain.clone()));
    Ok(())
}

/// Makes the next session key shortly before the present one runs out; tells the page when the
/// sign-in itself is over.
pub(crate) async fn renew(engine: &Rc<Engine>) -> Outcome<()> {
    let due = engine.session_ends.get() < Clock.now_ms().saturating_add(BEFORE_MS);
    let chain = engine.chain.borrow().clone();
    let (true, Some(chain)) = (due, chain) else {
        return Ok(());
    };
    let store = engine.store().await?;
    let renewed = sign_in(engine, &store, &chain).await;
    if let Err(failure) = &renewed
        && failure.kind == FailureKind::NotSignedIn
    {
        let account = engine.account();
        run_out(engine, &store).await?;
        lock::tell(engine, account);
    }
    renewed
}

/// The sign-in is over by itself. Whoever signs in again finds the browser as it was: what it opens by
/// itself opens then.
pub(super) async fn run_out(engine: &Engine, store: &Store) -> Outcome<()> {
    engine.forget_keys();
    engine.client.take();
    engine.way.take();
    engine.chain.take();
    engine.sign_in_key.take();
    store
        .remove(Shelf::Session, SIGN_IN)
        .await
        .map_err(from_platform)?;
    SignInKey::forget(store).await.map_err(from_platform)
}

/// Signs out: this browser forgets first, so that a page closed too early leaves nothing, and then tells
/// the account, which must not keep anyone signed in.
pub(super) async fn sign_out(engine: &Engine, store: &Store) -> Outcome<()> {
    let unlocked = engine.unlocked.borrow_mut().take();
    lock::write(engine, unlocked.as_ref().map(Unlocked::account)).await;
    browser_slot::forget(store).await?;
    run_out(engine, store).await?;
    if let Some(unlocked) = unlocked {
        let removing = pin!(remove_left(&unlocked, store));
        let patience = pin!(timer::wait(LEAVING_MS));
        // What is not done in time is done when this browser unlocks the next time.
        select(removing, patience).await;
        unlocked.lock();
    }
    Ok(())
}

pub(super) async fn keep_chain(store: &Store, chain: &DelegationChain) -> Outcome<()> {
    let bytes = salus_messages::encode(chain)
        .map_err(|e| Failure::new(FailureKind::Internal, e.to_string()))?;
    store
        .put(Shelf::Session, SIGN_IN, &Uint8Array::from(bytes.as_slice()))
        .await
        .map_err(from_platform)
}

pub(super) async fn stored_chain(store: &Store) -> Outcome<Option<DelegationChain>> {
    let bytes = stored_bytes(store, SIGN_IN).await?;
    Ok(bytes.and_then(|b| salus_messages::decode(&b).ok()))
}

pub(super) async fn stored_bytes(store: &Store, key: &str) -> Outcome<Option<Vec<u8>>> {
    let value = store
        .get(Shelf::Session, key)
        .await
        .map_err(from_platform)?;
    Ok(value.and_then(|v| v.dyn_into::<Uint8Array>().ok().map(|a| a.to_vec())))
}
