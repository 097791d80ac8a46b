//! The part of the chaos that takes and loads snapshots: what was acknowledged of them, and the
//! checks that a canister and each of its snapshots are whole, as before or as after the call that
//! was under way.

use super::common::management::{load, refused, snapshots};
use super::common::process::Told;
use super::common::{IC, about, certified_data, create, install_arg};
use super::world::{LIMIT, OWNER, World, of_version, sha256};
use candid::{CandidType, Decode, Principal};
use ic_agent::Agent;
use ic_management_canister_types::{
    LoadCanisterSnapshotArgs, Snapshot, StoredChunksResult, TakeCanisterSnapshotArgs,
    UploadChunkArgs,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;

/// Snapshots that are kept beside each other.
const KEPT: usize = 3;

/// A module whose memories all hold one number.
fn module(version: u32) -> Vec<u8> {
    of_version(include_str!("../common/chaos_snapshot.wat"), version)
}

/// What a canister is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Content {
    number: u32,
    version: u32,
    chunks: BTreeSet<Vec<u8>>,
}

/// What the call under way does.
#[derive(Clone, Debug)]
enum Next {
    Becomes(Content),
    Takes { instead_of: Option<Vec<u8>> },
}

#[derive(Clone, Debug, Default)]
struct Known {
    now: Content,
    kept: BTreeMap<Vec<u8>, Content>,
    next: Option<Next>,
}

/// The canister whose snapshots are taken, and what is known of it.
pub(crate) struct Snapshots {
    /// The canister.
    pub(crate) canister: Principal,
    /// Another, that only shows what is in snapshots.
    probe: Principal,
    known: Mutex<Known>,
    begun: watch::Sender<&'static str>,
}

impl Snapshots {
    /// Makes the canisters.
    pub(crate) async fn found(owner: &Agent) -> Self {
        let canister = create(owner, None).await.unwrap();
        let probe = create(owner, None).await.unwrap();
        Self {
            canister,
            probe,
            known: Mutex::default(),
            begun: watch::Sender::new(""),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    /// Resolves when a call of this method is under way.
    pub(crate) async fn under_way(&self, method: &str) {
        let mut begun = self.begun.subscribe();
        let reached = begun.wait_for(|now| *now == method);
        tokio::time::timeout(LIMIT, reached).await.unwrap().unwrap();
    }

    /// How many snapshots are kept.
    pub(crate) fn count(&self) -> usize {
        self.known().kept.len()
    }

    async fn call(&self, world: &World, method: &'static str, arg: Vec<u8>, next: Next) -> Vec<u8> {
        self.known().next = Some(next);
        self.begun.send_replace(method);
        let to = if method == "set" { self.canister } else { IC };
        let reply = world.call(OWNER, self.canister, to, method, arg).await;
        self.begun.send_replace("");
        reply.unwrap()
    }

    /// Makes a call that changes the canister itself.
    async fn becomes(
        &self,
        world: &World,
        method: &'static str,
        arg: Vec<u8>,
        change: impl FnOnce(&mut Content),
    ) {
        let mut next = self.known().now.clone();
        change(&mut next);
        self.call(world, method, arg, Next::Becomes(next.clone()))
            .await;
        let mut known = self.known();
        known.now = next;
        known.next = None;
    }

    /// Fills the canister anew, takes a snapshot, changes everything and loads a snapshot.
    pub(crate) async fn round(&self, world: &World, round: u32) {
        if round == 0 {
            let arg = install_arg(self.canister, "install", module(1), b"");
            self.becomes(world, "install_code", arg, |now| now.version = 1)
                .await;
        }
        self.fill(world, 2 * round + 1).await;
        self.take(world).await;
        self.fill(world, 2 * round + 2).await;
        let version = 1 + self.known().now.version % 2;
        let arg = install_arg(self.canister, "upgrade", module(version), b"");
        self.becomes(world, "install_code", arg, |now| now.version = version)
            .await;
        self.load(world, round).await;
    }

    async fn fill(&self, world: &World, number: u32) {
        let arg = number.to_le_bytes().to_vec();
        self.becomes(world, "set", arg, |now| now.number = number)
            .await;
        self.becomes(world, "clear_chunk_store", about(self.canister), |now| {
            now.chunks.clear();
        })
        .await;
        let chunk = number.to_le_bytes().repeat(100_000);
        let hash = sha256(&chunk).to_vec();
        let arg = encoded(&UploadChunkArgs {
            canister_id: self.canister,
            chunk,
        });
        self.becomes(world, "upload_chunk", arg, |now| {
            now.chunks.insert(hash);
        })
        .await;
    }

    async fn take(&self, world: &World) {
        let instead_of = {
            let known = self.known();
            let oldest = known.kept.keys().next();
            oldest.filter(|_| known.kept.len() == KEPT).cloned()
        };
        let arg = encoded(&TakeCanisterSnapshotArgs {
            canister_id: self.canister,
            replace_snapshot: instead_of.clone(),
            uninstall_code: None,
            sender_canister_version: None,
        });
        let next = Next::Takes {
            instead_of: instead_of.clone(),
        };
        let reply = self.call(world, "take_canister_snapshot", arg, next).await;
        let taken = Decode!(&reply, Snapshot).unwrap();
        let mut known = self.known();
        if let Some(old) = instead_of {
            known.kept.remove(&old);
        }
        let now = known.now.clone();
        known.kept.insert(taken.id, now);
        known.next = None;
    }

    async fn load(&self, world: &World, round: u32) {
        let (snapshot_id, content) = {
            let known = self.known();
            let at = round as usize % known.kept.len();
            let (id, content) = known.kept.iter().nth(at).unwrap();
            (id.clone(), content.clone())
        };
        let arg = encoded(&LoadCanisterSnapshotArgs {
            canister_id: self.canister,
            snapshot_id,
            sender_canister_version: None,
        });
        self.becomes(world, "load_canister_snapshot", arg, |now| *now = content)
            .await;
    }

    /// Checks a node that has just come back.
    pub(crate) async fn check(&self, told: &Told) {
        let agent = told.agent(OWNER);
        let known = self.known().clone();
        let mut allowed = vec![&known.now];
        let mut replaced = None;
        let mut takes = false;
        match &known.next {
            None => {}
            Some(Next::Becomes(content)) => allowed.push(content),
            Some(Next::Takes { instead_of }) => {
                takes = true;
                replaced = instead_of.as_ref();
            }
        }
        check_content(&agent, self.canister, &allowed).await;
        let listed = snapshots(&agent, self.canister).await.unwrap();
        let listed: BTreeSet<Vec<u8>> = listed.into_iter().map(|shown| shown.id).collect();
        let missing: Vec<_> = known
            .kept
            .keys()
            .filter(|id| !listed.contains(*id))
            .collect();
        let new: Vec<_> = listed
            .iter()
            .filter(|id| !known.kept.contains_key(*id))
            .collect();
        assert!(new.len() <= usize::from(takes), "{new:?}");
        let done = new.len() == 1;
        let expected: Vec<_> = replaced.into_iter().filter(|_| done).collect();
        assert_eq!(
            missing, expected,
            "acknowledged and missing, or kept and replaced"
        );
        for id in &listed {
            match load(&agent, self.probe, id).await {
                Ok(()) => {}
                // What is under way may have ended meanwhile.
                Err(error) if Some(id) == replaced => {
                    error.is(3, "IC0305", "Could not find");
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            }
            let content = known.kept.get(id).unwrap_or(&known.now);
            check_content(&agent, self.probe, &[content]).await;
        }
    }
}

fn encoded(value: &impl CandidType) -> Vec<u8> {
    candid::encode_one(value).unwrap()
}

/// Checks that a canister is one of these, and wholly.
async fn check_content(agent: &Agent, id: Principal, allowed: &[&Content]) {
    if allowed.iter().all(|content| content.version == 0) {
        return;
    }
    let shown = match agent.query(&id, "show").call().await {
        Ok(shown) => shown,
        Err(error) if allowed.iter().any(|content| content.version == 0) => {
            refused(error).is(5, "IC0537", "no Wasm module");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let numbers: Vec<u32> = shown
        .as_chunks()
        .0
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes))
        .collect();
    let (version, number) = (numbers[0], numbers[1]);
    assert_eq!(numbers[2..], [number; 4], "half of it: {numbers:?}");
    let is = |content: &&Content| (content.number, content.version) == (number, version);
    assert!(allowed.iter().any(is), "{numbers:?}, not of {allowed:?}");
    let data = certified_data(agent, id).await;
    let is = |content: &&Content| content.number.to_le_bytes() == data[..];
    assert!(allowed.iter().any(is), "{data:?}, not of {allowed:?}");
    let hash = agent.read_state_canister_info(id, "module_hash").await;
    let hash = hash.unwrap();
    let is = |content: &&Content| sha256(&module(content.version)) == hash[..];
    assert!(allowed.iter().any(is), "not the code of {allowed:?}");
    let stored = super::common::management::about(agent, id, "stored_chunks").await;
    let (stored,): (StoredChunksResult,) = stored.unwrap();
    let stored: BTreeSet<Vec<u8>> = stored.into_iter().map(|chunk| chunk.hash).collect();
    let is = |content: &&Content| content.chunks == stored;
    assert!(allowed.iter().any(is), "{stored:?}, not of {allowed:?}");
}
